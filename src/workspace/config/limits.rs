//! `[limits]`, `[watch]` and `[agent]`: how much, how soon, how many.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// How much a script may use before it is stopped.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The time that a run may take, such as `30m`; waiting counts. `--timeout` wins.
    pub time: TimeSpan,
    /// The number of operations of the script engine; left out: no limit but the time.
    #[schemars(range(min = 1))]
    pub operations: Option<u64>,
    /// How deep calls may nest, scripts and hooks inside the script included; left out: 128.
    #[schemars(range(min = 1, max = 1024))]
    pub depth: Option<usize>,
    /// How many modules a script may import; left out: no limit.
    #[schemars(range(min = 1))]
    pub modules: Option<usize>,
    /// The longest text, in bytes; left out: no limit.
    #[schemars(range(min = 1))]
    pub text: Option<usize>,
    /// The most items of one list or map, those nested in it included; left out: no limit.
    #[schemars(range(min = 1))]
    pub items: Option<usize>,
    /// The most memory, in bytes, that a script may make the program take; left out: 2 GiB, and
    /// 512 MiB with `--sandbox`.
    #[schemars(range(min = 1))]
    pub memory: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: TimeSpan(Duration::from_secs(4 * 60 * 60)),
            operations: None,
            depth: None,
            modules: None,
            text: None,
            items: None,
            memory: None,
        }
    }
}

/// How `alm watch` behaves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// How long files must be quiet before a run starts.
    pub quiet: TimeSpan,
    /// What a change during a run does.
    pub during_run: DuringRun,
    /// Files and folders to watch besides the script and its modules; relative to the workspace.
    pub paths: Vec<String>,
    /// Names that are never watched, with `*` for any text.
    pub ignore: Vec<String>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            quiet: TimeSpan(Duration::from_millis(200)),
            during_run: DuringRun::Queue,
            paths: Vec::new(),
            ignore: Vec::new(),
        }
    }
}

/// What a change during a run does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DuringRun {
    /// The run ends, then one more starts.
    #[default]
    Queue,
    /// The run is cancelled and started again.
    Cancel,
}

/// How `alm agent` runs queued builds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// The persona that builds run as; left out: each may look around, and in the environment of its
    /// stage do what a release needs (`read`, `import-managed`, `configure`, `write-rows`).
    pub persona: Option<String>,
    /// How many builds may run at once, each for another environment.
    #[schemars(range(min = 1))]
    pub parallel: usize,
    /// How often the queue is looked at.
    pub every: TimeSpan,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            persona: None,
            parallel: 2,
            every: TimeSpan(Duration::from_secs(5)),
        }
    }
}

/// A length of time as people write it: `250ms`, `30s`, `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("format" = "time-span"))]
pub struct TimeSpan(pub Duration);

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a length of time; write one like `250ms`, `30s` or `1h 30m`")]
pub struct NotATimeSpan {
    text: String,
}

impl FromStr for TimeSpan {
    type Err = NotATimeSpan;

    fn from_str(text: &str) -> Result<Self, NotATimeSpan> {
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .filter(|duration| !duration.is_zero())
            .map(Self)
            .ok_or_else(|| NotATimeSpan {
                text: text.to_owned(),
            })
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = NotATimeSpan;

    fn try_from(text: String) -> Result<Self, NotATimeSpan> {
        text.parse()
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_read_as_people_write_it_and_nothing_else() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("1h 30m", 5_400_000),
            ("2m", 120_000),
        ] {
            let span: TimeSpan = text.parse().unwrap();
            assert_eq!(span.0, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(span.to_string().parse::<TimeSpan>().unwrap(), span);
        }
        for text in ["", "soon", "-5s", "0s", "30"] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text}");
        }
    }
}

//! The exit codes of `alm`. They are part of its interface: pipelines branch on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked.
    Success = 0,
    /// It failed: a run ended as *failed*, a service refused, something is missing.
    Failed = 1,
    /// The command line was wrong: an unknown command, script, option or value.
    Usage = 2,
    /// A package was checked and something was found.
    Findings = 3,
    /// The workspace cannot be used: none found, a mistake in `alm.toml`, a secret missing.
    Configuration = 4,
    /// The persona or the policy forbids it.
    Refused = 5,
    /// The run waits for somebody, such as an approval; it goes on later.
    Waiting = 6,
    /// The time limit was over (the number of `timeout`).
    TimedOut = 124,
    /// Ctrl-C (128 + SIGINT, as shells have it).
    Cancelled = 130,
}

impl Exit {
    /// The exit code for a problem with this stable code, where nothing better is known.
    pub fn of_code(code: &str) -> Self {
        match code {
            "ALM-W017" | "ALM-W023" | "ALM-R031" | "ALM-R032" | "ALM-R036" | "ALM-R037" => {
                Self::Refused
            }
            "ALM-R012" => Self::TimedOut,
            // What was typed: a script, a parameter, a run, a persona, a person.
            "ALM-S001" | "ALM-S003" | "ALM-S031" | "ALM-S032" | "ALM-S033" | "ALM-S034"
            | "ALM-S035" | "ALM-R004" | "ALM-R010" | "ALM-R033" | "ALM-R035" | "ALM-R038"
            | "ALM-B030" | "ALM-W015" | "ALM-W018" => Self::Usage,
            _ => match code
                .strip_prefix("ALM-")
                .and_then(|rest| rest.chars().next())
            {
                Some('W') => Self::Configuration,
                Some('C') => Self::Usage,
                _ => Self::Failed,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

//! What a script declares that it takes, and how given values become its `params`.
//!
//! ```text
//! //! Save a solution to source control.
//! //!
//! //! @param solution   solution              the unmanaged solution to save
//! //! @param mode       choice(full|quick) = full   how much to check
//! //! @param to_branch  branch?               where to save
//! ```
//!
//! The command line, its help, the web form and the history all come from this declaration. It is
//! read from the text, so a script that does not compile can still be listed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::nearest::nearest;
use crate::problem::Problem;
use crate::workspace::config::{Config, ParameterRule};

/// What a script says about itself in its `//!` lines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Declaration {
    /// The first line, without its full stop.
    pub title: String,
    /// All the text, the first line included, in Markdown.
    pub description: String,
    /// What it takes, in the order of declaration.
    pub parameters: Vec<Parameter>,
}

/// One declared parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// The name in `params`, lower case with underscores.
    pub name: String,
    /// Its type.
    #[serde(flatten)]
    pub kind: Kind,
    /// Whether it may be left out although it has no default.
    pub optional: bool,
    /// The value when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The help line.
    pub help: String,
}

/// The type of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "type", content = "choices")]
pub enum Kind {
    /// Any text.
    Text,
    /// Yes or no; left out means no.
    Flag,
    /// A whole number.
    Integer,
    /// One of some words.
    Choice(Vec<String>),
    /// The unique name of a solution.
    Solution,
    /// The name of an environment of the workspace.
    Environment,
    /// The name of a branch.
    Branch,
    /// The name of a profile of the workspace.
    Profile,
    /// The name of a stage of the profile.
    Stage,
    /// A file or folder; relative ones start at the workspace.
    Path,
    /// A length of time, `90s`, `5m`, `1h30m`; the script gets whole seconds.
    Duration,
    /// Any JSON.
    Json,
}

/// A value on its way to a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// As typed on a command line or into a form.
    Text(String),
    /// Already data.
    Value(Value),
}

/// A persona's rules by parameter name.
pub type Rules = BTreeMap<String, ParameterRule>;

/// What is wrong with a declaration or with what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// A `@param` line that cannot be read.
    #[error("line {line}: {reason}")]
    Declaration {
        /// The line in the script, from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A parameter without which the script cannot run.
    #[error("parameter `{name}` is missing: {help}")]
    Missing {
        /// The parameter.
        name: String,
        /// Its help line.
        help: String,
    },
    /// A value of the wrong type.
    #[error("parameter `{name}` must be {expected}, not `{found}`")]
    Mistyped {
        /// The parameter.
        name: String,
        /// What it takes.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A name that the script does not declare.
    #[error("there is no parameter `{name}`{}", nearest.as_ref().map_or_else(String::new, |near| format!(", did you mean `{near}`?")))]
    Unknown {
        /// The name that was given.
        name: String,
        /// The declared name that looks most like it.
        nearest: Option<String>,
    },
    /// A name that the workspace does not know.
    #[error("parameter `{name}`: there is no {kind} `{found}`{}", nearest.as_ref().map_or_else(String::new, |near| format!(", did you mean `{near}`?")))]
    NotThere {
        /// The parameter.
        name: String,
        /// What it names: environment, profile or stage.
        kind: &'static str,
        /// What was given.
        found: String,
        /// The existing name that looks most like it.
        nearest: Option<String>,
    },
    /// A value that the persona does not let anybody choose.
    #[error("parameter `{name}` cannot be chosen here: {reason}")]
    NotYours {
        /// The parameter.
        name: String,
        /// How the persona settles it.
        reason: String,
    },
}

impl Problem for ParameterError {
    fn code(&self) -> &'static str {
        match self {
            Self::Declaration { .. } => "ALM-S030",
            Self::Missing { .. } => "ALM-S031",
            Self::Mistyped { .. } => "ALM-S032",
            Self::Unknown { .. } => "ALM-S033",
            Self::NotYours { .. } => "ALM-S034",
            Self::NotThere { .. } => "ALM-S035",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Declaration { .. } => {
                Some("write `//! @param name type[?] [= default]  help`".into())
            }
            Self::Missing { name, .. } => Some(format!("give it with `--{}`", option_name(name))),
            Self::NotYours { .. } => Some("ask whoever keeps alm.toml".into()),
            Self::Mistyped { .. } | Self::Unknown { .. } | Self::NotThere { .. } => None,
        }
    }
}

impl Declaration {
    /// Reads the leading `//!` lines of `text`.
    ///
    /// # Errors
    /// [`ParameterError::Declaration`] for the first `@param` line that is not one.
    pub fn of(text: &str) -> Result<Self, ParameterError> {
        let mut prose = Vec::new();
        let mut parameters: Vec<Parameter> = Vec::new();
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let Some(doc) = line.trim_start().strip_prefix("//!") else {
                // Other comments and blank lines may stand before and between.
                if line.trim().is_empty() || line.trim_start().starts_with("//") {
                    continue;
                }
                break;
            };
            let wrong = |reason| ParameterError::Declaration {
                line: at + 1,
                reason,
            };
            match doc.trim().strip_prefix("@param") {
                Some(rest) => {
                    let parameter = Parameter::parse(rest.trim()).map_err(wrong)?;
                    if parameters.iter().any(|other| other.name == parameter.name) {
                        return Err(wrong(format!("`{}` is declared twice", parameter.name)));
                    }
                    parameters.push(parameter);
                }
                None => prose.push(doc.strip_prefix(' ').unwrap_or(doc).trim_end()),
            }
        }
        let description = prose.join("\n").trim().to_owned();
        let title = description
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned();
        Ok(Self {
            title,
            description,
            parameters,
        })
    }

    /// The parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// Turns what was given into the script's `params`: every declared name has a value, null
    /// where it was left out and may be.
    ///
    /// # Errors
    /// [`ParameterError`] for the first parameter that is unknown, missing, mistyped or not for
    /// this persona to choose.
    pub fn settle(
        &self,
        given: &BTreeMap<String, Given>,
        rules: &Rules,
    ) -> Result<Map<String, Value>, ParameterError> {
        if let Some(name) = given.keys().find(|name| self.parameter(name).is_none()) {
            let visible = self
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str());
            let visible = visible.filter(|name| rules.get(*name).is_none_or(|rule| !rule.hidden));
            return Err(ParameterError::Unknown {
                name: name.clone(),
                nearest: nearest(name, visible).map(str::to_owned),
            });
        }
        self.parameters
            .iter()
            .map(|parameter| {
                let rule = rules.get(&parameter.name);
                let value = parameter.settle(given.get(&parameter.name), rule)?;
                Ok((parameter.name.clone(), value))
            })
            .collect()
    }
}

impl Declaration {
    /// Makes sure that environments, profiles and stages are ones that `config` has. Scripts in a
    /// workspace that names none at all are left alone.
    ///
    /// # Errors
    /// [`ParameterError::NotThere`] with the nearest name.
    pub fn check_names(
        &self,
        params: &Map<String, Value>,
        config: &Config,
    ) -> Result<(), ParameterError> {
        let stages = config
            .profiles
            .iter()
            .flat_map(|(_, profile)| &profile.stages);
        let stages: Vec<&str> = stages.map(|stage| stage.name.as_str()).collect();
        for parameter in &self.parameters {
            let (kind, known): (_, Vec<&str>) = match parameter.kind {
                Kind::Environment => ("environment", config.environments.names().collect()),
                Kind::Profile => ("profile", config.profiles.names().collect()),
                Kind::Stage => ("stage", stages.clone()),
                _ => continue,
            };
            let Some(found) = params.get(&parameter.name).and_then(Value::as_str) else {
                continue;
            };
            if !known.is_empty() && !known.contains(&found) {
                return Err(ParameterError::NotThere {
                    name: parameter.name.clone(),
                    kind,
                    found: found.to_owned(),
                    nearest: nearest(found, known).map(str::to_owned),
                });
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn parse(line: &str) -> Result<Self, String> {
        let (name, rest) = word(line);
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty()
            || !name.chars().all(fits)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(format!(
                "`{name}` is not a parameter name (lower case, `_` between words)"
            ));
        }
        let (kind, optional, rest) = parse_kind(rest)?;
        let (default, help) = match rest.strip_prefix('=') {
            Some(rest) => {
                let (text, help) = parse_default(rest.trim_start(), &kind)?;
                (Some(text), help)
            }
            None => (None, rest),
        };
        let mut parameter = Self {
            name: name.to_owned(),
            kind,
            optional: optional || default.is_some(),
            default: None,
            help: help.trim().to_owned(),
        };
        if parameter.help.is_empty() {
            return Err(format!("`{name}` has no help text"));
        }
        parameter.default = match default {
            Some(given) => Some(
                parameter
                    .convert(&given)
                    .map_err(|error| error.to_string())?,
            ),
            None if parameter.kind == Kind::Flag && !optional => {
                parameter.optional = true;
                Some(Value::Bool(false))
            }
            None => None,
        };
        Ok(parameter)
    }

    /// The type in the words of the help: `text`, `one of full, quick`.
    pub fn expected(&self) -> String {
        match &self.kind {
            Kind::Text => "text".into(),
            Kind::Flag => "yes or no".into(),
            Kind::Integer => "a whole number".into(),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::Solution => "the name of a solution".into(),
            Kind::Environment => "the name of an environment".into(),
            Kind::Branch => "the name of a branch".into(),
            Kind::Profile => "the name of a profile".into(),
            Kind::Stage => "the name of a stage".into(),
            Kind::Path => "a path".into(),
            Kind::Duration => "a length of time such as 90s, 5m or 1h30m".into(),
            Kind::Json => "JSON".into(),
        }
    }

    pub(crate) fn settle(
        &self,
        given: Option<&Given>,
        rule: Option<&ParameterRule>,
    ) -> Result<Value, ParameterError> {
        let not_yours = |reason: &str| {
            Err(ParameterError::NotYours {
                name: self.name.clone(),
                reason: reason.into(),
            })
        };
        let of_rule = |value: &Value| self.convert(&Given::Value(value.clone()));
        if let Some(fixed) = rule.and_then(|rule| rule.fixed.as_ref()) {
            let fixed = of_rule(fixed)?;
            return match given {
                Some(given) if self.convert(given)? != fixed => {
                    not_yours(&format!("it is always {fixed}"))
                }
                _ => Ok(fixed),
            };
        }
        if given.is_some() && rule.is_some_and(|rule| rule.hidden) {
            return not_yours("it is hidden");
        }
        if let Some(given) = given {
            return self.convert(given);
        }
        if let Some(default) = rule.and_then(|rule| rule.default.as_ref()) {
            return of_rule(default);
        }
        match &self.default {
            Some(default) => Ok(default.clone()),
            None if self.optional => Ok(Value::Null),
            None => Err(ParameterError::Missing {
                name: self.name.clone(),
                help: self.help.clone(),
            }),
        }
    }

    /// The value that a script gets for `given`.
    ///
    /// # Errors
    /// [`ParameterError::Mistyped`].
    pub fn convert(&self, given: &Given) -> Result<Value, ParameterError> {
        let converted = match given {
            Given::Text(text) => self.text_value(text),
            Given::Value(value) => self.data_value(value),
        };
        converted.ok_or_else(|| ParameterError::Mistyped {
            name: self.name.clone(),
            expected: self.expected(),
            found: match given {
                Given::Text(text) => text.clone(),
                Given::Value(Value::String(text)) => text.clone(),
                Given::Value(value) => value.to_string(),
            },
        })
    }

    fn text_value(&self, text: &str) -> Option<Value> {
        match &self.kind {
            Kind::Flag => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true.into()),
                "false" | "no" | "off" | "0" => Some(false.into()),
                _ => None,
            },
            Kind::Integer => text.trim().parse::<i64>().ok().map(Value::from),
            Kind::Choice(words) => words
                .iter()
                .find(|word| *word == text)
                .cloned()
                .map(Value::from),
            Kind::Duration => seconds(text).map(Value::from),
            Kind::Json => serde_json::from_str(text).ok(),
            Kind::Text => Some(text.into()),
            // An empty name finds nothing, wherever it is looked for.
            _ if text.trim().is_empty() => None,
            _ => Some(text.into()),
        }
    }

    fn data_value(&self, value: &Value) -> Option<Value> {
        match (&self.kind, value) {
            (Kind::Json, value) => Some(value.clone()),
            (_, Value::Null) if self.optional => Some(Value::Null),
            (Kind::Flag, Value::Bool(_)) => Some(value.clone()),
            (Kind::Integer | Kind::Duration, Value::Number(number)) if number.is_i64() => {
                Some(value.clone())
            }
            (Kind::Flag | Kind::Integer, _) => None,
            (_, Value::String(text)) => self.text_value(text),
            _ => None,
        }
    }
}

/// `to_branch` as a command line writes it: `to-branch`.
pub fn option_name(name: &str) -> String {
    name.replace('_', "-")
}

/// The first word of `line` and the rest.
fn word(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    (&line[..end], line[end..].trim_start())
}

fn parse_kind(line: &str) -> Result<(Kind, bool, &str), String> {
    if let Some(rest) = line.strip_prefix("choice") {
        let inner = rest
            .trim_start()
            .strip_prefix('(')
            .ok_or("write `choice(one|other)`")?;
        let (inner, rest) = inner.split_once(')').ok_or("`choice(` has no `)`")?;
        let words: Vec<String> = inner
            .split('|')
            .map(|word| word.trim().to_owned())
            .collect();
        if words.iter().any(String::is_empty) {
            return Err("a choice is empty".into());
        }
        let (optional, rest) = match rest.strip_prefix('?') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        return Ok((Kind::Choice(words), optional, rest.trim_start()));
    }
    let (found, rest) = word(line);
    // `flag= true` and `flag =true` mean the same.
    let (found, rest) = match found.find('=') {
        Some(at) => (&found[..at], &line[line.find('=').unwrap_or(at)..]),
        None => (found, rest),
    };
    let (name, optional) = match found.strip_suffix('?') {
        Some(name) => (name, true),
        None => (found, false),
    };
    const KINDS: [(&str, Kind); 11] = [
        ("text", Kind::Text),
        ("flag", Kind::Flag),
        ("integer", Kind::Integer),
        ("solution", Kind::Solution),
        ("environment", Kind::Environment),
        ("branch", Kind::Branch),
        ("profile", Kind::Profile),
        ("stage", Kind::Stage),
        ("path", Kind::Path),
        ("duration", Kind::Duration),
        ("json", Kind::Json),
    ];
    match KINDS.into_iter().find(|(known, _)| *known == name) {
        Some((_, kind)) => Ok((kind, optional, rest)),
        None => {
            let known = [
                "text",
                "flag",
                "integer",
                "choice(…)",
                "solution",
                "environment",
                "branch",
                "profile",
                "stage",
                "path",
                "duration",
                "json",
            ];
            let near = nearest(name, known)
                .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            Err(format!(
                "`{name}` is not a type{near} (there are {})",
                known.join(", ")
            ))
        }
    }
}

/// A default is a quoted text, JSON for a `json` parameter, or one word.
fn parse_default<'a>(rest: &'a str, kind: &Kind) -> Result<(Given, &'a str), String> {
    if rest.starts_with('"') || *kind == Kind::Json {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        return match values.next() {
            Some(Ok(value)) => Ok((Given::Value(value), &rest[values.byte_offset()..])),
            _ => Err("the default cannot be read".into()),
        };
    }
    let (text, help) = word(rest);
    if text.is_empty() {
        return Err("`=` has no default behind it".into());
    }
    Ok((Given::Text(text.to_owned()), help))
}

/// `1h30m` as seconds; a bare number is seconds.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return (seconds >= 0).then_some(seconds);
    }
    let mut total: i64 = 0;
    let mut rest = text;
    let mut largest = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return None,
        };
        // `30m1h` and `5m5m` are slips, not lengths.
        if unit >= largest {
            return None;
        }
        largest = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SAVE: &str = "\
//! Save a solution to source control.
//!
//! Says nothing twice.
//!
//! @param solution   solution    the unmanaged solution to save
//! @param message    text        what changed; `#123` links work item 123
//! @param to_branch  branch?     where to save
//! @param mode       choice(full|quick) = full  how much to check
//! @param wait       duration = 1h30m  how long to wait
//! @param greeting   text = \"a \\\"b\\\" = c\"  what to say
//! @param publish    flag        publish first
//! @param data       json = {\"a\": [1, 2]}  anything

let x = 1;
//! @param not_me text after the code
";

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, Given> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), Given::Text((*v).to_owned())))
            .collect()
    }

    #[test]
    fn a_declaration_is_read_from_the_leading_lines() {
        let save = Declaration::of(SAVE).unwrap();
        assert_eq!(save.title, "Save a solution to source control");
        assert_eq!(
            save.description,
            "Save a solution to source control.\n\nSays nothing twice."
        );
        let names: Vec<_> = save.parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "solution",
                "message",
                "to_branch",
                "mode",
                "wait",
                "greeting",
                "publish",
                "data"
            ]
        );
        assert_eq!(
            save.parameter("message").unwrap().help,
            "what changed; `#123` links work item 123"
        );
    }

    #[test]
    fn everything_declared_is_there_with_its_default() {
        let save = Declaration::of(SAVE).unwrap();
        let settled = save
            .settle(
                &given(&[("solution", "Contoso"), ("message", "x")]),
                &Rules::new(),
            )
            .unwrap();
        assert_eq!(
            Value::Object(settled),
            json!({
                "solution": "Contoso", "message": "x", "to_branch": null, "mode": "full",
                "wait": 5400, "greeting": "a \"b\" = c", "publish": false, "data": {"a": [1, 2]},
            })
        );
    }

    #[test]
    fn what_is_wrong_names_the_parameter() {
        let save = Declaration::of(SAVE).unwrap();
        let fail = |pairs: &[(&str, &str)]| {
            save.settle(&given(pairs), &Rules::new())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            fail(&[("message", "x")]),
            "parameter `solution` is missing: the unmanaged solution to save"
        );
        assert_eq!(
            fail(&[("solution", "x"), ("message", "x"), ("mode", "slow")]),
            "parameter `mode` must be one of full, quick, not `slow`"
        );
        assert_eq!(
            fail(&[("solution", "x"), ("mesage", "x")]),
            "there is no parameter `mesage`, did you mean `message`?"
        );
        assert_eq!(
            fail(&[("solution", "x"), ("message", "x"), ("wait", "soon")]),
            "parameter `wait` must be a length of time such as 90s, 5m or 1h30m, not `soon`"
        );
        assert_eq!(
            fail(&[("solution", ""), ("message", "x")]),
            "parameter `solution` must be the name of a solution, not ``"
        );
    }

    #[test]
    fn a_persona_hides_fixes_and_presets() {
        let save = Declaration::of(SAVE).unwrap();
        let rules = Rules::from([
            (
                "to_branch".into(),
                ParameterRule {
                    hidden: true,
                    ..ParameterRule::default()
                },
            ),
            (
                "mode".into(),
                ParameterRule {
                    fixed: Some(json!("quick")),
                    ..ParameterRule::default()
                },
            ),
            (
                "message".into(),
                ParameterRule {
                    default: Some(json!("saved")),
                    ..ParameterRule::default()
                },
            ),
        ]);
        let settled = save.settle(&given(&[("solution", "S")]), &rules).unwrap();
        assert_eq!(settled["mode"], "quick");
        assert_eq!(settled["message"], "saved");
        let refused = save.settle(&given(&[("solution", "S"), ("to_branch", "x")]), &rules);
        assert!(
            matches!(refused, Err(ParameterError::NotYours { .. })),
            "{refused:?}"
        );
        let refused = save.settle(&given(&[("solution", "S"), ("mode", "full")]), &rules);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "parameter `mode` cannot be chosen here: it is always \"quick\""
        );
    }

    #[test]
    fn a_line_that_declares_nothing_is_an_error_at_its_line() {
        let wrong = |line: &str| {
            Declaration::of(&format!("//! T\n{line}"))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            wrong("//! @param x solutoin  help"),
            "line 2: `solutoin` is not a type, did you mean `solution`? (there are text, flag, \
             integer, choice(…), solution, environment, branch, profile, stage, path, duration, json)"
        );
        assert_eq!(wrong("//! @param x text"), "line 2: `x` has no help text");
        assert_eq!(
            wrong("//! @param count integer = many  help"),
            "line 2: parameter `count` must be a whole number, not `many`"
        );
        assert!(wrong("//! @param To-Branch text  help").contains("not a parameter name"));
    }

    #[test]
    fn lengths_of_time_are_seconds() {
        for (text, expected) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("1h30m", Some(5400)),
            ("1d", Some(86400)),
            ("", None),
            ("m", None),
            ("1x", None),
            ("30m1h", None),
            ("-1", None),
            ("99999999999999999999h", None),
            ("9999999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}

//! One settings file: which one applies, reading it with all its quirks, and writing it back.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::MissingToken;
use super::files::{Files, find, join};
use super::tokens::{Tokens, quote_bare_tokens};
use super::{DeploymentError, SolutionFolder};

/// The file of `pac`: environment variables and connection references.
pub(super) const DEPLOYMENT: &str = "deploymentSettings";

/// The file of the ALM Accelerator: everything else.
pub(super) const CUSTOM: &str = "customDeploymentSettings";

/// A settings file as JSON. Members that this program does not know are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsFile {
    /// The file's path; empty for one that does not exist yet.
    pub path: String,
    /// Its members.
    pub members: Map<String, Value>,
    /// Whether its lines end with CR LF.
    crlf: bool,
}

impl SettingsFile {
    /// Reads the bytes of a file. A byte order mark is skipped; tokens may stand without quotes.
    ///
    /// # Errors
    /// [`DeploymentError::NotJson`] with the line.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, DeploymentError> {
        let not_json = |reason: String| DeploymentError::NotJson {
            file: path.to_owned(),
            reason,
        };
        let text = std::str::from_utf8(bytes).map_err(|error| not_json(error.to_string()))?;
        let text = text.trim_start_matches('\u{feff}');
        let members = if text.trim().is_empty() {
            Map::new()
        } else {
            serde_json::from_str(text)
                .or_else(|error| serde_json::from_str(&quote_bare_tokens(text)).map_err(|_| error))
                .map_err(|error| not_json(error.to_string()))?
        };
        Ok(Self {
            path: path.to_owned(),
            members,
            crlf: text.contains("\r\n"),
        })
    }

    /// A file that does not exist yet.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            members: Map::new(),
            crlf: false,
        }
    }

    /// The file as bytes: two spaces, members in their order, line ends as they were.
    pub fn to_bytes(&self) -> Vec<u8> {
        let value = Value::Object(self.members.clone());
        let mut text = format!("{value:#}\n");
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        text.into_bytes()
    }

    /// The file called `name` (without `.json`) that applies to `environment`, if there is one:
    /// `<name>-<env>.json`, else `<env>/<name>.json`, else `<name>.json` under `config`
    /// (ALM Accelerator notes, 1.8 step 4).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn choose(
        files: &dyn Files,
        paths: &[String],
        solution: &SolutionFolder,
        environment: &str,
        name: &str,
    ) -> Result<Option<Self>, DeploymentError> {
        let config = solution.config();
        let common = join(&config, &format!("{name}.json"));
        let own = [
            join(&config, &format!("{name}-{environment}.json")),
            join(&config, &format!("{environment}/{name}.json")),
        ];
        let candidates = if environment.is_empty() {
            &[][..]
        } else {
            &own[..]
        };
        let found = candidates
            .iter()
            .chain([&common])
            .find_map(|candidate| find(paths, candidate));
        found
            .map(|path| Self::parse(path, &files.read(path)?))
            .transpose()
    }

    /// Gives tokens their values.
    pub(super) fn replace_tokens(
        &mut self,
        values: &BTreeMap<String, String>,
        missing: &mut Vec<MissingToken>,
    ) {
        let tokens = Tokens::new(values);
        let mut json = Value::Object(std::mem::take(&mut self.members));
        tokens.override_by_place(&mut json);
        let mut names = Vec::new();
        tokens.replace_in(&mut json, &mut names);
        missing.extend(names.into_iter().map(|name| MissingToken {
            name,
            file: self.path.clone(),
        }));
        if let Value::Object(members) = json {
            self.members = members;
        }
    }

    /// The objects of the array called `name`. An absent or null array is empty; names are
    /// compared without regard to case, as PowerShell does.
    pub(super) fn entries(&self, name: &str) -> Result<Vec<Entry<'_>>, DeploymentError> {
        match member(&self.members, name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .iter()
                .enumerate()
                .filter(|(_, value)| !value.is_null())
                .map(|(index, value)| match value {
                    Value::Object(members) => Ok(Entry {
                        file: &self.path,
                        list: name.to_owned(),
                        index,
                        members,
                    }),
                    _ => Err(self.wrong(&format!("{name}[{index}]"), "it is not an object")),
                })
                .collect(),
            // PowerShell writes a list of one element without its brackets.
            Some(Value::Object(members)) => Ok(vec![Entry {
                file: &self.path,
                list: name.to_owned(),
                index: 0,
                members,
            }]),
            Some(_) => Err(self.wrong(name, "it is not a list")),
        }
    }

    /// The array called `name` as it is.
    pub(super) fn list(&self, name: &str) -> Vec<Value> {
        match member(&self.members, name) {
            Some(Value::Array(values)) => values.clone(),
            _ => Vec::new(),
        }
    }

    fn wrong(&self, place: &str, reason: &str) -> DeploymentError {
        DeploymentError::Setting {
            file: self.path.clone(),
            place: place.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// One object of a list in a settings file.
pub(super) struct Entry<'a> {
    file: &'a str,
    list: String,
    index: usize,
    members: &'a Map<String, Value>,
}

impl Entry<'_> {
    /// A text; numbers and flags are taken as texts, null and absent as empty.
    pub(super) fn text(&self, name: &str) -> String {
        match member(self.members, name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            // A JSON variable is sometimes written as JSON.
            Some(value @ (Value::Object(_) | Value::Array(_))) => value.to_string(),
            Some(Value::Null) | None => String::new(),
        }
    }

    /// A text, `None` when empty.
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A number, also when written as text; anything else counts as absent.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    /// A flag, also when written as text; `None` when absent or neither true nor false.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name).trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// An id.
    pub(super) fn guid(&self, name: &str) -> Result<Option<uuid::Uuid>, DeploymentError> {
        let Some(text) = self.optional(name) else {
            return Ok(None);
        };
        let id = text.trim_matches(['{', '}']).parse();
        id.map(Some)
            .map_err(|_| self.wrong(name, &format!("{text:?} is not an id")))
    }

    /// Texts: a list, or one text with commas.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let all: Vec<String> = match member(self.members, name) {
            Some(Value::Array(values)) => values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => self.text(name).split(',').map(str::to_owned).collect(),
        };
        all.into_iter()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    }

    /// The error for one of its members.
    pub(super) fn wrong(&self, name: &str, reason: &str) -> DeploymentError {
        DeploymentError::Setting {
            file: self.file.to_owned(),
            place: format!("{}[{}].{name}", self.list, self.index),
            reason: reason.to_owned(),
        }
    }
}

/// The member called `name`, as written or else without regard to case.
pub(super) fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).or_else(|| {
        members
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_with_unknown_members_order_and_line_ends() {
        let text = "\u{feff}{\r\n  \"b\": 1,\r\n  \"a\": [\r\n    \"ü\\\"\"\r\n  ]\r\n}\r\n";
        let file = SettingsFile::parse("f.json", text.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(file.to_bytes()).unwrap(),
            text.trim_start_matches('\u{feff}')
        );
    }

    #[test]
    fn broken_json_is_shown_with_its_line() {
        let error = SettingsFile::parse("config/x.json", b"{\n  \"a\": ,\n}").unwrap_err();
        assert!(
            error.to_string().starts_with("config/x.json is not JSON: "),
            "{error}"
        );
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}

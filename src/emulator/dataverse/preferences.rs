//! What a request prefers: the `Prefer` header.

use super::wire::Annotations;
use crate::emulator::call::Call;

/// The preferences that are understood (facts/dataverse-web-api.md, section 1.2).
#[derive(Debug, Clone)]
pub(super) struct Preferences {
    /// `return=representation`
    pub(super) representation: bool,
    /// `odata.maxpagesize`
    pub(super) page_size: Option<usize>,
    /// `odata.include-annotations`
    pub(super) annotations: Annotations,
    /// `odata.continue-on-error`
    pub(super) continue_on_error: bool,
    /// `odata.allow-upsert`
    pub(super) allow_upsert: bool,
    /// What `Preference-Applied` answers.
    pub(super) applied: Vec<String>,
}

impl Preferences {
    /// Reads them; they may be spread over several header lines.
    pub(super) fn of(call: &Call) -> Self {
        let mut found = Self {
            representation: false,
            page_size: None,
            annotations: Annotations::default(),
            continue_on_error: false,
            allow_upsert: true,
            applied: Vec::new(),
        };
        for line in call
            .headers
            .get_all("prefer")
            .iter()
            .filter_map(|line| line.to_str().ok())
        {
            for preference in split(line) {
                found.read(preference);
            }
        }
        found
    }

    fn read(&mut self, preference: &str) {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let value = value.trim().trim_matches('"');
        let name = name.trim().to_lowercase();
        // Both spellings are in use, with and without the prefix.
        match name.strip_prefix("odata.").unwrap_or(&name) {
            "return" if value == "representation" => self.representation = true,
            "return" => self.representation = false,
            "maxpagesize" => match value.parse() {
                Ok(size) => self.page_size = Some(size),
                Err(_) => return,
            },
            "include-annotations" => self.annotations = Annotations::new(value),
            "continue-on-error" => self.continue_on_error = value != "false",
            "allow-upsert" => self.allow_upsert = value != "false",
            _ => return,
        }
        self.applied.push(preference.trim().to_owned());
    }
}

/// Splits at commas outside of quotes.
fn split(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, it) in line.char_indices() {
        match it {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&line[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{HeaderValue, Method, Request};
    use jiff::Timestamp;

    #[test]
    fn preferences_may_share_a_line_or_have_their_own() {
        let mut request = Request::new(Method::GET, "https://a.b/".parse().unwrap());
        let lines = [
            "return=representation, odata.include-annotations=\"OData.*,Microsoft.Dynamics.CRM.x\"",
            "odata.maxpagesize=7",
        ];
        for line in lines {
            request
                .headers
                .append("prefer", HeaderValue::from_static(line));
        }
        let found = Preferences::of(&Call::new(request, Timestamp::UNIX_EPOCH));
        assert!(found.representation);
        assert_eq!(found.page_size, Some(7));
        assert!(found.annotations.want("Microsoft.Dynamics.CRM.x"));
        assert_eq!(found.applied.len(), 3);
    }
}

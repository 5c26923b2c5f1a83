//! Secrets that stand in `alm.toml` although they never should: they are not shown in the error
//! about them either.
//!
//! A file with mistakes may be no TOML at all, so this reads the text itself, as far as it can be
//! understood: keys, strings, inline tables and lists. What is hidden keeps its length, so that
//! places in the text stay what they are.

use std::ops::Range;

use super::mistake::Mistake;

/// Parts of the names of keys whose values are nobody's business.
const SECRET_KEYS: [&str; 6] = ["secret", "token", "password", "passwd", "pwd", "key"];

/// Keys that say where a secret is kept; their values are no secrets.
const PLACES: [&str; 3] = ["env", "file", "keyvault"];

/// The other keys of `[identities.NAME]`; any further one may be a `secret` that is misspelt.
const IDENTITY_KEYS: [&str; 3] = ["application", "user", "name"];

/// The text of a file without its secrets, and the secrets, to take them out of messages.
pub(super) struct Concealed {
    pub(super) text: String,
    secrets: Vec<String>,
}

impl Concealed {
    /// Hides what stands in `text` where a secret may stand.
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader {
            text,
            at: 0,
            found: Vec::new(),
        };
        reader.document();
        let mut bytes = text.as_bytes().to_vec();
        let mut secrets = Vec::new();
        for range in reader.found {
            secrets.push(text[range.clone()].to_owned());
            for byte in &mut bytes[range] {
                // A line stays a line, so that the numbers of the lines stay what they are.
                if !matches!(*byte, b'\n' | b'\r') {
                    *byte = b'*';
                }
            }
        }
        Self {
            // Whole values were replaced by ASCII, so this is text again.
            text: String::from_utf8(bytes).unwrap_or_default(),
            secrets,
        }
    }

    /// Takes the secrets out of what a mistake says.
    pub(super) fn hide_in(&self, mistake: &mut Mistake) {
        let texts = [&mut mistake.message, &mut mistake.expected];
        for text in texts.into_iter().chain(mistake.help.as_mut()) {
            for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
                *text = text.replace(secret.as_str(), "***");
            }
        }
    }
}

/// Reads a file from front to back and notes where values are that must not be shown.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    found: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let mut section = String::new();
        while let Some(next) = self.peek() {
            match next {
                '[' => {
                    let start = self.at;
                    self.skip_while(|c| c != '\n');
                    section = self.text[start..self.at].replace(['[', ']', ' '], "");
                }
                '#' => self.skip_while(|c| c != '\n'),
                c if c.is_whitespace() => self.step(),
                _ => self.entry(&section, false),
            }
        }
    }

    /// `key = value`, up to the end of the value.
    fn entry(&mut self, section: &str, hidden: bool) {
        let start = self.at;
        while let Some(next) = self.peek() {
            match next {
                '=' | '\n' => break,
                '"' | '\'' => drop(self.string()),
                _ => self.step(),
            }
        }
        let key = self.text[start..self.at].trim();
        let last = key.rsplit('.').next().unwrap_or(key);
        let last = last.trim_matches(['"', '\'', ' ']).to_ascii_lowercase();
        let section = format!("{section}.{key}");
        let hidden = !PLACES.contains(&last.as_str()) && (hidden || is_secret(&section, &last));
        if self.peek() == Some('=') {
            self.step();
            self.skip_while(|c| matches!(c, ' ' | '\t'));
            self.value(&section, hidden);
        }
    }

    fn value(&mut self, section: &str, hidden: bool) {
        match self.peek() {
            Some('"' | '\'') => {
                let inside = self.string();
                self.note(inside, hidden);
            }
            Some('{') => self.inside('}', |reader| reader.entry(section, hidden)),
            Some('[') => self.inside(']', |reader| reader.value(section, hidden)),
            _ => {
                let start = self.at;
                self.skip_while(|c| !matches!(c, ',' | '}' | ']' | '\n' | '#'));
                let length = self.text[start..self.at].trim_end().len();
                self.note(start..start + length, hidden);
            }
        }
    }

    /// What stands between brackets, one `item` after another.
    fn inside(&mut self, end: char, item: impl Fn(&mut Self)) {
        self.step();
        while let Some(next) = self.peek() {
            match next {
                c if c == end => return self.step(),
                '#' => self.skip_while(|c| c != '\n'),
                c if c == ',' || c.is_whitespace() => self.step(),
                _ => {
                    let before = self.at;
                    item(self);
                    // Something that is no item must not hold up the reading.
                    if self.at == before {
                        self.step();
                    }
                }
            }
        }
    }

    /// A string of any of the four kinds; returns the place of what is inside.
    fn string(&mut self) -> Range<usize> {
        let rest = &self.text[self.at..];
        let quote = ["\"\"\"", "'''", "\"", "'"];
        let quote = quote.into_iter().find(|quote| rest.starts_with(quote));
        let quote = quote.unwrap_or_default();
        let start = self.at + quote.len();
        self.at = start;
        let one_line = quote.len() == 1;
        while let Some(next) = self.peek() {
            if self.text[self.at..].starts_with(quote) {
                let inside = start..self.at;
                self.at += quote.len();
                return inside;
            }
            if one_line && next == '\n' {
                break;
            }
            if next == '\\' && quote.starts_with('"') {
                self.step();
            }
            self.step();
        }
        start..self.at
    }

    fn note(&mut self, range: Range<usize>, hidden: bool) {
        if hidden && !range.is_empty() {
            self.found.push(range);
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn step(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.step();
        }
    }
}

/// Whether the value of `key`, in lower case, may be a secret.
fn is_secret(section: &str, key: &str) -> bool {
    let named = SECRET_KEYS.iter().any(|part| key.contains(part));
    // A key directly in an identity; `[identities]` itself holds names of identities.
    let in_identity = section.starts_with("identities.") && section.matches('.').count() >= 2;
    named || (in_identity && !IDENTITY_KEYS.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand_and_everything_else_stays() {
        for (text, hidden) in [
            (
                "[identities.a]\nsecret = \"Zx9\"\n",
                "[identities.a]\nsecret = \"***\"\n",
            ),
            (
                "[identities.a]\nsecert = 'Zx9' # why",
                "[identities.a]\nsecert = '***' # why",
            ),
            (
                "[identities.a]\ntoken = Zx9\nname = \"A\"",
                "[identities.a]\ntoken = ***\nname = \"A\"",
            ),
            (
                "identities.a.secret = \"Z\\\"9\"",
                "identities.a.secret = \"****\"",
            ),
            (
                "identities.a = { user = \"u\", secret = \"Zx9\" }",
                "identities.a = { user = \"u\", secret = \"***\" }",
            ),
            (
                "[identities]\na = { secret = { value = \"Zx9\" } }",
                "[identities]\na = { secret = { value = \"***\" } }",
            ),
            ("secret = [\"Zx9\", 'y']", "secret = [\"***\", '*']"),
            (
                "password = \"\"\"Zx\n9\"\"\"",
                "password = \"\"\"**\n*\"\"\"",
            ),
            ("secret = \"Zx9\nname = 1", "secret = \"***\nname = 1"),
            ("apiKey = \"é\"", "apiKey = \"**\""),
        ] {
            assert_eq!(Concealed::of(text).text, hidden);
        }
        for text in [
            "[identities.a]\nsecret = { file = \".alm/secrets/a\" }\nuser = \"a@b\"",
            "[identities.a]\ntoken.env = \"TOKEN\"",
            "[workspace]\nname = \"x\"\nprofiles = [\"a\", \"b\"] # secret = \"no\"",
            "[[profiles.a.stages]]\nname = \"test\"",
            "= = [ } {",
        ] {
            assert_eq!(Concealed::of(text).text, text);
        }
    }

    #[test]
    fn a_message_does_not_repeat_a_secret() {
        let mut mistake = Mistake {
            code: "ALM-W006",
            message: "invalid: \"Zx9\"".into(),
            span: None,
            expected: "not Zx9".into(),
            help: Some("Zx9?".into()),
        };
        Concealed::of("secret = \"Zx9\"").hide_in(&mut mistake);
        let said = format!(
            "{} {} {:?}",
            mistake.message, mistake.expected, mistake.help
        );
        assert!(!said.contains("Zx9"), "{said}");
    }
}

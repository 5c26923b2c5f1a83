//! Taking secrets out of text before it is logged, journalled or shown.
//!
//! Two nets: the exact secrets that a run knows, and the forms that secrets take in HTTP headers,
//! connection strings, form bodies and JSON.

use super::Secret;

/// What stands in place of a secret.
const MASK: &str = "***";

/// Shorter texts are not searched for: they would blank out ordinary words.
const SHORTEST_SECRET: usize = 6;

/// Names whose value is a secret wherever they stand as `name=value`, `name: value` or
/// `"name":"value"`. Compared without regard to case.
const SECRET_NAMES: &[&str] = &[
    "authorization",
    "x-functions-key",
    "client_secret",
    "clientsecret",
    "client_assertion",
    "password",
    "pwd",
    "accountkey",
    "sharedaccesskey",
    "sharedaccesssignature",
    "access_token",
    "refresh_token",
    "id_token",
    "secureconfig",
    "sig",
];

/// Last words of names that only secrets have, beside the [`SECRET_NAMES`].
const SECRET_WORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "secret", "token"];

/// Whether what is called `name`, in `snake_case`, is a secret by its name.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('_').next().unwrap_or(&name);
    SECRET_NAMES.contains(&name.as_str()) || SECRET_WORDS.contains(&last)
}

/// Replaces secrets in text.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
}

impl Redactor {
    /// A redactor that knows only the forms of secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also replaces this exact text wherever it stands. Texts shorter than six characters are
    /// not taken, as they would blank out ordinary words.
    pub fn learn(&mut self, secret: Secret) {
        if secret.expose().len() >= SHORTEST_SECRET && !self.secrets.contains(&secret) {
            self.secrets.push(secret);
            // The longest first, so that a secret inside a longer one leaves no rest of it.
            self.secrets
                .sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        }
    }

    /// Whether one of the exact secrets that were learnt stands in `text`.
    pub fn knows_in(&self, text: &str) -> bool {
        let mut secrets = self.secrets.iter();
        secrets.any(|secret| text.contains(secret.expose()))
    }

    /// `text` with every secret replaced by `***`.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), MASK);
            }
        }
        redact_tokens(&redact_named_values(&text))
    }
}

/// Replaces the values of the [`SECRET_NAMES`].
fn redact_named_values(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let Some((start, end)) = secret_value_at(&lower, at) else {
            at += lower[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        result.push_str(&text[copied..start]);
        result.push_str(MASK);
        copied = end;
        at = end.max(at + 1);
    }
    result.push_str(&text[copied..]);
    result
}

/// The range of the value if one of the secret names begins at `at`.
fn secret_value_at(lower: &str, at: usize) -> Option<(usize, usize)> {
    let before = lower[..at].chars().next_back();
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let rest = &lower[at..];
    let name = SECRET_NAMES.iter().find(|name| rest.starts_with(**name))?;
    let after_name = &rest[name.len()..];
    let between = after_name.trim_start_matches(['"', '\\', ' ']);
    let after_mark = between.strip_prefix(['=', ':'])?;
    let value = after_mark.trim_start_matches(' ');
    let (quotes, ends): (usize, &[char]) = if value.starts_with("\\\"") {
        (2, &['\\', '"', '\n', '\r'])
    } else if value.starts_with('"') {
        (1, &['"', '\n', '\r'])
    } else if *name == "authorization" {
        (0, &['\n', '\r', '"', ','])
    } else {
        (0, &[';', '&', '"', '\'', ' ', '\n', '\r', ',', '<', '}'])
    };
    let start = lower.len() - value.len() + quotes;
    let length = lower[start..].find(ends).unwrap_or(lower.len() - start);
    (length > 0).then_some((start, start + length))
}

/// Replaces bearer and basic credentials and anything that looks like a JSON web token.
fn redact_tokens(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut hide_next = false;
    for piece in text.split_inclusive(|c: char| !is_token_character(c)) {
        let word = piece.trim_end_matches(|c: char| !is_token_character(c));
        let end = &piece[word.len()..];
        if word.is_empty() {
            result.push_str(piece);
            continue;
        }
        let is_web_token = word.starts_with("eyJ") && word.matches('.').count() >= 2;
        if is_web_token || (hide_next && word.len() >= SHORTEST_SECRET) {
            result.push_str(MASK);
        } else {
            result.push_str(word);
        }
        result.push_str(end);
        hide_next = end == " "
            && (word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic"));
    }
    result
}

/// Whether `c` can stand inside a bearer token or base64 text.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '=' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(text: &str) -> String {
        Redactor::new().redact(text)
    }

    #[test]
    fn authorization_headers_lose_their_value() {
        assert_eq!(
            redact("Authorization: Bearer abc.def\nAccept: */*"),
            "Authorization: ***\nAccept: */*"
        );
        assert_eq!(
            redact("sent Basic OnBhdDEyMw== to the host"),
            "sent Basic *** to the host"
        );
    }

    #[test]
    fn connection_strings_keep_what_is_not_secret() {
        assert_eq!(
            redact("Url=https://x.crm.dynamics.com;ClientId=1;ClientSecret=a~b.c;AuthType=Y"),
            "Url=https://x.crm.dynamics.com;ClientId=1;ClientSecret=***;AuthType=Y"
        );
        assert_eq!(
            redact("https://h/p?sv=1&sig=a%2Bb&se=2"),
            "https://h/p?sv=1&sig=***&se=2"
        );
    }

    #[test]
    fn json_and_form_bodies_lose_secret_members() {
        assert_eq!(
            redact(r#"{"access_token":"xyz","expires_in":3599}"#),
            r#"{"access_token":"***","expires_in":3599}"#
        );
        assert_eq!(
            redact("grant_type=client_credentials&client_secret=geheim&scope=s"),
            "grant_type=client_credentials&client_secret=***&scope=s"
        );
    }

    #[test]
    fn known_secrets_disappear_wherever_they_stand() {
        let mut redactor = Redactor::new();
        redactor.learn(Secret::new("Grüße-123"));
        redactor.learn(Secret::new("Grüße-123-länger"));
        redactor.learn(Secret::new("kurz"));
        assert_eq!(
            redactor.redact("a Grüße-123-länger b Grüße-123 c kurz"),
            "a *** b *** c kurz"
        );
    }

    #[test]
    fn ordinary_text_is_untouched() {
        for text in [
            "The password policy",
            "signature: none",
            "Überprüfung: läuft",
            "Bearer of news",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn a_web_token_is_hidden_anywhere() {
        assert_eq!(
            redact("got eyJhbGciOiJub25lIn0.eyJ0aWQiOiIxIn0. back"),
            "got *** back"
        );
    }
}

//! What a secret looks like, by the name of a value and by its form.

/// Names, in lower case without punctuation, whose value is a secret.
const NAMES: &[&str] = &[
    "secret",
    "token",
    "authorization",
    "pwd",
    "passwd",
    "passphrase",
    "connectionstring",
    "sharedaccesssignature",
    "privatekey",
    "functionkey",
    "xfunctionskey",
    "subscriptionkey",
    "ocpapimsubscriptionkey",
    "accountkey",
    "storagekey",
    "accesskey",
    "sharedaccesskey",
    "hostkey",
    "masterkey",
    "bearertoken",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "sastoken",
    "pfx",
];

/// Ends of longer names that are secrets too: `SalesApiKey`, `smtpPassword`.
const ENDS: &[&str] = &[
    "password",
    "clientsecret",
    "appsecret",
    "apikey",
    "secretkey",
    "secretvalue",
    "accesstoken",
    "connectionstring",
    "subscriptionkey",
];

/// Whether the value of this name is a secret.
pub(super) fn promises_secret(name: &str) -> bool {
    // `parameters/Authentication/password` and `item/api_key` are named by their last step.
    let last = name.rsplit(['/', '.']).next().unwrap_or(name);
    let plain: String = last
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    NAMES.contains(&plain.as_str()) || ENDS.iter().any(|end| plain.ends_with(end))
}

/// Whether a value stands for itself: no expression, no token to be replaced, no placeholder.
pub(super) fn is_literal(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let is_word = [
        "string",
        "object",
        "securestring",
        "password",
        "secret",
        "boolean",
        "integer",
    ]
    .contains(&lower.as_str());
    let is_placeholder = value
        .chars()
        .all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '-' | '_'))
        || value.starts_with(['<', '{', '['])
        || lower.contains("placeholder")
        || lower.starts_with("your");
    let is_reference = value.starts_with('@')
        || value.contains("@{")
        || value.contains("#{")
        || value.contains("${")
        // A secret variable names its place in a key vault.
        || lower.starts_with("/subscriptions/");
    value.len() >= 6 && !is_word && !is_placeholder && !is_reference
}

/// What a value with the form of a secret is; nothing if it has none.
pub(super) fn form_of_secret(value: &str) -> Option<&'static str> {
    if value.len() < 12 {
        return None;
    }
    if value.contains("-----BEGIN") && value.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let lower = value.to_ascii_lowercase();
    let assigned = |name: &str| {
        lower.match_indices(name).any(|(at, found)| {
            let rest = value.get(at + found.len()..).unwrap_or_default();
            let secret = rest.split([';', '&', '"', '\'']).next().unwrap_or_default();
            secret.trim().len() >= 4 && is_literal(&format!("{:_<6}", secret.trim()))
        })
    };
    if assigned("accountkey=") || assigned("sharedaccesskey=") || assigned("sharedsecret=") {
        return Some("a connection string with its key");
    }
    let is_database = lower.contains("server=") || lower.contains("data source=");
    if is_database && (assigned("password=") || assigned("pwd=")) {
        return Some("a connection string with its password");
    }
    if lower.contains("authtype=") && (assigned("clientsecret=") || assigned("password=")) {
        return Some("a connection string with its secret");
    }
    if lower.contains("http") && lower.contains("sig=") && runs(value, "sig=", is_url_byte) >= 20 {
        return Some("an address with its shared access signature");
    }
    for mark in ["Bearer ", "bearer "] {
        if runs(value, mark, is_token_byte) >= 20 {
            return Some("a bearer token");
        }
    }
    if runs(value, "Basic ", |byte| is_token_byte(byte) || byte == b'=') >= 12
        && value.trim_start().starts_with("Basic ")
    {
        return Some("a user name with its password");
    }
    if is_web_token(value) {
        return Some("a JSON web token");
    }
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let known: [(&str, usize, &str); 7] = [
        ("AKIA", 16, "an access key of AWS"),
        ("ghp_", 36, "a token of GitHub"),
        ("github_pat_", 40, "a token of GitHub"),
        ("sk_live_", 20, "a key of Stripe"),
        ("xoxb-", 20, "a token of Slack"),
        ("xoxp-", 20, "a token of Slack"),
        ("AIza", 35, "a key of Google"),
    ];
    for (mark, length, what) in known {
        let dashed = |byte: u8| word(byte) || byte == b'-';
        if runs(value, mark, dashed) >= length {
            return Some(what);
        }
    }
    if has_client_secret(value) {
        return Some("a client secret of Microsoft Entra");
    }
    has_password_in_address(value).then_some("an address with its password")
}

/// The longest run of accepted bytes behind a mark.
fn runs(value: &str, mark: &str, accepts: impl Fn(u8) -> bool) -> usize {
    value
        .match_indices(mark)
        .map(|(at, _)| {
            let rest = &value.as_bytes()[at + mark.len()..];
            rest.iter().take_while(|byte| accepts(**byte)).count()
        })
        .max()
        .unwrap_or(0)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/')
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'-' | b'_' | b'.' | b'~')
}

/// Three parts, of which the first two are JSON in base64.
fn is_web_token(value: &str) -> bool {
    value.match_indices("eyJ").any(|(at, _)| {
        let rest = &value[at..];
        let end = rest
            .bytes()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')))
            .unwrap_or(rest.len());
        let parts: Vec<&str> = rest[..end].split('.').collect();
        parts.len() >= 3
            && parts[1].starts_with("eyJ")
            && parts[1].len() >= 10
            && parts[2].len() >= 10
    })
}

/// The secrets that Entra makes have a fixed length and `Q~` at the fifth place.
fn has_client_secret(value: &str) -> bool {
    value.match_indices("Q~").any(|(at, _)| {
        let Some(start) = at.checked_sub(4) else {
            return false;
        };
        let Some(begin) = value.get(start..) else {
            return false;
        };
        let length = begin.bytes().take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
        });
        let outside = start == 0 || !value.as_bytes()[start - 1].is_ascii_alphanumeric();
        outside && (37..=41).contains(&length.count())
    })
}

/// `https://user:password@host`.
fn has_password_in_address(value: &str) -> bool {
    value.match_indices("://").any(|(at, mark)| {
        let rest = &value[at + mark.len()..];
        let authority = rest
            .split(['/', '?', '#', ' ', '"', '\''])
            .next()
            .unwrap_or_default();
        authority
            .rsplit_once('@')
            .and_then(|(user, host)| Some((user.split_once(':')?.1, host)))
            .is_some_and(|(password, host)| {
                password.len() >= 4 && host.contains('.') && is_literal(&format!("{password:_<6}"))
            })
    })
}

/// The name in a line of program text such as `const apiKey = "…"`, if it promises a secret.
pub(super) fn assigned_secret(line: &str) -> Option<&str> {
    let at = line.find(['=', ':'])?;
    let (before, after) = (&line[..at], line[at + 1..].trim_start());
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = after[1..].split(quote).next()?;
    let name = before
        .trim_end()
        .trim_end_matches(['"', '\''])
        .rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .next()?;
    let secret = promises_secret(name) && value.len() >= 8 && is_literal(value);
    (secret && !value.contains(' ')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_secrets_are_known() {
        let web_token = format!(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{}",
            "a".repeat(20)
        );
        let entra = format!("abc8Q~{}", "d".repeat(34));
        for secret in [
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=abcdefgh==;",
            "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=abcd1234",
            "Server=tcp:x;User ID=u;Password=hunter22;",
            "https://x.logic.azure.com/workflows/1?sp=x&sig=abcdefghijklmnopqrstuvwxyz",
            "Bearer abcdefghijklmnopqrstuvwxyz",
            "-----BEGIN RSA PRIVATE KEY-----",
            "https://user:hunter22@example.com/x",
            web_token.as_str(),
            entra.as_str(),
        ] {
            assert!(form_of_secret(secret).is_some(), "{secret}");
        }
    }

    #[test]
    fn expressions_and_ordinary_texts_are_no_secrets() {
        for harmless in [
            "Bearer @{body('Get_token')?['access_token']}",
            "@json(decodeBase64(triggerOutputs().headers['X-MS-APIM-Tokens']))['$ConnectionKey']",
            "https://contoso.example/a?design=1",
            "Server=@{parameters('s')};Password=@{parameters('p')}",
            "mail to me@example.com about: things",
            "/providers/Microsoft.PowerApps/apis/shared_office365",
        ] {
            assert_eq!(form_of_secret(harmless), None, "{harmless}");
        }
        for literal in [
            "@parameters('x')",
            "#{secret}#",
            "string",
            "<your key>",
            "******",
            "",
        ] {
            assert!(!is_literal(literal), "{literal}");
        }
    }

    #[test]
    fn names_promise_secrets_only_as_a_whole_or_at_their_end() {
        for name in [
            "password",
            "Client_Secret",
            "x-api-key",
            "item/smtpPassword",
            "Ocp-Apim-Subscription-Key",
        ] {
            assert!(promises_secret(name), "{name}");
        }
        for name in [
            "passwordPolicy",
            "tokenType",
            "nextToken",
            "secretary",
            "key",
            "recordId",
        ] {
            assert!(!promises_secret(name), "{name}");
        }
        assert_eq!(
            assigned_secret("  var apiKey = \"a1b2c3d4e5\";"),
            Some("apiKey")
        );
        assert_eq!(assigned_secret("  var apiKey = getKey();"), None);
        assert_eq!(assigned_secret("label: \"Password:\""), None);
    }
}

//! `alm.toml`.

use almscript::workspace::Mistakes;
use almscript::workspace::check::read;

/// Parts of the names of keys that hold secrets.
const SECRET_KEYS: [&str; 4] = ["secret", "token", "password", "passwd"];
/// Keys that say where a secret is kept.
const PLACES: [&str; 3] = ["env", "file", "keyvault"];
/// A secret where none should stand, before whatever comes after it.
const PLANTED: &str = "[identities.planted]\nsecret = \"PlantedSecret123\"\n";
/// Shorter ones are part of ordinary words.
const SHORTEST: usize = 8;

/// A file is read, or every mistake in it is shown at a place that the file has and without the
/// secrets that stand in it.
pub fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    shown(&text, &secrets(&text));
    let planted = format!("{PLANTED}{text}");
    if !text.contains("PlantedSecret123") {
        shown(&planted, &["PlantedSecret123".to_owned()]);
    }
}

fn shown(text: &str, secrets: &[String]) {
    let list = match read(text) {
        Ok((config, locator)) => {
            for name in config.environments.names() {
                let line = locator.line(&["environments", name]);
                let line = line.expect("an environment stands somewhere");
                assert!((1..=text.split('\n').count()).contains(&line));
            }
            return;
        }
        Err(list) => list,
    };
    assert!(!list.is_empty(), "refused without a reason");
    for mistake in &list {
        let span = mistake.span.clone().unwrap_or_default();
        assert!(
            text.get(span).is_some(),
            "{mistake:?} is at no place of the file"
        );
    }
    let mistakes = Mistakes::new("alm.toml", text, list);
    let shown = format!("{mistakes}{}{mistakes:?}", mistakes.render(true));
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is told:\n{mistakes}");
    }
}

/// The secrets of a file that is TOML, as far as one can look for them: the longest words of those
/// values that stand there once.
fn secrets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(file) = text.parse::<toml::Table>() {
        for (key, value) in &file {
            collect(key, value, &mut found);
        }
    }
    found.retain(|word| word.len() >= SHORTEST && text.matches(word.as_str()).count() == 1);
    found
}

fn collect(key: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                collect(key, value, found);
            }
        }
        toml::Value::String(secret) => {
            let key = key.to_lowercase();
            if SECRET_KEYS.iter().any(|part| key.contains(part)) && !PLACES.contains(&&*key) {
                let words = secret.split(|c: char| !c.is_ascii_alphanumeric());
                let longest = words.max_by_key(|word| word.len());
                found.extend(longest.map(str::to_owned));
            }
        }
        _ => {}
    }
}

//! Walks a file along the JSON Schema of its types and collects everything whose form is wrong.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;
use uuid::Uuid;

use super::mistake::Mistake;
use crate::nearest::nearest;
use crate::workspace::config::TimeSpan;
use crate::workspace::locate::KeyPath;
use crate::workspace::schema;

/// A mistake and the path of the value that it is in.
pub(super) struct Wrong {
    pub(super) path: KeyPath,
    pub(super) mistake: Mistake,
}

/// All mistakes of form in `tree`.
pub(super) fn check(tree: &Spanned<DeTable<'_>>) -> Vec<Wrong> {
    let schema = schema::json_schema();
    let mut walk = Walk {
        schema: &schema,
        found: Vec::new(),
    };
    walk.table(tree.get_ref(), tree.span(), &schema, &mut Vec::new());
    walk.found
}

struct Walk<'s> {
    schema: &'s Value,
    found: Vec<Wrong>,
}

impl<'s> Walk<'s> {
    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &'s Value, path: &mut KeyPath) {
        let schema = self.resolved(schema);
        if let Some(alternatives) = alternatives(schema) {
            return self.one_of(value, alternatives, schema, path);
        }
        if !accepts(schema, value.get_ref()) {
            let wanted = kinds(schema)
                .into_iter()
                .map(noun)
                .collect::<Vec<_>>()
                .join(" or ");
            return self.report(
                path,
                Mistake {
                    code: "ALM-W006",
                    message: format!("`{}` is {}", dotted(path), noun(kind(value.get_ref()))),
                    span: Some(value.span()),
                    expected: format!("expected {wanted}"),
                    help: None,
                },
            );
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, value.span(), schema, path),
            DeValue::Array(items) => {
                if let Some(item_schema) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        path.push(index.to_string());
                        self.value(item, item_schema, path);
                        path.pop();
                    }
                }
            }
            DeValue::String(text) => self.text(text, value, schema, path),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                let least = schema.get("minimum").and_then(Value::as_i64);
                if let (Ok(number), Some(least)) = (number, least)
                    && number < least
                {
                    self.report(
                        path,
                        Mistake {
                            code: "ALM-W008",
                            message: format!("`{}` is too small", dotted(path)),
                            span: Some(value.span()),
                            expected: format!("expected {least} or more"),
                            help: None,
                        },
                    );
                }
            }
            _ => {}
        }
    }

    fn table(
        &mut self,
        table: &DeTable<'_>,
        span: std::ops::Range<usize>,
        schema: &'s Value,
        path: &mut KeyPath,
    ) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        for (key, value) in table.iter() {
            let name = key.get_ref().to_string();
            path.push(name.clone());
            if let Some(known) = properties.and_then(|properties| properties.get(&name)) {
                self.value(value, known, path);
            } else if let Some(other) = others.filter(|other| other.is_object()) {
                if !is_name(&name) && path.len() <= 2 {
                    self.report(
                        path,
                        Mistake {
                            code: "ALM-W008",
                            message: format!("`{name}` cannot be a name"),
                            span: Some(key.span()),
                            expected: "expected letters, digits, `-`, `_` and `.`".into(),
                            help: None,
                        },
                    );
                }
                self.value(value, other, path);
            } else if others == Some(&Value::Bool(false)) {
                let known: Vec<&str> = properties
                    .into_iter()
                    .flat_map(|all| all.keys())
                    .map(String::as_str)
                    .collect();
                self.unknown_key(&name, key.span(), &known, path);
            }
            path.pop();
        }
        for required in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(required) = required.as_str() else {
                continue;
            };
            if !table.contains_key(required) {
                self.report(
                    path,
                    Mistake {
                        code: "ALM-W005",
                        message: format!("`{}` has no `{required}`", dotted(path)),
                        span: Some(span.clone()),
                        expected: format!("expected the key `{required}` here"),
                        help: describe(schema, required),
                    },
                );
            }
        }
    }

    fn unknown_key(
        &mut self,
        name: &str,
        span: std::ops::Range<usize>,
        known: &[&str],
        path: &KeyPath,
    ) {
        let place = match path.split_last() {
            Some((_, [])) | None => "`alm.toml`".to_owned(),
            Some((_, parent)) => format!("`{}`", dotted(parent)),
        };
        let list = known
            .iter()
            .map(|key| format!("`{key}`"))
            .collect::<Vec<_>>()
            .join(", ");
        self.report(
            path,
            Mistake {
                code: "ALM-W004",
                message: format!("{place} has no key `{name}`"),
                span: Some(span),
                expected: match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "unknown key".into(),
                },
                help: Some(format!("known keys: {list}")),
            },
        );
    }

    fn text(
        &mut self,
        text: &str,
        value: &Spanned<DeValue<'_>>,
        schema: &'s Value,
        path: &KeyPath,
    ) {
        if let Some(words) = words(schema) {
            if !words.contains(&text) {
                self.not_a_choice(text, value.span(), &words, path);
            }
            return;
        }
        let expected = match schema.get("format").and_then(Value::as_str) {
            Some("uri") => address_mistake(text),
            Some("uuid") => Uuid::parse_str(text)
                .is_err()
                .then(|| "expected an id like `6a0c6f9e-1f5c-4c6e-9d1c-0d9d8b6f2a11`".to_owned()),
            Some("time-span") => text
                .parse::<TimeSpan>()
                .is_err()
                .then(|| "expected a length of time like `250ms`, `30s` or `1h 30m`".to_owned()),
            Some("branch") => branch_mistake(text),
            Some("key-vault-secret") => key_vault_mistake(text),
            _ => None,
        };
        if let Some(expected) = expected {
            self.report(
                path,
                Mistake {
                    code: "ALM-W008",
                    message: format!("`{}` cannot be `{text}`", dotted(path)),
                    span: Some(value.span()),
                    expected,
                    help: None,
                },
            );
        }
    }

    fn not_a_choice(
        &mut self,
        text: &str,
        span: std::ops::Range<usize>,
        words: &[&str],
        path: &KeyPath,
    ) {
        let list = words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let near = nearest(text, words.iter().copied());
        let near = near.map(|near| format!("did you mean `{near}`?"));
        // A long list beside the place would push it off the screen.
        let (expected, help) = if words.len() <= 6 {
            (format!("expected one of {list}"), near)
        } else {
            (
                near.unwrap_or_else(|| "unknown word".into()),
                Some(format!("known: {list}")),
            )
        };
        let message = format!("`{}` cannot be `{text}`", dotted(path));
        let span = Some(span);
        self.report(
            path,
            Mistake {
                code: "ALM-W007",
                message,
                span,
                expected,
                help,
            },
        );
    }

    /// Chooses the alternative that fits the value's kind; when several do, the one with the
    /// fewest mistakes, since that is what was most likely meant.
    fn one_of(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        alternatives: &'s [Value],
        schema: &'s Value,
        path: &mut KeyPath,
    ) {
        if let (DeValue::String(text), Some(words)) = (value.get_ref(), words(schema)) {
            if !words.contains(&text.as_ref()) {
                self.not_a_choice(text, value.span(), &words, path);
            }
            return;
        }
        let resolved: Vec<&'s Value> = alternatives
            .iter()
            .map(|alternative| self.resolved(alternative))
            .collect();
        let fitting = resolved
            .iter()
            .filter(|schema| accepts(schema, value.get_ref()));
        let mut best: Option<Vec<Wrong>> = None;
        for alternative in fitting {
            let mut trial = Walk {
                schema: self.schema,
                found: Vec::new(),
            };
            trial.value(value, alternative, path);
            if best
                .as_ref()
                .is_none_or(|best| trial.found.len() < best.len())
            {
                best = Some(trial.found);
            }
        }
        match best {
            Some(found) => self.found.extend(found),
            None => {
                let mut wanted: Vec<&str> = resolved
                    .iter()
                    .flat_map(|schema| kinds(schema))
                    .filter(|kind| *kind != "null")
                    .map(noun)
                    .collect();
                wanted.dedup();
                self.report(
                    path,
                    Mistake {
                        code: "ALM-W006",
                        message: format!("`{}` is {}", dotted(path), noun(kind(value.get_ref()))),
                        span: Some(value.span()),
                        expected: format!("expected {}", wanted.join(" or ")),
                        help: None,
                    },
                );
            }
        }
    }

    fn resolved(&self, schema: &'s Value) -> &'s Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return schema;
        };
        // schemars writes only references into `$defs` of the same document.
        reference
            .strip_prefix('#')
            .and_then(|at| self.schema.pointer(at))
            .unwrap_or(schema)
    }

    fn report(&mut self, path: &KeyPath, mistake: Mistake) {
        self.found.push(Wrong {
            path: path.clone(),
            mistake,
        });
    }
}

fn alternatives(schema: &Value) -> Option<&[Value]> {
    ["anyOf", "oneOf"]
        .iter()
        .find_map(|key| schema.get(key).and_then(Value::as_array))
        .map(Vec::as_slice)
}

/// The words of a choice, whichever way schemars writes it: `enum`, or `oneOf` with a `const` each.
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(Value::as_str).collect();
    }
    let alternatives = schema.get("oneOf").and_then(Value::as_array)?;
    let lists: Option<Vec<Vec<&str>>> = alternatives
        .iter()
        .map(|one| match one.get("const").and_then(Value::as_str) {
            Some(word) => Some(vec![word]),
            None => one.get("enum").and_then(Value::as_array).and_then(|words| {
                words
                    .iter()
                    .map(Value::as_str)
                    .collect::<Option<Vec<&str>>>()
            }),
        })
        .collect();
    lists.map(|lists| lists.concat())
}

fn kinds(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect(),
        _ => Vec::new(),
    }
}

fn accepts(schema: &Value, value: &DeValue<'_>) -> bool {
    if alternatives(schema).is_some() || schema.get("$ref").is_some() {
        return true;
    }
    let kinds = kinds(schema);
    let kind = kind(value);
    kinds.is_empty() && schema.get("type").is_none()
        || kinds.contains(&kind)
        || kind == "integer" && kinds.contains(&"number")
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn noun(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "date" => "a date",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

/// A path as TOML shows it: `profiles.standard.stages[2].name`, lists counted from 1.
fn dotted(path: &[String]) -> String {
    let mut shown = String::new();
    for key in path {
        match key.parse::<usize>() {
            Ok(index) if !shown.is_empty() => shown.push_str(&format!("[{}]", index + 1)),
            _ => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(key);
            }
        }
    }
    if shown.is_empty() {
        "alm.toml".into()
    } else {
        shown
    }
}

fn describe(schema: &Value, key: &str) -> Option<String> {
    let text = schema
        .get("properties")?
        .get(key)?
        .get("description")?
        .as_str()?;
    Some(format!("`{key}`: {}", text.replace('\n', " ")))
}

/// Names are also folder names and words on the command line.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && (name == "*"
            || name
                .chars()
                .all(|c| c.is_alphanumeric() || "-_.".contains(c)))
}

fn address_mistake(text: &str) -> Option<String> {
    match Url::parse(text) {
        Err(_) => Some("expected an address like `https://contoso.crm4.dynamics.com`".into()),
        Ok(url) if !matches!(url.scheme(), "https" | "http") || url.host().is_none() => {
            Some("expected an address that starts with `https://`".into())
        }
        Ok(_) => None,
    }
}

/// Git's own rules for branch names, as far as they catch slips (`git check-ref-format`).
/// A reference to a secret in Azure Key Vault, as environment variables of Dataverse hold it.
fn key_vault_mistake(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let resource = lower.starts_with("/subscriptions/")
        && lower.contains("/providers/microsoft.keyvault/vaults/")
        && lower.contains("/secrets/");
    let address = lower.starts_with("https://") && lower.contains("/secrets/");
    (!resource && !address).then(|| {
        "expected `/subscriptions/…/providers/Microsoft.KeyVault/vaults/…/secrets/…` or the secret's address"
            .to_owned()
    })
}

fn branch_mistake(text: &str) -> Option<String> {
    if text == "[Use Solution Branches]" {
        return None;
    }
    let bad = text.is_empty()
        || text.starts_with(['/', '-'])
        || text.ends_with(['/', '.'])
        || text.ends_with(".lock")
        || text.contains("..")
        || text.contains("//")
        || text.contains("@{")
        || text
            .chars()
            .any(|c| c.is_control() || " ~^:?*[\\".contains(c));
    bad.then(|| "expected `solution` or a branch's name, without spaces".to_owned())
}

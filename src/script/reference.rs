//! The reference of everything that scripts can call, made from the registered functions.
//!
//! The same doc comments that a Rust reader sees become the pages that `alm reference` prints; no
//! text is written twice. Signatures are in the words of scripts, not of Rust.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rhai::{Engine, FnNamespace};
use rhai::{FuncInfo, FuncMetadata};
use serde::Serialize;

use super::api::groups;
use super::api::language::is_of_language;

/// One function, method or property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The group, for example `environment`.
    pub group: String,
    /// The type it belongs to, for a method or property.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_type: Option<String>,
    /// The name in scripts.
    pub name: String,
    /// How it is written: `env.install(package: Package, options: map) -> map`.
    pub signature: String,
    /// The text of its doc comment, Markdown, without the examples.
    pub text: String,
    /// Its examples.
    pub examples: Vec<Example>,
}

/// One example of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The script.
    pub script: String,
    /// Whether the tests run it: `no_run` and `tenant` examples need more than an empty host.
    pub needs: Needs,
}

/// What an example needs to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// Nothing but a run.
    Nothing,
    /// An emulated tenant with the example workspace (written ```` ```rhai,tenant ````).
    Tenant,
    /// A person or another run (written ```` ```rhai,no_run ````).
    Somebody,
}

/// All that `engine` offers beyond the language itself, by group, type and name.
pub fn entries(engine: &Engine) -> Vec<Entry> {
    let mut entries: Vec<Entry> = engine
        .collect_fn_metadata(
            None,
            |function| {
                let own = !is_of_language(function.metadata);
                own.then(|| entry(engine, &function))
            },
            false,
        )
        .into_iter()
        .collect();
    // A global function is reported once for its namespace and once for the global one.
    entries.sort_by(|a, b| {
        let key = |e: &Entry| {
            (
                rank(&e.group),
                e.of_type.clone(),
                e.name.clone(),
                e.signature.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    entries.dedup();
    entries
}

fn rank(group: &str) -> usize {
    groups()
        .iter()
        .position(|known| known.name == group)
        .unwrap_or(usize::MAX)
}

/// The reference as Markdown.
pub fn markdown(engine: &Engine) -> String {
    let mut page = String::from("# Script reference\n");
    let mut by_group: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    for entry in entries(engine) {
        by_group.entry(rank(&entry.group)).or_default().push(entry);
    }
    for (rank, entries) in by_group {
        let group = groups().get(rank);
        let title = group.map_or("Other functions", |group| group.name);
        let _ = write!(page, "\n## {title}\n");
        if let Some(doc) = group
            .map(|group| group.module.doc())
            .filter(|doc| !doc.is_empty())
        {
            let _ = write!(page, "\n{}\n", comment_text(doc.lines()).0);
        }
        let mut of_type: Option<&str> = None;
        for entry in &entries {
            if entry.of_type.as_deref() != of_type {
                of_type = entry.of_type.as_deref();
                let _ = write!(page, "\n### {}\n", of_type.unwrap_or_default());
            }
            let _ = write!(page, "\n#### `{}`\n\n{}\n", entry.signature, entry.text);
            for example in &entry.examples {
                let _ = write!(page, "\n```rhai\n{}\n```\n", example.script);
            }
        }
    }
    page
}

fn entry(engine: &Engine, function: &FuncInfo<'_>) -> Entry {
    let metadata = function.metadata;
    let (text, examples) = comment_text(metadata.comments.iter().flat_map(|c| c.lines()));
    let group = function.namespace.to_string();
    let of_type = owner(engine, metadata);
    let plain = metadata
        .name
        .trim_start_matches("get$")
        .trim_start_matches("set$")
        .to_owned();
    let mut signature = signature(engine, metadata);
    if metadata.namespace != FnNamespace::Global && !group.is_empty() {
        signature = format!("{group}::{signature}");
    }
    Entry {
        group,
        of_type,
        name: plain,
        signature,
        text,
        examples,
    }
}

/// How scripts write `function`: a property, a method or a function.
pub(super) fn signature(engine: &Engine, function: &FuncMetadata) -> String {
    let parameter = |info: &str| {
        let (name, kind) = info.split_once(':').unwrap_or((info, ""));
        let kind = shown_type(engine, kind);
        match (name.trim(), kind.as_str()) {
            ("_" | "", kind) => kind.to_owned(),
            (name, "") => name.to_owned(),
            (name, kind) => format!("{name}: {kind}"),
        }
    };
    let result = shown_type(engine, &function.return_type);
    let arrow = if result.is_empty() {
        String::new()
    } else {
        format!(" -> {result}")
    };
    let on_type = owner(engine, function);
    let skip = usize::from(on_type.is_some());
    let mut parameters: Vec<String> = function
        .params_info
        .iter()
        .skip(skip)
        .map(|info| parameter(info))
        .collect();
    if function.params_info.is_empty() {
        parameters = vec!["_".to_owned(); function.num_params];
    }
    let receiver = on_type.as_deref().map(variable).unwrap_or_default();
    if let Some(property) = function.name.strip_prefix("get$") {
        return format!("{receiver}.{property}{arrow}");
    }
    if let Some(property) = function.name.strip_prefix("set$") {
        return format!("{receiver}.{property} = …");
    }
    let dot = if on_type.is_some() { "." } else { "" };
    format!(
        "{receiver}{dot}{}({}){arrow}",
        function.name,
        parameters.join(", ")
    )
}

/// The type that a function is a method of: that of a first parameter taken by `&mut`.
fn owner(engine: &Engine, function: &FuncMetadata) -> Option<String> {
    let (_, kind) = function.params_info.first()?.split_once(':')?;
    let kind = kind.trim().strip_prefix("&mut ")?;
    Some(shown_type(engine, kind))
}

/// `PullRequest` as a variable in a signature: `pull_request`.
fn variable(kind: &str) -> String {
    let mut name = String::new();
    for (at, character) in kind.chars().enumerate() {
        if character.is_uppercase() && at > 0 {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    name
}

/// A Rust type as scripts know it.
fn shown_type(engine: &Engine, rust: &str) -> String {
    let mut kind: String = rust.chars().filter(|c| !c.is_whitespace()).collect();
    for wrapper in ["Scripted<", "RhaiResultOf<", "Result<"] {
        if let Some(inner) = kind.strip_prefix(wrapper) {
            let inner = inner.strip_suffix('>').unwrap_or(inner);
            kind = inner.split(",Box<").next().unwrap_or(inner).to_owned();
        }
    }
    let kind = kind.trim_start_matches("&mut").trim_start_matches('&');
    type_word(engine.map_type_name(kind))
}

/// One word for each type, the same in signatures and in messages.
pub(super) fn type_word(name: &str) -> String {
    // Rhai names a text by all the types that it may have: `&str | ImmutableString | String`.
    let name = name.split('|').next().unwrap_or(name).trim();
    match super::values::short_name(name.split('<').next().unwrap_or(name)).as_str() {
        "str" | "&str" | "string" | "String" | "ImmutableString" => "text".into(),
        "i64" | "INT" => "integer".into(),
        "f64" | "FLOAT" => "float".into(),
        "bool" => "flag".into(),
        "Map" | "map" => "map".into(),
        "Array" | "array" => "array".into(),
        "Dynamic" => "any".into(),
        "FnPtr" | "Fn" => "closure".into(),
        "()" | "" => String::new(),
        other => other.to_owned(),
    }
}

/// The prose and the examples of a doc comment.
fn comment_text<'a>(lines: impl Iterator<Item = &'a str>) -> (String, Vec<Example>) {
    let mut prose = Vec::new();
    let mut examples = Vec::new();
    let mut open: Option<(Needs, Vec<&str>)> = None;
    for line in lines {
        let line = line.trim_start();
        let line = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
            .unwrap_or(line);
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        open = match (open.take(), line.strip_prefix("```")) {
            (None, Some(info)) if info.starts_with("rhai") => Some((
                match info {
                    info if info.contains("no_run") => Needs::Somebody,
                    info if info.contains("tenant") => Needs::Tenant,
                    _ => Needs::Nothing,
                },
                Vec::new(),
            )),
            (Some((needs, body)), Some(_)) => {
                examples.push(Example {
                    script: body.join("\n"),
                    needs,
                });
                None
            }
            (Some((needs, mut body)), None) => {
                body.push(line);
                Some((needs, body))
            }
            (None, _) => {
                prose.push(line);
                None
            }
        };
    }
    (prose.join("\n").trim().to_owned(), examples)
}

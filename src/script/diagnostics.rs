//! Explains an error with the script's own lines around it.
//!
//! Rhai nests errors: the outermost position belongs to the script that was started, each inner
//! one to the text named by the frame around it (rhai-host §4.6). This file unwinds that into the
//! place of the error and the calls that led there, words the error, and draws it.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use rhai::{Dynamic, Engine, EvalAltResult, Map, ParseErrorType, Position};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::HostError;
use super::guard::{Stopped, check_depth};
use super::modules::Sources;
use super::sink::Wait;
use super::values::short_name;
use crate::nearest::nearest;
use crate::problem::FailedRequest;

/// Everything that is known about why a script failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The innermost step that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The request that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<FailedRequest>,
    /// Facts for programs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// Where it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The calls that led there, the innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The script: a path in the workspace, `bundled/commit`, `std/source`.
    pub script: String,
    /// The line, from one.
    pub line: usize,
    /// The column in characters, from one.
    pub column: usize,
    /// The line before, the line itself and the line after, as far as they exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The number of the first of `lines`.
    #[serde(default)]
    pub first_line: usize,
}

/// One call on the way to an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What was called: a function, `closure`, or the import of a module.
    pub name: String,
    /// Where it was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// How an evaluation ended without a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// The script or a primitive failed.
    Failed(Box<Failure>),
    /// The run waits for somebody.
    Waiting(Wait),
    /// The run was cancelled or its time is over; the failure says where the script was.
    Stopped(Box<Failure>),
}

impl Failure {
    /// A failure outside every script, such as a missing parameter.
    pub fn plain(error: HostError) -> Self {
        Self {
            code: error.code,
            message: error.message,
            hint: error.hint,
            step: None,
            request: error.request.map(|request| *request),
            details: *error.details,
            place: None,
            calls: Vec::new(),
        }
    }

    /// Draws the failure for a person: message, the script's lines with a caret, the calls, the
    /// step, the request, the next thing to do. `styled` adds colours.
    pub fn render(&self, styled: bool) -> String {
        let mut report = Vec::new();
        let title = Level::ERROR.primary_title(&self.message).id(&self.code);
        let excerpt = self.place.as_ref().map(Excerpt::of);
        // What calls itself is said once, with how often.
        let calls: Vec<(String, Excerpt)> = self
            .calls
            .chunk_by(|call, next| call == next)
            .filter_map(|same| {
                let words = match same.len() {
                    1 => same[0].words(),
                    times => format!("{}, {times} times", same[0].words()),
                };
                Some((words, Excerpt::of(same[0].place.as_ref()?)))
            })
            .collect();
        let mut main = match &excerpt {
            Some(excerpt) => title.element(excerpt.snippet(AnnotationKind::Primary)),
            None => Group::with_title(title),
        };
        if let Some(step) = &self.step {
            main = main.element(Level::NOTE.message(format!("in the step `{step}`")));
        }
        if let Some(request) = &self.request {
            main = main.element(Level::NOTE.message(format!("the request was {request}")));
        }
        if let Some(hint) = &self.hint {
            main = main.element(Level::HELP.message(hint));
        }
        report.push(main);
        for (words, excerpt) in &calls {
            let title = Level::NOTE.secondary_title(words);
            report.push(title.element(excerpt.snippet(AnnotationKind::Context)));
        }
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer
            .decor_style(DecorStyle::Ascii)
            .render(&report)
            .to_string()
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

impl std::error::Error for Failure {}

impl Call {
    fn words(&self) -> String {
        match self.name.as_str() {
            "closure" => "in a closure, called here".into(),
            name if name.starts_with("import ") => format!("in a module, from {name} here"),
            name => format!("in `{name}`, called here"),
        }
    }
}

/// Explains `error`, which ended the script labelled `root`. `last_call` is where a primitive was
/// called last, for errors that carry no position.
pub fn explain(
    mut error: EvalAltResult,
    root: &str,
    sources: &Sources,
    engine: Option<&Engine>,
    last_call: Option<(String, Position)>,
) -> Ended {
    let mut calls = Vec::new();
    let mut script = root.to_owned();
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(name, source, inner, position) => {
                let place = Place::find(&script, position, sources);
                calls.push(Call {
                    name: called(&name),
                    place,
                });
                if !source.is_empty() {
                    script = source;
                }
                error = *inner;
            }
            EvalAltResult::ErrorInModule(name, inner, position) => {
                let place = Place::find(&script, position, sources);
                calls.push(Call {
                    name: format!("import of {name}"),
                    place,
                });
                script = name;
                error = *inner;
            }
            other => {
                error = other;
                break;
            }
        }
    }
    calls.reverse();
    let mut position = error.take_position();
    if let (true, Some((source, at))) = (position.is_none(), last_call) {
        (script, position) = (source, at);
    }
    let place = Place::find(&script, position, sources);
    if let EvalAltResult::ErrorTerminated(reason, _) = error {
        if let Some(wait) = reason.clone().try_cast::<Wait>() {
            return Ended::Waiting(wait);
        }
        let stopped = reason.try_cast::<Stopped>();
        let failure = Failure {
            place,
            calls,
            ..Failure::plain(match stopped {
                Some(stopped) => HostError::of(&stopped),
                None => HostError::new("ALM-R012", "the script was ended"),
            })
        };
        return match stopped {
            Some(stopped) if stopped.is_limit() => Ended::Failed(Box::new(failure)),
            _ => Ended::Stopped(Box::new(failure)),
        };
    }
    Ended::Failed(Box::new(Failure {
        place,
        calls,
        ..word(error, engine)
    }))
}

/// The host error behind `error`, or the words for what else went wrong: what a step records.
pub(super) fn brief(error: &EvalAltResult, engine: &Engine) -> HostError {
    if let Some(error) = HostError::within(error) {
        return error;
    }
    let failure = match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => thrown(value.clone()),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            missing_function(signature, Some(engine))
        }
        other => Failure::plain(HostError::new("ALM-S011", without_position(other))),
    };
    HostError {
        hint: failure.hint,
        ..HostError::new(failure.code, failure.message)
    }
}

/// Rhai appends the position to the text of an error.
fn without_position(error: &EvalAltResult) -> String {
    let text = error.to_string();
    let text = match text.rfind(" (line ") {
        Some(at) if !error.position().is_none() => &text[..at],
        _ => &text,
    };
    uncapitalised(text)
}

/// Rhai names closures by a hash.
fn called(name: &str) -> String {
    if name.starts_with("anon$") {
        "closure".into()
    } else {
        name.to_owned()
    }
}

/// The words for one kind of error, without its place.
fn word(error: EvalAltResult, engine: Option<&Engine>) -> Failure {
    let plain = |code: &str, message: String| Failure::plain(HostError::new(code, message));
    let hinted = |code: &str, message: String, hint: &str| {
        Failure::plain(HostError::new(code, message).with_hint(hint))
    };
    match error {
        EvalAltResult::ErrorRuntime(value, _) => thrown(value),
        EvalAltResult::ErrorParsing(kind, _) => parsing(&kind),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => missing_function(&signature, engine),
        EvalAltResult::ErrorVariableNotFound(name, _) => hinted(
            "ALM-S017",
            format!("there is no variable `{name}`"),
            "a function sees only its own parameters; hand over what it needs",
        ),
        EvalAltResult::ErrorPropertyNotFound(name, _) => hinted(
            "ALM-S019",
            format!("there is no property `{name}`"),
            "write `?.` if it may be missing",
        ),
        EvalAltResult::ErrorTooManyOperations(_) => {
            Failure::plain(HostError::of(&Stopped::Operations))
        }
        EvalAltResult::ErrorStackOverflow(_) => Failure::plain(HostError::of(&Stopped::Calls)),
        EvalAltResult::ErrorDataTooLarge(what, _) => plain(
            "ALM-S012",
            format!("{} larger than this run allows", what.to_lowercase()),
        ),
        EvalAltResult::ErrorTooManyModules(_) => {
            plain("ALM-S012", "more modules than this run allows".into())
        }
        EvalAltResult::ErrorTooManyVariables(_) => {
            plain("ALM-S012", "more variables than this run allows".into())
        }
        other => plain("ALM-S011", uncapitalised(&other.to_string())),
    }
}

/// What a `throw` threw: a host error, a map with the same keys, or any other value.
fn thrown(value: Dynamic) -> Failure {
    let value = value.flatten();
    if let Some(error) = value.read_lock::<HostError>() {
        return Failure::plain(error.clone());
    }
    if let Some(map) = value.read_lock::<Map>() {
        let text = |key: &str| map.get(key).map(told).filter(|text| !text.is_empty());
        if let Some(message) = text("message") {
            let code = text("code").unwrap_or_else(|| "ALM-S013".into());
            let mut error = HostError::new(code, message);
            error.hint = text("hint");
            return Failure::plain(error);
        }
    }
    Failure::plain(HostError::new("ALM-S013", told(&value)))
}

/// The most characters of a thrown value that become a message.
const MESSAGE: usize = 10_000;

/// A thrown value as a message. Printing goes as deep as the value does.
fn told(value: &Dynamic) -> String {
    if let Err(deep) = check_depth(value) {
        return deep.to_string();
    }
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(MESSAGE) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn parsing(kind: &ParseErrorType) -> Failure {
    let error = HostError::new("ALM-S010", uncapitalised(&kind.to_string()));
    Failure::plain(match kind {
        ParseErrorType::Reserved(word) => HostError::new(
            "ALM-S010",
            format!("`{word}` is a word of the language and cannot be a name"),
        )
        .with_hint("as a key of a map write it in quotes and read it with `map[\"…\"]`"),
        ParseErrorType::VariableUndefined(name) if name == "params" => {
            error.with_hint("a function does not see `params`; hand over what it needs")
        }
        ParseErrorType::VariableUndefined(_) => {
            error.with_hint("a function sees only its own parameters; hand over what it needs")
        }
        ParseErrorType::MissingToken(..) => {
            error.with_hint("the mistake may be further up: a bracket that is never closed")
        }
        _ => error,
    })
}

/// Words a call that no function answers: what there is under that name, or the nearest name.
fn missing_function(signature: &str, engine: Option<&Engine>) -> Failure {
    let (path, arguments) = match signature.split_once('(') {
        Some((name, rest)) => (name.trim(), Some(rest.trim_end_matches(')'))),
        None => (signature.trim(), None),
    };
    if let Some(property) = path
        .strip_prefix("get$")
        .or_else(|| path.strip_prefix("set$"))
    {
        let owner = arguments
            .and_then(|types| types.split(',').next())
            .map(|t| short_name(t.trim()));
        let owner = owner.unwrap_or_else(|| "this value".into());
        return Failure::plain(HostError::new(
            "ALM-S019",
            format!("`{owner}` has no property `{property}`"),
        ));
    }
    let types = arguments.map_or_else(String::new, |types| {
        let types = types.split(',').map(|t| t.trim()).filter(|t| !t.is_empty());
        types.map(type_word).collect::<Vec<_>>().join(", ")
    });
    let message = format!("there is no function `{path}({types})`");
    let mut error = HostError::new("ALM-S016", message);
    let Some(engine) = engine else {
        return Failure::plain(error);
    };
    let known = engine.collect_fn_metadata(
        None,
        |function| {
            let name = function.metadata.name.as_str();
            let hidden = name.contains('$') || !name.starts_with(|c: char| c.is_alphabetic());
            let global = function.namespace.is_empty()
                || function.metadata.namespace == rhai::FnNamespace::Global;
            let full = if global {
                name.to_owned()
            } else {
                format!("{}::{name}", function.namespace)
            };
            (!hidden).then(|| (full, super::reference::signature(engine, function.metadata)))
        },
        true,
    );
    let mut same: Vec<&str> = known
        .iter()
        .filter(|(name, _)| name == path)
        .map(|(_, s)| s.as_str())
        .collect();
    same.sort_unstable();
    same.dedup();
    error.hint = if same.is_empty() {
        nearest(path, known.iter().map(|(name, _)| name.as_str()))
            .map(|near| format!("did you mean `{near}`?"))
    } else {
        Some(format!(
            "there is {}",
            same.iter()
                .take(6)
                .map(|s| format!("`{s}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ))
    };
    Failure::plain(error)
}

/// Rhai's name of a type in the words of this program's documents.
fn type_word(name: &str) -> String {
    super::reference::type_word(name)
}

fn uncapitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

impl Place {
    fn find(script: &str, position: Position, sources: &Sources) -> Option<Self> {
        let line = position.line()?;
        let mut place = Self {
            script: script.to_owned(),
            line,
            column: position.position().unwrap_or(1),
            lines: Vec::new(),
            first_line: 0,
        };
        if let Some(source) = sources.get(script) {
            let first = line.saturating_sub(1).max(1);
            place.first_line = first;
            let around = source.text.lines().skip(first - 1).take(line + 2 - first);
            place.lines = around.map(str::to_owned).collect();
        }
        Some(place)
    }
}

/// A place as text with a byte range, which is what the renderer takes.
struct Excerpt {
    script: String,
    text: String,
    first_line: usize,
    span: std::ops::Range<usize>,
}

impl Excerpt {
    fn of(place: &Place) -> Self {
        let text = place.lines.join("\n");
        let above = place.line.saturating_sub(place.first_line.max(1));
        let start: usize = place
            .lines
            .iter()
            .take(above)
            .map(|line| line.len() + 1)
            .sum();
        let line = place.lines.get(above).map_or("", String::as_str);
        let from = line
            .char_indices()
            .nth(place.column.saturating_sub(1))
            .map_or(line.len(), |c| c.0);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = line[from..].find(|c| !word(c)).unwrap_or(line.len() - from);
        let first = line[from..].chars().next().map_or(0, char::len_utf8);
        let to = from + length.max(first);
        Self {
            script: place.script.clone(),
            text,
            first_line: place.first_line.max(1),
            span: start + from..start + to,
        }
    }

    fn snippet(&self, kind: AnnotationKind) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        Snippet::source(&self.text)
            .path(&self.script)
            .line_start(self.first_line)
            .fold(false)
            .annotation(kind.span(self.span.clone()))
    }
}

//! What reaches the screen: text for people, JSON lines for programs.
//!
//! Results go to the standard output, progress and problems to the standard error; with `--json`
//! everything is one JSON object per line on the standard output. Colours and bars vanish when the
//! stream is not a terminal.

mod run_view;
mod table;

pub use run_view::{RunView, took};
pub use table::Table;

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::failure::Failure;
use super::options::{Color, Options};

/// Where a command writes to, and how.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    colours: bool,
    terminal: bool,
}

impl Output {
    /// The output that `options` ask for.
    pub fn new(options: &Options) -> Self {
        let terminal = io::stderr().is_terminal() && io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colours = match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain && !options.json,
        };
        Self {
            json: options.json,
            colours,
            terminal: terminal && !options.json,
        }
    }

    /// Whether JSON lines are wanted.
    pub fn json(self) -> bool {
        self.json
    }

    /// Whether colours are wanted.
    pub fn colours(self) -> bool {
        self.colours
    }

    /// Whether a person looks at a terminal, so that progress may be drawn.
    pub fn terminal(self) -> bool {
        self.terminal
    }

    /// Writes one line of the result for people; nothing with `--json`.
    pub fn line(self, text: impl AsRef<str>) {
        if !self.json {
            write_line(io::stdout().lock(), text.as_ref());
        }
    }

    /// Writes one JSON object; nothing without `--json`.
    pub fn object(self, value: &Value) {
        if self.json {
            write_line(io::stdout().lock(), &value.to_string());
        }
    }

    /// Writes text exactly as it is, for commands whose result is a document.
    pub fn document(self, text: &str) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        write_line(io::stdout().lock(), text);
    }

    /// Writes one line beside the result, such as a note; nothing with `--json`.
    pub fn note(self, text: impl AsRef<str>) {
        if !self.json {
            write_line(io::stderr().lock(), text.as_ref());
        }
    }

    /// Writes why a command did not succeed.
    pub fn failure(self, failure: &Failure) {
        if failure.shown {
            return;
        }
        if self.json {
            self.object(&json!({
                "event": "error",
                "code": failure.code,
                "message": failure.message,
                "hint": failure.hint,
            }));
            return;
        }
        let mut text = failure.message.clone();
        // A message that brings its own excerpts brings its own heading too.
        if !text.starts_with("error") && !text.contains("\u{1b}[") {
            let code = failure
                .code
                .as_ref()
                .map_or(String::new(), |code| format!("[{code}]"));
            text = format!("{}: {text}", self.paint("1;31", &format!("error{code}")));
        }
        if let Some(hint) = &failure.hint {
            text.push_str(&format!("\n{}: {hint}", self.paint("1;36", "hint")));
        }
        write_line(io::stderr().lock(), &text);
    }

    /// `text` in the ANSI style `style`, if colours are wanted.
    pub fn paint(self, style: &str, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{style}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn write_line(mut stream: impl Write, text: &str) {
    written(&writeln!(stream, "{text}").and_then(|()| stream.flush()));
}

/// Why the first output was lost that could not be written.
static LOST: OnceLock<String> = OnceLock::new();

/// Looks whether output was written. A reader that has gone away (`alm history | head -1`) is no error:
/// it has what it wanted. Anything else (a full disk, a closed output) is one, at the end of the
/// command: what it was about to do is done all the same.
pub fn written(outcome: &io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.to_string());
    }
}

/// Why output of this process was lost, if any was.
pub fn lost_output() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// A moment for people: local time, to the minute.
pub fn moment(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

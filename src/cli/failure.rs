//! What a command returns when it does not succeed: a message to show and an exit code.

use std::fmt;

use crate::problem::Problem;

use super::exit::Exit;

/// Why a command did not succeed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The stable code of the problem, if it has one.
    pub code: Option<String>,
    /// What happened. It may have several lines, such as a script's own lines around an error.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether the message was shown already, as a run shows its own end.
    pub shown: bool,
}

impl Failure {
    /// A mistake on the command line.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            code: Some(code.into()),
            message: message.into(),
            hint: None,
            shown: false,
        }
    }

    /// An end that was shown already.
    pub fn already_shown(exit: Exit) -> Self {
        Self {
            exit,
            code: None,
            message: String::new(),
            hint: None,
            shown: true,
        }
    }

    /// The same failure with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl<P: Problem> From<P> for Failure {
    fn from(problem: P) -> Self {
        let mut message = problem.to_string();
        let mut source = problem.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // `#[error(transparent)]` and messages that quote their source would say it twice.
            if !message.contains(&cause_text) {
                message.push_str(": ");
                message.push_str(&cause_text);
            }
            source = cause.source();
        }
        Self {
            exit: Exit::of_code(problem.code()),
            code: Some(problem.code().to_owned()),
            message,
            hint: problem.hint(),
            shown: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

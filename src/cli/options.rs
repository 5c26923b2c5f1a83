//! Options that every command takes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::prepared::login_name;
use crate::run::AuditLog;
use crate::workspace::{Persona, Workspace, WorkspaceError};

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Options {
    /// Work in the workspace DIR instead of the one around the current folder
    #[arg(
        long,
        value_name = "DIR",
        env = "ALM_WORKSPACE",
        hide_env_values = true,
        global = true
    )]
    pub workspace: Option<PathBuf>,

    /// Act as this persona of alm.toml, one of your own
    #[arg(
        long = "as",
        value_name = "PERSONA",
        env = "ALM_PERSONA",
        hide_env_values = true,
        global = true
    )]
    pub persona: Option<String>,

    /// Act as this person: an identity of alm.toml, instead of the persona's own
    #[arg(
        long,
        value_name = "IDENTITY",
        env = "ALM_IDENTITY",
        hide_env_values = true,
        global = true
    )]
    pub identity: Option<String>,

    /// Write JSON lines for programs instead of text for people
    #[arg(long, global = true)]
    pub json: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Options {
    /// Opens the workspace that the options, or the current folder, name.
    ///
    /// # Errors
    /// When there is none, or its `alm.toml` has mistakes.
    pub fn open(&self) -> Result<Workspace, WorkspaceError> {
        let workspace = match &self.workspace {
            Some(root) => Workspace::open(root)?,
            None => {
                let here =
                    std::env::current_dir().map_err(|reason| WorkspaceError::Unreadable {
                        path: PathBuf::from("."),
                        reason,
                    })?;
                Workspace::find(&here)?
            }
        };
        workspace.audited_by(Arc::new(AuditLog::of(&workspace, login_name())));
        Ok(workspace)
    }

    /// Opens the workspace and takes the persona that the options name.
    ///
    /// # Errors
    /// As [`Options::open`], or when there is no such persona.
    pub fn open_as(&self) -> Result<(Workspace, Persona), WorkspaceError> {
        let workspace = self.open()?;
        let persona = workspace.persona(self.persona.as_deref(), self.identity.as_deref())?;
        Ok((workspace, persona))
    }
}

/// The options that decide which script is meant, wherever they stand: they are needed before the
/// script's own options are known.
pub fn early(rest: &[OsString], options: Options) -> Options {
    let value = |name: &str| {
        let with_equals = format!("{name}=");
        rest.iter().enumerate().find_map(|(at, word)| {
            let word = word.to_str()?;
            if word == name {
                return rest.get(at + 1)?.to_str().map(str::to_owned);
            }
            word.strip_prefix(&with_equals).map(str::to_owned)
        })
    };
    Options {
        workspace: value("--workspace")
            .map(PathBuf::from)
            .or(options.workspace),
        persona: value("--as").or(options.persona),
        identity: value("--identity").or(options.identity),
        json: options.json || rest.iter().any(|word| word == "--json"),
        color: value("--color")
            .and_then(|word| Color::from_str(&word, false).ok())
            .unwrap_or(options.color),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_choose_the_script_are_found_behind_its_name() {
        let rest: Vec<OsString> = ["--message", "x", "--as=maker", "--workspace", "w"]
            .map(Into::into)
            .to_vec();
        let options = early(&rest, Options::default());
        assert_eq!(options.persona.as_deref(), Some("maker"));
        assert_eq!(options.workspace, Some(PathBuf::from("w")));
    }
}

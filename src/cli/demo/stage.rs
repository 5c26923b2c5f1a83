//! What the story stands on: a workspace, the commands typed in it, and somebody who counts claims.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::render::Output;
use crate::cli::{Exit, typed};
use crate::transport::{Cancel, Transport};
use crate::workspace::{Connections, Workspace, create};

/// The workspace that the story plays in.
pub(super) struct Stage {
    pub(super) workspace: Workspace,
    pub(super) output: Output,
    connections: Connections,
    dir: PathBuf,
    options: Options,
    act: u32,
    claims: u32,
}

impl Stage {
    /// Makes the example workspace in `dir`.
    pub(super) fn set(dir: &Path, options: Options, output: Output) -> Result<Self, Failure> {
        create::example(dir)?;
        let workspace = Workspace::open(dir)?;
        let connections = Connections::of(&workspace, &Cancel::new());
        let dir = dir.to_owned();
        Ok(Self {
            workspace,
            output,
            connections,
            dir,
            options,
            act: 0,
            claims: 0,
        })
    }

    /// The folder of the workspace.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// How many claims were read back.
    pub(super) fn claims(&self) -> u32 {
        self.claims
    }

    /// Begins the next act.
    pub(super) fn act(&mut self, title: &str) {
        self.act += 1;
        self.output.line("");
        let title = format!("{}. {title}", self.act);
        self.output.line(self.output.paint("1", &title));
    }

    /// Tells what nobody types.
    pub(super) fn tell(&self, text: &str) {
        self.output.line(format!("   {text}"));
    }

    /// Shows a claim that was read back, and where it was read.
    pub(super) fn claim(&mut self, what: &str, source: &str) {
        self.claims += 1;
        let tick = self.output.paint("32", "✓");
        self.output.line(format!("   {tick} {what}"));
        self.output
            .line(self.output.paint("2", &format!("     {source}")));
    }

    /// Types a command in the workspace and shows it with its output. `words` may hold spaces.
    pub(super) fn type_in(&self, words: &[&str]) -> Result<(), Failure> {
        let shown: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let prompt = self.output.paint("1;34", "$");
        self.output
            .line(format!("   {prompt} alm {}", shown.join(" ")));
        let mut line: Vec<OsString> = vec!["alm".into()];
        line.extend(words.iter().map(Into::into));
        line.push("--workspace".into());
        line.push(self.dir.clone().into());
        match typed(line, self.options.color) {
            Exit::Success => Ok(()),
            exit => Err(Failure::already_shown(exit)),
        }
    }

    /// A transport that signs in as an identity of `alm.toml`.
    pub(super) fn signed_in(&self, identity: &str) -> Result<Arc<dyn Transport>, Failure> {
        Ok(self.connections.signed_in(identity)?)
    }
}

/// A word as a shell would want it, for showing only.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('"', "\\\""))
    }
}

//! What could stand at the end of a command line.

use clap::{Arg, Command};

use crate::cli::options::{Options, early};
use crate::cli::persona_scripts::{library, rules};
use crate::workspace::{Persona, Workspace};

/// A word that could stand at the end, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub word: String,
    pub meaning: String,
}

/// The candidates for the last of `words`, which follow the program's name.
///
/// Whatever goes wrong on the way (no workspace, a mistake in `alm.toml`) only means fewer of them.
pub fn candidates(words: &[String]) -> Vec<Candidate> {
    let (typed, before) = match words.split_last() {
        Some((typed, before)) => (typed.as_str(), before),
        None => ("", &[][..]),
    };
    let mut found = Line::read(before).candidates(typed);
    found.retain(|candidate| candidate.word.starts_with(typed));
    found
}

/// The command line before the word that is being typed.
struct Line {
    command: Command,
    /// The positional words after the last subcommand.
    positional: Vec<String>,
    /// The option whose value is being typed.
    pending: Option<Arg>,
    workspace: Option<(Workspace, Persona)>,
    /// The identity that was named, if one was.
    identity: Option<String>,
}

impl Line {
    fn read(before: &[String]) -> Self {
        let mut command = crate::cli::command();
        command.build();
        let os: Vec<_> = before.iter().map(Into::into).collect();
        let options = early(&os, Options::default());
        let workspace = options.open_as().ok();
        let mut line = Self {
            command,
            positional: Vec::new(),
            pending: None,
            workspace,
            identity: options.identity,
        };
        for word in before {
            line.take(word);
        }
        line
    }

    fn take(&mut self, word: &str) {
        if self.pending.take().is_some() {
            return;
        }
        if let Some(name) = word.strip_prefix("--") {
            let argument = self
                .command
                .get_arguments()
                .find(|one| one.get_long() == Some(name));
            self.pending = argument.filter(|one| takes_value(one)).cloned();
        } else if !word.starts_with('-') {
            match self.command.find_subcommand(word) {
                Some(inner) if self.positional.is_empty() => self.command = inner.clone(),
                _ => {
                    if self.command.get_name() == "run" && self.positional.is_empty() {
                        self.take_script(word);
                    }
                    self.positional.push(word.to_owned());
                }
            }
        }
    }

    /// Adds the script's own options to those of `run`.
    fn take_script(&mut self, name: &str) {
        let Some((workspace, persona)) = &self.workspace else {
            return;
        };
        let script = library(workspace, persona).script(name).ok();
        let Some(declaration) = script.and_then(|script| script.declaration().ok()) else {
            return;
        };
        let own = declaration.command(name, &rules(persona, name, &declaration));
        let known: Vec<String> = self
            .command
            .get_arguments()
            .map(|one| one.get_id().to_string())
            .collect();
        for argument in own.get_arguments() {
            if !known.contains(&argument.get_id().to_string()) {
                self.command = std::mem::take(&mut self.command).arg(argument.clone());
            }
        }
    }

    fn candidates(&self, typed: &str) -> Vec<Candidate> {
        if let Some(argument) = &self.pending {
            return self.values(argument);
        }
        if typed.starts_with('-') {
            return self.options();
        }
        let mut found: Vec<Candidate> = Vec::new();
        if self.positional.is_empty() {
            let visible = self
                .command
                .get_subcommands()
                .filter(|one| !one.is_hide_set());
            found.extend(visible.map(|one| candidate(one.get_name(), one.get_about())));
        }
        let at = self.positional.len();
        if let Some(argument) = self.command.get_positionals().nth(at) {
            found.extend(self.values(argument));
        }
        found
    }

    fn options(&self) -> Vec<Candidate> {
        let visible = self
            .command
            .get_arguments()
            .filter(|one| !one.is_hide_set());
        visible
            .filter_map(|one| Some(candidate(&format!("--{}", one.get_long()?), one.get_help())))
            .collect()
    }

    /// The values that an option or a positional word could have.
    fn values(&self, argument: &Arg) -> Vec<Candidate> {
        let choices = argument.get_possible_values();
        if !choices.is_empty() {
            return choices
                .iter()
                .map(|one| candidate(one.get_name(), one.get_help()))
                .collect();
        }
        let Some((workspace, persona)) = &self.workspace else {
            return Vec::new();
        };
        let config = workspace.config();
        let plain = |name: &str| candidate(name, None);
        let names = argument.get_value_names().unwrap_or_default();
        match names.first().map(|name| name.as_str()).unwrap_or_default() {
            "PERSONA" => {
                let named = self.identity.as_deref();
                let person = named.and_then(|name| workspace.person(name).ok());
                let all = || config.personas.names().map(str::to_owned).collect();
                let own = person.map_or_else(all, |it| workspace.personas_of(Some(&it)));
                own.iter().map(|name| plain(name)).collect()
            }
            "ENVIRONMENT" => config.environments.names().map(plain).collect(),
            "PROFILE" => config
                .profiles
                .names()
                .filter(|name| persona.sees_profile(name))
                .map(plain)
                .collect(),
            "STAGE" => {
                let profile = config.profile_for(None).map(|(_, profile)| profile);
                let stages = profile
                    .map(|profile| profile.stages.as_slice())
                    .unwrap_or_default();
                stages.iter().map(|stage| plain(&stage.name)).collect()
            }
            "IDENTITY" => {
                let people = config
                    .identities
                    .iter()
                    .filter(|(_, one)| one.user.is_some());
                people.map(|(name, _)| plain(name)).collect()
            }
            "SCRIPT" => scripts(workspace, persona),
            _ => Vec::new(),
        }
    }
}

fn scripts(workspace: &Workspace, persona: &Persona) -> Vec<Candidate> {
    let scripts = library(workspace, persona).list().unwrap_or_default();
    let seen = scripts
        .into_iter()
        .filter(|script| persona.sees_script(&script.name));
    seen.map(|script| {
        let title = script.declaration().map(|declaration| declaration.title);
        Candidate {
            meaning: title.unwrap_or_default(),
            word: script.name,
        }
    })
    .collect()
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_action().takes_values()
        && argument.get_num_args().is_none_or(|n| n.min_values() > 0)
}

fn candidate(word: &str, meaning: Option<&clap::builder::StyledStr>) -> Candidate {
    let meaning = meaning.map(ToString::to_string).unwrap_or_default();
    let first = meaning.lines().next().unwrap_or_default().to_owned();
    Candidate {
        word: word.to_owned(),
        meaning: first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        candidates(&words).into_iter().map(|one| one.word).collect()
    }

    #[test]
    fn commands_and_their_options_are_offered() {
        assert!(words("sch").contains(&"schema".to_owned()));
        assert!(
            !words("").contains(&"complete".to_owned()),
            "the helper is hidden"
        );
        assert_eq!(words("env li"), ["list"]);
        assert!(words("env list --wo").contains(&"--workspace".to_owned()));
        assert_eq!(words("env list --color al"), ["always"]);
    }

    #[test]
    fn names_of_alm_toml_and_parameters_of_scripts_are_offered() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        let text = "[tenant]\nemulated = true\n[identities.a]\nuser = \"a@b\"\n\
                    [environments.dev]\nurl = \"https://dev.example\"\nidentity = \"a\"\n\
                    [personas.maker]\n";
        std::fs::write(dir.path().join("alm.toml"), text).unwrap();
        std::fs::create_dir(dir.path().join("scripts")).unwrap();
        let script = "//! Greet.\n//! @param where environment  the place\n";
        std::fs::write(dir.path().join("scripts/greet.rhai"), script).unwrap();
        let words = |line: &[&str]| {
            let mut all = vec!["--workspace".to_owned(), root.to_owned()];
            all.extend(line.iter().map(|&word| word.to_owned()));
            candidates(&all)
                .into_iter()
                .map(|one| one.word)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&["env", "show", ""]), ["dev"]);
        assert_eq!(words(&["--as", "m"]), ["maker"]);
        if crate::cli::command().find_subcommand("run").is_some() {
            assert!(words(&["run", "gr"]).contains(&"greet".to_owned()));
            assert!(words(&["run", "greet", "--w"]).contains(&"--where".to_owned()));
            assert_eq!(words(&["run", "greet", "--where", ""]), ["dev"]);
        }
    }
}

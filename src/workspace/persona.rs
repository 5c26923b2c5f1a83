//! Who works in a workspace: a persona, and the person behind it.

use std::path::PathBuf;

use super::action::{Action, Actions};
use super::config::{Choice, Identity, ParameterRule, PersonaRules};
use super::functions::{Function, TABLE};
use super::{Workspace, WorkspaceError};

/// A persona of a workspace: what it sees. What it may do is decided in [`super::policy`].
#[derive(Debug, Clone)]
pub struct Persona {
    pub(super) name: Option<String>,
    pub(super) rules: PersonaRules,
    pub(super) workspace: Workspace,
    /// Whether the program made it and not `alm.toml`.
    pub(super) built_in: bool,
    person: Option<Person>,
}

/// How the names of the personas of builds begin, before the environment's.
const AGENT: &str = "agent for ";

/// A person who acts: the author of commits and the owner of branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name of the identity in `alm.toml`.
    pub identity: String,
    /// The sign-in name, which is also the e-mail address of commits.
    pub user: String,
    /// The name to show.
    pub name: String,
}

impl Workspace {
    /// The persona called `wanted`; without a name the workspace's default, else the only one.
    ///
    /// A workspace without personas has one that may do everything, as AA4PP does. `identity`
    /// names the person who acts, when it is not the persona's own.
    ///
    /// # Errors
    /// When there is no such persona or person, or nothing says which persona to take.
    pub fn persona(
        &self,
        wanted: Option<&str>,
        identity: Option<&str>,
    ) -> Result<Persona, WorkspaceError> {
        let personas = &self.config().personas;
        let names = || personas.names().map(str::to_owned).collect::<Vec<_>>();
        let default = self.config().workspace.default_persona.as_deref();
        let (name, rules) = match (wanted.or(default), personas.len()) {
            (Some(wanted), _) => match personas.entry(wanted) {
                Some((name, rules)) => (Some(name.to_owned()), rules.clone()),
                None => {
                    let wanted = wanted.to_owned();
                    return Err(WorkspaceError::UnknownPersona {
                        wanted,
                        known: names(),
                    });
                }
            },
            (None, 0) => (None, PersonaRules::default()),
            (None, 1) => match personas.iter().next() {
                Some((name, rules)) => (Some(name.to_owned()), rules.clone()),
                None => (None, PersonaRules::default()),
            },
            (None, _) => return Err(WorkspaceError::PersonaNotChosen(names())),
        };
        let person = match identity.or(rules.identity.as_deref()) {
            Some(identity) => Some(self.person(identity)?),
            None => None,
        };
        Ok(Persona {
            name,
            rules,
            workspace: self.clone(),
            built_in: false,
            person,
        })
    }

    /// The persona that may do everything that `[policy]` allows to anybody: that of the agent, and
    /// of programs that embed the engine.
    pub fn unrestricted(&self) -> Persona {
        let (name, rules) = (None, PersonaRules::default());
        Persona {
            name,
            rules,
            workspace: self.clone(),
            built_in: true,
            person: None,
        }
    }

    /// The persona of a build for `environment` that no other is named for: it looks around, and in
    /// that environment it does what a release needs. `alm.toml` does not have it, so `--as` cannot
    /// name it.
    pub fn agent_for(&self, environment: &str) -> Persona {
        let look = || Actions::from_iter([Action::Read]);
        let release = Actions::from_iter(Action::OF_RELEASES);
        let rules = PersonaRules {
            environments: [(environment.to_owned(), release), ("*".to_owned(), look())]
                .into_iter()
                .collect(),
            repositories: [("*".to_owned(), look())].into_iter().collect(),
            ..PersonaRules::default()
        };
        Persona {
            name: Some(format!("{AGENT}{environment}")),
            rules,
            workspace: self.clone(),
            built_in: true,
            person: None,
        }
    }

    /// The persona that a run was recorded with, by its name, as it may act today: one of `alm.toml`,
    /// that of a build, or without a name the one that may do everything.
    ///
    /// # Errors
    /// As for [`persona`](Self::persona).
    pub fn recorded_persona(
        &self,
        name: Option<&str>,
        identity: Option<&str>,
    ) -> Result<Persona, WorkspaceError> {
        let Some(name) = name else {
            return Ok(self.unrestricted());
        };
        match name.strip_prefix(AGENT) {
            Some(environment) if !self.config().personas.contains(name) => {
                Ok(self.agent_for(environment))
            }
            _ => self.persona(Some(name), identity),
        }
    }

    /// The person that the identity called `name` is.
    ///
    /// # Errors
    /// When there is no such identity, or it is an application or a token.
    pub fn person(&self, name: &str) -> Result<Person, WorkspaceError> {
        match self.config().identities.get(name) {
            Some(Identity {
                user: Some(user),
                name: shown,
                ..
            }) => Ok(Person {
                identity: name.to_owned(),
                user: user.clone(),
                name: shown.clone().unwrap_or_else(|| user.clone()),
            }),
            _ => {
                let people = self
                    .config()
                    .identities
                    .iter()
                    .filter(|(_, id)| id.user.is_some());
                let known = people.map(|(name, _)| name.to_owned()).collect();
                Err(WorkspaceError::UnknownPerson {
                    wanted: name.to_owned(),
                    known,
                })
            }
        }
    }
}

impl Persona {
    /// The name in `alm.toml`; none for the persona that may do everything.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// One line that says who this is.
    pub fn description(&self) -> Option<&str> {
        self.rules.description.as_deref()
    }

    /// The person who acts, if the persona or the caller names one.
    pub fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// The workspace that this is a persona of.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// How a function of AA4PP is switched for this persona.
    pub fn choice(&self, function: Function) -> Choice {
        self.rules.permissions.choice(function)
    }

    /// The folder of the persona's own scripts, which win over those of the workspace.
    pub fn scripts(&self) -> Option<PathBuf> {
        Some(self.workspace.scripts().join("personas").join(self.name()?))
    }

    /// Whether the script called `name` exists for this persona.
    pub fn sees_script(&self, name: &str) -> bool {
        let listed = match &self.rules.scripts {
            Some(scripts) => scripts.iter().any(|script| script == name),
            None => true,
        };
        listed
            && TABLE
                .iter()
                .all(|row| row.script != Some(name) || self.choice(row.function).allowed())
    }

    /// Whether the profile called `name` exists for this persona.
    pub fn sees_profile(&self, name: &str) -> bool {
        self.rules
            .profiles
            .as_ref()
            .is_none_or(|profiles| profiles.iter().any(|one| one == name))
    }

    /// What the script is called for this persona, if not by its name.
    pub fn label(&self, script: &str) -> Option<&str> {
        self.rules.labels.get(script).map(String::as_str)
    }

    /// The script that runs when this persona runs `script`, if not that one itself.
    pub fn replacement(&self, script: &str) -> Option<&str> {
        self.rules.replace.get(script).map(String::as_str)
    }

    /// All scripts that run instead of others: pairs of the one that is named and the one that runs.
    pub fn replacements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules
            .replace
            .iter()
            .map(|(script, by)| (script.as_str(), by.as_str()))
    }

    /// How this persona meets a parameter: its own rule, and what its functions imply.
    pub fn parameter(&self, script: &str, parameter: &str) -> ParameterRule {
        let own = self
            .rules
            .parameters
            .get(script)
            .and_then(|rules| rules.get(parameter));
        let mut rule = own.cloned().unwrap_or_default();
        for row in &TABLE {
            let Some(at) = row
                .parameters
                .iter()
                .position(|one| *one == (script, parameter))
            else {
                continue;
            };
            let choice = self.choice(row.function);
            let default = choice
                .fallback()
                .filter(|_| at == 0)
                .map(serde_json::Value::Bool);
            if !choice.allowed() {
                rule.hidden = true;
                rule.fixed = rule.fixed.or(default);
            } else {
                rule.default = rule.default.or(default);
            }
        }
        rule
    }
}

//! Who works in a workspace: a persona, and the person behind it.

use std::path::PathBuf;

use super::action::{Action, Actions};
use super::audit::AuditEvent;
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

impl Person {
    /// Whether `name` is this person's sign-in name or identity.
    pub fn is(&self, name: &str) -> bool {
        self.identity == name || self.user.eq_ignore_ascii_case(name)
    }
}

impl Workspace {
    /// The persona called `wanted`; without a name the workspace's default, else the only one.
    ///
    /// A persona with `people` or `groups` is theirs alone: `identity`, or else the persona's own, must
    /// be one of them.
    ///
    /// A workspace without personas has one that may do everything, as AA4PP does. `identity`
    /// names the person who acts, when it is not the persona's own.
    ///
    /// # Errors
    /// When there is no such persona or person, nothing says which persona to take, or it is not one of
    /// the person's.
    pub fn persona(
        &self,
        wanted: Option<&str>,
        identity: Option<&str>,
    ) -> Result<Persona, WorkspaceError> {
        let named = identity.map(|identity| self.person(identity)).transpose()?;
        let (name, rules) = self.choose(wanted, named.as_ref())?;
        let person = match (named, rules.identity.as_deref()) {
            (None, Some(own)) => Some(self.person(own)?),
            (named, _) => named,
        };
        if !self.belongs(&rules, person.as_ref()) {
            let wanted = name.clone().unwrap_or_default();
            let who = person.as_ref().map(|person| person.user.as_str());
            // It is refused either way.
            let _ = self.audit(who, None, &AuditEvent::PersonaRefused { wanted });
            return Err(WorkspaceError::NotOnesPersona {
                persona: name.unwrap_or_default(),
                own: self.personas_of(person.as_ref()),
                person: person.map(|person| person.user),
            });
        }
        Ok(Persona {
            name,
            rules,
            workspace: self.clone(),
            built_in: false,
            person,
        })
    }

    /// The rules that `wanted` names. Where it names none: the workspace's default, if `person` may have
    /// it, or else the only persona that there is for her.
    fn choose(
        &self,
        wanted: Option<&str>,
        person: Option<&Person>,
    ) -> Result<(Option<String>, PersonaRules), WorkspaceError> {
        let personas = &self.config().personas;
        let default = self.config().workspace.default_persona.as_deref();
        let is_hers = |name: &&str| {
            let rules = personas.get(name);
            person.is_none() || rules.is_none_or(|rules| self.belongs(rules, person))
        };
        if personas.is_empty() && wanted.is_none() {
            return Ok((None, PersonaRules::default()));
        }
        let chosen = match wanted.or(default.filter(is_hers)) {
            Some(name) => name.to_owned(),
            None => {
                let names = personas.names().filter(is_hers);
                let mut own: Vec<String> = names.map(str::to_owned).collect();
                match own.pop() {
                    Some(only) if own.is_empty() => only,
                    last => {
                        own.extend(last);
                        return Err(WorkspaceError::PersonaNotChosen(own));
                    }
                }
            }
        };
        match personas.entry(&chosen) {
            Some((name, rules)) => Ok((Some(name.to_owned()), rules.clone())),
            None => Err(WorkspaceError::UnknownPersona {
                wanted: chosen,
                known: personas.names().map(str::to_owned).collect(),
            }),
        }
    }

    /// Whether `person` may act as the persona with these rules. One that names neither people nor
    /// groups is everybody's, and no other is nobody's.
    fn belongs(&self, rules: &PersonaRules, person: Option<&Person>) -> bool {
        if rules.people.is_empty() && rules.groups.is_empty() {
            return true;
        }
        person.is_some_and(|person| {
            rules.people.iter().any(|name| person.is(name))
                || rules
                    .groups
                    .iter()
                    .any(|group| self.is_member(person, group))
        })
    }

    /// Whether `alm.toml` names any people.
    pub fn has_people(&self) -> bool {
        let mut names = self.config().identities.names();
        names.any(|name| self.person(name).is_ok())
    }

    /// Whether `person` is in the group of `alm.toml` called `group`.
    pub fn is_member(&self, person: &Person, group: &str) -> bool {
        let members = self.config().groups.get(group);
        members.is_some_and(|members| members.iter().any(|name| person.is(name)))
    }

    /// The names of the personas that `person` may act as, in the order of the file; without a person,
    /// those that are everybody's.
    pub fn personas_of(&self, person: Option<&Person>) -> Vec<String> {
        let personas = self.config().personas.iter();
        personas
            .filter(|(_, rules)| self.belongs(rules, person))
            .map(|(name, _)| name.to_owned())
            .collect()
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
            let person = identity.map(|identity| self.person(identity)).transpose()?;
            return Ok(Persona {
                person,
                ..self.unrestricted()
            });
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

    /// Whether only `[policy]` binds it: that of a program that embeds the engine.
    pub fn is_unrestricted(&self) -> bool {
        self.built_in && self.name.is_none()
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
                let fixed = row.fixed.filter(|_| at == 0).map(serde_json::Value::from);
                rule.fixed = rule.fixed.or(default).or(fixed);
            } else {
                rule.default = rule.default.or(default);
            }
        }
        rule
    }
}

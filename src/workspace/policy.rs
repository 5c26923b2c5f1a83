//! Decides whether an effect may happen: `[policy]` first, then the persona.
//!
//! The host asks before every effect, so what is refused here is refused to a script written by
//! hand too. The order is: the workspace's policy, which binds everybody; the persona's functions
//! ([`super::functions`]); the persona's lists of environments and repositories. What none of them
//! mentions is allowed, as in AA4PP.

use std::fmt;

use super::action::{Action, Actions};
use super::config::{BranchRule, EnvironmentKind, Named};
use super::functions::{Governs, Scope, TABLE};
use super::persona::Persona;
use crate::problem::Problem;

/// Something that a script is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What is done.
    pub action: Action,
    /// To what it is done.
    pub target: Target,
    /// The branch that changes, in a repository; for a pull request, the one that it goes into.
    pub branch: Option<String>,
}

/// What an effect is done to, by the names of `alm.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An environment.
    Environment(String),
    /// A repository.
    Repository(String),
    /// The workspace itself.
    Workspace,
}

impl Effect {
    /// `action` in the environment called `name`.
    pub fn on_environment(action: Action, name: impl Into<String>) -> Self {
        Self {
            action,
            target: Target::Environment(name.into()),
            branch: None,
        }
    }

    /// `action` in the repository called `name`.
    pub fn on_repository(action: Action, name: impl Into<String>) -> Self {
        Self {
            action,
            target: Target::Repository(name.into()),
            branch: None,
        }
    }

    /// The same effect, on one branch (without `refs/heads/`).
    #[must_use]
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// Where it happens, in words.
    fn place(&self) -> String {
        match (&self.target, &self.branch) {
            (Target::Environment(name), _) => format!("environment `{name}`"),
            (Target::Repository(name), None) => format!("repository `{name}`"),
            (Target::Repository(name), Some(branch)) => {
                format!("branch `{branch}` of repository `{name}`")
            }
            (Target::Workspace, _) => "the workspace".into(),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.place())
    }
}

/// An effect that may not happen, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{who} may not {effect}: {reason} ({})", self.place())]
pub struct Refusal {
    /// Who wanted it: a persona, or everybody.
    who: Who,
    /// What was to be done.
    pub effect: Effect,
    /// The rule in a few words.
    pub reason: String,
    /// The rule's keys in `alm.toml`, with dots.
    pub rule: String,
    /// The rule's line in `alm.toml`, counted from 1.
    pub line: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Persona(String),
    Nobody,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Persona(name) => write!(f, "persona `{name}`"),
            Self::Nobody => f.write_str("a script"),
        }
    }
}

impl Refusal {
    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("alm.toml line {line}, `{}`", self.rule),
            None => format!("`{}`", self.rule),
        }
    }
}

impl Problem for Refusal {
    fn code(&self) -> &'static str {
        "ALM-W017"
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.who {
            Who::Persona(_) => {
                "ask somebody whose persona may do it, or have the rule changed in alm.toml".into()
            }
            Who::Nobody => "this rule holds for everybody; it is changed in alm.toml".into(),
        })
    }
}

/// Decides whether `persona` may do `effect`.
///
/// # Errors
/// [`Refusal`] with the rule that forbids it.
pub fn decide(persona: &Persona, effect: &Effect) -> Result<(), Refusal> {
    workspace_allows(persona, effect)?;
    for row in &TABLE {
        function_allows(persona, effect, row)?;
    }
    lists_allow(persona, effect)
}

impl Persona {
    /// Says whether this persona could do `effect`, for a list of what she may; see [`decide`]. Before
    /// doing it, ask [`may`](Self::may).
    ///
    /// # Errors
    /// [`Refusal`] with the rule that forbids it.
    pub fn could(&self, effect: &Effect) -> Result<(), Refusal> {
        decide(self, effect)
    }

    fn refuse(&self, who: Who, effect: &Effect, reason: String, rule: &[&str]) -> Refusal {
        let own = rule.first() == Some(&"personas");
        // What the program itself allows a build is no rule of the file; this is where it is widened.
        let rule = if own && self.built_in {
            &["agent", "persona"]
        } else {
            rule
        };
        Refusal {
            who,
            effect: effect.clone(),
            reason,
            rule: rule.join("."),
            line: self.workspace.line(rule),
        }
    }

    fn who(&self) -> Who {
        self.name.clone().map_or(Who::Nobody, Who::Persona)
    }
}

fn workspace_allows(persona: &Persona, effect: &Effect) -> Result<(), Refusal> {
    let policy = &persona.workspace.config().policy;
    if let Target::Environment(environment) = &effect.target
        && let Some(allowed) = policy.environments.get(environment)
        && !allowed.contains(effect.action)
    {
        let rule = ["policy", "environments", environment];
        return Err(persona.refuse(Who::Nobody, effect, only(allowed), &rule));
    }
    if let (Action::Commit, Some(branch)) = (effect.action, &effect.branch)
        && let Some(pattern) = policy
            .protected_branches
            .iter()
            .find(|one| matches(one, branch))
    {
        let reason = format!("`{pattern}` changes by pull request only");
        let rule = ["policy", "protected_branches"];
        return Err(persona.refuse(Who::Nobody, effect, reason, &rule));
    }
    Ok(())
}

fn function_allows(persona: &Persona, effect: &Effect, row: &Governs) -> Result<(), Refusal> {
    let Some(name) = &persona.name else {
        return Ok(());
    };
    if !row.refuses.contains(&effect.action)
        || persona.choice(row.function).possible()
        || !in_scope(persona, effect, row.scope)
    {
        return Ok(());
    }
    let reason = match row.scope {
        Scope::Everywhere => format!("`{}` is not allowed", row.key),
        Scope::Development => format!("`{}` is not allowed in development", row.key),
        Scope::OthersBranches => match persona.person() {
            Some(person) => {
                format!(
                    "only branches that begin with `{}-` are its own",
                    person.user
                )
            }
            None => "no person acts, so no branch is its own".into(),
        },
        Scope::UnnamedTargets => "no stage of a profile merges into that branch".into(),
    };
    Err(persona.refuse(
        persona.who(),
        effect,
        reason,
        &["personas", name, "permissions", row.key],
    ))
}

fn in_scope(persona: &Persona, effect: &Effect, scope: Scope) -> bool {
    let config = persona.workspace.config();
    match (scope, &effect.target, &effect.branch) {
        (Scope::Everywhere, _, _) => true,
        (Scope::Development, Target::Environment(name), _) => config
            .environments
            .get(name)
            .is_some_and(|environment| environment.kind == EnvironmentKind::Development),
        // The name that a maker's own branch gets (`facts/alm-accelerator.md`, 4.3).
        (Scope::OthersBranches, Target::Repository(_), Some(branch)) => persona
            .person()
            .is_none_or(|person| !branch.starts_with(&format!("{}-", person.user))),
        (Scope::UnnamedTargets, Target::Repository(name), Some(branch)) => {
            !stages_merge_into(persona, name, branch)
        }
        _ => false,
    }
}

/// Whether a stage of a profile on `repository` merges into `branch`. A stage that merges into the
/// branch named as the solution names every branch that is not protected.
fn stages_merge_into(persona: &Persona, repository: &str, branch: &str) -> bool {
    let config = persona.workspace.config();
    let protected = config
        .policy
        .protected_branches
        .iter()
        .any(|one| matches(one, branch));
    config
        .profiles
        .iter()
        .filter(|(_, profile)| profile.repository == repository)
        .any(|(_, profile)| {
            profile.stages.iter().any(|stage| {
                match stage
                    .target_branch
                    .as_ref()
                    .unwrap_or(&profile.target_branch)
                {
                    BranchRule::Named(name) => name == branch,
                    BranchRule::Solution => !protected,
                }
            })
        })
}

fn lists_allow(persona: &Persona, effect: &Effect) -> Result<(), Refusal> {
    let Some(name) = &persona.name else {
        return Ok(());
    };
    let (list, section, target): (&Named<Actions>, _, &String) = match &effect.target {
        Target::Environment(target) => (&persona.rules.environments, "environments", target),
        Target::Repository(target) => (&persona.rules.repositories, "repositories", target),
        Target::Workspace => return Ok(()),
    };
    if list.is_empty() {
        return Ok(());
    }
    let (rule, reason) = match list.entry(target).or_else(|| list.entry("*")) {
        Some((_, allowed)) if allowed.contains(effect.action) => return Ok(()),
        Some((rule, allowed)) => (rule, only(allowed)),
        None => ("", format!("it is not among its {section}")),
    };
    let path = ["personas", name, section, rule];
    let path = if rule.is_empty() {
        &path[..3]
    } else {
        &path[..]
    };
    Err(persona.refuse(persona.who(), effect, reason, path))
}

fn only(allowed: &Actions) -> String {
    let words: Vec<&str> = allowed.iter().map(Action::word).collect();
    if words.is_empty() {
        "nothing is allowed there".into()
    } else {
        format!("allowed there: {}", words.join(", "))
    }
}

/// Whether `text` is what `pattern` says, `*` standing for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .filter(|&at| text.is_char_boundary(at))
                .any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests;

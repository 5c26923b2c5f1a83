//! What happens in a workspace that somebody may have to answer for, and who is told of it.
//!
//! The policy, the git host's client and runs tell the workspace; the workspace tells its [`Auditor`],
//! which the log of the floor above is (`run/audit.rs`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Effect, Persona, Refusal, Workspace};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum AuditEvent {
    /// `alm.toml` is another one than it was at the entry before.
    PolicyChanged {
        /// The SHA-256 of the file at the entry before; none at the first one.
        before: Option<String>,
        /// The SHA-256 of the file now.
        now: String,
    },
    /// A run began.
    RunStarted {
        /// The run.
        run: i64,
        /// The script.
        script: String,
        /// The SHA-256 of its text.
        text: String,
        /// Whether it is a script of others, under all limits.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sandbox: bool,
    },
    /// Somebody had a run go on.
    RunResumed {
        /// The run.
        run: i64,
    },
    /// A run is over, or waits.
    RunEnded {
        /// The run.
        run: i64,
        /// How it ended.
        outcome: String,
        /// The code of the failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Somebody answered what a run waits for.
    RunAnswered {
        /// The run.
        run: i64,
        /// Whether it goes on with a yes.
        approved: bool,
        /// What was said.
        comment: String,
        /// Who began the run.
        requester: String,
    },
    /// A run, an approval or a resume was refused.
    RunRefused {
        /// What was wanted: a script's name, or `run 7`.
        what: String,
        /// The code of the refusal.
        code: String,
        /// Why.
        reason: String,
    },
    /// Policy or persona refused an effect.
    EffectRefused {
        /// What was to be done.
        effect: String,
        /// Why.
        reason: String,
        /// The keys of the rule in `alm.toml`.
        rule: String,
        /// The run that wanted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<i64>,
    },
    /// Somebody wanted to act as a persona of others.
    PersonaRefused {
        /// The persona.
        wanted: String,
    },
    /// The agent did not run a build.
    BuildRefused {
        /// The build.
        build: i64,
        /// Its pipeline.
        pipeline: String,
        /// Who asked for it.
        requester: String,
        /// Why, with a code.
        reason: String,
    },
    /// Somebody approved or refused a build.
    BuildDecided {
        /// The repository.
        repository: String,
        /// The approval, as the host calls it.
        approval: String,
        /// Whether the build goes on.
        approved: bool,
        /// What was said.
        comment: String,
    },
    /// Somebody voted on a pull request.
    PullRequestVoted {
        /// The repository.
        repository: String,
        /// The pull request.
        pull_request: i64,
        /// The vote.
        vote: String,
    },
    /// Somebody completed a pull request, or had it complete itself when it can.
    PullRequestCompleted {
        /// The repository.
        repository: String,
        /// The pull request.
        pull_request: i64,
        /// The branch that it went into.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// Whether it completes itself later.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        when_ready: bool,
    },
    /// A policy of the git host was made or changed: what validates a branch, who approves a stage.
    HostPolicyChanged {
        /// The repository.
        repository: String,
        /// What changed.
        what: String,
    },
}

impl fmt::Display for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        let said = |comment: &str| match comment {
            "" => String::new(),
            comment => format!(": {comment}"),
        };
        let decided = |approved: bool| if approved { "approved" } else { "refused" };
        match self {
            Self::PolicyChanged { before: None, now } => {
                write!(f, "the log begins with alm.toml {}", short(now))
            }
            Self::PolicyChanged {
                before: Some(before),
                now,
            } => write!(
                f,
                "alm.toml was changed from {} to {}",
                short(before),
                short(now)
            ),
            Self::RunStarted { run, script, .. } => write!(f, "run {run} of `{script}` began"),
            Self::RunResumed { run } => write!(f, "run {run} was resumed"),
            Self::RunEnded { run, outcome, code } => {
                write!(f, "run {run} {outcome}")?;
                code.as_ref()
                    .map_or(Ok(()), |code| write!(f, " with {code}"))
            }
            Self::RunAnswered {
                run,
                approved,
                comment,
                requester,
            } => write!(
                f,
                "{} run {run} of {requester}{}",
                decided(*approved),
                said(comment)
            ),
            Self::RunRefused { what, code, reason } => {
                write!(f, "{what} was refused with {code}: {reason}")
            }
            Self::EffectRefused {
                effect,
                reason,
                run,
                ..
            } => {
                write!(f, "may not {effect}: {reason}")?;
                run.map_or(Ok(()), |run| write!(f, " (run {run})"))
            }
            Self::PersonaRefused { wanted } => write!(f, "may not act as `{wanted}`"),
            Self::BuildRefused {
                build,
                pipeline,
                requester,
                reason,
            } => write!(
                f,
                "build {build} of {pipeline}, asked for by {requester}, was not run: {reason}"
            ),
            Self::BuildDecided {
                approved, comment, ..
            } => write!(f, "{} a build{}", decided(*approved), said(comment)),
            Self::PullRequestVoted {
                repository,
                pull_request,
                vote,
            } => write!(
                f,
                "voted {vote} on pull request {pull_request} of {repository}"
            ),
            Self::PullRequestCompleted {
                repository,
                pull_request,
                target,
                when_ready,
            } => {
                let how = if *when_ready { " when it is ready" } else { "" };
                write!(
                    f,
                    "completed pull request {pull_request} of {repository}{how}"
                )?;
                match target {
                    Some(target) => write!(f, " into {target}"),
                    None => Ok(()),
                }
            }
            Self::HostPolicyChanged { repository, what } => {
                write!(f, "changed {what} of {repository}")
            }
        }
    }
}

/// Who is told of what happens, and keeps it.
pub trait Auditor: Send + Sync {
    /// Keeps one event. `who` and `persona` are who caused it, as far as that is known.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn keep(
        &self,
        who: Option<&str>,
        persona: Option<&str>,
        event: &AuditEvent,
    ) -> Result<(), AuditError>;
}

/// An event could not be kept.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the audit log cannot be written: {0}")]
pub struct AuditError(pub String);

impl Workspace {
    /// Has `auditor` told of everything that happens in this workspace from now on. The first one
    /// stays.
    pub fn audited_by(&self, auditor: Arc<dyn Auditor>) {
        let _ = self.0.auditor.set(auditor);
    }

    /// Tells the auditor, if there is one.
    ///
    /// # Errors
    /// When the event cannot be kept.
    pub(super) fn audit(
        &self,
        who: Option<&str>,
        persona: Option<&str>,
        event: &AuditEvent,
    ) -> Result<(), AuditError> {
        match self.0.auditor.get() {
            Some(auditor) => auditor.keep(who, persona, event),
            None => Ok(()),
        }
    }
}

impl Persona {
    /// Tells the workspace's auditor of something that this persona did.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn audit(&self, event: &AuditEvent) -> Result<(), AuditError> {
        let who = self.person().map(|person| person.user.as_str());
        self.workspace().audit(who, self.name(), event)
    }

    /// Decides whether the persona may do `effect`, and has a refusal kept.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn may(&self, effect: &Effect) -> Result<(), Refusal> {
        self.may_in_run(effect, None)
    }

    /// As [`may`](Self::may), for an effect of a run.
    ///
    /// # Errors
    /// As [`may`](Self::may).
    pub fn may_in_run(&self, effect: &Effect, run: Option<i64>) -> Result<(), Refusal> {
        self.could(effect).inspect_err(|refusal| {
            // It is refused either way.
            let _ = self.audit(&AuditEvent::EffectRefused {
                effect: effect.to_string(),
                reason: refusal.reason.clone(),
                rule: refusal.rule.clone(),
                run,
            });
        })
    }
}

//! Answering what a run waits for.

use serde::{Deserialize, Serialize};

use super::resume::target_of;
use super::{Host, Outcome, RunError, RunId};
use crate::problem::Problem as _;
use crate::script::Wait;
use crate::workspace::audit::AuditEvent;
use crate::workspace::{Action, Effect, Persona};

/// An answer to what a run waits for: who gave it, when, and what was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether the run goes on with a yes.
    pub approved: bool,
    /// The sign-in name of the person.
    pub by: String,
    /// When.
    pub at: jiff::Timestamp,
    /// What was said; empty when nothing was.
    pub comment: String,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.approved { "approved" } else { "refused" };
        write!(f, "{word} by {}", self.by)?;
        if !self.comment.is_empty() {
            write!(f, ": {}", self.comment)?;
        }
        Ok(())
    }
}

impl Host {
    /// Answers what `run` waits for, as the person that this host's persona acts for, or as `who`
    /// where it acts for nobody. The run does not go on by that; see [`resume`](Self::resume).
    ///
    /// # Errors
    /// [`RunError::NotWaiting`], [`RunError::NotApprover`], [`RunError::OwnRun`], the policy's
    /// refusal, or the history cannot be written.
    pub fn answer(
        &self,
        run: RunId,
        approved: bool,
        comment: &str,
        who: Option<&str>,
    ) -> Result<Answer, RunError> {
        let answered = self.answer_as(run, approved, comment, who);
        answered.inspect_err(|error| {
            self.audit_refusal(self.persona(), &format!("answering run {run}"), error)
        })
    }

    fn answer_as(
        &self,
        run: RunId,
        approved: bool,
        comment: &str,
        who: Option<&str>,
    ) -> Result<Answer, RunError> {
        let record = self.history.run(run)?;
        let (Some(Outcome::Waiting), Some(wait)) = (record.outcome, &record.waiting) else {
            return Err(RunError::NotWaiting(run));
        };
        self.persona().may(&Effect {
            action: Action::Approve,
            target: target_of(self.workspace(), &record),
            branch: None,
        })?;
        let person = self.persona().person().map(|person| person.user.as_str());
        // The name at the machine is anybody's to set: it counts only where no people are known.
        let login = who.filter(|_| !self.workspace().has_people());
        let by = person.or(login).ok_or(RunError::Nobody)?;
        if !is_approver(wait, self.persona()) {
            return Err(RunError::NotApprover {
                run,
                by: by.to_owned(),
                approvers: wait.approvers.clone(),
            });
        }
        if by.eq_ignore_ascii_case(&record.who) && !wait.self_approval {
            return Err(RunError::OwnRun {
                run,
                by: by.to_owned(),
            });
        }
        let answer = Answer {
            approved,
            by: by.to_owned(),
            at: jiff::Timestamp::now(),
            comment: comment.to_owned(),
        };
        self.history.answer(
            run,
            &answer,
            self.persona().name(),
            self.workspace().digest(),
        )?;
        Ok(answer)
    }
}

impl Host {
    /// Keeps that a run, an answer or a resume was refused. What merely failed is no refusal.
    pub(super) fn audit_refusal(&self, persona: &Persona, what: &str, error: &RunError) {
        if !error.is_refusal() {
            return;
        }
        // It is refused either way.
        let _ = persona.audit(&AuditEvent::RunRefused {
            what: what.to_owned(),
            code: error.code().to_owned(),
            reason: error.to_string(),
        });
    }
}

/// Whether the wait is for this person: by sign-in name, by the name of her identity, by a
/// group of `alm.toml`, or by her persona. The name at the machine is not asked, since anybody can set it. A wait that names nobody
/// is for everybody who may approve.
fn is_approver(wait: &Wait, persona: &Persona) -> bool {
    let is_meant = |name: &String| {
        persona.name() == Some(name)
            || persona.person().is_some_and(|person| {
                person.is(name) || persona.workspace().is_member(person, name)
            })
    };
    wait.approvers.is_empty() || wait.approvers.iter().any(is_meant)
}

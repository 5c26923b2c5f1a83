//! Going on with a run: as whom, with which texts, with which parameters.
//!
//! A run has the rights of its start. Whoever resumes it, or approves what it waits for, lends it
//! nothing of her own: the person, the persona, the parameters and the texts are those that were
//! recorded when it began. What `alm.toml` forbids that persona today is forbidden, so that a right
//! that was taken away is not kept alive by a run that waits.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::redaction::{is_left_out, redacted_map};
use super::start::{Start, plain_name, rules_of, whole_hash};
use super::{Finished, Outcome, RunError, RunId, RunRecord};
use crate::script::parameters::{Declaration, Given};
use crate::script::{Library, Message, RecordedScripts, Script, StepSink as _};
use crate::transport::redact::names_a_secret;
use crate::workspace::{Action, Effect, Persona, Target};

impl Start<'_> {
    /// Runs what `run` began with again, after its last finished step.
    pub(super) fn go_on(mut self, run: RunId) -> Result<Finished, RunError> {
        let record = self.host.history.run(run)?;
        match record.outcome {
            None => return Err(RunError::Running(run)),
            Some(Outcome::Succeeded) => return Err(RunError::Succeeded(run)),
            Some(_) => {}
        }
        self.check_may_go_on(&record)?;
        let begun = self.host.history.begun(run)?;
        let scripts = begun.scripts.ok_or(RunError::NotRecorded(run))?;
        let recorded = self.host.artifacts.get(&scripts)?;
        let recorded: RecordedScripts =
            serde_json::from_slice(&recorded).map_err(|_| RunError::NotRecorded(run))?;

        let (resumer, resumed_as) = (self.person(), self.persona.name().map(str::to_owned));
        // From here on it is the run of whoever began it.
        let workspace = self.host.workspace().clone();
        self.persona =
            workspace.recorded_persona(record.persona.as_deref(), begun.identity.as_deref())?;
        self.sandbox |= begun.sandbox;
        self.check_sight(&record.script)?;
        let library = Library::of_record(workspace.root(), recorded);
        let script = library.script(&record.script)?;
        let declaration = script.declaration()?;
        let params = self.recovered(run, begun.parameters)?;
        check_rules(&self.persona, &declaration, &record.script, &params)?;

        let secrets = secrets(&params);
        let about = record.about.clone();
        // A run of an older program has no ids to ask for: what it had begun is begun anew.
        let key = begun.key.unwrap_or_else(Uuid::new_v4);
        let carriage = self.carriage(
            run,
            key,
            &record.script,
            record.who,
            about,
            script,
            library,
            &secrets,
        );
        let shown = redacted_map(&carriage.journal.redactor(), params.clone());
        let loaded = self.load(&carriage, &params);
        let mut changed = Vec::new();
        if let Ok(program) = &loaded {
            let current = self.host.library_of(&self.persona);
            changed.extend(changed_since(
                &program.sources().all(),
                &current,
                &record.script,
            ));
            self.host
                .history
                .set_hash(run, &whole_hash(program.sources()))?;
        }
        let alive =
            self.host
                .history
                .reopen(run, &resumer, resumed_as.as_deref(), workspace.digest())?;
        for label in changed {
            carriage.journal.tell(Message::Warning {
                text: format!("{label} was changed since run {run} began, which goes on with what it began with"),
            });
        }
        if begun.workspace.as_deref() != workspace.digest() {
            carriage.journal.tell(Message::Warning {
                text: format!("alm.toml was changed since run {run} began: what it says now holds"),
            });
        }
        let finished = carriage.carry(loaded, shown, true);
        drop(alive);
        finished
    }

    /// One's own run, or one in a repository (or a workspace) where one may approve. A run in one's
    /// name as another persona is not one's own: a build runs in the name of whoever asked for it,
    /// with rights that she does not have.
    fn check_may_go_on(&self, record: &RunRecord) -> Result<(), RunError> {
        let own = self.person() == record.who && self.persona.name() == record.persona.as_deref();
        if own || self.persona.is_unrestricted() {
            return Ok(());
        }
        let approves = self.persona.could(&Effect {
            action: Action::Approve,
            target: target_of(self.host.workspace(), record),
            branch: None,
        });
        approves.map_err(|_| RunError::NotYours {
            run: record.id,
            who: record.who.clone(),
            persona: self.persona.name().unwrap_or_default().to_owned(),
        })
    }

    /// The parameters as they were, with the secrets among them as they are given now.
    fn recovered(
        &self,
        run: RunId,
        mut kept: Map<String, Value>,
    ) -> Result<Map<String, Value>, RunError> {
        for (name, given) in &self.given {
            let known = kept.get(name).unwrap_or(&Value::Null);
            let same = match given {
                Given::Value(value) => value == known,
                Given::Text(text) => known.as_str() == Some(text),
            };
            if !same && !is_left_out(known) {
                return Err(RunError::Settled {
                    run,
                    parameter: name.clone(),
                });
            }
        }
        let mut missing = Vec::new();
        for (name, value) in kept.iter_mut().filter(|(_, value)| is_left_out(value)) {
            match self.given.get(name) {
                Some(Given::Text(text)) => *value = text.as_str().into(),
                Some(Given::Value(given)) => *value = given.clone(),
                None => missing.push(name.clone()),
            }
        }
        if missing.is_empty() {
            Ok(kept)
        } else {
            Err(RunError::SecretsLeftOut { run, missing })
        }
    }
}

/// Where an approval of something that this run waits for is given: in the repository of its
/// profile, or, in a workspace without one, in the workspace.
pub(super) fn target_of(workspace: &crate::workspace::Workspace, record: &RunRecord) -> Target {
    let config = workspace.config();
    let named = record.about.profile.as_deref();
    let named = named.and_then(|name| config.profiles.get(name));
    let profile = named.or_else(|| {
        let solution = record.about.solution.as_deref();
        config.profile_for(solution).map(|(_, profile)| profile)
    });
    profile.map_or(Target::Workspace, |profile| {
        Target::Repository(profile.repository.clone())
    })
}

/// The values of parameters that are secrets by their name.
pub(super) fn secrets(params: &Map<String, Value>) -> Vec<String> {
    let secret = params.iter().filter(|(name, _)| names_a_secret(name));
    secret
        .filter_map(|(_, value)| value.as_str().map(str::to_owned))
        .collect()
}

/// Makes sure that the persona could start the run like this today: a parameter that is fixed or
/// hidden for it has the value that it would have.
fn check_rules(
    persona: &Persona,
    declaration: &Declaration,
    script: &str,
    params: &Map<String, Value>,
) -> Result<(), RunError> {
    let rules = rules_of(persona, declaration, plain_name(script));
    for parameter in &declaration.parameters {
        let Some(rule) = rules.get(&parameter.name) else {
            continue;
        };
        if !rule.hidden && rule.fixed.is_none() {
            continue;
        }
        let recorded = params.get(&parameter.name).unwrap_or(&Value::Null);
        if parameter.settle(None, Some(rule))? != *recorded {
            return Err(RunError::NotToChoose {
                persona: persona.name().unwrap_or_default().to_owned(),
                script: script.to_owned(),
                parameter: parameter.name.clone(),
            });
        }
    }
    Ok(())
}

/// What the texts are called that are no longer what they were.
fn changed_since(texts: &[Script], current: &Library, script: &str) -> Vec<String> {
    let now = |text: &Script| {
        let found = if text.label.contains("/hooks/") {
            current.hooks(script).ok().flatten()
        } else if text.name == script {
            current.script(script).ok()
        } else {
            current.module(&text.name).ok()
        };
        found.is_some_and(|found| found.text == text.text)
    };
    let changed = texts.iter().filter(|text| !now(text));
    changed.map(|text| text.label.clone()).collect()
}

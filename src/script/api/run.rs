//! What a script says about its own run: steps, notices, progress, failure, waiting.

use rhai::plugin::{Dynamic, ImmutableString, NativeCallContext, export_module};
use rhai::{EvalAltResult, FnPtr, Map, Position};
use serde_json::Value;

use super::HostError;
use super::error::{Scripted, Thrown, request_map};
use super::options::options;
use crate::script::Context;
use crate::script::diagnostics::brief;
use crate::script::guard::Stopped;
use crate::script::sink::{Begun, Message, Record, StepEnd, Wait};
use crate::script::values::to_json;

/// Steps, messages and facts of the run.
///
/// `step`, `notice`, `warning`, `progress` and `fail` can be called without `run::`.
#[export_module]
pub(super) mod module {
    /// An error of the host. `catch (err)` gets it; it prints as its message and code.
    pub type Error = crate::script::api::HostError;

    /// Names a piece of work, runs it and returns what the closure returns.
    ///
    /// Progress, timing, history and the journal come from steps. When a run is resumed, a step
    /// that had finished is not run again: its kept result is returned. The result must be plain
    /// data or a value that can be kept, such as a package or a source tree.
    ///
    /// ```rhai
    /// let sum = step("Add the numbers", || 20 + 22);
    /// sum == 42
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn step(call: NativeCallContext<'_>, name: &str, work: FnPtr) -> Scripted<Dynamic> {
        run_step(&call, name, &work)
    }

    /// Tells whoever started the run a fact that belongs into its summary.
    ///
    /// ```rhai
    /// notice("Nothing to commit");
    /// true
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn notice(call: NativeCallContext<'_>, text: &str) -> Scripted<()> {
        Context::of(&call)
            .thrown()?
            .sink()
            .tell(Message::Notice { text: text.into() });
        Ok(())
    }

    /// Tells that something went on but should be looked at.
    ///
    /// ```rhai
    /// warning("The pull request has no reviewer");
    /// true
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn warning(call: NativeCallContext<'_>, text: &str) -> Scripted<()> {
        Context::of(&call)
            .thrown()?
            .sink()
            .tell(Message::Warning { text: text.into() });
        Ok(())
    }

    /// Tells how far the current step is: `done` of `total`, and what is being done.
    ///
    /// ```rhai
    /// progress(3, 10, "teams");
    /// true
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn progress(
        call: NativeCallContext<'_>,
        done: i64,
        total: i64,
        text: &str,
    ) -> Scripted<()> {
        #[expect(clippy::cast_precision_loss, reason = "a bar is drawn from it")]
        Context::of(&call)
            .thrown()?
            .progress(done as f64, total as f64, text);
        Ok(())
    }

    /// Ends the run as failed with a message for the person who started it.
    ///
    /// ```rhai
    /// let said = "";
    /// try { fail("Choose a branch first") } catch (err) { said = err.message }
    /// said == "Choose a branch first"
    /// ```
    #[rhai_fn(global, return_raw)]
    pub fn fail(message: &str) -> Scripted<()> {
        Err(HostError::new("ALM-S013", message).into())
    }

    /// Ends the run as failed with a message and what to do next.
    ///
    /// ```rhai
    /// let next = "";
    /// try { fail("No branch", "choose one with --branch") } catch (err) { next = err.hint }
    /// next == "choose one with --branch"
    /// ```
    #[rhai_fn(global, name = "fail", return_raw)]
    pub fn fail_with_hint(message: &str, hint: &str) -> Scripted<()> {
        Err(HostError::new("ALM-S013", message).with_hint(hint).into())
    }

    /// Ends the run as failed with a code of your own, a message and what to do next.
    ///
    /// ```rhai
    /// let code = "";
    /// try { fail("ACME-1", "No branch", "choose one") } catch (err) { code = err.code }
    /// code == "ACME-1"
    /// ```
    #[rhai_fn(global, name = "fail", return_raw)]
    pub fn fail_with_code(code: &str, message: &str, hint: &str) -> Scripted<()> {
        Err(HostError::new(code, message).with_hint(hint).into())
    }

    /// The stable code of the error, for example `ALM-E012`.
    ///
    /// ```rhai
    /// let code = "";
    /// try { fail("no") } catch (err) { code = err.code }
    /// code == "ALM-S013"
    /// ```
    #[rhai_fn(global, get = "code", pure)]
    pub fn error_code(error: &mut Error) -> ImmutableString {
        error.code.as_str().into()
    }

    /// What went wrong, in one sentence.
    ///
    /// ```rhai
    /// let message = "";
    /// try { fail("no") } catch (err) { message = err.message }
    /// message == "no"
    /// ```
    #[rhai_fn(global, get = "message", pure)]
    pub fn error_message(error: &mut Error) -> ImmutableString {
        error.message.as_str().into()
    }

    /// What to do next, or `()` where nothing sensible can be said.
    ///
    /// ```rhai
    /// let hint = "";
    /// try { fail("no") } catch (err) { hint = err.hint }
    /// hint == ()
    /// ```
    #[rhai_fn(global, get = "hint", pure)]
    pub fn error_hint(error: &mut Error) -> Dynamic {
        error.hint.clone().map_or(Dynamic::UNIT, Dynamic::from)
    }

    /// The request that failed as a map with `method`, `url`, `status` and `service_code`, or `()`.
    ///
    /// ```rhai
    /// let request = 1;
    /// try { fail("no") } catch (err) { request = err.request }
    /// request == ()
    /// ```
    #[rhai_fn(global, get = "request", pure)]
    pub fn error_request(error: &mut Error) -> Dynamic {
        request_map(error.request.as_deref())
    }

    /// Facts for programs about the error, or `()`.
    ///
    /// ```rhai
    /// let details = 1;
    /// try { fail("no") } catch (err) { details = err.details }
    /// details == ()
    /// ```
    #[rhai_fn(global, get = "details", pure)]
    pub fn error_details(error: &mut Error) -> Dynamic {
        crate::script::values::from_json(Value::clone(&error.details))
    }

    /// The error as text: its message and its code.
    ///
    /// ```rhai
    /// let text = "";
    /// try { fail("no branch") } catch (err) { text = `${err}` }
    /// text == "no branch [ALM-S013]"
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn error_text(error: &mut Error) -> String {
        error.to_string()
    }

    /// The number of this run in the history.
    ///
    /// ```rhai
    /// run::id() >= 0
    /// ```
    #[rhai_fn(return_raw)]
    pub fn id(call: NativeCallContext<'_>) -> Scripted<i64> {
        Ok(Context::of(&call).thrown()?.facts().run)
    }

    /// The day on which the run began, in UTC, as `20261120`: what a version can be made of.
    ///
    /// ```rhai
    /// run::date().len() == 8
    /// ```
    #[rhai_fn(return_raw)]
    pub fn date(call: NativeCallContext<'_>) -> Scripted<ImmutableString> {
        let started = Context::of(&call).thrown()?.facts().started;
        Ok(started.strftime("%Y%m%d").to_string().into())
    }

    /// The name of the script that was started, also inside a module that it imports.
    ///
    /// ```rhai
    /// type_of(run::script()) == "string"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn script(call: NativeCallContext<'_>) -> Scripted<ImmutableString> {
        Ok(Context::of(&call).thrown()?.facts().script.as_str().into())
    }

    /// Who started the run.
    ///
    /// ```rhai
    /// type_of(run::who()) == "string"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn who(call: NativeCallContext<'_>) -> Scripted<ImmutableString> {
        Ok(Context::of(&call).thrown()?.facts().who.as_str().into())
    }

    /// The short name of who started the run, fit for a branch name: what stands before the `@`.
    ///
    /// ```rhai
    /// !run::user().contains("@")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn user(call: NativeCallContext<'_>) -> Scripted<ImmutableString> {
        let context = Context::of(&call).thrown()?;
        Ok(context
            .facts()
            .who
            .split('@')
            .next()
            .unwrap_or_default()
            .into())
    }

    /// The persona that the run has, or `()`.
    ///
    /// ```rhai
    /// let persona = run::persona() ?? "nobody in particular";
    /// persona != ""
    /// ```
    #[rhai_fn(return_raw)]
    pub fn persona(call: NativeCallContext<'_>) -> Scripted<Dynamic> {
        let context = Context::of(&call).thrown()?;
        Ok(context
            .facts()
            .persona
            .clone()
            .map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// Adds to the run's entry in the request history: `solution`, `profile`, `stage`,
    /// `environment`, `source_branch`, `target_branch`, `pull_request`, `build`, `commit`.
    ///
    /// ```rhai
    /// run::record(#{ solution: "ContosoSales", pull_request: 12 });
    /// true
    /// ```
    #[rhai_fn(return_raw)]
    pub fn record(call: NativeCallContext<'_>, entries: Map) -> Scripted<()> {
        let context = Context::of(&call).thrown()?;
        let record: Record = options(entries).thrown()?;
        context.sink().record(record).thrown()
    }

    /// Runs another named script inside this run and returns what it returns. `bundled/<name>` is
    /// the bundled one, whatever replaces it. Its steps become steps of this run.
    ///
    /// ```rhai,no_run
    /// //! Save a solution, our way.
    /// //! @param solution solution  what to save
    /// notice("Saving with the team's rules");
    /// run::script("bundled/commit", #{ solution: params.solution, message: "team save" })
    /// ```
    #[rhai_fn(name = "script", return_raw)]
    pub fn other_script(
        call: NativeCallContext<'_>,
        name: &str,
        parameters: Map,
    ) -> Scripted<Dynamic> {
        crate::script::engine::run_inside(&call, name, parameters)
    }

    /// Waits for somebody: ends the run as *waiting* and, once it was answered and resumed,
    /// returns the answer: a map with `approved`, `by`, `at`, `comment`. Nothing is kept busy
    /// meanwhile. `reference` says what it is about, for the person who reads it.
    ///
    /// Three of its keys are options: `approvers` (who may answer: sign-in names, identities,
    /// groups or personas; left out, everybody who may approve), `self_approval` (whether whoever started the
    /// run may answer) and `next` (what happens after a yes).
    ///
    /// ```rhai,no_run
    /// let decision = run::wait_for("approval", #{
    ///     stage: "prod", approvers: ["ada@contoso.com"], next: "the import into production",
    /// });
    /// if !decision.approved { fail(`Refused by ${decision.by}`) }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn wait_for(
        call: NativeCallContext<'_>,
        reason: &str,
        reference: Map,
    ) -> Scripted<Dynamic> {
        let context = Context::of(&call).thrown()?;
        let wait = super::wait(reason, reference).thrown()?;
        match context.sink().answer(&wait).thrown()? {
            Some(answer) => Ok(crate::script::values::from_json(answer)),
            // Not catchable, so no script can go on without the answer.
            None => Err(EvalAltResult::ErrorTerminated(Dynamic::from(wait), Position::NONE).into()),
        }
    }
}

/// Who answers a wait, and what then happens.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answering {
    approvers: Vec<String>,
    self_approval: bool,
    next: Option<String>,
}

/// What `run::wait_for` waits for: the options out of `reference`, and the rest to be shown.
fn wait(reason: &str, mut reference: Map) -> Result<Wait, HostError> {
    let mut answering = Map::new();
    for key in ["approvers", "self_approval", "next"] {
        answering.extend(reference.remove_entry(key));
    }
    let answering: Answering = super::options(answering)?;
    let reference = to_json(&reference.into())
        .map_err(|error| HostError::new("ALM-S021", error.to_string()))?;
    Ok(Wait {
        reason: reason.into(),
        reference,
        approvers: answering.approvers,
        self_approval: answering.self_approval,
        next: answering.next,
    })
}

/// Runs `work` as a step: on record before it starts, kept before anybody sees its result.
fn run_step(call: &NativeCallContext<'_>, name: &str, work: &FnPtr) -> Scripted<Dynamic> {
    let context = Context::of(call).thrown()?;
    let id = match context.sink().begin(name).thrown()? {
        Begun::Replay(kept) => return context.keepers().revive(&kept, &context).thrown(),
        Begun::Run(id) => id,
    };
    // A hook may begin a step, which has hooks: they count as calls inside calls.
    let inside = || context.guard().nest(call.call_level());
    let before = inside().and_then(|_inside| context.hooks().before(call.engine(), name));
    let result = before.and_then(|()| {
        let value = work.call_within_context::<Dynamic>(call, ())?.flatten();
        let _inside = inside()?;
        context.hooks().after(call.engine(), name, &value)?;
        Ok(value)
    });
    match result {
        Ok(value) => match context.keepers().keep(&value, &context) {
            Ok(kept) => {
                context
                    .sink()
                    .finish(id, StepEnd::Finished(&kept))
                    .thrown()?;
                Ok(value)
            }
            Err(error) => {
                context
                    .sink()
                    .finish(id, StepEnd::Failed(&error))
                    .thrown()?;
                Err(error.into())
            }
        },
        Err(error) => {
            let limit = Stopped::within(&error).filter(Stopped::is_limit);
            if let Some(limit) = limit {
                let told = HostError::of(&limit);
                context.sink().finish(id, StepEnd::Failed(&told)).thrown()?;
            } else if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..)) {
                context.sink().finish(id, StepEnd::Left).thrown()?;
            } else {
                let told = brief(&error, call.engine());
                context.sink().finish(id, StepEnd::Failed(&told)).thrown()?;
            }
            Err(error)
        }
    }
}

//! Functions of the language itself that the host must do its own way.
//!
//! Rhai looks at its limits and at the run's cancellation between two operations. What takes long,
//! takes much or goes deep in one call is therefore done here: with the same name, the same
//! arguments and the same result, but it asks its [`room`] while it works.

mod arrays;
mod blobs;
mod compare;
mod maps;
mod order;
mod room;
mod show;
mod text;

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{Engine, FuncMetadata, Module, Shared, exported_module};

use super::HostError;
use super::error::{Scripted, Thrown};
use crate::script::Context;
use crate::transport::TransportError;

/// Makes all of them callable in `engine`, in place of the language's own.
pub(super) fn register(engine: &mut Engine) {
    static WAITING: OnceLock<Shared<Module>> = OnceLock::new();
    let waiting = WAITING.get_or_init(|| exported_module!(module).into());
    engine.register_global_module(waiting.clone());
    engine.register_global_module(bounded());
}

/// The functions that are the language's own but for their bounds.
fn bounded() -> Shared<Module> {
    static BOUNDED: OnceLock<Shared<Module>> = OnceLock::new();
    let made = BOUNDED.get_or_init(|| {
        let mut all = Module::new();
        for part in [
            exported_module!(arrays::module),
            exported_module!(blobs::module),
            exported_module!(compare::module),
            exported_module!(maps::module),
            exported_module!(order::module),
            exported_module!(show::module),
            exported_module!(text::module),
        ] {
            all.combine(part);
        }
        all.into()
    });
    made.clone()
}

/// Whether a function is the language's own but for its bounds: such a one is no part of the
/// reference, and a script may have a function of the same name.
pub(in crate::script) fn is_of_language(function: &FuncMetadata) -> bool {
    static KNOWN: OnceLock<HashSet<(String, Vec<String>)>> = OnceLock::new();
    let key = |function: &FuncMetadata| {
        let parameters = function.params_info.iter().map(ToString::to_string);
        (function.name.to_string(), parameters.collect())
    };
    let known = KNOWN.get_or_init(|| {
        let mut engine = Engine::new_raw();
        engine.register_global_module(bounded());
        let all = engine.collect_fn_metadata(None, |found| Some(key(found.metadata)), false);
        all.into_iter().collect()
    });
    known.contains(&key(function))
}

/// Replacements that are not the same but for their bounds.
#[export_module]
pub(super) mod module {
    /// Waits for a number of seconds; ends at once when the run is cancelled or its time is over.
    ///
    /// ```rhai
    /// sleep(0);
    /// true
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sleep(call: NativeCallContext<'_>, seconds: i64) -> Scripted<()> {
        let checked = u64::try_from(seconds).map(Duration::from_secs);
        pause(&call, checked.map_err(|_| refused(&seconds.to_string())))
    }

    /// Waits for a number of seconds with a fraction.
    ///
    /// ```rhai
    /// sleep(0.001);
    /// true
    /// ```
    #[rhai_fn(name = "sleep", return_raw)]
    pub fn sleep_fraction(call: NativeCallContext<'_>, seconds: f64) -> Scripted<()> {
        let checked = Duration::try_from_secs_f64(seconds);
        pause(&call, checked.map_err(|_| refused(&seconds.to_string())))
    }
}

fn refused(seconds: &str) -> HostError {
    HostError::new("ALM-S021", format!("cannot wait for {seconds} seconds"))
}

/// Rhai's own `sleep` would not see that the run is cancelled.
fn pause(call: &NativeCallContext<'_>, length: Result<Duration, HostError>) -> Scripted<()> {
    let context = Context::of(call).thrown()?;
    context
        .cancel()
        .wait(length.thrown()?)
        .map_err(TransportError::from)
        .thrown()
}

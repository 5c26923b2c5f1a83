//! Functions of the language itself that the host must do its own way.

use std::time::Duration;

use rhai::plugin::{NativeCallContext, export_module};

use super::HostError;
use super::error::{Scripted, Thrown};
use crate::script::Context;
use crate::transport::TransportError;

/// Replacements for functions of the standard library.
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

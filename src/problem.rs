//! What every error that reaches a person can tell about itself.
//!
//! Each floor has its own typed errors. This trait is the little that the faces and the scripts
//! need from all of them: a stable code to search for, and the next thing to try.

/// An error with a stable code and, where one is known, a remedy.
///
/// Codes look like `ALM-E012`. The letter names the part: `W` workspace, `S` script, `R` run,
/// `E` environment, `B` branch, `D` deployment, `P` package, `T` transport, `X` emulated tenant,
/// `C` command line. A code never changes its meaning; `alm explain CODE` says more.
pub trait Problem: std::error::Error + Send + Sync + 'static {
    /// The stable code, for example `ALM-E012`.
    fn code(&self) -> &'static str;

    /// One sentence that says what to do next, if something sensible can be said.
    fn hint(&self) -> Option<String> {
        None
    }
}

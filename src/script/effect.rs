//! What a primitive is about to do, and who may forbid it.
//!
//! Every primitive that changes something outside the run asks first, in one way:
//! `context.permit(Effect::on_environment(Action::ImportManaged, "prod"))?`. The words and the rules
//! are data that the workspace owns (`alm.toml` and the persona); this file only asks.

use super::api::HostError;
use crate::workspace::Persona;
pub use crate::workspace::{Action, Effect, Target};

/// Decides about effects. One per run; a script cannot change it.
pub trait Policy: Send + Sync {
    /// Allows `effect` or says why not.
    ///
    /// # Errors
    /// The refusal, worded for the person who runs the script.
    fn permit(&self, effect: &Effect) -> Result<(), HostError>;
}

/// The policy of a host that has none: everything is allowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn permit(&self, _effect: &Effect) -> Result<(), HostError> {
        Ok(())
    }
}

impl Policy for Persona {
    /// Asks `alm.toml`: its policy, then what it says about this persona.
    fn permit(&self, effect: &Effect) -> Result<(), HostError> {
        self.may(effect).map_err(HostError::from)
    }
}

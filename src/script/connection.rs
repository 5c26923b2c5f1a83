//! Signed-in transports for primitives.

use std::sync::Arc;

use super::api::HostError;
use super::context::Context;
use crate::transport::Transport;
use crate::workspace::Connections;

impl Context {
    /// A transport that signs in as `identity` of `alm.toml`, repeats what may be repeated and
    /// stops when the run is cancelled. The secrets that this reads are kept out of the records.
    ///
    /// # Errors
    /// When there is no such identity or its secret cannot be read. Signing in itself happens with
    /// the first request.
    pub fn connection(&self, identity: &str) -> Result<Arc<dyn Transport>, HostError> {
        Ok(self.connections()?.signed_in(identity)?)
    }

    /// All transports of the run.
    ///
    /// # Errors
    /// None today; as [`Context::shared`].
    pub fn connections(&self) -> Result<Arc<Connections>, HostError> {
        self.shared(|context| {
            let learn = context.secret_listener();
            let base = context.transport().clone();
            let made = Connections::over(context.workspace(), base, context.cancel());
            Ok::<_, HostError>(made.telling(learn))
        })
    }
}

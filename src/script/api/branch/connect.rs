//! Opening a repository of `alm.toml` for a run.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::HostError;
use super::source::Repository;
use crate::branch;
use crate::script::Context;
use crate::workspace::{Action, Effect};

/// The repositories that one run has opened, by name.
#[derive(Default)]
struct Open(Mutex<HashMap<String, branch::Repository>>);

/// The repository that `alm.toml` calls `name`, once the policy allows to read it. A run opens each
/// one once.
///
/// # Errors
/// When there is none, and those of the host.
pub(super) fn open(context: &Context, name: &str) -> Result<Repository, HostError> {
    context.permit(Effect::on_repository(Action::Read, name))?;
    let open = context.shared(|_| Ok::<_, HostError>(Open::default()))?;
    let mut open = open.0.lock().unwrap_or_else(PoisonError::into_inner);
    let inner = match open.get(name) {
        Some(found) => found.clone(),
        None => {
            let connections = context.connections()?;
            let made = branch::Repository::connect(&connections, context.persona(), name)?;
            open.insert(name.to_owned(), made.clone());
            made
        }
    };
    Ok(Repository {
        inner,
        context: context.clone(),
    })
}

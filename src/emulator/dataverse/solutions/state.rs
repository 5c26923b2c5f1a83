//! What an environment keeps of a solution's package besides its components.

use serde::{Deserialize, Serialize};

use super::import::Import;
use crate::emulator::dataverse::{ServiceError, Session};
use crate::emulator::store::StoreError;
use crate::solution::component::{Component, Identity, Outline};

/// The kind of the stored documents; their ids are unique names in lower case.
const KIND: &str = "@solution";

/// The frame of a package and what it lists without holding it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub outline: Outline,
    /// Root components that the package lists and does not hold.
    pub only_listed: Vec<Identity>,
}

/// Keeps the frame of what was imported as `name`.
pub(super) fn keep(session: &Session<'_>, name: &str, import: &Import) -> Result<(), ServiceError> {
    let outline = import.split.outline.clone();
    let held: std::collections::HashSet<Identity> = import
        .split
        .components
        .iter()
        .map(Component::identity)
        .collect();
    let roots = outline.roots().unwrap_or_default();
    let only_listed = roots
        .into_iter()
        .map(|root| root.identity)
        .filter(|root| !held.contains(root))
        .collect();
    put(
        session,
        name,
        &Kept {
            outline,
            only_listed,
        },
    )
}

/// What is kept of the solution `name`; nothing of one that was made here.
pub(super) fn of(session: &Session<'_>, name: &str) -> Result<Option<Kept>, ServiceError> {
    let body = session
        .tx
        .get(session.scope(), KIND, &name.to_ascii_lowercase())?;
    Ok(body
        .map(serde_json::from_value)
        .transpose()
        .map_err(StoreError::from)?)
}

/// Moves what is kept to another name, over what was there.
pub(super) fn rename(session: &Session<'_>, from: &str, to: &str) -> Result<(), ServiceError> {
    if let Some(kept) = of(session, from)? {
        put(session, to, &kept)?;
        forget(session, from)?;
    }
    Ok(())
}

/// Forgets it.
pub(super) fn forget(session: &Session<'_>, name: &str) -> Result<(), ServiceError> {
    session
        .tx
        .delete(session.scope(), KIND, &name.to_ascii_lowercase())?;
    Ok(())
}

fn put(session: &Session<'_>, name: &str, kept: &Kept) -> Result<(), ServiceError> {
    let body = serde_json::to_value(kept).map_err(StoreError::from)?;
    Ok(session
        .tx
        .put(session.scope(), KIND, &name.to_ascii_lowercase(), &body)?)
}

//! The part of git over HTTP that the organisation decides: who may read which repository, and
//! which references a push may move. The protocol itself is spoken in `emulator/serve.rs`.

use std::path::{Path, PathBuf};

use super::organisation::Organisation;
use super::refusal::{Answer, not_found};
use super::{refs, repositories};
use crate::emulator::call::Call;
use crate::emulator::store::{StoreError, Transaction};
use crate::transport::Response;

/// A repository that a caller may read and push to.
#[derive(Debug, Clone)]
pub struct RepositoryAccess {
    /// The bare repository's folder.
    pub folder: PathBuf,
    /// What follows the repository's name, for example `["info", "refs"]`.
    pub service: Vec<String>,
}

/// A reference that a push may not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPush {
    /// Its full name.
    pub name: String,
    /// Why, as git shows it to whoever pushes.
    pub reason: String,
}

/// The repository that a git client asks for at `/{organisation}/{project}/_git/{repository}/…` or
/// `/{organisation}/_git/{repository}/…`, or the answer that refuses it. What was pushed before is
/// taken note of on the way.
///
/// # Errors
/// Those of the store.
pub fn repository_access(
    call: &Call,
    tx: &Transaction<'_>,
    repositories: &Path,
) -> Result<Result<RepositoryAccess, Response>, StoreError> {
    let find = || -> Answer<RepositoryAccess> {
        let organisation = super::enter(call, tx, repositories)?;
        refs::catch_up(&organisation)?;
        let (repository, service) = locate(&organisation)?;
        Ok(RepositoryAccess {
            folder: organisation.folder.join(&repository.folder),
            service: service.iter().map(|part| (*part).to_owned()).collect(),
        })
    };
    match find() {
        Ok(access) => Ok(Ok(access)),
        Err(refusal) => refusal.into_response().map(Err),
    }
}

/// Which of the references that a push wants to move may not be moved. `moves` are full names, and
/// whether the push makes the reference.
///
/// # Errors
/// Those of the store.
pub fn refused_pushes(
    call: &Call,
    tx: &Transaction<'_>,
    repositories: &Path,
    moves: &[(String, bool)],
) -> Result<Result<Vec<RefusedPush>, Response>, StoreError> {
    let check = || -> Answer<Vec<RefusedPush>> {
        let organisation = super::enter(call, tx, repositories)?;
        let (repository, _) = locate(&organisation)?;
        let mut refused = Vec::new();
        for (name, creates) in moves {
            if let Some(reason) = refs::refuses_push(&organisation, &repository, name, *creates)? {
                refused.push(RefusedPush {
                    name: name.clone(),
                    reason,
                });
            }
        }
        Ok(refused)
    };
    match check() {
        Ok(refused) => Ok(Ok(refused)),
        Err(refusal) => refusal.into_response().map(Err),
    }
}

fn locate<'c>(organisation: &Organisation<'c>) -> Answer<(repositories::Repository, Vec<&'c str>)> {
    let segments: Vec<&'c str> = organisation.call.path.iter().map(String::as_str).collect();
    let Some(git) = segments.iter().position(|part| *part == "_git") else {
        return Err(not_found(
            "GitRepositoryNotFoundException",
            "This is no repository's address.",
        ));
    };
    let Some(name) = segments.get(git + 1) else {
        return Err(not_found(
            "GitRepositoryNotFoundException",
            "The address names no repository.",
        ));
    };
    // Without a project, the repository's name is the project's too.
    let project = if git > 1 { segments[1] } else { name };
    let project = repositories::project(organisation, project)?;
    let repository = repositories::repository(organisation, Some(&project), name)?;
    Ok((repository, segments[git + 2..].to_vec()))
}

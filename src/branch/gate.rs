//! The validation that stands between a pull request and its branch: whether the policy that the
//! profile asks for is there.
//!
//! A policy is made with the pipelines of a solution, by a save. When that did not come so far, or
//! somebody took the policy away, the host would let a pull request through unchecked. So it is read
//! back, before a pull request is opened and before one is completed.

use std::collections::BTreeSet;

use super::pipelines::{name_of, paths_of};
use super::{BranchError, PullRequest, Repository};
use crate::workspace::config::{Config, Profile};

impl Repository {
    /// Whether `profile` has pull requests that bring `solution` into `branch` validated, and the
    /// branch has no policy that does it.
    ///
    /// # Errors
    /// Those of the host.
    pub fn lacks_validation(
        &self,
        profile: &Profile,
        solution: &str,
        branch: &str,
    ) -> Result<bool, BranchError> {
        let Some(validation) = profile.validation() else {
            return Ok(false);
        };
        let behind = profile.branches_behind_pull_requests(solution);
        if !behind.iter().any(|one| one == branch) {
            return Ok(false);
        }
        let host = self.host();
        let name = name_of(&validation.environment, solution);
        let pipelines = host.definitions(Some(&name))?;
        let policies = host.build_validations(branch)?;
        let does_it = policies.iter().any(|policy| {
            pipelines.iter().any(|it| it.id == policy.definition)
                && (policy.paths.is_empty() || policy.paths.contains(&paths_of(solution)))
        });
        Ok(!does_it)
    }

    /// Refuses a pull request that would be completed without the validation that the profile of a
    /// solution in it asks for.
    ///
    /// # Errors
    /// [`BranchError::Unvalidated`], and those of the host.
    pub fn check_validated(
        &self,
        config: &Config,
        request: &PullRequest,
    ) -> Result<(), BranchError> {
        for solution in self.solutions_in(request)? {
            let Some((_, profile)) = config.profile_for(Some(&solution)) else {
                continue;
            };
            if profile.repository == self.name()
                && self.lacks_validation(profile, &solution, &request.target)?
            {
                return Err(BranchError::Unvalidated {
                    solution,
                    branch: request.target.clone(),
                });
            }
        }
        Ok(())
    }

    /// The solutions that a pull request changes, by their folders.
    fn solutions_in(&self, request: &PullRequest) -> Result<BTreeSet<String>, BranchError> {
        self.refresh()?;
        let source = self.branch(&request.source).commit_id()?;
        let target = self.branch(&request.target).commit_id()?;
        let store = self.store();
        let base = store.merge_base(source, target)?;
        let mut folders: BTreeSet<String> = self.solution_folders(source)?.into_iter().collect();
        folders.extend(self.solution_folders(target)?);
        let changes = store.diff(base, source)?;
        let changed = |folder: &String| {
            changes.iter().any(|change| {
                let rest = change.path.strip_prefix(folder.as_str());
                rest.is_some_and(|rest| rest.starts_with('/'))
            })
        };
        Ok(folders.into_iter().filter(changed).collect())
    }
}

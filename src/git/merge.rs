//! Three-way merges, and replaying commits on another base.

use std::collections::BTreeSet;

use gix::merge::blob::builtin_driver::text::Labels;
use gix::merge::commit::Options;
use gix::merge::tree::TreatAsUnresolved;

use super::{BareRepository, GitError, LogOptions, ObjectId, Person};

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// The merged tree, already written.
    Clean(ObjectId),
    /// The paths that both sides changed in different ways, sorted.
    Conflicts(Vec<String>),
}

impl BareRepository {
    /// Merges the commits `ours` and `theirs` on their best common ancestor. Nothing is committed.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be written.
    pub fn merge(&self, ours: ObjectId, theirs: ObjectId) -> Result<Merge, GitError> {
        let repository = self.local();
        let options: Options = repository
            .tree_merge_options()
            .map_err(|error| self.failed(&error))?
            .into();
        let outcome = repository
            .merge_commits(
                ours,
                theirs,
                labels(),
                options.with_allow_missing_merge_base(true),
            )
            .map_err(|error| self.failed(&error))?;
        self.finish(outcome.tree_merge)
    }

    /// Replays the commits of `commits` that `onto` does not have on top of `onto`, oldest first,
    /// keeping their authors; merges among them are passed over, as `git rebase` does.
    ///
    /// Returns the new tip, or the paths on which a commit did not apply.
    ///
    /// # Errors
    /// When a commit is not there or the repository cannot be written.
    pub fn rebase(
        &self,
        commits: ObjectId,
        onto: ObjectId,
        committer: &Person,
        seconds: i64,
    ) -> Result<Merge, GitError> {
        let options = LogOptions {
            hidden: vec![onto],
            ..LogOptions::default()
        };
        let mut tip = onto;
        for commit in self.log(commits, &options)?.into_iter().rev() {
            let [parent] = commit.parents[..] else {
                continue;
            };
            let repository = self.local();
            let base = self.tree(&repository, parent)?.id;
            let ours = self.tree(&repository, tip)?.id;
            let options = repository
                .tree_merge_options()
                .map_err(|error| self.failed(&error))?;
            let outcome = repository
                .merge_trees(base, ours, commit.tree, labels(), options)
                .map_err(|error| self.failed(&error))?;
            match self.finish(outcome)? {
                Merge::Clean(tree) if tree == ours => {}
                Merge::Clean(tree) => {
                    tip = self.commit_tree_as(
                        tree,
                        &[tip],
                        &commit.message,
                        (&commit.author, commit.authored),
                        (committer, seconds),
                    )?;
                }
                conflicts => return Ok(conflicts),
            }
        }
        Ok(Merge::Clean(tip))
    }

    fn finish(&self, mut outcome: gix::merge::tree::Outcome<'_>) -> Result<Merge, GitError> {
        let how = TreatAsUnresolved::git();
        let mut paths = BTreeSet::new();
        for conflict in outcome
            .conflicts
            .iter()
            .filter(|conflict| conflict.is_unresolved(how))
        {
            let (ours, theirs) = conflict.changes_in_resolution();
            paths.insert(ours.location().to_string());
            paths.insert(theirs.location().to_string());
        }
        if !paths.is_empty() {
            return Ok(Merge::Conflicts(paths.into_iter().collect()));
        }
        let tree = outcome.tree.write().map_err(|error| self.failed(&error))?;
        Ok(Merge::Clean(tree.detach()))
    }
}

fn labels() -> Labels<'static> {
    Labels {
        ancestor: Some("base".into()),
        current: Some("target".into()),
        other: Some("source".into()),
    }
}

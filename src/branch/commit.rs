//! Commits: what a script asks for, and making one on a branch that others use too.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Branch, BranchError};
use crate::git::{Changes, ObjectId, Person};

/// How often a commit is built anew because the branch moved meanwhile.
const ATTEMPTS: usize = 4;

/// A commit to be made.
#[derive(Debug, Clone, Default)]
pub struct NewCommit {
    /// The message. `#123` mentions work item 123.
    pub message: String,
    /// Who makes it; the history shows the maker and not the program.
    pub author: Option<Person>,
    /// Who else had a part in it: named at the end of the message, as hosts read it.
    pub co_authors: Vec<Person>,
    /// Folders that shall hold exactly these files, by relative path.
    pub folders: Vec<(String, Vec<(String, Bytes)>)>,
    /// Files to write, by path.
    pub files: Vec<(String, Bytes)>,
    /// Files or folders to delete.
    pub delete: Vec<String>,
}

/// A commit that was made, or nothing when there was nothing to commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The head of the branch afterwards: the new commit, or where the branch was when there was
    /// nothing to commit.
    pub id: String,
    /// Whether nothing changed. That is no error.
    pub is_empty: bool,
    /// The paths that changed.
    pub files: Vec<String>,
    /// The work items that the message mentions.
    pub work_items: Vec<i64>,
    /// The branch.
    pub branch: String,
}

impl NewCommit {
    /// The message with the co-authors as trailers.
    fn whole_message(&self) -> String {
        let mut message = self.message.trim_end().to_owned();
        for (index, person) in self.co_authors.iter().enumerate() {
            message.push_str(if index == 0 { "\n\n" } else { "\n" });
            message.push_str("Co-authored-by: ");
            message.push_str(&person.to_string());
        }
        if self.co_authors.is_empty() {
            self.message.clone()
        } else {
            message
        }
    }
}

impl Branch {
    /// Commits to this branch, which has to exist, and pushes.
    ///
    /// When somebody pushed meanwhile, the commit is made again on top of that, unless both touch
    /// the same files.
    ///
    /// # Errors
    /// [`BranchError::Changed`] when both touch the same files, [`BranchError::Policy`] when the
    /// branch takes no pushes, [`BranchError::NoBranch`], and those of reaching the remote.
    pub fn commit(&self, new: &NewCommit) -> Result<Commit, BranchError> {
        let repository = self.repository();
        let store = repository.store();
        if new.message.trim().is_empty() {
            return Err(BranchError::Invalid("a commit needs a message".into()));
        }
        let changes = changes(new)?;
        let message = new.whole_message();
        let author = new.author.clone().unwrap_or_else(Person::service);
        let mut seen: Option<ObjectId> = None;
        for attempt in 1.. {
            repository.refresh()?;
            let head = self
                .head()?
                .ok_or_else(|| BranchError::NoBranch(self.name().into()))?;
            if let Some(before) = seen {
                self.refuse_overlap(before, head, new)?;
            }
            seen = Some(head);
            let now = jiff::Timestamp::now().as_second();
            let made = store.commit(Some(head), &changes, &message, &author, now)?;
            let mut commit = Commit {
                id: head.to_string(),
                is_empty: made.is_none(),
                files: Vec::new(),
                work_items: mentioned_work_items(&new.message),
                branch: self.name().to_owned(),
            };
            let Some(id) = made else { return Ok(commit) };
            match repository.publish(&self.full_name(), Some(head), Some(id)) {
                Ok(()) => {
                    let changed = store.diff(Some(head), id)?;
                    commit.files = changed.into_iter().map(|change| change.path).collect();
                    commit.id = id.to_string();
                    return Ok(commit);
                }
                Err(BranchError::Changed { .. }) if attempt < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
        }
        unreachable!("the loop ends with its last attempt")
    }

    /// Refuses to write over what somebody else pushed after this commit was begun.
    fn refuse_overlap(
        &self,
        before: ObjectId,
        now: ObjectId,
        new: &NewCommit,
    ) -> Result<(), BranchError> {
        let mut touched: BTreeSet<&str> = new.files.iter().map(|(path, _)| path.as_str()).collect();
        touched.extend(new.delete.iter().map(String::as_str));
        let folders: Vec<&str> = new
            .folders
            .iter()
            .map(|(folder, _)| folder.as_str())
            .collect();
        let within = |path: &str, folder: &str| {
            folder.is_empty()
                || path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let theirs = self.repository().store().diff(Some(before), now)?;
        let both = theirs.iter().find(|change| {
            touched.contains(change.path.as_str())
                || folders.iter().any(|folder| within(&change.path, folder))
                || new.delete.iter().any(|folder| within(&change.path, folder))
        });
        match both {
            None => Ok(()),
            Some(change) => Err(BranchError::Changed {
                reason: format!("`{}` on branch `{}`", change.path, self.name()),
            }),
        }
    }
}

/// The numbers of the work items that a message mentions as `#123`, in order, each once.
pub fn mentioned_work_items(message: &str) -> Vec<i64> {
    let mut found = Vec::new();
    for (position, _) in message.match_indices('#') {
        let joined = |c: char| c.is_alphanumeric() || c == '&' || c == '#';
        if message[..position].ends_with(joined) {
            continue;
        }
        let rest = &message[position + 1..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        if rest[length..].starts_with(char::is_alphanumeric) {
            continue;
        }
        if let Ok(id) = rest[..length].parse()
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

fn changes(new: &NewCommit) -> Result<Changes, BranchError> {
    let mut changes = Changes::new();
    for path in &new.delete {
        changes.delete(path)?;
    }
    for (folder, files) in &new.folders {
        let files = files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.to_vec()));
        changes.replace_folder(folder, files)?;
    }
    for (path, bytes) in &new.files {
        changes.put(path, bytes.to_vec())?;
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::mentioned_work_items;

    #[test]
    fn mentions_are_numbers_that_stand_alone() {
        assert_eq!(mentioned_work_items("#1 (#22) fixes #22, #3."), [1, 22, 3]);
        assert_eq!(
            mentioned_work_items("AB#1 &#39; #4x ## #"),
            Vec::<i64>::new()
        );
    }
}

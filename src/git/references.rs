//! References: reading them, and moving them by compare and set.

use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit};
use gix::refs::{FullName, Target};

use super::{BareRepository, GitError, ObjectId};

/// A reference and the commit that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The full name, for example `refs/heads/main`.
    pub name: String,
    /// What it points at; for an annotated tag the tag's commit.
    pub id: ObjectId,
}

/// What a reference has to be for an update to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It does not exist.
    Absent,
    /// It points at this commit.
    At(ObjectId),
    /// Whatever it is.
    Any,
}

impl BareRepository {
    /// All references whose full name starts with `prefix`, sorted by name.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn references(&self, prefix: &str) -> Result<Vec<Reference>, GitError> {
        let repository = self.local();
        let platform = repository
            .references()
            .map_err(|error| self.failed(&error))?;
        let mut found = Vec::new();
        for reference in platform.all().map_err(|error| self.failed(&error))? {
            let reference = reference.map_err(|error| self.failed(&error))?;
            let name = reference.name().as_bstr().to_string();
            if !name.starts_with(prefix) {
                continue;
            }
            let id = reference
                .into_fully_peeled_id()
                .map_err(|error| self.failed(&error))?;
            found.push(Reference {
                name,
                id: id.detach(),
            });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The commit that the reference with this full name points at, if it exists.
    ///
    /// # Errors
    /// When the name is not allowed or the repository cannot be read.
    pub fn reference(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        let full = full_name(name)?;
        let repository = self.local();
        let found = repository
            .try_find_reference(full.as_ref())
            .map_err(|error| self.failed(&error))?;
        match found {
            None => Ok(None),
            Some(reference) => {
                let id = reference
                    .into_fully_peeled_id()
                    .map_err(|error| self.failed(&error))?;
                Ok(Some(id.detach()))
            }
        }
    }

    /// The full name of the default branch, whether or not it has a commit.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn head(&self) -> Result<String, GitError> {
        let name = self
            .local()
            .head_name()
            .map_err(|error| self.failed(&error))?;
        Ok(name.map_or_else(
            || "refs/heads/main".into(),
            |name| name.as_bstr().to_string(),
        ))
    }

    /// Makes the branch with this full name the default branch.
    ///
    /// # Errors
    /// When the name is not allowed or the repository cannot be written.
    pub fn set_head(&self, branch: &str) -> Result<(), GitError> {
        let target = full_name(branch)?;
        let head = full_name("HEAD")?;
        let change = Change::Update {
            log: LogChange::default(),
            expected: PreviousValue::Any,
            new: Target::Symbolic(target),
        };
        self.edit(RefEdit {
            change,
            name: head,
            deref: false,
        })
    }

    /// Creates, moves or (with `new` left out) deletes the reference with this full name, if it is
    /// what `expected` says.
    ///
    /// # Errors
    /// [`GitError::Stale`] when it is not, [`GitError::BadName`] when git does not allow the name.
    pub fn update_reference(
        &self,
        name: &str,
        expected: Expected,
        new: Option<ObjectId>,
    ) -> Result<(), GitError> {
        let full = full_name(name)?;
        // gix reports a mismatch as one of many failures; asking first gives it a name, and the
        // transaction below still decides.
        let current = self.reference(name)?;
        let matches = match expected {
            Expected::Any => true,
            Expected::Absent => current.is_none(),
            Expected::At(id) => current == Some(id),
        };
        if !matches {
            return Err(GitError::Stale {
                name: name.to_owned(),
            });
        }
        let expected = match expected {
            Expected::Any => PreviousValue::Any,
            Expected::Absent => PreviousValue::MustNotExist,
            Expected::At(id) => PreviousValue::MustExistAndMatch(Target::Object(id)),
        };
        let change = match new {
            Some(id) => Change::Update {
                log: LogChange {
                    message: "alm".into(),
                    ..LogChange::default()
                },
                expected,
                new: Target::Object(id),
            },
            None => Change::Delete {
                expected,
                log: gix::refs::transaction::RefLog::AndReference,
            },
        };
        self.edit(RefEdit {
            change,
            name: full,
            deref: false,
        })
        .map_err(|error| match self.reference(name) {
            Ok(now) if now != current => GitError::Stale {
                name: name.to_owned(),
            },
            _ => error,
        })
    }

    /// The commit that `text` names: a branch or tag by full or short name, or a commit by its
    /// id, whole or at least 7 digits of it.
    ///
    /// # Errors
    /// [`GitError::Missing`] when it names nothing.
    pub fn resolve(&self, text: &str) -> Result<ObjectId, GitError> {
        for name in [
            text.to_owned(),
            format!("refs/heads/{text}"),
            format!("refs/tags/{text}"),
        ] {
            if !name.starts_with("refs/") && name != "HEAD" {
                continue;
            }
            if let Ok(Some(id)) = self.reference(&name) {
                return Ok(id);
            }
        }
        let missing = || GitError::Missing {
            name: text.to_owned(),
        };
        let hexadecimal = text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hexadecimal {
            return Err(missing());
        }
        let repository = self.local();
        let id = repository
            .rev_parse_single(text)
            .map_err(|_| missing())?
            .detach();
        match repository.find_commit(id) {
            Ok(_) => Ok(id),
            Err(_) => Err(missing()),
        }
    }

    fn edit(&self, edit: RefEdit) -> Result<(), GitError> {
        let signature = super::Person::service().signature(0);
        let mut buffer = gix::date::parse::TimeBuf::default();
        self.local()
            .edit_references_as([edit], Some(signature.to_ref(&mut buffer)))
            .map_err(|error| self.failed(&error))?;
        Ok(())
    }
}

/// `name` as gix wants it.
pub(super) fn full_name(name: &str) -> Result<FullName, GitError> {
    FullName::try_from(name).map_err(|_| GitError::BadName {
        name: name.to_owned(),
    })
}

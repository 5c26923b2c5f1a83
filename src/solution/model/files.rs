//! A package and a source tree as files that components stand in.

use std::collections::HashSet;

use bytes::Bytes;

use super::place::{self, Place};
use crate::solution::component::standing::Standing;
use crate::solution::component::{self, Identity, code};
use crate::solution::{
    CUSTOMIZATIONS_XML, Package, PackageError, SOLUTION_FILE, SOLUTION_XML, SourceTree,
};

/// What components can be changed in: a [`Package`] or a [`SourceTree`].
pub trait Files: Clone {
    /// The content of a file.
    fn content(&self, path: &str) -> Option<Bytes>;

    /// Adds or replaces a file.
    ///
    /// # Errors
    /// [`PackageError::UnsafeName`].
    fn set(&mut self, path: &str, data: Vec<u8>) -> Result<(), PackageError>;

    /// Takes a file out.
    fn take_out(&mut self, path: &str);

    /// The file with the manifest.
    fn manifest_path(&self) -> String;

    /// The files that can define one of these components by their names, and how each holds its
    /// components; with `all` those that are called otherwise, too.
    #[doc(hidden)]
    fn homes(&self, wanted: &HashSet<Identity>, all: bool) -> Vec<(String, Home)>;
}

/// How a file holds components, as [`Files`] knows it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Home(pub(crate) Kind);

/// See [`Home`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An XML document in which components have their places.
    Document(Standing),
    /// The whole file is this component.
    Whole(Identity),
}

impl Files for Package {
    fn content(&self, path: &str) -> Option<Bytes> {
        self.shared_part(path)
    }

    fn set(&mut self, path: &str, data: Vec<u8>) -> Result<(), PackageError> {
        let is_new = self.find(path).is_none();
        self.set_part(path, data)?;
        if is_new {
            self.declare_part(path)?;
        }
        Ok(())
    }

    fn take_out(&mut self, path: &str) {
        self.remove_part(path);
    }

    fn manifest_path(&self) -> String {
        let part = self.find(SOLUTION_XML);
        part.map_or(SOLUTION_XML, |part| &part.name).to_owned()
    }

    fn homes(&self, wanted: &HashSet<Identity>, _: bool) -> Vec<(String, Home)> {
        let customizations = self.find(CUSTOMIZATIONS_XML);
        let mut homes: Vec<(String, Home)> = customizations
            .map(|part| {
                let standing = Kind::Document(Standing::Customizations);
                (part.name.clone(), Home(standing))
            })
            .into_iter()
            .collect();
        let names = self.parts().iter().map(|part| part.name.as_str());
        homes.extend(passed_through(names, wanted));
        homes
    }
}

impl Files for SourceTree {
    fn content(&self, path: &str) -> Option<Bytes> {
        self.shared(path)
    }

    fn set(&mut self, path: &str, data: Vec<u8>) -> Result<(), PackageError> {
        self.insert(path, data)
    }

    fn take_out(&mut self, path: &str) {
        self.remove(path);
    }

    fn manifest_path(&self) -> String {
        SOLUTION_FILE.to_owned()
    }

    fn homes(&self, wanted: &HashSet<Identity>, all: bool) -> Vec<(String, Home)> {
        // A column stands in the file of its table.
        let owners: HashSet<Identity> = wanted
            .iter()
            .map(
                |identity| match (identity.component_type.code(), identity.key.split_once('.')) {
                    (Some(code::COLUMN), Some((table, _))) => Identity::table(table),
                    _ => identity.clone(),
                },
            )
            .collect();
        let mut homes = Vec::new();
        for path in self.paths() {
            let Some(standing) = Standing::of_file(path) else {
                continue;
            };
            let is_candidate = match (&standing, place::of(self, path)) {
                (Standing::One(_) | Standing::Parts { .. }, Place::Of { identity, .. }) => {
                    all || owners.contains(&identity)
                }
                _ => true,
            };
            if is_candidate {
                homes.push((path.to_owned(), Home(Kind::Document(standing))));
            }
        }
        homes.extend(passed_through(self.paths(), wanted));
        homes
    }
}

/// The files of pass-through components among `names`.
fn passed_through<'a>(
    names: impl Iterator<Item = &'a str>,
    wanted: &HashSet<Identity>,
) -> Vec<(String, Home)> {
    names
        .filter(|name| name.contains('/') && Standing::of_file(name).is_none())
        .filter_map(|name| {
            let identity = component::passed_through(name);
            let home = || (name.to_owned(), Home(Kind::Whole(identity.clone())));
            wanted.contains(&identity).then(home)
        })
        .collect()
}

//! Finding the unpacked solution in a folder or a tree, and telling its layouts apart.

use std::path::{Path, PathBuf};

use super::{PackageError, SOLUTION_FILE, SourceTree};

/// Sub-folders in which repositories keep the unpacked form: AA4PP, its older form, `.cdsproj`.
const HOMES: [&str; 4] = ["", "SolutionPackage/src", "SolutionPackage", "src"];

/// The folder with `Other/Solution.xml` at or below a folder on disk, in one of the layouts that
/// AA4PP and `.cdsproj` projects use (facts §17 for the one that is not supported).
///
/// # Errors
///
/// [`PackageError::Layout`] for the YAML layout, [`PackageError::NotATree`] if there is none.
pub fn locate_source(folder: &Path) -> Result<PathBuf, PackageError> {
    for home in HOMES {
        let candidate = if home.is_empty() {
            folder.to_owned()
        } else {
            folder.join(home)
        };
        if candidate.join("Other").join("Solution.xml").is_file() {
            return Ok(candidate);
        }
    }
    if has_yaml_solution(folder) {
        return Err(yaml());
    }
    Err(PackageError::NotATree {
        missing: SOLUTION_FILE.to_owned(),
    })
}

fn has_yaml_solution(folder: &Path) -> bool {
    std::fs::read_dir(folder.join("solutions")).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.path().join("solution.yml").is_file())
    })
}

/// The prefix of the unpacked form in a tree, without a slash at the end; empty for the tree itself.
///
/// # Errors
///
/// As [`locate_source`].
pub fn locate_in_tree(tree: &SourceTree) -> Result<&'static str, PackageError> {
    let found = HOMES.into_iter().find(|home| {
        if home.is_empty() {
            tree.get(SOLUTION_FILE).is_some()
        } else {
            tree.get(&format!("{home}/{SOLUTION_FILE}")).is_some()
        }
    });
    match found {
        Some(home) => Ok(home),
        None if is_yaml(tree) => Err(yaml()),
        None => Err(PackageError::NotATree {
            missing: SOLUTION_FILE.to_owned(),
        }),
    }
}

/// Accepts a tree whose root is the unpacked form.
pub(crate) fn require_xml_layout(tree: &SourceTree) -> Result<(), PackageError> {
    if tree.get(SOLUTION_FILE).is_some() {
        Ok(())
    } else if is_yaml(tree) {
        Err(yaml())
    } else {
        Err(PackageError::NotATree {
            missing: SOLUTION_FILE.to_owned(),
        })
    }
}

fn is_yaml(tree: &SourceTree) -> bool {
    tree.paths().any(|path| {
        let mut segments = path.split('/');
        segments.next() == Some("solutions")
            && segments.next().is_some()
            && segments.next() == Some("solution.yml")
            && segments.next().is_none()
    })
}

fn yaml() -> PackageError {
    PackageError::Layout {
        layout: "YAML source-control",
        reason: "it is made by Dataverse Git integration and by pac 2.4.1 or newer, and cannot be \
                 packed here; unpack the solution into the XML layout"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> SourceTree {
        let mut tree = SourceTree::new();
        for path in paths {
            tree.insert(*path, Vec::new()).unwrap();
        }
        tree
    }

    #[test]
    fn the_layouts_of_repositories_are_found() {
        assert_eq!(locate_in_tree(&tree(&["Other/Solution.xml"])).unwrap(), "");
        assert_eq!(
            locate_in_tree(&tree(&["SolutionPackage/src/Other/Solution.xml"])).unwrap(),
            "SolutionPackage/src"
        );
        assert_eq!(
            locate_in_tree(&tree(&["a.cdsproj", "src/Other/Solution.xml"])).unwrap(),
            "src"
        );
    }

    #[test]
    fn the_yaml_layout_is_named() {
        let yaml = tree(&[
            "solutions/Sales/solution.yml",
            "publishers/contoso/publisher.yml",
        ]);
        assert!(matches!(
            locate_in_tree(&yaml),
            Err(PackageError::Layout { .. })
        ));
        assert!(matches!(
            locate_in_tree(&tree(&["a/b"])),
            Err(PackageError::NotATree { .. })
        ));
    }
}

//! Finding the unpacked solution in a folder or a tree, and telling its layouts apart.

use std::path::{Path, PathBuf};

use super::{PackageError, SOLUTION_FILE, SourceTree};

/// Sub-folders in which repositories keep the unpacked form: AA4PP, its older form, `.cdsproj`.
const HOMES: [&str; 4] = ["", "SolutionPackage/src", "SolutionPackage", "src"];

/// How a folder holds a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `Other/Solution.xml` and XML files, as SolutionPackager has always written them.
    Xml,
    /// `solutions/<name>/solution.yml` and YAML files (facts §17); [`yaml`](super::yaml) reads it.
    Yaml,
}

/// The folder that holds an unpacked solution, at or below a folder on disk, in one of the places
/// that AA4PP and `.cdsproj` projects use, and its layout.
///
/// # Errors
///
/// [`PackageError::NotATree`] if there is none.
pub fn locate_layout(folder: &Path) -> Result<(PathBuf, Layout), PackageError> {
    let homes = || {
        HOMES.into_iter().map(|home| match home {
            "" => folder.to_owned(),
            home => folder.join(home),
        })
    };
    let has_xml = |home: &PathBuf| home.join("Other").join("Solution.xml").is_file();
    let xml = homes().find(has_xml).map(|home| (home, Layout::Xml));
    let yaml = || homes().find(|home| has_yaml_solution(home));
    xml.or_else(|| yaml().map(|home| (home, Layout::Yaml)))
        .ok_or_else(|| PackageError::NotATree {
            missing: SOLUTION_FILE.to_owned(),
        })
}

/// As [`locate_layout`], where only the XML layout can be used.
///
/// # Errors
///
/// [`PackageError::Layout`] for the YAML layout, [`PackageError::NotATree`] if there is none.
pub fn locate_source(folder: &Path) -> Result<PathBuf, PackageError> {
    match locate_layout(folder)? {
        (home, Layout::Xml) => Ok(home),
        (_, Layout::Yaml) => Err(yaml()),
    }
}

fn has_yaml_solution(folder: &Path) -> bool {
    std::fs::read_dir(folder.join("solutions")).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.path().join("solution.yml").is_file())
    })
}

/// The prefix of the unpacked form in a tree, without a slash at the end, and its layout; the prefix
/// is empty for the tree itself.
///
/// # Errors
///
/// As [`locate_layout`].
pub fn locate_in_tree(tree: &SourceTree) -> Result<(&'static str, Layout), PackageError> {
    let path = |home: &str, file: &str| match home {
        "" => file.to_owned(),
        home => format!("{home}/{file}"),
    };
    let xml = HOMES
        .into_iter()
        .find(|home| tree.get(&path(home, SOLUTION_FILE)).is_some());
    let yaml = || {
        HOMES.into_iter().find(|home| match *home {
            "" => is_yaml(tree),
            home => is_yaml(&tree.below(home)),
        })
    };
    xml.map(|home| (home, Layout::Xml))
        .or_else(|| yaml().map(|home| (home, Layout::Yaml)))
        .ok_or_else(|| PackageError::NotATree {
            missing: SOLUTION_FILE.to_owned(),
        })
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
    !super::yaml::solutions(tree).is_empty()
}

fn yaml() -> PackageError {
    PackageError::Layout {
        layout: "YAML source-control",
        reason: "this can only be done in the XML layout; `alm solution pack` reads both, and \
                 unpacking the package gives the XML layout"
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
        assert_eq!(
            locate_in_tree(&tree(&["Other/Solution.xml"])).unwrap(),
            ("", Layout::Xml)
        );
        assert_eq!(
            locate_in_tree(&tree(&["SolutionPackage/src/Other/Solution.xml"])).unwrap(),
            ("SolutionPackage/src", Layout::Xml)
        );
        assert_eq!(
            locate_in_tree(&tree(&["a.cdsproj", "src/Other/Solution.xml"])).unwrap(),
            ("src", Layout::Xml)
        );
    }

    #[test]
    fn the_yaml_layout_is_named() {
        let yaml = tree(&[
            "solutions/Sales/solution.yml",
            "publishers/contoso/publisher.yml",
        ]);
        assert_eq!(locate_in_tree(&yaml).unwrap(), ("", Layout::Yaml));
        assert_eq!(
            locate_in_tree(&tree(&["src/solutions/Sales/solution.yml"])).unwrap(),
            ("src", Layout::Yaml)
        );
        assert!(matches!(
            require_xml_layout(&yaml),
            Err(PackageError::Layout { .. })
        ));
        assert!(matches!(
            locate_in_tree(&tree(&["a/b"])),
            Err(PackageError::NotATree { .. })
        ));
    }
}

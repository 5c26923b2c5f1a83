//! A readable copy of canvas apps beside them in a source tree.

use bytes::Bytes;

use super::CanvasApp;
use crate::solution::{Finding, Limits, NestedBudget, PackageError, SourceTree};

/// The end of the name of an app's `.msapp`, whose beginning is the app's name.
const DOCUMENT: &str = "_DocumentUri.msapp";
/// An app that was asked to be taken apart stays one file.
const WHOLE: &str = "ALM-P222";
/// An app that was asked to be put together is packed as it is.
const AS_IT_IS: &str = "ALM-P223";

/// Whether a file of a tree is such a copy: below `CanvasApps/<app>_src/`. Packers pass it over,
/// because `CanvasApps` belongs to the components that name their files (facts §7.5).
pub fn is_mirror(path: &str) -> bool {
    path.strip_prefix("CanvasApps/")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(folder, _)| folder.ends_with("_src"))
}

/// The tree with the YAML of each canvas app in `CanvasApps/<app>_src/`, and without copies that no
/// app has any more. Apps that were last saved before there was YAML have no copy.
///
/// # Errors
/// As [`CanvasApp::read`]; a path in an app that leaves the folder is
/// [`PackageError::UnsafeName`].
pub fn mirror(tree: &SourceTree, limits: &Limits) -> Result<SourceTree, PackageError> {
    let budget = NestedBudget::new(limits);
    let mut mirrored = tree.clone();
    mirrored.retain(|path| !is_mirror(path));
    for (path, data) in tree.iter() {
        let name = path
            .strip_prefix("CanvasApps/")
            .and_then(|file| file.strip_suffix(DOCUMENT));
        let Some(name) = name else {
            continue;
        };
        for (file, text) in CanvasApp::read(data, &budget)?.sources {
            mirrored.insert(format!("CanvasApps/{name}_src/{file}"), Bytes::from(text))?;
        }
    }
    Ok(mirrored)
}

/// What to tell somebody who unpacks with `--processCanvasApps`, the deprecated request to take
/// every app apart (facts §16).
pub fn not_taken_apart(tree: &SourceTree) -> Vec<Finding> {
    let message = "the app stays one file, since Microsoft deprecated `--processCanvasApps`; its \
                   YAML is mirrored beside it for reading";
    apps(tree)
        .map(|path| Finding::warning(WHOLE, path, message.to_owned()))
        .collect()
}

/// What to tell somebody who packs with `--processCanvasApps`.
pub fn not_put_together(tree: &SourceTree) -> Vec<Finding> {
    let message = "the app is packed as it is; the source mirrored beside it is for reading only";
    apps(tree)
        .map(|path| Finding::note(AS_IT_IS, path, message.to_owned()))
        .collect()
}

fn apps(tree: &SourceTree) -> impl Iterator<Item = &str> {
    tree.paths()
        .filter(|path| path.starts_with("CanvasApps/") && path.ends_with(DOCUMENT))
}

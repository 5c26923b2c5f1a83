//! Bringing the files of one package, or of a pair, into one tree (facts §10).

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::recipe::{Output, Precedence};
use crate::portable_path::hide_dots;
use crate::solution::{
    CUSTOMIZATIONS_FILE, Finding, PackageError, SOLUTION_FILE, SourceTree, names,
};

/// The files of one package; two for one place are an error, for one of them would be lost.
///
/// Two that are the same byte for byte lose nothing: a part that two components name, or a
/// component that stands twice.
pub(super) fn single(
    outputs: Vec<Output>,
    findings: &mut Vec<Finding>,
) -> Result<SourceTree, PackageError> {
    let mut tree = SourceTree::new();
    for output in unique(outputs, findings)? {
        tree.insert(output.path, output.data)?;
    }
    Ok(tree)
}

/// The files of the unmanaged package with what the managed one adds and overwrites.
///
/// What the managed package holds and does not get into the tree is reported (facts §19, 8).
pub(super) fn pair(
    plain: Vec<Output>,
    twins: Vec<Output>,
    findings: &mut Vec<Finding>,
) -> Result<SourceTree, PackageError> {
    let mut tree = single(plain, findings)?;
    let mut places: HashMap<String, String> = tree
        .paths()
        .map(|path| (names::fold(path), path.to_owned()))
        .collect();
    for output in unique(twins, findings)? {
        let Output {
            path,
            data,
            precedence,
        } = output;
        let there = places.get(&names::fold(&path)).cloned();
        match (precedence, there) {
            (Precedence::UnmanagedWins, None) => findings.push(Finding::warning(
                "ALM-P111",
                path,
                "only the managed package has this component; it is left out".to_owned(),
            )),
            (Precedence::UnmanagedWins, Some(there)) => {
                if tree.get(&there) != Some(&data) {
                    findings.push(Finding::note(
                        "ALM-P112",
                        there,
                        "the managed package differs; the unmanaged form is kept".to_owned(),
                    ));
                }
            }
            (_, None) => {
                places.insert(names::fold(&path), path.clone());
                tree.insert(path, data)?;
            }
            (_, Some(there)) => {
                let expected = [SOLUTION_FILE, CUSTOMIZATIONS_FILE].contains(&there.as_str());
                if !expected && tree.get(&there) != Some(&data) {
                    findings.push(Finding::note(
                        "ALM-P113",
                        &*there,
                        "the managed package differs and has overwritten the unmanaged form"
                            .to_owned(),
                    ));
                }
                tree.insert(there, data)?;
            }
        }
    }
    Ok(tree)
}

/// The files without those that stand twice, none of them hidden; two different ones for one place are an error.
fn unique(outputs: Vec<Output>, findings: &mut Vec<Finding>) -> Result<Vec<Output>, PackageError> {
    let mut taken: HashMap<String, usize> = HashMap::with_capacity(outputs.len());
    let mut kept: Vec<Output> = Vec::with_capacity(outputs.len());
    for mut output in outputs {
        if let Cow::Owned(shown) = hide_dots(&output.path) {
            output.path = shown;
        }
        match taken.entry(names::fold(&output.path)) {
            Entry::Vacant(free) => {
                free.insert(kept.len());
                kept.push(output);
            }
            Entry::Occupied(place) => {
                let first = &kept[*place.get()];
                if first.data != output.data {
                    return Err(PackageError::Collision {
                        first: first.path.clone(),
                        second: output.path,
                    });
                }
                // A part that several components name is nothing to tell.
                if output.path.to_ascii_lowercase().ends_with(".xml") {
                    let message = "the component stands twice in the package, without a difference";
                    findings.push(Finding::note("ALM-P106", output.path, message.to_owned()));
                }
            }
        }
    }
    Ok(kept)
}

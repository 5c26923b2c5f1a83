//! Bringing the files of one package, or of a pair, into one tree (facts §10).

use std::collections::HashMap;

use super::recipe::{Output, Precedence};
use crate::solution::{
    CUSTOMIZATIONS_FILE, Finding, PackageError, SOLUTION_FILE, SourceTree, names,
};

/// The files of one package; two for one place are an error, for one of them would be lost.
pub(super) fn single(outputs: Vec<Output>) -> Result<SourceTree, PackageError> {
    let mut tree = SourceTree::new();
    let mut taken: HashMap<String, String> = HashMap::with_capacity(outputs.len());
    for output in outputs {
        claim(&mut taken, &output.path)?;
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
    let mut tree = single(plain)?;
    let mut places: HashMap<String, String> = tree
        .paths()
        .map(|path| (names::fold(path), path.to_owned()))
        .collect();
    let mut taken = HashMap::with_capacity(twins.len());
    for output in twins {
        claim(&mut taken, &output.path)?;
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

fn claim(taken: &mut HashMap<String, String>, path: &str) -> Result<(), PackageError> {
    match taken.insert(names::fold(path), path.to_owned()) {
        Some(first) => Err(PackageError::Collision {
            first,
            second: path.to_owned(),
        }),
        None => Ok(()),
    }
}

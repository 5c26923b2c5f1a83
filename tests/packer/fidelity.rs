//! Byte for byte what Microsoft's packager makes of the same input.

use almscript::solution::{
    PackOptions, Package, PackageError, UnpackOptions, pack, unpack, unpack_both,
};

use crate::corpus;

#[test]
fn every_package_unpacks_to_the_same_tree() {
    let mut failures = Vec::new();
    for (folder, kind) in corpus::singles() {
        let package = corpus::package(&folder, &format!("{kind}.zip"));
        let unpacked = match unpack(&package, &UnpackOptions::default()) {
            Ok(unpacked) => unpacked,
            Err(error) => {
                failures.push(format!("{folder}/{kind}: {error}"));
                continue;
            }
        };
        let expected = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        let actual = unpacked.tree.iter().map(|(path, data)| (path, &data[..]));
        let expected = expected.iter().map(|(path, data)| (path, &data[..]));
        let expected: Vec<_> = expected.collect();
        failures.extend(
            corpus::differences(actual, expected.into_iter())
                .into_iter()
                .map(|difference| format!("{folder}/{kind}: {difference}")),
        );
    }
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_pair_unpacks_to_the_same_tree() {
    let mut failures = Vec::new();
    for folder in corpus::pairs() {
        let plain = corpus::package(&folder, "unmanaged.zip");
        let managed = corpus::package(&folder, "managed.zip");
        let unpacked = unpack_both(&plain, &managed, &UnpackOptions::default()).unwrap();
        let expected = corpus::tree(&folder, "both.unpacked.tar.gz");
        failures.extend(
            corpus::differences(
                unpacked.tree.iter().map(|(path, data)| (path, &data[..])),
                expected.iter().map(|(path, data)| (path, &data[..])),
            )
            .into_iter()
            .map(|difference| format!("{folder}: {difference}")),
        );
    }
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Packs a tree and compares every part of the package, its name, its bytes and its place.
fn compare_packed(folder: &str, actual: &Package, file: &str, failures: &mut Vec<String>) {
    let expected = corpus::package(folder, file);
    failures.extend(
        corpus::differences(
            actual
                .parts()
                .iter()
                .map(|part| (&*part.name, &part.data[..])),
            expected
                .parts()
                .iter()
                .map(|part| (&*part.name, &part.data[..])),
        )
        .into_iter()
        .map(|difference| format!("{folder}/{file}: {difference}")),
    );
    let names = |package: &Package| -> Vec<String> {
        package
            .parts()
            .iter()
            .map(|part| part.name.clone())
            .collect()
    };
    if names(actual) != names(&expected) {
        failures.push(format!("{folder}/{file}: order of entries"));
    }
}

#[test]
fn every_tree_packs_to_the_same_package() {
    let mut failures = Vec::new();
    for (folder, kind) in corpus::singles() {
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        match pack(&tree, &PackOptions::default()) {
            Ok(packed) => compare_packed(
                &folder,
                &packed.into_package(),
                &format!("{kind}.repacked.zip"),
                &mut failures,
            ),
            Err(PackageError::Checks { findings }) => {
                failures.push(format!("{folder}/{kind}: {findings:#?}"));
            }
            Err(error) => failures.push(format!("{folder}/{kind}: {error}")),
        }
    }
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_tree_of_both_packs_to_the_same_pair() {
    let mut failures = Vec::new();
    let published = [(
        "14-automation-kit-installer".to_owned(),
        "both.as-published",
        "packed",
    )];
    let pairs = corpus::pairs()
        .into_iter()
        .map(|folder| (folder, "both", "repacked"));
    for (folder, tree, name) in pairs.chain(published) {
        let tree = corpus::tree(&folder, &format!("{tree}.unpacked.tar.gz"));
        let packed = match pack(&tree, &PackOptions::default()) {
            Ok(packed) => packed,
            Err(error) => {
                failures.push(format!("{folder}: {error}"));
                continue;
            }
        };
        let (unmanaged, managed) = (packed.unmanaged.unwrap(), packed.managed.unwrap());
        compare_packed(
            &folder,
            &unmanaged,
            &format!("both.{name}.zip"),
            &mut failures,
        );
        compare_packed(
            &folder,
            &managed,
            &format!("both.{name}_managed.zip"),
            &mut failures,
        );
    }
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

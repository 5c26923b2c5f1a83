//! Byte for byte what Microsoft's packager makes of the same input.

use almscript::solution::{UnpackOptions, unpack, unpack_both};

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

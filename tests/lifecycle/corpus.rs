//! The real packages that these tests use.

use std::path::PathBuf;

use almscript::solution::Package;

/// A zip of the corpus, for example `05-permit-management/managed`.
pub fn zip(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/corpus")
        .join(format!("{name}.zip"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The package in a zip of the corpus.
pub fn package(name: &str) -> Package {
    Package::from_zip(&zip(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Packages that a server exported, so that the bytes of their XML can be compared.
pub const EXPORTED: [&str; 14] = [
    "01-timesheet/unmanaged",
    "03-human-in-the-loop/unmanaged",
    "04-column-security/managed",
    "04-column-security/unmanaged",
    "05-permit-management/managed",
    "05-permit-management/unmanaged",
    "06-pl400-demos/unmanaged",
    "07-nonprofit-core/managed",
    "09-resume-agent/unmanaged",
    "10-virtual-entity/managed",
    "11-image-columns/unmanaged",
    "12-higher-education/managed",
    "12-higher-education/unmanaged",
    "13-faq-japanese/unmanaged",
];

/// Packages that people packed with tools.
pub const PACKED: [&str; 4] = [
    "02-hide-folders/unmanaged",
    "08-quote-email/unmanaged",
    "14-automation-kit-installer/both.packed",
    "14-automation-kit-installer/both.packed_managed",
];

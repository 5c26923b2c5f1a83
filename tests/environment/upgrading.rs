//! What a comparison says that an upgrade would delete is what the upgrade deletes.

use std::collections::BTreeSet;

use almscript::environment::odata::Query;
use almscript::environment::{ExportOptions, ImportMode, ImportOptions, SolutionComponent};
use almscript::solution::component::{Component, components};
use almscript::solution::diff::{Deletion, deletions, diff};
use almscript::solution::model::remove;
use almscript::solution::{Package, UnpackOptions, unpack};

use crate::tenant::{Contoso, WIDE};

/// How a deletion and a component of an environment are compared: by the kind's number and by the
/// last part of what identifies it.
fn is(deletion: &Deletion, component: &SolutionComponent) -> bool {
    let code = deletion.identity.component_type.code().map(i64::from);
    let key = &deletion.identity.key;
    let last = key.rsplit('.').next().unwrap_or(key);
    (code.is_none() || code == Some(component.kind))
        && [
            component.id.to_string(),
            component.name.to_lowercase(),
            component.schema_name.to_lowercase(),
        ]
        .iter()
        .any(|known| known == key || known == last)
}

#[test]
fn what_an_upgrade_would_delete_is_what_it_deletes() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(WIDE);
    let managed = ExportOptions { managed: true };
    let first = dev.export_solution(&name, managed).unwrap();
    let test = contoso.environment("test");
    test.import_solution(&name, &first, &ImportOptions::default())
        .unwrap();
    let before = test.components(&name).unwrap();
    let query = Query::new().select(&["contoso_newsize"]).unwrap();
    test.rows("contoso_permits", &query).unwrap();

    let old = Package::from_zip(&first).unwrap();
    let mut new = old.clone();
    let version = old.manifest().unwrap().version;
    new.set_version(version.bump(almscript::solution::VersionPart::Minor))
        .unwrap();
    // Things that nothing else in the package needs.
    let wanted: [fn(&Component) -> bool; 5] = [
        |one| one.key == "contoso_permit.contoso_newsize",
        |one| one.display_name == "Reset Inspections",
        |one| one.kind() == "plug-in step",
        |one| one.kind() == "security role",
        |one| one.kind() == "view" && one.display_name.starts_with("Inactive Permits"),
    ];
    for is_wanted in wanted {
        let own = components(&new).unwrap();
        let one = own.iter().find(|one| is_wanted(one)).unwrap();
        remove(&mut new, &own, &one.identity()).unwrap();
    }
    let tree = |package: &Package| unpack(package, &UnpackOptions::default()).unwrap().tree;
    let told = diff(&tree(&old), &tree(&new)).unwrap().deletions.unwrap();
    assert_eq!(told, deletions(&tree(&old), &tree(&new)).unwrap());
    let kinds: BTreeSet<&str> = told.iter().map(|one| one.kind.as_str()).collect();
    let expected = [
        "cloud flow",
        "column",
        "plug-in step",
        "security role",
        "view",
    ];
    assert_eq!(kinds, BTreeSet::from(expected), "{told:?}");
    assert!(
        told.iter()
            .all(|one| one.loses_data == (one.kind == "column"))
    );

    let upgrade = ImportOptions {
        mode: ImportMode::Upgrade,
        ..ImportOptions::default()
    };
    let report = test
        .import_solution(&name, &new.to_zip().unwrap(), &upgrade)
        .unwrap();
    assert_eq!(report.failures, []);
    let after = test.components(&name).unwrap();
    let gone: Vec<&SolutionComponent> = before
        .iter()
        .filter(|one| {
            !after
                .iter()
                .any(|left| (left.kind, left.id) == (one.kind, one.id))
        })
        .collect();
    for one in &gone {
        assert!(
            told.iter().any(|said| is(said, one)),
            "nobody said: {one:?}"
        );
    }
    for said in &told {
        // What came with its table as a whole is no component of its own.
        let listed = before.iter().any(|one| is(said, one));
        assert!(
            !listed || gone.iter().any(|one| is(said, one)),
            "still there: {said:?}"
        );
    }
    assert!(gone.len() >= 3, "{gone:?}");
    assert!(
        test.rows("contoso_permits", &query).is_err(),
        "the column is still there"
    );
}

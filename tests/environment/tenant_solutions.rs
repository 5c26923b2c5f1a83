//! The life of a solution in the emulated tenant, through the client alone.

use almscript::environment::{EnvironmentError, ExportOptions, ImportMode, ImportOptions};
use almscript::problem::Problem;
use almscript::solution::Package;

use crate::tenant::{ALEX, Contoso, FLOWS, WIDE, corpus};

fn mode(mode: ImportMode) -> ImportOptions {
    ImportOptions {
        mode,
        ..ImportOptions::default()
    }
}

#[test]
fn the_caller_is_known_and_a_stranger_is_told_what_is_missing() {
    let contoso = Contoso::new();
    let pipeline = contoso.environment("dev").who_am_i().unwrap();
    let alex = contoso.environment_of("dev", ALEX).who_am_i().unwrap();
    assert_ne!(pipeline.user_id, alex.user_id);
    assert_eq!(pipeline.organization_id, alex.organization_id);
    let stranger = contoso.environment_of("dev", "eve@contoso.example");
    let error = stranger.who_am_i().unwrap_err();
    assert_eq!(error.code(), "ALM-E002");
    assert!(error.hint().unwrap().contains("user of the environment"));
}

#[test]
fn a_solution_goes_from_development_to_test_managed() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(WIDE);
    dev.publish_all().unwrap();
    let exported = dev
        .export_solution(&name, ExportOptions { managed: true })
        .unwrap();
    assert!(
        Package::from_zip(&exported)
            .unwrap()
            .manifest()
            .unwrap()
            .managed
    );

    let test = contoso.environment("test");
    let report = test
        .import_solution(&name, &exported, &mode(ImportMode::Upgrade))
        .unwrap();
    assert_eq!(report.action, "installed");
    assert_eq!(report.failures, []);
    let installed = test.solution(&name).unwrap();
    assert!(installed.managed);
    assert_eq!(report.version, installed.version);
    assert!(!test.components(&name).unwrap().is_empty());
    assert_eq!(
        test.export_solution(&name, ExportOptions::default())
            .unwrap_err()
            .code(),
        "ALM-E017",
        "a managed solution cannot be exported"
    );

    let again = test
        .import_solution(&name, &exported, &mode(ImportMode::Update))
        .unwrap();
    assert_eq!(again.action, "updated");
    assert!(test.delete_solution(&name).unwrap().changed);
    assert_eq!(test.find_solution(&name).unwrap(), None);
    assert!(
        !test.delete_solution(&name).unwrap().changed,
        "a second time nothing is done"
    );
}

#[test]
fn an_upgrade_can_be_held_and_applied() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(FLOWS);
    let managed = ExportOptions { managed: true };
    let test = contoso.environment("test");
    dev.set_solution_version(&name, "5.0.0.1".parse().unwrap())
        .unwrap();
    let first = dev.export_solution(&name, managed).unwrap();
    test.import_solution(&name, &first, &mode(ImportMode::Update))
        .unwrap();
    assert_eq!(test.apply_upgrade(&name).unwrap_err().code(), "ALM-E012");

    assert!(
        dev.set_solution_version(&name, "5.0.0.2".parse().unwrap())
            .unwrap()
            .changed
    );
    assert!(
        !dev.set_solution_version(&name, "5.0.0.2".parse().unwrap())
            .unwrap()
            .changed
    );
    let second = dev.export_solution(&name, managed).unwrap();
    let report = test
        .import_solution(&name, &second, &mode(ImportMode::Hold))
        .unwrap();
    assert_eq!(
        (report.action.as_str(), report.version.as_str()),
        ("held", "5.0.0.2")
    );
    assert_eq!(test.solution(&name).unwrap().version, "5.0.0.1");
    test.apply_upgrade(&name).unwrap();
    assert_eq!(test.solution(&name).unwrap().version, "5.0.0.2");
    assert_eq!(
        test.find_solution(&format!("{name}_Upgrade")).unwrap(),
        None
    );
}

#[test]
fn managed_over_unmanaged_is_refused_with_advice() {
    let contoso = Contoso::new();
    let (dev, name) = contoso.with(FLOWS);
    let managed = dev
        .export_solution(&name, ExportOptions { managed: true })
        .unwrap();
    let error = dev
        .import_solution(&name, &managed, &ImportOptions::default())
        .unwrap_err();
    assert!(
        error.hint().unwrap().contains("installed unmanaged"),
        "{error}"
    );
}

#[test]
fn what_is_not_a_package_fails_with_the_services_words() {
    let contoso = Contoso::new();
    let dev = contoso.environment("dev");
    let error = dev
        .import_solution("X", b"no zip", &ImportOptions::default())
        .unwrap_err();
    assert!(
        matches!(
            error,
            EnvironmentError::Refused(_) | EnvironmentError::ImportFailed { .. }
        ),
        "{error:?}"
    );
}

/// A package that needs a table of a solution that nobody has.
fn needy() -> (String, Vec<u8>) {
    let mut package = Package::from_zip(&corpus(FLOWS)).unwrap();
    let text = String::from_utf8(package.part("solution.xml").unwrap().to_vec()).unwrap();
    let needed = "<MissingDependencies><MissingDependency><Required type=\"1\" schemaName=\"base_thing\" displayName=\"Thing\" solution=\"Base (2.0.0.0)\"/><Dependent type=\"29\" displayName=\"Hide folders\" id=\"{096175f7-d8bc-ed11-83fe-00224807864e}\"/></MissingDependency></MissingDependencies>";
    let changed = text.replace("<MissingDependencies />", needed);
    assert_ne!(changed, text);
    package
        .set_part("solution.xml", changed.into_bytes())
        .unwrap();
    (
        package.manifest().unwrap().unique_name,
        package.to_zip().unwrap(),
    )
}

#[test]
fn missing_dependencies_are_told_before_and_by_the_import() {
    let contoso = Contoso::new();
    let test = contoso.environment("test");
    let (name, package) = needy();
    let missing = test.missing_dependencies(&package).unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].required.name, "base_thing");
    let error = test
        .import_solution(&name, &package, &ImportOptions::default())
        .unwrap_err();
    assert_eq!(error.code(), "ALM-E010", "{error}");
    assert_eq!(
        error.hint().unwrap(),
        "install first: Base (2.0.0.0 or newer)"
    );
    assert_eq!(
        error.details()["missing"][0]["required"]["name"],
        "base_thing"
    );
    assert_eq!(test.find_solution(&name).unwrap(), None);
}

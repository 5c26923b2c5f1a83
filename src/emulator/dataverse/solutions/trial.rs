//! Trials of the lifecycle without the Web API around it.

use std::path::PathBuf;

use super::import::{Import, Switches};
use super::{checks, export, install};
use crate::emulator::TenantDefinition;
use crate::emulator::dataverse::{Environment, ServiceError, Session, establish};
use crate::emulator::store::Store;
use crate::solution::Package;
use crate::solution::component::{components, split};

fn zip(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/corpus")
        .join(format!("{name}.zip"));
    std::fs::read(path).unwrap()
}

/// A store with one environment, and what to do in it.
fn in_environment<T>(work: impl FnOnce(&Session<'_>) -> Result<T, ServiceError>) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("tenant.sqlite")).unwrap();
    let definition: TenantDefinition = serde_json::from_value(serde_json::json!({
        "domain": "contoso.example",
        "environments": [{"name": "dev", "url": "https://contoso-dev.crm4.dynamics.com"}],
    }))
    .unwrap();
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    store
        .write(|tx| {
            establish(tx, uuid::Uuid::nil(), &definition.environments[0], now)?;
            let environment = Environment::at(tx, "contoso-dev.crm4.dynamics.com")?.unwrap();
            work(&Session::system(tx, environment, now))
        })
        .unwrap()
}

fn everything_on() -> Switches {
    Switches {
        publish_workflows: true,
        ..Switches::default()
    }
}

/// Switches that give every connection reference of `zip` a connection, so that flows can be on.
fn connected(zip: &[u8]) -> Switches {
    let package = Package::from_zip(zip).unwrap();
    let references = components(&package).unwrap().into_iter();
    let references = references
        .filter(|component| component.component_type.table_name() == "connectionreference")
        .map(|component| {
            let row = serde_json::json!({
                "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
                "connectionreferencelogicalname": component.schema_name,
                "connectionid": "0123456789abcdef0123456789abcdef",
            });
            row.as_object().unwrap().clone()
        });
    Switches {
        component_parameters: references.collect(),
        ..everything_on()
    }
}

#[test]
fn every_unmanaged_package_of_the_corpus_is_exported_as_it_was_imported() {
    for name in [
        "01-timesheet",
        "02-hide-folders",
        "03-human-in-the-loop",
        "04-column-security",
        "05-permit-management",
        "06-pl400-demos",
        "08-quote-email",
        "09-resume-agent",
        "11-image-columns",
        "12-higher-education",
        "13-faq-japanese",
    ] {
        let zip = zip(&format!("{name}/unmanaged"));
        let (solution, again) = in_environment(|session| {
            let import = Import::open(&zip, connected(&zip))?;
            let solution = import.manifest.unique_name.clone();
            let installed =
                install::run(session, import).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(installed.warnings, Vec::<String>::new(), "{name}");
            assert!(checks::installed(session, &solution)?.is_some());
            Ok((solution.clone(), export::zip(session, &solution, false)?))
        });
        let (before, after) = (
            Package::from_zip(&zip).unwrap(),
            Package::from_zip(&again).unwrap(),
        );
        let (before, after) = (split(&before).unwrap(), split(&after).unwrap());
        assert_eq!(
            before.components.len(),
            after.components.len(),
            "{solution}"
        );
        for (old, new) in before.components.iter().zip(&after.components) {
            assert_eq!(old.identity(), new.identity(), "{name}");
            assert!(
                old.fragment == new.fragment,
                "{name}: {}\n{}\n--\n{}",
                old.identity(),
                old.fragment,
                new.fragment
            );
            assert!(old.payload == new.payload, "{name}: {}", old.identity());
        }
        for (old, new) in before
            .outline
            .manifest
            .lines()
            .zip(after.outline.manifest.lines())
        {
            assert_eq!(old, new, "{name}");
        }
        assert!(before.outline == after.outline, "{name}: the frame changed");
    }
}

//! Trials of the lifecycle without the Web API around it.

use std::path::PathBuf;

use super::import::{Import, Switches};
use super::record::Records;
use super::{checks, export, install, maker, publish};
use crate::emulator::TenantDefinition;
use crate::emulator::dataverse::row::row;
use crate::emulator::dataverse::{Environment, ServiceError, Session, establish};
use crate::emulator::store::Store;
use crate::solution::Package;
use crate::solution::component::{
    Component, ComponentType, Identity, assemble, code, components, split,
};

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

/// The package in `zip` with the components that `keep` picks, as version `version`.
fn variant(
    zip: &[u8],
    name: Option<&str>,
    version: &str,
    managed: bool,
    keep: impl Fn(&Component) -> bool,
) -> Vec<u8> {
    let pieces = split(&Package::from_zip(zip).unwrap()).unwrap();
    let mut components = pieces.components;
    components.retain(|component| keep(component));
    let mut outline = pieces
        .outline
        .stamped(version, managed, None)
        .unwrap()
        .with_roots_of(&components, |_| 0, |_| true)
        .unwrap();
    if let Some(name) = name {
        outline.manifest = outline.manifest.replace(
            "<UniqueName>PermitManagement<",
            &format!("<UniqueName>{name}<"),
        );
    }
    assemble(&outline, &components).unwrap().to_zip().unwrap()
}

fn run(session: &Session<'_>, zip: &[u8], switches: Switches) -> Result<(), ServiceError> {
    install::run(session, Import::open(zip, switches)?).map(|_| ())
}

fn upgrade() -> Switches {
    Switches {
        upgrade: true,
        ..everything_on()
    }
}

const FLOW: &str = "cadb39e3-2c1f-ee11-9cbe-0022481c5f83";

fn is_flow(component: &Component) -> bool {
    component.key == FLOW
}

/// The inspection table, what is in it, and what leads to it or uses it.
fn about_inspections(component: &Component) -> bool {
    let text = component.fragment.to_ascii_lowercase();
    let table = component.identity() == Identity::table("contoso_inspection");
    let part = component.parent.as_ref() == Some(&Identity::table("contoso_inspection"));
    // The app lists the table, and the command belongs to the app.
    let command = component.component_type.table_name() == "appaction";
    command
        || table
        || part
        || text.contains("contoso_inspection<")
        || text.contains("contoso_inspection\"")
        || component.key == "contoso_newbuildsite.bpf_contoso_inspectionid"
}

#[test]
fn an_update_leaves_what_disappeared_and_an_upgrade_takes_it_away() {
    let zip = zip("05-permit-management/managed");
    in_environment(|session| {
        run(session, &zip, connected(&zip))?;
        let flow = FLOW.parse().unwrap();
        assert!(session.row("workflow", flow)?.is_some());
        let canvas_too = |component: &Component| {
            !is_flow(component) && component.component_type.code() != Some(code::CANVAS_APP)
        };
        let smaller = variant(&zip, None, "1.0.0.12", true, canvas_too);
        run(session, &smaller, connected(&zip))?;
        assert!(
            session.row("workflow", flow)?.is_some(),
            "an update deletes nothing"
        );
        let smaller = variant(&zip, None, "1.0.0.13", true, canvas_too);
        run(session, &smaller, upgrade())?;
        assert_eq!(session.row("workflow", flow)?, None);
        assert_eq!(session.rows("canvasapp")?.len(), 0);
        let solution = checks::installed(session, "PermitManagement")?.unwrap();
        assert_eq!(solution["version"], "1.0.0.13");
        assert!(checks::installed(session, "PermitManagement_Upgrade")?.is_none());
        let records = Records::load(session)?;
        assert!(
            records
                .iter()
                .all(|record| record.layer("PermitManagement_Upgrade").is_none())
        );
        Ok(())
    });
}

#[test]
fn an_upgrade_without_a_table_deletes_the_table_with_its_rows() {
    let zip = zip("05-permit-management/managed");
    in_environment(|session| {
        run(session, &zip, everything_on())?;
        let table = session.table("contoso_inspection")?;
        assert_eq!(table.set, "contoso_inspections");
        assert!(table.column("contoso_sequence").is_some());
        session.insert("contoso_inspection", row! { "contoso_name": "Roof" })?;
        session.insert("contoso_permit", row! { "contoso_name": "Shed" })?;
        let smaller = variant(&zip, None, "1.0.0.12", true, |it| !about_inspections(it));
        run(session, &smaller, upgrade())?;
        assert!(session.table("contoso_inspection").is_err());
        assert_eq!(session.tx.list(session.scope(), "contoso_inspection")?, []);
        assert_eq!(session.rows("contoso_permit")?.len(), 1);
        Ok(())
    });
}

#[test]
fn an_upgrade_that_would_take_away_what_others_need_changes_nothing() {
    let zip = zip("05-permit-management/managed");
    in_environment(|session| {
        run(session, &zip, everything_on())?;
        // The table goes, the app that lists it stays.
        let broken = variant(&zip, None, "1.0.0.12", true, |it| {
            it.identity() != Identity::table("contoso_permittype")
                && it.parent.as_ref() != Some(&Identity::table("contoso_permittype"))
        });
        let error = session
            .tx
            .attempt(|| run(session, &broken, upgrade()))
            .unwrap_err();
        assert_eq!(error.code, "0x8004F046", "{error}");
        session.catalogue_changed();
        assert_eq!(
            checks::installed(session, "PermitManagement")?.unwrap()["version"],
            "1.0.0.11"
        );
        assert!(session.table("contoso_permittype").is_ok());
        Ok(())
    });
}

#[test]
fn converting_to_managed_and_deleting_takes_every_component_away() {
    let (unmanaged, managed) = (
        zip("05-permit-management/unmanaged"),
        zip("05-permit-management/managed"),
    );
    in_environment(|session| {
        run(session, &unmanaged, everything_on())?;
        let error = session
            .tx
            .attempt(|| run(session, &managed, everything_on()))
            .unwrap_err();
        assert_eq!(error.code, "0x80048040");
        let own = export::zip(session, "PermitManagement", true)?;
        run(
            session,
            &own,
            Switches {
                convert: true,
                ..everything_on()
            },
        )?;
        let solution = checks::installed(session, "PermitManagement")?.unwrap();
        assert_eq!(solution["ismanaged"], true);
        assert!(export::zip(session, "PermitManagement", false).is_err());
        install::uninstall(session, &solution)?;
        assert!(checks::installed(session, "PermitManagement")?.is_none());
        for table in [
            "workflow",
            "canvasapp",
            "appmodule",
            "webresource",
            "plugintype",
        ] {
            assert_eq!(session.rows(table)?.len(), 0, "{table}");
        }
        assert!(session.table("contoso_permit").is_err());
        let left: Vec<String> = Records::load(session)?
            .iter()
            .map(|it| it.identity.to_string())
            .collect();
        assert_eq!(left, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn deleting_an_unmanaged_solution_leaves_its_components() {
    let zip = zip("05-permit-management/unmanaged");
    in_environment(|session| {
        run(session, &zip, everything_on())?;
        let solution = checks::installed(session, "PermitManagement")?.unwrap();
        install::uninstall(session, &solution)?;
        assert_eq!(session.rows("workflow")?.len(), 3);
        assert!(session.table("contoso_permit").is_ok());
        Ok(())
    });
}

#[test]
fn what_a_second_solution_needs_cannot_be_uninstalled() {
    let zip = zip("05-permit-management/managed");
    let is_base = |component: &Component| {
        let table = |identity: &Identity| identity.component_type.code() == Some(code::TABLE);
        [
            code::OPTION_SET,
            code::RELATIONSHIP,
            code::WEB_RESOURCE,
            code::CONTROL,
        ]
        .contains(&component.component_type.code().unwrap_or_default())
            || table(&component.identity())
            || component.parent.as_ref().is_some_and(table)
    };
    let base = variant(&zip, Some("PermitBase"), "1.0.0.0", true, is_base);
    let apps = variant(&zip, Some("PermitApps"), "1.0.0.0", true, |it| !is_base(it));
    in_environment(|session| {
        let error = session
            .tx
            .attempt(|| run(session, &apps, everything_on()))
            .unwrap_err();
        assert_eq!(error.code, "0x8004801D", "{error}");
        assert!(error.message.contains("contoso_permit"), "{error}");
        run(session, &base, everything_on())?;
        run(session, &apps, everything_on())?;
        let solution = checks::installed(session, "PermitBase")?.unwrap();
        let error = install::uninstall(session, &solution).unwrap_err();
        assert_eq!(error.code, "0x8004F01F");
        assert!(session.table("contoso_permit").is_ok());
        let solution = checks::installed(session, "PermitApps")?.unwrap();
        install::uninstall(session, &solution)?;
        let solution = checks::installed(session, "PermitBase")?.unwrap();
        install::uninstall(session, &solution)?;
        assert_eq!(Records::load(session)?.iter().count(), 0);
        Ok(())
    });
}

#[test]
fn flows_start_only_with_connections() {
    let zip = zip("05-permit-management/managed");
    let states = |switches: Switches| {
        in_environment(|session| {
            run(session, &zip, switches)?;
            let flows = session.rows("workflow")?.into_iter();
            let flows = flows.filter(|row| row["category"] == 5);
            Ok(flows
                .map(|row| row["statecode"].as_i64().unwrap())
                .collect::<Vec<_>>())
        })
    };
    assert_eq!(states(everything_on()), [0, 0]);
    assert_eq!(states(connected(&zip)), [1, 1]);
}

#[test]
fn what_a_maker_changes_is_exported_and_the_rest_keeps_its_bytes() {
    let zip = zip("05-permit-management/unmanaged");
    in_environment(|session| {
        run(session, &zip, connected(&zip))?;
        let flow: uuid::Uuid = FLOW.parse().unwrap();
        let name = "Clear \"all\" <comments> & ünïcode";
        let data = r#"{"properties":{"definition":{"actions":{"x":"y"}}}}"#;
        session.update("workflow", flow, row! { "name": name, "clientdata": data })?;
        let again = export::zip(session, "PermitManagement", false)?;
        let before = split(&Package::from_zip(&zip).unwrap()).unwrap();
        let after = split(&Package::from_zip(&again).unwrap()).unwrap();
        for (old, new) in before.components.iter().zip(&after.components) {
            if is_flow(old) {
                assert_eq!(new.schema_name.as_deref(), Some(name));
                let json = &new.payload[0].bytes;
                let json: serde_json::Value = serde_json::from_slice(json).unwrap();
                assert_eq!(json["properties"]["definition"]["actions"]["x"], "y");
            } else {
                assert!(old == new, "{}", old.identity());
            }
        }
        Ok(())
    });
}

#[test]
fn an_unmanaged_import_is_exported_only_after_it_is_published() {
    let zip = zip("05-permit-management/unmanaged");
    let mut pieces = split(&Package::from_zip(&zip).unwrap()).unwrap();
    for component in &mut pieces.components {
        if component.component_type.code() == Some(code::WEB_RESOURCE) {
            component.payload[0].bytes = b"// new".to_vec();
        }
    }
    let newer = assemble(&pieces.outline, &pieces.components)
        .unwrap()
        .to_zip()
        .unwrap();
    let script = |session: &Session<'_>| -> Result<Vec<u8>, ServiceError> {
        let zip = export::zip(session, "PermitManagement", false)?;
        let pieces = split(&Package::from_zip(&zip).unwrap()).unwrap();
        let resource = ComponentType::Code(code::WEB_RESOURCE);
        let found = pieces
            .component(&resource, "contoso_PermitFormScripts.js")
            .unwrap();
        Ok(found.payload[0].bytes.clone())
    };
    in_environment(|session| {
        run(session, &zip, everything_on())?;
        let old = script(session)?;
        assert_ne!(old, b"// new");
        run(session, &newer, everything_on())?;
        assert_eq!(script(session)?, old);
        publish::all(session)?;
        assert_eq!(script(session)?, b"// new");
        Ok(())
    });
}

#[test]
fn an_active_layer_hides_a_managed_update_until_it_is_overwritten() {
    let zip = zip("05-permit-management/managed");
    let renamed = |version: &str, name: &str| {
        let mut pieces = split(&Package::from_zip(&zip).unwrap()).unwrap();
        for component in pieces.components.iter_mut().filter(|it| is_flow(it)) {
            component.fragment = component.fragment.replace(
                "Name=\"ClearInspectionComments\"",
                &format!("Name=\"{name}\""),
            );
        }
        let outline = pieces.outline.stamped(version, true, None).unwrap();
        assemble(&outline, &pieces.components)
            .unwrap()
            .to_zip()
            .unwrap()
    };
    in_environment(|session| {
        run(session, &zip, everything_on())?;
        let flow: uuid::Uuid = FLOW.parse().unwrap();
        let name = |session: &Session<'_>| -> Result<String, ServiceError> {
            Ok(session.existing("workflow", flow)?["name"]
                .as_str()
                .unwrap()
                .to_owned())
        };
        let old = session.existing("workflow", flow)?;
        let new = session.update("workflow", flow, row! { "name": "Mine" })?;
        maker::written(session, &session.table("workflow")?, flow, Some(&old), &new)?;
        run(session, &renamed("1.0.0.12", "Theirs"), everything_on())?;
        assert_eq!(name(session)?, "Mine");
        let overwrite = Switches {
            overwrite: true,
            ..everything_on()
        };
        run(session, &renamed("1.0.0.13", "Theirs again"), overwrite)?;
        assert_eq!(name(session)?, "Theirs again");
        let records = Records::load(session)?;
        let record = records.with_object(flow).unwrap();
        assert!(!record.is_customized());
        Ok(())
    });
}

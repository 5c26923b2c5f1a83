//! Installing: what a checked import changes.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use uuid::Uuid;

use super::import::Import;
use super::record::{ACTIVE, Definition, HOLDING, Record, Records};
use super::{checks, parameters, place, remove, state, tables};
use crate::emulator::dataverse::row::{flag, id, row, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::{Component, ComponentType, Identity, code};

/// What an import did.
#[derive(Debug, Clone, Default)]
pub(super) struct Installed {
    /// The solution's row.
    pub solution_id: Uuid,
    /// What it was: a first install, an update, an upgrade.
    pub kind: InstallKind,
    /// Sentences about what did not quite work.
    pub warnings: Vec<String>,
}

/// What an import was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum InstallKind {
    #[default]
    New,
    Update,
    Upgrade,
}

/// Checks `import` and carries it out.
///
/// # Errors
/// Those of the checks, and those of removing what an upgrade no longer has.
pub(super) fn run(session: &Session<'_>, mut import: Import) -> Result<Installed, ServiceError> {
    let mut records = Records::load(session)?;
    let name = import.manifest.unique_name.clone();
    let there = checks::installed(session, &name)?;
    let upgrade = import.switches.upgrade
        && there
            .as_ref()
            .is_some_and(|solution| flag(solution, "ismanaged"));
    // A stage-and-upgrade is an import beside the installed solution that is applied at once.
    // Without an installed solution it is a plain install.
    import.switches.holding |= upgrade;
    let there = checks::check(session, &records, &import)?;
    let mut installed = apply(session, &mut records, &import, there.as_ref())?;
    if upgrade {
        installed.kind = InstallKind::Upgrade;
        installed.solution_id = super::upgrade::promote(session, &mut records, &name)?;
    }
    records.save(session)?;
    Ok(installed)
}

fn apply(
    session: &Session<'_>,
    records: &mut Records,
    import: &Import,
    there: Option<&Row>,
) -> Result<Installed, ServiceError> {
    let kept_as = import.kept_as();
    let kind = if there.is_some() {
        InstallKind::Update
    } else {
        InstallKind::New
    };
    let mut installed = Installed {
        kind,
        ..Installed::default()
    };
    installed.solution_id = solution_row(session, import, &kept_as, there)?;
    let behaviors = behaviors(import)?;
    let mut writer = place::Writer::new(session, import, records);
    let mut written = Vec::with_capacity(import.split.components.len());
    for (position, component) in import.split.components.iter().enumerate() {
        let identity = component.identity();
        layer(session, records, import, component, position, &kept_as)?;
        let behavior = behaviors.get(&identity).copied();
        let by_itself = !tables::is_part(&component.place) || behavior.is_some();
        if let Some(record) = records.change(&identity) {
            record.join(&kept_as, behavior, by_itself);
        }
        written.push(identity);
    }
    if import.switches.convert {
        leave_behind(session, records, import)?;
    }
    let touched = tables::touched(session, records, written.iter())?;
    tables::rebuild(session, records, &touched)?;
    for identity in &written {
        if identity.component_type.code() == Some(code::RELATIONSHIP)
            && let Some(record) = records.get(identity)
        {
            tables::relate(session, record)?;
        }
    }
    // Rows only now: they may be rows of tables that came with this package, and point to
    // each other.
    for component in &import.split.components {
        writer.write(records, component)?;
    }
    parameters::apply(session, import, &mut installed.warnings)?;
    place::settle_flows(session, &writer)?;
    for part in &import.split.unclaimed {
        installed.warnings.push(format!(
            "{part} belongs to no component and was not imported."
        ));
    }
    state::keep(session, &kept_as, import)?;
    Ok(installed)
}

/// What the unmanaged solution held and the managed package that it becomes does not: it stays
/// unmanaged and is in the solution no more. What was only listed as unmodified is forgotten.
fn leave_behind(
    session: &Session<'_>,
    records: &mut Records,
    import: &Import,
) -> Result<(), ServiceError> {
    let name = &import.manifest.unique_name;
    let left: Vec<Identity> = records
        .iter()
        .filter(|record| record.is_in(name) && record.layer(name).is_none())
        .map(|record| record.identity.clone())
        .collect();
    for identity in left {
        let Some(record) = records.change(&identity) else {
            continue;
        };
        record.leave(name);
        let unmodified = match record.effective() {
            Some(definition) => definition.component(session, record)?.is_unmodified(),
            None => false,
        };
        if unmodified && record.members.is_empty() {
            records.remove(&identity);
        }
    }
    Ok(())
}

/// How the manifest includes tables.
fn behaviors(import: &Import) -> Result<HashMap<Identity, u8>, ServiceError> {
    let roots = import.split.outline.roots();
    let roots =
        roots.map_err(|error| ServiceError::bad_request("0x8004802C", error.to_string()))?;
    Ok(roots
        .into_iter()
        .map(|root| (root.identity, root.behavior))
        .collect())
}

/// Writes the component's layer.
fn layer(
    session: &Session<'_>,
    records: &mut Records,
    import: &Import,
    component: &Component,
    position: usize,
    kept_as: &str,
) -> Result<(), ServiceError> {
    let identity = component.identity();
    let definition = Definition::keep(session, component, position)?;
    let managed = import.manifest.managed;
    if records.get(&identity).is_none() {
        records.insert(Record {
            object_id: object_id(session, component)?,
            identity: identity.clone(),
            parent: component.parent.clone(),
            layers: Vec::new(),
            members: Vec::new(),
            made_here: !managed,
            published_row: None,
            created_on: session.moment(),
        });
    }
    let moment = session.moment();
    let name = &import.manifest.unique_name;
    let Some(record) = records.change(&identity) else {
        return Ok(());
    };
    if !managed {
        let published = record.published().cloned();
        let unchanged = published
            .as_ref()
            .is_some_and(|before| before.same(&definition));
        record.customize(Some(definition), moment);
        if let Some(layer) = record.layers.last_mut() {
            // What was there before stays in effect for exports until it is published.
            layer.published =
                published.filter(|_| !unchanged && needs_publishing(&identity.component_type));
        }
        return Ok(());
    }
    if import.switches.convert {
        record.uncover(ACTIVE);
        record.made_here = false;
    } else if import.switches.overwrite && !is_merged(&identity.component_type) {
        record.uncover(ACTIVE);
    }
    let above = import.switches.holding.then_some(name.as_str());
    record.cover(kept_as, definition, moment, above);
    Ok(())
}

/// Kinds whose unmanaged changes are seen only after publishing.
pub(super) fn needs_publishing(component_type: &ComponentType) -> bool {
    matches!(
        component_type.code(),
        Some(
            code::TABLE
                | code::COLUMN
                | code::OPTION_SET
                | code::RELATIONSHIP
                | code::VIEW
                | code::CHART
                | code::FORM
                | code::WEB_RESOURCE
                | code::SITE_MAP
                | code::APP
        )
    )
}

/// Kinds whose layers are merged rather than hidden, so that overwriting leaves them alone
/// (facts/dataverse-web-api.md, section 5.4).
fn is_merged(component_type: &ComponentType) -> bool {
    component_type.code() == Some(code::FORM)
}

/// The id of a component in this environment. What has an id in the package keeps it.
pub(super) fn object_id(
    session: &Session<'_>,
    component: &Component,
) -> Result<Uuid, ServiceError> {
    if let Some(id) = component.id {
        return Ok(id);
    }
    if component.component_type.code() == Some(code::TABLE)
        && let Some(table) = session.catalogue()?.table(&component.key)
    {
        return Ok(table.metadata_id);
    }
    let kind = component.component_type.to_string();
    Ok(session.environment.own_id(&kind, &component.key))
}

/// Writes the solution's row, and its publisher's where that is new.
fn solution_row(
    session: &Session<'_>,
    import: &Import,
    kept_as: &str,
    there: Option<&Row>,
) -> Result<Uuid, ServiceError> {
    let manifest = &import.manifest;
    let publisher = publisher_row(session, import)?;
    let description = manifest.descriptions.first().map(|(_, text)| text.clone());
    // As it is written: `1.0` stays `1.0` in the next export.
    let written = import
        .split
        .outline
        .manifest_value("Version")
        .ok()
        .flatten();
    let mut changes = row! {
        "friendlyname": manifest.display_name,
        "version": written.unwrap_or_else(|| manifest.version.to_string()),
        "description": description,
        "ismanaged": manifest.managed,
        "updatedon": session.moment(),
        "solutionpackageversion": manifest.package_version,
    };
    let there = there
        .filter(|_| !import.switches.holding)
        .and_then(|row| id(row, "solutionid"));
    match there {
        Some(id) => {
            session.update("solution", id, changes)?;
            Ok(id)
        }
        None => {
            let more = row! {
                "uniquename": kept_as,
                "_publisherid_value": publisher,
                "isvisible": true,
                "installedon": session.moment(),
            };
            changes.extend(more);
            session.insert("solution", changes)
        }
    }
}

fn publisher_row(session: &Session<'_>, import: &Import) -> Result<Uuid, ServiceError> {
    let publisher = &import.manifest.publisher;
    let there = session.find("publisher", "uniquename", &json!(publisher.unique_name))?;
    if let Some(id) = there.and_then(|row| id(&row, "publisherid")) {
        return Ok(id);
    }
    session.insert(
        "publisher",
        row! {
            "uniquename": publisher.unique_name,
            "friendlyname": publisher.display_name,
            "customizationprefix": publisher.prefix,
            "customizationoptionvalueprefix": publisher.option_value_prefix,
            "description": publisher.descriptions.first().map(|(_, text)| text),
            "emailaddress": publisher.email,
            "supportingwebsiteurl": publisher.website,
        },
    )
}

/// Applies a waiting upgrade.
pub(super) fn apply_upgrade(session: &Session<'_>, name: &str) -> Result<Uuid, ServiceError> {
    if name
        .to_ascii_lowercase()
        .ends_with(&HOLDING.to_ascii_lowercase())
    {
        let message =
            "To use this action, you must first select the old solution and then try again.";
        return Err(ServiceError::bad_request("0x8004853C", message));
    }
    let mut records = Records::load(session)?;
    let id = super::upgrade::promote(session, &mut records, name)?;
    records.save(session)?;
    Ok(id)
}

/// Deletes a solution: an unmanaged one leaves its components, a managed one takes them along.
///
/// # Errors
/// `0x8004F01F` when something else needs one of them, `403` for the system's own solutions.
pub(super) fn uninstall(session: &Session<'_>, solution: &Row) -> Result<(), ServiceError> {
    let name = text(solution, "uniquename").unwrap_or_default().to_owned();
    if super::is_builtin(solution) {
        let message = format!("The solution '{name}' is a system solution and cannot be deleted.");
        return Err(ServiceError::bad_request("0x8004F026", message));
    }
    let mut records = Records::load(session)?;
    if flag(solution, "ismanaged") {
        let waiting = format!("{name}{HOLDING}");
        if checks::installed(session, &waiting)?.is_some() {
            let message = format!(
                "The solution '{name}' cannot be deleted while its upgrade '{waiting}' waits to \
                 be applied."
            );
            return Err(ServiceError::bad_request("0x80048033", message));
        }
        remove::managed(session, &mut records, &name)?;
    } else {
        let held: BTreeSet<Identity> = records
            .iter()
            .filter(|record| record.is_in(&name))
            .map(|record| record.identity.clone())
            .collect();
        for identity in held {
            if let Some(record) = records.change(&identity) {
                record.leave(&name);
            }
        }
    }
    state::forget(session, &name)?;
    if let Some(id) = id(solution, "solutionid") {
        session.remove("solution", id)?;
    }
    records.save(session)
}

//! Exporting an unmanaged solution, as it is or as a managed one.

use std::collections::HashSet;

use super::checks::installed;
use super::dependencies::existing_solution;
use super::missing::is_standard;
use super::record::{ACTIVE, Record, Records};
use super::{rewrite, state};
use crate::emulator::dataverse::row::{flag, id, number, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::fragment::{Edits, Wrapped, child, escape_attribute, top};
use crate::solution::component::{
    Component, ComponentType, Identity, NewSolution, Outline, assemble, code,
};

/// The zip of the solution `name`. Only what is published is in it
/// (facts/dataverse-web-api.md, section 4.1).
///
/// # Errors
/// When there is no such solution, it is managed, or it belongs to the system.
pub(super) fn zip(
    session: &Session<'_>,
    name: &str,
    managed: bool,
) -> Result<Vec<u8>, ServiceError> {
    let solution = existing_solution(session, name)?;
    if flag(&solution, "ismanaged") {
        let message = format!("The solution '{name}' is managed and cannot be exported.");
        return Err(ServiceError::bad_request("0x80048036", message));
    }
    if super::is_builtin(&solution) {
        let message = format!("The solution '{name}' belongs to the system and is not exported.");
        return Err(ServiceError::bad_request("0x80048036", message));
    }
    // The name as it is written, not as the caller spelled it.
    let name = text(&solution, "uniquename").unwrap_or(name).to_owned();
    let records = Records::load(session)?;
    let mut components = Vec::new();
    let mut behaviors = std::collections::HashMap::new();
    for record in records.content_of(&name) {
        let Some(component) = component_now(session, record)? else {
            continue;
        };
        let behavior = record
            .member(&name)
            .and_then(|member| member.behavior)
            .unwrap_or(0);
        behaviors.insert(component.identity(), behavior);
        components.push(component);
    }
    if managed {
        components = components.into_iter().filter_map(as_managed).collect();
    }
    let (outline, only_listed) = match state::of(session, &name)? {
        Some(kept) => (kept.outline, kept.only_listed),
        None => (new_outline(session, &solution)?, Vec::new()),
    };
    let broken = |error: crate::solution::component::ComponentError| {
        ServiceError::bad_request(
            "0x80048033",
            format!("The solution cannot be written: {error}"),
        )
    };
    let version = text(&solution, "version").unwrap_or("1.0.0.0");
    let outline = outline
        .stamped(version, managed, text(&solution, "friendlyname"))
        .and_then(|outline| {
            outline.with_roots_of(
                &components,
                |component| behaviors.get(&component.identity()).copied().unwrap_or(0),
                |identity| !only_listed.contains(identity),
            )
        })
        .map_err(broken)?;
    let needed = needed_elsewhere(session, &records, &name)?;
    let outline = outline.requiring(&needed).map_err(broken)?;
    let package = assemble(&outline, &components).map_err(broken)?;
    package
        .to_zip()
        .map_err(|error| ServiceError::bad_request("0x80048033", error.to_string()))
}

/// What the components of `solution` need and it does not hold, as the manifest says it.
fn needed_elsewhere(
    session: &Session<'_>,
    records: &Records,
    solution: &str,
) -> Result<Vec<(Identity, [String; 2])>, ServiceError> {
    let content = records.content_of(solution);
    let own: HashSet<&Identity> = content.iter().map(|record| &record.identity).collect();
    let mut needed = Vec::new();
    for record in &content {
        let references = record
            .effective()
            .map(|definition| definition.references.as_slice());
        for reference in references.unwrap_or_default() {
            let Some(required) = records.meant(&reference.to) else {
                continue;
            };
            let identity = &required.identity;
            if own.contains(identity) || is_standard(session, identity)? {
                continue;
            }
            let brings = match required
                .layers
                .iter()
                .find(|layer| layer.solution != ACTIVE)
            {
                Some(layer) => {
                    let row = installed(session, &layer.solution)?.unwrap_or_default();
                    let version = text(&row, "version").unwrap_or_default();
                    format!("{} ({version})", layer.solution)
                }
                None => ACTIVE.to_owned(),
            };
            let brings = format!(" solution=\"{}\"", escape_attribute(&brings));
            let texts = [
                end_of("Required", required, &brings),
                end_of("Dependent", record, ""),
            ];
            needed.push((identity.clone(), texts));
        }
    }
    Ok(needed)
}

/// One end of a dependency as the manifest writes it.
fn end_of(element: &str, record: &Record, more: &str) -> String {
    let kind = &record.identity.component_type;
    let name = format!(
        " displayName=\"{}\"",
        escape_attribute(record.display_name())
    );
    let key = escape_attribute(record.schema_name().unwrap_or(&record.identity.key));
    match kind {
        ComponentType::Table(table) => {
            let column = match table.as_str() {
                "connectionreference" => "connectionreferencelogicalname",
                "customapi" => "uniquename",
                _ => "schemaname",
            };
            format!("<{element} type=\"{table}\"{name}{more} id.{column}=\"{key}\" />")
        }
        ComponentType::Code(code::TABLE) => {
            let key = &record.identity.key;
            format!("<{element} type=\"1\" schemaName=\"{key}\"{name}{more} />")
        }
        ComponentType::Code(number) => match record.effective().and_then(|it| it.id) {
            Some(id) => format!("<{element} type=\"{number}\"{name}{more} id=\"{{{id}}}\" />"),
            None => format!("<{element} type=\"{number}\" schemaName=\"{key}\"{name}{more} />"),
        },
    }
}

/// The component as callers see it: its published definition with what they changed in its row.
/// `None` when the row is gone.
pub(super) fn component_now(
    session: &Session<'_>,
    record: &Record,
) -> Result<Option<Component>, ServiceError> {
    let Some(definition) = record.published() else {
        return Ok(None);
    };
    let component = definition.component(session, record)?;
    let catalogue = session.catalogue()?;
    let name = component.component_type.table_name();
    let Some(table) = catalogue.table(name).filter(|table| !table.is_virtual) else {
        return Ok(Some(component));
    };
    let row: Option<Row> = match &record.published_row {
        Some(row) => Some(row.clone()),
        None => session.row(name, record.object_id)?,
    };
    // Rows of kinds that have no table of their own, such as columns, are not looked for.
    let Some(row) = row else { return Ok(None) };
    if record
        .layers
        .last()
        .is_some_and(|layer| layer.published.is_some())
    {
        // An import waits to be published: the row is ahead of the definition.
        return Ok(Some(component));
    }
    Ok(Some(
        rewrite::changed(table, &component, &row).unwrap_or(component),
    ))
}

/// The component as a managed package holds it: parts of tables that are marked as unmodified are
/// left out, and so is what a table says about itself when only its parts are in the solution.
fn as_managed(mut component: Component) -> Option<Component> {
    if component.is_unmodified() {
        return None;
    }
    if component.component_type.code() == Some(code::TABLE) {
        let wrapped = Wrapped::new(&component.fragment);
        let document = wrapped.document().ok()?;
        let node = top(&document)?;
        let source = document.input_text();
        let info = child(node, "EntityInfo").filter(|info| {
            child(*info, "entity").is_some_and(|it| it.attribute("unmodified") == Some("1"))
        });
        let mut edits = Edits::default();
        let empty_views = child(node, "SavedQueries").filter(|views| {
            info.is_some() && views.descendants().filter(|node| node.is_element()).count() <= 2
        });
        for gone in [info, empty_views].into_iter().flatten() {
            let range = gone.range();
            edits.replace(source[..range.start].trim_end().len(), range.end, "");
        }
        component.fragment = edits.apply_within(source, node.range());
    }
    Some(component)
}

fn new_outline(session: &Session<'_>, solution: &Row) -> Result<Outline, ServiceError> {
    let publisher = id(solution, "_publisherid_value")
        .map(|id| session.row("publisher", id))
        .transpose()?
        .flatten()
        .unwrap_or_default();
    let of = |row: &Row, column: &str| text(row, column).unwrap_or_default().to_owned();
    Ok(Outline::new(&NewSolution {
        unique_name: of(solution, "uniquename"),
        display_name: of(solution, "friendlyname"),
        description: of(solution, "description"),
        version: of(solution, "version"),
        publisher_name: of(&publisher, "uniquename"),
        publisher_display_name: of(&publisher, "friendlyname"),
        publisher_prefix: of(&publisher, "customizationprefix"),
        publisher_option_prefix: number(&publisher, "customizationoptionvalueprefix")
            .unwrap_or(10_000),
        language: session.environment.language,
    }))
}

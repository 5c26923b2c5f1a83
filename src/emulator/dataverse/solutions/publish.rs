//! Publishing: what was changed in the unmanaged layer comes into effect.

use std::collections::BTreeSet;

use roxmltree::Document;

use super::jobs;
use super::record::{Record, Records};
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::row;
use crate::emulator::dataverse::{ServiceError, Session};
use crate::solution::component::{ComponentType, plain_id};

/// The publishing actions.
pub(super) fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "PublishAllXml" => Operation::action(publish_all),
        "PublishAllXmlAsync" => Operation::action(publish_all_async),
        "PublishXml" => Operation::action(publish_some),
        _ => return None,
    })
}

fn publish_all(session: &Session<'_>, _: &Parameters) -> Result<Reply, ServiceError> {
    jobs::free_for(session, "PublishAll")?;
    all(session)?;
    Ok(Reply::Nothing)
}

fn publish_all_async(session: &Session<'_>, _: &Parameters) -> Result<Reply, ServiceError> {
    let id = jobs::start(session, jobs::Work::PublishAll)?;
    Ok(Reply::Members(row! { "AsyncOperationId": id }))
}

fn publish_some(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let xml = parameters.required("ParameterXml")?;
    let invalid = |reason: String| {
        ServiceError::bad_request("0x80040203", format!("ParameterXml is not valid: {reason}"))
    };
    let document = Document::parse(xml).map_err(|error| invalid(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name("importexportxml") {
        return Err(invalid("its root is not importexportxml".into()));
    }
    jobs::free_for(session, "Publish")?;
    // A list holds elements that name components: by logical name, name or id.
    let mut wanted: BTreeSet<(ComponentType, String)> = BTreeSet::new();
    for element in root.descendants().filter(|node| node.is_element()) {
        let text = element.text().unwrap_or_default();
        if element.children().any(|child| child.is_element()) || text.trim().is_empty() {
            continue;
        }
        let kind = ComponentType::named(element.tag_name().name());
        wanted.insert((kind, plain_id(text)));
    }
    let mut records = Records::load(session)?;
    let chosen: Vec<_> = records
        .iter()
        .filter(|record| {
            let mut names = vec![record.identity.clone()];
            names.extend(record.parent.clone());
            names.iter().any(|name| {
                wanted.contains(&(name.component_type.clone(), name.key.clone()))
                    || wanted.contains(&(name.component_type.clone(), record.object_id.to_string()))
            })
        })
        .map(|record| record.identity.clone())
        .collect();
    for identity in chosen {
        if let Some(record) = records.change(&identity) {
            publish(record);
        }
    }
    records.save(session)?;
    Ok(Reply::Nothing)
}

/// Publishes every component.
pub(super) fn all(session: &Session<'_>) -> Result<(), ServiceError> {
    let mut records = Records::load(session)?;
    let waiting: Vec<_> = records
        .iter()
        .filter(|record| {
            record.published_row.is_some()
                || record.layers.iter().any(|layer| layer.published.is_some())
        })
        .map(|record| record.identity.clone())
        .collect();
    for identity in waiting {
        if let Some(record) = records.change(&identity) {
            publish(record);
        }
    }
    records.save(session)
}

fn publish(record: &mut Record) {
    record.published_row = None;
    for layer in &mut record.layers {
        layer.published = None;
    }
}

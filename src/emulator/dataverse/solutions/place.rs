//! Rows of components: writing them as an import asks, and back to what lower layers say.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use uuid::Uuid;

use super::import::Import;
use super::record::{ACTIVE, Definition, Record, Records};
use super::rows;
use crate::emulator::dataverse::catalogue::Table;
use crate::emulator::dataverse::row::{id, number, row};
use crate::emulator::dataverse::{Row, ServiceError, Session, rules};
use crate::solution::component::fragment::{Wrapped, elements, plain_id, top, value};
use crate::solution::component::{Component, ComponentType, Identity, code};

/// The category of cloud flows.
const CLOUD_FLOW: i64 = 5;
/// Columns that say whether something is on. An existing row keeps its state when it is imported
/// again (facts/dataverse-web-api.md, section 6.3).
const STATE: [&str; 2] = ["statecode", "statuscode"];

/// Writes the rows of one import.
pub(super) struct Writer<'a, 's> {
    session: &'a Session<'s>,
    managed: bool,
    convert: bool,
    overwrite: bool,
    publish_workflows: bool,
    holding: bool,
    /// The definitions that were in effect before.
    before: HashMap<Identity, Definition>,
    /// The solution whose layer the written components have on top, once it was looked up.
    owner: Option<(String, Option<Uuid>)>,
    /// Flows that are new here and should be on, by id.
    to_start: BTreeSet<Uuid>,
}

impl<'a, 's> Writer<'a, 's> {
    /// Must be made before the layers are written: it remembers what was in effect.
    pub(super) fn new(session: &'a Session<'s>, import: &Import, records: &Records) -> Self {
        let components = import.split.components.iter().map(Component::identity);
        let before = components
            .filter_map(|identity| {
                let definition = records.get(&identity)?.effective()?.clone();
                Some((identity, definition))
            })
            .collect();
        Self {
            session,
            managed: import.manifest.managed,
            convert: import.switches.convert,
            overwrite: import.switches.overwrite,
            publish_workflows: import.switches.publish_workflows,
            holding: import.switches.holding,
            before,
            owner: None,
            to_start: BTreeSet::new(),
        }
    }

    /// Writes the row of `component`, whose layer is written already.
    pub(super) fn write(
        &mut self,
        records: &Records,
        component: &Component,
    ) -> Result<(), ServiceError> {
        let session = self.session;
        let catalogue = session.catalogue()?;
        let name = component.component_type.table_name();
        let Some(table) = catalogue.table(name).filter(|table| !table.is_virtual) else {
            return Ok(());
        };
        let Some(record) = records.get(&component.identity()) else {
            return Ok(());
        };
        let mut new = rows::row_of(table, component);
        new.extend(lookups(session, records, component)?);
        match session.row(name, record.object_id)? {
            None => self.insert(table, record, component, new)?,
            Some(row) => self.update(table, record, component, new, &row)?,
        }
        self.parts(component, record.object_id)
    }

    fn insert(
        &mut self,
        table: &Table,
        record: &Record,
        component: &Component,
        mut new: Row,
    ) -> Result<(), ServiceError> {
        let object_id = record.object_id;
        let owner = self.owner(record)?;
        new.extend(standing(table, record, owner));
        new.insert(table.key.clone(), object_id.to_string().into());
        match component.component_type.code() {
            Some(code::WORKFLOW) => {
                let should_run = number(&new, "statecode") == Some(1);
                (new["statecode"], new["statuscode"]) = (json!(0), json!(1));
                if number(&new, "category") == Some(CLOUD_FLOW) {
                    if should_run {
                        self.to_start.insert(object_id);
                    }
                } else if self.publish_workflows {
                    (new["statecode"], new["statuscode"]) = (json!(1), json!(2));
                }
            }
            Some(code::STEP) if !self.publish_workflows => {
                new.insert("statecode".into(), json!(1));
                new.insert("statuscode".into(), json!(2));
            }
            _ => {}
        }
        self.session.insert(&table.name, new)?;
        Ok(())
    }

    fn update(
        &mut self,
        table: &Table,
        record: &Record,
        component: &Component,
        new: Row,
        row: &Row,
    ) -> Result<(), ServiceError> {
        let session = self.session;
        let before = self.before.get(&component.identity());
        let before = before
            .map(|definition| definition.component(session, record))
            .transpose()?;
        let mut changes = standing(table, record, self.owner(record)?);
        // An unmanaged layer with a definition of its own hides all that managed layers say.
        let hidden = self.managed
            && !self.convert
            && record
                .layers
                .last()
                .is_some_and(|top| top.solution == ACTIVE && top.definition.is_some());
        if !hidden {
            let keep = match (&before, self.managed && !self.overwrite && !self.convert) {
                (Some(before), true) => rows::differences(table, before, row),
                _ => Row::new(),
            };
            if let Some(before) = &before {
                for (column, _) in rows::row_of(table, before) {
                    if !new.contains_key(&column) && !keep.contains_key(&column) {
                        changes.insert(column, Value::Null);
                    }
                }
            }
            for (column, value) in new {
                let keeps = keep.contains_key(&column) || STATE.contains(&column.as_str());
                if !keeps && row.get(&column) != Some(&value) {
                    changes.insert(column, value);
                }
            }
        }
        if self.publish_workflows && !self.holding {
            let on = match component.component_type.code() {
                Some(code::WORKFLOW) if number(row, "category") != Some(CLOUD_FLOW) => Some((1, 2)),
                Some(code::STEP) => Some((0, 1)),
                _ => None,
            };
            if let Some((state, status)) = on {
                changes.insert("statecode".into(), state.into());
                changes.insert("statuscode".into(), status.into());
            }
        }
        session.update(&table.name, record.object_id, changes)?;
        Ok(())
    }

    /// The id of the solution whose layer is on top of `record`.
    fn owner(&mut self, record: &Record) -> Result<Option<Uuid>, ServiceError> {
        let name = record.layers.last().map_or(ACTIVE, |layer| &layer.solution);
        if let Some((known, id)) = &self.owner
            && known == name
        {
            return Ok(*id);
        }
        let id = solution_id(self.session, name)?;
        self.owner = Some((name.to_owned(), id));
        Ok(id)
    }

    /// Rows that are parts of a component's definition and have no component of their own.
    fn parts(&self, component: &Component, object_id: Uuid) -> Result<(), ServiceError> {
        let session = self.session;
        let wrapped = Wrapped::new(&component.fragment);
        let Ok(document) = wrapped.document() else {
            return Ok(());
        };
        let Some(node) = top(&document) else {
            return Ok(());
        };
        match component.component_type.code() {
            Some(code::PLUGIN_ASSEMBLY) => {
                for part in node
                    .descendants()
                    .filter(|node| node.has_tag_name("PluginType"))
                {
                    let Some(part_id) = part
                        .attribute("PluginTypeId")
                        .and_then(|id| Uuid::parse_str(&plain_id(id)).ok())
                    else {
                        continue;
                    };
                    let name = part.attribute("Name").unwrap_or_default();
                    let columns = row! {
                        "plugintypeid": part_id,
                        "name": name,
                        "typename": name,
                        "friendlyname": value(part, "FriendlyName"),
                        "assemblyname": value(node, "@FullName")
                            .and_then(|name| name.split(',').next()),
                        "_pluginassemblyid_value": object_id,
                        "workflowactivitygroupname": value(part, "WorkflowActivityGroupName"),
                    };
                    self.put("plugintype", part_id, columns)?;
                }
            }
            Some(code::STEP) => {
                let images = node
                    .descendants()
                    .filter(|node| node.has_tag_name("SdkMessageProcessingStepImage"));
                for image in images {
                    let name = image.attribute("Name").unwrap_or_default().to_owned();
                    let part_id = elements(image)
                        .find(|element| element.has_tag_name("SdkMessageProcessingStepImageId"))
                        .and_then(|element| element.text())
                        .or(image.attribute("SdkMessageProcessingStepImageId"))
                        .and_then(|id| Uuid::parse_str(&plain_id(id)).ok())
                        .unwrap_or_else(|| {
                            let key = format!("{object_id}/{name}");
                            session.environment.own_id("stepimage", &key)
                        });
                    let columns = row! {
                        "sdkmessageprocessingstepimageid": part_id,
                        "name": name,
                        "entityalias": value(image, "EntityAlias"),
                        "attributes": value(image, "Attributes"),
                        "imagetype": value(image, "ImageType").and_then(|it| it.parse::<i64>().ok()),
                        "messagepropertyname": value(image, "MessagePropertyName"),
                        "_sdkmessageprocessingstepid_value": object_id,
                    };
                    self.put("sdkmessageprocessingstepimage", part_id, columns)?;
                }
            }
            Some(code::APP) => {
                for role in node.descendants().filter(|node| node.has_tag_name("Role")) {
                    let role = role
                        .attribute("id")
                        .and_then(|id| Uuid::parse_str(&plain_id(id)).ok());
                    if let Some(role) = role
                        && session.row("role", role)?.is_some()
                    {
                        session.link("appmoduleroles_association", object_id, role)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn put(&self, table: &str, id: Uuid, columns: Row) -> Result<(), ServiceError> {
        match self.session.row(table, id)? {
            Some(_) => {
                self.session.update(table, id, columns)?;
            }
            None => {
                self.session.insert(table, columns)?;
            }
        }
        Ok(())
    }
}

/// What every component's row says about where it comes from.
fn standing(table: &Table, record: &Record, owner: Option<Uuid>) -> Row {
    let mut columns = Row::new();
    if table.column("ismanaged").is_some() {
        columns.insert("ismanaged".into(), record.is_managed().into());
    }
    if table.column("componentstate").is_some() {
        columns.insert("componentstate".into(), 0.into());
    }
    if let (Some(_), Some(owner)) = (table.column("solutionid"), owner) {
        columns.insert("solutionid".into(), owner.to_string().into());
    }
    columns
}

fn solution_id(session: &Session<'_>, name: &str) -> Result<Option<Uuid>, ServiceError> {
    let solution = super::checks::installed(session, name)?;
    Ok(solution.and_then(|solution| id(&solution, "solutionid")))
}

/// The lookups of a component's row: package files name other components by their keys.
fn lookups(
    session: &Session<'_>,
    records: &Records,
    component: &Component,
) -> Result<Row, ServiceError> {
    let mut row = Row::new();
    let mut point = |column: &str, to: Option<Uuid>| {
        if let Some(to) = to {
            row.insert(format!("_{column}_value"), to.to_string().into());
        }
    };
    let record = |identity: &Identity| records.meant(identity).map(|found| found.object_id);
    let wrapped = Wrapped::new(&component.fragment);
    let document = wrapped.document().ok();
    let node = document.as_ref().and_then(top);
    let text_at = |place: &str| node.and_then(|node| value(node, place)).map(plain_id);
    let id_at = |place: &str| text_at(place).and_then(|id| Uuid::parse_str(&id).ok());
    match component.component_type.code() {
        Some(code::ROLE) => {
            let own = records
                .get(&component.identity())
                .map(|record| record.object_id);
            point("businessunitid", Some(session.environment.business_unit_id));
            point("parentrootroleid", own);
        }
        Some(code::VARIABLE) => {
            if let Some(parent) = text_at("parentdefinitionid/schemaname") {
                point(
                    "parentdefinitionid",
                    record(&Identity::coded(code::VARIABLE, &parent)),
                );
            }
        }
        Some(code::VARIABLE_VALUE) => {
            point(
                "environmentvariabledefinitionid",
                component.parent.as_ref().and_then(record),
            );
        }
        Some(code::STEP) => {
            point("sdkmessageid", id_at("SdkMessageId"));
            let endpoint = id_at("EventHandler");
            let plugin = id_at("PluginTypeId").or(endpoint);
            point("plugintypeid", plugin);
            point("eventhandler", plugin);
            let table = if text_at("EventHandlerTypeCode").as_deref() == Some("4618") {
                "serviceendpoint"
            } else {
                "plugintype"
            };
            if plugin.is_some() {
                let marked = format!(
                    "_eventhandler_value{}",
                    crate::emulator::dataverse::row::LOOKUP_TABLE
                );
                row.insert(marked, table.into());
            }
        }
        Some(_) => {}
        None => {
            point("plugintypeid", id_at("plugintypeid/plugintypeexportkey"));
            if let Some(bot) = text_at("parentbotid/schemaname") {
                point(
                    "parentbotid",
                    record(&Identity::new(ComponentType::table("bot"), &bot)),
                );
            }
            if component.component_type.table_name() == "connectionreference"
                && let Some(id) = id_at("customconnectorid")
            {
                point("customconnectorid", Some(id));
            }
        }
    }
    if component.component_type.code() == Some(code::VARIABLE_VALUE) {
        row.insert("schemaname".into(), component.schema_name.clone().into());
    }
    Ok(row)
}

/// Turns on the flows that came new with an import and can run: their connection references have
/// connections and the flows that they run are on. The others stay off
/// (facts/dataverse-web-api.md, section 5.5).
pub(super) fn settle_flows(
    session: &Session<'_>,
    writer: &Writer<'_, '_>,
) -> Result<(), ServiceError> {
    let table = session.table("workflow")?;
    let mut waiting = writer.to_start.clone();
    // Children first, however they are ordered in the package.
    loop {
        let mut started = Vec::new();
        for flow in &waiting {
            let row = session.existing("workflow", *flow)?;
            let mut on = row! { "statecode": 1, "statuscode": 2 };
            // What would refuse a caller who turns it on leaves it off here.
            match rules::changing(session, &table, &row, &mut on) {
                Ok(()) => {
                    session.update("workflow", *flow, on)?;
                    started.push(*flow);
                }
                Err(error) if error.status.is_server_error() => return Err(error),
                Err(_) => {}
            }
        }
        if started.is_empty() {
            return Ok(());
        }
        waiting.retain(|flow| !started.contains(flow));
    }
}

/// Brings a component's row back to what its topmost definition says.
pub(super) fn restore(
    session: &Session<'_>,
    records: &Records,
    record: &Record,
) -> Result<(), ServiceError> {
    let catalogue = session.catalogue()?;
    let name = record.identity.component_type.table_name();
    let Some(table) = catalogue.table(name).filter(|table| !table.is_virtual) else {
        return Ok(());
    };
    let Some(current) = session.row(name, record.object_id)? else {
        return Ok(());
    };
    // What a maker changed on top of the layers stays until that layer goes.
    if record
        .layer(ACTIVE)
        .is_some_and(|layer| layer.definition.is_none())
    {
        return Ok(());
    }
    let Some(definition) = record.effective() else {
        return Ok(());
    };
    let component = definition.component(session, record)?;
    let mut changes = rows::differences(table, &component, &current);
    let defined = rows::row_of(table, &component);
    for (column, value) in &mut changes {
        *value = defined.get(column).cloned().unwrap_or(Value::Null);
    }
    changes.retain(|column, _| !STATE.contains(&column.as_str()));
    changes.extend(lookups(session, records, &component)?);
    let owner = record.layers.last().map_or(ACTIVE, |layer| &layer.solution);
    changes.extend(standing(table, record, solution_id(session, owner)?));
    session.update(name, record.object_id, changes)?;
    Ok(())
}

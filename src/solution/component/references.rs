//! What a component needs: the edges that dependencies are computed from.
//!
//! Read from the definition itself (the flow's JSON, the element's texts), never from a name that
//! merely looks alike. What the Power Platform tracks only inside a table (a column on its own
//! form) is not listed, since the table comes and goes with its parts.

use std::collections::BTreeSet;

use roxmltree::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fragment::{Wrapped, elements, top, value};
use super::{Component, ComponentType, Identity, Place, code, flow_references};

/// One component that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// What is needed.
    pub to: Identity,
    /// Whether the one that needs it cannot exist without it. A part of a table is gone with its
    /// table; a flow stays, turned off, when its connection reference has no connection.
    pub inside: bool,
}

/// What `component` needs, without doubles, sorted.
pub fn references(component: &Component) -> Vec<Reference> {
    let mut found = Found::default();
    if let Some(parent) = &component.parent {
        found.inside(parent.clone());
    }
    if component.component_type.code() == Some(code::VARIABLE_VALUE) {
        return found.sorted(component);
    }
    let wrapped = Wrapped::new(&component.fragment);
    if let Ok(document) = wrapped.document()
        && let Some(node) = top(&document)
    {
        in_element(component, node, &mut found);
    }
    if component.component_type.code() == Some(code::WORKFLOW)
        && let Some(definition) = component.payload_ending(".json")
    {
        let flow = flow_references(&definition.bytes);
        for name in flow.connection_references {
            found.needs(Identity::new(
                ComponentType::table("connectionreference"),
                &name,
            ));
        }
        flow.child_flows
            .iter()
            .for_each(|id| found.coded(code::WORKFLOW, id));
        flow.variables
            .iter()
            .for_each(|name| found.coded(code::VARIABLE, name));
    }
    found.sorted(component)
}

#[derive(Default)]
struct Found(BTreeSet<Reference>);

impl Found {
    fn needs(&mut self, to: Identity) {
        if !to.key.is_empty() {
            self.0.insert(Reference { to, inside: false });
        }
    }

    fn inside(&mut self, to: Identity) {
        self.0.insert(Reference { to, inside: true });
    }

    fn coded(&mut self, number: u16, key: &str) {
        self.needs(Identity::coded(number, key));
    }

    fn table(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|name| !name.is_empty() && *name != "none") {
            self.coded(code::TABLE, name);
        }
    }

    fn sorted(self, component: &Component) -> Vec<Reference> {
        let own = component.identity();
        let inside: BTreeSet<Identity> = self
            .0
            .iter()
            .filter(|reference| reference.inside)
            .map(|reference| reference.to.clone())
            .collect();
        self.0
            .into_iter()
            .filter(|reference| reference.to != own)
            .filter(|reference| reference.inside || !inside.contains(&reference.to))
            .collect()
    }
}

fn in_element(component: &Component, node: Node<'_, '_>, found: &mut Found) {
    let Some(number) = component.component_type.code() else {
        in_framework(component, node, found);
        return;
    };
    match number {
        code::COLUMN => {
            if let Some(name) = value(node, "OptionSetName") {
                found.coded(code::OPTION_SET, name);
            }
        }
        code::RELATIONSHIP => {
            for place in [
                "ReferencingEntityName",
                "ReferencedEntityName",
                "FirstEntityName",
                "SecondEntityName",
            ] {
                if let Some(name) = value(node, place).filter(|name| !name.is_empty()) {
                    found.inside(Identity::table(name));
                }
            }
        }
        code::WORKFLOW | code::STEP => {
            found.table(value(node, "PrimaryEntity"));
            if let Some(id) = value(node, "PluginTypeId") {
                found.coded(code::PLUGIN_TYPE, id);
            }
        }
        code::FORM | code::SITE_MAP | code::CHART => in_layout(node, found),
        code::VIEW => {
            in_layout(node, found);
            let joined = ["entity", "link-entity"];
            for element in node
                .descendants()
                .filter(|node| joined.contains(&node.tag_name().name()))
            {
                found.table(element.attribute("name"));
            }
        }
        code::ROLE => {
            for privilege in node
                .descendants()
                .filter(|node| node.has_tag_name("RolePrivilege"))
            {
                found.table(privilege.attribute("name").and_then(table_of_privilege));
            }
        }
        code::TABLE => {
            if let Some(id) = value(node, "EntityInfo/entity/DataSourceId") {
                found.coded(code::DATA_SOURCE, id);
            }
            in_layout(node, found);
        }
        code::WEB_RESOURCE => {
            // The libraries that a script asks for, as XML in a text.
            let needed = value(node, "DependencyXml").unwrap_or_default();
            let wrapped = Wrapped::new(needed);
            if let Ok(document) = wrapped.document() {
                for library in document
                    .descendants()
                    .filter(|node| node.has_tag_name("Library"))
                {
                    found.coded(
                        code::WEB_RESOURCE,
                        library.attribute("name").unwrap_or_default(),
                    );
                }
            }
        }
        code::APP => {
            for part in node
                .descendants()
                .filter(|node| node.has_tag_name("AppModuleComponent"))
            {
                let kind = ComponentType::named(part.attribute("type").unwrap_or_default());
                let key = part.attribute("schemaName").or(part.attribute("id"));
                found.needs(Identity::new(kind, key.unwrap_or_default()));
            }
            for role in node.descendants().filter(|node| node.has_tag_name("Role")) {
                found.coded(code::ROLE, role.attribute("id").unwrap_or_default());
            }
        }
        code::CANVAS_APP => in_canvas_app(node, found),
        code::FIELD_SECURITY_PROFILE => {
            for permission in node
                .descendants()
                .filter(|node| node.has_tag_name("FieldPermission"))
            {
                let table = value(permission, "EntityName").unwrap_or_default();
                let column = value(permission, "AttributeName").unwrap_or_default();
                found.coded(code::COLUMN, &format!("{table}.{column}"));
            }
        }
        code::TABLE_MAP => {
            found.table(value(node, "EntitySource"));
            found.table(value(node, "EntityTarget"));
        }
        code::COLUMN_IMAGE | code::TABLE_IMAGE => {
            found.table(value(node, "parententitylogicalname"));
        }
        _ => {}
    }
}

/// Forms, dashboards, site maps: they name web resources, code components and tables.
fn in_layout(node: Node<'_, '_>, found: &mut Found) {
    for element in node.descendants().filter(Node::is_element) {
        match element.tag_name().name() {
            "Library" => found.coded(
                code::WEB_RESOURCE,
                element.attribute("name").unwrap_or_default(),
            ),
            "customControl" => {
                // Built-in controls are named by a GUID or in Microsoft's own namespace.
                let name = element.attribute("name").unwrap_or_default();
                if name.contains('_') && !name.starts_with("MscrmControls") {
                    found.coded(code::CONTROL, name);
                }
            }
            "SubArea" => {
                found.table(element.attribute("Entity"));
                found.coded(
                    code::FORM,
                    element.attribute("DefaultDashboard").unwrap_or_default(),
                );
            }
            // What a sub-grid, a chart or a quick form on the form shows.
            "TargetEntityType" => found.table(element.text()),
            "ViewId" => found.coded(code::VIEW, element.text().unwrap_or_default()),
            "VisualizationId" => found.coded(code::CHART, element.text().unwrap_or_default()),
            "QuickForms" => {
                // XML in a text: `<QuickFormIds><QuickFormId entityname="contact">{…}`.
                let listed = Wrapped::new(element.text().unwrap_or_default());
                if let Ok(document) = listed.document() {
                    let forms = document.descendants();
                    for form in forms.filter(|node| node.has_tag_name("QuickFormId")) {
                        found.coded(code::FORM, form.text().unwrap_or_default());
                    }
                }
            }
            _ => {}
        }
        for attribute in element.attributes() {
            if let Some(name) = attribute.value().strip_prefix("$webresource:") {
                // An address may go on with parameters for the page.
                let name = name.split('?').next().unwrap_or(name);
                found.coded(code::WEB_RESOURCE, name);
            }
        }
    }
}

/// The table that a privilege such as `prvAppendTocontoso_Permit` is about; nothing for those of
/// Microsoft's own tables, which every environment has, and for those that are about no table.
fn table_of_privilege(name: &str) -> Option<&str> {
    const VERBS: [&str; 8] = [
        "AppendTo", "Append", "Assign", "Create", "Delete", "Read", "Share", "Write",
    ];
    let rest = name.strip_prefix("prv")?;
    let table = VERBS.iter().find_map(|verb| rest.strip_prefix(verb))?;
    // Only names of other publishers have a prefix.
    table.contains('_').then_some(table)
}

/// A canvas app lists in JSON which tables and flows it uses.
fn in_canvas_app(node: Node<'_, '_>, found: &mut Found) {
    let json =
        |place: &str| value(node, place).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let listed = json("CdsDependencies");
    let listed = listed
        .as_ref()
        .and_then(|json| json.get("cdsdependencies"))
        .and_then(Value::as_array);
    for one in listed.into_iter().flatten() {
        let text = |name: &str| one.get(name).and_then(Value::as_str);
        let number = one.get("componenttype").and_then(Value::as_u64);
        match (
            number.and_then(|number| u16::try_from(number).ok()),
            text("logicalname"),
            text("dependencyid"),
        ) {
            (Some(code::TABLE), Some(name), _) => found.table(Some(name)),
            (Some(number), _, Some(id)) => found.coded(number, id),
            _ => {}
        }
    }
    if let Some(Value::Object(map)) = json("ConnectionReferences") {
        for reference in map.values() {
            if let Some(name) = reference
                .get("connectionReferenceLogicalName")
                .and_then(Value::as_str)
            {
                found.needs(Identity::new(
                    ComponentType::table("connectionreference"),
                    name,
                ));
            }
        }
    }
}

/// Framework components name others by a child element that holds the other's key.
fn in_framework(component: &Component, node: Node<'_, '_>, found: &mut Found) {
    for element in elements(node) {
        let name = element.tag_name().name();
        match name {
            "boundentitylogicalname" => found.table(element.text()),
            "connectorid" | "customconnectorid" => {}
            _ => {}
        }
        for inner in elements(element) {
            let text = inner.text().unwrap_or_default().trim();
            match inner.tag_name().name() {
                "plugintypeexportkey" => found.coded(code::PLUGIN_TYPE, text),
                "webresourceid" => found.coded(code::WEB_RESOURCE, text),
                "logicalname" => found.table(Some(text)),
                "uniquename" if name == "appmoduleid" => found.coded(code::APP, text),
                "schemaname" => {
                    let table = if name.ends_with("botid") {
                        "bot"
                    } else {
                        "botcomponent"
                    };
                    found.needs(Identity::new(ComponentType::table(table), text));
                }
                _ => {}
            }
        }
    }
    // Relation sets: `<table>id.<key column>="…"`.
    if let Place::Part(_) = &component.place {
        for element in node.descendants().filter(Node::is_element) {
            for attribute in element.attributes() {
                if let Some((column, _)) = attribute.name().split_once('.')
                    && let Some(table) = column.strip_suffix("id")
                {
                    found.needs(Identity::new(
                        ComponentType::named(table),
                        attribute.value(),
                    ));
                }
            }
        }
    }
}

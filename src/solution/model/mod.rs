//! What the files of a solution mean, and changes to one component that leave all others alone.
//!
//! The files stay the truth. A view is read from them, holds what a person asks about and nothing
//! else. A [`Draft`] is a component that is being changed; [`put`] makes its changes in the files,
//! [`remove`] takes a component out, in a package and in a source tree alike. [`place`] says which
//! component a file belongs to. Cutting a package into components and writing it again is
//! [`component`](super::component)'s work.

mod app;
mod bot;
mod chart;
mod choice;
mod connection_reference;
mod connector;
mod control;
mod dependencies;
mod details;
mod edit;
mod files;
pub(crate) mod flow;
pub(crate) mod form;
pub(crate) mod place;
mod plugin;
mod process;
mod property;
mod relationship;
mod remove;
mod security;
mod site_map;
pub(crate) mod table;
mod variable;
pub(crate) mod view;
mod web_resource;

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::component::{
    Component, ComponentError, Identity, Place, code, components, components_of_tree,
};
use super::keyed::Node;
use super::{Package, SourceTree};

pub use app::{App, AppComponent};
pub use bot::{Bot, BotComponent};
pub use chart::Chart;
pub use choice::{Choice, ChoiceOption, Label};
pub use connection_reference::ConnectionReference;
pub use connector::{Connector, Operation};
pub use control::{Control, ControlProperty};
pub(crate) use dependencies::is_platform;
pub use dependencies::{Dependency, Origin, dependencies};
pub use details::Details;
pub use edit::{Draft, EditError, put, set_variable_value};
pub use files::Files;
pub use flow::{Branch, Flow, FlowConnection, Step};
pub use form::{Field, Form, Section, Shown, Tab};
pub use plugin::{PluginAssembly, PluginStep, PluginType, StepImage};
pub use process::{Process, RuleAction};
pub use property::{ManagedProperty, managed_properties};
pub use relationship::Relationship;
pub use remove::{Removed, remove};
pub use security::{ColumnPermission, ColumnSecurityProfile, Privilege, Role};
pub use site_map::{Area, Group, SiteMap, Subarea};
pub use table::{AlternateKey, Column, Table};
pub use variable::Variable;
pub(crate) use variable::variables;
pub use view::{View, ViewColumn};
pub use web_resource::WebResource;

/// What a package or a source tree describes. Lists follow the order of the files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Model {
    /// Tables with their columns.
    pub tables: Vec<Table>,
    /// Relationships between tables.
    pub relationships: Vec<Relationship>,
    /// Forms with the name of their table; of managed twins the ordinary one.
    pub forms: Vec<(String, Form)>,
    /// Dashboards.
    pub dashboards: Vec<Form>,
    /// Views with the name of their table.
    pub views: Vec<(String, View)>,
    /// Charts with the name of their table.
    pub charts: Vec<(String, Chart)>,
    /// Global choices.
    pub choices: Vec<Choice>,
    /// Cloud flows and all other processes.
    pub processes: Vec<Process>,
    /// Security roles.
    pub roles: Vec<Role>,
    /// Column security profiles.
    pub column_security_profiles: Vec<ColumnSecurityProfile>,
    /// Web resources.
    pub web_resources: Vec<WebResource>,
    /// Code components.
    pub controls: Vec<Control>,
    /// Plug-in assemblies.
    pub assemblies: Vec<PluginAssembly>,
    /// Plug-in steps.
    pub steps: Vec<PluginStep>,
    /// Environment variables.
    pub variables: Vec<Variable>,
    /// Custom connectors.
    pub connectors: Vec<Connector>,
    /// Connection references.
    pub references: Vec<ConnectionReference>,
    /// Model-driven apps.
    pub apps: Vec<App>,
    /// Site maps.
    pub site_maps: Vec<SiteMap>,
    /// Agents.
    pub bots: Vec<Bot>,
    /// What agents are made of.
    pub bot_components: Vec<BotComponent>,
    /// What a customer may do with each component when it is managed; components that do not say are
    /// not listed.
    pub managed_properties: Vec<(Identity, Vec<ManagedProperty>)>,
}

impl Model {
    /// Reads a source tree.
    ///
    /// # Errors
    /// As [`components_of_tree`]. A flow, a connector or a control whose own files cannot be read is
    /// none: it tells the problem itself.
    pub fn read(tree: &SourceTree) -> Result<Self, ComponentError> {
        Ok(Self::of(&components_of_tree(tree)?))
    }

    /// Reads a package.
    ///
    /// # Errors
    /// As [`components`].
    pub fn read_package(package: &Package) -> Result<Self, ComponentError> {
        Ok(Self::of(&components(package)?))
    }

    /// What `components` describe.
    pub fn of(components: &[Component]) -> Self {
        let mut model = Self::default();
        let mut tables = HashMap::new();
        let mut variables = HashMap::new();
        for component in components {
            let managed = managed_properties(component);
            if !managed.is_empty() {
                model
                    .managed_properties
                    .push((component.identity(), managed));
            }
            let parent = component.parent.as_ref();
            let table = parent.map(|parent| parent.key.clone()).unwrap_or_default();
            match Details::of(component) {
                None => {}
                Some(Details::Table(read)) => {
                    tables.insert(component.key.clone(), model.tables.len());
                    model.tables.push(read);
                }
                Some(Details::Column(read)) => {
                    if let Some(at) = tables.get(&table) {
                        model.tables[*at].columns.push(read);
                    }
                }
                Some(Details::Form(read)) => match component.place {
                    Place::Table { .. } => model.forms.push((table, read)),
                    _ => model.dashboards.push(read),
                },
                Some(Details::View(read)) => model.views.push((table, read)),
                Some(Details::Chart(read)) => model.charts.push((table, read)),
                Some(Details::Variable(read)) => {
                    variables.insert(component.key.clone(), model.variables.len());
                    model.variables.push(read);
                }
                Some(Details::Process(read)) => model.processes.push(*read),
                Some(Details::Relationship(read)) => model.relationships.push(read),
                Some(Details::Choice(read)) => model.choices.push(read),
                Some(Details::Role(read)) => model.roles.push(read),
                Some(Details::ColumnSecurityProfile(read)) => {
                    model.column_security_profiles.push(read);
                }
                Some(Details::WebResource(read)) => model.web_resources.push(read),
                Some(Details::SiteMap(read)) => model.site_maps.push(read),
                Some(Details::App(read)) => model.apps.push(read),
                Some(Details::Control(read)) => model.controls.push(read),
                Some(Details::PluginAssembly(read)) => model.assemblies.push(read),
                Some(Details::PluginStep(read)) => model.steps.push(read),
                Some(Details::Connector(read)) => model.connectors.push(read),
                Some(Details::ConnectionReference(read)) => model.references.push(read),
                Some(Details::Bot(read)) => model.bots.push(read),
                Some(Details::BotComponent(read)) => model.bot_components.push(read),
            }
        }
        for value in components {
            // A value stands alone when another solution has its definition.
            let definition = value
                .parent
                .as_ref()
                .and_then(|parent| variables.get(&parent.key));
            if let (Some(code::VARIABLE_VALUE), Some(at)) =
                (value.component_type.code(), definition)
            {
                let own: &mut Variable = &mut model.variables[*at];
                own.value = variable::current_value(&value.fragment);
            }
        }
        model
    }
}

/// The children of the child called `name`.
fn list<'n, 'a>(node: &'n Node<'a>, name: &str) -> &'n [Node<'a>] {
    node.child(name).map(Node::children).unwrap_or_default()
}

/// The text at a place, or nothing.
fn text(node: &Node<'_>, place: &str) -> String {
    node.at_path(place).unwrap_or_default().trim().to_owned()
}

/// A GUID without braces, in lower case.
fn id_of(id: &str) -> String {
    super::component::plain_id(id)
}

/// The pieces of a list written with commas.
fn words(list: &str) -> Vec<String> {
    let pieces = list.split(',').map(str::trim);
    let pieces = pieces.filter(|piece| !piece.is_empty());
    pieces.map(str::to_owned).collect()
}

/// Writes pairs as one object: what scripts read as a map.
fn as_object<S: Serializer, T: Serialize>(
    pairs: &[(String, T)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// All labels of a list such as `labels`, with their languages.
fn labels_of(node: &Node<'_>, name: &str) -> Vec<Label> {
    let labels = list(node, name).iter();
    labels
        .filter_map(|label| {
            Some(Label {
                language: label.attribute("languagecode")?.to_owned(),
                text: label.attribute("description")?.to_owned(),
            })
        })
        .collect()
}

/// The first label of a list such as `LocalizedNames` or `labels`.
pub(crate) fn label_of(node: &Node<'_>, list: &str) -> Option<String> {
    node.child(list)?
        .children()
        .iter()
        .find_map(|label| label.attribute("description"))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

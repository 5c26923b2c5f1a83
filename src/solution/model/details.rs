//! What one component is, whatever its kind.

use serde::Serialize;

use super::{
    App, Bot, BotComponent, Chart, Choice, Column, ColumnSecurityProfile, ConnectionReference,
    Connector, Control, Form, PluginAssembly, PluginStep, Process, Relationship, Role, SiteMap,
    Table, Variable, View, WebResource,
};
use crate::solution::component::{Component, Place, code};
use crate::solution::keyed::xml;

/// What a component is. As data it is the view itself, without the name of the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)] // The names say it.
pub enum Details {
    Table(Table),
    Column(Column),
    Relationship(Relationship),
    Choice(Choice),
    Form(Form),
    View(View),
    Chart(Chart),
    Process(Box<Process>),
    Role(Role),
    ColumnSecurityProfile(ColumnSecurityProfile),
    WebResource(WebResource),
    SiteMap(SiteMap),
    App(App),
    Control(Control),
    PluginAssembly(PluginAssembly),
    PluginStep(PluginStep),
    Connector(Connector),
    ConnectionReference(ConnectionReference),
    Variable(Variable),
    Bot(Bot),
    BotComponent(BotComponent),
}

impl Details {
    /// Reads a component. Of a table the columns are components of their own, so its list of them is
    /// empty; of an environment variable the value that the package brings along is, too.
    ///
    /// Nothing for kinds without a view here, and for an element that lacks what identifies it.
    pub fn of(component: &Component) -> Option<Self> {
        // A component was cut out of a document that could be read, so this one can be, too.
        let document = xml::read(&component.fragment).ok()?;
        let node = &document.root;
        Some(match component.component_type.code() {
            Some(code::TABLE) => Self::Table(Table::read(node)?),
            Some(code::COLUMN) => Self::Column(Column::read(node)?),
            Some(code::OPTION_SET) => Self::Choice(Choice::read(node)?),
            Some(code::RELATIONSHIP) => Self::Relationship(Relationship::read(node)?),
            Some(code::ROLE) => Self::Role(Role::read(node)?),
            Some(code::VIEW) => Self::View(View::read(node)?),
            Some(code::WORKFLOW) => Self::Process(Box::new(Process::read(node, component)?)),
            Some(code::CHART) => Self::Chart(Chart::read(node)?),
            Some(code::FORM) => {
                let mut form = Form::read(node)?;
                if let Place::Table { group: Some(group) } = &component.place {
                    form.form_type.clone_from(group);
                }
                Self::Form(form)
            }
            Some(code::WEB_RESOURCE) => Self::WebResource(WebResource::read(node)?),
            Some(code::SITE_MAP) => Self::SiteMap(SiteMap::read(node)?),
            Some(code::CONTROL) => {
                let manifest = component.payload_ending("/ControlManifest.xml");
                let manifest = manifest.map(|file| file.bytes.as_slice());
                Self::Control(Control::read(node, manifest)?)
            }
            Some(code::FIELD_SECURITY_PROFILE) => {
                Self::ColumnSecurityProfile(ColumnSecurityProfile::read(node)?)
            }
            Some(code::APP) => Self::App(App::read(node)?),
            Some(code::PLUGIN_ASSEMBLY) => Self::PluginAssembly(PluginAssembly::read(node)?),
            Some(code::STEP) => Self::PluginStep(PluginStep::read(node)?),
            Some(code::CONNECTOR) => Self::Connector(Connector::read(node, component)?),
            Some(code::VARIABLE) => Self::Variable(Variable::read(node, None)?),
            _ => match component.component_type.table_name() {
                "connectionreference" => {
                    Self::ConnectionReference(ConnectionReference::read(node)?)
                }
                "bot" => Self::Bot(Bot::read(node, component)?),
                "botcomponent" => Self::BotComponent(BotComponent::read(node, component)?),
                _ => return None,
            },
        })
    }
}

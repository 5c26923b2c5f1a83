//! What the files of a solution mean, and changes to one component that leave all others alone.
//!
//! The files stay the truth. A view is read from them, holds what a person asks about and nothing
//! else. A [`Draft`] is a component that is being changed; [`put`] makes its changes in the files,
//! [`remove`] takes a component out, in a package and in a source tree alike. [`place`] says which
//! component a file belongs to. Cutting a package into components and writing it again is
//! [`component`](super::component)'s work.

mod dependencies;
mod edit;
mod files;
pub(crate) mod flow;
pub(crate) mod form;
pub(crate) mod place;
mod property;
mod remove;
mod small;
pub(crate) mod table;
pub(crate) mod view;

use serde::Serialize;

use super::keyed::{Node, with_document};
use super::{PackageError, SourceTree};

pub(crate) use dependencies::is_platform;
pub use dependencies::{Dependency, Origin, dependencies};
pub use edit::{Draft, EditError, put, set_variable_value};
pub use files::Files;
pub use flow::{Branch, Flow, FlowConnection, Step};
pub use form::{Field, Form, Section, Tab};
pub use property::ManagedProperty;
pub use remove::{Removed, remove};
pub use small::{App, Choice, ConnectionReference, PluginStep, Role, Variable};
pub use table::{Column, Table};
pub use view::View;

/// What a source tree describes. Lists follow the order of the files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Model {
    /// Tables with their columns.
    pub tables: Vec<Table>,
    /// Forms with the name of their table; of managed twins the ordinary one.
    pub forms: Vec<(String, Form)>,
    /// Dashboards.
    pub dashboards: Vec<Form>,
    /// Views with the name of their table.
    pub views: Vec<(String, View)>,
    /// Global choices.
    pub choices: Vec<Choice>,
    /// Cloud flows with the name that people see.
    pub flows: Vec<(String, Flow)>,
    /// Security roles.
    pub roles: Vec<Role>,
    /// Plug-in steps.
    pub steps: Vec<PluginStep>,
    /// Environment variables.
    pub variables: Vec<Variable>,
    /// Connection references.
    pub references: Vec<ConnectionReference>,
    /// Model-driven apps.
    pub apps: Vec<App>,
}

impl Model {
    /// Reads a source tree.
    ///
    /// # Errors
    /// [`PackageError::Xml`] for the first file that is not well formed.
    pub fn read(tree: &SourceTree) -> Result<Self, PackageError> {
        let mut model = Self::default();
        for (path, data) in tree.iter() {
            let steps: Vec<&str> = path.split('/').collect();
            let twin = path.ends_with("_managed.xml")
                && tree.get(&path.replace("_managed.xml", ".xml")).is_some();
            if twin {
                continue;
            }
            if let ["Workflows", file] = steps.as_slice()
                && file.ends_with(".json")
            {
                let name = place::name_of(tree, path).unwrap_or_else(|| (*file).to_owned());
                model.flows.push((name, Flow::read(path, data)?));
                continue;
            }
            if !model.wants(&steps) {
                continue;
            }
            with_document(path, data, |document, _| {
                model.take(tree, &steps, place::inner(&document.root));
            })?;
        }
        Ok(model)
    }

    fn wants(&self, steps: &[&str]) -> bool {
        matches!(
            steps,
            ["Entities", _, "Entity.xml"]
                | ["Entities", _, "FormXml", _, _]
                | ["Entities", _, "SavedQueries", _]
                | [
                    "OptionSets" | "Roles" | "SdkMessageProcessingSteps" | "Dashboards",
                    _
                ]
                | ["AppModules", _, _]
                | ["Other", "Customizations.xml"]
                | [
                    "environmentvariabledefinitions",
                    _,
                    "environmentvariabledefinition.xml"
                ]
        )
    }

    fn take(&mut self, tree: &SourceTree, steps: &[&str], node: &Node<'_>) {
        match steps {
            ["Entities", _, "Entity.xml"] => self.tables.extend(Table::read(node)),
            ["Entities", table, "FormXml", ..] => {
                let form = Form::read(node).map(|form| (table.to_lowercase(), form));
                self.forms.extend(form);
            }
            ["Entities", table, "SavedQueries", _] => {
                let view = View::read(node).map(|view| (table.to_lowercase(), view));
                self.views.extend(view);
            }
            ["OptionSets", _] => self.choices.extend(Choice::read(node)),
            ["Roles", _] => self.roles.extend(Role::read(node)),
            ["SdkMessageProcessingSteps", _] => self.steps.extend(PluginStep::read(node)),
            ["Dashboards", _] => self.dashboards.extend(Form::read(node)),
            ["AppModules", ..] => self.apps.extend(App::read(node)),
            ["Other", _] => {
                let list = node.child("connectionreferences");
                let list = list.map(Node::children).unwrap_or_default();
                self.references
                    .extend(list.iter().filter_map(ConnectionReference::read));
            }
            ["environmentvariabledefinitions", name, _] => {
                let value = variable_value(tree, name);
                self.variables.extend(Variable::read(node, value));
            }
            _ => {}
        }
    }
}

/// The current value that a tree brings along for an environment variable (facts §2.7).
fn variable_value(tree: &SourceTree, name: &str) -> Option<String> {
    let file = format!("environmentvariabledefinitions/{name}/environmentvariablevalues.json");
    let text = std::str::from_utf8(tree.get(&file)?).ok()?;
    let read: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let value = read.pointer("/environmentvariablevalues/environmentvariablevalue/value")?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
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

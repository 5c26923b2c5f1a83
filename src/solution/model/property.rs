//! What people set about a component, whatever its kind: its name, its description, whether it may
//! be customised, whether it is on.

use serde::Serialize;

use super::edit::{Draft, EditError};
use super::variable::{self, CURRENT_VALUE};
use crate::solution::component::fragment::{Wrapped, child, elements, top};
use crate::solution::component::kind::{Key, kind_of};
use crate::solution::component::{Component, Identity, code, display_name_places};

/// The place of the settings of a table inside its element.
const IN_TABLE: &str = "EntityInfo/entity/";

/// A managed property: whether a customer may change something about a managed component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManagedProperty {
    /// Its name, spelled as in the package: `IsCustomizable`, `CanBeDeleted`, `iscustomizable`.
    pub name: String,
    /// Whether it is allowed.
    pub allowed: bool,
}

impl Draft {
    fn identity(&self) -> Identity {
        self.component().identity()
    }

    /// The first of these places that the element has; labels are those of the base language where
    /// there is one.
    fn first_place<'p>(&self, places: impl IntoIterator<Item = &'p str>) -> Option<String> {
        places
            .into_iter()
            .flat_map(|place| [self.in_base_language(place), Some(place.to_owned())])
            .flatten()
            .find(|place| self.value(place).is_some())
    }

    /// The same place in the base language, where it is that of a label.
    fn in_base_language(&self, place: &str) -> Option<String> {
        let (label, attribute) = place.rsplit_once('/')?;
        (attribute == "@description" && label != "description")
            .then(|| format!("{label}[languagecode={}]/{attribute}", self.language()))
    }

    /// Sets the name that people see, wherever the component repeats it. Labels in other languages
    /// stay.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] for a kind whose name is what identifies it, such as a connection
    /// role's table.
    pub fn set_display_name(&mut self, name: &str) -> Result<(), EditError> {
        let number = self.component().component_type.code();
        let is_key = |place: &str| match number.and_then(kind_of).map(|kind| kind.key) {
            Some(Key::Name(key) | Key::NameAndId(key, _)) => key == place,
            Some(Key::Pair(first, second)) => place == first || place == second,
            _ => false,
        };
        let old = self.component().display_name.clone();
        let places: Vec<String> = display_name_places()
            .filter(|place| !is_key(place))
            .flat_map(|place| match self.in_base_language(place) {
                Some(label) => vec![label, place.to_owned()],
                None => vec![place.to_owned()],
            })
            .filter(|place| self.value(place).is_some_and(|value| value.trim() == old))
            .collect();
        let places = match places.is_empty() {
            // A component without a name is shown by its key; it gets one where its kind has it.
            true => self
                .first_place(display_name_places().filter(|place| !is_key(place)))
                .into_iter()
                .collect(),
            false => places,
        };
        if places.is_empty() {
            return Err(self.no_place("display name that could be set"));
        }
        for place in places {
            self.set_value(&place, Some(name))?;
        }
        self.rename(name);
        Ok(())
    }

    /// The description in the base language, where the kind has one.
    pub fn description(&self) -> Option<String> {
        self.first_place(DESCRIPTIONS.iter().copied())
            .and_then(|place| self.value(&place))
    }

    /// Sets the description in the base language.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] when the package keeps no description for this component.
    pub fn set_description(&mut self, text: &str) -> Result<(), EditError> {
        let places: Vec<String> = DESCRIPTIONS
            .iter()
            .filter_map(|place| self.first_place([*place]))
            .collect();
        if !places.is_empty() {
            for place in places {
                self.set_value(&place, Some(text))?;
            }
            return Ok(());
        }
        // Kinds without an element for it get the attribute that their kind has.
        match self.component().component_type.code() {
            Some(code::WORKFLOW) => self.set_value("@Description", Some(text)),
            Some(code::WEB_RESOURCE | code::STEP | code::ROLE) => {
                self.set_value("Description", Some(text))
            }
            Some(code::OPTION_SET | code::FIELD_SECURITY_PROFILE) => {
                self.set_value("@description", Some(text))
            }
            _ => Err(self.no_place("description that could be set")),
        }
    }

    /// What a customer may do with the component when it is managed, in the order of the package.
    pub fn managed_properties(&self) -> Vec<ManagedProperty> {
        managed_properties(self.component())
    }

    /// Sets a managed property; its name is compared without case.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] when the component does not have it.
    pub fn set_managed_property(&mut self, name: &str, allowed: bool) -> Result<(), EditError> {
        let known = self.managed_properties();
        let known = known
            .iter()
            .find(|property| property.name.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| self.no_place(&format!("managed property `{name}`")))?;
        let inner = format!("{IN_TABLE}{}", known.name);
        let place = if self.value(&inner).is_some() {
            inner
        } else {
            known.name.clone()
        };
        let old = self.value(&place).unwrap_or_default();
        let new = match (old.starts_with(['t', 'f', 'T', 'F']), allowed) {
            (false, true) => "1",
            (false, false) => "0",
            (true, true) => "true",
            (true, false) => "false",
        };
        self.set_value(&place, Some(new))
    }

    /// Whether a flow, process, form or app is on; nothing for kinds that are never off.
    pub fn active(&self) -> Option<bool> {
        match self.component().component_type.code() {
            Some(code::WORKFLOW) => Some(self.value("StateCode")? == "1"),
            Some(code::FORM) => Some(self.value("FormActivationState")? == "1"),
            Some(code::APP) => Some(self.value("statecode")? == "0"),
            _ => None,
        }
    }

    /// Turns a flow, process, form or app on or off. A flow's state and status are set together.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] for a kind that is never off.
    pub fn set_active(&mut self, on: bool) -> Result<(), EditError> {
        if self.active().is_none() {
            return Err(self.no_place("state"));
        }
        match self.component().component_type.code() {
            Some(code::WORKFLOW) => {
                // Draft is 0 and 1, activated 1 and 2.
                self.set_value("StateCode", Some(if on { "1" } else { "0" }))?;
                self.set_value("StatusCode", Some(if on { "2" } else { "1" }))
            }
            Some(code::FORM) => {
                self.set_value("FormActivationState", Some(if on { "1" } else { "0" }))
            }
            _ => {
                self.set_value("statecode", Some(if on { "0" } else { "1" }))?;
                self.set_value("statuscode", Some(if on { "1" } else { "2" }))
            }
        }
    }

    /// The default value of an environment variable.
    pub fn default_value(&self) -> Option<String> {
        self.value("defaultvalue")
    }

    /// Sets the default value of an environment variable; nothing takes it away.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] for other kinds.
    pub fn set_default_value(&mut self, value: Option<&str>) -> Result<(), EditError> {
        if self.identity().component_type.code() != Some(code::VARIABLE) {
            return Err(self.no_place("default value"));
        }
        self.set_value("defaultvalue", value)
    }

    /// The value that a current value of an environment variable holds.
    pub fn current_value(&self) -> Option<String> {
        variable::current_value(&self.component().fragment)
    }

    /// Sets the value that a current value of an environment variable holds.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] for other kinds.
    pub fn set_current_value(&mut self, value: &str) -> Result<(), EditError> {
        self.set_json(CURRENT_VALUE, serde_json::Value::from(value).to_string())
    }

    /// The connector of a connection reference.
    pub fn connector(&self) -> Option<String> {
        self.value("connectorid")
    }

    /// Sets the connector of a connection reference:
    /// `/providers/Microsoft.PowerApps/apis/shared_office365`.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] for other kinds.
    pub fn set_connector(&mut self, id: &str) -> Result<(), EditError> {
        if self.identity().component_type.table_name() != "connectionreference" {
            return Err(self.no_place("connector"));
        }
        self.set_value("connectorid", Some(id))
    }
}

/// What a customer may do with `component` when it is managed, in the order of the package.
pub fn managed_properties(component: &Component) -> Vec<ManagedProperty> {
    let wrapped = Wrapped::new(&component.fragment);
    let Ok(document) = wrapped.document() else {
        return Vec::new();
    };
    let Some(mut node) = top(&document) else {
        return Vec::new();
    };
    for step in IN_TABLE.split('/').filter(|step| !step.is_empty()) {
        node = child(node, step).unwrap_or(node);
    }
    elements(node)
        .filter(|element| is_managed_property(element.tag_name().name()))
        .filter_map(|element| {
            let allowed = match element.text().unwrap_or_default().trim() {
                "1" | "true" | "True" => true,
                "0" | "false" | "False" => false,
                _ => return None,
            };
            let name = element.tag_name().name().to_owned();
            Some(ManagedProperty { name, allowed })
        })
        .collect()
}

/// Where the different kinds keep their description.
const DESCRIPTIONS: &[&str] = &[
    "EntityInfo/entity/Descriptions/Description/@description",
    "Descriptions/Description/@description",
    "@Description",
    "@description",
    "description/@default",
    "description/label/@description",
    "Description",
    "description",
];

/// Microsoft's managed properties: `IsCustomizable` and its kin, and what `Can…` be done.
fn is_managed_property(name: &str) -> bool {
    const ALLOWED: &[&str] = &[
        "iscustomizable",
        "isrenameable",
        "ismappable",
        "canbedeleted",
    ];
    let lower = name.to_ascii_lowercase();
    ALLOWED.contains(&lower.as_str())
        || ["canmodify", "cancreate", "canchange", "canenable"]
            .iter()
            .any(|begin| lower.starts_with(begin))
}

//! A package as the components that it holds, and back.
//!
//! [`split`] cuts a package into [`Component`]s, each with the exact text that defines it and its
//! payload parts; [`Outline`] keeps what belongs to the package as a whole. [`assemble`] writes a
//! package from them as a server export does. What nobody touched keeps its bytes, so an import
//! followed by an export unpacks to the same tree.
//!
//! It leaves the zip and the source tree to the rest of [`crate::solution`], and all questions of
//! layers and ownership to the emulated environment.

mod assemble;
mod flow_references;
mod folder;
pub(crate) mod fragment;
mod identify;
pub(crate) mod kind;
mod names;
mod outline;
mod references;
mod split;
pub(crate) mod standing;
mod summary;
mod table;
mod tree;
mod variable_value;
mod words;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::problem::Problem;

pub use assemble::assemble;
pub use flow_references::{FlowReferences, flow_references};
pub(crate) use folder::passed_through;
pub use fragment::plain_id;
pub use kind::{ComponentType, code};
pub(crate) use names::display_name_places;
pub(crate) use outline::manifest_identity;
pub use outline::{
    Frame, NewSolution, Outline, RootComponent, declared_components, required_components,
};
pub use references::{Reference, references};
pub use split::{Split, components, split};
pub use summary::{Count, Summary, counts, kinds, summary};
pub use tree::components_of_tree;
pub use variable_value::variable_value;
pub use words::{is_kind_word, kind_words};
pub(crate) use words::{process_name, type_name};

/// Which component: its kind and what identifies it among its kind.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Identity {
    /// The kind: a number of the choice `componenttype`, such as `29` for a process, or the name of
    /// a table, such as `connectionreference`.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub component_type: ComponentType,
    /// A name in lower case or a GUID in lower case without braces, depending on the kind. Of a
    /// column it is `table.column`.
    pub key: String,
}

impl Identity {
    /// The component `key` of the kind `component_type`.
    pub fn new(component_type: ComponentType, key: &str) -> Self {
        Self {
            component_type,
            key: plain_id(key),
        }
    }

    /// The component with the number `code`.
    pub fn coded(code: u16, key: &str) -> Self {
        Self::new(ComponentType::Code(code), key)
    }

    /// The table called `name`.
    pub fn table(name: &str) -> Self {
        Self::coded(code::TABLE, name)
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.component_type, self.key)
    }
}

/// One component of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its kind.
    pub component_type: ComponentType,
    /// What identifies it among its kind, see [`Identity::key`].
    pub key: String,
    /// Its GUID, where the package has one.
    pub id: Option<Uuid>,
    /// Its schema or unique name as written, where the kind has one.
    pub schema_name: Option<String>,
    /// What people see; the key where it has no name.
    pub display_name: String,
    /// The component that it is a part of: the table of a form, the definition of a value.
    pub parent: Option<Identity>,
    /// Where it stands in the package.
    pub place: Place,
    /// The text that defines it, as it stands in the package: an element of `customizations.xml`
    /// (of a table without its parts), or the file of a pass-through component.
    pub fragment: String,
    /// The parts of the zip that belong to it.
    pub payload: Vec<Payload>,
}

impl Component {
    /// Which component this is.
    pub fn identity(&self) -> Identity {
        Identity {
            component_type: self.component_type.clone(),
            key: self.key.clone(),
        }
    }

    /// Whether the package marks it as a part of the system that it does not change.
    pub fn is_unmodified(&self) -> bool {
        self.fragment
            .split('>')
            .next()
            .unwrap_or_default()
            .contains(" unmodified=\"1\"")
    }

    /// The payload part whose name ends with `suffix`, compared without case.
    pub fn payload_ending(&self, suffix: &str) -> Option<&Payload> {
        self.payload.iter().find(|part| {
            part.name
                .len()
                .checked_sub(suffix.len())
                .and_then(|at| part.name.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        })
    }
}

/// A part of the zip that belongs to a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The name of the part, without a leading slash.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Where a component stands in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a collection of `customizations.xml`; inner collections after a slash.
    Collection(String),
    /// Inside its table, for forms in the group of this form type.
    Table {
        /// The form type, `main` or `quick`; nothing for other parts.
        group: Option<String>,
    },
    /// In a part of its own, which this names.
    Part(String),
}

/// Why a package could not be cut into components or written.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// A required part is missing.
    #[error("the package has no {part}")]
    NoPart {
        /// The name of the part.
        part: &'static str,
    },
    /// A part is not readable XML.
    #[error("{part} is not readable XML: {reason}")]
    Xml {
        /// The name of the part.
        part: String,
        /// What the reader said.
        reason: String,
    },
    /// A component has nothing that identifies it.
    #[error("a component in {collection} has no {key}")]
    NoKey {
        /// The collection.
        collection: String,
        /// What should be there.
        key: String,
    },
    /// Two components have the same key.
    #[error("the package holds {kind} {key} twice")]
    Twice {
        /// What kind it is.
        kind: String,
        /// Its key.
        key: String,
    },
    /// A component names a part in a way that no package can hold.
    #[error(transparent)]
    Package(#[from] crate::solution::PackageError),
    /// A stored fragment cannot be read.
    #[error("the definition of {what} is not readable XML")]
    Fragment {
        /// Which component.
        what: String,
    },
}

impl Problem for ComponentError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoPart { .. } => "ALM-P151",
            Self::Xml { .. } => "ALM-P152",
            Self::NoKey { .. } => "ALM-P153",
            Self::Twice { .. } => "ALM-P154",
            Self::Fragment { .. } => "ALM-P155",
            Self::Package(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPart { .. } => Some(
                "choose the zip that Dataverse or `alm solution pack` made, not one around it"
                    .into(),
            ),
            Self::Twice { .. } => {
                Some("keep one of the two in the source folder and pack again".into())
            }
            _ => Some("export the solution again".into()),
        }
    }
}

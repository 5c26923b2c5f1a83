//! Takes the noise out of a source tree: rules that make two exports of the same thing the same.
//!
//! Each rule is a [`Rule`]: a name, what it does and why that is safe. The rules that are on by
//! default change no meaning; the others leave something out on purpose (a version, a value of the
//! development environment) and say so. Applying a rule twice is applying it once. A test holds
//! each rule alone to this on the whole corpus, by packing before and after; of those that leave
//! something out it knows what, and holds them to leave out nothing else.

mod files;
mod json;
mod order;

use std::collections::BTreeSet;

use serde::Serialize;

use super::{PackageError, SourceTree};
use crate::nearest;
use crate::problem::Problem;

/// A named way to take noise out of a source tree.
pub struct Rule {
    /// What it is chosen by.
    pub name: &'static str,
    /// What it does and why.
    pub about: &'static str,
    /// Whether it is applied when nobody chooses.
    pub by_default: bool,
    /// Whether the packed solution means the same afterwards.
    pub keeps_meaning: bool,
    apply: fn(&SourceTree) -> Result<Edits, PackageError>,
}

/// What a rule does to a file: new content, or nothing if the file goes.
type Edit = (String, Option<Vec<u8>>);

/// What a rule does to files.
type Edits = Vec<Edit>;

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).finish()
    }
}

/// All rules, in the order they are applied.
#[rustfmt::skip] // One rule after the other, as in a catalogue.
pub const RULES: &[Rule] = &[
    Rule {
        name: "file-form", by_default: true, keeps_meaning: true, apply: files::form,
        about: "Gives Other/Solution.xml and Other/Customizations.xml the byte-order mark that the packager writes and \
                takes away line breaks at their end, which pipelines that save these files change.",
    },
    Rule {
        name: "component-order", by_default: true, keeps_meaning: true, apply: order::components,
        about: "Sorts root components and missing dependencies of the solution and the components of apps as the \
                packager of 2024 and later does (type as text, schema name, id); older ones kept the order of the export.",
    },
    Rule {
        name: "relationship-order", by_default: true, keeps_meaning: true, apply: order::relationships,
        about: "Sorts relationships by name, in Other/Relationships.xml and in the file of each table.",
    },
    Rule {
        name: "column-order", by_default: true, keeps_meaning: true, apply: order::columns,
        about: "Sorts the columns of a table by schema name, as exports nearly always do.",
    },
    Rule {
        name: "label-order", by_default: true, keeps_meaning: true, apply: order::labels,
        about: "Sorts the translations of a label by language code.",
    },
    Rule {
        name: "permission-order", by_default: true, keeps_meaning: true, apply: order::permissions,
        about: "Sorts the privileges of security roles, the permissions of column security profiles and the roles of apps.",
    },
    Rule {
        name: "reference-order", by_default: true, keeps_meaning: true, apply: order::references,
        about: "Sorts connection references by logical name.",
    },
    Rule {
        name: "flow-layout", by_default: true, keeps_meaning: true, apply: json::flows,
        about: "Writes the JSON of flows with two spaces for each level and one member in each line, as exports do; the \
                order of members stays, and every number and text as it is spelled.",
    },
    Rule {
        name: "json-keys", by_default: true, keeps_meaning: true, apply: json::settings,
        about: "Sorts and lays out the JSON of values, bot settings, connector policies and identities, whose member \
                order nobody sees.",
    },
    Rule {
        name: "class-id", by_default: true, keeps_meaning: true, apply: files::class_id,
        about: "Repairs classic processes and business rules whose XAML has an all-zero class id, which some exports \
                write; the id comes from the file name. Without it they change with every export.",
    },
    Rule {
        name: "json-keys-everywhere", by_default: false, keeps_meaning: false, apply: json::everywhere,
        about: "Sorts all JSON except flows and canvas apps, as the ALM Accelerator did. Designers show the members of \
                connector definitions in their order, which is then lost.",
    },
    Rule {
        name: "version-zero", by_default: false, keeps_meaning: false, apply: files::version,
        about: "Sets the solution's version to 0.0.0.0, for teams whose pipeline gives it a version when it builds.",
    },
    Rule {
        name: "no-variable-values", by_default: false, keeps_meaning: false, apply: files::variable_values,
        about: "Leaves out the current values of environment variables, which would overwrite those of the target.",
    },
    Rule {
        name: "no-connector-code", by_default: false, keeps_meaning: false, apply: files::connector_code,
        about: "Leaves out the script of custom connectors, for targets that do not allow custom code.",
    },
    Rule {
        name: "no-server-version", by_default: false, keeps_meaning: false, apply: files::server_version,
        about: "Leaves out which build of the server made the export (OrganizationVersion and its kin), which changes \
                with every update of the service. An older server cannot refuse the package by it any more.",
    },
];

/// Which rules to apply: those that are on by default, more, and less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NormaliseOptions {
    /// Rules to apply beside the usual ones.
    pub with: Vec<String>,
    /// Usual rules not to apply; `all` stands for every one.
    pub without: Vec<String>,
}

/// A source tree without noise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    /// The files.
    pub tree: SourceTree,
    /// Which rule changed which files.
    pub changed: Vec<(&'static str, Vec<String>)>,
}

/// Why a tree was not normalised.
#[derive(Debug, thiserror::Error)]
pub enum NormaliseError {
    /// There is no rule of that name.
    #[error("there is no rule `{name}`")]
    UnknownRule {
        /// What was asked for.
        name: String,
        /// The rule that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A file could not be read.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl Problem for NormaliseError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownRule { .. } => "ALM-P201",
            Self::Package(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownRule { nearest, .. } => Some(match nearest {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`alm solution normalise --list` shows all rules".to_owned(),
            }),
            Self::Package(error) => error.hint(),
        }
    }
}

/// Applies rules to a source tree.
///
/// # Errors
/// [`NormaliseError::UnknownRule`], or [`PackageError::Xml`] for a file that is not well formed.
pub fn normalise(
    tree: &SourceTree,
    options: &NormaliseOptions,
) -> Result<Normalised, NormaliseError> {
    let chosen = choose(options)?;
    let mut normalised = Normalised {
        tree: tree.clone(),
        changed: Vec::new(),
    };
    for rule in RULES.iter().filter(|rule| chosen.contains(rule.name)) {
        let mut files = Vec::new();
        for (path, data) in (rule.apply)(&normalised.tree)? {
            match data {
                Some(data) if normalised.tree.get(&path) == Some(&data) => continue,
                Some(data) => normalised.tree.insert(path.as_str(), data)?,
                None => {
                    normalised.tree.remove(&path);
                }
            }
            files.push(path);
        }
        if !files.is_empty() {
            normalised.changed.push((rule.name, files));
        }
    }
    Ok(normalised)
}

fn choose(options: &NormaliseOptions) -> Result<BTreeSet<&'static str>, NormaliseError> {
    let known = |name: &String| -> Result<&'static str, NormaliseError> {
        let names = RULES.iter().map(|rule| rule.name);
        names.clone().find(|known| known == name).ok_or_else(|| {
            let nearest = nearest::nearest(name, names.clone());
            NormaliseError::UnknownRule {
                name: name.clone(),
                nearest: nearest.and_then(|near| names.clone().find(|name| *name == near)),
            }
        })
    };
    let mut chosen: BTreeSet<&'static str> = RULES
        .iter()
        .filter(|rule| rule.by_default)
        .map(|rule| rule.name)
        .collect();
    for name in &options.without {
        if name == "all" {
            chosen.clear();
        } else {
            chosen.remove(known(name)?);
        }
    }
    for name in &options.with {
        chosen.insert(known(name)?);
    }
    Ok(chosen)
}

//! What an import needs and the environment does not have
//! (facts/dataverse-web-api.md, section 5.5).

use std::collections::HashSet;

use super::checks::{installed, version_of};
use super::import::Import;
use super::record::{ACTIVE, Records};
use crate::emulator::dataverse::{ServiceError, Session};
use crate::solution::SolutionVersion;
use crate::solution::component::fragment::escape_attribute;
use crate::solution::component::{
    Component, ComponentType, Identity, code, references, required_components,
};

/// Prefixes of what Microsoft's own solutions bring. An emulated environment does not list what
/// they hold, so whatever they are said to bring counts as there.
const MICROSOFT: &[&str] = &[
    "msdyn",
    "msft_",
    "mspp_",
    "mscrm",
    "adx_",
    "ActivityFeeds",
    "AppModule",
    "BaseCustomControls",
    "Icebreakers",
    "SolutionHistory",
    "SolutionUpgrade",
    "System",
    "PowerApps",
    "PowerPlatform",
    "Microsoft",
];

/// A component that an import needs and the environment does not have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Missing {
    pub required: Identity,
    pub required_name: String,
    pub solution: String,
    pub dependent: Identity,
    pub dependent_name: String,
    /// The `MissingDependency` element that says so.
    pub xml: String,
}

/// What `import` needs and does not find, in this environment or in the package itself.
pub(super) fn missing(
    session: &Session<'_>,
    records: &Records,
    import: &Import,
) -> Result<Vec<Missing>, ServiceError> {
    let own: HashSet<Identity> = import
        .split
        .components
        .iter()
        .map(Component::identity)
        .collect();
    let mut found = Vec::new();
    let mut said = HashSet::new();
    let declared = required_components(&import.split.outline)
        .map_err(|error| ServiceError::bad_request("0x8004802C", error.to_string()))?;
    for (required, solution, xml) in declared {
        if own.contains(&required)
            || records.meant(&required).is_some()
            || is_standard(session, &required)?
            || comes_with(session, import, &solution)?
        {
            continue;
        }
        let attribute = |name: &str| attribute_of(&xml, name);
        if said.insert((required.clone(), attribute("Dependent"))) {
            found.push(Missing {
                required_name: required.key.clone(),
                required,
                solution,
                dependent: Identity::coded(0, ""),
                dependent_name: attribute("displayName"),
                xml: with_verdict(&xml),
            });
        }
    }
    for component in &import.split.components {
        for reference in references(component) {
            let to = reference.to;
            if !is_enforced(&to)
                || own.contains(&to)
                || records.meant(&to).is_some()
                || is_standard(session, &to)?
                || !said.insert((to.clone(), component.key.clone()))
            {
                continue;
            }
            found.push(undeclared(component, to));
        }
    }
    Ok(found)
}

/// Kinds of which a package's own content proves that they are needed. Others (forms, views, web
/// resources of the platform) are needed only when the manifest says so.
fn is_enforced(identity: &Identity) -> bool {
    match &identity.component_type {
        ComponentType::Code(number) => [
            code::TABLE,
            code::OPTION_SET,
            code::WORKFLOW,
            code::VARIABLE,
        ]
        .contains(number),
        ComponentType::Table(table) => table == "connectionreference",
    }
}

/// Whether `identity` is part of every environment, or of what Microsoft installs into it.
pub(super) fn is_standard(
    session: &Session<'_>,
    identity: &Identity,
) -> Result<bool, ServiceError> {
    let key = identity.key.as_str();
    Ok(match identity.component_type.code() {
        Some(code::TABLE) => {
            let catalogue = session.catalogue()?;
            // Names without a prefix are Microsoft's.
            catalogue.table(key).is_some_and(|table| !table.is_custom)
                || !key.contains('_')
                || is_microsoft(key)
        }
        Some(code::COLUMN) => key.split_once('.').is_some_and(|(_, column)| {
            !column.contains('_') || is_microsoft(column) || column.starts_with("address")
        }),
        Some(code::ROLE) => {
            let role = key
                .parse()
                .ok()
                .map(|id| session.row("role", id))
                .transpose()?;
            role.flatten().is_some()
        }
        Some(_) => is_microsoft(key),
        None => false,
    })
}

fn is_microsoft(name: &str) -> bool {
    MICROSOFT.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// Whether the solution that a manifest names, `Name (version)`, is there in that version.
fn comes_with(
    session: &Session<'_>,
    import: &Import,
    solution: &str,
) -> Result<bool, ServiceError> {
    let (name, version) = match solution.split_once(" (") {
        Some((name, version)) => (name, version.trim_end_matches(')')),
        None => (solution, ""),
    };
    if name.eq_ignore_ascii_case(ACTIVE) || name.is_empty() {
        return Ok(false);
    }
    if is_microsoft(name) {
        return Ok(true);
    }
    let Some(there) = installed(session, name)? else {
        return Ok(false);
    };
    let wanted: SolutionVersion = version.parse().unwrap_or_default();
    Ok(version_of(&there) >= wanted || import.switches.skip_product_updates)
}

/// The value of the first attribute `name` in the text of an element.
fn attribute_of(xml: &str, name: &str) -> String {
    let start = xml.find("<Dependent").map_or("", |at| &xml[at..]);
    if name == "Dependent" {
        return start.to_owned();
    }
    let value = start
        .split_once(&format!(" {name}=\""))
        .map_or("", |(_, rest)| rest);
    value.split('"').next().unwrap_or_default().to_owned()
}

fn with_verdict(xml: &str) -> String {
    xml.replacen(
        "<MissingDependency>",
        "<MissingDependency canResolveMissingDependency=\"False\">",
        1,
    )
}

fn undeclared(component: &Component, to: Identity) -> Missing {
    let end = |identity: &Identity, name: &str| {
        let key = match &identity.component_type {
            ComponentType::Table(table) => format!(
                " id.{}=\"{}\"",
                if table == "connectionreference" {
                    "connectionreferencelogicalname"
                } else {
                    "name"
                },
                escape_attribute(&identity.key)
            ),
            ComponentType::Code(code::WORKFLOW) => format!(" id=\"{{{}}}\"", identity.key),
            ComponentType::Code(_) => {
                format!(" schemaName=\"{}\"", escape_attribute(&identity.key))
            }
        };
        format!(
            " type=\"{}\"{key} displayName=\"{}\"",
            identity.component_type,
            escape_attribute(name)
        )
    };
    let dependent = component.identity();
    let xml = format!(
        "<MissingDependency canResolveMissingDependency=\"False\"><Required{} solution=\"Active\" \
         /><Dependent{} /></MissingDependency>",
        end(&to, &to.key),
        end(&dependent, &component.display_name)
    );
    Missing {
        required_name: to.key.clone(),
        required: to,
        solution: ACTIVE.into(),
        dependent,
        dependent_name: component.display_name.clone(),
        xml,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_microsoft_brings_is_told_from_what_others_bring() {
        assert!(is_microsoft("msdynce_AppCommon"));
        assert!(is_microsoft("AppModuleWebResources"));
        assert!(!is_microsoft("CreatorKitCore"));
        assert!(!is_microsoft("mshied_program"));
        assert!(!is_microsoft("msnfp_award"));
    }

    #[test]
    fn the_dependent_of_a_declared_dependency_is_named() {
        let xml = "<MissingDependency><Required type=\"1\" displayName=\"A\" /><Dependent \
                   type=\"62\" displayName=\"B\" /></MissingDependency>";
        assert_eq!(attribute_of(xml, "displayName"), "B");
        assert!(with_verdict(xml).contains("canResolveMissingDependency=\"False\""));
    }
}

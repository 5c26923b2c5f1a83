//! What a solution needs and the environment lacks, as data.

use serde::Serialize;
use serde_json::Value;

/// One end of a dependency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ComponentName {
    /// The component type: a number, or the table name for component framework types.
    pub kind: String,
    /// The schema name or id.
    pub name: String,
    /// The name that people see.
    pub display_name: Option<String>,
    /// The component that it belongs to, for example the table of a column.
    pub parent: Option<String>,
    /// The solution that it comes from. `Active` means that it was never in a solution's package.
    pub solution: Option<String>,
    /// The lowest version of that solution that has it.
    pub version: Option<String>,
}

/// A component that is missing, and the component that needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingDependency {
    /// What is missing.
    pub required: ComponentName,
    /// What needs it.
    pub dependent: ComponentName,
}

impl std::fmt::Display for MissingDependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let label = |component: &ComponentName| {
            component
                .display_name
                .clone()
                .unwrap_or_else(|| component.name.clone())
        };
        write!(f, "{}", label(&self.required))?;
        if let Some(solution) = &self.required.solution {
            write!(f, " of {solution}")?;
            if let Some(version) = &self.required.version {
                write!(f, " {version}")?;
            }
        }
        write!(f, ", needed by {}", label(&self.dependent))
    }
}

/// Reads the `<MissingDependencies>` element that an import puts into its error text (Dataverse
/// Web API notes, 3.6). `None` when the text has none that can be read.
pub(super) fn from_error_text(text: &str) -> Option<Vec<MissingDependency>> {
    const END: &str = "</MissingDependencies>";
    let start = text.find("<MissingDependencies")?;
    let end = start + text[start..].find(END)? + END.len();
    let document = roxmltree::Document::parse(&text[start..end]).ok()?;
    let missing = document
        .descendants()
        .filter(|node| node.has_tag_name("MissingDependency"))
        .map(|node| MissingDependency {
            required: from_element(&node, "Required"),
            dependent: from_element(&node, "Dependent"),
        })
        .collect::<Vec<_>>();
    (!missing.is_empty()).then_some(missing)
}

fn from_element(node: &roxmltree::Node<'_, '_>, name: &str) -> ComponentName {
    let Some(element) = node.children().find(|child| child.has_tag_name(name)) else {
        return ComponentName::default();
    };
    let attribute = |name: &str| {
        element
            .attribute(name)
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
    };
    // Framework types carry their natural key as `id.<column>`.
    let natural_key = || {
        element
            .attributes()
            .find(|attribute| attribute.name().starts_with("id."))
            .map(|attribute| attribute.value().to_owned())
    };
    let (solution, version) = split_version(attribute("solution"));
    ComponentName {
        kind: attribute("type").unwrap_or_default(),
        name: attribute("schemaName")
            .or_else(natural_key)
            .or_else(|| attribute("id"))
            .or_else(|| attribute("displayName"))
            .unwrap_or_default(),
        display_name: attribute("displayName"),
        parent: attribute("parentSchemaName"),
        solution,
        version,
    }
}

/// Splits `Name (1.0.0.0)`.
fn split_version(solution: Option<String>) -> (Option<String>, Option<String>) {
    let Some(text) = solution else {
        return (None, None);
    };
    match text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("))
    {
        Some((name, version)) => (Some(name.to_owned()), Some(version.to_owned())),
        None => (Some(text), None),
    }
}

/// Reads one element of the `MissingDependencies` of a staged solution (Dataverse Web API notes,
/// 4.3).
pub(super) fn from_stage_result(value: &Value) -> MissingDependency {
    let component = |prefix: &str| {
        let text = |suffix: &str| match &value[format!("{prefix}{suffix}")] {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let (solution, version) = split_version(text("SolutionName"));
        ComponentName {
            kind: text("ComponentType").unwrap_or_default(),
            name: text("ComponentSchemaName")
                .or_else(|| text("ComponentId"))
                .or_else(|| text("ComponentDisplayName"))
                .unwrap_or_default(),
            display_name: text("ComponentDisplayName"),
            parent: text("ComponentParentSchemaName"),
            solution,
            version,
        }
    };
    MissingDependency {
        required: component("Required"),
        dependent: component("Dependent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_text_of_an_import_is_read() {
        let text = r#"The following solution cannot be imported: X. Some dependencies are missing. The missing dependencies are : <MissingDependencies canResolveAllMissingDependencies="False"><MissingDependency canResolveMissingDependency="False"><Required key="521" type="59" schemaName="new_c" displayName="Chart &quot;A&quot;" parentSchemaName="account" solution="Base (1.2.0.0)" id="{1}"/><Dependent key="500" type="60" displayName="Dashboard" id="{2}"/></MissingDependency></MissingDependencies> , ProductUpdatesOnly : False"#;
        let missing = from_error_text(text).unwrap();
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].required.solution.as_deref(), Some("Base"));
        assert_eq!(missing[0].required.version.as_deref(), Some("1.2.0.0"));
        assert_eq!(missing[0].dependent.name, "{2}");
        assert_eq!(
            missing[0].to_string(),
            "Chart \"A\" of Base 1.2.0.0, needed by Dashboard"
        );
    }

    #[test]
    fn a_framework_type_is_named_by_its_natural_key() {
        let text = r#"<MissingDependencies><MissingDependency><Required type="connectionreference" solution="Active" id.connectionreferencelogicalname="new_ref"/><Dependent type="29" displayName="Flow"/></MissingDependency></MissingDependencies>"#;
        let missing = from_error_text(text).unwrap();
        assert_eq!(missing[0].required.name, "new_ref");
        assert_eq!(missing[0].required.kind, "connectionreference");
        assert_eq!(missing[0].required.solution.as_deref(), Some("Active"));
    }

    #[test]
    fn other_texts_have_none() {
        assert_eq!(from_error_text("An error occurred."), None);
        assert_eq!(from_error_text("<MissingDependencies><oops"), None);
    }
}

//! What an import job says about each component (Dataverse Web API notes, 3.6).

use roxmltree::{Document, Node};
use serde::Serialize;
use uuid::Uuid;

use super::missing_dependency::{self, MissingDependency};

/// The outcome of one import.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImportReport {
    /// The import job.
    pub job_id: Uuid,
    /// The solution's unique name.
    pub solution: String,
    /// The version that was imported.
    pub version: String,
    /// What was done: `installed`, `updated`, `upgraded` or `held`.
    pub action: String,
    /// How far the job came, 0 to 100.
    pub progress: f64,
    /// Components that were imported with a warning.
    pub warnings: Vec<ComponentMessage>,
    /// Components that were not imported.
    pub failures: Vec<ComponentMessage>,
    /// Components that the environment lacks, when that is why the import failed.
    pub missing: Vec<MissingDependency>,
}

/// What the job says about one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentMessage {
    /// The kind of component, for example `entity` or `workflow`.
    pub kind: String,
    /// Its name or id.
    pub name: String,
    /// The service's code, such as `0x80045033`.
    pub service_code: String,
    /// What the service said.
    pub text: String,
}

impl ImportReport {
    /// Adds what the `data` column of the job says. A text that is not XML adds nothing: the
    /// operation's own message then has to do.
    pub(super) fn read_data(&mut self, data: &str) {
        // The text is in memory as UTF-8 whatever its declaration says.
        let body = match data.trim_start_matches('\u{feff}').trim_start() {
            text if text.starts_with("<?xml") => text.split_once("?>").map_or("", |(_, rest)| rest),
            text => text,
        };
        let Ok(document) = Document::parse(body) else {
            return;
        };
        for result in document
            .descendants()
            .filter(|node| node.has_tag_name("result"))
        {
            let verdict = result.attribute("result").unwrap_or_default();
            let list = match verdict {
                "failure" => &mut self.failures,
                "warning" => &mut self.warnings,
                _ => continue,
            };
            let text = result.attribute("errortext").unwrap_or_default();
            if self.missing.is_empty()
                && let Some(missing) = missing_dependency::from_error_text(text)
            {
                self.missing = missing;
            }
            let message = component_message(&result, text);
            if !list.contains(&message) {
                list.push(message);
            }
        }
    }
}

fn component_message(result: &Node<'_, '_>, text: &str) -> ComponentMessage {
    let component = result.parent_element();
    let attribute = |name: &str| {
        component
            .and_then(|node| node.attribute(name))
            .filter(|value| !value.is_empty())
    };
    let name = ["LocalizedName", "OriginalName", "name", "id"]
        .into_iter()
        .find_map(attribute);
    ComponentMessage {
        kind: component
            .map_or("", |node| node.tag_name().name())
            .to_owned(),
        name: name.unwrap_or_default().to_owned(),
        service_code: result.attribute("errorcode").unwrap_or_default().to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_warnings_are_told_with_their_component() {
        let data = r#"<?xml version="1.0" encoding="utf-16"?><importexportxml progress="80"><solutionManifests><solutionManifest id="X" LocalizedName="My X"><result result="success" errorcode="0" errortext=""/></solutionManifest></solutionManifests><entities><entity id="new_a" LocalizedName="Täble"><result result="failure" errorcode="0x80044363" errortext="It &lt;broke&gt;"/></entity></entities><workflows><workflow id="{1}"><result result="warning" errorcode="0x80045043" errortext="off"/></workflow></workflows></importexportxml>"#;
        let mut report = ImportReport::default();
        report.read_data(data);
        assert_eq!(
            report.failures,
            [ComponentMessage {
                kind: "entity".into(),
                name: "Täble".into(),
                service_code: "0x80044363".into(),
                text: "It <broke>".into()
            }]
        );
        assert_eq!(report.warnings[0].name, "{1}");
    }

    #[test]
    fn missing_dependencies_are_found_inside_the_error_text() {
        let data = r#"<importexportxml><solutionManifests><solutionManifest id="X"><result result="failure" errorcode="0x8004801D" errortext="missing : &lt;MissingDependencies&gt;&lt;MissingDependency&gt;&lt;Required type=&quot;1&quot; schemaName=&quot;new_t&quot; solution=&quot;Base (1.0.0.0)&quot;/&gt;&lt;Dependent type=&quot;26&quot; displayName=&quot;View&quot;/&gt;&lt;/MissingDependency&gt;&lt;/MissingDependencies&gt;"/></solutionManifest></solutionManifests></importexportxml>"#;
        let mut report = ImportReport::default();
        report.read_data(data);
        assert_eq!(report.missing[0].required.name, "new_t");
    }
}

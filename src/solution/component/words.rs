//! The words by which people call kinds of components.

use super::fragment::{Wrapped, top, value};
use super::kind::{KINDS, kind_of};
use super::{Component, ComponentType, Place, code};

/// Other words for kinds with a number, beside their table, layer and label.
#[rustfmt::skip]
const ALSO: &[(u16, &[&str])] = &[
    (code::OPTION_SET, &["option set"]),
    (code::ROLE, &["role"]),
    (code::WORKFLOW, &["flow"]),
    (code::FORM, &["form"]),
    (code::CONTROL, &["pcf control", "control"]),
    (code::FIELD_SECURITY_PROFILE, &["field security profile"]),
    (code::APP, &["app"]),
    (code::PLUGIN_ASSEMBLY, &["assembly"]),
    (code::STEP, &["step"]),
    (code::VARIABLE, &["variable"]),
    (code::VARIABLE_VALUE, &["variable value"]),
];

/// What kinds with one number are told apart by.
const FINER: &[&str] = &[
    "workflow",
    "business rule",
    "action",
    "business process flow",
    "cloud flow",
    "desktop flow",
    "form",
    "dashboard",
];

/// What a person calls a process of this category.
pub(crate) fn process_name(category: Option<&str>) -> &'static str {
    match category {
        Some("0") => "workflow",
        Some("2") => "business rule",
        Some("3") => "action",
        Some("4") => "business process flow",
        Some("5") => "cloud flow",
        Some("6") => "desktop flow",
        _ => "process",
    }
}

/// What a person calls a kind: "table", "security role", "connection reference".
pub(crate) fn type_name(component_type: &ComponentType) -> &str {
    match component_type {
        ComponentType::Table(table) => framework_name(table).unwrap_or(table),
        coded @ ComponentType::Code(_) => coded.label(),
    }
}

/// What a person calls the rows of a table that can live in solutions.
fn framework_name(table: &str) -> Option<&'static str> {
    Some(match table {
        "connectionreference" => "connection reference",
        "bot" => "agent",
        "botcomponent" => "agent component",
        "botcomponentcollection" => "agent component collection",
        "customapi" => "custom API",
        "customapirequestparameter" => "request parameter",
        "customapiresponseproperty" => "response property",
        "appaction" => "command",
        "aiplugin" => "AI plug-in",
        "maskingrule" => "masking rule",
        "attributemaskingrule" => "column masking rule",
        "pluginpackage" => "plug-in package",
        "dvtablesearch" => "knowledge search",
        "dvtablesearchentity" => "table of a knowledge search",
        "entitydataprovider" => "virtual table data provider",
        "connectionroleassociation" => "matching of connection roles",
        "msdyn_dataflows" => "dataflow",
        _ => return None,
    })
}

impl Component {
    /// What a person calls its kind, telling apart kinds that share a number: "cloud flow",
    /// "business rule", "dashboard".
    pub fn kind(&self) -> &str {
        match self.component_type.code() {
            Some(code::WORKFLOW) => {
                let wrapped = Wrapped::new(&self.fragment);
                let document = wrapped.document().ok();
                let node = document.as_ref().and_then(top);
                process_name(node.and_then(|node| value(node, "Category")).map(str::trim))
            }
            Some(code::FORM) if matches!(&self.place, Place::Collection(_)) => "dashboard",
            Some(code::FORM) => "form",
            _ => type_name(&self.component_type),
        }
    }

    /// Whether people call its kind `word`: by its number, its table, or in plain words; case and
    /// what separates words do not count.
    pub fn is_called(&self, word: &str) -> bool {
        let wanted = plain(word);
        let number = self.component_type.code();
        let fine = plain(self.kind()) == wanted;
        // A business rule is a `workflow` to the service, a classic workflow to people.
        fine || number.is_some_and(|number| number.to_string() == wanted)
            || words_of(&self.component_type).any(|known| plain(known) == wanted)
    }
}

/// All words that kinds are called by.
pub fn kind_words() -> impl Iterator<Item = &'static str> {
    let coded = KINDS
        .iter()
        .flat_map(|kind| [kind.table, kind.layer, kind.label]);
    let also = ALSO.iter().flat_map(|(_, words)| words.iter().copied());
    coded.chain(also).chain(FINER.iter().copied()).chain([
        "connectionreference",
        "connection reference",
        "bot",
        "botcomponent",
        "customapi",
    ])
}

/// Whether a kind is called `word`.
pub fn is_kind_word(word: &str) -> bool {
    let wanted = plain(word);
    wanted
        .parse::<u16>()
        .is_ok_and(|code| kind_of(code).is_some())
        || kind_words().any(|known| plain(known) == wanted)
}

fn words_of(component_type: &ComponentType) -> impl Iterator<Item = &str> {
    let also = component_type
        .code()
        .and_then(|code| ALSO.iter().find(|(number, _)| *number == code))
        .map_or(&[][..], |(_, words)| *words);
    [
        component_type.table_name(),
        component_type.layer_name(),
        type_name(component_type),
    ]
    .into_iter()
    .chain(also.iter().copied())
}

fn plain(word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_the_words_of_people_and_of_the_service() {
        for word in [
            "table",
            "entity",
            "1",
            "Option Set",
            "web-resource",
            "cloud flow",
            "role",
            "app",
            "systemform",
            "dashboard",
            "environment_variable",
            "connectionreference",
        ] {
            assert!(is_kind_word(word), "{word}");
        }
        for word in ["", "tabel", "9999", "thing"] {
            assert!(!is_kind_word(word), "{word}");
        }
    }
}

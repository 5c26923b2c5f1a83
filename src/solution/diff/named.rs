//! Names in the place of ids: what a maker knows about a role, a form or a view is its name.

use std::collections::HashMap;

use super::{Change, ComponentDiff};
use crate::solution::SourceTree;
use crate::solution::component::components_of_tree;

/// Roles that every environment has, by the ids of their templates.
const STANDARD: [(&str, &str); 2] = [
    (
        "627090ff-40a3-4053-8790-584edc5be201",
        "System Administrator",
    ),
    ("119f245c-3cc8-4b62-b31c-d1a046ced15d", "System Customizer"),
];

/// Puts the names of components in the place of their ids in what is told about `components`.
pub(super) fn put_names(components: &mut [ComponentDiff], sides: [&SourceTree; 2]) {
    let is_needed = components
        .iter()
        .flat_map(|component| &component.changes)
        .any(|change| texts(change).any(|text| find_id(text, 0).is_some()));
    if !is_needed {
        return;
    }
    let mut names: HashMap<String, String> = STANDARD
        .iter()
        .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()))
        .collect();
    for side in sides {
        // A side that cannot be cut into components keeps its ids.
        for component in components_of_tree(side).unwrap_or_default() {
            if let Some(id) = component.id {
                names.insert(id.to_string(), component.display_name);
            }
        }
    }
    for change in components
        .iter_mut()
        .flat_map(|component| &mut component.changes)
    {
        change.subject = named(&change.subject, &names);
        change.within = named(&change.within, &names);
        for value in [&mut change.old, &mut change.new].into_iter().flatten() {
            *value = named(value, &names);
        }
    }
}

fn texts(change: &Change) -> impl Iterator<Item = &str> {
    let values = [&change.old, &change.new].into_iter().flatten();
    [&change.subject, &change.within]
        .into_iter()
        .chain(values)
        .map(String::as_str)
}

/// A text with names in the place of the ids that are known.
fn named(text: &str, names: &HashMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(start) = find_id(text, at) {
        let end = start + 36;
        let name = names.get(&text[start..end].to_lowercase());
        let braced = text[..start].ends_with('{') && text[end..].starts_with('}');
        match (name, braced) {
            (Some(name), true) => {
                out.push_str(&text[at..start - 1]);
                out.push_str(name);
                at = end + 1;
            }
            (Some(name), false) => {
                out.push_str(&text[at..start]);
                out.push_str(name);
                at = end;
            }
            (None, _) => {
                out.push_str(&text[at..end]);
                at = end;
            }
        }
    }
    out.push_str(&text[at..]);
    out
}

/// Where the next id begins.
fn find_id(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    rest.windows(36)
        .position(|window| {
            window[8] == b'-'
                && std::str::from_utf8(window).is_ok_and(|id| uuid::Uuid::try_parse(id).is_ok())
        })
        .map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names_where_they_are_known() {
        let id = STANDARD[0].0;
        let names = HashMap::from([(id.to_owned(), "Ä & B".to_owned())]);
        let other = "00000000-0000-0000-0000-000000000001";
        let text = format!("ö role {{{}}}, {other}, {id}.", id.to_uppercase());
        assert_eq!(
            named(&text, &names),
            format!("ö role Ä & B, {other}, Ä & B.")
        );
        assert_eq!(named("short", &names), "short");
    }
}

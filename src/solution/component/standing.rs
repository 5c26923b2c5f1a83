//! Which components an XML document holds: `customizations.xml` of a package, or a file of a
//! source tree (facts, solution-package-format §4 and §5).

use std::collections::HashSet;
use std::ops::Range;

use roxmltree::{Document, Node};

use super::fragment::{elements, value};
use super::identify::Named;
use super::{ComponentError, Identity, kind, table};
use crate::solution::layout::{RULES, Shape};

/// How a document holds components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its root holds collections.
    Customizations,
    /// Its root is this collection; inner collections after a slash.
    Collection(String),
    /// Its root is one component of this collection.
    One(String),
    /// It holds forms, views or a chart of this table; forms are of this type.
    Parts {
        /// The table's folder.
        table: String,
        /// The form type.
        group: Option<String>,
    },
}

impl Standing {
    /// What the file `path` of a source tree holds; nothing for payloads and files of
    /// pass-through components.
    pub(crate) fn of_file(path: &str) -> Option<Self> {
        let steps: Vec<&str> = path.split('/').collect();
        match steps.as_slice() {
            ["Other", "Customizations.xml"] => return Some(Self::Customizations),
            ["Other", "Relationships", _] => {
                return Some(Self::Collection("EntityRelationships".into()));
            }
            ["Entities", _, "Entity.xml"] => return Some(Self::One("Entities".into())),
            ["Entities", table, "FormXml", group, file] if file.ends_with(".xml") => {
                return Some(Self::Parts {
                    table: (*table).to_owned(),
                    group: Some((*group).to_owned()),
                });
            }
            ["Entities", table, "SavedQueries" | "Visualizations", file]
                if file.ends_with(".xml") =>
            {
                return Some(Self::Parts {
                    table: (*table).to_owned(),
                    group: None,
                });
            }
            ["Entities", ..] => return None,
            ["Reports", "ReportSignatureIdMappings.xml"] => {
                return Some(Self::Collection("Reports/ReportSignatureIdMappings".into()));
            }
            ["Templates", file] => {
                let name = file.strip_suffix(".xml")?;
                return Some(Self::Collection(format!("Templates/{name}")));
            }
            _ => {}
        }
        let data = || path.ends_with(".data.xml");
        let held = |shape: &Shape, folder: &str| match shape {
            Shape::Each(_, inner) => {
                let folder = [folder, inner].join("/");
                path.strip_prefix(folder.trim_end_matches('/'))
                    .and_then(|rest| rest.strip_prefix('/'))
                    .is_some_and(|rest| !rest.contains('/'))
            }
            Shape::BesidePayload(_) | Shape::WebResources | Shape::Reports => {
                steps[0] == folder && data()
            }
            Shape::FolderTwin(_, file) => {
                matches!(steps.as_slice(), [first, _, last] if *first == folder
                && matches!(last.strip_prefix(file), Some(".xml" | "_managed.xml")))
            }
            Shape::CanvasApps => {
                matches!(steps.as_slice(), [first, file] if *first == folder
                && file.ends_with(".meta.xml"))
            }
            Shape::Connectors => {
                matches!(steps.as_slice(), [first, file] if *first == folder
                && file.ends_with(".xml"))
            }
            _ => false,
        };
        for rule in RULES {
            let whole = match rule.shape {
                Shape::Whole(file) => path == file,
                Shape::WholeTwin(stem) => {
                    matches!(path.strip_prefix(stem), Some(".xml" | "_managed.xml"))
                }
                _ => false,
            };
            if whole && !kind::WHOLE.contains(&rule.collection) {
                return Some(Self::Collection(rule.collection.into()));
            }
            if held(&rule.shape, rule.folder) {
                return Some(Self::One(rule.collection.into()));
            }
        }
        match steps.as_slice() {
            [folder, file]
                if file.ends_with(".meta.xml")
                    && !RULES.iter().any(|rule| rule.folder == *folder) =>
            {
                Some(Self::One((*folder).to_owned()))
            }
            _ => None,
        }
    }

    /// Whether a file like this holds one component and is nothing without it.
    pub(crate) fn is_of_one(&self) -> bool {
        matches!(self, Self::One(_) | Self::Parts { .. })
    }

    /// Where the elements of the components `wanted` stand in a document that is held like this.
    ///
    /// # Errors
    /// When a component has nothing that identifies it.
    pub(crate) fn find(
        &self,
        document: &Document<'_>,
        wanted: &HashSet<Identity>,
    ) -> Result<Vec<(Identity, Range<usize>)>, ComponentError> {
        let mut found = Vec::new();
        let root = document.root_element();
        match self {
            Self::Customizations => {
                for collection in elements(root) {
                    let name = collection.tag_name().name();
                    if !kind::WHOLE.contains(&name) {
                        in_collection(collection, name, wanted, &mut found)?;
                    }
                }
            }
            Self::Collection(name) => in_collection(root, name, wanted, &mut found)?,
            Self::One(collection) => in_component(root, collection, 0, wanted, &mut found)?,
            Self::Parts { table, .. } => {
                let owner = Identity::table(table);
                let parts = table::loose_parts(root, &owner);
                let mine = parts.filter(|(identity, _)| wanted.contains(identity));
                found.extend(mine.map(|(identity, node)| (identity, node.range())));
            }
        }
        Ok(found)
    }
}

fn in_collection(
    node: Node<'_, '_>,
    path: &str,
    wanted: &HashSet<Identity>,
    found: &mut Vec<(Identity, Range<usize>)>,
) -> Result<(), ComponentError> {
    for (index, element) in elements(node).enumerate() {
        let inner = format!("{path}/{}", element.tag_name().name());
        if !path.contains('/') && kind::is_nested(&inner) {
            in_collection(element, &inner, wanted, found)?;
        } else {
            in_component(element, path, index, wanted, found)?;
        }
    }
    Ok(())
}

fn in_component(
    element: Node<'_, '_>,
    collection: &str,
    index: usize,
    wanted: &HashSet<Identity>,
    found: &mut Vec<(Identity, Range<usize>)>,
) -> Result<(), ComponentError> {
    if collection == "Entities" {
        let owner = Identity::table(value(element, "Name").unwrap_or_default().trim());
        let parts = table::parts(element, &owner);
        let mine = parts.filter(|(identity, _)| wanted.contains(identity));
        found.extend(mine.map(|(identity, node)| (identity, node.range())));
        if wanted.contains(&owner) {
            found.push((owner, element.range()));
        }
    } else {
        let identity = Named::of(element, collection, index)?.identity();
        if wanted.contains(&identity) {
            found.push((identity, element.range()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_tree_say_what_they_hold() {
        let one = |name: &str| Some(Standing::One(name.into()));
        let whole = |name: &str| Some(Standing::Collection(name.into()));
        for (path, held) in [
            ("Roles/Foo v1.0", one("Roles")),
            ("Workflows/a.json.data.xml", one("Workflows")),
            ("Workflows/a.json", None),
            ("WebResources/a/b.js.data.xml", one("WebResources")),
            ("ChannelAccess/Profiles/a.xml", one("ChannelAccessProfiles")),
            ("AppModules/a/AppModule_managed.xml", one("AppModules")),
            ("SLAs/a.meta.xml", one("SLAs")),
            ("CanvasApps/a_identity.json", None),
            ("Other/SiteMap_managed.xml", whole("SiteMap")),
            ("Other/Solution.xml", None),
            ("Other/RibbonCustomization.xml", None),
            (
                "Other/Relationships/Account.xml",
                whole("EntityRelationships"),
            ),
            (
                "Templates/EmailTemplates.xml",
                whole("Templates/EmailTemplates"),
            ),
            ("Entities/A/RibbonDiff.xml", None),
            ("bots/a/bot.xml", None),
        ] {
            assert_eq!(Standing::of_file(path), held, "{path}");
        }
    }
}

//! One kind of component out of a solution, as `--singleComponent` asks for it (facts §12).

use super::component::fragment::Edits;
use super::xml::outline::{Element, Outline};
use super::xml::{Fault, decode};
use super::{CUSTOMIZATIONS_FILE, Limits, PackageError, SOLUTION_FILE, SourceTree};

/// A kind of component that can be packed and unpacked alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SingleComponent {
    /// Web resources.
    WebResource,
    /// Plug-in assemblies and packages, and their steps.
    Plugin,
    /// Workflows, business rules, business process flows and cloud flows.
    Workflow,
}

/// What belongs to a kind.
struct Belongings {
    folders: &'static [&'static str],
    collections: &'static [&'static str],
    /// Numbers of root components.
    types: &'static [&'static str],
}

impl SingleComponent {
    fn belongings(self) -> Belongings {
        match self {
            Self::WebResource => Belongings {
                folders: &["WebResources"],
                collections: &["WebResources"],
                types: &["61"],
            },
            Self::Plugin => Belongings {
                folders: &[
                    "PluginAssemblies",
                    "SdkMessageProcessingSteps",
                    "pluginpackages",
                ],
                collections: &["SolutionPluginAssemblies", "SdkMessageProcessingSteps"],
                types: &["90", "91", "92"],
            },
            Self::Workflow => Belongings {
                folders: &["Workflows"],
                collections: &["Workflows"],
                types: &["29"],
            },
        }
    }

    /// The files of this kind, without those of the solution itself: what unpacking writes.
    #[must_use]
    pub fn files(self, tree: &SourceTree) -> SourceTree {
        let folders = self.belongings().folders;
        let mut files = tree.clone();
        files.retain(|path| {
            path.split_once('/')
                .is_some_and(|(top, _)| folders.iter().any(|f| f.eq_ignore_ascii_case(top)))
                // Service endpoints share the folder but are a kind of their own.
                && !path.eq_ignore_ascii_case("PluginAssemblies/ServiceEndpoints.xml")
        });
        files
    }

    /// A tree that packs into a solution of this kind only: its files, its collections, its root
    /// components, and the missing dependencies of those.
    ///
    /// # Errors
    ///
    /// [`PackageError::NotATree`], [`PackageError::Xml`].
    pub fn narrow(self, tree: &SourceTree) -> Result<SourceTree, PackageError> {
        let Belongings {
            collections, types, ..
        } = self.belongings();
        let mut narrow = self.files(tree);
        let is_ours = |name: &str| collections.contains(&name) || name == "Languages";
        let customizations = without(tree, CUSTOMIZATIONS_FILE, |outline, root| {
            let children = outline.children(root.inner.clone())?;
            Ok(children.into_iter().filter(|e| !is_ours(e.name)).collect())
        })?;
        let solution = without(tree, SOLUTION_FILE, |outline, root| {
            let ours = |element: &Element<'_>| {
                element
                    .attribute("type")
                    .is_some_and(|number| types.contains(&&*number))
            };
            let mut others = Vec::new();
            for list in outline.children(root.inner.clone())? {
                for list in outline.children(list.inner)? {
                    for item in outline.children(list.inner.clone())? {
                        let keep = match item.name {
                            "RootComponent" => ours(&item),
                            "MissingDependency" => outline
                                .child(item.inner.clone(), "Dependent")?
                                .is_none_or(|dependent| ours(&dependent)),
                            _ => true,
                        };
                        if !keep {
                            others.push(item);
                        }
                    }
                }
            }
            Ok(others)
        })?;
        narrow.insert(CUSTOMIZATIONS_FILE, customizations)?;
        narrow.insert(SOLUTION_FILE, solution)?;
        Ok(narrow)
    }
}

/// A file of the tree without some of its elements; every other byte stays.
fn without<'f>(
    tree: &SourceTree,
    path: &'f str,
    which: impl for<'a> Fn(Outline<'a>, Element<'a>) -> Result<Vec<Element<'a>>, Fault>,
) -> Result<String, PackageError> {
    let data = tree.get(path).ok_or_else(|| PackageError::NotATree {
        missing: path.to_owned(),
    })?;
    let text = decode(path, data)?;
    let outline = Outline {
        text: &text,
        deepest: Limits::default().xml_depth,
    };
    let elements = outline
        .root()
        .and_then(|root| which(outline, root))
        .map_err(|fault| fault.in_file(path, &text))?;
    let mut edits = Edits::default();
    for element in elements {
        // The white space before an element goes with it, or its line would stay.
        let before = text[..element.span.start].trim_end().len();
        edits.replace(before, element.span.end, "");
    }
    Ok(edits.apply(&text))
}

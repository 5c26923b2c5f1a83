//! Carries the identity of a rebuilt plug-in assembly into the XML (facts §15).
//!
//! Without it, the import of an assembly with a new version fails. Only the package changes; the
//! files of the tree stay.

use std::collections::HashMap;

use bytes::Bytes;

use super::built::Built;
use crate::solution::xml::{escape_attribute, escape_text};
use crate::solution::{Finding, plugin_identity};

/// An assembly whose file has another identity than its data file says.
pub(super) struct Rename {
    old: String,
    new: String,
}

impl Rename {
    /// Compares the full name in the data file with the identity of the assembly.
    pub fn detect(declared: &str, assembly: &[u8]) -> Option<Self> {
        let actual = plugin_identity::full_name(assembly)?;
        let same = actual.eq_ignore_ascii_case(declared);
        (!same && !declared.is_empty()).then(|| Self {
            old: declared.to_owned(),
            new: actual,
        })
    }
}

/// Rewrites the names of all renamed assemblies where they occur: the assembly and its types, the
/// steps, and the activities in classic workflows.
pub(super) fn apply(collections: &mut HashMap<&str, Option<Built>>) {
    let renames: Vec<Rename> = collections
        .values_mut()
        .flatten()
        .flat_map(|built| std::mem::take(&mut built.renames))
        .collect();
    if renames.is_empty() {
        return;
    }
    for (collection, built) in collections.iter_mut() {
        let Some(built) = built else { continue };
        match *collection {
            "SolutionPluginAssemblies" | "SdkMessageProcessingSteps" => {
                for Rename { old, new } in &renames {
                    built.xml = built
                        .xml
                        .replace(&escape_attribute(old), &escape_attribute(new))
                        .replace(&escape_text(old), &escape_text(new));
                }
            }
            "Workflows" => {
                for payload in &mut built.payloads {
                    let is_xaml = payload.part.to_ascii_lowercase().ends_with(".xaml");
                    let text = std::str::from_utf8(&payload.data).ok().filter(|_| is_xaml);
                    let Some(text) =
                        text.filter(|text| renames.iter().any(|r| text.contains(&*r.old)))
                    else {
                        continue;
                    };
                    let replaced = renames.iter().fold(text.to_owned(), |text, rename| {
                        text.replace(&rename.old, &rename.new)
                    });
                    payload.data = Bytes::from(replaced);
                }
            }
            _ => {}
        }
    }
    if let Some(Some(assemblies)) = collections.get_mut("SolutionPluginAssemblies") {
        for Rename { old, new } in renames {
            let message = format!("the assembly is `{new}`, not `{old}`; the package names it so");
            assemblies
                .findings
                .push(Finding::note("ALM-P133", "PluginAssemblies", message));
        }
    }
}

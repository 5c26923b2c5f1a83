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
                    for escape in [escape_attribute, escape_text] {
                        built.xml = renamed(&built.xml, &escape(old), &escape(new));
                    }
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
                        renamed(&text, &rename.old, &rename.new)
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

/// Replaces the full name of an assembly. `More.Sales, Version=1.0…` is not `Sales, Version=1.0…`:
/// what stands before must not belong to the name.
fn renamed(text: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for (at, _) in text.match_indices(old) {
        let before = &text[..at];
        let starts = match before.chars().next_back() {
            // Behind the name of a type; else the space is one inside the assembly's name.
            Some(' ') => before.trim_end_matches(' ').ends_with(','),
            Some(c) => !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')),
            None => true,
        };
        if starts {
            out.push_str(&text[last..at]);
            out.push_str(new);
            last = at + old.len();
        }
    }
    out.push_str(&text[last..]);
    out
}

#[cfg(test)]
mod tests {
    use crate::solution::plugin_identity::tests::assembly;
    use crate::solution::{PackOptions, SourceTree, pack};

    const OLD: &str = "Sales, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";
    const NEW: &str = "Sales, Version=1.2.3.4, Culture=neutral, PublicKeyToken=null";

    fn tree(declared: &str) -> SourceTree {
        let mut tree = SourceTree::new();
        let mut put = |path: &str, data: Vec<u8>| tree.insert(path, data).unwrap();
        put(
            "Other/Customizations.xml",
            b"<ImportExportXml><Workflows /><SolutionPluginAssemblies /><SdkMessageProcessingSteps /></ImportExportXml>".to_vec(),
        );
        put(
            "Other/Solution.xml",
            b"<ImportExportXml><SolutionManifest><UniqueName>S</UniqueName><Version>1.0</Version><Managed>0</Managed>\
              <RootComponents><RootComponent type=\"91\" id=\"{1}\" /><RootComponent type=\"92\" id=\"{2}\" />\
              <RootComponent type=\"29\" id=\"{3}\" /></RootComponents></SolutionManifest></ImportExportXml>".to_vec(),
        );
        put("PluginAssemblies/S-1/Sales.dll", assembly("Sales", b""));
        put(
            "PluginAssemblies/S-1/Sales.dll.data.xml",
            format!(
                "<PluginAssembly FullName=\"{declared}\" PluginAssemblyId=\"1\"><FileName>/PluginAssemblies/S-1/Sales.dll</FileName>\
                 <PluginTypes><PluginType AssemblyQualifiedName=\"Sales.Create, {declared}\" Name=\"Sales.Create\" /></PluginTypes></PluginAssembly>"
            )
            .into_bytes(),
        );
        put(
            "SdkMessageProcessingSteps/{2}.xml",
            format!(
                "<SdkMessageProcessingStep SdkMessageProcessingStepId=\"{{2}}\"><PluginTypeName>Sales.Create, {declared}</PluginTypeName></SdkMessageProcessingStep>"
            )
            .into_bytes(),
        );
        put(
            "Workflows/W-3.xaml.data.xml",
            b"<Workflow WorkflowId=\"{3}\"><XamlFileName>/Workflows/W-3.xaml</XamlFileName></Workflow>".to_vec(),
        );
        put(
            "Workflows/W-3.xaml",
            format!("<a AssemblyQualifiedName=\"Sales.Activity, {declared}\" />").into_bytes(),
        );
        tree
    }

    fn texts(tree: &SourceTree, remap_plugins: bool) -> (String, Vec<&'static str>) {
        let options = PackOptions {
            remap_plugins,
            ..PackOptions::default()
        };
        let packed = pack(tree, &options).unwrap();
        let codes = packed.findings.iter().map(|f| f.code).collect();
        let package = packed.into_package();
        let parts = ["customizations.xml", "Workflows/W-3.xaml"];
        let text =
            parts.map(|name| String::from_utf8(package.part(name).unwrap().to_vec()).unwrap());
        (text.concat(), codes)
    }

    #[test]
    fn a_rebuilt_assembly_is_named_by_its_own_identity_everywhere_in_the_package() {
        let tree = tree(OLD);
        let (text, codes) = texts(&tree, true);
        assert!(!text.contains(OLD), "{text}");
        // The assembly, its type, the step and the activity.
        assert_eq!(text.matches(NEW).count(), 4, "{text}");
        assert_eq!(codes, ["ALM-P133"]);
        let (text, codes) = texts(&tree, false);
        assert_eq!(text.matches(OLD).count(), 4, "{text}");
        assert!(codes.is_empty());
    }

    #[test]
    fn an_assembly_that_is_what_its_file_says_stays() {
        let (text, codes) = texts(&tree(NEW), true);
        assert_eq!(text.matches(NEW).count(), 4, "{text}");
        assert!(codes.is_empty());
    }
}

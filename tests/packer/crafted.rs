//! Packages made for one rule each: how they are put together, unpacked and packed.

use almscript::solution::{
    Finding, LineEnds, PackOptions, Package, PackageError, Part, SourceTree, UnpackOptions, pack,
    unpack,
};

pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A manifest with these root components.
pub fn solution_xml(managed: &str, roots: &str) -> String {
    format!(
        "<ImportExportXml version=\"9.2.0.0\" SolutionPackageVersion=\"9.2\" languagecode=\"1033\" \
         generatedBy=\"CrmLive\" xmlns:xsi=\"{XSI}\"><SolutionManifest><UniqueName>Crafted</UniqueName>\
         <LocalizedNames><LocalizedName description=\"Crafted\" languagecode=\"1033\" /></LocalizedNames>\
         <Descriptions /><Version>1.0.0.0</Version><Managed>{managed}</Managed><Publisher>\
         <UniqueName>pub</UniqueName><CustomizationPrefix>pub</CustomizationPrefix></Publisher>\
         <RootComponents>{roots}</RootComponents><MissingDependencies /></SolutionManifest></ImportExportXml>"
    )
}

pub fn part(name: &str, data: &[u8]) -> Part {
    Part {
        name: name.to_owned(),
        data: data.to_vec().into(),
    }
}

/// A package with these collections, root components and further parts.
pub fn package(managed: &str, collections: &str, roots: &str, parts: &[(&str, &[u8])]) -> Package {
    let customizations =
        format!("<ImportExportXml xmlns:xsi=\"{XSI}\">{collections}</ImportExportXml>");
    let mut all = vec![
        part("customizations.xml", customizations.as_bytes()),
        part("solution.xml", solution_xml(managed, roots).as_bytes()),
    ];
    all.extend(parts.iter().map(|(name, data)| part(name, data)));
    let mut package = Package::from_parts(all).unwrap();
    package.declare_content_types();
    package
}

pub fn lf() -> UnpackOptions {
    UnpackOptions {
        line_ends: LineEnds::Lf,
        ..UnpackOptions::default()
    }
}

pub fn tree_of(package: &Package) -> SourceTree {
    unpack(package, &lf()).unwrap().tree
}

pub fn packed(tree: &SourceTree) -> Package {
    match pack(tree, &PackOptions::default()) {
        Ok(packed) => packed.into_package(),
        Err(PackageError::Checks { findings }) => panic!("{findings:#?}"),
        Err(error) => panic!("{error}"),
    }
}

pub fn text<'t>(tree: &'t SourceTree, path: &str) -> &'t str {
    let all: Vec<&str> = tree.paths().collect();
    let data = tree
        .get(path)
        .unwrap_or_else(|| panic!("no `{path}` in {all:#?}"));
    std::str::from_utf8(data)
        .unwrap()
        .trim_start_matches('\u{feff}')
}

/// Unpacks, expects these files, packs and unpacks again: the same tree must come out.
pub fn there_and_back(package: &Package, expected: &[&str]) -> SourceTree {
    let tree = tree_of(package);
    for path in expected {
        text(&tree, path);
    }
    let again = packed(&tree);
    assert_eq!(
        tree_of(&again),
        tree,
        "unpacking what was packed gives another tree"
    );
    assert_eq!(
        packed(&tree_of(&again)),
        again,
        "packing it again gives another package"
    );
    for part in package
        .parts()
        .iter()
        .filter(|part| part.name.contains('/'))
    {
        assert_eq!(
            again.part(&part.name),
            Some(&part.data[..]),
            "{}",
            part.name
        );
    }
    tree
}

/// The whole `customizations.xml` of a package without its mark.
pub fn customizations(package: &Package) -> String {
    let data = package.part("customizations.xml").unwrap();
    let text = std::str::from_utf8(data).unwrap();
    text.trim_start_matches('\u{feff}').to_owned()
}

/// The names of the parts in their order.
pub fn names(package: &Package) -> Vec<&str> {
    package.parts().iter().map(|part| &*part.name).collect()
}

/// Code and file of each finding, sorted.
pub fn codes(findings: &[Finding]) -> Vec<(&str, &str)> {
    let mut codes: Vec<(&str, &str)> = findings.iter().map(|f| (f.code, &*f.file)).collect();
    codes.sort();
    codes
}

/// Asserts that these texts stand in this order.
pub fn in_order(text: &str, wanted: &[&str]) {
    let mut at = 0;
    for what in wanted {
        let Some(found) = text[at..].find(what) else {
            panic!("`{what}` does not stand where it should in {text}");
        };
        at += found + what.len();
    }
}

/// A table `pub_T` with more inside.
pub fn table(extra: &str) -> String {
    format!(
        "<Entities><Entity><Name LocalizedName=\"T\">pub_T</Name><EntityInfo><entity Name=\"pub_T\" /></EntityInfo>{extra}</Entity></Entities>"
    )
}

/// The root component of that table.
pub const TABLE_ROOT: &str = "<RootComponent type=\"1\" schemaName=\"pub_t\" behavior=\"0\" />";

/// A manifest's line about a component with an id, or with a schema name.
pub fn root(component_type: u32, key: &str) -> String {
    let attribute = if key.starts_with('{') {
        "id"
    } else {
        "schemaName"
    };
    format!("<RootComponent type=\"{component_type}\" {attribute}=\"{key}\" behavior=\"0\" />")
}

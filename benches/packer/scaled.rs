//! Packages of any size, made from a real one.

use std::fs;
use std::path::Path;

use almscript::solution::{Package, Part};

/// `corpus/07` with its tables repeated under other names until the customizations have so many
/// bytes, and web resources repeated for the number of files.
pub fn package(bytes: usize) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/corpus/07-nonprofit-core/managed.zip");
    let mut package =
        Package::from_zip(&fs::read(path).expect("the corpus is there")).expect("sound");
    let text = |package: &Package, name: &str| {
        let bytes = package.part(name).expect("every package has it");
        std::str::from_utf8(bytes).expect("it is UTF-8").to_owned()
    };
    let customizations = text(&package, "customizations.xml");
    let solution = text(&package, "solution.xml");

    let (head, rest) = customizations
        .split_once("<Entities>")
        .expect("it has tables");
    let (tables, tail) = rest.split_once("</Entities>").expect("it has tables");
    let mut out = format!("{head}<Entities>");
    let mut roots = String::new();
    let mut copy = 0;
    while out.len() + tail.len() + tables.len() / 2 < bytes || copy == 0 {
        for table in tables
            .split_inclusive("</Entity>")
            .filter(|table| table.contains("<Entity"))
        {
            let (before, after) = table.split_once("</Name>").expect("a table has a name");
            let name = before.rsplit('>').next().unwrap_or_default();
            if copy == 0 {
                out.push_str(table);
            } else {
                out.push_str(&format!("{before}_{copy}</Name>{after}"));
                let name = name.to_lowercase();
                roots.push_str(&format!(
                    "<RootComponent type=\"1\" schemaName=\"{name}_{copy}\" behavior=\"0\" />"
                ));
            }
        }
        copy += 1;
    }
    out.push_str("</Entities>");

    let (before, rest) = tail
        .split_once("</WebResources>")
        .expect("it has web resources");
    out.push_str(before);
    for number in 0..400 {
        let name = format!("bench_/f{}/r{number}.js", number % 20);
        let part = format!("WebResources/bench_r{number}");
        out.push_str(&format!(
            "<WebResource><Name>{name}</Name><FileName>/{part}</FileName></WebResource>"
        ));
        roots.push_str(&format!(
            "<RootComponent type=\"61\" schemaName=\"{name}\" behavior=\"0\" />"
        ));
        let script = format!("function f{number}() {{ return {number}; }}\n").repeat(40);
        package
            .set_part(part, script.into_bytes())
            .expect("the name is safe");
    }
    out.push_str("</WebResources>");
    out.push_str(rest);
    let solution = solution.replace("</RootComponents>", &format!("{roots}</RootComponents>"));
    package
        .set_part("customizations.xml", out.into_bytes())
        .expect("the name is safe");
    package
        .set_part("solution.xml", solution.into_bytes())
        .expect("the name is safe");
    package.declare_content_types();
    package.to_zip().expect("it can be written")
}

/// A package of so many roles.
pub fn roles(count: usize) -> Package {
    let mut customizations = String::from("<ImportExportXml><Roles>");
    for number in 0..count {
        customizations.push_str(&format!(
            "<Role id=\"{{{number}}}\" name=\"Role {number}\"><RolePrivileges><RolePrivilege name=\"prvReadAccount\" \
             level=\"Global\" /></RolePrivileges></Role>"
        ));
    }
    customizations.push_str("</Roles></ImportExportXml>");
    let solution = "<ImportExportXml><SolutionManifest><UniqueName>Roles</UniqueName><Version>1.0</Version>\
                    <Managed>0</Managed></SolutionManifest></ImportExportXml>";
    let part = |name: &str, text: String| Part {
        name: name.to_owned(),
        data: text.into_bytes().into(),
    };
    Package::from_parts(vec![
        part("customizations.xml", customizations),
        part("solution.xml", solution.to_owned()),
    ])
    .expect("the names are safe")
}

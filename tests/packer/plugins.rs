//! A plug-in assembly that was built again under another identity (facts §15), at the command line.
//!
//! The assemblies are real ones, see `tests/fixtures/plugins/make`; their names here are those that
//! .NET itself tells (`AssemblyName.GetAssemblyName`).

use std::fs;
use std::path::{Path, PathBuf};

use almscript::solution::Package;

use crate::command::alm;
use crate::crafted;

const FIRST: &str = "Sales.Plugins, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";
const VERSION: &str = "Sales.Plugins, Version=2.5.0.1, Culture=neutral, PublicKeyToken=null";
const KEY: &str =
    "Sales.Plugins, Version=2.5.0.1, Culture=neutral, PublicKeyToken=58f93e6ae4bcc5ed";
const CULTURE: &str = "Sales.Plugins, Version=2.5.0.1, Culture=de-DE, PublicKeyToken=null";
/// Another assembly, which stays as it is.
const OTHER: &str = "More.Sales.Plugins, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";

const DLL: &str = "src/PluginAssemblies/SalesPlugins-A1/Sales.Plugins.dll";

fn assembly(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/plugins")
        .join(name)
}

/// A home with an unpacked solution: the first assembly with a step and an activity, and another
/// assembly's step.
fn home() -> tempfile::TempDir {
    let collections = format!(
        "<Workflows><Workflow WorkflowId=\"{{w1}}\" Name=\"Discounts\"><XamlFileName>/Workflows/Discounts-W1.xaml</XamlFileName></Workflow></Workflows>\
         <SolutionPluginAssemblies>\
         <PluginAssembly FullName=\"{FIRST}\" PluginAssemblyId=\"{{a1}}\"><FileName>/PluginAssemblies/SalesPlugins-A1/Sales.Plugins.dll</FileName>\
         <PluginTypes><PluginType AssemblyQualifiedName=\"Sales.OnCreate, {FIRST}\" PluginTypeId=\"{{t1}}\" Name=\"Sales.OnCreate\" /></PluginTypes></PluginAssembly>\
         <PluginAssembly FullName=\"{OTHER}\" PluginAssemblyId=\"{{a2}}\"><FileName>/PluginAssemblies/MoreSalesPlugins-A2/More.Sales.Plugins.dll</FileName></PluginAssembly>\
         </SolutionPluginAssemblies><SdkMessageProcessingSteps>\
         <SdkMessageProcessingStep Name=\"create\" SdkMessageProcessingStepId=\"{{s1}}\"><PluginTypeName>Sales.OnCreate, {FIRST}</PluginTypeName></SdkMessageProcessingStep>\
         <SdkMessageProcessingStep Name=\"other\" SdkMessageProcessingStepId=\"{{s2}}\"><PluginTypeName>Sales.OnCreate, {OTHER}</PluginTypeName></SdkMessageProcessingStep>\
         </SdkMessageProcessingSteps>"
    );
    let xaml = format!(
        "<Activity xmlns:mxswa=\"clr-namespace:Microsoft.Xrm.Sdk.Workflow.Activities\">\
         <mxswa:ActivityReference AssemblyQualifiedName=\"Sales.Discount, {FIRST}\" DisplayName=\"Discount\" />\
         <mxswa:ActivityReference AssemblyQualifiedName=\"Sales.Discount, {OTHER}\" /></Activity>"
    );
    let roots = format!(
        "<RootComponent type=\"29\" id=\"{{w1}}\" /><RootComponent type=\"91\" id=\"{{a1}}\" schemaName=\"{FIRST}\" />\
         <RootComponent type=\"91\" id=\"{{a2}}\" schemaName=\"{OTHER}\" /><RootComponent type=\"92\" id=\"{{s1}}\" /><RootComponent type=\"92\" id=\"{{s2}}\" />"
    );
    let first = fs::read(assembly("first.dll")).unwrap();
    let parts: &[(&str, &[u8])] = &[
        ("Workflows/Discounts-W1.xaml", xaml.as_bytes()),
        ("PluginAssemblies/SalesPlugins-A1/Sales.Plugins.dll", &first),
        (
            "PluginAssemblies/MoreSalesPlugins-A2/More.Sales.Plugins.dll",
            b"no assembly",
        ),
    ];
    let package = crafted::package("0", &collections, &roots, parts);
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a.zip"), package.to_zip().unwrap()).unwrap();
    let unpacked = alm(home.path(), &["unpack", "-z", "a.zip", "-f", "src"]);
    assert_eq!(unpacked.code, 0, "{}", unpacked.err);
    home
}

/// Packs and returns the package and what was told.
fn pack(here: &Path, more: &[&str]) -> (Package, String) {
    let ended = alm(
        here,
        &[&["pack", "-z", "b.zip", "-f", "src"], more].concat(),
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    let package = Package::from_zip(&fs::read(here.join("b.zip")).unwrap()).unwrap();
    (package, ended.err)
}

fn text<'p>(package: &'p Package, part: &str) -> &'p str {
    std::str::from_utf8(package.part(part).unwrap()).unwrap()
}

/// Expects the package to name the assembly like this everywhere, and the other one as ever.
#[track_caller]
fn assert_named(package: &Package, name: &str) {
    let xml = text(package, "customizations.xml");
    for expected in [
        format!("<PluginAssembly FullName=\"{name}\""),
        format!("AssemblyQualifiedName=\"Sales.OnCreate, {name}\""),
        format!("<PluginTypeName>Sales.OnCreate, {name}</PluginTypeName>"),
        format!("<PluginAssembly FullName=\"{OTHER}\""),
        format!("<PluginTypeName>Sales.OnCreate, {OTHER}</PluginTypeName>"),
    ] {
        assert!(xml.contains(&expected), "no {expected} in {xml}");
    }
    let xaml = text(package, "Workflows/Discounts-W1.xaml");
    for expected in [name, OTHER] {
        let expected = format!("AssemblyQualifiedName=\"Sales.Discount, {expected}\"");
        assert!(xaml.contains(&expected), "no {expected} in {xaml}");
    }
    if name != FIRST {
        let rest = [xml, xaml].concat().replace(OTHER, "");
        assert!(
            !rest.contains(FIRST),
            "the old name is left somewhere: {rest}"
        );
    }
}

#[test]
fn the_package_names_a_rebuilt_assembly_as_its_file_does() {
    let home = home();
    let here = home.path();
    let (same, told) = pack(here, &[]);
    assert_named(&same, FIRST);
    assert!(!told.contains("ALM-P133"), "nothing was renamed: {told}");
    for (file, name) in [
        ("version.dll", VERSION),
        ("key.dll", KEY),
        ("culture.dll", CULTURE),
    ] {
        fs::copy(assembly(file), here.join(DLL)).unwrap();
        let before = crate::state::of(&here.join("src"));
        let (package, told) = pack(here, &[]);
        assert_named(&package, name);
        assert!(told.contains("ALM-P133") && told.contains(name), "{told}");
        let part = package.part("PluginAssemblies/SalesPlugins-A1/Sales.Plugins.dll");
        assert_eq!(part.unwrap(), fs::read(assembly(file)).unwrap());
        crate::state::assert_same(&before, &crate::state::of(&here.join("src")), "packing");
    }
}

#[test]
fn the_remapping_can_be_turned_off() {
    let home = home();
    fs::copy(assembly("version.dll"), home.path().join(DLL)).unwrap();
    for switch in [
        &["--disablePluginRemap"][..],
        &["--disablePluginRemap", "true"],
    ] {
        let (package, told) = pack(home.path(), switch);
        assert_named(&package, FIRST);
        assert!(!told.contains("ALM-P133"), "{told}");
    }
    let (package, _) = pack(home.path(), &["--disablePluginRemap", "false"]);
    assert_named(&package, VERSION);
}

#[test]
fn an_assembly_that_a_mapping_file_leads_to_counts() {
    let home = home();
    let here = home.path();
    fs::create_dir_all(here.join("bin/Release")).unwrap();
    fs::copy(
        assembly("key.dll"),
        here.join("bin/Release/Sales.Plugins.dll"),
    )
    .unwrap();
    let map = r#"<Mapping><FileToPath map="Sales.Plugins.dll" to="..\bin\**" /></Mapping>"#;
    fs::write(here.join("map.xml"), map).unwrap();
    let (package, _) = pack(here, &["--map", "map.xml"]);
    assert_named(&package, KEY);
    let part = package.part("PluginAssemblies/SalesPlugins-A1/Sales.Plugins.dll");
    assert_eq!(part.unwrap(), fs::read(assembly("key.dll")).unwrap());
    assert_eq!(
        fs::read(here.join(DLL)).unwrap(),
        fs::read(assembly("first.dll")).unwrap()
    );
}

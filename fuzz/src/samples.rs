//! A small package with a component of nearly every kind, to be damaged.

use std::sync::LazyLock;

use almscript::solution::{Package, Part, SourceTree, UnpackOptions, unpack};

const CUSTOMIZATIONS: &str = include_str!("../seed/customizations.xml");
const SOLUTION: &str = include_str!("../seed/solution.xml");
/// A flow with every kind of step that has others inside.
pub const FLOW: &str = include_str!("../seed/flow.json");

/// The parts of the sample.
pub static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
    [
        ("customizations.xml", CUSTOMIZATIONS.trim_end()),
        ("solution.xml", SOLUTION.trim_end()),
        ("Formulas/pub_t-pub_c.xaml", "<f />"),
        ("Workflows/F-A0000000-0000-0000-0000-000000000002.json", FLOW.trim_end()),
        (
            "Workflows/W-A0000000-0000-0000-0000-000000000003.xaml",
            "<Activity x:Class=\"XrmWorkflow00000000000000000000000000000000\" xmlns:x=\"x\"><P a=\"P, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null\" /></Activity>",
        ),
        ("WebResources/pub_abjsC1", "alert(1)"),
        ("PluginAssemblies/P-A5/P.dll", "MZ"),
        ("CanvasApps/pub_app_1_BackgroundImageUri", "image"),
        ("CanvasApps/pub_app_1_DocumentUri.msapp", "no archive"),
        ("Connector/pub_5Fcon_openapidefinition.json", "{\"b\":1,\"a\":2}"),
        ("Reports/ardlr1.wdl", "<Report />"),
        (
            "environmentvariabledefinitions/pub_v/environmentvariabledefinition.xml",
            "<environmentvariabledefinition schemaname=\"pub_v\"><type>100000000</type></environmentvariabledefinition>",
        ),
        (
            "environmentvariabledefinitions/pub_v/environmentvariablevalues.json",
            "{\"environmentvariablevalues\":{\"environmentvariablevalue\":{\"value\":\"x\"}}}",
        ),
    ]
    .map(|(name, text)| Part { name: name.to_owned(), data: text.as_bytes().to_vec().into() })
    .to_vec()
});

/// The sample as a package.
pub fn package() -> Package {
    let mut package = Package::from_parts(PARTS.clone()).expect("the sample's names are good");
    package.declare_content_types();
    package
}

/// The sample as a tree.
pub static TREE: LazyLock<SourceTree> = LazyLock::new(|| {
    unpack(&package(), &UnpackOptions::default())
        .expect("the sample unpacks")
        .tree
});

/// The sample with other customizations.
pub fn with_customizations(text: &str) -> Package {
    let mut package = package();
    package
        .set_part("customizations.xml", text.as_bytes().to_vec())
        .expect("the name is good");
    package
}

//! The order of lists, components and parts (facts §2.2, §9).

use almscript::solution::Package;

use crate::crafted::{
    customizations, in_order, names, package, packed, part, root, solution_xml, text, tree_of,
};

#[test]
fn root_components_of_one_name_go_by_id_and_those_without_name_first() {
    let roots = "<RootComponent type=\"60\" id=\"{b}\" /><RootComponent type=\"60\" id=\"{a-1}\" />\
                 <RootComponent type=\"60\" id=\"{a}\" schemaName=\"x\" />\
                 <RootComponent type=\"372\" id=\"{2}\" schemaName=\"pub_5Fa\" /><RootComponent type=\"10\" schemaName=\"é\" />\
                 <RootComponent type=\"10\" schemaName=\"f\" /><RootComponent type=\"10\" schemaName=\"e\" />";
    let tree = tree_of(&package("0", "<Roles />", roots, &[]));
    in_order(
        text(&tree, "Other/Solution.xml"),
        &[
            "\"e\"",
            "\"é\"",
            "\"f\"",
            "\"372\"",
            "\"{a-1}\"",
            "\"{b}\"",
            "\"{a}\" schemaName",
        ],
    );
}

/// Punctuation in the order that the collation has (facts §9.1): a space, `,` `.` `/` `_` before
/// digits before letters, hyphens left out.
#[test]
fn names_of_web_resources_and_assemblies_sort_by_the_collation_of_windows() {
    let sorted = [
        "pub_ a",
        "pub_,a",
        "pub_.a",
        "pub_/a",
        "pub__a",
        "pub_1",
        "pub_a",
        "pub_A",
        "pub_a.b",
        "pub_a/b",
        "pub_a_b",
        "pub_ab",
        "pub_a-b",
        "pub_aB",
        "pub_jquery214",
        "pub_jquery-ui.min",
    ];
    let mut shuffled = sorted;
    shuffled.reverse();
    shuffled.swap(2, 9);
    let tree = tree_of(&package(
        "0",
        "<Roles />",
        &shuffled.map(|name| root(61, name)).concat(),
        &[],
    ));
    let quoted: Vec<String> = sorted.iter().map(|name| format!("\"{name}\"")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    in_order(text(&tree, "Other/Solution.xml"), &quoted);
}

#[test]
fn components_of_an_app_sort_by_type_and_name_and_keep_ids_in_place() {
    let xml = "<AppModules><AppModule><UniqueName>pub_A</UniqueName><AppModuleComponents>\
        <AppModuleComponent type=\"62\" schemaName=\"s\" /><AppModuleComponent type=\"60\" id=\"{z}\" />\
        <AppModuleComponent type=\"60\" id=\"{a}\" /><AppModuleComponent type=\"1\" schemaName=\"b\" />\
        <AppModuleComponent type=\"1\" schemaName=\"a\" /></AppModuleComponents></AppModule></AppModules>";
    let tree = tree_of(&package("0", xml, &root(80, "pub_A"), &[]));
    in_order(
        text(&tree, "AppModules/pub_A/AppModule.xml"),
        &["\"a\"", "\"b\"", "\"{z}\"", "\"{a}\"", "\"s\""],
    );
    // Packing never sorts: what somebody has put elsewhere stays there.
    let mut tree = tree;
    let moved = text(&tree, "AppModules/pub_A/AppModule.xml").replace("\"{z}\"", "\"{0}\"");
    tree.insert("AppModules/pub_A/AppModule.xml", moved.into_bytes())
        .unwrap();
    in_order(&customizations(&packed(&tree)), &["\"{0}\"", "\"{a}\""]);
}

#[test]
fn missing_dependencies_sort_by_what_is_required_and_ties_stay() {
    let one = |kind: &str, name: &str, by: &str| {
        format!(
            "<MissingDependency><Required type=\"{kind}\" {name} displayName=\"d\" /><Dependent type=\"1\" key=\"{by}\" /></MissingDependency>"
        )
    };
    let list = [
        one("9", "schemaName=\"c\"", "1"),
        one("60", "id=\"{1}\"", "2"),
        one("1", "schemaName=\"b\"", "3"),
        one("1", "schemaName=\"a\"", "5"),
        one("1", "schemaName=\"a\"", "4"),
        one("10xyz", "schemaName=\"a\"", "6"),
    ]
    .concat();
    let solution = solution_xml("0", "").replace(
        "<MissingDependencies />",
        &format!("<MissingDependencies>{list}</MissingDependencies>"),
    );
    let mut source = package("0", "<Roles />", "", &[]);
    source
        .set_part("solution.xml", solution.into_bytes())
        .unwrap();
    let tree = tree_of(&source);
    let keys = ["5", "4", "3", "6", "2", "1"].map(|key| format!("key=\"{key}\""));
    in_order(
        text(&tree, "Other/Solution.xml"),
        &keys.each_ref().map(String::as_str),
    );
    // Packing writes the list as it stands (facts §9.1).
    let again = packed(&tree);
    let packed = String::from_utf8(again.part("solution.xml").unwrap().to_vec()).unwrap();
    in_order(&packed, &keys.each_ref().map(String::as_str));
}

#[test]
fn components_are_packed_by_file_name_and_lists_as_they_are() {
    let named = |tag: &str, names: &[&str]| -> String {
        names
            .iter()
            .map(|name| format!("<{tag} Name=\"{name}\" />"))
            .collect()
    };
    let xml = format!(
        "<optionsets>{}</optionsets><EntityMaps>{}</EntityMaps><Things>{}</Things>",
        named("optionset", &["pub_b", "pub_A_", "pub_Ab"]),
        named("EntityMap", &["z", "y"]),
        named("Thing", &["b", "B1", "a"]),
    );
    let roots = ["pub_b", "pub_A_", "pub_Ab"]
        .map(|name| root(9, name))
        .concat();
    let tree = tree_of(&package("0", &xml, &roots, &[]));
    in_order(
        &customizations(&packed(&tree)),
        &[
            "pub_A_", "pub_Ab", "pub_b", "\"z\"", "\"y\"", "\"a\"", "\"b\"", "\"B1\"",
        ],
    );
}

/// Facts §2.2: collections, then the other folders by name; the files of a folder before its
/// sub-folders, each by name, case ignored. The content types come last.
#[test]
fn parts_stand_in_the_order_of_a_walk() {
    let xml = "<CustomControls><CustomControl><Name>c</Name><FileName>/Controls/c/ControlManifest.xml</FileName></CustomControl></CustomControls>\
               <Workflows><Workflow WorkflowId=\"{1}\"><JsonFileName>/Workflows/b-1.json</JsonFileName></Workflow>\
               <Workflow WorkflowId=\"{2}\"><XamlFileName>/Workflows/A-2.xaml</XamlFileName></Workflow></Workflows>";
    let roots = [root(66, "c"), root(29, "{1}"), root(29, "{2}")].concat();
    let order = [
        "Controls/c/ControlManifest.xml",
        "Controls/c/a.js",
        "Controls/c/Z.js",
        "Controls/c/css/b.css",
        "Controls/c/strings/a.resx",
        "Controls/c/css/deep/a.css",
        "Workflows/A-2.xaml",
        "Workflows/b-1.json",
        "appactions/x/appaction.xml",
        "Bots/b/bot.xml",
        "customapis/a/customapi.xml",
        "customapis/b/customapi.xml",
        "customapis/a/parameters/p/p.xml",
    ];
    let mut parts: Vec<(&str, &[u8])> = order.iter().map(|name| (*name, &b"1"[..])).collect();
    parts.reverse();
    let again = packed(&tree_of(&package("0", xml, &roots, &parts)));
    let mut expected = vec!["customizations.xml", "solution.xml"];
    expected.extend(order);
    expected.push("[Content_Types].xml");
    assert_eq!(names(&again), expected);
}

/// Facts §2.3, to the byte.
#[test]
fn content_types_follow_the_entries() {
    let mut source = Package::from_parts(
        [
            "customizations.xml",
            "solution.xml",
            "Workflows/a.json",
            "CanvasApps/b_BackgroundImageUri",
            "CanvasApps/b.msapp",
            "Connector/c.Png",
            "Connector/d.png",
            "customapis/e/e.xml",
            "Assets/f & g.xml",
        ]
        .map(|name| part(name, b"1"))
        .to_vec(),
    )
    .unwrap();
    source.declare_content_types();
    let stream = "ContentType=\"application/octet-stream\" />";
    let expected = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"xml\" ContentType=\"text/xml\" /><Default Extension=\"json\" {stream}<Default Extension=\"msapp\" {stream}\
         <Default Extension=\"Png\" {stream}<Override PartName=\"/CanvasApps/b_BackgroundImageUri\" {stream}\
         <Override PartName=\"/customapis/e/e.xml\" {stream}<Override PartName=\"/Assets/f%20&amp;%20g.xml\" {stream}</Types>"
    );
    let actual = String::from_utf8(source.part("[Content_Types].xml").unwrap().to_vec());
    assert_eq!(actual.unwrap(), expected);
}

#[test]
fn the_order_of_lists_is_normalised() {
    let roots = "<RootComponent type=\"9\" schemaName=\"b\" /><RootComponent type=\"91\" id=\"{z}\" />\
                 <RootComponent type=\"300\" schemaName=\"c\" /><RootComponent type=\"9\" schemaName=\"a_b\" />\
                 <RootComponent type=\"9\" schemaName=\"aB\" /><RootComponent type=\"9\" schemaName=\"ab\" />";
    let tree = tree_of(&package("0", "<Roles />", roots, &[]));
    let solution = text(&tree, "Other/Solution.xml");
    let wanted = [
        "schemaName=\"c\"",
        "schemaName=\"a_b\"",
        "schemaName=\"ab\"",
        "schemaName=\"aB\"",
        "schemaName=\"b\"",
        "id=\"{z}\"",
    ];
    let places: Vec<usize> = wanted
        .iter()
        .map(|what| solution.find(what).unwrap())
        .collect();
    assert!(places.is_sorted(), "{solution}");
}

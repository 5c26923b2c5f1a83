//! Relationships: a list, and a file for each table (facts §7.1).

use almscript::solution::{PackOptions, PackageError, pack, unpack};

use crate::crafted::{
    codes, customizations, in_order, lf, package, packed, text, there_and_back, tree_of,
};

#[test]
fn one_that_is_only_listed_is_packed_bare() {
    let mut tree = tree_of(&package(
        "0",
        "<EntityRelationships><EntityRelationship Name=\"a &amp; b\"><ReferencedEntityName>T</ReferencedEntityName></EntityRelationship></EntityRelationships>",
        "",
        &[],
    ));
    tree.remove("Other/Relationships/T.xml");
    let packed = pack(&tree, &PackOptions::default()).unwrap();
    assert_eq!(
        codes(&packed.findings),
        [("ALM-P130", "Other/Relationships.xml")]
    );
    let xml = customizations(&packed.into_package());
    assert!(
        xml.contains("    <EntityRelationship Name=\"a &amp; b\" />\r\n"),
        "{xml}"
    );
}

#[test]
fn the_list_decides_the_order_of_packing() {
    let one = |name: &str, table: &str| {
        format!(
            "<EntityRelationship Name=\"{name}\"><FirstEntityName>{table}</FirstEntityName></EntityRelationship>"
        )
    };
    let xml = [one("z", "B"), one("y", "A"), one("x", "B")].concat();
    let xml = format!("<EntityRelationships>{xml}</EntityRelationships>");
    let tree = there_and_back(&package("0", &xml, "", &[]), &["Other/Relationships/A.xml"]);
    in_order(
        text(&tree, "Other/Relationships/B.xml"),
        &["\"z\"", "\"x\""],
    );
    in_order(
        &customizations(&packed(&tree)),
        &["\"z\"", "\"y\"", "\"x\""],
    );
}

#[test]
fn those_that_name_no_table_keep_all_where_they_are() {
    let xml = "<EntityRelationships><EntityRelationship Name=\"a\"><ReferencedEntityName>T</ReferencedEntityName></EntityRelationship>\
               <EntityRelationship Name=\"b\"><Kind>new</Kind></EntityRelationship></EntityRelationships>";
    let unpacked = unpack(&package("0", xml, "", &[]), &lf()).unwrap();
    assert_eq!(
        codes(&unpacked.findings),
        [("ALM-P105", "customizations.xml")]
    );
    assert!(text(&unpacked.tree, "Other/Customizations.xml").contains("<Kind>new</Kind>"));
    assert!(customizations(&packed(&unpacked.tree)).contains("<Kind>new</Kind>"));
}

#[test]
fn relationships_are_listed_and_grouped_by_table() {
    let collections = "<EntityRelationships>\
        <EntityRelationship Name=\"z_one\"><ReferencedEntityName>Account</ReferencedEntityName></EntityRelationship>\
        <EntityRelationship Name=\"many\"><FirstEntityName>pub_T</FirstEntityName></EntityRelationship>\
        <EntityRelationship Name=\"a_one\"><ReferencedEntityName>account</ReferencedEntityName></EntityRelationship>\
        <EntityRelationship Name=\"bare\" /></EntityRelationships>";
    let mut tree = there_and_back(
        &package("0", collections, "", &[]),
        &[
            "Other/Relationships/Account.xml",
            "Other/Relationships/pub_T.xml",
        ],
    );
    let list = text(&tree, "Other/Relationships.xml").to_owned();
    let places: Vec<usize> = ["z_one", "many", "a_one", "bare"]
        .iter()
        .map(|n| list.find(n).unwrap())
        .collect();
    assert!(places.is_sorted(), "{list}");

    let shorter = list.replace("  <EntityRelationship Name=\"many\" />\n", "");
    tree.insert("Other/Relationships.xml", shorter.into_bytes())
        .unwrap();
    let found = pack(&tree, &PackOptions::default()).unwrap().findings;
    assert!(
        found
            .iter()
            .any(|f| f.code == "ALM-P131" && f.message.contains("many")),
        "{found:?}"
    );

    let twice = list.replace("Name=\"many\"", "Name=\"z_one\"");
    tree.insert("Other/Relationships.xml", twice.into_bytes())
        .unwrap();
    assert!(matches!(
        pack(&tree, &PackOptions::default()),
        Err(PackageError::Component { .. })
    ));
}

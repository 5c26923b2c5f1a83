//! Tables: what lies in their folder, and how packing puts it together (facts §5, §9.3).

use almscript::solution::{PackOptions, SourceTree, pack, unpack};

use crate::crafted::{
    TABLE_ROOT, XSI, codes, customizations, in_order, lf, package, packed, root, table, text,
    there_and_back, tree_of,
};

/// What a file holds behind its declaration.
fn body(tree: &SourceTree, path: &str) -> String {
    let declaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
    let body = text(tree, path).strip_prefix(declaration).unwrap();
    body.replace(&format!(" xmlns:xsi=\"{XSI}\""), "{S}")
}

#[test]
fn each_part_of_a_table_has_its_file() {
    let collections = table(
        "<FormXml><forms type=\"quickCreate\"><systemform><formid>{f}</formid><form /></systemform></forms></FormXml>\
         <SavedQueries><savedqueries><savedquery><savedqueryid>{q}</savedqueryid></savedquery></savedqueries></SavedQueries>\
         <Visualizations><visualization><savedqueryvisualizationid>{V1}</savedqueryvisualizationid></visualization></Visualizations>\
         <RibbonDiffXml><CustomActions /></RibbonDiffXml><CustomControlDefaultConfigs /><Strings />",
    );
    let tree = there_and_back(&package("0", &collections, TABLE_ROOT, &[]), &[]);
    for (file, expected) in [
        (
            "Entity.xml",
            "<Entity{S}>\n  <Name LocalizedName=\"T\">pub_T</Name>\n  <EntityInfo>\n    <entity Name=\"pub_T\" />\n  </EntityInfo>\n  \
             <FormXml />\n  <SavedQueries />\n  <Visualizations />\n  <RibbonDiffXml />\n  <CustomControlDefaultConfigs />\n  <Strings />\n</Entity>",
        ),
        (
            "RibbonDiff.xml",
            "<RibbonDiffXml{S}>\n  <CustomActions />\n</RibbonDiffXml>",
        ),
        (
            "FormXml/quickCreate/{f}.xml",
            "<forms{S}>\n  <systemform>\n    <formid>{f}</formid>\n    <form />\n  </systemform>\n</forms>",
        ),
        (
            "SavedQueries/{q}.xml",
            "<savedqueries{S}>\n  <savedquery>\n    <savedqueryid>{q}</savedqueryid>\n  </savedquery>\n</savedqueries>",
        ),
        (
            "Visualizations/{V1}.xml",
            "<visualization{S}>\n  <savedqueryvisualizationid>{V1}</savedqueryvisualizationid>\n</visualization>",
        ),
    ] {
        assert_eq!(body(&tree, &format!("Entities/pub_T/{file}")), expected);
    }
    assert_eq!(tree.len(), 7, "and nothing else");
}

#[test]
fn a_placeholder_stands_only_where_the_source_had_the_element() {
    let tree = tree_of(&package("0", &table("<SavedQueries />"), TABLE_ROOT, &[]));
    let entity = text(&tree, "Entities/pub_T/Entity.xml");
    assert!(
        entity.contains("<SavedQueries />") && !entity.contains("FormXml"),
        "{entity}"
    );
}

#[test]
fn a_missing_file_behind_a_placeholder_packs_the_element_empty() {
    let views = "<SavedQueries><savedqueries><savedquery><savedqueryid>{q}</savedqueryid></savedquery></savedqueries></SavedQueries>";
    let mut tree = tree_of(&package("0", &table(views), TABLE_ROOT, &[]));
    tree.remove("Entities/pub_T/SavedQueries/{q}.xml");
    let packed = pack(&tree, &PackOptions::default()).unwrap();
    assert!(packed.findings.is_empty(), "{:?}", packed.findings);
    let xml = customizations(&packed.into_package());
    assert!(xml.contains("      <SavedQueries />\r\n"), "{xml}");
}

#[test]
fn lists_of_one_type_are_brought_together_and_the_folder_is_the_type() {
    let forms = "<FormXml><forms type=\"main\"><systemform><formid>{c}</formid></systemform></forms>\
                 <forms type=\"card\"><systemform><formid>{b}</formid></systemform></forms>\
                 <forms type=\"main\"><systemform><formid>{a}</formid></systemform></forms></FormXml>";
    let mut tree = there_and_back(&package("0", &table(forms), TABLE_ROOT, &[]), &[]);
    let xml = customizations(&packed(&tree));
    in_order(
        &xml,
        &["type=\"main\"", "{a}", "{c}", "type=\"card\"", "{b}"],
    );
    assert_eq!(xml.matches("<forms ").count(), 2);
    // The folder counts, not what the list was called (facts §11).
    let form = tree.remove("Entities/pub_T/FormXml/card/{b}.xml").unwrap();
    tree.insert("Entities/pub_T/FormXml/quick/{b}.xml", form)
        .unwrap();
    let xml = customizations(&packed(&tree));
    assert!(
        xml.contains("<forms type=\"quick\">") && !xml.contains("card"),
        "{xml}"
    );
}

#[test]
fn tables_are_packed_in_the_order_of_their_folders() {
    let one = |name: &str| format!("<Entity><Name>{name}</Name></Entity>");
    let names = [
        "a_b",
        "ab",
        "contoso_Permit",
        "contoso_newbuildsite",
        "Account",
    ];
    let xml = format!("<Entities>{}</Entities>", names.map(one).concat());
    let roots = names.map(|name| root(1, name)).concat();
    let tree = tree_of(&package("0", &xml, &roots, &[]));
    // Upper-case ordinals: `_` comes after the letters.
    in_order(
        &customizations(&packed(&tree)),
        &[
            ">ab<",
            ">Account<",
            ">a_b<",
            ">contoso_newbuildsite<",
            ">contoso_Permit<",
        ],
    );
}

#[test]
fn a_renamed_folder_of_a_table_does_not_matter() {
    let mut tree = tree_of(&package("0", &table(""), TABLE_ROOT, &[]));
    let file = tree.remove("Entities/pub_T/Entity.xml").unwrap();
    tree.insert("Entities/other/Entity.xml", file).unwrap();
    let packed = pack(&tree, &PackOptions::default()).unwrap();
    assert!(packed.findings.is_empty(), "{:?}", packed.findings);
    assert!(customizations(&packed.into_package()).contains(">pub_T<"));
}

#[test]
fn a_missing_formula_is_told_and_tolerated() {
    let xml = "<Entities><Entity><Name>pub_T</Name><FormulaDefinitionFileName>/Formulas/pub_t-x.yaml</FormulaDefinitionFileName></Entity></Entities>";
    let source = package("0", xml, TABLE_ROOT, &[]);
    let unpacked = unpack(&source, &lf()).unwrap();
    assert_eq!(
        codes(&unpacked.findings),
        [("ALM-P104", "customizations.xml")]
    );
    let packed = pack(&unpacked.tree, &PackOptions::default()).unwrap();
    assert_eq!(
        codes(&packed.findings),
        [("ALM-P129", "Entities/pub_T/Entity.xml")]
    );
}

#[test]
fn lists_that_cannot_be_split_stay_in_the_table() {
    for (list, missing) in [
        (
            "<FormXml><forms type=\"main\"><systemform><form /></systemform></forms></FormXml>",
            "formid",
        ),
        (
            "<FormXml><forms><systemform><formid>{a}</formid></systemform></forms></FormXml>",
            "type",
        ),
        ("<FormXml><other /></FormXml>", "<other>"),
        (
            "<SavedQueries><savedqueries><savedquery /></savedqueries></SavedQueries>",
            "savedqueryid",
        ),
        (
            "<Visualizations><visualization /></Visualizations>",
            "savedqueryvisualizationid",
        ),
        ("<Visualizations><chart /></Visualizations>", "<chart>"),
    ] {
        let source = package("0", &table(list), TABLE_ROOT, &[]);
        let unpacked = unpack(&source, &lf()).unwrap();
        assert_eq!(
            codes(&unpacked.findings),
            [("ALM-P105", "customizations.xml")],
            "{list}"
        );
        assert!(
            unpacked.findings[0].message.contains(missing),
            "{}",
            unpacked.findings[0]
        );
        let flat: String = text(&unpacked.tree, "Entities/pub_T/Entity.xml")
            .split('\n')
            .map(str::trim_start)
            .collect();
        assert!(flat.contains(list), "{flat}");
        let again = packed(&unpacked.tree);
        assert_eq!(tree_of(&again), unpacked.tree);
        let flat: String = customizations(&again)
            .split("\r\n")
            .map(str::trim_start)
            .collect();
        assert!(flat.contains(list), "{flat}");
    }
}

#[test]
fn forms_are_grouped_by_the_smallest_id_of_a_type() {
    let collections = table(
        "<FormXml><forms type=\"main\"><systemform><formid>{b}</formid></systemform><systemform><formid>{d}</formid></systemform></forms>\
         <forms type=\"quick\"><systemform><formid>{a}</formid></systemform><systemform><formid>{c}</formid></systemform></forms></FormXml>",
    );
    let tree = there_and_back(
        &package("0", &collections, TABLE_ROOT, &[]),
        &[
            "Entities/pub_T/FormXml/main/{b}.xml",
            "Entities/pub_T/FormXml/quick/{a}.xml",
        ],
    );
    let again = packed(&tree);
    let xml = std::str::from_utf8(again.part("customizations.xml").unwrap()).unwrap();
    let order: Vec<&str> = ["quick", "{a}", "{c}", "main", "{b}", "{d}"].to_vec();
    let places: Vec<usize> = order.iter().map(|what| xml.find(what).unwrap()).collect();
    assert!(places.is_sorted(), "{xml}");
}

#[test]
fn a_form_folder_without_its_placeholder_is_reported() {
    let mut tree = tree_of(&package("0", &table(""), TABLE_ROOT, &[]));
    let form = b"<forms><systemform><formid>{a}</formid></systemform></forms>".to_vec();
    tree.insert("Entities/pub_T/FormXml/main/{a}.xml", form)
        .unwrap();
    let found = pack(&tree, &PackOptions::default()).unwrap().findings;
    assert!(
        found
            .iter()
            .any(|f| f.code == "ALM-P128" && f.message.contains("<FormXml />")),
        "{found:?}"
    );
}

#[test]
fn formulas_move_into_the_folder_of_their_table() {
    let collections = "<Entities><Entity><Name>pub_T</Name><EntityInfo><entity><attributes><attribute>\
        <FormulaDefinitionFileName>/Formulas/pub_t-x.xaml</FormulaDefinitionFileName></attribute></attributes></entity></EntityInfo></Entity></Entities>";
    there_and_back(
        &package(
            "0",
            collections,
            TABLE_ROOT,
            &[("Formulas/pub_t-x.xaml", b"<f />")],
        ),
        &["Entities/pub_T/Formulas/pub_t-x.xaml"],
    );
}

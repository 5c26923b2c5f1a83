//! How the XML files of a folder are written (facts §3), seen through a whole package.

use almscript::solution::{LineEnds, PackageError, UnpackOptions, unpack};

use crate::crafted::{XSI, customizations, lf, package, packed, root, tree_of};

/// What the file of a role holds between its tags, after unpacking.
fn inside(content: &str, line_ends: LineEnds) -> String {
    let xml = format!("<Roles><Role id=\"{{1}}\" name=\"R\">{content}</Role></Roles>");
    let source = package("0", &xml, &root(20, "{1}"), &[]);
    let options = UnpackOptions {
        line_ends,
        ..UnpackOptions::default()
    };
    let tree = unpack(&source, &options).unwrap().tree;
    let again = packed(&tree);
    assert_eq!(unpack(&again, &options).unwrap().tree, tree, "{content}");
    let file = String::from_utf8(tree.get("Roles/R.xml").unwrap().to_vec()).unwrap();
    let newline = if line_ends == LineEnds::Lf {
        "\n"
    } else {
        "\r\n"
    };
    let start = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>{newline}<Role id=\"{{1}}\" name=\"R\" xmlns:xsi=\"{XSI}\">"
    );
    file.strip_prefix(&start)
        .and_then(|rest| rest.strip_suffix("</Role>"))
        .unwrap_or_else(|| panic!("{file}"))
        .to_owned()
}

#[test]
fn every_rule_holds_in_a_carved_file() {
    for (what, source, expected) in [
        (
            "indentation",
            "<a><b><c/></b></a>",
            "\n  <a>\n    <b>\n      <c />\n    </b>\n  </a>\n",
        ),
        (
            "white space between elements",
            "\r\n\t<a/> <b/>\n",
            "\n  <a />\n  <b />\n",
        ),
        ("white space alone", "<a>   </a>", "\n  <a></a>\n"),
        (
            "both forms of empty elements",
            "<a></a><b/><c />",
            "\n  <a></a>\n  <b />\n  <c />\n",
        ),
        (
            "mixed content",
            "<D>mixed <b>bold</b> tail</D>",
            "\n  <D>mixed <b>bold</b> tail</D>\n",
        ),
        (
            "nothing is indented behind a text",
            "<D><x/>t<y><z/></y></D>",
            "\n  <D>\n    <x />t<y><z /></y></D>\n",
        ),
        (
            "white space around a text stays",
            "<a> x\n y </a>",
            "\n  <a> x\n y </a>\n",
        ),
        (
            "xml:space",
            "<a xml:space=\"preserve\"> <b> </b> </a>",
            "\n  <a xml:space=\"preserve\"> <b> </b> </a>\n",
        ),
        (
            "order and quotes of attributes",
            "<a z='1' y=\"2\"/>",
            "\n  <a z=\"1\" y=\"2\" />\n",
        ),
        (
            "quotes in attributes",
            "<a k='\"x\"' j=\"'\"/>",
            "\n  <a k=\"&quot;x&quot;\" j=\"'\" />\n",
        ),
        (
            "references in attributes",
            "<a k=\"&#10;&#13;&#9;&gt;&lt;&amp;&#233;\"/>",
            "\n  <a k=\"&#xA;&#xD;&#x9;&gt;&lt;&amp;é\" />\n",
        ),
        (
            "a line break in an attribute",
            "<a k=\"1\r\n2\n3\t4\"/>",
            "\n  <a k=\"1 2 3 4\" />\n",
        ),
        (
            "escapes in texts",
            "<a>&lt;&gt;&amp;&quot;&apos;></a>",
            "\n  <a>&lt;&gt;&amp;\"'&gt;</a>\n",
        ),
        (
            "raw characters",
            "<a>&#160;&#x1F600;日&#8232;</a>",
            "\n  <a>\u{a0}😀日\u{2028}</a>\n",
        ),
        (
            "line breaks in texts",
            "<a>1\r\n2\r3\n4&#13;5&#10;6</a>",
            "\n  <a>1\n2\n3\n4\n5\n6</a>\n",
        ),
        (
            "CDATA",
            "<a><![CDATA[<x>&\r\n]]></a>",
            "\n  <a><![CDATA[<x>&\n]]></a>\n",
        ),
        (
            "two CDATA",
            "<a><![CDATA[]]]]><![CDATA[>]]></a>",
            "\n  <a><![CDATA[]]]]><![CDATA[>]]></a>\n",
        ),
        (
            "CDATA between blanks",
            "<a> <![CDATA[x]]> </a>",
            "\n  <a><![CDATA[x]]></a>\n",
        ),
        (
            "comments",
            "<!-- a\r\nb --><a/>",
            "\n  <!-- a\nb -->\n  <a />\n",
        ),
        (
            "a comment in a text",
            "<a>x<!--y-->z</a>",
            "\n  <a>x<!--y-->z</a>\n",
        ),
        (
            "instructions",
            "<?target some='data'?><a/>",
            "\n  <?target some='data'?>\n  <a />\n",
        ),
        (
            "namespaces of inner elements",
            "<a xmlns=\"urn:x\"><p:b xmlns:p=\"urn:y\" p:k=\"1\"/></a>",
            "\n  <a xmlns=\"urn:x\">\n    <p:b xmlns:p=\"urn:y\" p:k=\"1\" />\n  </a>\n",
        ),
        (
            "nil",
            "<a xsi:nil=\"true\"></a>",
            "\n  <a xsi:nil=\"true\"></a>\n",
        ),
    ] {
        assert_eq!(inside(source, LineEnds::Lf), expected, "{what}");
        assert_eq!(
            inside(source, LineEnds::CrLf),
            expected.replace('\n', "\r\n"),
            "{what}, CRLF"
        );
    }
}

#[test]
fn characters_that_xml_does_not_know_are_refused_as_microsofts_tool_does() {
    for bad in [
        "<a>&#x1F;</a>",
        "<a k=\"&#0;\"/>",
        "<a>\u{1}</a>",
        "<a>&#xFFFF;</a>",
    ] {
        let xml = format!("<Roles><Role name=\"R\">{bad}</Role></Roles>");
        let error = unpack(&package("0", &xml, "", &[]), &lf()).unwrap_err();
        assert!(matches!(error, PackageError::Xml { .. }), "{bad}: {error}");
        assert!(!error.is_failed_check(), "exit code 1");
    }
}

#[test]
fn what_stands_beside_the_root_and_between_collections_stays() {
    let mut source = package("0", "<Roles />", "", &[]);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><!-- before --><ImportExportXml xmlns:xsi=\"{XSI}\" \
         OrganizationVersion=\"9.2\"><!-- inside --><Roles></Roles><?note x?><Other k=\"1\"></Other></ImportExportXml><!-- after -->"
    );
    source
        .set_part("customizations.xml", text.into_bytes())
        .unwrap();
    let tree = tree_of(&source);
    let body = |roles: &str, other: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- before -->\n<ImportExportXml xmlns:xsi=\"{XSI}\" OrganizationVersion=\"9.2\">\n  \
             <!-- inside -->\n  {roles}\n  <?note x?>\n  {other}\n</ImportExportXml>\n<!-- after -->"
        )
    };
    let left = String::from_utf8(tree.get("Other/Customizations.xml").unwrap().to_vec()).unwrap();
    assert_eq!(
        left.trim_start_matches('\u{feff}'),
        body("<Roles />", "<Other k=\"1\"></Other>")
    );
    assert_eq!(
        customizations(&packed(&tree)).replace("\r\n", "\n"),
        body("<Roles />", "<Other />")
    );
}

#[test]
fn files_with_one_attribute_on_each_line_are_read_too() {
    // As some trees of 2025 have them.
    let mut tree = tree_of(&package("0", "<Roles />", "", &[]));
    let role = format!(
        "<Role\n  id=\"{{1}}\"\n  name=\"R\" xmlns:xsi=\"{XSI}\">\n  <a\n    k=\"1\" />\n</Role>"
    );
    tree.insert("Roles/R.xml", role.into_bytes()).unwrap();
    let solution = String::from_utf8(tree.get("Other/Solution.xml").unwrap().to_vec()).unwrap();
    let listed = solution
        .replace("<RootComponents></RootComponents>", "<RootComponents>\n<RootComponent\n  type=\"20\"\n  id=\"{1}\"\n  behavior=\"0\" />\n</RootComponents>");
    assert_ne!(listed, solution);
    tree.insert("Other/Solution.xml", listed.into_bytes())
        .unwrap();
    let again = packed(&tree);
    assert!(
        customizations(&again)
            .contains("    <Role id=\"{1}\" name=\"R\">\r\n      <a k=\"1\" />\r\n    </Role>\r\n")
    );
}

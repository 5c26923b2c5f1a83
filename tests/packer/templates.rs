//! Templates and the texts in them (facts §7.3).

use almscript::solution::unpack;

use crate::crafted::{
    XSI, codes, customizations, lf, package, packed, text, there_and_back, tree_of,
};

/// As a server of 9.2 writes them: escaped style sheets, and layouts as escaped XML.
const WELCOME: &str = "<Templates><EmailTemplates><emailtemplate><templateid>{1}</templateid>\
    <subject>&lt;?xml version=\"1.0\" ?&gt;&lt;x:s&gt;&lt;o k=\"1\"/&gt;&lt;![CDATA[Hi]]&gt;&lt;/x:s&gt;\n\t\t</subject>\
    <subjectpresentationxml>&lt;template&gt;&lt;text&gt;&lt;![CDATA[Hi]]&gt;&lt;/text&gt;&lt;/template&gt;</subjectpresentationxml>\
    <mimetype></mimetype><body></body>\
    <presentationxml>&lt;template&gt;&lt;text&gt;&lt;![CDATA[&lt;p&gt;a\n\tb]]&gt;&lt;/text&gt;&lt;default/&gt;&lt;/template&gt;</presentationxml>\
    <languagecode>1033</languagecode></emailtemplate></EmailTemplates></Templates>";

#[test]
fn texts_are_laid_out_as_published_trees_have_them() {
    let tree = there_and_back(&package("0", WELCOME, "", &[]), &[]);
    let folder = "Templates/EmailDocuments/1033/{1}";
    // A style sheet stays as it is, the white space at its end too.
    assert_eq!(
        text(&tree, &format!("{folder}/subject.xsl")),
        "<?xml version=\"1.0\" ?><x:s><o k=\"1\"/><![CDATA[Hi]]></x:s>\n\t\t"
    );
    // XML is written as all XML of a folder.
    assert_eq!(
        text(&tree, &format!("{folder}/presentationxml.xml")),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<template>\n  <text><![CDATA[<p>a\n\tb]]></text>\n  <default />\n</template>"
    );
    assert!(
        tree.get(&format!("{folder}/body.xsl")).is_none(),
        "an empty text has no file"
    );
    assert_eq!(
        text(&tree, "Templates/EmailTemplates.xml"),
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<EmailTemplates xmlns:xsi=\"{XSI}\">\n  <emailtemplate>\n    \
             <templateid>{{1}}</templateid>\n    <subject></subject>\n    <subjectpresentationxml></subjectpresentationxml>\n    \
             <mimetype></mimetype>\n    <body></body>\n    <presentationxml></presentationxml>\n    <languagecode>1033</languagecode>\n  \
             </emailtemplate>\n</EmailTemplates>"
        )
    );
    // The layout goes back to the text that it was.
    let xml = customizations(&packed(&tree));
    for text in [
        "<subject>&lt;?xml version=\"1.0\" ?&gt;&lt;x:s&gt;&lt;o k=\"1\"/&gt;&lt;![CDATA[Hi]]&gt;&lt;/x:s&gt;\r\n\t\t</subject>",
        "<presentationxml>&lt;template&gt;&lt;text&gt;&lt;![CDATA[&lt;p&gt;a\r\n\tb]]&gt;&lt;/text&gt;&lt;default /&gt;&lt;/template&gt;</presentationxml>",
        "<body></body>",
    ] {
        assert!(xml.contains(text), "{text} is not in {xml}");
    }
}

#[test]
fn a_template_without_id_or_language_keeps_its_texts() {
    for lacking in [
        "<templateid>{1}</templateid>",
        "<languagecode>1033</languagecode>",
    ] {
        let source = package("0", &WELCOME.replace(lacking, ""), "", &[]);
        let unpacked = unpack(&source, &lf()).unwrap();
        assert_eq!(
            codes(&unpacked.findings),
            [("ALM-P105", "customizations.xml")]
        );
        assert!(text(&unpacked.tree, "Templates/EmailTemplates.xml").contains("[CDATA[Hi]]&gt;"));
        let again = packed(&unpacked.tree);
        assert!(customizations(&again).contains("[CDATA[Hi]]&gt;"));
        assert_eq!(tree_of(&again), unpacked.tree);
    }
}

#[test]
fn templates_have_their_texts_in_files() {
    let collections = "<Templates><EmailTemplates><EmailTemplate><templateid>{t1}</templateid>\
        <languagecode>1033</languagecode><subject>&lt;xsl&gt;A &amp; B&lt;/xsl&gt;</subject>\
        <body><![CDATA[<b>hi</b>]]></body><title>T</title></EmailTemplate></EmailTemplates>\
        <KBArticleTemplates><KBArticleTemplate><kbarticletemplateid>{k1}</kbarticletemplateid>\
        <languagecode>1031</languagecode><structurexml>&lt;kb/&gt;</structurexml></KBArticleTemplate></KBArticleTemplates>\
        <MailMergeTemplates><MailMergeTemplate><name>m</name></MailMergeTemplate></MailMergeTemplates></Templates>";
    let tree = there_and_back(
        &package("0", collections, "", &[]),
        &["Templates/MailMergeTemplates.xml"],
    );
    assert_eq!(
        text(&tree, "Templates/EmailDocuments/1033/{t1}/subject.xsl"),
        "<xsl>A & B</xsl>"
    );
    assert_eq!(
        text(&tree, "Templates/EmailDocuments/1033/{t1}/body.xsl"),
        "<b>hi</b>"
    );
    assert_eq!(
        text(
            &tree,
            "Templates/KbArticleDocuments/1031/{k1}/structurexml.xml"
        ),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<kb />"
    );
    assert!(!text(&tree, "Templates/EmailTemplates.xml").contains("xsl&gt;"));
    let packed = packed(&tree);
    let customizations = std::str::from_utf8(packed.part("customizations.xml").unwrap()).unwrap();
    assert!(
        customizations.contains("<body>&lt;b&gt;hi&lt;/b&gt;</body>"),
        "{customizations}"
    );
}

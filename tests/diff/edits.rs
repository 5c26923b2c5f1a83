//! Edited copies of source trees.

use almscript::solution::SourceTree;

/// The permit solution, which has nearly every kind of component.
pub fn permits() -> SourceTree {
    crate::corpus::tree("05-permit-management", "unmanaged.unpacked.tar.gz")
}

/// The text of the file whose path ends with `end`, and its path.
pub fn file(tree: &SourceTree, end: &str) -> (String, String) {
    let path = tree
        .paths()
        .find(|path| path.ends_with(end))
        .unwrap_or_else(|| panic!("no file ends with {end}"))
        .to_owned();
    let text = String::from_utf8(tree.get(&path).unwrap().to_vec()).unwrap();
    (path, text)
}

/// Replaces `from`, which must be there, in the file whose path ends with `end`.
pub fn replace(tree: &mut SourceTree, end: &str, from: &str, to: &str) {
    let (path, text) = file(tree, end);
    let (from, to) = (from.replace('\n', "\r\n"), to.replace('\n', "\r\n"));
    let found = if text.contains(&from) {
        from
    } else {
        from.replace("\r\n", "\n")
    };
    assert!(text.contains(&found), "{path} has no {found}");
    tree.insert(path, text.replacen(&found, &to, 1)).unwrap();
}

/// A copy with the edits that a maker's afternoon leaves.
pub fn afternoon() -> SourceTree {
    let mut tree = permits();
    replace(
        &mut tree,
        "Other/Solution.xml",
        "<Version>1.0.0.11</Version>",
        "<Version>1.0.0.12</Version>",
    );
    // A column that becomes required, one that goes, one that comes.
    let (path, text) = file(&tree, "contoso_Permit/Entity.xml");
    let from = text
        .find("<attribute PhysicalName=\"contoso_ExpirationDate\">")
        .unwrap();
    let to = from + text[from..].find("</attribute>").unwrap() + "</attribute>".len();
    let mut column = text[from..to].to_owned();
    column = column
        .replace("contoso_ExpirationDate", "contoso_Fee")
        .replace("contoso_expirationdate", "contoso_fee")
        .replace("<Type>datetime</Type>", "<Type>money</Type>");
    let text = text.replacen(&text[from..to].to_owned(), &column, 1);
    tree.insert(path, text).unwrap();
    replace(
        &mut tree,
        "contoso_Permit/Entity.xml",
        "<LogicalName>contoso_newsize</LogicalName>\n          <RequiredLevel>none</RequiredLevel>",
        "<LogicalName>contoso_newsize</LogicalName>\n          <RequiredLevel>required</RequiredLevel>",
    );
    // A privilege that reaches less far, and a flow that asks another table.
    replace(
        &mut tree,
        "Inspection Router.xml",
        "<RolePrivilege name=\"prvReadcontoso_Inspection\" level=\"Global\" />",
        "<RolePrivilege name=\"prvReadcontoso_Inspection\" level=\"Local\" />",
    );
    replace(
        &mut tree,
        "9CBE-0022481C5F83.json",
        "\"entityName\": \"contoso_inspections\"",
        "\"entityName\": \"contoso_permits\"",
    );
    // The first field of the permit form moves behind the second.
    let (path, text) = file(&tree, "main/{f30f2ef1-59b0-4dea-aba1-486a404f8362}.xml");
    let rows: Vec<usize> = text
        .match_indices("<row>")
        .map(|(at, _)| at)
        .take(3)
        .collect();
    let moved = format!(
        "{}{}{}{}",
        &text[..rows[0]],
        &text[rows[1]..rows[2]],
        &text[rows[0]..rows[1]],
        &text[rows[2]..]
    );
    tree.insert(path, moved).unwrap();
    // A script changes, a view goes.
    replace(
        &mut tree,
        "contoso_PermitFormScripts.js",
        "",
        "// checked\n",
    );
    let view = file(&tree, "{48482f15-b783-4827-baf9-5b701b7e62d8}.xml").0;
    tree.remove(&view);
    tree
}

//! What a diff tells.

use almscript::solution::SourceTree;
use almscript::solution::diff::{Diff, Status, deletions, diff, json_schema, render};

use crate::corpus;
use crate::edits::{afternoon, permits, replace};

/// The differences with what a release of the new side would delete.
fn released(old: &SourceTree, new: &SourceTree) -> Diff {
    let mut told = diff(old, new).unwrap();
    assert_eq!(told.deletions, None, "unmanaged packages delete nothing");
    told.deletions = Some(deletions(old, new).unwrap());
    told
}

#[test]
fn an_afternoon_of_changes_reads_like_a_list_of_what_was_done() {
    let told = released(&permits(), &afternoon());
    insta::assert_snapshot!(render::text(&told, false));
}

#[test]
fn the_same_afternoon_fits_a_pull_request() {
    let told = released(&permits(), &afternoon());
    insta::assert_snapshot!(render::markdown(&told));
}

#[test]
fn the_web_page_says_the_same_and_lets_no_markup_through() {
    let mut new = afternoon();
    replace(
        &mut new,
        "Inspection Router.xml",
        "name=\"Inspection Router\"",
        "name=\"&lt;script&gt;\"",
    );
    let page = render::html(&diff(&permits(), &new).unwrap());
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("contoso_fee: money"));
    assert!(page.contains("&lt;script&gt;") && page.matches("<script>").count() == 1);
    assert!(
        !page.contains("src=") && !page.contains("href="),
        "it needs nothing beside itself"
    );
}

#[test]
fn json_holds_every_value_in_full() {
    let told = diff(&permits(), &afternoon()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&render::json(&told)).unwrap();
    let components = json["components"].as_array().unwrap();
    let role = components
        .iter()
        .find(|c| c["kind"] == "security role")
        .unwrap();
    assert_eq!(role["type"], "20");
    assert_eq!(role["changes"][0]["old"], "Global");
    assert_eq!(role["changes"][0]["new"], "Local");
    assert_eq!(role["changes"][0]["line"], 9);
    // Unmanaged versions are imported, which deletes nothing; a release of them is another thing.
    assert!(json.get("deletions").is_none());
    let gone = deletions(&permits(), &afternoon()).unwrap();
    assert_eq!(gone.len(), 2, "{gone:?}");
}

#[test]
fn a_tree_does_not_differ_from_itself_nor_from_its_copy_with_other_line_ends() {
    for (folder, kind) in corpus::singles() {
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        assert!(diff(&tree, &tree).unwrap().is_empty());
        let mut other = tree.clone();
        for (path, data) in tree.iter() {
            if path.ends_with(".xml")
                && let Ok(text) = std::str::from_utf8(data)
            {
                other.insert(path, text.replace("\r\n", "\n")).unwrap();
            }
        }
        let told = diff(&tree, &other).unwrap();
        assert!(
            told.is_empty(),
            "{folder} {kind}: {}",
            render::text(&told, false)
        );
    }
}

#[test]
fn what_only_one_side_has_is_added_or_removed_as_a_whole() {
    let (empty, full) = (
        corpus::tree("08-quote-email", "unmanaged.unpacked.tar.gz"),
        corpus::tree("02-hide-folders", "unmanaged.unpacked.tar.gz"),
    );
    let forth = diff(&empty, &full).unwrap();
    let back = diff(&full, &empty).unwrap();
    let added = |of: &almscript::solution::diff::Diff, status| {
        let mut keys: Vec<_> = of
            .components
            .iter()
            .filter(|component| component.status == status)
            .map(|component| component.identity.to_string())
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(added(&forth, Status::Added), added(&back, Status::Removed));
    assert!(added(&forth, Status::Added).len() >= 3);
    insta::assert_snapshot!(render::text(&forth, false));
}

#[test]
fn managed_and_unmanaged_differ_in_no_column_and_no_flow() {
    let unmanaged = permits();
    let managed = corpus::tree("05-permit-management", "managed.unpacked.tar.gz");
    let told = diff(&unmanaged, &managed).unwrap();
    let kinds: Vec<&str> = told.components.iter().map(|c| c.kind.as_str()).collect();
    assert!(!kinds.contains(&"cloud flow"), "{kinds:?}");
    // Forms of a managed package have the names of twins; they are compared all the same.
    let files = told
        .components
        .iter()
        .flat_map(|c| &c.changes)
        .filter(|c| c.subject.starts_with("file {"));
    assert_eq!(files.count(), 0);
}

/// The schema's copy in the repository is what people read; `alm schema solution-diff >
/// docs/solution-diff.schema.json` renews it.
#[test]
fn the_json_of_every_diff_follows_the_schema_that_is_published() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/solution-diff.schema.json"
    );
    let copy: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        copy == json_schema(),
        "renew it with `cargo run -- schema solution-diff > docs/solution-diff.schema.json`"
    );
    let schema = jsonschema::validator_for(&copy).unwrap();
    let follows = |told: &Diff| {
        let json: serde_json::Value = serde_json::from_str(&render::json(told)).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&json).map(|e| e.to_string()).collect();
        assert_eq!(wrong, [""; 0]);
        // Nothing is told that the schema does not describe.
        assert_eq!(undescribed(&copy, &copy, &json), [""; 0]);
        json
    };
    let mut json = follows(&released(&permits(), &afternoon()));
    let mut small: Vec<SourceTree> = Vec::new();
    for (folder, kind) in corpus::singles() {
        let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
        if tree.len() < 120 {
            small.push(tree);
        }
    }
    for pair in small.windows(2) {
        follows(&diff(&pair[0], &pair[1]).unwrap());
    }
    json["components"][0]["status"] = "gone".into();
    assert!(!schema.is_valid(&json));
}

/// The members of a value for which the schema has no description.
fn undescribed(
    root: &serde_json::Value,
    schema: &serde_json::Value,
    value: &serde_json::Value,
) -> Vec<String> {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => &root["$defs"][reference.trim_start_matches("#/$defs/")],
        None => schema,
    };
    match value {
        serde_json::Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let own = &schema["properties"][name];
                if own.is_null() {
                    return vec![name.clone()];
                }
                undescribed(root, own, value)
            })
            .collect(),
        serde_json::Value::Array(items) => items
            .iter()
            .flat_map(|item| undescribed(root, &schema["items"], item))
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn markdown_folds_long_texts_and_lets_no_markup_through() {
    let mut new = permits();
    let lines: String = (0..60)
        .map(|n| format!("let v{n} = `</details>|`;\n"))
        .collect();
    replace(&mut new, "contoso_PermitFormScripts.js", "", &lines);
    replace(
        &mut new,
        "9CBE-0022481C5F83.json",
        "\"entityName\": \"contoso_inspections\"",
        "\"entityName\": \"a|b `c` <b>d</b> $e$ #1 @f\"",
    );
    let page = render::markdown(&diff(&permits(), &new).unwrap());
    assert!(
        page.contains("→ a\\|b \\`c\\` &lt;b&gt;d&lt;/b&gt; \\$e\\$ \\#1 @\u{200d}f\n"),
        "{page}"
    );
    // Folded, and as code inside: nothing in it can end the fold.
    assert!(page.contains("  <details><summary>60 lines added</summary>\n\n  ```diff\n"));
    assert!(page.contains("  ```\n\n  </details>\n"));
}

#[test]
fn relationships_agents_and_connectors_speak_the_words_of_makers() {
    let mut new = permits();
    replace(
        &mut new,
        "Relationships/contoso_PermitType.xml",
        "<CascadeDelete>RemoveLink<",
        "<CascadeDelete>Cascade<",
    );
    replace(
        &mut new,
        "Other/Customizations.xml",
        "apis/shared_commondataserviceforapps",
        "apis/shared_sharepointonline",
    );
    let told = render::text(&diff(&permits(), &new).unwrap(), false);
    assert!(
        told.contains("~ when deleted Remove Link → Cascade All\n"),
        "{told}"
    );
    assert!(
        told.contains("~ connector Microsoft Dataverse → SharePoint\n"),
        "{told}"
    );
    let agent = || corpus::tree("09-resume-agent", "unmanaged.unpacked.tar.gz");
    let mut new = agent();
    replace(
        &mut new,
        "bot.xml",
        "<authenticationmode>2<",
        "<authenticationmode>1<",
    );
    let told = render::text(&diff(&agent(), &new).unwrap(), false);
    assert!(
        told.contains("~ sign-in of users with Microsoft → no authentication\n"),
        "{told}"
    );
    let connector = || corpus::tree("03-human-in-the-loop", "unmanaged.unpacked.tar.gz");
    let mut new = connector();
    replace(&mut new, "loop.xml", "#0078d4", "#ff0000");
    let told = render::text(&diff(&connector(), &new).unwrap(), false);
    assert!(told.contains("~ icon colour #0078d4 → #ff0000\n"), "{told}");
}

//! What a diff tells.

use almscript::solution::SourceTree;
use almscript::solution::diff::{Diff, Status, deletions, diff, render};

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

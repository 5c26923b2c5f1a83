//! From a component's name to the name of its file (facts §4, below the table; §19, 1 and 2).

use almscript::solution::{PackageError, unpack};

use crate::crafted::{lf, package, packed, root, tree_of};

fn role(name: &str) -> String {
    let name = name
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    format!("<Roles><Role id=\"{{1}}\" name=\"{name}\" /></Roles>")
}

#[test]
fn forbidden_characters_become_underlines_and_all_others_stay() {
    for (name, file) in [
        ("Sales / Mkt", "Sales _ Mkt.xml"),
        ("a\\b:c*d?e\"f<g>h|i", "a_b_c_d_e_f_g_h_i.xml"),
        ("営業担当 – Übersicht 😀", "営業担当 – Übersicht 😀.xml"),
        (
            "Clerk's (EU) & Co; 100% #1!",
            "Clerk's (EU) & Co; 100% #1!.xml",
        ),
        ("del\u{7f}ete", "del\u{7f}ete.xml"),
        (" leading", " leading.xml"),
        ("trailing ", "trailing .xml"),
        // A dot makes .NET think that there is an extension.
        ("Foo v1.0", "Foo v1.0"),
        ("Dr. Who", "Dr. Who"),
        ("Sales Mgr.", "Sales Mgr.xml"),
    ] {
        let source = package("0", &role(name), &root(20, "{1}"), &[]);
        let tree = tree_of(&source);
        let found = tree.paths().find(|path| path.starts_with("Roles/"));
        assert_eq!(found, Some(&*format!("Roles/{file}")), "{name}");
        assert_eq!(tree_of(&packed(&tree)), tree, "{name}");
    }
}

#[test]
fn a_dot_takes_the_ending_only_where_there_is_no_fixed_one() {
    let xml = "<optionsets><optionset Name=\"pub_a.b\" /></optionsets>\
        <MobileOfflineProfiles><MobileOfflineProfile Name=\"v1.0\" /></MobileOfflineProfiles>\
        <SLAs><SLA Name=\"v1.0\" /></SLAs><CanvasApps><CanvasApp><Name>a.b</Name></CanvasApp></CanvasApps>\
        <AppModules><AppModule><UniqueName>a.b</UniqueName></AppModule></AppModules>";
    let roots = [root(9, "pub_a.b"), root(300, "a.b"), root(80, "a.b")].concat();
    let tree = tree_of(&package("0", xml, &roots, &[]));
    for path in [
        "OptionSets/pub_a.b",
        "MobileOfflineProfiles/v1.0",
        "SLAs/v1.0.meta.xml",
        "CanvasApps/a.b.meta.xml",
        "AppModules/a.b/AppModule.xml",
    ] {
        assert!(tree.get(path).is_some(), "{path}");
    }
    assert_eq!(tree_of(&packed(&tree)), tree);
}

#[test]
fn web_resources_keep_their_folders_and_odd_names() {
    for name in [
        "pub_/scripts/x",
        "pub_a b.js",
        "pub_...js",
        "pub_jquery-1.9.1.min.js",
        "pub_/a.b/c.d/e",
        "pub_/größe/日本.html",
    ] {
        let xml = format!(
            "<WebResources><WebResource><Name>{name}</Name><FileName>/WebResources/p1</FileName></WebResource></WebResources>"
        );
        let source = package("0", &xml, &root(61, name), &[("WebResources/p1", b"x")]);
        let tree = tree_of(&source);
        assert_eq!(
            tree.get(&format!("WebResources/{name}")),
            Some(&b"x"[..]),
            "{name}"
        );
        let again = packed(&tree);
        assert_eq!(tree_of(&again), tree, "{name}");
        assert_eq!(again.part("WebResources/p1"), Some(&b"x"[..]), "{name}");
    }
}

/// What Windows makes of names that end in a dot or a space (facts §20, 5): the ending is dropped.
#[test]
fn dots_and_spaces_at_the_end_of_a_name_are_dropped_as_windows_does() {
    let xml = "<WebResources><WebResource><Name>pub_/old./notes.</Name><FileName>/WebResources/p1</FileName></WebResource></WebResources>\
               <Roles><Role id=\"{1}\" name=\"v1.0 \" /></Roles>";
    let roots = [root(61, "pub_/old./notes."), root(20, "{1}")].concat();
    let source = package("0", xml, &roots, &[("WebResources/p1", b"x")]);
    let tree = tree_of(&source);
    for path in [
        "WebResources/pub_/old/notes",
        "WebResources/pub_/old/notes..data.xml",
        "Roles/v1.0",
    ] {
        assert!(
            tree.get(path).is_some(),
            "{path} in {:?}",
            tree.paths().collect::<Vec<_>>()
        );
    }
    let again = packed(&tree);
    assert_eq!(again.part("WebResources/p1"), Some(&b"x"[..]));
    assert_eq!(tree_of(&again), tree);
}

#[test]
fn names_that_only_a_dictionary_takes_for_the_same_are_different() {
    let long = "営業".repeat(45);
    let xml = format!(
        "<Roles><Role id=\"{{1}}\" name=\"Straße\" /><Role id=\"{{2}}\" name=\"Strasse\" /><Role id=\"{{3}}\" name=\"{long}\" /></Roles>"
    );
    let roots = ["{1}", "{2}", "{3}"].map(|id| root(20, id)).concat();
    let tree = tree_of(&package("0", &xml, &roots, &[]));
    assert_eq!(
        tree.paths()
            .filter(|path| path.starts_with("Roles/"))
            .count(),
        3
    );
    assert_eq!(tree_of(&packed(&tree)), tree);
}

#[test]
fn two_different_components_for_one_file_are_refused() {
    for names in [["A/B", "A_B"], ["clerk", "Clerk"], ["x", "x"]] {
        let xml = format!(
            "<Roles><Role id=\"1\" name=\"{}\" /><Role id=\"2\" name=\"{}\" /></Roles>",
            names[0], names[1]
        );
        let error = unpack(&package("0", &xml, "", &[]), &lf()).unwrap_err();
        assert!(
            matches!(error, PackageError::Collision { .. }),
            "{names:?}: {error}"
        );
    }
}

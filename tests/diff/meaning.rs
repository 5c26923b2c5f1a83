//! That the normalising rules change no meaning: each alone, on every tree of the corpus, packed
//! before and after. What a package means is read here without the crate's own readers.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use almscript::solution::normalise::{NormaliseOptions, RULES, normalise};
use almscript::solution::{PackOptions, Package, SourceTree, pack};
use rayon::prelude::*;
use roxmltree::Node;

use crate::corpus;

/// Every tree of the corpus with a name for it.
pub fn trees() -> Vec<(String, SourceTree)> {
    let mut found: Vec<(String, SourceTree)> = corpus::singles()
        .into_iter()
        .map(|(folder, kind)| {
            let tree = corpus::tree(&folder, &format!("{kind}.unpacked.tar.gz"));
            (format!("{folder} {kind}"), tree)
        })
        .collect();
    for folder in corpus::pairs() {
        let tree = corpus::tree(&folder, "both.unpacked.tar.gz");
        found.push((format!("{folder} both"), tree));
    }
    let installer = corpus::tree(
        "14-automation-kit-installer",
        "both.as-published.unpacked.tar.gz",
    );
    found.push(("14 both".into(), installer));
    found
}

/// A rule alone.
pub fn only(name: &str) -> NormaliseOptions {
    NormaliseOptions {
        with: vec![name.to_owned()],
        without: vec!["all".to_owned()],
    }
}

/// Lists whose order means nothing, with the element around them (any, if empty). Every other
/// element has its children in an order that counts.
const SETS: &[(&str, &str)] = &[
    ("SolutionManifest", "RootComponents"),
    ("SolutionManifest", "MissingDependencies"),
    ("AppModule", "AppModuleComponents"),
    ("AppModule", "AppModuleRoleMaps"),
    ("", "EntityRelationships"),
    ("entity", "attributes"),
    ("Role", "RolePrivileges"),
    ("FieldSecurityProfile", "FieldPermissions"),
    ("ImportExportXml", "connectionreferences"),
    // One text for each language.
    ("", "LocalizedNames"),
    ("", "LocalizedCollectionNames"),
    ("", "Descriptions"),
    ("", "displaynames"),
    ("", "labels"),
    ("", "Titles"),
];

fn is_set(node: Node<'_, '_>) -> bool {
    let parent = node.parent_element().map_or("", |p| p.tag_name().name());
    // The labels of a process belong to its steps.
    let is_of_steps = |child: Node<'_, '_>| child.tag_name().name() == "steplabels";
    if node.children().any(is_of_steps) {
        return false;
    }
    SETS.iter().any(|(around, name)| {
        node.tag_name().name() == *name && (around.is_empty() || *around == parent)
    })
}

/// What rules that are off by default leave out on purpose: (rule, why it changes the meaning, the
/// attributes, elements and parts that may differ afterwards). Nothing else may.
type LeftOut = (
    &'static str,
    &'static str,
    &'static [&'static str],
    fn(&str) -> bool,
);
const LEAVES_OUT: &[LeftOut] = &[
    (
        "json-keys-everywhere",
        "designers show connector definitions in the order of their members",
        &[],
        |_| false,
    ),
    (
        "version-zero",
        "the version is what an upgrade compares",
        &["Version"],
        |_| false,
    ),
    (
        "no-variable-values",
        "the values are not imported any more",
        &[],
        |part| part.ends_with("/environmentvariablevalues.json"),
    ),
    (
        "no-connector-code",
        "the connector runs without its script",
        &["scriptoperations", "customcodeblobcontent", "customcode"],
        // Without scripts the kind of their files is not declared either.
        |part| part.ends_with("_customcode.csx") || part == "[Content_Types].xml",
    ),
    (
        "no-server-version",
        "an import into an older server cannot be refused any more",
        &[
            "OrganizationVersion",
            "OrganizationSchemaType",
            "CRMServerServiceabilityVersion",
        ],
        |_| false,
    ),
];

/// What an element means, as a number: its name, attributes, text and children.
fn meaning(node: Node<'_, '_>, left_out: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    node.tag_name().name().hash(&mut hasher);
    let mut attributes: Vec<_> = node
        .attributes()
        .filter(|a| !left_out.contains(&a.name()))
        .map(|a| (a.namespace(), a.name(), a.value()))
        .collect();
    attributes.sort_unstable();
    attributes.hash(&mut hasher);
    let has_elements = node.children().any(|child| child.is_element());
    let mut children: Vec<u64> = node
        .children()
        .filter(|child| {
            if child.is_element() {
                // `version-zero` is about the solution alone.
                let is_own = child.tag_name().name() != "Version"
                    || child.parent_element().unwrap().tag_name().name() == "SolutionManifest";
                !(is_own && left_out.contains(&child.tag_name().name()))
            } else {
                // White space between elements lays the file out; in a text it is part of it.
                child.is_text() && !(has_elements && child.text().unwrap().trim().is_empty())
            }
        })
        .map(|child| match child.text().filter(|_| child.is_text()) {
            Some(text) => {
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                hasher.finish()
            }
            None => meaning(child, left_out),
        })
        .collect();
    if is_set(node) {
        children.sort_unstable();
    }
    children.hash(&mut hasher);
    hasher.finish()
}

/// What the parts of a package mean, by name.
fn meanings(package: &Package, left_out: &LeftOut) -> BTreeMap<String, u64> {
    let (_, _, names, is_left_out) = left_out;
    let parts: Vec<_> = package.parts().iter().collect();
    parts
        .into_par_iter()
        .filter(|part| !is_left_out(&part.name))
        .map(|part| {
            (
                part.name.clone(),
                part_meaning(&part.name, &part.data, names),
            )
        })
        .collect()
}

fn part_meaning(name: &str, data: &[u8], left_out: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let text = std::str::from_utf8(data).map(|text| text.trim_start_matches('\u{feff}'));
    match (name.rsplit('.').next(), text) {
        (Some("xml"), Ok(text)) => {
            let document = roxmltree::Document::parse(text).unwrap();
            return meaning(document.root_element(), left_out);
        }
        (Some("json"), Ok(text)) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(mut json) => {
                // Members of flows keep their order, the steps among them.
                if !name.starts_with("Workflows/") {
                    json.sort_all_objects();
                }
                json.to_string().hash(&mut hasher);
            }
            Err(_) => data.hash(&mut hasher),
        },
        // The name of a process's class is made from its id and means nothing itself.
        (Some("xaml"), Ok(text)) => without_class_ids(text).hash(&mut hasher),
        _ => data.hash(&mut hasher),
    }
    hasher.finish()
}

fn without_class_ids(text: &str) -> String {
    let mut parts = text.split("XrmWorkflow");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("XrmWorkflow");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

/// A tree as somebody would leave it whose tool keeps no order and no layout: every list without
/// an order is turned round, settings have their members the other way round, flows stand in one
/// line. Variables have values and connectors a script, which some rules leave out.
pub fn disordered(tree: &SourceTree) -> SourceTree {
    let mut messy = SourceTree::new();
    for (path, data) in tree.iter() {
        let text = std::str::from_utf8(data).unwrap_or_default();
        let changed = if path.ends_with(".xml") && text.contains('<') {
            turned(text)
        } else if path.ends_with(".json") && !path.starts_with("Controls/") {
            let json = serde_json::from_str::<serde_json::Value>(text).ok();
            json.map(|json| match path.starts_with("Workflows/") {
                true => json.to_string(),
                false => format!("{:#}", mirrored(json)),
            })
        } else if path.ends_with(".xaml") && path.starts_with("Workflows/") {
            let id = path.trim_end_matches(".xaml");
            let id = id[id.len() - 36..].replace('-', "").to_ascii_lowercase();
            Some(text.replace(&id, &"0".repeat(32)))
        } else {
            None
        };
        let data = changed.map_or_else(|| data.clone(), bytes::Bytes::from);
        messy.insert(path, data).unwrap();
    }
    for path in tree.paths() {
        if let Some(folder) = path.strip_suffix("/environmentvariabledefinition.xml") {
            let values =
                "{\"environmentvariablevalues\":{\"environmentvariablevalue\":{\"value\":\"x\"}}}";
            let path = format!("{folder}/environmentvariablevalues.json");
            messy.insert(path, values).unwrap();
        }
        if let (Some(name), Some(data)) = (path.strip_suffix(".xml"), messy.shared(path))
            && let Some(file) = name.strip_prefix("Connectors/")
        {
            let script = format!(
                "<scriptoperations>[\"Get\"]</scriptoperations><customcodeblobcontent>/Connector/{file}_customcode.csx</customcodeblobcontent></Connector>"
            );
            let text = String::from_utf8(data.to_vec()).unwrap();
            messy
                .insert(path, text.replace("</Connector>", &script))
                .unwrap();
            messy
                .insert(format!("{name}_customcode.csx"), "code")
                .unwrap();
        }
    }
    messy
}

/// The JSON with the members of every object in the opposite order.
fn mirrored(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match json {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .rev()
                .map(|(name, value)| (name, mirrored(value)))
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(mirrored).collect(),
        other => other,
    }
}

/// The text with every list without an order turned round; nothing if it has none.
fn turned(text: &str) -> Option<String> {
    let body = text.trim_start_matches('\u{feff}');
    let shift = text.len() - body.len();
    let document = roxmltree::Document::parse(body).ok()?;
    fn write(node: Node<'_, '_>, body: &str, out: &mut String) {
        let own = node.range();
        let children: Vec<_> = node.children().filter(Node::is_element).collect();
        let mut order = children.clone();
        if is_set(node) {
            order.reverse();
        }
        let mut at = own.start;
        for (place, child) in children.iter().zip(order) {
            out.push_str(&body[at..place.range().start]);
            write(child, body, out);
            at = place.range().end;
        }
        out.push_str(&body[at..own.end]);
    }
    let mut out = text[..shift].to_owned();
    let root = document.root_element();
    out.push_str(&body[..root.range().start]);
    write(root, body, &mut out);
    out.push_str(&body[root.range().end..]);
    Some(out).filter(|out| out != text)
}

fn packed(name: &str, tree: &SourceTree) -> Vec<Package> {
    let packed = pack(tree, &PackOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    [packed.unmanaged, packed.managed]
        .into_iter()
        .flatten()
        .collect()
}

const NOTHING: LeftOut = ("", "", &[], |_| false);

#[test]
fn a_rule_either_keeps_the_meaning_or_is_known_to_leave_something_out() {
    let told: Vec<&str> = LEAVES_OUT.iter().map(|(name, ..)| *name).collect();
    let known: Vec<&str> = RULES
        .iter()
        .filter(|rule| !rule.keeps_meaning)
        .map(|rule| rule.name)
        .collect();
    assert_eq!(told, known);
    assert!(
        RULES
            .iter()
            .all(|rule| rule.keeps_meaning || !rule.by_default)
    );
}

#[test]
fn each_rule_alone_is_safe_to_apply_twice_and_keeps_what_the_package_means() {
    let worked: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());
    trees().into_par_iter().for_each(|(name, tree)| {
        let mut versions = vec![(name.clone(), tree.clone())];
        // The largest have nothing that the others lack, and reading them takes long unoptimised.
        if tree.len() < 300 {
            versions.push((format!("{name} in disorder"), disordered(&tree)));
        }
        for (name, tree) in versions {
            let before = packed(&name, &tree);
            let plain: Vec<_> = before.iter().map(|p| meanings(p, &NOTHING)).collect();
            for rule in RULES {
                let once = normalise(&tree, &only(rule.name)).unwrap();
                if once.changed.is_empty() {
                    continue;
                }
                *worked.lock().unwrap().entry(rule.name).or_default() += 1;
                let twice = normalise(&once.tree, &only(rule.name)).unwrap();
                assert!(
                    twice.changed.is_empty() && twice.tree == once.tree,
                    "{name}: {} twice is not once: {:?}",
                    rule.name,
                    twice.changed
                );
                let left_out = LEAVES_OUT.iter().find(|(name, ..)| *name == rule.name);
                let after = packed(&name, &once.tree);
                assert_eq!(before.len(), after.len(), "{name}: {}", rule.name);
                for (index, after) in after.iter().enumerate() {
                    let after = meanings(after, left_out.unwrap_or(&NOTHING));
                    let masked = left_out.map(|left_out| meanings(&before[index], left_out));
                    let before = masked.as_ref().unwrap_or(&plain[index]);
                    let differing: Vec<&String> = before
                        .keys()
                        .chain(after.keys())
                        .filter(|part| before.get(*part) != after.get(*part))
                        .collect();
                    assert!(
                        differing.is_empty(),
                        "{name}: {} changes the meaning of {differing:?}",
                        rule.name
                    );
                }
            }
        }
    });
    let worked = worked.into_inner().unwrap();
    let idle: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.name)
        .filter(|name| !worked.contains_key(name))
        .collect();
    assert_eq!(
        idle, [""; 0],
        "these had nothing to do, so nothing was shown: {worked:?}"
    );
}

#[test]
fn the_usual_rules_together_keep_what_the_package_means() {
    trees().into_par_iter().for_each(|(name, tree)| {
        let usual = NormaliseOptions::default();
        let once = normalise(&tree, &usual).unwrap();
        assert_eq!(normalise(&once.tree, &usual).unwrap().changed, [], "{name}");
        let (before, after) = (packed(&name, &tree), packed(&name, &once.tree));
        assert_eq!(before.len(), after.len(), "{name}");
        for (before, after) in before.iter().zip(&after) {
            assert!(
                meanings(before, &NOTHING) == meanings(after, &NOTHING),
                "{name} means something else: {:?}",
                once.changed
            );
        }
    });
}

#[test]
fn the_usual_rules_bring_lists_in_disorder_back_to_what_they_make_of_the_original() {
    trees()
        .into_par_iter()
        .filter(|(_, tree)| tree.len() < 300)
        .for_each(|(name, tree)| {
            let usual = |tree: &SourceTree| normalise(tree, &NormaliseOptions::default()).unwrap();
            let (of_messy, of_tidy) = (usual(&disordered(&tree)).tree, usual(&tree).tree);
            let differing: Vec<&str> = of_tidy
                .iter()
                // Dependencies on the same component keep their order, as with the packager
                // (facts §9.1); connectors were given something.
                .filter(|(path, _)| path.ends_with(".xml") && *path != "Other/Solution.xml")
                .filter(|(path, _)| !path.starts_with("Connectors/"))
                .filter(|(path, data)| of_messy.get(path) != Some(&data[..]))
                .map(|(path, _)| path)
                .collect();
            assert!(differing.is_empty(), "{name}: {differing:?}");
        });
}

#[test]
fn the_comparison_sees_an_order_that_counts() {
    let one = |text: &str| part_meaning("customizations.xml", text.as_bytes(), &[]);
    assert_ne!(
        one("<rows><row id='1'/><row id='2'/></rows>"),
        one("<rows><row id='2'/><row id='1'/></rows>")
    );
    assert_eq!(
        one("<a><labels><label c='1'/><label c='2'/></labels></a>"),
        one("<a>\n<labels>\n<label c='2' /><label c='1'></label></labels></a>")
    );
    assert_ne!(one("<a>x </a>"), one("<a>x</a>"));
    let json = |name: &str, text: &str| part_meaning(name, text.as_bytes(), &[]);
    assert_eq!(
        json("a.json", "{\"a\":1,\"b\":2}"),
        json("a.json", "{ \"b\":2,\"a\":1}")
    );
    assert_ne!(
        json("Workflows/a.json", "{\"a\":1,\"b\":2}"),
        json("Workflows/a.json", "{\"b\":2,\"a\":1}")
    );
}

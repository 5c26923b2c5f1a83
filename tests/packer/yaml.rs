//! The YAML layout of Dataverse Git integration: read, written, and refused where it must be.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use almscript::solution::yaml::{self, WriteOptions};
use almscript::solution::{
    PackOptions, Package, PackageError, SourceTree, UnpackOptions, pack, unpack,
};

use crate::command::{alm, copy};
use crate::corpus;

/// What a text means to somebody who knows no order among elements of different names.
fn bag(node: roxmltree::Node<'_, '_>) -> String {
    let mut attributes: Vec<String> = node
        .attributes()
        .map(|a| format!("{}={:?}", a.name(), a.value()))
        .collect();
    attributes.sort();
    let children = node.children().filter(roxmltree::Node::is_element);
    let mut children: Vec<(String, String)> = children
        .map(|child| (child.tag_name().name().to_owned(), bag(child)))
        .collect();
    // The pieces of a table have keys, and no order. Elsewhere elements of one name keep theirs.
    let keyed = [
        "attributes",
        "EntityKeys",
        "FormXml",
        "forms",
        "savedqueries",
        "Visualizations",
    ];
    match keyed.contains(&node.tag_name().name()) {
        true => children.sort(),
        false => children.sort_by(|a, b| a.0.cmp(&b.0)),
    }
    let text = if children.is_empty() {
        node.text().unwrap_or("")
    } else {
        ""
    };
    let text = text.replace("\r\n", "\n");
    // Not `{children:?}`, which would escape the quotes of each level once more.
    let children: String = children.into_iter().map(|(_, child)| child).collect();
    format!(
        "<{} {attributes:?} {text:?}>{children}</>",
        node.tag_name().name()
    )
}

/// What a package means: components by collection, the manifest, and the bytes of its parts.
fn meaning(package: &Package) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for part in package.parts() {
        let name = part.name.as_str();
        if name == "[Content_Types].xml" {
            continue;
        }
        if !name.contains('/') {
            let text = std::str::from_utf8(&part.data)
                .unwrap()
                .trim_start_matches('\u{feff}');
            let document = roxmltree::Document::parse(text).unwrap();
            let root = document.root_element();
            if name == "solution.xml" {
                found.insert(name.to_owned(), bag(root).into_bytes());
                continue;
            }
            for collection in root.children().filter(roxmltree::Node::is_element) {
                let tag = collection.tag_name().name();
                let mut items: Vec<String> = collection
                    .children()
                    .filter(roxmltree::Node::is_element)
                    .map(bag)
                    .collect();
                // Components of a collection have no order; the languages are told by a finding.
                items.sort();
                if !items.is_empty() && tag != "Languages" {
                    found.insert(format!("{name}/{tag}"), items.join("\n").into_bytes());
                }
            }
            continue;
        }
        found.insert(name.to_owned(), part.data.to_vec());
    }
    found
}

/// Every package of the corpus as it is after unpacking and packing.
fn packages() -> Vec<(String, Package)> {
    let mut found: Vec<(String, Package)> = corpus::singles()
        .into_iter()
        .map(|(folder, kind)| {
            let package = corpus::package(&folder, &format!("{kind}.zip"));
            let tree = unpack(&package, &UnpackOptions::default()).unwrap().tree;
            let package = pack(&tree, &PackOptions::default()).unwrap().into_package();
            (format!("{folder}/{kind}"), package)
        })
        .collect();
    let both = corpus::package("14-automation-kit-installer", "both.packed.zip");
    found.push(("14-automation-kit-installer/both".to_owned(), both));
    found
}

const ALL: WriteOptions = WriteOptions {
    undocumented: true,
    line_ends: almscript::solution::LineEnds::Lf,
};

#[test]
fn every_package_goes_through_the_layout_and_keeps_its_meaning() {
    for (name, package) in packages() {
        let (tree, told) = yaml::write(&package, &ALL).unwrap();
        let (back, findings) = yaml::read(&tree, None).unwrap();
        assert_eq!(findings, [], "{name}");
        let (before, after) = (meaning(&package), meaning(&back));
        let differing: Vec<&String> = before
            .keys()
            .chain(after.keys())
            .filter(|key| before.get(*key) != after.get(*key))
            .collect();
        assert!(differing.is_empty(), "{name}: {differing:?}");
        // Only what has no place in the layout may be told besides undocumented kinds.
        for finding in told.iter().filter(|finding| finding.code != "ALM-P182") {
            assert_eq!(finding.code, "ALM-P183", "{name}: {finding}");
            assert!(name.starts_with("04-"), "{name}: {finding}");
        }
        assert_eq!(
            yaml::write(&back, &ALL).unwrap().0,
            tree,
            "{name}: no fixed point"
        );
    }
}

#[test]
fn a_package_is_written_without_asking_only_if_all_of_it_is_documented() {
    let mut documented = Vec::new();
    for (name, package) in packages() {
        match yaml::write(&package, &WriteOptions::default()) {
            Ok((_, findings)) => {
                assert_eq!(findings, [], "{name}");
                documented.push(name);
            }
            Err(PackageError::NoYamlForm { findings }) => assert!(!findings.is_empty()),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!(
        documented,
        ["01-timesheet/unmanaged", "03-human-in-the-loop/unmanaged"]
    );
}

fn tree(files: &[(&str, &str)]) -> SourceTree {
    let mut tree = SourceTree::new();
    for (path, text) in files {
        tree.insert(*path, text.as_bytes().to_vec()).unwrap();
    }
    tree
}

const SOLUTION: &str = "ImportExportXml:
  '@version': '9.2'
  '@languagecode': 1033
  SolutionManifest:
    UniqueName: Sales
    LocalizedNames:
      LocalizedName:
        '@description': Sales
        '@languagecode': 1033
    Descriptions:
    Version: 1.2.3.4
    Managed: 0
    Publisher:
      UniqueName: contoso
";
const PUBLISHER: &str = "Publisher:
  UniqueName: contoso
  EMailAddress:
    '@xsi:nil': 'true'
    '@xmlns:xsi': http://www.w3.org/2001/XMLSchema-instance
  CustomizationPrefix: con
  CustomizationOptionValuePrefix: '12345'
  Addresses: {}
";

/// A folder as Git integration writes it in some places and people by hand in others.
fn folder() -> SourceTree {
    tree(&[
        ("solutions/Sales/solution.yml", SOLUTION),
        ("publishers/contoso/publisher.yml", PUBLISHER),
        (
            "solutions/Sales/rootcomponents.yml",
            "RootComponents:\n  RootComponent:\n  - '@type': 1\n    '@schemaName': con_order\n    '@behavior': 0\n  - '@type': 61\n    '@schemaName': con_/a.js\n    '@behavior': 0\n  - '@type': '91'\n    '@id': '{66666666-6666-6666-6666-666666666666}'\n    '@schemaName': Fab.Plug, Version=1.0.0.0\n    '@behavior': '0'\n",
        ),
        (
            "solutions/Sales/missingdependencies.yml",
            "MissingDependencies: {}\n",
        ),
        (
            "solutions/Sales/solutioncomponents.yml",
            "SolutionComponents:\n  Component:\n  - '@path': /entities/con_order\n  - '@path': entities/con_order/FormXml/main\n  - '@path': /entities/con_order/savedqueries/22222222-2222-2222-2222-222222222222\n  - '@path': /webresources/33333333-3333-3333-3333-333333333333\n  - '@path': entityrelationships\n  - '@path': pluginassemblies\n  - '@path': environmentvariabledefinitions/con_url\n  - '@path': /canvasapps/con_gone.meta.yml\n  - '@path': /publishers/contoso\n",
        ),
        (
            "entities/con_order/Entity.yml",
            "Entity:\n  Name: con_Order\n  EntityInfo:\n    entity:\n      '@Name': con_Order\n      EntityColor: ''\n",
        ),
        (
            "entities/con_order/attributes/con_name.yml",
            "attribute:\n  '@PhysicalName': con_Name\n  Type: nvarchar\n  Name: con_name\n  LogicalName: con_name\n  IntroducedVersion: 1.0\n",
        ),
        (
            "entities/con_order/FormXml/main/order.yml",
            "systemform:\n  formid: '{11111111-1111-1111-1111-111111111111}'\n  form:\n    tabs:\n",
        ),
        (
            "entities/con_order/savedqueries/22222222-2222-2222-2222-222222222222/savedquery.yml",
            "savedquery:\n  savedqueryid: '{22222222-2222-2222-2222-222222222222}'\n  fetchxml:\n    fetch:\n      '@version': 1.0\n",
        ),
        (
            "entities/con_order/savedqueries/99999999-9999-9999-9999-999999999999/savedquery.yml",
            "savedquery:\n  savedqueryid: '{99999999-9999-9999-9999-999999999999}'\n",
        ),
        (
            "webresources/33333333-3333-3333-3333-333333333333/webresource.yml",
            "WebResource:\n  WebResourceId: '{33333333-3333-3333-3333-333333333333}'\n  Name: con_/a.js\n  FileName: /webresources/33333333-3333-3333-3333-333333333333/con_ajs33333333-3333-3333-3333-333333333333.js\n",
        ),
        (
            "webresources/33333333-3333-3333-3333-333333333333/con_ajs33333333-3333-3333-3333-333333333333.js",
            "code",
        ),
        (
            "entityrelationships/con_a_b.yml",
            "EntityRelationship:\n  '@Name': con_a_b\n  EntityRelationshipType: OneToMany\n  ReferencedEntityName: con_Order\n",
        ),
        (
            "pluginassemblies/Fab.Plug.yml",
            "PluginAssembly:\n  '@PluginAssemblyId': 66666666-6666-6666-6666-666666666666\n  '@FullName': Fab.Plug, Version=1.0.0.0\n  FileName: pluginassemblies/Fab.Plug.dll\n",
        ),
        ("pluginassemblies/Fab.Plug.dll", "MZ"),
        (
            "environmentvariabledefinitions/con_url/environmentvariabledefinition.xml",
            "<environmentvariabledefinition schemaname=\"con_url\" />",
        ),
        (
            "environmentvariabledefinitions/con_other/environmentvariabledefinition.xml",
            "<environmentvariabledefinition schemaname=\"con_other\" />",
        ),
        ("docs/readme.yml", "a: &x [1]\n"),
    ])
}

fn customizations(package: &Package) -> String {
    String::from_utf8(package.part("customizations.xml").unwrap().to_vec()).unwrap()
}

#[test]
fn folders_of_other_tools_are_read_by_what_their_files_hold() {
    let (package, findings) = yaml::read(&folder(), None).unwrap();
    let told: Vec<(&str, &str)> = findings.iter().map(|f| (f.code, f.file.as_str())).collect();
    assert_eq!(
        told,
        [
            ("ALM-P180", "canvasapps/con_gone.meta.yml"),
            // One of its views is in no list; another solution of the folder could list it.
            ("ALM-P181", "entities/con_order/savedqueries"),
        ]
    );
    let text = customizations(&package);
    for held in [
        "<attribute PhysicalName=\"con_Name\">",
        "<IntroducedVersion>1.0</IntroducedVersion>",
        "<EntityColor></EntityColor>",
        "<forms type=\"main\">",
        "<tabs />",
        "<fetch version=\"1.0\" />",
        "<FileName>/WebResources/con_ajs33333333-3333-3333-3333-333333333333</FileName>",
        "<EntityRelationship Name=\"con_a_b\">",
        "<FileName>/PluginAssemblies/FabPlug-66666666-6666-6666-6666-666666666666/Fab.Plug.dll</FileName>",
        "<Language>1033</Language>",
    ] {
        assert!(text.contains(held), "{held} is missing in {text}");
    }
    let names: Vec<&str> = package
        .parts()
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    for part in [
        "WebResources/con_ajs33333333-3333-3333-3333-333333333333",
        "PluginAssemblies/FabPlug-66666666-6666-6666-6666-666666666666/Fab.Plug.dll",
        "environmentvariabledefinitions/con_url/environmentvariabledefinition.xml",
    ] {
        assert!(names.contains(&part), "{part} is missing in {names:?}");
    }
    assert!(
        !names
            .iter()
            .any(|name| name.contains("con_other") || name.contains("docs"))
    );
    let manifest = package.manifest().unwrap();
    assert_eq!(
        (
            manifest.unique_name.as_str(),
            manifest.version.to_string().as_str()
        ),
        ("Sales", "1.2.3.4")
    );
    assert_eq!(manifest.publisher.prefix, "con");
    assert_eq!(manifest.root_components.len(), 3);
    assert!(!text.contains("99999999-9999"));
}

#[test]
fn forms_that_no_solution_lists_are_told() {
    let mut folder = folder();
    let listed = "SolutionComponents:\n  Component:\n  - '@path': /entities/con_order\n";
    folder
        .insert("solutions/Sales/solutioncomponents.yml", listed)
        .unwrap();
    let (package, findings) = yaml::read(&folder, None).unwrap();
    let told: Vec<(&str, &str)> = findings.iter().map(|f| (f.code, f.file.as_str())).collect();
    assert_eq!(
        told,
        [
            ("ALM-P181", "entities/con_order/FormXml"),
            ("ALM-P181", "entities/con_order/savedqueries"),
        ]
    );
    // The columns come with their table.
    assert!(customizations(&package).contains("con_Name"));
    // The plain list that the reference shows is read too.
    folder
        .insert(
            "solutions/Sales/solutioncomponents.yml",
            "- Path: entities/con_order\n- Path: entities/con_order/formxml\n",
        )
        .unwrap();
    let (package, findings) = yaml::read(&folder, None).unwrap();
    assert!(customizations(&package).contains("<forms type=\"main\">"));
    assert_eq!(findings.len(), 1);
}

fn on_disk(tree: &SourceTree) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (path, data) in tree.iter() {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
    home
}

#[test]
fn a_folder_is_recognised_packed_and_looked_into() {
    let home = on_disk(&folder());
    let here = home.path();
    let packed = alm(here, &["pack", "-z", "a.zip", "-f", "."]);
    assert_eq!(packed.code, 0, "{}", packed.err);
    assert!(packed.err.contains("ALM-P180"), "{}", packed.err);
    assert!(
        packed.out.contains("Sales 1.2.3.4 (unmanaged"),
        "{}",
        packed.out
    );
    // One folder gives both types, for the layout has no files of the managed one.
    let both = alm(here, &["pack", "-z", "b.zip", "-f", ".", "-p", "Both"]);
    assert_eq!(both.code, 0, "{}", both.err);
    let managed = alm(
        here,
        &[
            "pack", "-z", "m.zip", "-f", ".", "-p", "managed", "-same", "false",
        ],
    );
    assert_eq!(managed.code, 0, "{}", managed.err);
    let read = |file: &str| Package::from_zip(&fs::read(here.join(file)).unwrap()).unwrap();
    assert_eq!(read("a.zip"), read("b.zip"));
    assert_eq!(read("m.zip"), read("b_managed.zip"));
    assert!(read("m.zip").manifest().unwrap().managed);
    assert!(customizations(&read("m.zip")).contains("<forms type=\"main\">"));

    let info = alm(here, &["info", "."]);
    assert!(
        info.out.starts_with("Sales 1.2.3.4 (unmanaged)"),
        "{}",
        info.out
    );
    let same = alm(here, &["diff", "a.zip", "."]);
    assert!(
        same.out.contains("no differences"),
        "{} {}",
        same.out,
        same.err
    );
    let check = alm(here, &["check", "."]);
    assert_eq!(check.code, 3, "{}", check.out);
    assert!(check.out.contains("ALM-P180"), "{}", check.out);
    let normalise = alm(here, &["normalise", "."]);
    assert_eq!(normalise.code, 1, "{}", normalise.err);
    assert!(normalise.err.contains("ALM-P014"), "{}", normalise.err);
}

#[test]
fn several_solutions_share_a_folder_and_one_is_named() {
    let mut folder = folder();
    let other = |text: &str| text.replace("Sales", "Service");
    for file in [
        "solution.yml",
        "rootcomponents.yml",
        "missingdependencies.yml",
    ] {
        let text = String::from_utf8(
            folder
                .get(&format!("solutions/Sales/{file}"))
                .unwrap()
                .to_vec(),
        )
        .unwrap();
        folder
            .insert(format!("solutions/Service/{file}"), other(&text))
            .unwrap();
    }
    let listed = "SolutionComponents:\n  Component:\n  - '@path': /entities/con_order\n  - '@path': /entities/con_order/savedqueries/99999999-9999-9999-9999-999999999999\n";
    folder
        .insert("solutions/Service/solutioncomponents.yml", listed)
        .unwrap();
    let home = on_disk(&folder);
    let here = home.path();
    let unnamed = alm(here, &["pack", "-z", "a.zip", "-f", "."]);
    assert_eq!(unnamed.code, 1);
    assert!(
        unnamed.err.contains("ALM-P032") && unnamed.err.contains("Sales, Service"),
        "{}",
        unnamed.err
    );
    assert!(
        alm(here, &["pack", "-z", "a.zip", "-sn", "Nobody"])
            .err
            .contains("Nobody")
    );
    let (package, findings) = yaml::read(&folder, Some("service")).unwrap();
    assert_eq!(package.manifest().unwrap().unique_name, "Service");
    let text = customizations(&package);
    assert!(
        text.contains("99999999-9999") && !text.contains("22222222-2222"),
        "{text}"
    );
    assert_eq!(
        findings,
        [],
        "what the other solution lists is not forgotten"
    );

    // Unpacking one of them leaves the other's files.
    copy("01-timesheet", "unmanaged.zip", here, "t.zip");
    let unpacked = alm(
        here,
        &[
            "unpack",
            "-z",
            "t.zip",
            "-f",
            ".",
            "--layout",
            "yaml",
            "--allowDelete",
        ],
    );
    assert_eq!(unpacked.code, 0, "{}", unpacked.err);
    assert!(here.join("entities/con_order/Entity.yml").exists());
    assert!(
        here.join("solutions/TimeSheetCommunityDemo/solution.yml")
            .exists()
    );
    let sales = alm(
        here,
        &[
            "pack",
            "-z",
            "a.zip",
            "-f",
            ".",
            "--solutionName",
            "Sales",
            "-e",
            "Error",
        ],
    );
    assert_eq!(sales.code, 0, "{}", sales.err);
    let info = alm(here, &["info", ".", "--solutionName", "Service"]);
    assert!(info.out.starts_with("Service"), "{} {}", info.out, info.err);
}

fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    SourceTree::from_dir(folder)
        .unwrap()
        .iter()
        .map(|(path, data)| (path.to_owned(), data.to_vec()))
        .collect()
}

#[test]
fn a_package_without_a_form_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    copy("05-permit-management", "unmanaged.zip", here, "a.zip");
    copy("01-timesheet", "unmanaged.zip", here, "t.zip");
    let yaml = |zip: &str, more: &[&str]| {
        alm(
            here,
            &[
                &["unpack", "-z", zip, "-f", "src", "--layout", "YAML"][..],
                more,
            ]
            .concat(),
        )
    };
    assert_eq!(yaml("t.zip", &[]).code, 0);
    let before = listing(&here.join("src"));
    let refused = yaml("a.zip", &["--allowDelete"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    for kind in [
        "connectionreferences",
        "CustomControls",
        "appactions",
        "customapis",
        "Formulas",
    ] {
        assert!(refused.err.contains(kind), "{kind}: {}", refused.err);
    }
    assert!(refused.err.contains("ALM-P033"), "{}", refused.err);
    assert_eq!(listing(&here.join("src")), before);
    for more in [
        &["-p", "Both"][..],
        &["-sc", "Plugin"],
        &["--mirrorCanvasApps"],
    ] {
        copy("05-permit-management", "managed.zip", here, "a_managed.zip");
        assert_eq!(yaml("a.zip", more).code, 2, "{more:?}");
    }
    let again = yaml("t.zip", &["--allowDelete"]);
    assert!(again.out.starts_with("wrote 0 of"), "{}", again.out);
    let told = yaml("a.zip", &["--undocumented"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.err.contains("warning") && told.err.contains("connectionreferences"));
}

#[test]
fn hostile_and_broken_folders_are_refused_with_file_and_line() {
    let bomb = "ImportExportXml:\n  a: &a [x, x, x]\n  b: [*a, *a, *a]\n";
    let deep = format!("ImportExportXml: {}", "[".repeat(100_000));
    for (path, text, says) in [
        ("solutions/Sales/solution.yml", bomb, "solution.yml:2"),
        ("solutions/Sales/solution.yml", &deep, "solution.yml:1"),
        (
            "solutions/Sales/solution.yml",
            "Nothing: 1\n",
            "ImportExportXml",
        ),
        (
            "solutions/Sales/rootcomponents.yml",
            "RootComponents: 1\nRootComponents: 2\n",
            "rootcomponents.yml:2",
        ),
        (
            "solutions/Sales/solutioncomponents.yml",
            "SolutionComponents:\n  Component:\n  - name: x\n",
            "solutioncomponents.yml:3",
        ),
        (
            "entities/con_order/Entity.yml",
            "Entity:\n  a b: 1\n",
            "Entity.yml:2",
        ),
        (
            "publishers/contoso/publisher.yml",
            "Publisher: \"\\0\"\n",
            "publisher.yml:1",
        ),
    ] {
        let mut folder = folder();
        folder.insert(path, text.as_bytes().to_vec()).unwrap();
        let home = on_disk(&folder);
        let failed = alm(home.path(), &["pack", "-z", "a.zip", "-f", "."]);
        assert_eq!(failed.code, 1, "{path}: {}", failed.err);
        assert!(
            failed.err.contains("ALM-P031") && failed.err.contains(says),
            "{}",
            failed.err
        );
        assert!(!home.path().join("a.zip").exists());
    }
    for path in [
        "publishers/contoso/publisher.yml",
        "solutions/Sales/solutioncomponents.yml",
    ] {
        let mut folder = folder();
        folder.remove(path);
        assert!(
            matches!(yaml::read(&folder, None), Err(PackageError::NotATree { missing }) if missing == path)
        );
    }
    let mut folder = folder();
    folder
        .insert("entities/con_order/Entity.yml", b"Entity: \xff".to_vec())
        .unwrap();
    assert!(matches!(
        yaml::read(&folder, None),
        Err(PackageError::Yaml { line: 1, .. })
    ));
}

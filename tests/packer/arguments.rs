//! Every argument of `pac solution pack|unpack`, in each of its spellings, and what becomes of it.

use std::fs;
use std::path::Path;

use crate::command::{alm, copy};

/// Name, short name, a value it takes (none for a switch), from Microsoft's reference.
const PAC: &[(&str, &str, Option<&str>)] = &[
    ("allowDelete", "ad", None),
    ("allowWrite", "aw", None),
    ("clobber", "c", None),
    ("disablePluginRemap", "dpm", None),
    ("errorlevel", "e", Some("Verbose")),
    ("localize", "loc", None),
    ("log", "l", Some("log.txt")),
    ("map", "m", Some("map.xml")),
    ("packagetype", "p", Some("Unmanaged")),
    ("processCanvasApps", "pca", None),
    ("singleComponent", "sc", Some("None")),
    ("sourceLoc", "src", Some("auto")),
    ("useLcid", "lcid", None),
    ("useUnmanagedFileForMissingManaged", "same", None),
];

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    copy(
        "05-permit-management",
        "unmanaged.zip",
        home.path(),
        "a.zip",
    );
    fs::write(home.path().join("map.xml"), "<Mapping />").unwrap();
    let first = alm(home.path(), &["unpack", "-z", "a.zip", "-f", "src"]);
    assert_eq!(first.code, 0, "{}", first.err);
    home
}

fn accepted(here: &Path, options: &[&str]) {
    for verb in [
        ["unpack", "-Z", "a.zip", "--FOLDER", "src"],
        ["pack", "--ZipFile", "b.zip", "-F", "src"],
    ] {
        let ended = alm(here, &[&verb[..], options].concat());
        assert_eq!(ended.code, 0, "{verb:?} {options:?}: {}", ended.err);
    }
}

#[test]
fn every_argument_is_accepted_by_both_verbs_in_every_spelling() {
    let home = home();
    for (name, short, value) in PAC {
        let long = format!("--{name}");
        let shout = format!("--{}", name.to_uppercase());
        let short = format!("-{short}");
        for spelling in [&long, &shout, &short] {
            match value {
                Some(value) => accepted(home.path(), &[spelling, value]),
                None => accepted(home.path(), &[spelling]),
            }
        }
        // Build tasks give switches a value, in words of either tool.
        if value.is_none() {
            for value in ["true", "FALSE", "Yes", "no"] {
                accepted(home.path(), &[&short, value]);
            }
        }
    }
}

#[test]
fn wrong_values_are_a_wrong_command_line() {
    let home = home();
    for options in [
        ["-sc", "Dashboard"],
        ["-e", "Loud"],
        ["-p", "Mixed"],
        ["-ad", "perhaps"],
        ["--nonsense", "x"],
    ] {
        let arguments = [&["unpack", "-z", "a.zip", "-f", "x"][..], &options].concat();
        assert_eq!(alm(home.path(), &arguments).code, 2, "{options:?}");
    }
    assert!(!home.path().join("x").exists());
}

#[test]
fn deleting_and_writing_follow_their_switches() {
    let home = home();
    let here = home.path();
    let stray = here.join("src/Roles/stray.xml");
    for off in [
        &["-ad", "No"][..],
        &["-ad", "prompt"],
        &[],
        &["-ad", "-aw", "no"],
    ] {
        fs::write(&stray, "<Role />").unwrap();
        let ended = alm(
            here,
            &[&["unpack", "-z", "a.zip", "-f", "src"][..], off].concat(),
        );
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(stray.exists(), "{off:?}");
    }
    alm(here, &["unpack", "-z", "a.zip", "-f", "src", "-ad"]);
    assert!(!stray.exists());
}

#[test]
fn a_canvas_app_is_mirrored_where_older_tools_took_it_apart() {
    let home = tempfile::tempdir().unwrap();
    let here = home.path();
    copy("01-timesheet", "unmanaged.zip", here, "a.zip");
    let told = alm(
        here,
        &[
            "unpack",
            "-z",
            "a.zip",
            "-f",
            "src",
            "--processCanvasApps",
            "true",
        ],
    );
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.err.contains("ALM-P222"), "{}", told.err);
    let packed = alm(here, &["pack", "-z", "b.zip", "-f", "src", "-pca"]);
    assert_eq!(packed.code, 0, "{}", packed.err);
    assert!(packed.err.contains("ALM-P223"), "{}", packed.err);
    let plain = tempfile::tempdir().unwrap();
    alm(
        here,
        &[
            "unpack",
            "-z",
            "a.zip",
            "-f",
            plain.path().to_str().unwrap(),
        ],
    );
    let zip = plain.path().join("c.zip");
    alm(
        plain.path(),
        &["pack", "-z", zip.to_str().unwrap(), "-f", "."],
    );
    let read =
        |path: &Path| almscript::solution::Package::from_zip(&fs::read(path).unwrap()).unwrap();
    assert_eq!(read(&here.join("b.zip")), read(&zip));
    // A tree in which an older tool left only the pieces cannot be packed, and says why.
    let app = fs::read_dir(here.join("src/CanvasApps"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "msapp"))
        .unwrap();
    fs::remove_file(app).unwrap();
    let failed = alm(here, &["pack", "-z", "d.zip", "-f", "src", "-pca"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains(".msapp"), "{}", failed.err);
}

/// The collections of `customizations.xml`, the types of the root components, and the parts.
fn held(zip: &Path) -> (Vec<String>, Vec<String>, Vec<String>) {
    let package = almscript::solution::Package::from_zip(&fs::read(zip).unwrap()).unwrap();
    let text = String::from_utf8(package.part("customizations.xml").unwrap().to_vec()).unwrap();
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')).unwrap();
    let collections = document
        .root_element()
        .children()
        .filter(|child| child.is_element() && child.has_children())
        .map(|child| child.tag_name().name().to_owned())
        .collect();
    let roots = package.manifest().unwrap().root_components;
    let mut types: Vec<String> = roots
        .iter()
        .map(|root| root.component_type.to_string())
        .collect();
    types.dedup();
    let parts = package.parts().iter().map(|part| part.name.clone());
    let parts = parts.filter(|name| name.contains('/')).collect();
    (collections, types, parts)
}

#[test]
fn a_single_kind_of_component_is_unpacked_and_packed_alone() {
    let home = home();
    let here = home.path();
    let kinds: [(&str, &[&str], &[&str], &str); 3] = [
        ("WebResource", &["WebResources"], &["61"], "WebResources/"),
        (
            "plugin",
            &["SolutionPluginAssemblies", "SdkMessageProcessingSteps"],
            &["91", "92"],
            "PluginAssemblies/",
        ),
        ("Workflow", &["Workflows"], &["29"], "Workflows/"),
    ];
    for (kind, collections, types, folder) in kinds {
        let packed = alm(here, &["pack", "-z", "one.zip", "-f", "src", "-sc", kind]);
        assert_eq!(packed.code, 0, "{kind}: {}", packed.err);
        let (found, roots, parts) = held(&here.join("one.zip"));
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|n| *n != "Languages")
            .collect();
        assert_eq!(found, collections, "{kind}");
        assert_eq!(roots, types, "{kind}");
        assert!(
            parts.iter().all(|part| part.starts_with(folder)),
            "{kind}: {parts:?}"
        );
        assert!(!parts.is_empty());

        let unpacked = alm(
            here,
            &[
                "unpack",
                "-z",
                "a.zip",
                "-f",
                kind,
                "--singleComponent",
                kind,
                "-ad",
            ],
        );
        assert_eq!(unpacked.code, 0, "{kind}: {}", unpacked.err);
        let tops: Vec<String> = fs::read_dir(here.join(kind))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert!(
            tops.contains(&folder.trim_end_matches('/').to_owned()),
            "{tops:?}"
        );
        assert!(!tops.contains(&"Other".to_owned()), "{tops:?}");
    }
    // Over a whole tree nothing of the other kinds is touched.
    let before = fs::read(here.join("src/Other/Solution.xml")).unwrap();
    let over = alm(
        here,
        &[
            "unpack", "-z", "a.zip", "-f", "src", "-sc", "Workflow", "-ad",
        ],
    );
    assert!(over.out.starts_with("wrote 0 of 6 files"), "{}", over.out);
    assert_eq!(
        fs::read(here.join("src/Other/Solution.xml")).unwrap(),
        before
    );
    assert!(here.join("src/Roles").exists());
}

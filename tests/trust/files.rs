//! Names that become files: a package, a script, a mapping or a push writes where it may and nowhere else.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use crate::workspace::{Workspace, alm};

const DRAFT: &str = "<ImportExportXml><SolutionManifest><UniqueName>Small</UniqueName>\
    <Version>1.0</Version><Managed>0</Managed><Publisher><UniqueName>p</UniqueName>\
    </Publisher><RootComponents>{roots}</RootComponents></SolutionManifest></ImportExportXml>";

/// A package with this XML for components, these root components and these other parts.
fn package(components: &str, roots: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let customizations = format!("<ImportExportXml>{components}</ImportExportXml>");
    let solution = DRAFT.replace("{roots}", roots);
    let own = [
        ("solution.xml", solution.as_bytes()),
        ("customizations.xml", customizations.as_bytes()),
        ("[Content_Types].xml", b"<Types/>"),
    ];
    for (name, data) in own.iter().chain(parts) {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn role(name: &str) -> Vec<u8> {
    let xml = format!("<Roles><Role id=\"{{1}}\" name=\"{name}\" /></Roles>");
    package(&xml, "<RootComponent type=\"20\" id=\"{1}\" />", &[])
}

/// One part of a zip as text.
fn part(archive: &Path, name: &str) -> String {
    let file = std::fs::File::open(archive).unwrap();
    let mut text = String::new();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut part = archive.by_name(name).unwrap();
    part.read_to_string(&mut text).unwrap();
    text
}

/// Files that make a folder a git repository whose status runs a command.
const HOSTILE: [(&str, &str); 4] = [
    (".git/HEAD", "ref: refs/heads/main\n"),
    (
        ".git/config",
        "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = \"touch PWNED; false\"\n",
    ),
    (".git/objects/x", ""),
    (".git/refs/x", ""),
];

#[test]
fn a_package_makes_no_git_folder() {
    for spelling in [".git", ".GIT", "git~1", ".g\u{200c}it", "a/.git"] {
        let home = tempfile::tempdir().unwrap();
        let names: Vec<String> = HOSTILE
            .iter()
            .map(|(name, _)| name.replace(".git", spelling))
            .collect();
        let mut xml = String::from("<WebResources>");
        let mut roots = String::new();
        let mut parts = Vec::new();
        for (number, (name, (_, data))) in names.iter().zip(HOSTILE).enumerate() {
            xml += &format!(
                "<WebResource><Name>{name}</Name><FileName>/WebResources/p{number}</FileName></WebResource>"
            );
            roots += &format!("<RootComponent type=\"61\" schemaName=\"{name}\" />");
            parts.push((format!("WebResources/p{number}"), data.as_bytes()));
        }
        xml += "</WebResources>";
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, d)| (n.as_str(), *d)).collect();
        std::fs::write(home.path().join("evil.zip"), package(&xml, &roots, &parts)).unwrap();
        let ended = alm(
            home.path(),
            &["solution", "unpack", "-z", "evil.zip", "-f", "src"],
        );
        assert_eq!(ended.code, Some(1), "{spelling}: {}", ended.text);
        assert!(ended.text.contains("ALM-P002"), "{}", ended.text);
        assert!(!home.path().join("src").exists(), "{spelling}");
    }
}

#[test]
fn a_script_saves_no_git_folder() {
    let workspace = Workspace::example();
    workspace.script(
        "x",
        "let t = environment::development().export_solution(\"PowerAutomateSamples\").unpack();\n\
         t.with_text(\".git/HEAD\", \"ref: refs/heads/main\").save(\"src\");",
    );
    for more in [&[][..], &["--sandbox"]] {
        let ended = workspace.alm(&[&["run", "x"], more].concat());
        assert_ne!(ended.code, Some(0), "{}", ended.text);
        assert!(ended.text.contains("ALM-P002"), "{}", ended.text);
        assert!(!workspace.dir().join("src").exists());
    }
}

#[test]
fn a_component_whose_name_begins_with_a_dot_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join("a.zip"), role(".NET Developers")).unwrap();
    let unpack = ["solution", "unpack", "-z", "a.zip", "-f", "src"];
    let pack = ["solution", "pack", "-z", "b.zip", "-f", "src"];
    assert_eq!(alm(home, &unpack).code, Some(0));
    assert!(home.join("src/Roles/%2ENET Developers").exists());
    assert_eq!(alm(home, &pack).code, Some(0));
    let name = "name=\".NET Developers\"";
    assert!(part(&home.join("b.zip"), "customizations.xml").contains(name));

    // As other packagers write it, it is read too, and the next unpack renames it.
    std::fs::rename(
        home.join("src/Roles/%2ENET Developers"),
        home.join("src/Roles/.NET Developers"),
    )
    .unwrap();
    std::fs::write(home.join("src/Roles/.keep"), "").unwrap();
    std::fs::remove_file(home.join("b.zip")).unwrap();
    assert_eq!(alm(home, &pack).code, Some(0));
    assert!(part(&home.join("b.zip"), "customizations.xml").contains(name));
    assert_eq!(alm(home, &unpack).code, Some(0));
    assert!(home.join("src/Roles/%2ENET Developers").exists());
    assert!(!home.join("src/Roles/.NET Developers").exists());
    assert!(home.join("src/Roles/.keep").exists());
}

/// What a merge lost is no warning on its way to an environment.
#[test]
fn a_component_without_its_file_is_an_error_for_scripts() {
    let workspace = Workspace::example();
    let dir = workspace.dir();
    std::fs::write(dir.join("a.zip"), role("Clerk")).unwrap();
    workspace.ok(&["solution", "unpack", "-z", "a.zip", "-f", "src"]);
    std::fs::remove_file(dir.join("src/Roles/Clerk.xml")).unwrap();
    workspace.script(
        "pack",
        "solution::pack(solution::read_source(\"src\")).save(\"b.zip\")",
    );
    workspace.fails(1, &["run", "pack"], &["ALM-P122"]);
    assert!(!dir.join("b.zip").exists());
    let pack = ["solution", "pack", "-z", "b.zip", "-f", "src"];
    workspace.fails(3, &[&pack[..], &["--complete"]].concat(), &["ALM-P122"]);
    let told = workspace.ok(&pack);
    assert!(told.contains("ALM-P122"), "{told}");
}

#[test]
fn parts_and_web_resources_with_dots_come_back_under_their_names() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let xml = "<WebResources><WebResource><Name>.well-known/%2Ea</Name><FileName>/WebResources/p</FileName></WebResource></WebResources>";
    let root = "<RootComponent type=\"61\" schemaName=\".well-known/%2Ea\" />";
    let parts: &[(&str, &[u8])] = &[("WebResources/p", b"w"), ("bots/.x/y", b"b")];
    std::fs::write(home.join("a.zip"), package(xml, root, parts)).unwrap();
    let steps: [&[&str]; 2] = [
        &["solution", "unpack", "-z", "a.zip", "-f", "src"],
        &["solution", "pack", "-z", "b.zip", "-f", "src"],
    ];
    for step in steps {
        let ended = alm(home, step);
        assert_eq!(ended.code, Some(0), "{}", ended.text);
    }
    assert!(home.join("src/WebResources/%2Ewell-known/%252Ea").exists());
    assert!(home.join("src/bots/%2Ex/y").exists());
    assert_eq!(part(&home.join("b.zip"), "WebResources/p"), "w");
    assert_eq!(part(&home.join("b.zip"), "bots/.x/y"), "b");
}

#[test]
fn names_that_some_file_system_takes_for_one_are_refused() {
    for [a, b] in [
        ["K", "\u{212a}"],
        ["Str\u{e4}ger", "Stra\u{308}ger"],
        ["Os", "O\u{17f}"],
    ] {
        let home = tempfile::tempdir().unwrap();
        let xml = format!(
            "<Roles><Role id=\"{{1}}\" name=\"{a}\" /><Role id=\"{{2}}\" name=\"{b}\" /></Roles>"
        );
        std::fs::write(home.path().join("a.zip"), package(&xml, "", &[])).unwrap();
        let ended = alm(
            home.path(),
            &["solution", "unpack", "-z", "a.zip", "-f", "src"],
        );
        assert_eq!(ended.code, Some(1), "{}", ended.text);
        assert!(ended.text.contains("ALM-P005"), "{}", ended.text);
    }
}

#[test]
fn an_attribute_that_stands_twice_is_refused_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let xml = "<Roles>\n<Role id=\"{1}\" name=\"a\" id=\"{2}\" /></Roles>";
    std::fs::write(home.path().join("a.zip"), package(xml, "", &[])).unwrap();
    let ended = alm(
        home.path(),
        &["solution", "unpack", "-z", "a.zip", "-f", "src"],
    );
    assert_eq!(ended.code, Some(1), "{}", ended.text);
    for said in ["customizations.xml:2", "`id` stands twice", "ALM-P009"] {
        assert!(ended.text.contains(said), "{said}: {}", ended.text);
    }
}

#[test]
fn what_is_inside_an_app_counts_too() {
    let mut app = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let blanks = vec![b' '; 1 << 20];
    for number in 0..20 {
        let options = zip::write::SimpleFileOptions::default();
        app.start_file(format!("Src/{number}.pa.yaml"), options)
            .unwrap();
        app.write_all(&blanks).unwrap();
    }
    let app = app.finish().unwrap().into_inner();
    let xml = "<CanvasApps><CanvasApp><Name>a</Name><DocumentUri>/CanvasApps/a_DocumentUri.msapp</DocumentUri></CanvasApp></CanvasApps>";
    let root = "<RootComponent type=\"300\" schemaName=\"a\" />";
    let parts: &[(&str, &[u8])] = &[("CanvasApps/a_DocumentUri.msapp", &app)];
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.zip"), package(xml, root, parts)).unwrap();
    let unpack = |more: &[&str]| {
        let usual = [
            "solution",
            "unpack",
            "-z",
            "a.zip",
            "-f",
            "src",
            "--mirrorCanvasApps",
        ];
        alm(home.path(), &[&usual[..], more].concat())
    };
    let refused = unpack(&["--maxTotalSize", "67108864"]);
    assert_eq!(refused.code, Some(1), "{}", refused.text);
    assert!(refused.text.contains("ALM-P006"), "{}", refused.text);
    let taken = unpack(&[]);
    assert_eq!(taken.code, Some(0), "{}", taken.text);
}

/// A named pipe, if this system can make one.
#[cfg(unix)]
fn pipe(path: &Path) -> bool {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    made.is_ok_and(|status| status.success())
}

#[cfg(unix)]
#[test]
fn packing_onto_a_pipe_writes_into_it() {
    use std::os::unix::fs::FileTypeExt;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join("a.zip"), role("a")).unwrap();
    let unpacked = alm(home, &["solution", "unpack", "-z", "a.zip", "-f", "src"]);
    assert_eq!(unpacked.code, Some(0), "{}", unpacked.text);
    let out = home.join("out");
    if !pipe(&out) {
        return;
    }
    let reader = std::thread::spawn({
        let out = out.clone();
        move || std::fs::read(out).unwrap()
    });
    let packed = alm(home, &["solution", "pack", "-z", "out", "-f", "src"]);
    assert_eq!(packed.code, Some(0), "{}", packed.text);
    assert!(std::fs::metadata(&out).unwrap().file_type().is_fifo());
    assert!(reader.join().unwrap().starts_with(b"PK"));
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_in_the_place_of_a_file_is_told_and_not_read() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join("a.zip"), role("a")).unwrap();
    let unpack = ["solution", "unpack", "-z", "a.zip", "-f", "src"];
    assert_eq!(alm(home, &unpack).code, Some(0));
    if pipe(&home.join("src/Roles/p.xml")) {
        for command in [
            &unpack[..],
            &["solution", "pack", "-z", "b.zip", "-f", "src"],
        ] {
            let ended = alm(home, command);
            assert_eq!(ended.code, Some(1), "{}", ended.text);
            assert!(ended.text.contains("ALM-P034"), "{}", ended.text);
        }
    }
    if Path::new("/dev/zero").exists() {
        let ended = alm(
            home,
            &["solution", "unpack", "-z", "/dev/zero", "-f", "new"],
        );
        assert_eq!(ended.code, Some(1), "{}", ended.text);
        assert!(ended.text.contains("device"), "{}", ended.text);
    }
}

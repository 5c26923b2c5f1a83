//! Mapping files.

use std::fs;
use std::sync::LazyLock;

use almscript::solution::Mapping;
use arbitrary::{Result, Unstructured};
use tempfile::TempDir;

use super::archives::assert_name;
use super::samples;

/// A folder beside some originals.
static HOME: LazyLock<TempDir> = LazyLock::new(|| {
    let home = tempfile::tempdir().expect("a temporary folder");
    for file in [
        "src/x",
        "bin/a/P.dll",
        "bin/b/P.dll",
        "js/a/b.js",
        "js/c:d.js",
        "js/.git/x",
    ] {
        let path = home.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(home.path())).expect("a folder");
        fs::write(path, file).expect("a file");
    }
    home
});

/// Any bytes as a mapping file, and one made of pieces, applied to a folder.
pub fn mapping(data: &[u8]) {
    let variable = |name: &str| (name.len() < 4).then(|| format!("{name}/"));
    if let Ok((mapping, _)) = Mapping::parse("map.xml", data, variable) {
        // Where raw bytes lead is not known, so nothing is looked for there.
        let _ = format!("{mapping:?}");
    }
    let Ok(text) = pieces(&mut Unstructured::new(data)) else {
        return;
    };
    let folder = HOME.path().join("src");
    let Ok((mapping, _)) = Mapping::parse("map.xml", text.as_bytes(), |_| Some("a".into())) else {
        return;
    };
    let mut tree = samples::TREE.clone();
    if let Ok(mapped) = mapping.apply(&mut tree, &folder) {
        tree.paths().for_each(assert_name);
        for path in &mapped.paths {
            assert!(tree.get(path).is_some(), "`{path}` is told and not there");
        }
        let others = |path: &&str| !mapped.paths.iter().any(|one| one == *path);
        for path in samples::TREE.paths().filter(others) {
            assert_eq!(
                tree.get(path),
                samples::TREE.get(path),
                "`{path}` was changed"
            );
        }
    }
    let mut tree = samples::TREE.clone();
    let mapped = mapping.withhold(&mut tree, &folder);
    assert_eq!(tree.len() + mapped.paths.len(), samples::TREE.len());
}

/// A mapping file whose targets stay beside the folder.
fn pieces(u: &mut Unstructured<'_>) -> Result<String> {
    let map = [
        "**",
        "*",
        "*.*",
        "*.dll",
        "P.dll",
        "WebResources",
        "pub_",
        "a",
        "b.js",
        "..",
        "",
        "PluginAssemblies",
        "P-A5",
        "new",
        "c:d.js",
        "%X%",
        "é",
    ];
    let to = [
        "bin", "js", "a", "b", "**", "*", "P.dll", "b.js", "src", "%X%", ".", "é",
    ];
    let mut text = String::from("<Mapping>");
    for _ in 0..u.int_in_range(1..=4)? {
        let kind = u.choose(&["Folder", "FileToFile", "FileToPath", "Other"])?;
        let mut join = |pieces: &[&str], most: usize| -> Result<String> {
            let mut path = Vec::new();
            for _ in 0..u.int_in_range(0..=most)? {
                path.push(*u.choose(pieces)?);
            }
            Ok(path.join(if u.ratio(1, 4)? { "\\" } else { "/" }))
        };
        let (map, to) = (join(&map, 12)?, join(&to, 4)?);
        text.push_str(&format!("<{kind} map=\"{map}\" to=\"../{to}\" />"));
    }
    text.push_str("</Mapping>");
    Ok(text)
}

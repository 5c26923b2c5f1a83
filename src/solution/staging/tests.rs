use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::moves::Moves;
use super::recover::{Cleared, PAUSE, Repair, clear};
use super::*;

/// A folder of the test, and the same held open.
struct Home {
    dir: TempDir,
    folder: Folder,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::named(dir.path()).unwrap();
        Self { dir, folder }
    }

    fn put(&self, path: &str, text: &str) {
        put(self.dir.path(), path, text);
    }

    /// What is there, but for names with a dot.
    fn visible(&self) -> BTreeMap<String, String> {
        let mut found = files(self.dir.path());
        found.retain(|path, _| !path.starts_with('.'));
        found
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join(path)).ok()
    }

    fn recover(&self) -> Repair {
        recover(&self.folder).unwrap()
    }
}

fn files(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_string_lossy();
            if path.is_dir() {
                found.insert(name.into_owned(), "folder".to_owned());
                open.push(path);
            } else {
                found.insert(name.into_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn put(dir: &Path, path: &str, text: &str) {
    let full = dir.join(path);
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(full, text).unwrap();
}

/// A folder in which `a/1` is to change, `a/2` and `c/d/5` to go, `a/new/deep/3` and the folder `b`
/// to come.
fn before() -> Home {
    let home = Home::new();
    home.put("a/1", "old");
    home.put("a/2", "gone");
    home.put("c/d/5", "gone");
    home
}

/// Begins that write: everything is staged, and the journal is there.
fn begun(home: &Home) -> (Staging<'_>, Moves) {
    let moves = Moves::new(
        &home.folder,
        vec!["a/2".into(), "c/d/5".into()],
        vec!["b".into()],
        vec!["a/new/deep/3".into()],
        vec!["a/1".into()],
    );
    let staging = Staging::begin(&home.folder).unwrap();
    let fresh = staging.fresh().unwrap();
    for path in ["a/1", "a/new/deep/3", "b/4"] {
        put(fresh.path(), path, "new");
    }
    let moves = moves.with_digests(&fresh).unwrap();
    staging
        .0
        .folder()
        .write(JOURNAL, serde_json::to_vec(&moves).unwrap())
        .unwrap();
    (staging, moves)
}

/// A killed process lets go of its lock and deletes nothing.
fn kill(mut staging: Staging<'_>) {
    staging.0.stay();
}

/// The first so many moves of a write.
fn first(moves: &Moves, count: usize) -> Moves {
    let cut = |list: &[String], after: usize| {
        let count = count.saturating_sub(after);
        list.iter().take(count).cloned().collect()
    };
    Moves {
        displaced: cut(&moves.displaced, 0),
        folders: cut(&moves.folders, 2),
        files: cut(&moves.files, 3),
        replaced: cut(&moves.replaced, 4),
        ..moves.clone()
    }
}

#[test]
fn whatever_step_was_the_last_everything_is_moved_back() {
    for there in 0..=6 {
        for returned in 0..=3 {
            let home = before();
            let was = home.visible();
            let (staging, moves) = begun(&home);
            let begun = first(&moves, there);
            begun.forward(&home.folder, staging.0.folder()).unwrap();
            if there == 6 {
                moves::remove_empty_folders(&home.folder, "c/d/5");
                assert!(!home.dir.path().join("c").exists());
            }
            // The way back was begun too, and cut off.
            let mut undone = Moves {
                displaced: Vec::new(),
                ..moves.clone()
            };
            undone.digests = moves.digests.clone().into_iter().take(returned).collect();
            undone.back(&home.folder, staging.0.folder()).unwrap();
            kill(staging);
            let repair = home.recover();
            assert!(repair.undone, "{there} there, {returned} back");
            assert_eq!(repair.kept, [], "{there} there, {returned} back");
            assert_eq!(home.visible(), was, "{there} there, {returned} back");
            assert_eq!(files(home.dir.path()).len(), was.len(), "nothing is left");
            assert!(!home.recover().undone);
        }
    }
}

#[test]
fn a_file_system_that_changes_nothing_in_one_step_is_no_worse() {
    for there in 0..=2 {
        let home = before();
        let was = home.visible();
        let (staging, _) = begun(&home);
        let stage = staging.0.folder();
        stage.create_dir_all("old/a").unwrap();
        if there > 0 {
            home.folder.rename("a/1", stage, "old/a/1").unwrap();
        }
        if there > 1 {
            stage.rename("new/a/1", &home.folder, "a/1").unwrap();
        }
        kill(staging);
        assert_eq!(home.recover().kept, [], "{there}");
        assert_eq!(home.visible(), was, "{there}");
    }
}

#[test]
fn what_was_changed_since_is_not_overwritten_and_what_was_before_is_kept() {
    let home = before();
    let (staging, moves) = begun(&home);
    assert!(staging.0.folder().exists(".gitignore"));
    moves.forward(&home.folder, staging.0.folder()).unwrap();
    kill(staging);
    home.put("a/1", "edited");
    home.put("a/2", "made anew");
    home.put("b/mine", "made");
    let repair = home.recover();
    let kept: Vec<&str> = repair.kept.iter().map(|kept| kept.path.as_str()).collect();
    assert_eq!(kept, ["a/1", "a/2"]);
    let old: Vec<Option<String>> = repair
        .kept
        .iter()
        .map(|kept| home.text(kept.before.as_deref().unwrap()))
        .collect();
    assert_eq!(old, [Some("old".to_owned()), Some("gone".to_owned())]);
    assert_eq!(home.text("a/1").as_deref(), Some("edited"));
    assert_eq!(home.text("a/2").as_deref(), Some("made anew"));
    assert_eq!(home.text("b/mine").as_deref(), Some("made"));
    assert_eq!(home.text("c/d/5").as_deref(), Some("gone"));
    assert_eq!(home.text("b/4"), None);
    assert!(!home.recover().undone);
}

#[test]
fn a_write_that_is_done_leaves_nothing_to_undo() {
    let home = before();
    let (staging, moves) = begun(&home);
    staging.carry_out(moves, &[]).unwrap();
    let found = files(home.dir.path());
    assert_eq!(found.get("a/1").map(String::as_str), Some("new"));
    assert_eq!(found.get("b/4").map(String::as_str), Some("new"));
    assert!(!found.contains_key("a/2") && !found.keys().any(|path| path.starts_with('.')));
    assert!(!home.recover().undone);
}

#[test]
fn a_process_that_is_at_it_is_left_alone() {
    let home = before();
    let (staging, moves) = begun(&home);
    let name = staging.0.folder().path().file_name().unwrap().to_owned();
    let name = name.to_str().unwrap().to_owned();
    assert!(matches!(clear(&home.folder, &name), Ok(Cleared::Alive)));
    tidy(&home.folder).unwrap();
    assert!(home.dir.path().join(&name).exists());
    let waiting = std::thread::spawn({
        let folder = Folder::named(home.dir.path()).unwrap();
        move || recover(&folder).unwrap().undone
    });
    std::thread::sleep(PAUSE * 2);
    staging.carry_out(moves, &[]).unwrap();
    assert!(!waiting.join().unwrap(), "the write went on to its end");
}

//! What a folder on disk holds, to be compared before and after.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file, folder and link below a folder, hidden ones too. Folders end in a slash and hold
/// nothing; a link holds where it leads.
pub type State = BTreeMap<String, Vec<u8>>;

/// Reads the state of a folder; empty if there is none.
pub fn of(folder: &Path) -> State {
    let mut state = State::new();
    read(folder, "", &mut state);
    state
}

fn read(folder: &Path, prefix: &str, state: &mut State) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            read(&entry.path(), &format!("{path}/"), state);
            state.insert(format!("{path}/"), Vec::new());
        } else if kind.is_symlink() {
            let to = fs::read_link(entry.path()).unwrap();
            state.insert(path, to.to_string_lossy().into_owned().into_bytes());
        } else {
            state.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}

/// Expects two states to be the same, and names what differs.
#[track_caller]
pub fn assert_same(before: &State, after: &State, when: &str) {
    let differs: Vec<&String> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path))
        .take(10)
        .collect();
    assert!(differs.is_empty(), "{when}: {differs:?} differ");
}

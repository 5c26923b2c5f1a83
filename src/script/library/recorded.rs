//! The texts that a run began with, kept so that it goes on with them.
//!
//! An approval is given for what was there when it was asked for; a script that was changed since
//! must not run in its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::Dir;
use serde::{Deserialize, Serialize};

use super::{FOLDER, Library, Origin, PERSONAS, SCRIPTS, STDLIB, script_name};

/// Every text that a run could reach when it began, so that it can go on with these whatever
/// happens to the files and to the program meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedScripts {
    pub(super) persona: Option<String>,
    pub(super) replacements: BTreeMap<String, String>,
    /// Files of the workspace by their label, such as `scripts/commit.rhai`.
    pub(super) files: BTreeMap<String, String>,
    /// The embedding program's scripts by name.
    pub(super) own: BTreeMap<String, String>,
    /// Bundled scripts by name.
    pub(super) bundled: BTreeMap<String, String>,
    /// Standard modules by name, without `std/`.
    pub(super) standard: BTreeMap<String, String>,
}

impl Library {
    /// All texts in reach, to go on with later: see [`of_record`](Self::of_record). A file that
    /// cannot be read is left out; a run that wants it fails of it anyhow.
    pub fn record(&self) -> RecordedScripts {
        let mut files = BTreeMap::new();
        if let Some(root) = &self.root {
            let folder = root.join(FOLDER);
            let others = folder.join(PERSONAS);
            let own = self.persona.as_ref().map(|persona| others.join(persona));
            for path in rhai_files(&folder, &|inner| *inner == others) {
                self.record_file(&folder, &path, Origin::Workspace, &mut files);
            }
            for path in own.iter().flat_map(|own| rhai_files(own, &|_| false)) {
                self.record_file(&folder, &path, Origin::Persona, &mut files);
            }
        }
        let embedded = |bundle: &'static Dir<'static>| {
            let files = bundle.files().filter_map(|file| {
                let text = file.contents_utf8()?;
                Some((script_name(file.path())?, text.to_owned()))
            });
            files.collect()
        };
        RecordedScripts {
            persona: self.persona.clone(),
            replacements: self.replacements.clone(),
            files,
            own: texts(&self.own),
            bundled: embedded(&SCRIPTS),
            standard: embedded(&STDLIB),
        }
    }

    fn record_file(
        &self,
        folder: &Path,
        path: &Path,
        origin: Origin,
        files: &mut BTreeMap<String, String>,
    ) {
        let Ok(inner) = path.strip_prefix(folder) else {
            return;
        };
        let inner: Vec<_> = inner.iter().filter_map(|part| part.to_str()).collect();
        let inner = inner.join("/");
        let label = format!("{FOLDER}/{inner}");
        let name = inner.trim_end_matches(".rhai");
        if let Ok(Some(script)) = self.read(folder, name, name, origin, &label) {
            files.insert(label, script.text.as_ref().to_owned());
        }
    }

    /// The library as it was when `recorded` was made, for the workspace at `root`.
    pub fn of_record(root: impl Into<PathBuf>, recorded: RecordedScripts) -> Self {
        Self {
            root: Some(root.into()),
            persona: recorded.persona.clone(),
            replacements: recorded.replacements.clone(),
            own: recorded
                .own
                .iter()
                .map(|(name, text)| (name.clone(), text.as_str().into()))
                .collect(),
            recorded: Some(Arc::new(recorded)),
        }
    }
}

fn texts(shared: &BTreeMap<String, Arc<str>>) -> BTreeMap<String, String> {
    let texts = shared.iter();
    texts
        .map(|(name, text)| (name.clone(), text.as_ref().to_owned()))
        .collect()
}

/// The files that end in `.rhai` below `folder`, links to files included.
fn rhai_files(folder: &Path, leave_out: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !leave_out(&path) {
                open.push(path);
            } else if !is_folder && script_name(&path).is_some() {
                found.push(path);
            }
        }
    }
    found
}

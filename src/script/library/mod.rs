//! Where a named script and an imported module come from.
//!
//! A *named script* is looked for in the persona's folder (`scripts/personas/<persona>/`), the
//! workspace (`scripts/`), the scripts of the embedding program, and the bundle that is inside the
//! program. A *module* is looked for in the same order, except that `std/…` always comes from the
//! bundle: a stray file cannot take its place. `bundled/<name>` is the bundled script whatever
//! replaces it. No name leads out of these folders.
//!
//! This file finds and reads text. What a text declares is in `parameters`, what it means to the
//! engine in `modules`.

mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::parameters::{Declaration, ParameterError};
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::whole_file;
pub use recorded::RecordedScripts;

static SCRIPTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scripts");
static STDLIB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// The folder of a workspace that holds its scripts.
const FOLDER: &str = "scripts";
/// Folders in it that hold no named scripts of their own.
const PERSONAS: &str = "personas";
const HOOKS: &str = "hooks";

/// The largest script that is read, in bytes: a hundred times the longest that people write.
const LARGEST: u64 = 4 << 20;

/// The scripts in reach of one run.
#[derive(Debug, Clone, Default)]
pub struct Library {
    root: Option<PathBuf>,
    persona: Option<String>,
    replacements: BTreeMap<String, String>,
    own: BTreeMap<String, Arc<str>>,
    recorded: Option<Arc<RecordedScripts>>,
}

/// The text of one script or module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The name by which it was asked for.
    pub name: String,
    /// Where it was found.
    pub origin: Origin,
    /// What messages call it: a path inside the workspace, or `bundled/commit`, `std/source`.
    pub label: String,
    /// Its file, where it has one.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: Arc<str>,
}

/// Where a script was found, from the nearest to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// In the persona's folder.
    Persona,
    /// In the workspace.
    Workspace,
    /// Given by the embedding program.
    Host,
    /// Inside the program.
    Bundled,
}

/// Why a script was not found or not taken.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// No such script anywhere.
    #[error("there is no script `{name}`{}", nearest.as_ref().map_or_else(String::new, |near| format!(", did you mean `{near}`?")))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The existing name that looks most like it.
        nearest: Option<String>,
    },
    /// No such module.
    #[error("there is no module `{name}`{}", nearest.as_ref().map_or_else(String::new, |near| format!(", did you mean `{near}`?")))]
    UnknownModule {
        /// The name in the `import`.
        name: String,
        /// The existing name that looks most like it.
        nearest: Option<String>,
    },
    /// The name is not one that can be looked for.
    #[error("`{name}` is not a script name: {reason}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file leads out of the folder it was looked for in.
    #[error("`{name}` leads out of {}", root.display())]
    Outside {
        /// The name that was asked for.
        name: String,
        /// The folder that it must stay in.
        root: PathBuf,
    },
    /// It is no file, or too large for a script.
    #[error("{} is no script: a script is a file of at most 4 MiB", path.display())]
    NoText {
        /// What was found.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Problem for LibraryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "ALM-S001",
            Self::Unreadable { .. } | Self::NoText { .. } => "ALM-S002",
            Self::Outside { .. } | Self::Name { .. } => "ALM-S003",
            Self::UnknownModule { .. } => "ALM-S004",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => Some("`alm scripts` lists the scripts that there are".into()),
            Self::UnknownModule { .. } => Some(
                "a module is `std/…`, or a file in the workspace's `scripts` folder without `.rhai`"
                    .into(),
            ),
            Self::Name { .. } => {
                Some("use letters, digits, `-` and `_`, with `/` between folders".into())
            }
            Self::Outside { .. } => Some("scripts import from their workspace only".into()),
            Self::NoText { .. } => Some("take it out of the folder `scripts`".into()),
            Self::Unreadable { .. } => None,
        }
    }
}

impl Library {
    /// The bundled scripts alone.
    pub fn bundled() -> Self {
        Self::default()
    }

    /// The scripts of the workspace at `root`, and the bundled ones.
    pub fn of_workspace(root: impl Into<PathBuf>) -> Self {
        Self {
            root: Some(root.into()),
            ..Self::default()
        }
    }

    /// The same, seen by `persona`: its folder comes first.
    #[must_use]
    pub fn for_persona(mut self, persona: impl Into<String>) -> Self {
        self.persona = Some(persona.into());
        self
    }

    /// The same with `name` replaced by the script called `by`.
    #[must_use]
    pub fn replacing(mut self, name: impl Into<String>, by: impl Into<String>) -> Self {
        self.replacements.insert(name.into(), by.into());
        self
    }

    /// The same with a script or module of the embedding program.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        self.own.insert(name.into(), text.into());
        self
    }

    /// The script called `name`, through the persona's replacements.
    ///
    /// # Errors
    /// [`LibraryError`], naming the nearest script for an unknown name.
    pub fn script(&self, name: &str) -> Result<Script, LibraryError> {
        let wanted = self.replacements.get(name).map_or(name, String::as_str);
        match self.find(wanted)? {
            Some(mut script) => {
                script.name = name.to_owned();
                Ok(script)
            }
            None => {
                let known = self.names();
                let nearest = nearest(wanted, known.iter().map(String::as_str)).map(str::to_owned);
                Err(LibraryError::Unknown {
                    name: wanted.to_owned(),
                    nearest,
                })
            }
        }
    }

    /// The module that `import "name"` means.
    ///
    /// # Errors
    /// [`LibraryError`], naming the nearest module for an unknown name.
    pub fn module(&self, name: &str) -> Result<Script, LibraryError> {
        let found = match name.strip_prefix("std/") {
            Some(inner) => {
                check_name(name)?;
                self.standard(inner)
                    .map(|text| Script::bundled(name, name, text))
            }
            None => self.find(name)?,
        };
        found.ok_or_else(|| {
            let mut known = self.names();
            known.extend(
                file_names(&STDLIB)
                    .into_iter()
                    .map(|inner| format!("std/{inner}")),
            );
            let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            LibraryError::UnknownModule {
                name: name.to_owned(),
                nearest,
            }
        })
    }

    /// The workspace's hooks for the script called `script`: `scripts/hooks/<script>.rhai`.
    ///
    /// # Errors
    /// [`LibraryError::Unreadable`].
    pub fn hooks(&self, script: &str) -> Result<Option<Script>, LibraryError> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        let script = script.strip_prefix("bundled/").unwrap_or(script);
        check_name(script)?;
        let folder = root.join(FOLDER).join(HOOKS);
        let name = format!("{HOOKS}/{script}");
        self.read(
            &folder,
            script,
            &name,
            Origin::Workspace,
            &format!("{FOLDER}/{name}.rhai"),
        )
    }

    /// All named scripts, each as [`script`](Self::script) would find it, by name.
    ///
    /// # Errors
    /// [`LibraryError::Unreadable`].
    pub fn list(&self) -> Result<Vec<Script>, LibraryError> {
        self.names().iter().map(|name| self.script(name)).collect()
    }

    /// The names of all bundled scripts.
    pub fn bundled_names() -> Vec<String> {
        file_names(&SCRIPTS)
    }

    /// The names of all bundled modules, with their `std/`.
    pub fn standard_modules() -> Vec<String> {
        file_names(&STDLIB)
            .into_iter()
            .map(|name| format!("std/{name}"))
            .collect()
    }

    fn find(&self, name: &str) -> Result<Option<Script>, LibraryError> {
        check_name(name)?;
        if let Some(inner) = name.strip_prefix("bundled/") {
            let text = self.bundled_text(inner);
            return Ok(text.map(|text| Script::bundled(name, name, text)));
        }
        if let Some(root) = &self.root {
            let folder = root.join(FOLDER);
            if let Some(persona) = self
                .persona
                .as_deref()
                .filter(|name| check_name(name).is_ok())
            {
                let inner = format!("{PERSONAS}/{persona}");
                let label = format!("{FOLDER}/{inner}/{name}.rhai");
                let folder = folder.join(PERSONAS).join(persona);
                if let Some(found) = self.read(&folder, name, name, Origin::Persona, &label)? {
                    return Ok(Some(found));
                }
            }
            let label = format!("{FOLDER}/{name}.rhai");
            if let Some(found) = self.read(&folder, name, name, Origin::Workspace, &label)? {
                return Ok(Some(found));
            }
        }
        if let Some(text) = self.own.get(name) {
            return Ok(Some(Script {
                name: name.to_owned(),
                origin: Origin::Host,
                label: format!("{name}.rhai"),
                path: None,
                text: text.clone(),
            }));
        }
        Ok(self
            .bundled_text(name)
            .map(|text| Script::bundled(name, &format!("bundled/{name}"), text)))
    }

    fn bundled_text(&self, name: &str) -> Option<Arc<str>> {
        match &self.recorded {
            Some(recorded) => recorded.bundled.get(name).map(|text| text.as_str().into()),
            None => embedded(&SCRIPTS, name).map(Arc::from),
        }
    }

    fn standard(&self, name: &str) -> Option<Arc<str>> {
        match &self.recorded {
            Some(recorded) => recorded.standard.get(name).map(|text| text.as_str().into()),
            None => embedded(&STDLIB, name).map(Arc::from),
        }
    }

    /// What `<folder>/<inner>.rhai` holds, or held when it was recorded.
    fn read(
        &self,
        folder: &Path,
        inner: &str,
        name: &str,
        origin: Origin,
        label: &str,
    ) -> Result<Option<Script>, LibraryError> {
        let Some(recorded) = &self.recorded else {
            return read(folder, inner, name, origin, label);
        };
        Ok(recorded.files.get(label).map(|text| Script {
            name: name.to_owned(),
            origin,
            label: label.to_owned(),
            path: Some(file_of(folder, inner)),
            text: text.as_str().into(),
        }))
    }

    /// The names of all scripts in reach: the top level of each folder.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = file_names(&SCRIPTS).into_iter().collect();
        names.extend(self.own.keys().cloned());
        names.extend(self.replacements.keys().cloned());
        if let Some(root) = &self.root {
            let folder = root.join(FOLDER);
            names.extend(scripts_in(&folder));
            if let Some(persona) = &self.persona {
                names.extend(scripts_in(&folder.join(PERSONAS).join(persona)));
            }
        }
        names
    }
}

/// The texts of all bundled scripts and modules.
pub(super) fn bundled_texts() -> impl Iterator<Item = &'static str> {
    [&SCRIPTS, &STDLIB].into_iter().flat_map(|dir| {
        file_names(dir)
            .into_iter()
            .filter_map(|name| embedded(dir, &name))
    })
}

impl Script {
    fn bundled(name: &str, label: &str, text: Arc<str>) -> Self {
        Self {
            name: name.to_owned(),
            origin: Origin::Bundled,
            label: label.to_owned(),
            path: None,
            text,
        }
    }

    /// The SHA-256 of the text, in lower-case hexadecimal digits.
    pub fn hash(&self) -> String {
        format!("{:x}", Sha256::digest(self.text.as_bytes()))
    }

    /// What the script says about itself and takes.
    ///
    /// # Errors
    /// [`ParameterError::Declaration`] with its line.
    pub fn declaration(&self) -> Result<Declaration, ParameterError> {
        Declaration::of(&self.text)
    }
}

/// Refuses whatever could mean another place than a file below the folder it is looked for in, on
/// any system: `..`, a drive letter, a device name's colon, a backslash.
fn check_name(name: &str) -> Result<(), LibraryError> {
    let refuse = |reason| {
        Err(LibraryError::Name {
            name: name.to_owned(),
            reason,
        })
    };
    for segment in name.split('/') {
        if segment.is_empty() {
            return refuse("it has an empty part");
        }
        if segment.chars().all(|character| character == '.') {
            return refuse("it leaves its folder");
        }
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        if !segment.chars().all(plain) {
            return refuse("it has a character that names cannot have");
        }
    }
    if name.ends_with(".rhai") {
        return refuse("leave `.rhai` out");
    }
    Ok(())
}

fn file_of(folder: &Path, inner: &str) -> PathBuf {
    let mut path = folder.to_path_buf();
    path.extend(inner.split('/'));
    path.add_extension("rhai");
    path
}

/// Reads `<folder>/<inner>.rhai` if it is there, and makes sure that no link leads out of `folder`.
fn read(
    folder: &Path,
    inner: &str,
    name: &str,
    origin: Origin,
    label: &str,
) -> Result<Option<Script>, LibraryError> {
    let path = file_of(folder, inner);
    let absent = |error: &std::io::Error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
        )
    };
    let unreadable = |source| LibraryError::Unreadable {
        path: path.clone(),
        source,
    };
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if absent(&error) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let root = folder.canonicalize().map_err(unreadable)?;
    if !real.starts_with(&root) {
        return Err(LibraryError::Outside {
            name: name.to_owned(),
            root,
        });
    }
    let text = match whole_file::read_regular_text(&real, LARGEST) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::FileTooLarge
            ) =>
        {
            return Err(LibraryError::NoText { path });
        }
        Err(error) => return Err(unreadable(error)),
    };
    Ok(Some(Script {
        name: name.to_owned(),
        origin,
        label: label.to_owned(),
        path: Some(path),
        text: text.into(),
    }))
}

fn embedded(bundle: &'static Dir<'static>, name: &str) -> Option<&'static str> {
    bundle.get_file(format!("{name}.rhai"))?.contents_utf8()
}

fn file_names(bundle: &Dir<'_>) -> Vec<String> {
    let names = bundle.files().filter_map(|file| script_name(file.path()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn scripts_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        // A pipe or a device is no script, and must not keep the others from being listed.
        .filter(|path| path.is_file())
        .filter_map(|path| script_name(&path))
        .collect()
}

fn script_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".rhai")?;
    check_name(name).is_ok().then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn the_persona_comes_before_the_workspace_before_the_host() {
        let dir = workspace(&[
            ("scripts/save.rhai", "1"),
            ("scripts/personas/maker/save.rhai", "2"),
            ("scripts/send.rhai", "3"),
        ]);
        let library = Library::of_workspace(dir.path())
            .with("save", "4")
            .with("send", "5");
        let maker = library.clone().for_persona("maker");
        assert_eq!(&*maker.script("save").unwrap().text, "2");
        assert_eq!(
            maker.script("save").unwrap().label,
            "scripts/personas/maker/save.rhai"
        );
        assert_eq!(&*library.script("save").unwrap().text, "1");
        assert_eq!(&*library.script("send").unwrap().text, "3");
        assert_eq!(
            &*Library::bundled()
                .with("send", "5")
                .script("send")
                .unwrap()
                .text,
            "5"
        );
    }

    #[test]
    fn a_replacement_keeps_the_name_that_was_asked_for() {
        let library = Library::bundled()
            .with("team-save", "1")
            .replacing("save", "team-save");
        let script = library.script("save").unwrap();
        assert_eq!(
            (script.name.as_str(), script.label.as_str()),
            ("save", "team-save.rhai")
        );
    }

    #[test]
    fn an_unknown_script_names_the_nearest() {
        let error = Library::bundled()
            .with("deliver", "")
            .script("delivr")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no script `delivr`, did you mean `deliver`?"
        );
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let dir = workspace(&[("secret.rhai", "1"), ("scripts/a.rhai", "1")]);
        let library = Library::of_workspace(dir.path());
        for name in [
            "../secret",
            "a/../../secret",
            "/etc/x",
            "C:/x",
            "a\\b",
            "",
            "a//b",
            "a\0b",
        ] {
            assert!(
                matches!(library.module(name), Err(LibraryError::Name { .. })),
                "`{name}` was not refused"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_of_the_folder_is_refused() {
        let dir = workspace(&[("secret.rhai", "1"), ("scripts/a.rhai", "1")]);
        std::os::unix::fs::symlink(
            dir.path().join("secret.rhai"),
            dir.path().join("scripts/link.rhai"),
        )
        .unwrap();
        let error = Library::of_workspace(dir.path())
            .module("link")
            .unwrap_err();
        assert!(matches!(error, LibraryError::Outside { .. }), "{error}");
    }

    #[test]
    fn a_file_cannot_take_the_place_of_a_standard_module() {
        let dir = workspace(&[("scripts/std/nothing.rhai", "1")]);
        let error = Library::of_workspace(dir.path())
            .module("std/nothing")
            .unwrap_err();
        assert!(
            matches!(error, LibraryError::UnknownModule { .. }),
            "{error}"
        );
    }
}

//! Three-way merge of source trees by what the files mean.
//!
//! Elements are merged by identity, flows by the names of their steps, other texts by line; what
//! cannot be taken apart is a choice. What only one side changed is taken from it, byte for byte.
//! What both changed differently is a [`Conflict`]: it holds the three versions, and the result
//! has the chosen one, ours if nothing was chosen.

mod choice;
mod lines;
mod list;
mod node;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use choice::{ComponentChoice, Decision, choices};

use super::SourceTree;
use super::component::{ComponentType, Identity};
use super::keyed::Format;
use super::model::place::{self, Place};

/// One of the versions that are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The common ancestor.
    Base,
    /// The side that is merged into.
    #[default]
    Ours,
    /// The side that is merged.
    Theirs,
}

/// Something that both sides changed in different ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The component it is about.
    pub component: Identity,
    /// The file.
    pub file: String,
    /// The place in it, as a diff names it; empty for the whole file.
    pub place: String,
    /// What the ancestor has; nothing if it has no such piece. Bytes that are no text are told by
    /// their number.
    pub base: Option<String>,
    /// What our side has; nothing if it has no such piece any more.
    pub ours: Option<String>,
    /// What their side has.
    pub theirs: Option<String>,
    /// What was chosen before; nothing if somebody must still decide.
    pub chosen: Option<Side>,
}

impl Conflict {
    /// What a choice names it by: the file, and the place in it after `#`.
    pub fn id(&self) -> String {
        if self.place.is_empty() {
            self.file.clone()
        } else {
            format!("{}#{}", self.file, self.place)
        }
    }
}

/// What to take where both sides changed the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choices {
    /// For single conflicts, by [`Conflict::id`].
    pub conflicts: BTreeMap<String, Side>,
    /// For all conflicts of a component, by its identity as text: `29:<id>`.
    pub components: BTreeMap<String, Side>,
    /// For all others; nothing leaves them to a person.
    pub others: Option<Side>,
}

impl Choices {
    fn of(&self, component: &Identity, id: &str) -> Option<Side> {
        self.conflicts
            .get(id)
            .or_else(|| self.components.get(&component.to_string()))
            .copied()
            .or(self.others)
    }
}

/// The outcome of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged files; where nothing was chosen, with our version.
    pub tree: SourceTree,
    /// What both sides changed differently, decided or not.
    pub conflicts: Vec<Conflict>,
}

impl Merged {
    /// Whether nobody has to decide anything.
    pub fn is_settled(&self) -> bool {
        self.conflicts
            .iter()
            .all(|conflict| conflict.chosen.is_some())
    }
}

/// Merges what `theirs` changed since `base` into `ours`.
pub fn merge(
    base: &SourceTree,
    ours: &SourceTree,
    theirs: &SourceTree,
    choices: &Choices,
) -> Merged {
    let paths: BTreeSet<&str> = base
        .paths()
        .chain(ours.paths())
        .chain(theirs.paths())
        .collect();
    let mut merged = Merged {
        tree: SourceTree::new(),
        conflicts: Vec::new(),
    };
    let mut files: Vec<(String, Bytes)> = Vec::new();
    for path in paths {
        let versions = Versions {
            base: base.shared(path),
            ours: ours.shared(path),
            theirs: theirs.shared(path),
        };
        let data = if versions.ours == versions.theirs || versions.base == versions.theirs {
            versions.ours
        } else if versions.base == versions.ours {
            versions.theirs
        } else {
            let owner = if versions.ours.is_some() {
                ours
            } else {
                theirs
            };
            file(
                path,
                owner_of(owner, path),
                &versions,
                choices,
                &mut merged.conflicts,
            )
        };
        files.extend(data.map(|data| (path.to_owned(), data)));
    }
    merged.tree = SourceTree::of_trees(files);
    merged
}

/// The three versions of a file.
struct Versions {
    base: Option<Bytes>,
    ours: Option<Bytes>,
    theirs: Option<Bytes>,
}

/// The component that a file belongs to. Files with several belong to the solution; where their
/// components stand is told too.
fn owner_of(tree: &SourceTree, path: &str) -> (Identity, Option<&'static str>) {
    match place::of(tree, path) {
        Place::Of { identity, .. } => (identity, None),
        Place::Shared(collections) => (place::solution(), collections.first().copied()),
        Place::Solution => (place::solution(), None),
    }
}

/// Merges a file that both sides changed.
fn file(
    path: &str,
    (component, shared): (Identity, Option<&'static str>),
    versions: &Versions,
    choices: &Choices,
    conflicts: &mut Vec<Conflict>,
) -> Option<Bytes> {
    if let (Some(ours), Some(theirs)) = (&versions.ours, &versions.theirs) {
        let mut desk = Desk {
            file: path,
            component: &component,
            shared,
            choices,
            conflicts: Vec::new(),
        };
        if let Some(text) = contents(&mut desk, versions.base.as_deref(), ours, theirs) {
            conflicts.extend(desk.conflicts);
            return Some(Bytes::from(text));
        }
    }
    let mut desk = Desk {
        file: path,
        component: &component,
        shared,
        choices,
        conflicts: Vec::new(),
    };
    let told = |data: &Option<Bytes>| data.as_deref().map(shown);
    let taken = desk.conflict(
        "",
        [
            told(&versions.base),
            told(&versions.ours),
            told(&versions.theirs),
        ],
    );
    conflicts.extend(desk.conflicts);
    match taken {
        Side::Base => versions.base.clone(),
        Side::Ours => versions.ours.clone(),
        Side::Theirs => versions.theirs.clone(),
    }
}

/// The merged text of a file; nothing if it can only be taken as a whole.
fn contents(
    desk: &mut Desk<'_>,
    base: Option<&[u8]>,
    ours: &[u8],
    theirs: &[u8],
) -> Option<String> {
    let text = |bytes: &[u8]| -> Option<String> {
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.contains('\0')).then(|| text.to_owned())
    };
    let (base, ours, theirs) = (text(base.unwrap_or_default())?, text(ours)?, text(theirs)?);
    // Both sides are compared with our line ends, so that a checkout is no change.
    let crlf = ours.contains("\r\n");
    let alike = |text: String| {
        let plain = text.replace("\r\n", "\n");
        if crlf {
            plain.replace('\n', "\r\n")
        } else {
            plain
        }
    };
    let (base, theirs) = (alike(base), alike(theirs));
    // What is XML on one side and no longer on the other is damaged there; lines would mix the two.
    let format = [&ours, &theirs, &base]
        .map(|text| Format::of(desk.file, text.as_bytes()))
        .into_iter()
        .find(|format| *format != Format::Text)
        .unwrap_or(Format::Text);
    // The XAML of a classic process is a program: two halves that fit as XML may not fit as steps.
    let is_program = desk.file.ends_with(".xaml");
    let structured = match format {
        Format::Xml | Format::Json if !is_program => {
            let held = desk.conflicts.len();
            let merged = node::merge(desk, format, &base, &ours, &theirs);
            if merged.is_none() {
                desk.conflicts.truncate(held);
            }
            merged
        }
        Format::Binary => return None,
        _ if is_program => return None,
        _ => None,
    };
    match (structured, format) {
        (Some(text), _) => Some(text),
        (None, Format::Text) => Some(lines::merge(desk, &base, &ours, &theirs)),
        (None, _) => None,
    }
}

fn shown(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => format!("{} bytes", data.len()),
    }
}

/// Where conflicts of one file are written down and decided.
struct Desk<'d> {
    file: &'d str,
    component: &'d Identity,
    /// For a file with several components, where they stand in it, see [`Place::Shared`].
    shared: Option<&'static str>,
    choices: &'d Choices,
    conflicts: Vec<Conflict>,
}

impl Desk<'_> {
    /// The component that a place belongs to: in a file with several, the one that is named there.
    fn component_at(&self, place: &str) -> Identity {
        let labels = if self.shared == Some("*") {
            place.split_once('/').map_or("", |(_, rest)| rest)
        } else if self.shared.is_some() {
            place
        } else {
            return self.component.clone();
        };
        let named = labels
            .split_once('[')
            .and_then(|(name, rest)| Some((name, rest.split_once(']')?.0)));
        match named {
            Some((name, key)) if !name.contains('/') => {
                Identity::new(ComponentType::named(name), key)
            }
            _ => self.component.clone(),
        }
    }

    /// Notes a conflict, its versions as base, ours and theirs, and tells which one to take.
    fn conflict(&mut self, place: &str, versions: [Option<String>; 3]) -> Side {
        let [base, ours, theirs] = versions;
        let component = self.component_at(place);
        let mut conflict = Conflict {
            component,
            file: self.file.to_owned(),
            place: place.to_owned(),
            base,
            ours,
            theirs,
            chosen: None,
        };
        conflict.chosen = self.choices.of(&conflict.component, &conflict.id());
        let taken = conflict.chosen.unwrap_or_default();
        self.conflicts.push(conflict);
        taken
    }
}

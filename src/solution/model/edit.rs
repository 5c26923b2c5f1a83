//! Changes a component where it stands, in a package or in a source tree, and nothing else.
//!
//! A [`Draft`] is a component with changes that were made to it. [`put`] makes the same changes in
//! the files: in `customizations.xml`, or in the component's own file and in its managed version.
//! Every byte that a change does not concern stays, also how an element is written.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use roxmltree::Document;
use serde::{Deserialize, Serialize};

use super::files::{Files, Kind};
use crate::problem::Problem;
use crate::solution::PackageError;
use crate::solution::component::fragment::{Wrapped, top, value, with_value};
use crate::solution::component::{
    Component, ComponentError, Identity, Payload, Place, code, type_name, variable_value,
};
use crate::solution::keyed::{Node, json};

/// Why a component was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The files do not have the component.
    #[error("there is no {kind} `{key}`")]
    NoComponent {
        /// What a person calls its kind.
        kind: String,
        /// Its key.
        key: String,
    },
    /// A component has nothing of the kind that should be set.
    #[error("the {kind} `{name}` has no {what}")]
    NoPlace {
        /// What a person calls its kind.
        kind: String,
        /// What a person calls it.
        name: String,
        /// What should be set.
        what: String,
    },
    /// The file is not written in UTF-8, so it is not changed.
    #[error("`{file}` is not in UTF-8 and can only be read")]
    Encoding {
        /// The file.
        file: String,
    },
    /// The components could not be found.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// A file could not be read or written.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl Problem for EditError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoComponent { .. } => "ALM-P161",
            Self::NoPlace { .. } => "ALM-P162",
            Self::Encoding { .. } => "ALM-P163",
            Self::Component(error) => error.code(),
            Self::Package(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoComponent { .. } => Some("`components()` lists what there is".into()),
            Self::NoPlace { .. } => None,
            Self::Encoding { .. } => Some("save the file as UTF-8 first".into()),
            Self::Component(error) => error.hint(),
            Self::Package(error) => error.hint(),
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Change {
    /// The value at a place of the element; `None` empties it.
    Value { place: String, new: Option<String> },
    /// The member of an object in a JSON component, by its JSON pointer, as JSON text.
    Json { pointer: String, new: String },
    /// A file of the payload.
    File { name: String, data: Vec<u8> },
}

/// A component with changes that were made to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    component: Component,
    /// The language of the labels that people see.
    language: u32,
    changes: Vec<Change>,
}

impl Draft {
    /// A component without changes. `language` is the code of the solution's base language, whose
    /// labels are set.
    pub fn new(component: Component, language: u32) -> Self {
        Self {
            component,
            language,
            changes: Vec::new(),
        }
    }

    /// The component with its changes.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// The base language.
    pub(super) fn language(&self) -> u32 {
        self.language
    }

    /// The value at a place of the element that defines the component: `StateCode`, `@Name`,
    /// `LocalizedNames/LocalizedName[languagecode=1033]/@description`.
    pub fn value(&self, place: &str) -> Option<String> {
        let wrapped = Wrapped::new(&self.component.fragment);
        let document = wrapped.document().ok()?;
        value(top(&document)?, place).map(str::to_owned)
    }

    /// Sets the value at a place; nothing empties an element and removes an attribute. What is
    /// missing at the end of the path is added.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] when the element has no such place, or it holds elements.
    pub fn set_value(&mut self, place: &str, new: Option<&str>) -> Result<(), EditError> {
        let changed = with_value_in(&self.component.fragment, place, new);
        self.component.fragment = changed.ok_or_else(|| self.no_place(place))?;
        self.changes.push(Change::Value {
            place: place.to_owned(),
            new: new.map(str::to_owned),
        });
        Ok(())
    }

    /// Sets a member of a component that is a JSON file.
    pub(super) fn set_json(&mut self, pointer: &str, new: String) -> Result<(), EditError> {
        let changed = with_json(&self.component.fragment, pointer, &new);
        self.component.fragment = changed.ok_or_else(|| self.no_place(pointer))?;
        self.changes.push(Change::Json {
            pointer: pointer.to_owned(),
            new,
        });
        Ok(())
    }

    /// The files that belong to the component beside its definition.
    pub fn files(&self) -> &[Payload] {
        &self.component.payload
    }

    /// Replaces a file of the component; of several the one whose name ends with `ending`.
    ///
    /// # Errors
    /// [`EditError::NoPlace`] when the component has no such file.
    pub fn set_file(&mut self, ending: &str, data: Vec<u8>) -> Result<(), EditError> {
        let name = self.component.payload_ending(ending);
        let name = name.map(|part| part.name.clone());
        let name = name.ok_or_else(|| self.no_place(&format!("file {ending}")))?;
        for part in &mut self.component.payload {
            if part.name == name {
                part.bytes.clone_from(&data);
            }
        }
        self.changes.push(Change::File { name, data });
        Ok(())
    }

    pub(super) fn no_place(&self, what: &str) -> EditError {
        EditError::NoPlace {
            kind: self.component.kind().to_owned(),
            name: self.component.display_name.clone(),
            what: what.to_owned(),
        }
    }

    pub(super) fn rename(&mut self, name: &str) {
        self.component.display_name = name.to_owned();
    }
}

/// Makes the changes of drafts in `files`.
///
/// # Errors
/// [`EditError::NoComponent`] when a draft's component is not there; else as reading. `files` stay
/// as they were then.
pub fn put<F: Files>(files: &mut F, drafts: &[Draft]) -> Result<(), EditError> {
    let mut changed = files.clone();
    let wanted: HashSet<Identity> = drafts
        .iter()
        .map(|draft| draft.component.identity())
        .collect();
    let by_identity: HashMap<Identity, &Draft> = drafts
        .iter()
        .map(|draft| (draft.component.identity(), draft))
        .collect();
    let spots = locate(files, &wanted)?;
    let mut by_file: HashMap<&str, Vec<&Spot>> = HashMap::new();
    for spot in &spots {
        by_file.entry(&spot.file).or_default().push(spot);
    }
    for (file, spots) in by_file {
        let bytes = files.content(file).unwrap_or_default();
        let (lead, text) = editable(file, &bytes)?;
        let mut text = text.to_owned();
        // From the end, so that what is changed moves nothing that is still to be changed; a
        // column grows the table around it.
        let mut ordered = spots;
        ordered.sort_by_key(|spot| std::cmp::Reverse(spot.range.start));
        let mut grown: Vec<(usize, isize)> = Vec::new();
        for spot in ordered {
            let draft = by_identity[&spot.identity];
            let inside = grown.iter().filter(|(start, _)| *start < spot.range.end);
            let growth: isize = inside.map(|(_, by)| by).sum();
            let range = spot.range.start..spot.range.end.saturating_add_signed(growth);
            let new = draft
                .applied_to(&text[range.clone()])
                .ok_or_else(|| draft.no_place("place for this change"))?;
            grown.push((range.start, new.len() as isize - range.len() as isize));
            text.replace_range(range, &new);
        }
        changed.set(file, [&bytes[..lead], text.as_bytes()].concat())?;
    }
    for change in drafts.iter().flat_map(|draft| &draft.changes) {
        if let Change::File { name, data } = change {
            changed.set(name, data.clone())?;
        }
    }
    *files = changed;
    Ok(())
}

impl Draft {
    /// The changes made in the text of the component's element or file.
    fn applied_to(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for change in &self.changes {
            text = match change {
                Change::Value { place, new } => with_value_in(&text, place, new.as_deref())?,
                Change::Json { pointer, new } => with_json(&text, pointer, new)?,
                Change::File { .. } => continue,
            };
        }
        Some(text)
    }
}

/// Where a component stands.
#[derive(Debug)]
pub(super) struct Spot {
    pub identity: Identity,
    pub file: String,
    /// Its element in the text of the file, which begins behind the byte-order mark.
    pub range: Range<usize>,
    /// Whether the file holds nothing but it.
    pub alone: bool,
}

/// Where components stand: each at one place, or at two in a tree of both kinds.
pub(super) fn locate<F: Files>(
    files: &F,
    wanted: &HashSet<Identity>,
) -> Result<Vec<Spot>, EditError> {
    let mut spots = Vec::new();
    for all in [false, true] {
        spots = spots_in(files, wanted, all)?;
        let found: HashSet<&Identity> = spots.iter().map(|spot| &spot.identity).collect();
        if found.len() == wanted.len() {
            return Ok(spots);
        }
    }
    let found: HashSet<&Identity> = spots.iter().map(|spot| &spot.identity).collect();
    match wanted.iter().find(|identity| !found.contains(identity)) {
        Some(missing) => Err(EditError::NoComponent {
            kind: type_name(&missing.component_type).to_owned(),
            key: missing.key.clone(),
        }),
        None => Ok(spots),
    }
}

fn spots_in<F: Files>(
    files: &F,
    wanted: &HashSet<Identity>,
    all: bool,
) -> Result<Vec<Spot>, EditError> {
    let mut spots = Vec::new();
    for (file, home) in files.homes(wanted, all) {
        let bytes = files.content(&file).unwrap_or_default();
        let standing = match home.0 {
            Kind::Whole(identity) => {
                let mark = bytes.starts_with(b"\xef\xbb\xbf");
                spots.push(Spot {
                    identity,
                    range: 0..bytes.len() - if mark { 3 } else { 0 },
                    file,
                    alone: true,
                });
                continue;
            }
            Kind::Document(standing) => standing,
        };
        let (_, text) = editable(&file, &bytes)?;
        let document = Document::parse(text).map_err(|error| ComponentError::Xml {
            part: file.clone(),
            reason: error.to_string(),
        })?;
        for (identity, range) in standing.find(&document, wanted)? {
            let alone = range == document.root_element().range() || standing.is_of_one();
            spots.push(Spot {
                identity,
                file: file.clone(),
                range,
                alone,
            });
        }
    }
    Ok(spots)
}

/// The text of a file that can be changed, and how many bytes stand before it.
pub(super) fn editable<'b>(file: &str, bytes: &'b [u8]) -> Result<(usize, &'b str), EditError> {
    let text = std::str::from_utf8(bytes).map_err(|_| EditError::Encoding {
        file: file.to_owned(),
    })?;
    let body = text.trim_start_matches('\u{feff}');
    Ok((text.len() - body.len(), body))
}

/// A fragment or a whole file with the value at a place set; what stands before its element stays.
fn with_value_in(text: &str, place: &str, new: Option<&str>) -> Option<String> {
    let body = text.trim_start_matches('\u{feff}');
    let body = match body.strip_prefix("<?xml").and_then(|rest| rest.find("?>")) {
        Some(end) => &body[end + 7..],
        None => body,
    };
    let lead = &text[..text.len() - body.len()];
    Some(format!("{lead}{}", with_value(body, place, new)?))
}

/// A JSON text with the value at a pointer replaced.
fn with_json(text: &str, pointer: &str, new: &str) -> Option<String> {
    let document = json::read(text).ok()?;
    let mut node: &Node<'_> = &document.root;
    for step in pointer.split('/').skip(1) {
        node = node.child(step)?;
    }
    let end = node.at + node.whole.len();
    let start = node.at + node.head.len();
    // Between the name and the value there may be space, which belongs to the name.
    Some(format!("{}{new}{}", &text[..start], &text[end..]))
}

/// Gives the environment variable `schema_name` a current value in `files`: the value that is
/// there is changed, or one is added. The id of a new one is made from the name, since nothing here
/// may be random: every package that gives this variable a value gives it the same row.
///
/// # Errors
/// [`EditError::NoComponent`] when `components` do not have the variable.
pub fn set_variable_value<F: Files>(
    files: &mut F,
    components: &[Component],
    schema_name: &str,
    value: &str,
) -> Result<(), EditError> {
    let find = |number: u16| {
        let wanted = Identity::coded(number, schema_name);
        components
            .iter()
            .find(|component| component.identity() == wanted)
    };
    if let Some(current) = find(code::VARIABLE_VALUE) {
        let mut draft = Draft::new(current.clone(), 0);
        draft.set_current_value(value)?;
        return put(files, &[draft]);
    }
    let definition = find(code::VARIABLE).ok_or_else(|| EditError::NoComponent {
        kind: "environment variable".to_owned(),
        key: schema_name.to_owned(),
    })?;
    let name = match &definition.place {
        Place::Part(part) => part.split('/').nth(1).unwrap_or(schema_name),
        _ => schema_name,
    };
    let row = format!("environmentvariablevalue/{}", name.to_lowercase());
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, row.as_bytes());
    let made = variable_value(name, id, value);
    if let Place::Part(path) = &made.place {
        files.set(path, made.fragment.into_bytes())?;
    }
    Ok(())
}

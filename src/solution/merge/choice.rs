//! What a person must decide after a merge, in words: which component, where in it, and what each
//! side has there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Conflict, Merged};
use crate::solution::component::Identity;
use crate::solution::diff::words::{Spot, spot};
use crate::solution::diff::{ComponentDiff, diff, render};
use crate::solution::keyed::with_document;
use crate::solution::{PackageError, SourceTree};

/// The conflicts of one component as the choice that a person makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentChoice {
    /// Which component.
    #[serde(flatten)]
    pub component: Identity,
    /// What a person calls it: `form Information of contoso_permit`.
    pub name: String,
    /// What our side did to it, in sentences.
    pub ours: Vec<String>,
    /// What their side did to it.
    pub theirs: Vec<String>,
    /// Where both sides did different things.
    pub conflicts: Vec<Decision>,
}

/// One place where both sides did different things, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// See [`Conflict::id`].
    pub id: String,
    /// Where: `column contoso_fee: type`.
    pub place: String,
    /// What the ancestor has there; nothing if it has no such piece.
    pub base: Option<String>,
    /// What our side has there; nothing if it has no such piece any more.
    pub ours: Option<String>,
    /// What their side has there.
    pub theirs: Option<String>,
}

/// Groups what must still be decided by component and tells what each side did.
///
/// # Errors
/// [`PackageError::NotATree`] if one of the trees has no manifest.
pub fn choices(
    merged: &Merged,
    base: &SourceTree,
    ours: &SourceTree,
    theirs: &SourceTree,
) -> Result<Vec<ComponentChoice>, PackageError> {
    let mut open: BTreeMap<&Identity, Vec<&Conflict>> = BTreeMap::new();
    for conflict in merged
        .conflicts
        .iter()
        .filter(|conflict| conflict.chosen.is_none())
    {
        open.entry(&conflict.component).or_default().push(conflict);
    }
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let (our_diff, their_diff) = (diff(base, ours)?, diff(base, theirs)?);
    let find = |list: &'_ [ComponentDiff], identity: &Identity| -> Option<ComponentDiff> {
        list.iter()
            .find(|component| component.identity == *identity)
            .cloned()
    };
    Ok(open
        .into_iter()
        .map(|(identity, conflicts)| {
            let sides = Sides {
                trees: [base, ours, theirs],
                ours: find(&our_diff.components, identity),
                theirs: find(&their_diff.components, identity),
            };
            let told = |side: &Option<ComponentDiff>| {
                side.as_ref().map(render::sentences).unwrap_or_default()
            };
            let named = sides.ours.as_ref().or(sides.theirs.as_ref());
            ComponentChoice {
                component: identity.clone(),
                name: named.map_or_else(|| identity.to_string(), render::heading),
                ours: told(&sides.ours),
                theirs: told(&sides.theirs),
                conflicts: conflicts
                    .into_iter()
                    .map(|conflict| sides.decision(conflict))
                    .collect(),
            }
        })
        .collect())
}

/// The three trees, and what both sides did to one component.
struct Sides<'a> {
    trees: [&'a SourceTree; 3],
    ours: Option<ComponentDiff>,
    theirs: Option<ComponentDiff>,
}

impl Sides<'_> {
    /// A conflict in words.
    fn decision(&self, conflict: &Conflict) -> Decision {
        let (place, [base, ours, theirs]) = if conflict.place.is_empty() {
            self.whole_file(conflict)
        } else {
            self.piece(conflict)
        };
        Decision {
            id: conflict.id(),
            place,
            base,
            ours,
            theirs,
        }
    }

    /// What each side did to a file that is taken as a whole.
    fn whole_file(&self, conflict: &Conflict) -> (String, [Option<String>; 3]) {
        let did = |side: &Option<ComponentDiff>, content: &Option<String>| {
            let content = content.as_ref()?;
            let changes = side.iter().flat_map(|component| &component.changes);
            let told: Vec<String> = changes
                .filter(|change| change.file == conflict.file && change.lines.is_none())
                .map(render::sentence)
                .collect();
            Some(match told.as_slice() {
                [] => amount(content),
                told => told.join("; "),
            })
        };
        let values = [
            conflict.base.as_deref().map(amount),
            did(&self.ours, &conflict.ours),
            did(&self.theirs, &conflict.theirs),
        ];
        (format!("the whole file {}", file_name(conflict)), values)
    }

    /// What each side has at a place in a document.
    fn piece(&self, conflict: &Conflict) -> (String, [Option<String>; 3]) {
        let raw = [&conflict.base, &conflict.ours, &conflict.theirs];
        let spots = self.trees.map(|tree| spot_in(tree, conflict));
        // A side that has the place names it best.
        let has_it = |spot: &&Spot| spot.value.is_some();
        let by_choice = [1, 2, 0]
            .into_iter()
            .filter_map(|side| spots[side].as_ref());
        let named = by_choice.clone().find(has_it).or(by_choice.clone().next());
        let place = match named.map(|spot| spot.place.as_str()) {
            Some("") => "all of it".to_owned(),
            Some(place) => place.to_owned(),
            None => format!("{} of {}", conflict.place, file_name(conflict)),
        };
        let value = |side: usize| {
            let raw = raw[side].as_ref()?;
            let spot = spots[side].as_ref();
            let in_words = spot.and_then(|spot| spot.value.clone());
            Some(in_words.unwrap_or_else(|| render::readable("", raw.clone())))
        };
        (place, [value(0), value(1), value(2)])
    }
}

fn file_name(conflict: &Conflict) -> &str {
    let path = &conflict.file;
    path.rsplit('/').next().unwrap_or(path)
}

/// How much there is of a file whose content nobody wants to read in a line.
fn amount(content: &str) -> String {
    match content.lines().count() {
        // Bytes that are no text are told by their number already.
        0 | 1 => render::readable("", content.to_owned()),
        lines => format!("a file of {lines} lines"),
    }
}

fn spot_in(tree: &SourceTree, conflict: &Conflict) -> Option<Spot> {
    let data = tree.get(&conflict.file)?;
    with_document(&conflict.file, data, |document, _| {
        spot(&document.root, &conflict.place, &conflict.component.key)
    })
    .ok()?
}

//! Gathers the files that differ into components and tells what differs in each.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rayon::prelude::*;

use super::words::{self, Texts};
use super::{Change, ComponentDiff, Status, What, canvas, lines, vocabulary};
use crate::solution::canvas::is_mirror;
use crate::solution::component::{ComponentType, Identity};
use crate::solution::keyed::compare::{align, compare as compare_nodes};
use crate::solution::keyed::{Node, with_document};
use crate::solution::model::place::{self, Place};
use crate::solution::{Limits, NestedBudget, SOLUTION_FILE, SourceTree};

/// The files of one component that differ, by what they are for.
#[derive(Default)]
struct Group {
    /// Role to path on the old and on the new side.
    roles: BTreeMap<String, (Option<String>, Option<String>)>,
    /// The files that make it exist, by side.
    main: (Option<String>, Option<String>),
}

/// All components that differ, in no particular order.
pub(super) fn compare(old: &SourceTree, new: &SourceTree) -> Vec<ComponentDiff> {
    let mut groups: BTreeMap<Identity, Group> = BTreeMap::new();
    let mut shared: BTreeMap<String, &'static [&'static str]> = BTreeMap::new();
    for path in differing(old, new) {
        for (is_new, tree) in [(false, old), (true, new)] {
            if tree.get(&path).is_none() {
                continue;
            }
            let (identity, role, main) = match place::of(tree, &path) {
                Place::Of {
                    identity,
                    role,
                    main,
                } => (identity, role, main),
                Place::Solution => (place::solution(), path.clone(), SOLUTION_FILE.to_owned()),
                Place::Shared(collections) => {
                    shared.insert(path.clone(), collections);
                    continue;
                }
            };
            let group = groups.entry(identity).or_default();
            let files = group.roles.entry(role).or_default();
            if is_new {
                (files.1, group.main.1) = (Some(path.clone()), Some(main));
            } else {
                (files.0, group.main.0) = (Some(path.clone()), Some(main));
            }
        }
    }
    let budget = NestedBudget::new(&Limits::default());
    let groups: Vec<_> = groups.into_iter().collect();
    let mut found: Vec<ComponentDiff> = groups
        .into_par_iter()
        .filter_map(|(identity, group)| group.told(identity, old, new, &budget))
        .collect();
    for (path, collections) in shared {
        found.extend(in_shared(&path, collections, (old, new), &budget));
    }
    // Pieces of `Other/Customizations.xml` that are no components belong to the solution, too.
    merge_doubles(found)
}

fn differing(old: &SourceTree, new: &SourceTree) -> BTreeSet<String> {
    let paths: BTreeSet<&str> = old.paths().chain(new.paths()).collect();
    paths
        .into_iter()
        // The copy of a canvas app says nothing that the app itself does not say.
        .filter(|path| !is_mirror(path) && old.get(path) != new.get(path))
        .map(str::to_owned)
        .collect()
}

/// One entry for each component, whichever files told about it.
fn merge_doubles(found: Vec<ComponentDiff>) -> Vec<ComponentDiff> {
    let mut merged: BTreeMap<Identity, ComponentDiff> = BTreeMap::new();
    for component in found {
        match merged.get_mut(&component.identity) {
            Some(known) => {
                if known.status != component.status {
                    known.status = Status::Changed;
                }
                known.changes.extend(component.changes);
                known.details.extend(component.details);
                known.files.extend(component.files);
            }
            None => {
                merged.insert(component.identity.clone(), component);
            }
        }
    }
    merged.into_values().collect()
}

impl Group {
    /// Lays the plain file of one side beside the managed twin of the other, when each has only
    /// that one: a managed package has its forms under the names of twins (facts §10).
    fn pair_twins(&mut self) {
        let plain: Vec<String> = self.roles.keys().cloned().collect();
        for role in plain {
            let twin = format!("managed {role}");
            let paired = match (self.roles.get(&role), self.roles.get(&twin)) {
                (Some((Some(old), None)), Some((None, Some(new))))
                | (Some((None, Some(new))), Some((Some(old), None))) => {
                    (Some(old.clone()), Some(new.clone()))
                }
                _ => continue,
            };
            self.roles.remove(&twin);
            self.roles.insert(role, paired);
        }
    }

    /// Whether a side has the component at all, whether its file differs or not.
    fn exists(&self, tree: &SourceTree, is_new: bool) -> bool {
        let own = if is_new { &self.main.1 } else { &self.main.0 };
        let any = [own, &self.main.0, &self.main.1];
        any.into_iter().flatten().any(|main| {
            let stem = main.strip_suffix(".xml").unwrap_or(main);
            let stem = stem.strip_suffix("_managed").unwrap_or(stem);
            [
                main.clone(),
                format!("{stem}.xml"),
                format!("{stem}_managed.xml"),
            ]
            .iter()
            .any(|path| tree.get(path).is_some())
        }) || self
            .roles
            .values()
            .any(|(old, new)| if is_new { new.is_some() } else { old.is_some() })
    }

    fn told(
        mut self,
        identity: Identity,
        old: &SourceTree,
        new: &SourceTree,
        budget: &NestedBudget,
    ) -> Option<ComponentDiff> {
        self.pair_twins();
        let status = match (self.exists(old, false), self.exists(new, true)) {
            (false, _) => Status::Added,
            (_, false) => Status::Removed,
            _ => Status::Changed,
        };
        let (tree, main) = match status {
            Status::Removed => (old, self.main.0.as_deref()),
            _ => (new, self.main.1.as_deref().or(self.main.0.as_deref())),
        };
        let main = main.unwrap_or_default();
        let mut changes = Vec::new();
        let mut details = Vec::new();
        let mut files = Vec::new();
        for (before, after) in self.roles.values() {
            let path = after
                .as_ref()
                .or(before.as_ref())
                .map_or("", String::as_str);
            let data = |tree: &SourceTree, path: &Option<String>| {
                path.as_ref().and_then(|path| tree.shared(path))
            };
            let pair = (data(old, before), data(new, after));
            if status == Status::Changed {
                let told = in_file(path, &pair, budget);
                if !told.is_empty() {
                    files.push(path.to_owned());
                }
                changes.extend(told);
            } else {
                files.push(path.to_owned());
                if let Some(data) = pair.1.or(pair.0) {
                    details.extend(words::details(path, &data));
                }
            }
        }
        if status == Status::Changed && changes.is_empty() {
            return None;
        }
        Some(ComponentDiff {
            kind: words::kind_of(&identity, tree, main, &files),
            name: place::name_of(tree, main).unwrap_or_else(|| identity.key.clone()),
            table: place::table_of(main)
                .filter(|_| identity.component_type != ComponentType::Code(1))
                .map(str::to_lowercase),
            identity,
            status,
            details,
            changes,
            files,
        })
    }
}

/// What differs in a file that at least one side has.
fn in_file(
    path: &str,
    pair: &(Option<Bytes>, Option<Bytes>),
    budget: &NestedBudget,
) -> Vec<Change> {
    match pair {
        (Some(old), Some(new)) => in_both(path, old, new, budget),
        (Some(_), None) => vec![whole_file(path, What::Removed)],
        (None, Some(_)) => vec![whole_file(path, What::Added)],
        (None, None) => Vec::new(),
    }
}

fn whole_file(path: &str, what: What) -> Change {
    Change {
        what,
        subject: format!("file {}", path.rsplit('/').next().unwrap_or(path)),
        within: String::new(),
        property: String::new(),
        old: None,
        new: None,
        lines: None,
        file: path.to_owned(),
        line: None,
        place: String::new(),
    }
}

fn in_both(path: &str, old: &[u8], new: &[u8], budget: &NestedBudget) -> Vec<Change> {
    if path.ends_with(".msapp")
        && let Some(changes) = canvas::compare(path, old, new, budget)
    {
        return changes;
    }
    let structured = with_document(path, old, |before, old_text| {
        with_document(path, new, |after, new_text| {
            let texts = Texts {
                file: path,
                old: old_text,
                new: new_text,
            };
            words::tell(
                &compare_nodes(&before.root, &after.root),
                &texts,
                &before.root,
            )
        })
    });
    match structured {
        Ok(Some(Ok(Some(changes)))) => changes,
        _ => lines::compare(path, old, new).into_iter().collect(),
    }
}

/// What differs in a file that holds several components.
fn in_shared(
    path: &str,
    collections: &[&str],
    (old, new): (&SourceTree, &SourceTree),
    budget: &NestedBudget,
) -> Vec<ComponentDiff> {
    let empty = "<none />";
    let bytes = |tree: &SourceTree| tree.shared(path).unwrap_or_else(|| Bytes::from(empty));
    let (before, after) = (bytes(old), bytes(new));
    let told = with_document(path, &before, |old_document, old_text| {
        with_document(path, &after, |new_document, new_text| {
            let texts = Texts {
                file: path,
                old: old_text,
                new: new_text,
            };
            let (old, new) = (&old_document.root, &new_document.root);
            if collections == [""] {
                in_collection(old, new, &texts)
            } else {
                in_collections(old, new, &texts)
            }
        })
    });
    match told {
        Ok(Some(Ok(Some(told)))) => told,
        _ => vec![of_solution(in_file(
            path,
            &(old.shared(path), new.shared(path)),
            budget,
        ))],
    }
}

/// Each child of the root is a collection, or a setting of the solution.
fn in_collections<'n>(
    old: &'n Node<'n>,
    new: &'n Node<'n>,
    texts: &Texts<'_>,
) -> Vec<ComponentDiff> {
    let mut found = Vec::new();
    for (before, after) in align(old.children(), new.children()) {
        let Some(either) = after.or(before) else {
            continue;
        };
        let is_same = match (before, after) {
            (Some(before), Some(after)) => before.same(after),
            // A placeholder says where components stand, which their own files say too.
            _ => either.children().is_empty() && either.value().is_none(),
        };
        if is_same {
            continue;
        }
        let keyed = [before, after]
            .into_iter()
            .flatten()
            .flat_map(Node::children)
            .all(|child| child.key.is_some() && child.value().is_none());
        if keyed {
            let none = empty_like(either);
            found.extend(in_collection(
                before.unwrap_or(&none),
                after.unwrap_or(&none),
                texts,
            ));
        } else {
            let none = empty_like(either);
            let (before, after) = (before.unwrap_or(&none), after.unwrap_or(&none));
            let changes = words::tell(&compare_nodes(before, after), texts, old);
            found.push(of_solution(changes));
        }
    }
    found.retain(|component| !component.changes.is_empty() || component.status != Status::Changed);
    found
}

/// A collection without components, to compare one with that only one side has.
fn empty_like<'n>(node: &Node<'n>) -> Node<'n> {
    let mut none = node.clone();
    none.content = crate::solution::keyed::Content::Nothing;
    none.attributes = Vec::new();
    none.whole = "";
    none
}

fn of_solution(changes: Vec<Change>) -> ComponentDiff {
    let mut files: Vec<String> = changes.iter().map(|change| change.file.clone()).collect();
    files.dedup();
    ComponentDiff {
        identity: place::solution(),
        kind: "solution".to_owned(),
        name: "settings of the solution".to_owned(),
        table: None,
        status: Status::Changed,
        details: Vec::new(),
        changes,
        files,
    }
}

/// Each child is a component.
fn in_collection(old: &Node<'_>, new: &Node<'_>, texts: &Texts<'_>) -> Vec<ComponentDiff> {
    let mut found = Vec::new();
    for (before, after) in align(old.children(), new.children()) {
        let Some(either) = after.or(before) else {
            continue;
        };
        let (status, changes) = match (before, after) {
            (Some(before), Some(after)) => {
                let changes = words::tell(&compare_nodes(before, after), texts, before);
                (Status::Changed, changes)
            }
            (None, _) => (Status::Added, Vec::new()),
            (_, None) => (Status::Removed, Vec::new()),
        };
        if status == Status::Changed && changes.is_empty() {
            continue;
        }
        let key = either.key.clone().unwrap_or_else(|| either.label());
        let identity = Identity::new(ComponentType::named(&either.name), &key);
        found.push(ComponentDiff {
            kind: words::label(&identity),
            name: place::name_in(either).unwrap_or(key),
            identity,
            table: None,
            status,
            details: if status == Status::Changed {
                Vec::new()
            } else {
                let about = words::about(either).map(|about| match &*either.name {
                    "connectionreference" => {
                        format!("connector {}", vocabulary::connector(&about))
                    }
                    _ => about,
                });
                about.into_iter().collect()
            },
            changes,
            files: vec![texts.file.to_owned()],
        });
    }
    found
}

//! Lines up the pieces of three lists and finds the order of the merged one.

use std::collections::{BTreeSet, HashMap};

use super::Side;
use crate::solution::keyed::{Id, Node};

/// The versions of one piece.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry<'n> {
    /// In the ancestor.
    pub base: Option<&'n Node<'n>>,
    /// On our side.
    pub ours: Option<&'n Node<'n>>,
    /// On their side.
    pub theirs: Option<&'n Node<'n>>,
}

/// Pieces of one name that only their position tells apart.
pub(super) struct Loose {
    /// Their name; empty for items of an array.
    pub name: String,
}

/// The order of the merged list, as numbers of entries.
pub(super) enum Order {
    /// There is one.
    Agreed(Vec<usize>),
    /// Both sides put the pieces into another order: ours, theirs.
    Contested(Vec<usize>, Vec<usize>),
}

/// Three lists, lined up.
pub(super) struct Plan<'n> {
    entries: Vec<Entry<'n>>,
    lists: [Vec<usize>; 3],
}

impl<'n> Plan<'n> {
    /// Lines up three lists by the identity of their pieces.
    pub fn new(base: &'n [Node<'n>], ours: &'n [Node<'n>], theirs: &'n [Node<'n>]) -> Self {
        let mut known: HashMap<Id<'n>, usize> = HashMap::new();
        let mut entries: Vec<Entry<'n>> = Vec::new();
        let lists = [base, ours, theirs].map(|list| {
            list.iter()
                .map(|node| {
                    *known.entry(node.id()).or_insert_with(|| {
                        entries.push(Entry::default());
                        entries.len() - 1
                    })
                })
                .collect::<Vec<usize>>()
        });
        for (list, (nodes, side)) in lists.iter().zip([
            (base, Side::Base),
            (ours, Side::Ours),
            (theirs, Side::Theirs),
        ]) {
            for (id, node) in list.iter().zip(nodes) {
                match side {
                    Side::Base => entries[*id].base = Some(node),
                    Side::Ours => entries[*id].ours = Some(node),
                    Side::Theirs => entries[*id].theirs = Some(node),
                }
            }
        }
        Self { entries, lists }
    }

    /// The versions of a piece.
    pub fn entry(&self, id: usize) -> Entry<'n> {
        self.entries[id]
    }

    /// What a person calls a piece.
    pub fn label(&self, id: usize) -> String {
        let entry = &self.entries[id];
        let node = entry.ours.or(entry.theirs).or(entry.base);
        node.map(Node::label).unwrap_or_default()
    }

    /// The names of pieces that only their position tells apart, on any side.
    pub fn loose_groups(&self) -> Vec<Loose> {
        let names: BTreeSet<&str> = self
            .entries
            .iter()
            .flat_map(|entry| [entry.base, entry.ours, entry.theirs])
            .flatten()
            .filter(|node| node.positional)
            .map(|node| &*node.name)
            .collect();
        names
            .into_iter()
            .map(|name| Loose {
                name: name.to_owned(),
            })
            .collect()
    }

    /// The pieces of a group: in the ancestor, on our side, on their side.
    #[allow(clippy::type_complexity)] // Three lists of the same kind; a name would say no more.
    pub fn loose(
        &self,
        group: &Loose,
    ) -> (Vec<&'n Node<'n>>, Vec<&'n Node<'n>>, Vec<&'n Node<'n>>) {
        let pick = |list: &[usize], of: fn(&Entry<'n>) -> Option<&'n Node<'n>>| {
            list.iter()
                .filter_map(|id| of(&self.entries[*id]))
                .filter(|node| node.key.is_none() && node.name == group.name)
                .collect()
        };
        (
            pick(&self.lists[0], |entry| entry.base),
            pick(&self.lists[1], |entry| entry.ours),
            pick(&self.lists[2], |entry| entry.theirs),
        )
    }

    /// Takes all pieces of a group from one side.
    pub fn take_loose(&mut self, group: &Loose, side: Side) {
        for entry in &mut self.entries {
            let any = entry.base.or(entry.ours).or(entry.theirs);
            if !any.is_some_and(|node| node.key.is_none() && node.name == group.name) {
                continue;
            }
            let taken = match side {
                Side::Base => entry.base,
                Side::Ours => entry.ours,
                Side::Theirs => entry.theirs,
            };
            *entry = Entry {
                base: taken,
                ours: taken,
                theirs: taken,
            };
        }
    }

    /// Whether a piece is still there after the merge, or may be.
    fn lives(&self, id: usize) -> bool {
        let entry = &self.entries[id];
        match (entry.base, entry.ours, entry.theirs) {
            (_, Some(_), Some(_)) | (None, Some(_), None) | (None, None, Some(_)) => true,
            // Deleted on one side: it lives on if the other side changed it and so is contested.
            (Some(base), Some(left), None) | (Some(base), None, Some(left)) => !left.same(base),
            _ => false,
        }
    }

    /// The order of the pieces that live.
    pub fn order(&self, ordered: bool) -> Order {
        let shared = |id: &usize| {
            let entry = &self.entries[*id];
            entry.base.is_some() && entry.ours.is_some() && entry.theirs.is_some()
        };
        let sequence = |list: usize| -> Vec<usize> {
            self.lists[list].iter().copied().filter(shared).collect()
        };
        let (base, ours, theirs) = (sequence(0), sequence(1), sequence(2));
        let (we_moved, they_moved) = (base != ours, base != theirs);
        if we_moved && they_moved && ours != theirs && ordered {
            return Order::Contested(self.woven(1, 2), self.woven(2, 1));
        }
        Order::Agreed(if they_moved && !we_moved {
            self.woven(2, 1)
        } else {
            self.woven(1, 2)
        })
    }

    /// The living pieces in the order of one list, with those that only the other list has put
    /// behind the piece that they follow there. Where both lists add at the same place, the names
    /// decide, so that it does not matter which side is ours.
    fn woven(&self, ground: usize, other: usize) -> Vec<usize> {
        let living = |list: usize| -> Vec<usize> {
            let ids = self.lists[list].iter().copied();
            ids.filter(|id| self.lives(*id)).collect()
        };
        let mut result = living(ground);
        let in_ground: BTreeSet<usize> = result.iter().copied().collect();
        let others = living(other);
        let in_other: BTreeSet<usize> = others.iter().copied().collect();
        let mut at = 0;
        while at < others.len() {
            if in_ground.contains(&others[at]) {
                at += 1;
                continue;
            }
            let length = others[at..]
                .iter()
                .take_while(|id| !in_ground.contains(id))
                .count();
            let run = &others[at..at + length];
            let mut place = match at.checked_sub(1) {
                Some(before) => result
                    .iter()
                    .position(|id| *id == others[before])
                    .map_or(0, |found| found + 1),
                None => 0,
            };
            let rival = result[place..]
                .iter()
                .take_while(|id| !in_other.contains(id))
                .count();
            if rival > 0 && self.label(result[place]) < self.label(run[0]) {
                place += rival;
            }
            result.splice(place..place, run.iter().copied());
            at += length;
        }
        result
    }
}

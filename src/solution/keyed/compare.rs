//! What differs between two documents, by the identity of their pieces.
//!
//! Nothing that means something is passed over: whatever the rules below do not name is reported
//! at the outermost piece.

use std::collections::HashMap;

use super::{Content, Form, Id, Node, order_matters};

/// What happened to a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its text or scalar is another one.
    Changed,
    /// It is somewhere else: a field in another section, a step in another branch.
    Moved,
    /// The pieces inside it have another order.
    Reordered,
}

/// One difference.
#[derive(Debug, Clone)]
pub(crate) struct Change<'n> {
    /// What happened.
    pub kind: Kind,
    /// The pieces around it, from the outermost inwards, and it itself; in the new document unless
    /// it was removed.
    pub path: Vec<&'n Node<'n>>,
    /// Where it was before it moved.
    pub from: Option<Vec<&'n Node<'n>>>,
    /// The old piece.
    pub old: Option<&'n Node<'n>>,
    /// The new piece.
    pub new: Option<&'n Node<'n>>,
}

/// Compares two documents by meaning; no change means that they mean the same.
pub(crate) fn compare<'n>(old: &'n Node<'n>, new: &'n Node<'n>) -> Vec<Change<'n>> {
    let mut comparison = Comparison {
        before: wanderers(old),
        after: wanderers(new),
        changes: Vec::new(),
        path: vec![new],
    };
    if old.name == new.name {
        comparison.node(old, new);
    }
    if comparison.changes.is_empty() && !old.same(new) {
        comparison.push(Kind::Changed, Some(old), Some(new));
    }
    comparison.changes
}

/// Pieces that people move from one place to another, by what identifies them in the whole
/// document, with the path to them.
type Wanderers<'n> = HashMap<(&'n str, &'n str), Vec<&'n Node<'n>>>;

fn wanderers<'n>(root: &'n Node<'n>) -> Wanderers<'n> {
    fn walk<'n>(
        node: &'n Node<'n>,
        path: &mut Vec<&'n Node<'n>>,
        found: &mut HashMap<(&'n str, &'n str), Option<Vec<&'n Node<'n>>>>,
    ) {
        path.push(node);
        if let Some(mark) = wanderer(path) {
            // A mark that is met twice identifies nothing.
            found
                .entry(mark)
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(path.clone()));
        }
        for child in node.children() {
            walk(child, path, found);
        }
        path.pop();
    }
    let mut found = HashMap::new();
    walk(root, &mut Vec::new(), &mut found);
    found
        .into_iter()
        .filter_map(|(mark, path)| Some((mark, path?)))
        .collect()
}

/// The mark of the last piece of a path, if it is one that people move.
fn wanderer<'n>(path: &[&'n Node<'n>]) -> Option<(&'n str, &'n str)> {
    let (node, above) = path.split_last()?;
    let parent = above.last()?;
    match (node.form, &*node.name) {
        (Form::Element, "cell") if parent.name == "row" && node.attribute("id").is_some() => {
            Some(("cell", node.key.as_deref()?))
        }
        (Form::Element, name @ ("section" | "SubArea" | "Group")) => {
            Some((name, node.key.as_deref()?))
        }
        // Names of a flow's actions are unique in the whole flow.
        (Form::Json, name) if parent.name == "actions" && parent.mid == "{" => {
            Some(("action", name))
        }
        _ => None,
    }
}

/// What a person means by the place of a piece: the section of a field, the branch of a step.
fn surroundings(path: &[&Node<'_>]) -> String {
    let above = &path[..path.len().saturating_sub(1)];
    let labels: Vec<String> = above
        .iter()
        .filter(|node| {
            !matches!(
                &*node.name,
                "row" | "rows" | "column" | "columns" | "sections"
            )
        })
        .map(|node| node.label())
        .collect();
    labels.join("/")
}

struct Comparison<'n> {
    before: Wanderers<'n>,
    after: Wanderers<'n>,
    changes: Vec<Change<'n>>,
    path: Vec<&'n Node<'n>>,
}

impl<'n> Comparison<'n> {
    fn push(&mut self, kind: Kind, old: Option<&'n Node<'n>>, new: Option<&'n Node<'n>>) {
        self.changes.push(Change {
            kind,
            path: self.path.clone(),
            from: None,
            old,
            new,
        });
    }

    /// Compares two pieces that are the same one; `path` ends with the new one.
    fn node(&mut self, old: &'n Node<'n>, new: &'n Node<'n>) {
        if old.whole == new.whole {
            return;
        }
        self.attributes(old, new);
        let shapes_differ =
            old.is_container() != new.is_container() || (old.is_container() && old.mid != new.mid);
        let plain = |node: &Node<'_>| !matches!(node.content, Content::Nodes(_));
        if shapes_differ || (plain(old) && plain(new)) {
            // A JSON text and a number may be spelled alike.
            let differs = old.value().unwrap_or_default() != new.value().unwrap_or_default()
                || (new.form == Form::Json && !old.same_content(new));
            if shapes_differ || differs {
                self.push(Kind::Changed, Some(old), Some(new));
            }
        } else if old.value().is_some() || new.value().is_some() {
            self.push(Kind::Changed, Some(old), Some(new));
        } else {
            self.children(old, new);
        }
    }

    fn attributes(&mut self, old: &'n Node<'n>, new: &'n Node<'n>) {
        for attribute in &old.attributes {
            if new.attribute(&attribute.name).is_none() {
                self.below(attribute, |this| {
                    this.push(Kind::Removed, Some(attribute), None)
                });
            }
        }
        for attribute in &new.attributes {
            let known = old.attributes.iter().find(|a| a.name == attribute.name);
            match known {
                None => {
                    self.below(attribute, |this| {
                        this.push(Kind::Added, None, Some(attribute))
                    });
                }
                Some(known) if known.value() != attribute.value() => {
                    self.below(attribute, |this| {
                        this.push(Kind::Changed, Some(known), Some(attribute));
                    })
                }
                Some(_) => {}
            }
        }
    }

    fn below(&mut self, node: &'n Node<'n>, act: impl FnOnce(&mut Self)) {
        self.path.push(node);
        act(self);
        self.path.pop();
    }

    fn children(&mut self, old: &'n Node<'n>, new: &'n Node<'n>) {
        let pairs = align(old.children(), new.children());
        for (old, new) in &pairs {
            if let (Some(node), None) = (old, new) {
                self.removed(node);
            }
        }
        for (old, new) in &pairs {
            match (old, new) {
                (Some(old), Some(new)) => self.below(new, |this| this.node(old, new)),
                (None, Some(node)) => self.added(node),
                _ => {}
            }
        }
        let rearranged = if new.name == "rows" {
            arrangement(old, new) != arrangement(new, old)
        } else {
            (order_matters(old) || order_matters(new)) && is_reordered(&pairs, old.children())
        };
        if rearranged {
            self.push(Kind::Reordered, Some(old), Some(new));
        }
    }

    fn removed(&mut self, node: &'n Node<'n>) {
        self.path.push(node);
        if wanderer(&self.path).is_some_and(|mark| self.after.contains_key(&mark)) {
            // Told at its new place.
        } else if node.name == "row" && node.form == Form::Element && !node.children().is_empty() {
            // A row is nothing to a person; its fields are.
            node.children().iter().for_each(|cell| self.removed(cell));
        } else {
            self.push(Kind::Removed, Some(node), None);
        }
        self.path.pop();
    }

    fn added(&mut self, node: &'n Node<'n>) {
        self.path.push(node);
        let known = wanderer(&self.path).and_then(|mark| self.before.get(&mark).cloned());
        if let Some(from) = known {
            let old = *from.last().unwrap_or(&node);
            self.arrived(from, old, node);
        } else if node.name == "row" && node.form == Form::Element && !node.children().is_empty() {
            node.children().iter().for_each(|cell| self.added(cell));
        } else {
            self.push(Kind::Added, None, Some(node));
            self.arrivals(node);
        }
        self.path.pop();
    }

    /// What moved into a piece that is new.
    fn arrivals(&mut self, node: &'n Node<'n>) {
        for child in node.children() {
            self.path.push(child);
            let known = wanderer(&self.path).and_then(|mark| self.before.get(&mark).cloned());
            match known {
                Some(from) => {
                    let old = *from.last().unwrap_or(&child);
                    self.arrived(from, old, child);
                }
                None => self.arrivals(child),
            }
            self.path.pop();
        }
    }

    fn arrived(&mut self, from: Vec<&'n Node<'n>>, old: &'n Node<'n>, new: &'n Node<'n>) {
        if surroundings(&from) != surroundings(&self.path) {
            self.changes.push(Change {
                kind: Kind::Moved,
                path: self.path.clone(),
                from: Some(from),
                old: Some(old),
                new: Some(new),
            });
        }
        self.node(old, new);
    }
}

/// The fields of a section by row, as far as the other section has them too.
fn arrangement<'n>(rows: &'n Node<'n>, other: &Node<'_>) -> Vec<Vec<&'n str>> {
    let there: Vec<&str> = other
        .children()
        .iter()
        .flat_map(Node::children)
        .filter_map(|cell| cell.key.as_deref())
        .collect();
    rows.children()
        .iter()
        .map(|row| {
            row.children()
                .iter()
                .filter_map(|cell| cell.key.as_deref())
                .filter(|key| there.contains(key))
                .collect::<Vec<_>>()
        })
        .filter(|row| !row.is_empty())
        .collect()
}

/// Pairs the pieces of two lists: by identity, or, where only the position tells, by likeness and
/// then by position. In the order of the new list; what was removed comes first.
pub(crate) fn align<'n>(
    old: &'n [Node<'n>],
    new: &'n [Node<'n>],
) -> Vec<(Option<&'n Node<'n>>, Option<&'n Node<'n>>)> {
    let loose: Vec<&str> = old
        .iter()
        .chain(new)
        .filter(|node| node.positional)
        .map(|node| &*node.name)
        .collect();
    let is_loose = |node: &Node<'_>| node.key.is_none() && loose.contains(&&*node.name);
    let mut partner: HashMap<Id<'n>, &'n Node<'n>> = HashMap::new();
    for node in old.iter().filter(|node| !is_loose(node)) {
        partner.insert(node.id(), node);
    }
    // The old partner of each new piece, by the address of the new one.
    let mut paired: HashMap<*const Node<'n>, &'n Node<'n>> = HashMap::new();
    for node in new.iter().filter(|node| !is_loose(node)) {
        if let Some(old) = partner.remove(&node.id()) {
            paired.insert(std::ptr::from_ref(node), old);
        }
    }
    let mut names: Vec<&str> = loose;
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of_name = |list: &'n [Node<'n>]| -> Vec<&'n Node<'n>> {
            list.iter()
                .filter(|node| node.key.is_none() && node.name == name)
                .collect()
        };
        pair_loose(&of_name(old), &of_name(new), &mut paired);
    }
    let taken: std::collections::HashSet<*const Node<'n>> = paired
        .values()
        .map(|node| std::ptr::from_ref(*node))
        .collect();
    let gone = old
        .iter()
        .filter(|node| !taken.contains(&std::ptr::from_ref(*node)))
        .map(|node| (Some(node), None));
    gone.chain(
        new.iter()
            .map(|node| (paired.get(&std::ptr::from_ref(node)).copied(), Some(node))),
    )
    .collect()
}

/// Pairs like pieces first and then, between them, those at the same place.
fn pair_loose<'n>(
    old: &[&'n Node<'n>],
    new: &[&'n Node<'n>],
    paired: &mut HashMap<*const Node<'n>, &'n Node<'n>>,
) {
    let meanings = |list: &[&Node<'_>]| list.iter().map(|node| meaning(node)).collect::<Vec<_>>();
    let (a, b) = (meanings(old), meanings(new));
    for operation in similar::capture_diff_slices(similar::Algorithm::Myers, &a, &b) {
        for (old, new) in old[operation.old_range()]
            .iter()
            .zip(&new[operation.new_range()])
        {
            paired.insert(std::ptr::from_ref(*new), old);
        }
    }
}

/// A text that two nodes share exactly when they mean the same.
pub(crate) fn meaning(node: &Node<'_>) -> String {
    fn write(node: &Node<'_>, out: &mut String) {
        let quote = |text: &str, out: &mut String| out.push_str(&format!("{text:?}"));
        quote(&node.name, out);
        let mut attributes: Vec<&Node<'_>> = node.attributes.iter().collect();
        attributes.sort_by_key(|attribute| attribute.name.clone());
        for attribute in attributes {
            out.push('@');
            quote(&attribute.name, out);
            quote(attribute.value().unwrap_or_default(), out);
        }
        if node.is_container() {
            out.push_str(node.mid);
        }
        match &node.content {
            Content::Nothing => {}
            // A JSON text and a JSON number are told apart by their spelling.
            Content::Value { raw, .. } if node.form == Form::Json && !raw.starts_with('"') => {
                out.push_str(raw);
            }
            Content::Value { value, .. } => quote(value, out),
            Content::Nodes(nodes) => {
                let mut inner: Vec<String> = nodes.iter().map(meaning).collect();
                if !order_matters(node) {
                    inner.sort_unstable();
                }
                out.push('(');
                inner.iter().for_each(|text| out.push_str(text));
                out.push(')');
            }
        }
        out.push(';');
    }
    let mut out = String::new();
    write(node, &mut out);
    out
}

fn is_reordered(pairs: &[(Option<&Node<'_>>, Option<&Node<'_>>)], old: &[Node<'_>]) -> bool {
    let places: HashMap<*const (), usize> = old
        .iter()
        .enumerate()
        .map(|(place, node)| (std::ptr::from_ref(node).cast(), place))
        .collect();
    let kept: Vec<usize> = pairs
        .iter()
        .filter_map(|(old, new)| old.as_ref().filter(|_| new.is_some()))
        .filter_map(|old| places.get(&std::ptr::from_ref(*old).cast()).copied())
        .collect();
    kept.windows(2).any(|two| two[0] > two[1])
}

#[cfg(test)]
mod tests {
    use super::super::{json, xml};
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let read = |text: &'static str| {
            if text.starts_with('{') {
                json::read(text).unwrap()
            } else {
                xml::read(text).unwrap()
            }
        };
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let (old, new) = (read(leak(old)), read(leak(new)));
        compare(&old.root, &new.root)
            .iter()
            .map(|change| {
                let path: Vec<String> = change.path[1..].iter().map(|node| node.label()).collect();
                format!("{:?} {}", change.kind, path.join("/"))
            })
            .collect()
    }

    #[test]
    fn a_field_that_moves_to_another_section_has_moved_and_not_come_and_gone() {
        let old = "<form><section id='a'><rows><row><cell id='1'><control id='x'/></cell></row><row><cell id='2'/></row></rows></section><section id='b'><rows/></section></form>";
        let new = "<form><section id='a'><rows><row><cell id='2'/></row></rows></section><section id='b'><rows><row><cell id='1'><control id='y'/></cell></row></rows></section></form>";
        assert_eq!(
            told(old, new),
            [
                "Moved section[b]/rows/row[1]/cell[1]",
                "Removed section[b]/rows/row[1]/cell[1]/control[x]",
                "Added section[b]/rows/row[1]/cell[1]/control[y]",
            ]
        );
    }

    #[test]
    fn cells_that_change_places_in_a_row_are_a_new_order() {
        let form = |a: &str, b: &str| {
            format!("<s><rows><row><cell id='{a}'/><cell id='{b}'/></row></rows></s>")
        };
        assert_eq!(told(&form("1", "2"), &form("2", "1")), ["Reordered rows"]);
    }

    #[test]
    fn actions_are_followed_through_a_flow() {
        let old = r#"{"actions":{"A":{"type":"X"},"If":{"actions":{"B":{"v":1}}}}}"#;
        let new = r#"{"actions":{"If":{"actions":{"A":{"type":"Y"},"B":{"v":1}}}}}"#;
        assert_eq!(
            told(old, new),
            [
                "Moved actions/If/actions/A",
                "Changed actions/If/actions/A/type"
            ]
        );
    }

    #[test]
    fn pieces_without_a_key_are_paired_by_likeness() {
        let old = "<f><filter><c a='1'/></filter><filter><c a='2'/></filter></f>";
        let new = "<f><filter><c a='0'/></filter><filter><c a='1'/></filter><filter><c a='2'/></filter></f>";
        assert_eq!(told(old, new), ["Added filter[1]"]);
    }

    #[test]
    fn what_means_the_same_has_no_changes() {
        assert!(told("<a x='1'><b/></a>", "<a  x=\"1\">\n<b></b>\n</a>").is_empty());
        assert!(told("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}").is_empty());
        assert_eq!(told("{\"a\":1}", "{\"a\":\"1\"}"), ["Changed a"]);
        assert_eq!(told("{\"a\":[1,2]}", "{\"a\":[2,1]}"), ["Reordered a"]);
        assert_eq!(told("{\"a\":{}}", "{\"a\":[]}"), ["Changed a"]);
    }
}

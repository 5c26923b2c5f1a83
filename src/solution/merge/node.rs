//! Merges structured documents piece by piece.

use super::list::{self, Order};
use super::{Desk, Side};
use crate::solution::SolutionVersion;
use crate::solution::keyed::{Content, Document, Form, Format, Node, json, order_matters, xml};

/// The merged text of a document; nothing if one of the versions cannot be read as such, or the
/// result could not.
pub(super) fn merge(
    desk: &mut Desk<'_>,
    format: Format,
    base: &str,
    ours: &str,
    theirs: &str,
) -> Option<String> {
    fn read(format: Format, text: &str) -> Option<Document<'_>> {
        match format {
            Format::Xml => xml::read(text).ok(),
            _ => json::read(text).ok(),
        }
    }
    let base = read(format, base);
    let (ours, theirs) = (read(format, ours)?, read(format, theirs)?);
    if ours.root.name != theirs.root.name
        || ours.root.mid != theirs.root.mid && format == Format::Json
    {
        return None;
    }
    let origin = base
        .as_ref()
        .filter(|base| base.root.name == ours.root.name);
    let mut merging = Merging {
        desk,
        path: Vec::new(),
    };
    let outer = |pick: fn(&Document<'_>) -> String| {
        let [own, other] = [pick(&ours), pick(&theirs)];
        match origin.map(pick) {
            Some(base) if base == own => other,
            _ => own,
        }
    };
    let mut out = outer(|document| document.before.to_owned());
    out.push_str(&merging.node(origin.map(|base| &base.root), &ours.root, &theirs.root));
    out.push_str(&outer(|document| document.after.to_owned()));
    read(format, &out).is_some().then_some(out)
}

struct Merging<'m, 'd> {
    desk: &'m mut Desk<'d>,
    path: Vec<String>,
}

impl Merging<'_, '_> {
    /// The text of a piece that both sides have.
    fn node(&mut self, base: Option<&Node<'_>>, ours: &Node<'_>, theirs: &Node<'_>) -> String {
        if ours.same(theirs) || base.is_some_and(|base| base.same(theirs)) {
            return ours.whole.to_owned();
        }
        if base.is_some_and(|base| base.same(ours)) {
            return theirs.whole.to_owned();
        }
        let mut out = ours.head.to_owned();
        let attributes = |node: Option<&Node<'_>>| node.map_or(0, |node| node.attributes.len());
        if attributes(base) + attributes(Some(ours)) + attributes(Some(theirs)) > 0 {
            let none = Vec::new();
            let of_base = base.map_or(&none, |base| &base.attributes);
            out.push_str(&self.pieces(of_base, &ours.attributes, &theirs.attributes, false, ""));
        }
        out.push_str(&self.body(base, ours, theirs));
        out
    }

    /// What stands behind the attributes of a piece.
    fn body(&mut self, base: Option<&Node<'_>>, ours: &Node<'_>, theirs: &Node<'_>) -> String {
        let is_list = |node: &Node<'_>| {
            !matches!(node.content, Content::Value { .. })
                && (node.form == Form::Element || node.is_container())
        };
        let alike = |a: &Node<'_>, b: &Node<'_>| a.form == Form::Element || a.mid == b.mid;
        let versions = [base, Some(ours), Some(theirs)];
        let lists = is_list(ours)
            && is_list(theirs)
            && alike(ours, theirs)
            && versions.into_iter().flatten().all(is_mergeable);
        if !lists || base.is_some_and(|base| !is_list(base) || !alike(base, ours)) {
            return self.whole_body(base, ours, theirs).to_owned();
        }
        let children = base.map(Node::children).unwrap_or_default();
        let ordered = order_matters(ours) || order_matters(theirs);
        let inner = self.pieces(
            children,
            ours.children(),
            theirs.children(),
            ordered,
            ours.separator(),
        );
        // Of `<a />` and `<a></a>` the one that can hold something, if something is to be held.
        let shape = [ours, theirs]
            .into_iter()
            .find(|node| !node.children().is_empty())
            .filter(|_| !inner.is_empty())
            .unwrap_or(ours);
        format!("{}{inner}{}{}", shape.mid, shape.tail, shape.close)
    }

    /// The body of one side, for what cannot be taken apart.
    fn whole_body<'a>(
        &mut self,
        base: Option<&Node<'a>>,
        ours: &Node<'a>,
        theirs: &Node<'a>,
    ) -> &'a str {
        let (own, other) = (bare(ours), bare(theirs));
        if own.same_content(&other) {
            return body_text(ours);
        }
        if let Some(base) = base {
            let base_body = bare(base);
            if base_body.same_content(&own) {
                return body_text(theirs);
            }
            if base_body.same_content(&other) {
                return body_text(ours);
            }
        }
        if let Some(side) = self.newer(ours, theirs) {
            return body_text(if side == Side::Ours { ours } else { theirs });
        }
        let place = self.place();
        let told = |node: &Node<'_>| {
            Some(
                node.value()
                    .map_or_else(|| body_text(node).to_owned(), str::to_owned),
            )
        };
        match self
            .desk
            .conflict(&place, [base.and_then(told), told(ours), told(theirs)])
        {
            Side::Base => base.map_or(body_text(ours), body_text),
            Side::Ours => body_text(ours),
            Side::Theirs => body_text(theirs),
        }
    }

    /// Versions that both sides raised: the higher one wins, since an import needs it.
    fn newer(&self, ours: &Node<'_>, theirs: &Node<'_>) -> Option<Side> {
        let place: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let is_version = self.desk.file == crate::solution::SOLUTION_FILE
            && matches!(
                place.as_slice(),
                ["SolutionManifest", "Version"]
                    | ["@version" | "@SolutionPackageVersion" | "@OrganizationVersion"]
            );
        if !is_version {
            return None;
        }
        let parse = |node: &Node<'_>| {
            let mut numbers = Vec::new();
            for number in node.value()?.split('.') {
                numbers.push(number.parse::<u64>().ok()?);
            }
            // The solution's own version has the form that an import accepts.
            (place.len() == 1 || node.value()?.parse::<SolutionVersion>().is_ok())
                .then_some(numbers)
        };
        let (own, other) = (parse(ours)?, parse(theirs)?);
        Some(if own >= other {
            Side::Ours
        } else {
            Side::Theirs
        })
    }

    fn place(&self) -> String {
        self.path.join("/")
    }

    fn below<T>(&mut self, node: &Node<'_>, act: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(node.label());
        let result = act(self);
        self.path.pop();
        result
    }

    /// The text of a list of pieces.
    fn pieces(
        &mut self,
        base: &[Node<'_>],
        ours: &[Node<'_>],
        theirs: &[Node<'_>],
        ordered: bool,
        separator: &str,
    ) -> String {
        let mut plan = list::Plan::new(base, ours, theirs);
        for group in plan.loose_groups() {
            self.loose(&mut plan, &group);
        }
        let mut texts = Vec::new();
        let mut order = plan.order(ordered);
        if let Order::Contested(own, other) = order {
            let place = format!("{}#order", self.place())
                .trim_start_matches('#')
                .to_owned();
            let told = |ids: &[usize]| {
                let labels: Vec<String> = ids.iter().map(|id| plan.label(*id)).collect();
                Some(labels.join(", "))
            };
            let side = self.desk.conflict(&place, [None, told(&own), told(&other)]);
            order = Order::Agreed(if side == Side::Theirs { other } else { own });
        }
        let Order::Agreed(order) = order else {
            return String::new();
        };
        for id in order {
            let entry = plan.entry(id);
            let text = match (entry.base, entry.ours, entry.theirs) {
                (base, Some(own), Some(other)) => {
                    let text = self.below(own, |this| this.node(base, own, other));
                    let lead = match base {
                        Some(base) if base.lead == own.lead => other.lead,
                        _ => own.lead,
                    };
                    Some((lead, text))
                }
                (None, Some(one), None) | (None, None, Some(one)) => {
                    Some((one.lead, one.whole.to_owned()))
                }
                (Some(base), own, other) => self.deleted(base, own, other),
                (None, None, None) => None,
            };
            texts.extend(text);
        }
        let mut out = String::new();
        for (index, (lead, text)) in texts.iter().enumerate() {
            if index > 0 {
                out.push_str(separator);
            }
            out.push_str(lead);
            out.push_str(text);
        }
        out
    }

    /// A piece that one side deleted.
    fn deleted<'a>(
        &mut self,
        base: &Node<'a>,
        ours: Option<&Node<'a>>,
        theirs: Option<&Node<'a>>,
    ) -> Option<(&'a str, String)> {
        let left = ours.or(theirs)?;
        if left.same(base) {
            return None;
        }
        let told = |node: Option<&Node<'_>>| node.map(|node| node.whole.to_owned());
        let place = self.below(left, |this| this.place());
        let side = self
            .desk
            .conflict(&place, [told(Some(base)), told(ours), told(theirs)]);
        let taken = match side {
            Side::Base => Some(base),
            Side::Ours => ours,
            Side::Theirs => theirs,
        };
        taken.map(|node| (node.lead, node.whole.to_owned()))
    }

    /// Decides on pieces that only their position tells apart.
    fn loose(&mut self, plan: &mut list::Plan<'_>, group: &list::Loose) {
        let (base, ours, theirs) = plan.loose(group);
        let same = |a: &[&Node<'_>], b: &[&Node<'_>]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
        };
        let equal_counts = base.len() == ours.len() && ours.len() == theirs.len();
        let side = if same(&ours, &theirs) || same(&base, &theirs) {
            Side::Ours
        } else if same(&base, &ours) {
            Side::Theirs
        } else if equal_counts {
            return;
        } else {
            let place = format!("{}/{}", self.place(), group.name);
            let told = |nodes: &[&Node<'_>]| {
                let texts: Vec<&str> = nodes.iter().map(|node| node.whole).collect();
                Some(texts.join("\n"))
            };
            let place = place.trim_start_matches('/');
            self.desk
                .conflict(place, [told(&base), told(&ours), told(&theirs)])
        };
        plan.take_loose(group, side);
    }
}

/// Whether pieces can be merged one by one. An array is only taken apart when its items have names:
/// the two operands of a comparison must never become three.
fn is_mergeable(node: &Node<'_>) -> bool {
    node.mid != "["
        || node
            .children()
            .iter()
            .all(|item| item.mid == "{" && item.key.is_some() && item.ordinal == 0)
}

/// What stands behind the attributes of a piece.
fn body_text<'a>(node: &Node<'a>) -> &'a str {
    let attributes: usize = node
        .attributes
        .iter()
        .map(|attribute| attribute.lead.len() + attribute.whole.len())
        .sum();
    &node.whole[node.head.len() + attributes..]
}

/// A piece without its attributes, so that bodies can be compared.
fn bare<'a>(node: &Node<'a>) -> Node<'a> {
    let mut bare = node.clone();
    bare.attributes = Vec::new();
    bare
}

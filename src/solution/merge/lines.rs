//! Merges texts without a known structure by line.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Desk, Side};

/// The merged text.
pub(super) fn merge(desk: &mut Desk<'_>, base: &str, ours: &str, theirs: &str) -> String {
    let cut =
        |text: &'_ str| -> Vec<String> { text.split_inclusive('\n').map(str::to_owned).collect() };
    let (base, ours, theirs) = (cut(base), cut(ours), cut(theirs));
    let (to_ours, to_theirs) = (partners(&base, &ours), partners(&base, &theirs));
    let mut out = String::new();
    let (mut b, mut o, mut t) = (0, 0, 0);
    loop {
        // The next line of the ancestor that both sides kept.
        let stable =
            (b..base.len()).find_map(|line| Some((line, to_ours[line]?, to_theirs[line]?)));
        let (next_b, next_o, next_t) = stable.unwrap_or((base.len(), ours.len(), theirs.len()));
        let (was, own, other) = (&base[b..next_b], &ours[o..next_o], &theirs[t..next_t]);
        let taken = if own == other || was == other {
            own
        } else if was == own {
            other
        } else {
            let place = format!("line {}", o + 1);
            let told = |lines: &[String]| Some(lines.concat());
            match desk.conflict(&place, [told(was), told(own), told(other)]) {
                Side::Base => was,
                Side::Ours => own,
                Side::Theirs => other,
            }
        };
        taken.iter().for_each(|line| out.push_str(line));
        if stable.is_none() {
            return out;
        }
        out.push_str(&base[next_b]);
        (b, o, t) = (next_b + 1, next_o + 1, next_t + 1);
    }
}

/// For each line of the ancestor, the line of the side that it became, if the side kept it.
fn partners(base: &[String], side: &[String]) -> Vec<Option<usize>> {
    let mut found = vec![None; base.len()];
    for operation in capture_diff_slices(Algorithm::Myers, base, side) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = operation
        {
            for step in 0..len {
                found[old_index + step] = Some(new_index + step);
            }
        }
    }
    found
}

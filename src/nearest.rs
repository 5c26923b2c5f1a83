//! "Did you mean …?": the known name that is nearest to a mistyped one.

/// The name of `known` that is nearest to `wanted`, if any is near enough to have been meant.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wanted.to_lowercase();
    known
        .into_iter()
        .map(|name| (likeness(&folded, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        // The first of equals wins, so that the answer does not depend on how many there are.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, name)| name)
}

/// How much two words look alike, from 0 to 1.
fn likeness(wanted: &str, known: &str) -> f64 {
    let alike = strsim::jaro_winkler(wanted, known);
    // In short words one slip weighs too much: `dve` is `dev`.
    let one_slip = strsim::damerau_levenshtein(wanted, known) == 1 && known.chars().count() > 2;
    if one_slip { alike.max(0.9) } else { alike }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let known = ["commit", "configure", "deploy", "delete"];
        assert_eq!(nearest("comit", known), Some("commit"));
        assert_eq!(nearest("Deplyo", known), Some("deploy"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("dve", ["prod", "dev"]), Some("dev"));
    }
}

//! Names that begin with a dot, and what they are called in a source tree.
//!
//! A role may be called `.NET Developers`. Its file would be hidden, and packagers pass over hidden
//! files. So the dot is written as `%2E`, and read back as a dot. What already looks like that gets
//! one more escape in front (`%252E`), so that no two names meet.

use std::borrow::Cow;

/// The path with `%2E` for each dot at the beginning of a part. `.` and `..` stay, so that they are
/// refused, and so does what is git's own folder.
pub fn hide_dots(path: &str) -> Cow<'_, str> {
    each_part(path, |part| {
        if matches!(part, "." | "..") || super::is_git_folder(part) {
            None
        } else if let Some(rest) = part.strip_prefix('.') {
            Some(format!("%2E{rest}"))
        } else if is_escaped(part) {
            Some(format!("%25{}", &part[1..]))
        } else {
            None
        }
    })
}

/// The path that [`hide_dots`] was given.
pub fn show_dots(path: &str) -> Cow<'_, str> {
    each_part(path, |part| {
        if let Some(rest) = part.strip_prefix("%2E") {
            Some(format!(".{rest}"))
        } else if is_escaped(part) {
            Some(format!("%{}", &part[3..]))
        } else {
            None
        }
    })
}

/// Whether a part begins with an escaped dot, or with an escape of that: `%2E`, `%252E`, `%25252E` ….
fn is_escaped(part: &str) -> bool {
    part.strip_prefix('%')
        .is_some_and(|rest| rest.trim_start_matches("25").starts_with("2E"))
}

fn each_part(path: &str, other: impl Fn(&str) -> Option<String>) -> Cow<'_, str> {
    if !path.split('/').any(|part| part.starts_with(['.', '%'])) {
        return Cow::Borrowed(path);
    }
    let parts: Vec<Cow<'_, str>> = path
        .split('/')
        .map(|part| other(part).map_or(Cow::Borrowed(part), Cow::Owned))
        .collect();
    Cow::Owned(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_name_is_shown_as_it_was() {
        for (name, file) in [
            ("Roles/.NET Developers.xml", "Roles/%2ENET Developers.xml"),
            ("bots/.a/..b", "bots/%2Ea/%2E.b"),
            ("%2Ea", "%252Ea"),
            ("%252Ea", "%25252Ea"),
            ("50%/%20a/%25", "50%/%20a/%25"),
            ("%2ea", "%2ea"),
            ("a.b/c", "a.b/c"),
            ("../.git/x", "../.git/x"),
        ] {
            assert_eq!(hide_dots(name), file);
            assert_eq!(show_dots(file), name);
        }
    }
}

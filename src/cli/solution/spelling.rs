//! The other tool's spelling: `pac` takes option names in any case, and short names of several
//! letters (`-ad`, `-lcid`), which clap does not know.

use std::ffi::OsString;

/// An option of `pac solution pack|unpack`: its name, and the short name of several letters.
///
/// From Microsoft's reference of `pac solution`; `solutionName` and `sn` are those of
/// SolutionPackager, which `pac` has no name for.
pub(super) const PAC: &[(&str, &str)] = &[
    ("allowDelete", "ad"),
    ("allowWrite", "aw"),
    ("clobber", "c"),
    ("disablePluginRemap", "dpm"),
    ("errorlevel", "e"),
    ("folder", "f"),
    ("localize", "loc"),
    ("log", "l"),
    ("map", "m"),
    ("packagetype", "p"),
    ("processCanvasApps", "pca"),
    ("singleComponent", "sc"),
    ("solutionName", "sn"),
    ("sourceLoc", "src"),
    ("useLcid", "lcid"),
    ("useUnmanagedFileForMissingManaged", "same"),
    ("zipfile", "z"),
];

/// A command line with the options of `solution pack` and `solution unpack` as clap knows them;
/// any other command line as it is.
pub fn known_to_clap(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let Some(first) = options_begin(&arguments) else {
        return arguments;
    };
    for argument in &mut arguments[first..] {
        if argument == "--" {
            break;
        }
        if let Some(known) = argument.to_str().and_then(respelled) {
            *argument = known.into();
        }
    }
    arguments
}

/// Where the options of `solution pack` or `solution unpack` begin, if it is that command.
fn options_begin(arguments: &[OsString]) -> Option<usize> {
    let at = arguments
        .iter()
        .skip(1)
        .position(|word| word == "solution")?
        + 1;
    let verb = arguments.get(at + 1)?;
    // Before the command stand options only, some with a value.
    let is_option = |word: &OsString| word.to_string_lossy().starts_with('-');
    let before = &arguments[1..at];
    let only_options = before
        .iter()
        .enumerate()
        .all(|(n, word)| is_option(word) || n > 0 && is_option(&before[n - 1]));
    (only_options && (verb == "pack" || verb == "unpack")).then_some(at + 2)
}

fn respelled(argument: &str) -> Option<String> {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    };
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let (long, _) = if let Some(name) = name.strip_prefix("--") {
        PAC.iter().find(|(long, _)| same(long, name))?
    } else {
        let name = name.strip_prefix('-')?;
        PAC.iter().find(|(_, short)| same(short, name))?
    };
    Some(match value {
        Some(value) => format!("--{long}={value}"),
        None => format!("--{long}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        let known = known_to_clap(words);
        let known: Vec<_> = known.iter().map(|word| word.to_string_lossy()).collect();
        known.join(" ")
    }

    #[test]
    fn every_short_name_and_any_case_is_known() {
        for (long, short) in PAC {
            let shout = long.to_uppercase();
            assert_eq!(
                spelled(&format!("alm solution pack --{shout}=x")),
                format!("alm solution pack --{long}=x")
            );
            for short in [short.to_lowercase(), short.to_uppercase()] {
                assert_eq!(
                    spelled(&format!("alm --color never solution unpack -{short} x")),
                    format!("alm --color never solution unpack --{long} x")
                );
            }
        }
    }

    #[test]
    fn other_commands_and_values_stay_as_they_are() {
        for line in [
            "alm run solution pack -ad",
            "alm solution diff -ad --FOLDER",
            "alm solution pack -q -- -ad",
            "alm solution pack --unknown -x",
            "alm solution",
        ] {
            assert_eq!(spelled(line), line);
        }
    }
}

//! All codes in the order of the alphabet. A code never changes its meaning.

use super::Code;

const fn code(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text }
}

/// Every code that a person can meet.
#[rustfmt::skip]
pub(super) const CODES: &[Code] = &[
    code("ALM-C001", "the command line names something that does not exist",
        "Check the spelling; the message shows the nearest known name where there is one."),
    code("ALM-C002", "a file or folder cannot be read or written",
        "The message names the path and what the operating system said. Nothing was changed."),
    code("ALM-T001", "no answer from a service",
        "No connection could be made, or it broke before the whole answer was there. The address comes from \
         `alm.toml`. A run that ended here can be resumed with `alm run NAME --resume RUN`."),
    code("ALM-T002", "cancelled", "Somebody pressed Ctrl-C, or the run's time limit is over."),
    code("ALM-T003", "no sign-in",
        "No token could be had. Check the identity that `alm.toml` names for the environment or host, that its \
         secret is there and not expired, and that it is a user of the environment."),
    code("ALM-W001", "no workspace",
        "A workspace is a folder with an `alm.toml`. `alm` looks in the current folder and those above it, or in the \
         one that `--workspace` or `ALM_WORKSPACE` names. `alm new DIR` makes one."),
    code("ALM-W002", "alm.toml cannot be read",
        "The file is there, but the operating system does not let it be read."),
    code("ALM-W003", "alm.toml is not TOML",
        "The file breaks the rules of the TOML language at the place shown, so nothing after it can be trusted. Other \
         mistakes are looked for once it can be read."),
    code("ALM-W004", "unknown key",
        "The key is not one that is known at this place. A key in the wrong table is unknown too: in TOML a key belongs \
         to the last `[table]` above it. `alm schema` prints all keys."),
    code("ALM-W005", "missing key", "An entry lacks something without which it cannot be used."),
    code("ALM-W006", "wrong kind of value",
        "A text, number, list or table stands where another kind was expected; texts need quotes, `true` and `false` do not."),
    code("ALM-W007", "not one of the choices", "The key takes one of a few words, which the message lists."),
    code("ALM-W008", "value of the wrong form",
        "The value is of the right kind but not well formed: an address, an id, a length of time, a branch or a name."),
    code("ALM-W009", "a name that leads nowhere",
        "An entry refers to an environment, identity, host, repository, profile, stage or persona that the file does not have."),
    code("ALM-W010", "the same thing twice",
        "Two stages of a profile have one name, or two environments have one address, so it is not clear which is meant."),
    code("ALM-W011", "stages wait for each other",
        "The prerequisites of a profile's stages go in a circle, so none of them could ever run."),
    code("ALM-W012", "keys that contradict each other",
        "Two keys of an entry exclude each other, or one needs another beside it."),
    code("ALM-W013", "a secret is not there",
        "`alm.toml` says where a secret is kept, and it is not there. Set the environment variable or write the file."),
    code("ALM-W014", "a secret that others can read",
        "A file with a secret must be readable by its owner only."),
    code("ALM-W015", "unknown persona",
        "`--as`, `ALM_PERSONA` or `default_persona` names a persona that `alm.toml` does not have."),
    code("ALM-W016", "no persona was chosen",
        "The workspace has several personas. Say which with `--as` or `ALM_PERSONA`, or set `default_persona`."),
    code("ALM-W017", "refused",
        "The persona or the workspace's policy does not allow this effect. The message names the line of `alm.toml` that says \
         so. The host asks before every effect, so a script cannot get around it."),
    code("ALM-W018", "unknown person",
        "`--identity` or a persona names an identity that is not a person: commits and branches need one."),
    code("ALM-W019", "the folder is not empty",
        "`alm new` only makes a workspace in a new or an empty folder, so that it never overwrites anything."),
    code("ALM-W020", "the workspace cannot be made",
        "Writing a file of the new workspace failed. What was written can be deleted."),
    code("ALM-W021", "the example could not be filled",
        "The emulated tenant refused one of the requests that fill the example. That is a defect of this program."),
];

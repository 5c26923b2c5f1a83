use crate::Place;

/// `alm reference > docs/script-reference.md` brings the page up to date.
#[test]
fn the_committed_script_reference_is_what_the_program_prints() {
    let printed = Place::empty().alm(&["reference"]).ends_with(0).out;
    let committed = include_str!("../../docs/script-reference.md");
    assert_eq!(
        committed.replace("\r\n", "\n"),
        printed,
        "run `alm reference > docs/script-reference.md`"
    );
}

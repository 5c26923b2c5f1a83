use crate::{GOOD, Place};

#[test]
fn without_a_workspace_the_message_says_how_to_get_one() {
    let ended = Place::empty().alm(&["env", "list"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn the_workspace_is_found_from_a_folder_inside_it() {
    let place = Place::with(GOOD);
    place.write("scripts/deep/er/file.txt", "");
    let inside = place.path().join("scripts/deep/er");
    let inside = inside.to_str().unwrap();
    place
        .alm(&["env", "list", "--as", "admin", "--workspace", inside])
        .ends_with(4);
    let ended = assert_cmd::Command::new(env!("CARGO_BIN_EXE_alm"))
        .current_dir(inside)
        .args(["env", "list", "--as", "admin"])
        .output()
        .unwrap();
    assert!(ended.status.success());
}

#[test]
fn environments_are_listed_with_what_the_persona_may_do() {
    let place = Place::with(GOOD);
    let ended = place.alm(&["env", "list", "--as", "maker"]);
    insta::assert_snapshot!(ended.shown());
    let ended = place.alm(&["env", "list", "--as", "admin", "--json"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn every_mistake_is_shown_at_its_line() {
    let text = GOOD
        .replace("kind = \"development\"", "kind = \"dev\"")
        .replace("identity = \"maya\"", "identity = \"mya\"")
        .replace("[personas.admin]", "[personas.admin]\nsripts = []");
    let ended = Place::with(&text).alm(&["env", "list"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn a_persona_must_be_known_and_chosen() {
    let place = Place::with(GOOD);
    place
        .alm(&["env", "list", "--as", "makre"])
        .ends_with(2)
        .says("there is no persona called `makre`")
        .says("did you mean `maker`?");
    place
        .alm(&["env", "list"])
        .ends_with(4)
        .says("none was chosen: maker, admin");
}

#[test]
fn problems_are_json_when_json_is_asked_for() {
    let ended = Place::empty().alm(&["env", "list", "--json"]).ends_with(4);
    assert_eq!(ended.err, "");
    let event: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(event["event"], "error");
    assert_eq!(event["code"], "ALM-W001");
}

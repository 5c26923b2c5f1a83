use crate::Place;

#[test]
fn a_new_workspace_can_be_used_at_once() {
    let place = Place::empty();
    place
        .alm(&["new", "apps"])
        .ends_with(0)
        .says("Made a workspace in apps");
    place
        .alm(&["env", "list", "--workspace", "apps"])
        .ends_with(0)
        .says("no environments in alm.toml yet");
}

#[test]
fn a_folder_that_is_not_empty_is_refused_and_left_alone() {
    let place = Place::empty();
    place.write("apps/mine.txt", "mine");
    let ended = place
        .alm(&["new", "apps"])
        .ends_with(4)
        .says("ALM-W019")
        .says("is not empty");
    assert_eq!(ended.out, "");
    assert_eq!(
        std::fs::read_dir(place.path().join("apps"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_code_is_explained_and_an_unknown_one_is_not_guessed() {
    let place = Place::empty();
    place
        .alm(&["explain", "w009"])
        .ends_with(0)
        .says("ALM-W009: a name that leads nowhere");
    place
        .alm(&["explain", "ALM-W999"])
        .ends_with(2)
        .says("there is no code `ALM-W999`");
}

#[test]
fn an_unknown_command_is_a_wrong_command_line() {
    Place::empty().alm(&["comit"]).ends_with(2);
}

#[test]
fn the_example_can_be_used_at_once() {
    let place = Place::empty();
    place
        .alm(&["new", "contoso", "--example"])
        .ends_with(0)
        .says("Made the example workspace");
    let ended = place
        .alm(&["env", "list", "--workspace", "contoso"])
        .ends_with(0);
    let names: Vec<&str> = ended
        .out
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, ["dev", "dev2", "validation", "test", "prod"]);
    place
        .alm(&["env", "show", "dev", "--workspace", "contoso"])
        .ends_with(0)
        .says("PowerAutomateSamples")
        .says("PermitManagement");
    place
        .alm(&["scripts", "--workspace", "contoso"])
        .ends_with(0);
    place
        .alm(&["env", "show", "dve", "--workspace", "contoso"])
        .ends_with(2)
        .says("`dev`");
    place
        .alm(&[
            "env",
            "show",
            "prod",
            "--workspace",
            "contoso",
            "--as",
            "new-maker",
        ])
        .ends_with(5)
        .says("not among its environments");
}

#[test]
fn pull_requests_of_the_example_are_looked_at_as_the_person_who_acts() {
    let place = Place::empty();
    place.alm(&["new", ".", "--example"]).ends_with(0);
    place
        .alm(&["pr", "list"])
        .ends_with(0)
        .says("There are no such pull requests.");
    place
        .alm(&["pr", "show", "7"])
        .ends_with(1)
        .says("ALM-B012");
    place
        .alm(&["pr", "list", "--repository", "app"])
        .ends_with(2)
        .says("did you mean `apps`?");
    place
        .alm(&["approve", "7"])
        .ends_with(2)
        .says("neither a run nor a build");
    place
        .alm(&["approve", "7", "--build", "--as", "new-maker"])
        .ends_with(5)
        .says("ALM-W017");
}

#[test]
fn the_tenant_is_served_to_any_http_client() {
    use std::io::{BufRead, BufReader, Read, Write};

    let place = Place::empty();
    place.alm(&["new", ".", "--example"]).ends_with(0);
    let mut server = std::process::Command::new(env!("CARGO_BIN_EXE_alm"))
        .current_dir(place.path())
        .args(["tenant", "serve", "--json"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = told["address"].as_str().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let path = "/contoso-dev.crm4.dynamics.com/api/data/v9.2/WhoAmI";
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    // Nobody is signed in, and the tenant says so as the service does.
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

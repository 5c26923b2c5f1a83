//! Commits that are pushed to the emulated organisation through its Web API.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use almscript::git::BareRepository;
use almscript::transport::{Service, StatusCode};
use arbitrary::{Result, Unstructured};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::requests::check;
use super::tenants::{Visit, with_tenant};

pub(super) const REPOSITORY: &str = "repositories/contoso/ALM/apps.git";

/// Pieces of paths and of names of references.
const PIECES: &[&str] = &[
    "a",
    "src",
    "a.xml",
    "/",
    "//",
    "..",
    ".",
    ".git",
    ".GIT",
    "git~1",
    ".git ",
    "\u{200c}",
    "config",
    "hooks",
    ".gitmodules",
    "con",
    ":",
    "\\",
    "\0",
    "\n",
    " ",
    "é",
    "e\u{301}",
    "refs/heads/",
    "main",
    "work",
    "HEAD",
    "@{",
    "~1",
    "*",
    ".lock",
    "refs/tags/",
    "refs/pull/1/merge",
    "-",
    "\u{1F600}",
    "%2e",
];

/// Whether there is a `git` to ask what it thinks of a repository.
static GIT: LazyLock<bool> =
    LazyLock::new(|| Command::new("git").arg("--version").output().is_ok());

/// Whether there is a `git` program.
pub(super) fn git_is_there() -> bool {
    *GIT
}

/// A push is done or refused; what is done is a repository that git finds nothing wrong with, whose
/// files stay in their folder when they are checked out.
pub fn pushes(data: &[u8]) {
    let mut u = Unstructured::new(data);
    with_tenant(|visit| {
        let before = beside(visit);
        let mut done = false;
        for _ in 0..3 {
            let tip = tip(visit);
            let Ok(body) = push(&mut u, &tip) else { break };
            done |= send(visit, &body);
        }
        if done {
            inspect(&visit.tenant.folder().join(REPOSITORY));
        }
        assert_eq!(
            beside(visit),
            before,
            "something lies beside the repository"
        );
    });
}

fn send(visit: &Visit<'_>, body: &Value) -> bool {
    let head = "POST /contoso/ALM/_apis/git/repositories/apps/pushes\nHost: dev.azure.com\n\
                Content-Type: application/json";
    let request = visit.request(format!("{head}\n\n{body}").as_bytes());
    let response = visit.tenant.answer(request.expect("a request"));
    check(&body.to_string(), &response);
    response.status == StatusCode::CREATED
}

/// The commit that `main` is at.
pub(super) fn tip(visit: &Visit<'_>) -> String {
    let repository = BareRepository::open(&visit.tenant.folder().join(REPOSITORY));
    let repository = repository.expect("the repository can be opened");
    let main = repository.reference("refs/heads/main");
    main.expect("references can be read")
        .map_or_else(|| "0".repeat(40), |id| id.to_string())
}

/// The names in the folder of all repositories' project and in the tenant's folder.
pub(super) fn beside(visit: &Visit<'_>) -> Vec<String> {
    let folder = visit.tenant.folder();
    let mut names = Vec::new();
    for folder in [folder.to_owned(), folder.join("repositories/contoso/ALM")] {
        for entry in folder.read_dir().expect("the folder") {
            names.push(entry.expect("an entry").path().display().to_string());
        }
    }
    names.retain(|name| !name.contains("tenant.sqlite"));
    names.sort();
    names
}

pub(super) fn inspect(folder: &Path) {
    let repository = BareRepository::open(folder).expect("the repository can be opened");
    let references = repository.references("refs/").expect("references");
    for reference in &references {
        // A tag may stand at anything.
        let files = repository.files(reference.id, "").unwrap_or_default();
        for file in files {
            for part in file.path.split('/') {
                let refused = almscript::portable_path::check_git_entry(part.as_bytes());
                assert_eq!(refused, Ok(()), "{:?} in {}", file.path, reference.name);
            }
        }
    }
    if *GIT {
        let git = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["fsck", "--strict", "--no-dangling"])
            .output();
        let output = git.expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git finds: {said}");
    }
}

fn push(u: &mut Unstructured<'_>, tip: &str) -> Result<Value> {
    if u.is_empty() {
        return Err(arbitrary::Error::NotEnoughData);
    }
    let name = match u.int_in_range(0..=3u8)? {
        0 => name(u)?,
        1 => format!("refs/heads/{}", name(u)?),
        2 => "refs/heads/work".to_owned(),
        _ => "refs/heads/main".to_owned(),
    };
    let old = match u.int_in_range(0..=4u8)? {
        0 => "0".repeat(40),
        1 => self::name(u)?,
        _ => tip.to_owned(),
    };
    let commits = u.int_in_range(0..=2u8)?;
    let commits = (0..commits)
        .map(|_| commit(u))
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "refUpdates": [{ "name": name, "oldObjectId": old }],
        "commits": commits,
    }))
}

fn commit(u: &mut Unstructured<'_>) -> Result<Value> {
    let changes = u.int_in_range(1..=4u8)?;
    let changes = (0..changes)
        .map(|_| change(u))
        .collect::<Result<Vec<_>>>()?;
    let mut commit = json!({ "comment": text(u)?, "changes": changes });
    if u.arbitrary()? {
        commit["author"] = json!({ "name": text(u)?, "email": text(u)? });
    }
    Ok(commit)
}

fn change(u: &mut Unstructured<'_>) -> Result<Value> {
    let path = |u: &mut Unstructured<'_>| {
        Ok(if u.ratio(1, 4)? {
            "/src/a.xml".to_owned()
        } else {
            format!("/{}", name(u)?)
        })
    };
    let content = u.arbitrary::<[u8; 4]>()?;
    let content = if u.ratio(7, 8)? {
        json!({ "content": BASE64_STANDARD.encode(content), "contentType": "base64encoded" })
    } else {
        json!({ "content": text(u)?, "contentType": *u.choose(&["rawtext", "base64Encoded", "?"])? })
    };
    let kind = u.choose(&["add", "add", "add", "edit", "delete", "rename", "none"])?;
    let mut change =
        json!({ "changeType": kind, "item": { "path": path(u)? }, "newContent": content });
    if *kind == "rename" {
        change["sourceServerItem"] = path(u)?.into();
    }
    Ok(change)
}

/// A name out of pieces that mean something to git or to a file system.
pub(super) fn name(u: &mut Unstructured<'_>) -> Result<String> {
    let pieces = u.int_in_range(1..=5u8)?;
    (0..pieces).map(|_| Ok(*u.choose(PIECES)?)).collect()
}

/// A text of a commit.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let bytes = u.arbitrary::<[u8; 6]>()?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(format!(
        "{text}{}",
        u.choose(&["", "", "\n", "<", ">", "\0", "é", "\n\ntree "])?
    ))
}

//! Commits, references and merges in real bare repositories, read back with the `git` program.

use std::process::Command;

use almscript::git::{
    BareRepository, ChangeKind, Changes, Expected, GitError, LogOptions, Merge, ObjectId, Person,
};

fn repository() -> (tempfile::TempDir, BareRepository) {
    let folder = tempfile::tempdir().unwrap();
    let repository = BareRepository::init(&folder.path().join("a.git"), "main").unwrap();
    (folder, repository)
}

fn maya() -> Person {
    Person {
        name: "Maya Ødegård".into(),
        email: "maya@contoso.example".into(),
    }
}

fn commit(
    repository: &BareRepository,
    parent: Option<ObjectId>,
    files: &[(&str, &str)],
    message: &str,
) -> ObjectId {
    let mut changes = Changes::new();
    for (path, text) in files {
        changes.put(path, text.as_bytes().to_vec()).unwrap();
    }
    repository
        .commit(parent, &changes, message, &maya(), 1_700_000_000)
        .unwrap()
        .unwrap()
}

fn git(repository: &BareRepository, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(repository.path())
        .args(arguments)
        .output()
        .expect("git is installed where the tests run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_reads_what_was_committed_without_a_work_tree() {
    let (_folder, repository) = repository();
    let message = "It's \"quoted\"\n\nSecond paragraph #123 — ünïcödé";
    let files = [
        ("Sales/SolutionPackage/src/Ünï 'x'.xml", "<a/>\r\n"),
        ("top.txt", ""),
    ];
    let id = commit(&repository, None, &files, message);
    repository
        .update_reference("refs/heads/main", Expected::Absent, Some(id))
        .unwrap();

    let log = git(
        &repository,
        &["log", "-1", "--format=%an|%ae|%at|%B", "main"],
    );
    assert_eq!(
        log.trim_end(),
        format!("Maya Ødegård|maya@contoso.example|1700000000|{message}")
    );
    let path = format!("main:{}", files[0].0);
    assert_eq!(git(&repository, &["show", &path]), "<a/>\r\n");
    git(&repository, &["fsck", "--strict"]);
    assert_eq!(
        repository.read_file(id, files[0].0).unwrap().as_deref(),
        Some(&b"<a/>\r\n"[..])
    );
    assert_eq!(repository.commit_info(id).unwrap().message, message);
}

#[test]
fn a_commit_that_changes_nothing_is_none() {
    let (_folder, repository) = repository();
    let first = commit(&repository, None, &[("a.txt", "1")], "first");
    let mut same = Changes::new();
    same.put("a.txt", b"1".to_vec()).unwrap();
    same.delete("not/there.txt").unwrap();
    let again = repository
        .commit(Some(first), &same, "again", &maya(), 0)
        .unwrap();
    assert_eq!(again, None);
}

#[test]
fn replacing_a_folder_removes_what_is_not_in_the_new_one() {
    let (_folder, repository) = repository();
    let files = [
        ("Sales/src/old.xml", "o"),
        ("Sales/src/deep/kept.xml", "k"),
        ("Sales2/x", "x"),
    ];
    let first = commit(&repository, None, &files, "first");
    let mut changes = Changes::new();
    let new = [
        ("deep/kept.xml".to_owned(), b"k".to_vec()),
        ("new.xml".to_owned(), b"n".to_vec()),
    ];
    changes.replace_folder("Sales/src", new).unwrap();
    let second = repository
        .commit(Some(first), &changes, "second", &maya(), 1)
        .unwrap()
        .unwrap();

    let files = repository.files(second, "").unwrap();
    let paths: Vec<&str> = files.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(
        paths,
        ["Sales/src/deep/kept.xml", "Sales/src/new.xml", "Sales2/x"]
    );
    let changes = repository.diff(Some(first), second).unwrap();
    let seen: Vec<_> = changes
        .iter()
        .map(|change| (change.path.as_str(), change.kind))
        .collect();
    let expected = [
        ("Sales/src/new.xml", ChangeKind::Added),
        ("Sales/src/old.xml", ChangeKind::Deleted),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        repository.read_folder(second, "Sales/src").unwrap().len(),
        2
    );
}

#[test]
fn a_file_can_become_a_folder_and_back() {
    let (_folder, repository) = repository();
    let first = commit(&repository, None, &[("a", "file"), ("b/c", "x")], "first");
    let mut changes = Changes::new();
    changes.delete("a").unwrap();
    changes.put("a/b/c", b"below".to_vec()).unwrap();
    changes.delete("b").unwrap();
    changes.put("b", b"file".to_vec()).unwrap();
    let second = repository
        .commit(Some(first), &changes, "second", &maya(), 1)
        .unwrap()
        .unwrap();
    assert_eq!(
        repository.read_file(second, "a/b/c").unwrap().unwrap(),
        b"below"
    );
    assert_eq!(repository.read_file(second, "b").unwrap().unwrap(), b"file");
}

#[test]
fn a_reference_moves_only_from_where_it_was_expected() {
    let (_folder, repository) = repository();
    let first = commit(&repository, None, &[("a", "1")], "first");
    let second = commit(&repository, Some(first), &[("a", "2")], "second");
    let main = "refs/heads/main";
    repository
        .update_reference(main, Expected::Absent, Some(first))
        .unwrap();
    let again = repository.update_reference(main, Expected::Absent, Some(second));
    assert!(matches!(again, Err(GitError::Stale { .. })), "{again:?}");
    repository
        .update_reference(main, Expected::At(first), Some(second))
        .unwrap();
    let stale = repository.update_reference(main, Expected::At(first), Some(first));
    assert!(matches!(stale, Err(GitError::Stale { .. })), "{stale:?}");
    assert_eq!(repository.reference(main).unwrap(), Some(second));
    assert_eq!(repository.resolve(&first.to_string()[..8]).unwrap(), first);
    repository
        .update_reference(main, Expected::At(second), None)
        .unwrap();
    assert_eq!(repository.reference(main).unwrap(), None);
    let bad = repository.update_reference("refs/heads/a b..c", Expected::Any, Some(first));
    assert!(matches!(bad, Err(GitError::BadName { .. })), "{bad:?}");
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    let mut changes = Changes::new();
    for path in [
        "",
        "../x",
        "a//b",
        "/a",
        "a/.git/config",
        ".GIT/x",
        "a\\b",
        "a/git~1/config",
        "a/.git./config",
        "a/.g\u{200c}it/config",
        ".git::$INDEX_ALLOCATION/config",
        "a:b",
        "a/./b",
        "a/",
    ] {
        let refused = changes.put(path, Vec::new());
        assert!(matches!(refused, Err(GitError::BadPath { .. })), "{path}");
    }
}

#[test]
fn changes_in_different_files_merge_and_in_the_same_line_conflict() {
    let (_folder, repository) = repository();
    let base = commit(
        &repository,
        None,
        &[("a", "1\n2\n3\n"), ("b", "x\n")],
        "base",
    );
    let ours = commit(&repository, Some(base), &[("a", "one\n2\n3\n")], "ours");
    let theirs = commit(
        &repository,
        Some(base),
        &[("b", "y\n"), ("c", "new\n")],
        "theirs",
    );
    let Merge::Clean(tree) = repository.merge(ours, theirs).unwrap() else {
        panic!("conflict")
    };
    let merged = repository
        .commit_tree(tree, &[ours, theirs], "merged", &maya(), 5)
        .unwrap();
    assert_eq!(
        repository.read_file(merged, "a").unwrap().unwrap(),
        b"one\n2\n3\n"
    );
    assert_eq!(repository.read_file(merged, "b").unwrap().unwrap(), b"y\n");
    assert_eq!(repository.merge_base(ours, theirs).unwrap(), Some(base));
    assert!(repository.is_ancestor(base, merged).unwrap());
    assert_eq!(repository.ahead_behind(merged, ours).unwrap(), (2, 0));

    let other = commit(&repository, Some(base), &[("a", "uno\n2\n3\n")], "other");
    let conflict = repository.merge(ours, other).unwrap();
    assert_eq!(conflict, Merge::Conflicts(vec!["a".into()]));
    let deleted = {
        let mut changes = Changes::new();
        changes.delete("a").unwrap();
        repository
            .commit(Some(base), &changes, "deleted", &maya(), 6)
            .unwrap()
            .unwrap()
    };
    let conflict = repository.merge(ours, deleted).unwrap();
    assert_eq!(conflict, Merge::Conflicts(vec!["a".into()]));
}

#[test]
fn a_rebase_keeps_authors_and_makes_a_straight_line() {
    let (_folder, repository) = repository();
    let base = commit(&repository, None, &[("a", "1")], "base");
    let target = commit(&repository, Some(base), &[("b", "1")], "target");
    let one = commit(&repository, Some(base), &[("c", "1")], "one");
    let two = commit(&repository, Some(one), &[("c", "2")], "two");
    let service = Person::service();
    let Merge::Clean(tip) = repository.rebase(two, target, &service, 9).unwrap() else {
        panic!("conflict")
    };
    let log = repository
        .log(
            tip,
            &LogOptions {
                limit: Some(3),
                ..Default::default()
            },
        )
        .unwrap();
    let messages: Vec<&str> = log.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(messages, ["two", "one", "target"]);
    assert_eq!((&log[0].author, log[0].committed), (&maya(), 9));
}

#[test]
fn the_log_of_a_path_has_only_commits_that_touch_it() {
    let (_folder, repository) = repository();
    let first = commit(&repository, None, &[("a/x", "1"), ("b", "1")], "first");
    let second = commit(&repository, Some(first), &[("b", "2")], "second");
    let third = commit(&repository, Some(second), &[("a/x", "3")], "third");
    let options = LogOptions {
        path: Some("a".into()),
        ..LogOptions::default()
    };
    let ids: Vec<_> = repository
        .log(third, &options)
        .unwrap()
        .iter()
        .map(|commit| commit.id)
        .collect();
    assert_eq!(ids, [third, first]);
}

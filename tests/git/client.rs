//! The branch service against the emulated organisation: commits, pull requests, pipelines.

use std::sync::Arc;
use std::time::Duration;

use almscript::branch::pipelines::{self, StagePipeline, Starts, Wanted};
use almscript::branch::remote::SharedStore;
use almscript::branch::{
    AzureDevOps, BranchError, Build, BuildChange, BuildFilter, BuildRequest, BuildState,
    CheckState, Completion, GitHost, MergeStrategy, NewCommit, NewPullRequest, Outcome, Pace,
    PullRequestFilter, PullRequestState, Repository, Vote,
};
use almscript::git::Person;
use almscript::transport::{
    Cancel, HeaderValue, InProcess, Request, Response, Transport, TransportError,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::tenant::{Fixture, MAYA, OLGA};

/// Signs every request with a user's access token.
struct As(InProcess, HeaderValue);

impl Transport for As {
    fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        request.headers.insert("authorization", self.1.clone());
        self.0.send(request)
    }
}

fn host(it: &Fixture, who: &str) -> Arc<AzureDevOps> {
    let token = BASE64_STANDARD.encode(format!(":{who}"));
    let token = HeaderValue::try_from(format!("Basic {token}")).unwrap();
    let transport = As(InProcess::new(it.tenant.clone()), token);
    let url = "https://dev.azure.com/contoso".parse().unwrap();
    Arc::new(AzureDevOps::new(
        Arc::new(transport),
        url,
        "ALM Team",
        "apps",
    ))
}

fn open(it: &Fixture, who: &str) -> Repository {
    let host = host(it, who);
    let folder = it.tenant.repositories().join("contoso/ALM Team/apps.git");
    let remote = SharedStore::open(&folder, host.clone()).unwrap();
    Repository::open("apps", host, Box::new(remote), Cancel::new()).unwrap()
}

fn quick() -> Pace {
    Pace {
        first: Duration::from_millis(1),
        ..Pace::default()
    }
    .within(Duration::from_secs(5))
}

fn maya() -> Person {
    Person {
        name: "Maya Maker".into(),
        email: "maya@contoso.example".into(),
    }
}

fn solution(version: &str, message: &str) -> NewCommit {
    NewCommit {
        message: message.into(),
        author: Some(maya()),
        folders: vec![(
            "Sales/SolutionPackage/src".into(),
            vec![(
                "Other/Solution.xml".into(),
                version.as_bytes().to_vec().into(),
            )],
        )],
        ..NewCommit::default()
    }
}

fn finish(host: &dyn GitHost, build: &Build, outcome: Outcome) {
    host.change_build(build.id, BuildChange::Start { agent: "a".into() })
        .unwrap();
    host.change_build(build.id, BuildChange::Finish(outcome))
        .unwrap();
}

#[test]
fn a_makers_work_goes_from_branch_to_main_through_the_pipelines() {
    let it = Fixture::new();
    it.push("main", "main", &[("README.md", "hello")], "first");
    let repository = open(&it, MAYA);
    let host = repository.host();
    let stage = |environment: &str, starts, approvers: &[&str]| StagePipeline {
        environment: environment.into(),
        script: if environment == "validation" {
            "validate"
        } else {
            "release"
        }
        .into(),
        starts,
        approvers: approvers.iter().map(|&name| name.to_owned()).collect(),
        ..StagePipeline::default()
    };
    let wanted = Wanted {
        solution: "Sales".into(),
        stages: vec![
            stage(
                "validation",
                Starts::OnPullRequest(vec!["Sales".into()]),
                &[],
            ),
            stage("test", Starts::OnPush("Sales".into()), &[]),
            stage("prod", Starts::ByHand, &["Operators"]),
        ],
        ..Wanted::default()
    };
    let made = pipelines::ensure(&repository, &wanted).unwrap();
    assert_eq!(made.changes.len(), 6, "{:?}", made.changes);
    assert_eq!(made.definitions[1].name, "deploy-test-Sales");
    assert_eq!(made.definitions[1].folder, "/apps - Sales");
    assert_eq!(made.definitions[1].variables["AlmScript"], "release");
    let again = pipelines::ensure(&repository, &wanted).unwrap();
    assert_eq!(
        again.changes,
        Vec::<String>::new(),
        "a second time changes nothing"
    );

    let bug = host.create_work_item("Bug", "Flow \"A\" fails").unwrap();
    let mine = repository.branch("maya@contoso.example-Sales");
    mine.create_from(&repository.branch("Sales")).unwrap();
    let taken = mine.create_from(&repository.branch("Sales")).unwrap_err();
    assert!(matches!(taken, BranchError::BranchExists(_)), "{taken}");
    let message = format!("It's mended #{}", bug.id);
    let commit = mine.commit(&solution("1.0", &message)).unwrap();
    assert_eq!(
        commit.files,
        ["Sales/SolutionPackage/src/Other/Solution.xml"]
    );
    assert_eq!(commit.work_items, [bug.id]);
    let nothing = mine.commit(&solution("1.0", "again")).unwrap();
    assert!(nothing.is_empty && nothing.id == commit.id);
    let links = host.work_item(bug.id).unwrap().links;
    assert!(
        links.iter().any(|link| link.ends_with(&commit.id)),
        "{links:?}"
    );
    host.link_commit(bug.id, &commit.id).unwrap();
    assert_eq!(
        repository
            .solution_folders(mine.commit_id().unwrap())
            .unwrap(),
        ["Sales"]
    );

    let new = NewPullRequest {
        target: "Sales".into(),
        title: "Sales 1.0".into(),
        labels: vec!["solution-upgrade".into()],
        ..NewPullRequest::default()
    };
    let opened = mine.open_pull_request(new.clone()).unwrap();
    assert_eq!(opened.merge_status, "succeeded");
    let twice = mine.open_pull_request(new).unwrap_err();
    assert!(
        matches!(twice, BranchError::PullRequestExists { .. }),
        "{twice}"
    );
    let checks = host.checks(opened.id).unwrap();
    assert_eq!(
        (checks[0].title.as_str(), checks[0].state),
        ("Build Validation", CheckState::Queued)
    );

    let early = repository
        .complete(opened.id, &Completion::default(), quick())
        .unwrap_err();
    assert!(matches!(early, BranchError::Policy { .. }), "{early}");
    let queued = BuildFilter {
        state: Some(BuildState::Queued),
        ..BuildFilter::default()
    };
    let [build] = &host.builds(&queued).unwrap()[..] else {
        panic!("one build")
    };
    assert_eq!(
        (build.pull_request, build.reason.as_str()),
        (Some(opened.id), "pullRequest")
    );
    // What the build checks out is the merge, which is here already.
    let merge = repository.resolve(&build.branch).unwrap();
    assert_eq!(merge.to_string(), build.commit);
    host.change_build(build.id, BuildChange::Start { agent: "a".into() })
        .unwrap();
    let second = host
        .change_build(build.id, BuildChange::Start { agent: "a".into() })
        .unwrap_err();
    assert!(matches!(second, BranchError::Changed { .. }), "{second}");
    host.write_log(build, "one\n").unwrap();
    host.write_log(build, "two\n").unwrap();
    assert_eq!(host.read_log(build.id).unwrap(), "one\ntwo\n");
    host.change_build(build.id, BuildChange::Finish(Outcome::Succeeded))
        .unwrap();
    let checks = repository
        .wait_for_checks(opened.id, true, quick())
        .unwrap();
    assert_eq!(checks[0].state, CheckState::Approved);
    host.vote(opened.id, Vote::Approve).unwrap();

    let how = Completion {
        delete_source: true,
        ..Completion::default()
    };
    let done = repository.complete(opened.id, &how, quick()).unwrap();
    assert_eq!(done.state, PullRequestState::Completed);
    assert_eq!(mine.head().unwrap(), None);
    let merged = repository.branch("Sales").commit_id().unwrap();
    assert_eq!(done.merge_commit, Some(merged.to_string()));
    let found = host
        .pull_request_of_commit(&merged.to_string())
        .unwrap()
        .unwrap();
    assert_eq!(found.labels, ["solution-upgrade"]);

    let [build] = &host.builds(&queued).unwrap()[..] else {
        panic!("one build")
    };
    assert_eq!(build.definition_name, "deploy-test-Sales");
    assert_eq!(
        (build.commit.as_str(), build.reason.as_str()),
        (merged.to_string().as_str(), "individualCI")
    );
    finish(host, build, Outcome::Succeeded);

    let request = BuildRequest {
        definition: made.definitions[2].id,
        branch: Some("Sales".into()),
        variables: [("TriggerSolutionUpgrade".to_owned(), "true".to_owned())].into(),
        ..BuildRequest::default()
    };
    let waiting = host.queue_build(&request).unwrap();
    assert_eq!(waiting.state, BuildState::Waiting);
    assert_eq!(waiting.variables["TriggerSolutionUpgrade"], "true");
    let [approval] = &host.approvals().unwrap()[..] else {
        panic!("one approval")
    };
    assert_eq!(
        (approval.build, approval.place.as_str()),
        (waiting.id, "prod")
    );
    assert_eq!(approval.approvers, ["Operators"]);
    let refused = host.decide(&approval.id, true, "").unwrap_err();
    assert!(
        matches!(refused, BranchError::Forbidden { .. }),
        "{refused}"
    );
    let olga = open(&it, OLGA);
    olga.host().decide(&approval.id, true, "go").unwrap();
    let build = host.build(waiting.id).unwrap();
    assert_eq!(build.state, BuildState::Queued);
    finish(host, &build, Outcome::Succeeded);
    let over = repository.wait_for_build(build.id, quick()).unwrap();
    assert_eq!(over.result.as_deref(), Some("succeeded"));
}

#[test]
fn a_protected_branch_is_a_policy_error() {
    let it = Fixture::new();
    it.push("main", "main", &[("a", "a")], "first");
    let repository = open(&it, MAYA);
    let wanted = Wanted {
        solution: "Sales".into(),
        stages: vec![StagePipeline {
            environment: "validation".into(),
            starts: Starts::OnPullRequest(vec!["Sales".into()]),
            ..StagePipeline::default()
        }],
        ..Wanted::default()
    };
    pipelines::ensure(&repository, &wanted).unwrap();
    let refused = repository
        .branch("Sales")
        .commit(&solution("1", "direct"))
        .unwrap_err();
    assert!(matches!(refused, BranchError::Policy { .. }), "{refused}");
}

#[test]
fn two_makers_who_save_different_files_both_succeed_and_the_same_file_is_refused() {
    let it = Fixture::new();
    it.push("main", "main", &[("a", "a"), ("b", "b")], "first");
    let (one, two) = (open(&it, MAYA), open(&it, OLGA));
    let file = |path: &str, text: &str| NewCommit {
        message: format!("{path} {text}"),
        files: vec![(path.into(), text.as_bytes().to_vec().into())],
        ..NewCommit::default()
    };
    std::thread::scope(|scope| {
        let saves = ["a", "b"].map(|path| {
            let repository = if path == "a" { &one } else { &two };
            scope.spawn(move || {
                for round in 0..5 {
                    let saved = repository
                        .branch("main")
                        .commit(&file(path, &round.to_string()));
                    // Only so many attempts are made when the other one is always faster.
                    if let Err(error) = &saved {
                        assert!(matches!(error, BranchError::Changed { .. }), "{error}");
                    }
                }
            })
        });
        for save in saves {
            save.join().unwrap();
        }
    });
    let log = one
        .store()
        .log(one.branch("main").commit_id().unwrap(), &Default::default())
        .unwrap();
    assert!(log.len() > 5, "{}", log.len());
    for commit in log.windows(2) {
        assert_eq!(commit[0].parents, [commit[1].id], "no commit was lost");
    }
}

#[test]
fn conflicts_and_squashes_are_told_apart() {
    let it = Fixture::new();
    it.push("main", "main", &[("a", "one\n")], "first");
    it.push("left", "main", &[("a", "two\n")], "left");
    it.push("right", "main", &[("a", "three\n")], "right");
    let repository = open(&it, MAYA);
    let into_main = |title: &str| NewPullRequest {
        target: "main".into(),
        title: title.into(),
        ..NewPullRequest::default()
    };
    let left = repository
        .branch("left")
        .open_pull_request(into_main("left"))
        .unwrap();
    let right = repository
        .branch("right")
        .open_pull_request(into_main("right"))
        .unwrap();
    let squash = Completion {
        strategy: Some(MergeStrategy::Squash),
        message: Some("Left, in one".into()),
        ..Completion::default()
    };
    repository.complete(left.id, &squash, quick()).unwrap();
    let head = repository.branch("main").commit_id().unwrap();
    let info = repository.store().commit_info(head).unwrap();
    assert_eq!(
        (info.parents.len(), info.message.as_str()),
        (1, "Left, in one")
    );
    let clash = repository
        .complete(right.id, &Completion::default(), quick())
        .unwrap_err();
    assert!(matches!(clash, BranchError::Conflicts { .. }), "{clash}");
    repository.host().abandon(right.id).unwrap();
    let open = PullRequestFilter {
        state: Some(PullRequestState::Active),
        ..PullRequestFilter::default()
    };
    assert_eq!(repository.host().pull_requests(&open).unwrap(), []);
}

#[test]
fn who_has_no_token_is_told_to_sign_in() {
    let it = Fixture::new();
    let error = host(&it, "nobody").repository().unwrap_err();
    assert!(matches!(error, BranchError::SignIn { .. }), "{error}");
    let missing = AzureDevOps::new(
        Arc::new(As(
            InProcess::new(it.tenant.clone()),
            HeaderValue::from_static("Basic Om1heWE="),
        )),
        "https://dev.azure.com/contoso/".parse().unwrap(),
        "ALM Team",
        "no such/../repository",
    );
    let error = missing.repository().unwrap_err();
    assert!(matches!(error, BranchError::NotFound { .. }), "{error}");
}

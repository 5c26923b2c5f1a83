//! The emulated organisation, called as its Web API: what a pull request, a policy, a build and an
//! approval do to one another.

use almscript::transport::{Method, Request, Service};
use serde_json::{Value, json};

use crate::tenant::{Fixture, MAYA, OLGA, REPOSITORY};

const PROJECT: &str = "ALM%20Team/_apis";

/// `main` with one file, and the branch `feature` with another text in it.
fn with_branches() -> Fixture {
    let it = Fixture::new();
    it.push("main", "main", &[("Sales/a.txt", "one\n")], "first");
    it.push("feature", "main", &[("Sales/a.txt", "two\n")], "second #1");
    it
}

fn open(it: &Fixture, source: &str, more: Value) -> i64 {
    let mut body = json!({
        "sourceRefName": format!("refs/heads/{source}"),
        "targetRefName": "refs/heads/main",
        "title": format!("Bring in {source}"),
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let made = it.post(&format!("{REPOSITORY}/pullrequests?api-version=7.1"), body);
    made["pullRequestId"].as_i64().unwrap()
}

fn pull_request(it: &Fixture, id: i64) -> Value {
    it.get(&format!("{REPOSITORY}/pullrequests/{id}"))
}

fn completion(it: &Fixture, id: i64, options: Value) -> Value {
    let commit = pull_request(it, id)["lastMergeSourceCommit"]["commitId"].clone();
    json!({
        "status": "completed",
        "lastMergeSourceCommit": { "commitId": commit },
        "completionOptions": options,
    })
}

fn definition(it: &Fixture, name: &str, more: Value) -> i64 {
    let mut body = json!({
        "name": name,
        "path": "\\apps - Sales",
        "type": "build",
        "queueStatus": "enabled",
        "process": { "type": 2, "yamlFilename": "/alm.yml" },
        "repository": { "name": "apps", "type": "TfsGit", "defaultBranch": "refs/heads/main" },
        "variables": { "AlmScript": { "value": "release", "allowOverride": true } },
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    it.post(&format!("{PROJECT}/build/definitions"), body)["id"]
        .as_i64()
        .unwrap()
}

fn policy(it: &Fixture, kind: &str, settings: Value) -> i64 {
    let repository = it.get(REPOSITORY)["id"].clone();
    let mut settings = settings;
    settings["scope"] = json!([{
        "repositoryId": repository, "refName": "refs/heads/main", "matchKind": "exact",
    }]);
    let body = json!({ "type": { "id": kind }, "isBlocking": true, "isEnabled": true, "settings": settings });
    it.post(&format!("{PROJECT}/policy/configurations"), body)["id"]
        .as_i64()
        .unwrap()
}

fn builds(it: &Fixture, filter: &str) -> Vec<Value> {
    it.get(&format!("{PROJECT}/build/builds?{filter}"))["value"]
        .as_array()
        .unwrap()
        .clone()
}

fn finish(it: &Fixture, build: &Value, result: &str) {
    let path = format!("{PROJECT}/build/builds/{}", build["id"]);
    it.patch(&path, json!({ "status": "inProgress" }));
    it.patch(&path, json!({ "status": "completed", "result": result }));
}

const BUILD: &str = "0609b952-1397-4640-95ec-e00a01b2c241";
const REVIEWERS: &str = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd";
const WORK_ITEMS: &str = "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e";

#[test]
fn completing_a_pull_request_merges_the_branches_for_real() {
    let it = with_branches();
    let id = open(
        &it,
        "feature",
        json!({ "labels": [{ "name": "solution-upgrade" }] }),
    );
    assert_eq!(pull_request(&it, id)["mergeStatus"], "succeeded");
    assert_eq!(
        pull_request(&it, id)["labels"][0]["name"],
        "solution-upgrade"
    );
    let path = format!("{REPOSITORY}/pullrequests/{id}");
    let body = completion(&it, id, json!({ "deleteSourceBranch": "true" }));
    let answer = it.patch(&path, body);
    // The service answers before it has merged.
    assert_eq!(
        (&answer["status"], &answer["mergeStatus"]),
        (&json!("active"), &json!("queued"))
    );
    let done = pull_request(&it, id);
    assert_eq!(done["status"], "completed");
    let merge = done["lastMergeCommit"]["commitId"].as_str().unwrap();
    assert_eq!(it.head("main"), merge);
    assert_eq!(it.head("feature"), "0".repeat(40));
    let commit = it.get(&format!("{REPOSITORY}/commits/{merge}"));
    assert_eq!(
        commit["comment"],
        format!("Merged PR {id}: Bring in feature")
    );
    assert_eq!(commit["author"]["email"], "maya@contoso.example");
    assert_eq!(commit["parents"].as_array().unwrap().len(), 2);
    let item = it.get(&format!(
        "{REPOSITORY}/items?path=/Sales/a.txt&includeContent=true"
    ));
    assert_eq!(item["content"], "two\n");
}

#[test]
fn a_squash_has_one_parent_and_a_rebase_makes_a_straight_line() {
    for (strategy, parents, comment) in [
        ("squash", 1, "my words"),
        ("rebase", 1, "second #1"),
        ("3", 1, "second #1"),
    ] {
        let it = with_branches();
        it.push("main", "main", &[("other.txt", "x")], "meanwhile");
        let id = open(&it, "feature", json!({}));
        let options = json!({ "mergeStrategy": strategy, "mergeCommitMessage": "my words" });
        it.patch(
            &format!("{REPOSITORY}/pullrequests/{id}"),
            completion(&it, id, options),
        );
        let commit = it.get(&format!("{REPOSITORY}/commits/{}", it.head("main")));
        assert_eq!(
            commit["parents"].as_array().unwrap().len(),
            parents,
            "{strategy}"
        );
        assert_eq!(commit["comment"], comment, "{strategy}");
    }
}

#[test]
fn conflicts_keep_a_pull_request_open_until_they_are_resolved() {
    let it = with_branches();
    it.push("main", "main", &[("Sales/a.txt", "three\n")], "meanwhile");
    let id = open(&it, "feature", json!({}));
    assert_eq!(pull_request(&it, id)["mergeStatus"], "conflicts");
    let path = format!("{REPOSITORY}/pullrequests/{id}");
    let body = completion(&it, id, json!({}));
    let refused = it.refused(MAYA, Method::PATCH, &path, Some(body));
    assert_eq!(
        refused,
        (409, "GitPullRequestMergeConflictException".into())
    );
    it.push("feature", "feature", &[("Sales/a.txt", "one\n")], "back");
    assert_eq!(pull_request(&it, id)["mergeStatus"], "succeeded");
    let iterations = it.get(&format!("{path}/iterations"));
    assert_eq!(iterations["count"], 2);
}

#[test]
fn a_second_pull_request_for_the_same_branches_is_refused_by_its_type() {
    let it = with_branches();
    open(&it, "feature", json!({}));
    let body = json!({
        "sourceRefName": "refs/heads/feature", "targetRefName": "refs/heads/main", "title": "x",
    });
    let path = format!("{REPOSITORY}/pullrequests");
    let refused = it.refused(MAYA, Method::POST, &path, Some(body));
    assert_eq!(refused, (409, "GitPullRequestExistsException".into()));
}

#[test]
fn completing_needs_the_source_commit_that_was_looked_at() {
    let it = with_branches();
    let id = open(&it, "feature", json!({}));
    let path = format!("{REPOSITORY}/pullrequests/{id}");
    let without = it.refused(
        MAYA,
        Method::PATCH,
        &path,
        Some(json!({ "status": "completed" })),
    );
    assert_eq!(without, (400, "InvalidArgumentValueException".into()));
    let before = completion(&it, id, json!({}));
    it.push("feature", "feature", &[("b", "b")], "more");
    let stale = it.refused(MAYA, Method::PATCH, &path, Some(before));
    assert_eq!(stale, (409, "GitPullRequestStaleException".into()));
}

#[test]
fn a_validation_policy_queues_a_build_whose_success_lets_the_request_complete_itself() {
    let it = with_branches();
    let build = definition(&it, "deploy-validation-Sales", json!({}));
    let settings = json!({ "buildDefinitionId": build, "displayName": "Build Validation",
            "filenamePatterns": ["/Sales/*"], "validDuration": 0 });
    policy(&it, BUILD, settings);
    let id = open(&it, "feature", json!({}));
    let queued = builds(&it, "statusFilter=notStarted");
    assert_eq!(queued.len(), 1);
    assert_eq!(queued[0]["reason"], "pullRequest");
    assert_eq!(queued[0]["sourceBranch"], format!("refs/pull/{id}/merge"));
    assert_eq!(queued[0]["triggerInfo"]["pr.number"], id.to_string());

    let path = format!("{REPOSITORY}/pullrequests/{id}");
    let refused = it.refused(
        MAYA,
        Method::PATCH,
        &path,
        Some(completion(&it, id, json!({}))),
    );
    assert_eq!(
        refused,
        (403, "GitPullRequestUpdateRejectedByPolicyException".into())
    );

    let me = it.get("_apis/connectionData")["authenticatedUser"]["id"].clone();
    it.patch(&path, json!({ "autoCompleteSetBy": { "id": me } }));
    finish(&it, &queued[0], "failed");
    assert_eq!(pull_request(&it, id)["status"], "active");
    // A new state of the source gets a new build.
    it.push("feature", "feature", &[("Sales/b.txt", "b")], "repair");
    let queued = builds(&it, "statusFilter=notStarted");
    assert_eq!(queued.len(), 1);
    finish(&it, &queued[0], "succeeded");
    assert_eq!(pull_request(&it, id)["status"], "completed");
}

#[test]
fn a_policy_with_a_path_filter_does_not_concern_other_folders() {
    let it = with_branches();
    let build = definition(&it, "deploy-validation-Other", json!({}));
    policy(
        &it,
        BUILD,
        json!({ "buildDefinitionId": build, "filenamePatterns": ["/Other/*"] }),
    );
    let id = open(&it, "feature", json!({}));
    assert_eq!(builds(&it, ""), Vec::<Value>::new());
    let project = it.get("_apis/projects/ALM%20Team")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let artifact = format!("vstfs%3A%2F%2F%2FCodeReview%2FCodeReviewId%2F{project}%2F{id}");
    let found = it.get(&format!(
        "{PROJECT}/policy/evaluations?artifactId={artifact}"
    ));
    assert_eq!(found["value"][0]["status"], "notApplicable");
}

#[test]
fn a_protected_branch_takes_no_direct_push_and_needs_somebody_elses_vote() {
    let it = with_branches();
    policy(
        &it,
        REVIEWERS,
        json!({ "minimumApproverCount": 1, "creatorVoteCounts": false }),
    );
    let (old, new) = (it.head("main"), it.head("feature"));
    let update = json!([{ "name": "refs/heads/main", "oldObjectId": old, "newObjectId": new }]);
    let result = it.post(&format!("{REPOSITORY}/refs"), update);
    assert_eq!(result["value"][0]["updateStatus"], "rejectedByPolicy");
    assert_eq!(result["value"][0]["success"], false);
    assert_eq!(it.head("main"), old);

    let id = open(&it, "feature", json!({}));
    let path = format!("{REPOSITORY}/pullrequests/{id}");
    let vote = |who: &str, vote: i64| {
        let me = it.call(who, Method::GET, "_apis/connectionData", None);
        let me = me["authenticatedUser"]["id"].as_str().unwrap().to_owned();
        it.call(
            who,
            Method::PUT,
            &format!("{path}/reviewers/{me}"),
            Some(&json!({ "vote": vote })),
        )
    };
    vote(MAYA, 10);
    let refused = it.refused(
        MAYA,
        Method::PATCH,
        &path,
        Some(completion(&it, id, json!({}))),
    );
    assert_eq!(refused.0, 403);
    vote(OLGA, 10);
    it.patch(&path, completion(&it, id, json!({})));
    assert_eq!(pull_request(&it, id)["status"], "completed");
}

#[test]
fn a_mention_links_a_work_item_to_commit_and_request_and_satisfies_the_policy() {
    let it = Fixture::new();
    let item = it.post(
        &format!("{PROJECT}/wit/workitems/$Bug"),
        json!([{ "op": "add", "path": "/fields/System.Title", "value": "It \"breaks\"" }]),
    );
    assert_eq!(item["id"], 1);
    it.push("main", "main", &[("a", "1")], "first");
    let commit = it.push("feature", "main", &[("a", "2")], "second #1");
    policy(&it, WORK_ITEMS, json!({}));
    let id = open(&it, "feature", json!({ "description": "for #1 and #99" }));
    let linked = it.get(&format!("{REPOSITORY}/pullrequests/{id}/workitems"));
    assert_eq!(linked["value"][0]["id"], "1");
    let item = it.get(&format!("{PROJECT}/wit/workitems/1?$expand=relations"));
    let links: Vec<&str> = item["relations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["url"].as_str().unwrap())
        .collect();
    assert!(links[0].ends_with(&format!("%2F{commit}")), "{links:?}");
    assert!(links[1].contains("PullRequestId"), "{links:?}");
    it.patch(
        &format!("{REPOSITORY}/pullrequests/{id}"),
        completion(&it, id, json!({ "transitionWorkItems": true })),
    );
    let item = it.get(&format!("{PROJECT}/wit/workitems/1"));
    assert_eq!(item["fields"]["System.State"], "Resolved");
}

#[test]
fn a_merge_queues_the_builds_whose_filters_it_meets() {
    let it = with_branches();
    let trigger = |paths: Value| {
        json!({ "triggers": [{ "triggerType": "continuousIntegration",
            "branchFilters": ["+refs/heads/main"], "pathFilters": paths }] })
    };
    let mine = definition(&it, "deploy-test-Sales", trigger(json!(["+/Sales"])));
    definition(&it, "deploy-test-Other", trigger(json!(["+/Other"])));
    definition(&it, "deploy-dev-Sales", json!({}));
    let id = open(&it, "feature", json!({}));
    assert_eq!(builds(&it, ""), Vec::<Value>::new());
    it.patch(
        &format!("{REPOSITORY}/pullrequests/{id}"),
        completion(&it, id, json!({})),
    );
    let queued = builds(&it, "");
    assert_eq!(queued.len(), 1);
    assert_eq!(queued[0]["definition"]["id"], mine);
    assert_eq!(queued[0]["reason"], "individualCI");
    assert_eq!(queued[0]["sourceVersion"], it.head("main"));
}

#[test]
fn a_push_to_the_bare_repository_itself_is_noticed() {
    let it = with_branches();
    definition(
        &it,
        "deploy-test-Sales",
        json!({ "triggers": [{ "triggerType": 2, "branchFilters": ["main"], "pathFilters": [] }] }),
    );
    let folder = it.tenant.repositories().join("contoso/ALM Team/apps.git");
    let done = std::process::Command::new("git")
        .arg("-C")
        .arg(&folder)
        .args(["update-ref", "refs/heads/main", "refs/heads/feature"])
        .status()
        .unwrap();
    assert!(done.success());
    assert_eq!(builds(&it, "").len(), 1);
    assert_eq!(builds(&it, "").len(), 1, "and only once");
}

#[test]
fn a_build_for_an_environment_with_an_approval_waits_for_an_approver() {
    let it = with_branches();
    let place = it.post(
        &format!("{PROJECT}/distributedtask/environments"),
        json!({ "name": "prod" }),
    );
    it.post(
        &format!("{PROJECT}/pipelines/checks/configurations"),
        json!({
            "type": { "id": "8c6f20a7-a545-4486-9777-f762fafe0d4d", "name": "Approval" },
            "settings": { "approvers": [{ "id": "Operators" }], "minRequiredApprovers": 1 },
            "resource": { "type": "environment", "id": place["id"].to_string() },
        }),
    );
    let variables = json!({ "variables": { "EnvironmentName": { "value": "prod" } } });
    let prod = definition(&it, "deploy-prod-Sales", variables);
    let body = json!({ "definition": { "id": prod }, "sourceBranch": "refs/heads/main" });
    let build = it.post(&format!("{PROJECT}/build/builds"), body.clone());
    assert_eq!(build["status"], "postponed");
    let path = format!("{PROJECT}/build/builds/{}", build["id"]);
    let taken = it.refused(
        MAYA,
        Method::PATCH,
        &path,
        Some(json!({ "status": "inProgress" })),
    );
    assert_eq!(taken.0, 409);

    let pending = it.get(&format!("{PROJECT}/pipelines/approvals?state=pending"));
    assert_eq!(pending["count"], 1);
    assert_eq!(pending["value"][0]["pipeline"]["owner"]["id"], build["id"]);
    let id = pending["value"][0]["id"].clone();
    let approvals = format!("{PROJECT}/pipelines/approvals");
    let yes = json!([{ "approvalId": id, "status": "approved", "comment": "go" }]);
    let refused = it.refused(MAYA, Method::PATCH, &approvals, Some(yes.clone()));
    assert_eq!(refused, (403, "ApprovalUnauthorizedException".into()));
    it.call(OLGA, Method::PATCH, &approvals, Some(&yes));
    assert_eq!(it.get(&path)["status"], "notStarted");
    finish(&it, &build, "succeeded");
    assert_eq!(it.get(&path)["result"], "succeeded");

    let second = it.post(&format!("{PROJECT}/build/builds"), body);
    let pending = it.get(&format!("{PROJECT}/pipelines/approvals?state=pending"));
    let no = json!([{ "approvalId": pending["value"][0]["id"], "status": "rejected" }]);
    it.call(OLGA, Method::PATCH, &approvals, Some(&no));
    let second = it.get(&format!("{PROJECT}/build/builds/{}", second["id"]));
    assert_eq!(
        (&second["status"], &second["result"]),
        (&json!("completed"), &json!("failed"))
    );
}

#[test]
fn of_two_agents_one_gets_the_build() {
    let it = with_branches();
    let id = definition(&it, "x", json!({}));
    let build = it.post(
        &format!("{PROJECT}/build/builds"),
        json!({ "definition": { "id": id } }),
    );
    let path = format!("{PROJECT}/build/builds/{}", build["id"]);
    it.patch(&path, json!({ "status": "inProgress" }));
    let second = it.refused(
        OLGA,
        Method::PATCH,
        &path,
        Some(json!({ "status": "inProgress" })),
    );
    assert_eq!(second, (409, "BuildStatusInvalidChangeException".into()));
}

#[test]
fn references_are_compared_and_set() {
    let it = with_branches();
    let (main, feature, zero) = (it.head("main"), it.head("feature"), "0".repeat(40));
    let update = |name: &str, old: &str, new: &str| {
        let body = json!([{ "name": name, "oldObjectId": old, "newObjectId": new }]);
        let result = it.post(&format!("{REPOSITORY}/refs"), body);
        result["value"][0]["updateStatus"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(update("refs/heads/new", &zero, &main), "succeeded");
    assert_eq!(update("refs/heads/new", &zero, &main), "staleOldObjectId");
    assert_eq!(
        update("refs/heads/new/sub", &zero, &main),
        "refNameConflict"
    );
    assert_eq!(update("refs/heads/a b", &zero, &main), "invalidRefName");
    assert_eq!(
        update("refs/heads/new", &main, &"1".repeat(40)),
        "unresolvableToCommit"
    );
    assert_eq!(update("refs/heads/new", &main, &feature), "succeeded");
    assert_eq!(update("refs/heads/new", &feature, &zero), "succeeded");
    assert_eq!(
        update("refs/heads/new", &zero, &zero),
        "succeededNonExistentRef"
    );
}

#[test]
fn who_is_not_signed_in_gets_a_page_or_a_401() {
    let it = Fixture::new();
    let url = "https://dev.azure.com/contoso/_apis/projects";
    let page = it
        .tenant
        .answer(Request::new(Method::GET, url.parse().unwrap()));
    assert_eq!(page.status, 302);
    let mut request = Request::new(Method::GET, url.parse().unwrap());
    request
        .headers
        .insert("x-tfs-fedauthredirect", "Suppress".parse().unwrap());
    request
        .headers
        .insert("authorization", "Basic OnVua25vd24=".parse().unwrap());
    let refused = it.tenant.answer(request.clone());
    assert_eq!(refused.status, 401);
    request.headers.remove("x-tfs-fedauthredirect");
    assert_eq!(it.tenant.answer(request.clone()).status, 203);
    let bearer = "Bearer of-another-service".parse().unwrap();
    request.headers.insert("authorization", bearer);
    assert_eq!(it.tenant.answer(request).status, 401);
}

#[test]
fn what_is_not_emulated_is_refused_by_name() {
    let it = Fixture::new();
    let response = it.send(
        MAYA,
        Method::GET,
        &format!("{PROJECT}/release/definitions"),
        None,
    );
    assert_eq!(response.status, 501);
    let message = response.to_json().unwrap()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("release/definitions"), "{message}");
    let unknown = it.refused(MAYA, Method::GET, "Nowhere/_apis/build/builds", None);
    assert_eq!(
        unknown,
        (404, "ProjectDoesNotExistWithNameException".into())
    );
}

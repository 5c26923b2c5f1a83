//! What the service's own client libraries ask for before anything else: where each resource is
//! (facts/git-hosts.md, section 10).

use serde_json::{Value, json};

use super::refusal::{Answer, ok};

/// `G` stands for `{project}/_apis/{area}/repositories/{repositoryId}`, `P` for a pull request
/// below it, `B` for a build.
const LOCATIONS: [(&str, &str, &str, &str); 40] = [
    (
        "225f7195-f9c7-4d14-ab28-a83f7ff77e1f",
        "git",
        "repositories",
        "{project}/_apis/{area}/{resource}/{repositoryId}",
    ),
    (
        "2d874a60-a811-4f62-9c9f-963a6ea0a55b",
        "git",
        "refs",
        "G/{resource}/{*filter}",
    ),
    (
        "ea98d07b-3c87-4971-8ede-a613694ffb55",
        "git",
        "pushes",
        "G/{resource}/{pushId}",
    ),
    (
        "c2570c3b-5b3f-41b8-98bf-5407bfde8d58",
        "git",
        "commits",
        "G/{resource}/{commitId}",
    ),
    (
        "fb93c0db-47ed-4a31-8c20-47552878fb44",
        "git",
        "items",
        "G/{resource}/{*path}",
    ),
    (
        "615588d5-c0c7-4b88-88f8-e625306446e8",
        "git",
        "commitDiffs",
        "G/diffs/commits",
    ),
    (
        "d5b216de-d8d5-4d32-ae76-51df755b16d3",
        "git",
        "branchStats",
        "G/stats/branches/{name}",
    ),
    (
        "9946fd70-0d40-406e-b686-b4744cbbcc37",
        "git",
        "pullRequests",
        "G/{resource}/{pullRequestId}",
    ),
    (
        "01a46dea-7d46-4d40-bc84-319e7c260d99",
        "git",
        "pullRequestById",
        "{project}/_apis/git/pullRequests/{pullRequestId}",
    ),
    (
        "a5d28130-9cd2-40fa-9f08-902e7daa9efb",
        "git",
        "pullRequestsByProject",
        "{project}/_apis/git/pullRequests",
    ),
    (
        "f22387e3-984e-4c52-9c6d-fbb8f14c812d",
        "git",
        "pullRequestLabels",
        "P/labels/{labelIdOrName}",
    ),
    (
        "4b6702c7-aa35-4b89-9c96-b9abf6d3e540",
        "git",
        "pullRequestReviewers",
        "P/reviewers/{reviewerId}",
    ),
    (
        "b5f6bb4f-8d1e-4d79-8d11-4c9172c99c35",
        "git",
        "pullRequestStatuses",
        "P/statuses/{statusId}",
    ),
    (
        "d43911ee-6958-46b0-a42b-8445b8a0d004",
        "git",
        "pullRequestIterations",
        "P/iterations/{iterationId}",
    ),
    (
        "ab6e2e5d-a0b7-4153-b64a-a4efe0d49449",
        "git",
        "pullRequestThreads",
        "P/threads/{threadId}",
    ),
    (
        "0a637fcc-5370-4ce8-b0e8-98091f5f9482",
        "git",
        "pullRequestWorkItems",
        "P/workitems",
    ),
    (
        "dad91cbe-d183-45f8-9c6e-9c1164472121",
        "policy",
        "configurations",
        "{project}/_apis/policy/{resource}/{configurationId}",
    ),
    (
        "44096322-2d3d-466a-bb30-d1b7de69f61f",
        "policy",
        "types",
        "{project}/_apis/policy/{resource}/{typeId}",
    ),
    (
        "c23ddff5-229c-4d04-a80b-0fdce9f360c8",
        "policy",
        "evaluations",
        "{project}/_apis/policy/evaluations",
    ),
    (
        "46aecb7a-5d2c-4647-897b-0209505a9fe4",
        "policy",
        "evaluations",
        "{project}/_apis/policy/evaluations/{evaluationId}",
    ),
    (
        "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
        "build",
        "builds",
        "{project}/_apis/build/builds/{buildId}",
    ),
    (
        "8baac422-4c6e-4de5-8532-db96d92acffa",
        "build",
        "timeline",
        "B/timeline/{timelineId}",
    ),
    (
        "35a80daf-7f30-45fc-86e8-6b813d9c90df",
        "build",
        "logs",
        "B/logs/{logId}",
    ),
    (
        "dbeaf647-6167-421a-bda9-c9327b25e2e6",
        "build",
        "definitions",
        "{project}/_apis/build/definitions/{definitionId}",
    ),
    (
        "28e1305e-2afe-47bf-abaf-cbb0e6a91988",
        "pipelines",
        "pipelines",
        "{project}/_apis/pipelines/{pipelineId}",
    ),
    (
        "7859261e-d2e9-4a68-b820-a5d84cc5bb3d",
        "pipelines",
        "runs",
        "{project}/_apis/pipelines/{pipelineId}/runs/{runId}",
    ),
    (
        "86c8381e-5aee-4cde-8ae4-25c0c7f5eaea",
        "PipelinesChecks",
        "configurations",
        "{project}/_apis/pipelines/checks/configurations/{id}",
    ),
    (
        "72c7ddf8-2cdc-4f60-90cd-ab71c14a399b",
        "wit",
        "workItems",
        "{project}/_apis/wit/workItems/{id}",
    ),
    (
        "62d3d110-0047-428c-ad3c-4fe872c91c74",
        "wit",
        "workItems",
        "{project}/_apis/wit/workItems/${type}",
    ),
    (
        "f5b09dd5-9d54-45a1-8b5a-1c8287d634cc",
        "distributedtask",
        "variablegroups",
        "{project}/_apis/distributedtask/variablegroups/{groupId}",
    ),
    (
        "8572b1fc-2482-47fa-8f74-7e3ed53ee54b",
        "distributedtask",
        "environments",
        "{project}/_apis/distributedtask/environments/{environmentId}",
    ),
    (
        "603fe2ac-9723-48b9-88ad-09305aa6c6e1",
        "core",
        "projects",
        "_apis/projects/{*projectId}",
    ),
    (
        "e81700f7-3be2-46de-8624-2eb35882fcaa",
        "Location",
        "ResourceAreas",
        "_apis/ResourceAreas/{areaId}",
    ),
    (
        "00d9565f-ed9c-4a06-9a50-00e7896ccab4",
        "Location",
        "ConnectionData",
        "_apis/connectionData",
    ),
    (
        "630fd2e4-fb88-4f85-ad21-13f3fd1fbca9",
        "git",
        "itemsBatch",
        "G/itemsbatch",
    ),
    (
        "985f7ae9-844f-4906-9897-7ef41516c0e2",
        "git",
        "merges",
        "{project}/_apis/git/repositories/{repositoryNameOrId}/merges/{mergeOperationId}",
    ),
    (
        "428dd4fb-fda5-4722-af02-9313b80305da",
        "git",
        "commitStatuses",
        "G/commits/{commitId}/statuses",
    ),
    (
        "75cf11c5-979f-4038-a76e-058a06adf2bf",
        "git",
        "pullRequestIterationStatuses",
        "P/iterations/{iterationId}/statuses/{statusId}",
    ),
    (
        "53df2d18-29ea-46a9-bee0-933540f80abf",
        "pipelines",
        "preview",
        "{project}/_apis/pipelines/{pipelineId}/preview",
    ),
    (
        "fb1b6d27-3957-43d5-a14b-a2d70403e545",
        "pipelines",
        "logs",
        "{project}/_apis/pipelines/{pipelineId}/runs/{runId}/logs/{logId}",
    ),
];

/// `OPTIONS /_apis[/{area}]`.
pub(super) fn options(area: Option<&str>) -> Answer {
    let values: Vec<Value> = LOCATIONS
        .iter()
        .filter(|(_, own, _, _)| area.is_none_or(|area| area.eq_ignore_ascii_case(own)))
        .map(|(id, area, resource, template)| {
            let route = match template.split_at(1) {
                ("G", rest) => {
                    format!("{{project}}/_apis/{{area}}/repositories/{{repositoryId}}{rest}")
                }
                ("P", rest) => format!(
                    "{{project}}/_apis/git/repositories/{{repositoryId}}/pullRequests/\
                     {{pullRequestId}}{rest}"
                ),
                ("B", rest) => format!("{{project}}/_apis/build/builds/{{buildId}}{rest}"),
                _ => (*template).to_owned(),
            };
            json!({
                "id": id,
                "area": area,
                "resourceName": resource,
                "routeTemplate": route,
                "resourceVersion": 1,
                "minVersion": "1.0",
                "maxVersion": "7.2",
                "releasedVersion": "7.1",
            })
        })
        .collect();
    ok(&json!({ "count": values.len(), "value": values }))
}

/// `GET /_apis/ResourceAreas`: every area is at the address that was asked.
pub(super) fn areas() -> Answer {
    ok(&json!({ "count": 0, "value": null }))
}

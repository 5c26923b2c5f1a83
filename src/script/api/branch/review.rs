//! Pull requests: opening, reading, voting, completing.

use std::time::Duration;

use rhai::plugin::{ImmutableString, export_module};
use rhai::{Array, Dynamic, Map};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::options::options;
use super::source::{Branch, Repository};
use super::{connect, data, optional, revived, word};
use crate::branch::{
    self, Completion, MergeStrategy, NewPullRequest, Pace, PullRequestFilter, PullRequestState,
    Vote,
};
use crate::script::Context;
use crate::script::kept::Keep;
use crate::workspace::Action;

/// A pull request as scripts hold it: its state when it was last read.
#[derive(Clone)]
pub struct PullRequest {
    pub(super) repository: Repository,
    pub(super) state: branch::PullRequest,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Opening {
    into: Option<String>,
    title: String,
    description: String,
    labels: Vec<String>,
    draft: bool,
    work_items: Vec<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Listing {
    status: Option<PullRequestState>,
    source: Option<String>,
    target: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Completing {
    strategy: Option<MergeStrategy>,
    delete_source: bool,
    message: Option<String>,
    advance_work_items: bool,
    /// Seconds.
    timeout: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Checking {
    builds_only: bool,
    /// Seconds.
    timeout: Option<u64>,
}

/// Pull requests.
#[export_module]
pub(super) mod module {
    /// A pull request.
    pub type PullRequest = super::PullRequest;

    /// Opens a pull request from this branch.
    ///
    /// Options: `into` (the target branch; left out, the default branch), `title`, `description`,
    /// `labels`, `draft`, `work_items`.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// let mine = apps.branch("example-of-open");
    /// mine.create_from(apps.branch("main"));
    /// mine.commit(#{ message: "Add a note", files: #{ "open.txt": "x" } });
    /// let request = mine.open_pull_request(#{ into: "main", title: "A note", labels: ["solution-upgrade"] });
    /// request.status == "active" && request.labels == ["solution-upgrade"]
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn open_pull_request(branch: &mut Branch, options: Map) -> Scripted<PullRequest> {
        branch.permit(Action::OpenPullRequest).thrown()?;
        super::open(branch, options).thrown()
    }

    /// The pull request with this number.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).title
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn pull_request(repository: &mut Repository, id: i64) -> Scripted<PullRequest> {
        let state = repository.inner.host().pull_request(id).thrown()?;
        Ok(PullRequest {
            repository: repository.clone(),
            state,
        })
    }

    /// Pull requests, newest first. Options: `status` (`active`, `completed`, `abandoned`; left
    /// out, all), `source`, `target`.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").pull_requests(#{ status: "abandoned", target: "none" }) == []
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn pull_requests(repository: &mut Repository, options: Map) -> Scripted<Array> {
        let listing: super::Listing = super::options(options).thrown()?;
        let filter = PullRequestFilter {
            state: listing.status,
            source: listing.source,
            target: listing.target,
        };
        let found = repository.inner.host().pull_requests(&filter).thrown()?;
        let wrap = |state| {
            Dynamic::from(PullRequest {
                repository: repository.clone(),
                state,
            })
        };
        Ok(found.into_iter().map(wrap).collect())
    }

    /// The completed pull request whose merge is this commit, or `()`.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// apps.pull_request_of_commit("0123456789012345678901234567890123456789") == ()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn pull_request_of_commit(repository: &mut Repository, commit: &str) -> Scripted<Dynamic> {
        let found = repository
            .inner
            .host()
            .pull_request_of_commit(commit)
            .thrown()?;
        let wrap = |state| {
            Dynamic::from(PullRequest {
                repository: repository.clone(),
                state,
            })
        };
        Ok(found.map_or(Dynamic::UNIT, wrap))
    }

    /// The number.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).id == 7
    /// ```
    #[rhai_fn(global, get = "id", pure)]
    pub fn pull_request_id(request: &mut PullRequest) -> i64 {
        request.state.id
    }

    /// `active`, `completed` or `abandoned`, when it was last read.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).status == "active"
    /// ```
    #[rhai_fn(global, get = "status", pure)]
    pub fn pull_request_status(request: &mut PullRequest) -> String {
        word(&request.state.state)
    }

    /// The title.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).title
    /// ```
    #[rhai_fn(global, get = "title", pure)]
    pub fn title(request: &mut PullRequest) -> ImmutableString {
        request.state.title.as_str().into()
    }

    /// The description.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).description
    /// ```
    #[rhai_fn(global, get = "description", pure)]
    pub fn description(request: &mut PullRequest) -> ImmutableString {
        request.state.description.as_str().into()
    }

    /// The name of the branch that is brought in.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).source
    /// ```
    #[rhai_fn(global, get = "source", pure)]
    pub fn source(request: &mut PullRequest) -> ImmutableString {
        request.state.source.as_str().into()
    }

    /// The name of the branch that it is brought into.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).target
    /// ```
    #[rhai_fn(global, get = "target", pure)]
    pub fn target(request: &mut PullRequest) -> ImmutableString {
        request.state.target.as_str().into()
    }

    /// The labels.
    ///
    /// ```rhai,no_run
    /// "solution-upgrade" in branch::repository("apps").pull_request(7).labels
    /// ```
    #[rhai_fn(global, get = "labels", pure)]
    pub fn labels(request: &mut PullRequest) -> Array {
        request
            .state
            .labels
            .iter()
            .map(|label| Dynamic::from(label.clone()))
            .collect()
    }

    /// Whether the branches can be merged: `succeeded`, `conflicts`, `queued`, `failure`. It says
    /// nothing about the checks.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).merge_status == "conflicts"
    /// ```
    #[rhai_fn(global, get = "merge_status", pure)]
    pub fn merge_status(request: &mut PullRequest) -> ImmutableString {
        request.state.merge_status.as_str().into()
    }

    /// The merge commit, or `()`: of the trial while it is open, the real one afterwards.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).merge_commit
    /// ```
    #[rhai_fn(global, get = "merge_commit", pure)]
    pub fn merge_commit(request: &mut PullRequest) -> Dynamic {
        optional(request.state.merge_commit.as_deref())
    }

    /// Who opened it.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).author
    /// ```
    #[rhai_fn(global, get = "author", pure)]
    pub fn author(request: &mut PullRequest) -> ImmutableString {
        request.state.author.as_str().into()
    }

    /// Its address for people.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).web
    /// ```
    #[rhai_fn(global, get = "web", pure)]
    pub fn pull_request_web(request: &mut PullRequest) -> ImmutableString {
        request.state.web.as_str().into()
    }

    /// The pull request as text: `!7 Title`.
    ///
    /// ```rhai,no_run
    /// print(branch::repository("apps").pull_request(7));
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn pull_request_text(request: &mut PullRequest) -> String {
        format!("!{} {}", request.state.id, request.state.title)
    }

    /// What the target branch's policies think of it now: maps with `title`, `state` (`queued`,
    /// `running`, `approved`, `rejected`, `not-applicable`, `broken`), `blocking` and `build`.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).checks.all(|it| it.state == "approved")
    /// ```
    #[rhai_fn(global, get = "checks", pure, return_raw)]
    pub fn checks(request: &mut PullRequest) -> Scripted<Dynamic> {
        data(&request.host().checks(request.state.id).thrown()?).thrown()
    }

    /// The numbers of the work items that it is linked to.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).work_items == [123]
    /// ```
    #[rhai_fn(global, get = "work_items", pure, return_raw)]
    pub fn pull_request_work_items(request: &mut PullRequest) -> Scripted<Array> {
        let items = request.host().work_items_of(request.state.id).thrown()?;
        Ok(items.into_iter().map(Dynamic::from).collect())
    }

    /// The same pull request as it is now.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).reload().status
    /// ```
    #[rhai_fn(global, name = "reload", pure, return_raw)]
    pub fn pull_request_reload(request: &mut PullRequest) -> Scripted<PullRequest> {
        request.reload().thrown()
    }

    /// Puts a label on it; it is no error when it has it.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).add_label("solution-upgrade")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn add_label(request: &mut PullRequest, label: &str) -> Scripted<PullRequest> {
        request.permit(Action::OpenPullRequest).thrown()?;
        request.host().add_label(request.state.id, label).thrown()?;
        request.reload().thrown()
    }

    /// Votes for it, as the person who runs the script.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).approve()
    /// ```
    #[rhai_fn(global, name = "approve", pure, return_raw)]
    pub fn approve_pull_request(request: &mut PullRequest) -> Scripted<PullRequest> {
        request.permit(Action::ApprovePullRequest).thrown()?;
        request
            .host()
            .vote(request.state.id, Vote::Approve)
            .thrown()?;
        request.reload().thrown()
    }

    /// Votes against it, as the person who runs the script.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).reject()
    /// ```
    #[rhai_fn(global, name = "reject", pure, return_raw)]
    pub fn reject_pull_request(request: &mut PullRequest) -> Scripted<PullRequest> {
        request.permit(Action::ApprovePullRequest).thrown()?;
        request
            .host()
            .vote(request.state.id, Vote::Reject)
            .thrown()?;
        request.reload().thrown()
    }

    /// Merges it and waits until that is done.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// apps.branch("example-of-complete-into").create_from(apps.branch("main"));
    /// let mine = apps.branch("example-of-complete");
    /// mine.create_from(apps.branch("main"));
    /// mine.commit(#{ message: "Add a note", files: #{ "complete.txt": "x" } });
    /// let request = mine.open_pull_request(#{ into: "example-of-complete-into", title: "A note" });
    /// request.complete().status == "completed"
    /// ```
    #[rhai_fn(global, name = "complete", pure, return_raw)]
    pub fn complete_plainly(request: &mut PullRequest) -> Scripted<PullRequest> {
        request.complete_with(Map::new()).thrown()
    }

    /// Merges it and waits until that is done. It is refused where the profile has pull requests
    /// validated and the branch lacks the policy for it. Options: `strategy` (`merge`, `squash`, `rebase`,
    /// `rebase-merge`), `delete_source`, `message`, `advance_work_items`, `timeout` in seconds.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).complete(#{ strategy: "squash", delete_source: true })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn complete(request: &mut PullRequest, options: Map) -> Scripted<PullRequest> {
        request.complete_with(options).thrown()
    }

    /// Has it complete itself as soon as nothing is in its way. Options as for `complete`, without
    /// `timeout`; refused like it.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).complete_when_ready(#{ strategy: "squash" })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn complete_when_ready(request: &mut PullRequest, options: Map) -> Scripted<PullRequest> {
        request.permit_completion().thrown()?;
        let options: super::Completing = super::options(options).thrown()?;
        let (how, _) = options.split();
        request
            .host()
            .complete_when_ready(request.state.id, &how)
            .thrown()?;
        request.reload().thrown()
    }

    /// Closes it without a merge.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).abandon()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn abandon(request: &mut PullRequest) -> Scripted<PullRequest> {
        request.permit(Action::AbandonPullRequest).thrown()?;
        request.host().abandon(request.state.id).thrown()?;
        request.reload().thrown()
    }

    /// Waits until all blocking checks are content or one is not, and returns them.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).wait_for_checks()
    /// ```
    #[rhai_fn(global, name = "wait_for_checks", pure, return_raw)]
    pub fn wait_for_all_checks(request: &mut PullRequest) -> Scripted<Dynamic> {
        request.wait(Map::new()).thrown()
    }

    /// Waits until all blocking checks are content or one is not, and returns them. Options:
    /// `builds_only` (do not wait for people), `timeout` in seconds.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").pull_request(7).wait_for_checks(#{ builds_only: true, timeout: 600 })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait_for_checks(request: &mut PullRequest, options: Map) -> Scripted<Dynamic> {
        request.wait(options).thrown()
    }
}

fn open(branch: &Branch, given: Map) -> Result<PullRequest, HostError> {
    let opening: Opening = options(given)?;
    let repository = Repository {
        inner: branch.inner.repository().clone(),
        context: branch.context.clone(),
    };
    let default = || repository.inner.default_branch().to_owned();
    let state = branch.inner.open_pull_request(NewPullRequest {
        source: String::new(),
        target: opening.into.unwrap_or_else(default),
        title: opening.title,
        description: opening.description,
        labels: opening.labels,
        draft: opening.draft,
        work_items: opening.work_items,
    })?;
    Ok(PullRequest { repository, state })
}

impl Completing {
    fn split(self) -> (Completion, Pace) {
        let how = Completion {
            strategy: self.strategy,
            delete_source: self.delete_source,
            message: self.message,
            advance_work_items: self.advance_work_items,
        };
        (how, pace(self.timeout))
    }
}

/// How long to wait, at most: `timeout` seconds.
pub(super) fn pace(timeout: Option<u64>) -> Pace {
    match timeout {
        Some(seconds) => Pace::default().within(Duration::from_secs(seconds)),
        None => Pace::default(),
    }
}

impl PullRequest {
    fn host(&self) -> &dyn branch::GitHost {
        self.repository.inner.host()
    }

    /// Asks the policy for an effect on the branch that the pull request goes into.
    fn permit(&self, action: Action) -> Result<(), HostError> {
        self.repository.at_branch(&self.state.target).permit(action)
    }

    /// Asks the policy, and whether the branch has the validation that its profile wants.
    fn permit_completion(&self) -> Result<(), HostError> {
        self.permit(Action::CompletePullRequest)?;
        if self.state.state == PullRequestState::Active {
            let config = self.repository.context.workspace().config();
            self.repository.inner.check_validated(config, &self.state)?;
        }
        Ok(())
    }

    fn reload(&self) -> Result<Self, HostError> {
        let state = self.host().pull_request(self.state.id)?;
        Ok(Self {
            repository: self.repository.clone(),
            state,
        })
    }

    fn complete_with(&self, given: Map) -> Result<Self, HostError> {
        self.permit_completion()?;
        let (how, pace) = options::<Completing>(given)?.split();
        let state = self.repository.inner.complete(self.state.id, &how, pace)?;
        Ok(Self {
            repository: self.repository.clone(),
            state,
        })
    }

    fn wait(&self, given: Map) -> Result<Dynamic, HostError> {
        let checking: Checking = options(given)?;
        let pace = pace(checking.timeout);
        let repository = &self.repository.inner;
        data(&repository.wait_for_checks(self.state.id, checking.builds_only, pace)?)
    }
}

impl Keep for PullRequest {
    const KIND: &'static str = "pull-request";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(
            json!({ "repository": self.repository.inner.name(), "state": super::kept(&self.state)? }),
        )
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let repository = connect::open(context, kept["repository"].as_str().unwrap_or_default())?;
        Ok(Self {
            repository,
            state: revived(&kept["state"])?,
        })
    }
}

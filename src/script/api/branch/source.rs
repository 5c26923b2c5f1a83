//! Repositories and branches: what is read from them and committed to them.

use rhai::plugin::{ImmutableString, NativeCallContext, export_module};
use rhai::{Array, Blob, Dynamic, Map};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::options::Options;
use super::super::source_tree::SourceTree;
use super::connect;
use crate::branch::{self, BranchError, NewCommit};
use crate::deployment::{self, DeploymentError, Files};
use crate::git::{ObjectId, Person};
use crate::script::Context;
use crate::script::kept::Keep;
use crate::solution;
use crate::workspace::{Action, Effect};

/// A repository as scripts hold it.
#[derive(Clone)]
pub struct Repository {
    pub(super) inner: branch::Repository,
    pub(super) context: Context,
}

/// A branch as scripts hold it; or one commit, for reading.
#[derive(Clone)]
pub struct Branch {
    pub(super) inner: branch::Branch,
    pub(super) context: Context,
    /// The commit that is read instead of the head.
    pinned: Option<ObjectId>,
}

/// The files of one commit.
pub(in super::super) struct Version {
    repository: branch::Repository,
    commit: ObjectId,
}

/// A commit as scripts hold it.
pub type Commit = branch::Commit;

/// The options of `commit` that are plain data.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Committing {
    message: String,
    co_authors: Vec<Author>,
    folder: Option<String>,
    delete: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Author {
    name: String,
    email: String,
}

/// Repositories and branches.
#[export_module]
pub(super) mod module {
    /// A git repository of `alm.toml`.
    pub type Repository = super::Repository;
    /// A branch of a repository, whether or not it exists.
    pub type Branch = super::Branch;
    /// What `commit` did.
    pub type Commit = super::Commit;

    /// The repository that `alm.toml` calls `name`.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").name == "apps"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn repository(call: NativeCallContext<'_>, name: &str) -> Scripted<Repository> {
        connect::open(&Context::of(&call).thrown()?, name).thrown()
    }

    /// The names of all repositories of `alm.toml`.
    ///
    /// ```rhai,tenant
    /// "apps" in branch::repositories()
    /// ```
    #[rhai_fn(return_raw)]
    pub fn repositories(call: NativeCallContext<'_>) -> Scripted<Array> {
        let context = Context::of(&call).thrown()?;
        let names = context.workspace().config().repositories.names();
        Ok(names.map(|name| Dynamic::from(name.to_owned())).collect())
    }

    /// The repository's name in `alm.toml`.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").name == "apps"
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn repository_name(repository: &mut Repository) -> ImmutableString {
        repository.inner.name().into()
    }

    /// The name of the default branch.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").default_branch == "main"
    /// ```
    #[rhai_fn(global, get = "default_branch", pure)]
    pub fn default_branch(repository: &mut Repository) -> ImmutableString {
        repository.inner.default_branch().into()
    }

    /// The repository as text: its name.
    ///
    /// ```rhai,tenant
    /// `${branch::repository("apps")}` == "apps"
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn repository_text(repository: &mut Repository) -> String {
        repository.inner.name().to_owned()
    }

    /// All branches, sorted by name.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branches().some(|it| it.name == "main")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn branches(repository: &mut Repository) -> Scripted<Array> {
        repository.inner.refresh().thrown()?;
        let heads = repository.inner.branches().thrown()?;
        Ok(heads
            .iter()
            .map(|head| Dynamic::from(repository.at_branch(&head.name)))
            .collect())
    }

    /// The branch called `name`, whether or not it exists.
    ///
    /// ```rhai,tenant
    /// !branch::repository("apps").branch("no-such-branch").exists
    /// ```
    #[rhai_fn(global, pure)]
    pub fn branch(repository: &mut Repository, name: &str) -> Branch {
        repository.at_branch(name)
    }

    /// One commit, to read its files: a commit id, a tag, or a reference such as
    /// `refs/pull/7/merge`, which is what a pull request's build looks at.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// let head = apps.branch("main").head;
    /// apps.at(head).head == head
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn at(repository: &mut Repository, version: &str) -> Scripted<Branch> {
        let pinned = repository.inner.resolve(version).thrown()?;
        let mut branch = repository.at_branch(version);
        branch.pinned = Some(pinned);
        Ok(branch)
    }

    /// The folders that hold a solution (those with a `SolutionPackage` in them), sorted.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// type_of(apps.solution_folders(apps.branch("main"))) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn solution_folders(repository: &mut Repository, branch: Branch) -> Scripted<Array> {
        let commit = branch.commit_id().thrown()?;
        let folders = repository.inner.solution_folders(commit).thrown()?;
        Ok(folders.into_iter().map(Dynamic::from).collect())
    }

    /// The branch's name.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").name == "main"
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn branch_name(branch: &mut Branch) -> ImmutableString {
        branch.inner.name().into()
    }

    /// The repository that the branch belongs to.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").repository.name == "apps"
    /// ```
    #[rhai_fn(global, get = "repository", pure)]
    pub fn branch_repository(branch: &mut Branch) -> Repository {
        Repository {
            inner: branch.inner.repository().clone(),
            context: branch.context.clone(),
        }
    }

    /// The branch as text: its name.
    ///
    /// ```rhai,tenant
    /// `${branch::repository("apps").branch("main")}` == "main"
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn branch_text(branch: &mut Branch) -> String {
        branch.inner.name().to_owned()
    }

    /// Whether there is such a branch.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").exists
    /// ```
    #[rhai_fn(global, get = "exists", pure, return_raw)]
    pub fn exists(branch: &mut Branch) -> Scripted<bool> {
        Ok(branch.latest().thrown()?.is_some())
    }

    /// The id of the branch's last commit, or `()` when there is no such branch.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").head.len == 40
    /// ```
    #[rhai_fn(global, get = "head", pure, return_raw)]
    pub fn head(branch: &mut Branch) -> Scripted<Dynamic> {
        let head = branch.latest().thrown()?;
        Ok(head.map_or(Dynamic::UNIT, |id| id.to_string().into()))
    }

    /// Makes this branch where another one is. It must not exist yet.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// let mine = apps.branch("example-of-create-from");
    /// mine.create_from(apps.branch("main"));
    /// mine.head == apps.branch("main").head
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn create_from(branch: &mut Branch, from: Branch) -> Scripted<()> {
        branch.permit(Action::CreateBranch).thrown()?;
        branch
            .unpinned()
            .thrown()?
            .create_from(&from.inner)
            .thrown()
    }

    /// The text of a file, or `()` when there is none.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").read("no/such/file") == ()
    /// ```
    #[rhai_fn(global, name = "read", pure, return_raw)]
    pub fn read_text(branch: &mut Branch, path: &str) -> Scripted<Dynamic> {
        Ok(match branch.read(path).thrown()? {
            None => Dynamic::UNIT,
            Some(bytes) => String::from_utf8(bytes)
                .map_err(|_| {
                    HostError::new("ALM-B034", format!("`{path}` is not text"))
                        .with_hint("use `read_bytes`")
                })
                .thrown()?
                .into(),
        })
    }

    /// The bytes of a file, or `()` when there is none.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").read_bytes("no/such/file") == ()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn read_bytes(branch: &mut Branch, path: &str) -> Scripted<Dynamic> {
        let bytes = branch.read(path).thrown()?;
        Ok(bytes.map_or(Dynamic::UNIT, Dynamic::from_blob))
    }

    /// The paths of all files below a folder, from the root; `""` is the root.
    ///
    /// ```rhai,tenant
    /// branch::repository("apps").branch("main").files("").len > 0
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn files(branch: &mut Branch, folder: &str) -> Scripted<Array> {
        let commit = branch.commit_id().thrown()?;
        let store = branch.inner.repository().store();
        let files = store
            .files(commit, folder.trim_matches('/'))
            .map_err(BranchError::from);
        Ok(files
            .thrown()?
            .into_iter()
            .map(|file| Dynamic::from(file.path))
            .collect())
    }

    /// The files below a folder as a source tree, to be packed.
    ///
    /// ```rhai,no_run
    /// let tree = branch::repository("apps").branch("main").source_tree("Sales/SolutionPackage/src");
    /// solution::pack(tree, #{ kind: "managed" })
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn source_tree(branch: &mut Branch, folder: &str) -> Scripted<SourceTree> {
        let commit = branch.commit_id().thrown()?;
        let files = branch
            .inner
            .repository()
            .read_folder(commit, folder)
            .thrown()?;
        if files.is_empty() {
            let message = format!("there is no folder `{folder}` on `{}`", branch.inner.name());
            return Err(HostError::new("ALM-B035", message).into());
        }
        let mut tree = solution::SourceTree::new();
        for (path, bytes) in files {
            tree.insert(path, bytes).thrown()?;
        }
        Ok(SourceTree::new(tree))
    }

    /// Commits to this branch in the name of the person who runs the script. That nothing changed
    /// is no error: the commit then says `is_empty`.
    ///
    /// Options: `message` (`#123` links work item 123); `folder` and `tree`: a folder that shall
    /// hold exactly the files of a source tree; `files`: a map from path to text, blob or `()` for
    /// "delete"; `delete`: paths; `co_authors`: maps with `name` and `email`, of others who had a part
    /// in it. They are named at the end of the message; the author is always the person who runs the
    /// script.
    ///
    /// ```rhai,tenant
    /// let apps = branch::repository("apps");
    /// let mine = apps.branch("example-of-commit");
    /// mine.create_from(apps.branch("main"));
    /// let commit = mine.commit(#{ message: "Add a note", files: #{ "note.txt": "It's \"new\"" } });
    /// commit.files == ["note.txt"] && mine.read("note.txt") == "It's \"new\""
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn commit(branch: &mut Branch, options: Map) -> Scripted<Commit> {
        branch.permit(Action::Commit).thrown()?;
        let new = branch.new_commit(options).thrown()?;
        branch.permit_files(&new).thrown()?;
        branch.unpinned().thrown()?.commit(&new).thrown()
    }

    /// The id of the commit; when there was nothing to commit, of the branch's last one.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").branch("mine").commit(#{ message: "x" }).id
    /// ```
    #[rhai_fn(global, get = "id", pure)]
    pub fn commit_id(commit: &mut Commit) -> ImmutableString {
        commit.id.as_str().into()
    }

    /// Whether there was nothing to commit.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").branch("mine").commit(#{ message: "x" }).is_empty
    /// ```
    #[rhai_fn(global, get = "is_empty", pure)]
    pub fn commit_is_empty(commit: &mut Commit) -> bool {
        commit.is_empty
    }

    /// The paths that changed.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").branch("mine").commit(#{ message: "x" }).files
    /// ```
    #[rhai_fn(global, get = "files", pure)]
    pub fn commit_files(commit: &mut Commit) -> Array {
        commit
            .files
            .iter()
            .map(|path| Dynamic::from(path.clone()))
            .collect()
    }

    /// The work items that the message mentions.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").branch("mine").commit(#{ message: "Mend #12" }).work_items
    /// ```
    #[rhai_fn(global, get = "work_items", pure)]
    pub fn commit_work_items(commit: &mut Commit) -> Array {
        commit
            .work_items
            .iter()
            .copied()
            .map(Dynamic::from)
            .collect()
    }

    /// The name of the branch that was committed to.
    ///
    /// ```rhai,no_run
    /// branch::repository("apps").branch("mine").commit(#{ message: "x" }).branch
    /// ```
    #[rhai_fn(global, get = "branch", pure)]
    pub fn commit_branch(commit: &mut Commit) -> ImmutableString {
        commit.branch.as_str().into()
    }

    /// The work items that a text mentions, as `#123`.
    ///
    /// ```rhai
    /// branch::mentioned_work_items("Mend the flow #12, see (#7)") == [12, 7]
    /// ```
    pub fn mentioned_work_items(text: &str) -> Array {
        branch::mentioned_work_items(text)
            .into_iter()
            .map(Dynamic::from)
            .collect()
    }
}

impl Repository {
    pub(super) fn at_branch(&self, name: &str) -> Branch {
        Branch {
            inner: self.inner.branch(name),
            context: self.context.clone(),
            pinned: None,
        }
    }

    /// Asks the policy for an effect on this repository.
    pub(super) fn permit(&self, action: Action) -> Result<(), HostError> {
        self.context
            .permit(Effect::on_repository(action, self.inner.name()))
    }
}

impl Branch {
    /// Asks the policy for an effect on this branch.
    pub(super) fn permit(&self, action: Action) -> Result<(), HostError> {
        let repository = self.inner.repository().name();
        let effect = Effect::on_repository(action, repository).branch(self.inner.name());
        self.context.permit(effect)
    }

    /// Asks the policy for what the files of a commit are: settings, sites, profiles.
    fn permit_files(&self, new: &NewCommit) -> Result<(), HostError> {
        let inside = new.folders.iter().flat_map(|(folder, files)| {
            files
                .iter()
                .map(move |(path, _)| format!("{folder}/{path}"))
        });
        let single = new.files.iter().map(|(path, _)| path.clone());
        let paths = inside.chain(single).chain(new.delete.iter().cloned());
        let mut asked: Vec<Action> = Vec::new();
        for path in paths {
            let Some(mut action) = deployment::action_on(&path) else {
                continue;
            };
            if action == Action::UpdateProfiles && self.read(&path).ok().flatten().is_none() {
                action = Action::CreateProfiles;
            }
            if !asked.contains(&action) {
                self.permit(action)?;
                asked.push(action);
            }
        }
        Ok(())
    }

    /// The branch as something that can be written.
    fn unpinned(&self) -> Result<&branch::Branch, HostError> {
        match self.pinned {
            None => Ok(&self.inner),
            Some(_) => {
                let message = format!("`{}` is a commit to read, not a branch", self.inner.name());
                Err(HostError::new("ALM-B036", message)
                    .with_hint("get the branch with `repository.branch(name)`"))
            }
        }
    }

    /// The commit that is read, after a look at the host; `None` when there is no such branch.
    fn latest(&self) -> Result<Option<ObjectId>, HostError> {
        if self.pinned.is_some() {
            return Ok(self.pinned);
        }
        self.inner.repository().refresh()?;
        Ok(self.inner.head()?)
    }

    /// The commit that is read.
    fn commit_id(&self) -> Result<ObjectId, HostError> {
        match self.latest()? {
            Some(id) => Ok(id),
            None => Err(BranchError::NoBranch(self.inner.name().into()).into()),
        }
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, HostError> {
        let (commit, store) = (self.commit_id()?, self.inner.repository().store());
        Ok(store
            .read_file(commit, path.trim_matches('/'))
            .map_err(BranchError::from)?)
    }

    /// What is read now, for what reads settings and layouts.
    ///
    /// # Errors
    /// When there is no such branch, and those of the host.
    pub(in super::super) fn version(&self) -> Result<Version, HostError> {
        let repository = self.inner.repository().clone();
        Ok(Version {
            repository,
            commit: self.commit_id()?,
        })
    }

    fn new_commit(&self, options: Map) -> Result<NewCommit, HostError> {
        let mut options = Options::new(options);
        let tree: Option<SourceTree> = options.take("tree")?;
        let files: Option<Map> = options.take("files")?;
        let read: Committing = options.read()?;
        let mut new = NewCommit {
            message: read.message,
            author: Some(self.author()),
            co_authors: read
                .co_authors
                .into_iter()
                .map(|author| Person {
                    name: author.name,
                    email: author.email,
                })
                .collect(),
            delete: read.delete,
            ..NewCommit::default()
        };
        match (read.folder, tree) {
            (Some(folder), Some(tree)) => {
                let files = tree
                    .iter()
                    .map(|(path, bytes)| (path.to_owned(), bytes.clone()));
                new.folders
                    .push((folder.trim_matches('/').to_owned(), files.collect()));
            }
            (None, None) => {}
            _ => {
                let message = "`folder` and `tree` are given together or not at all";
                return Err(HostError::new("ALM-B037", message));
            }
        }
        for (path, content) in files.into_iter().flatten() {
            if content.is_unit() {
                new.delete.push(path.into());
                continue;
            }
            let kind = content.type_name();
            let bytes = match content.read_lock::<ImmutableString>() {
                Some(text) => Some(text.as_bytes().to_vec()),
                None => content.read_lock::<Blob>().map(|blob| blob.to_vec()),
            };
            let Some(bytes) = bytes else {
                let message =
                    format!("option `files`: `{path}` is neither text nor a blob but {kind}");
                return Err(HostError::new("ALM-B037", message));
            };
            new.files.push((path.into(), bytes.into()));
        }
        Ok(new)
    }

    /// Whose commit it is: the person's whose persona it is, else of whoever started the run.
    fn author(&self) -> Person {
        match self.context.persona().person() {
            Some(person) => Person {
                name: person.name.clone(),
                email: person.user.clone(),
            },
            None => {
                let who = &self.context.facts().who;
                match who.is_empty() {
                    true => Person::service(),
                    false => Person {
                        name: who.clone(),
                        email: who.clone(),
                    },
                }
            }
        }
    }
}

impl Files for Version {
    fn paths(&self) -> Result<Vec<String>, DeploymentError> {
        let files = self.repository.store().files(self.commit, "");
        let files = files.map_err(|error| DeploymentError::Unreadable {
            file: self.commit.to_string(),
            reason: error.to_string(),
        })?;
        Ok(files.into_iter().map(|file| file.path).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, DeploymentError> {
        let unreadable = |reason: String| DeploymentError::Unreadable {
            file: path.to_owned(),
            reason,
        };
        let bytes = self.repository.store().read_file(self.commit, path);
        let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
        bytes.ok_or_else(|| unreadable("there is no such file".into()))
    }
}

impl Keep for Repository {
    const KIND: &'static str = "repository";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(self.inner.name().into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        connect::open(context, kept.as_str().unwrap_or_default())
    }
}

impl Keep for Branch {
    const KIND: &'static str = "branch";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(json!({
            "repository": self.inner.repository().name(),
            "name": self.inner.name(),
            "commit": self.pinned.map(|id| id.to_string()),
        }))
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let repository = kept["repository"].as_str().unwrap_or_default();
        let repository = connect::open(context, repository)?;
        let mut branch = repository.at_branch(kept["name"].as_str().unwrap_or_default());
        if let Some(commit) = kept["commit"].as_str() {
            branch.pinned = Some(repository.inner.resolve(commit)?);
        }
        Ok(branch)
    }
}

impl Keep for Commit {
    const KIND: &'static str = "commit";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        super::kept(self)
    }

    fn revive(kept: &Value, _: &Context) -> Result<Self, HostError> {
        super::revived(kept)
    }
}

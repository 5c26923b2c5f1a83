//! Revisions of the git repository around a folder: the solution that one holds, the versions that
//! tags name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::report::unusable;
use crate::git::{BareRepository, GitError, ObjectId};
use crate::solution::{Layout, SolutionVersion, SourceTree, locate_in_tree};

/// The solution in a folder of a revision of the repository around the current folder, and its
/// layout.
pub fn tree(revision: &str, folder: &str) -> Result<(SourceTree, Layout), Failure> {
    let (work, git) = find_repository(&current()?)?;
    let repository = BareRepository::open(&git)?;
    let commit = commit(&repository, revision)?;
    let folder = in_repository(&work, folder)?;
    let files = repository.read_folder(commit, &folder)?;
    if files.is_empty() {
        return Err(Failure::usage(
            "ALM-C001",
            format!("`{revision}` has no folder `{folder}`"),
        ));
    }
    let mut tree = SourceTree::new();
    for (path, data) in files {
        // Files that no solution has (`.gitignore`) may have names that a tree refuses.
        if !path.split('/').any(|step| step.starts_with('.')) {
            tree.insert(path, data)?;
        }
    }
    let (home, layout) = locate_in_tree(&tree)?;
    let tree = if home.is_empty() {
        tree
    } else {
        tree.below(home)
    };
    Ok((tree, layout))
}

/// The folder as the repository names it: from its root, with `/`. A path that begins with `./` or
/// `../` is taken from the current folder.
fn in_repository(work: &Path, folder: &str) -> Result<String, Failure> {
    let folder = folder.replace('\\', "/");
    if !(folder.starts_with("./") || folder.starts_with("../") || folder == ".") {
        return Ok(folder.trim_matches('/').to_owned());
    }
    let here = current()?;
    let here = here.strip_prefix(work).unwrap_or(Path::new(""));
    let mut steps: Vec<String> = here
        .iter()
        .map(|step| step.to_string_lossy().into_owned())
        .collect();
    for step in folder.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step.to_owned()),
        }
    }
    Ok(steps.join("/"))
}

/// The commit that a revision names: what [`BareRepository::resolve`] knows, remote branches, and
/// ancestors by `~N` and `^`.
fn commit(repository: &BareRepository, revision: &str) -> Result<ObjectId, Failure> {
    let end = revision.find(['~', '^']).unwrap_or(revision.len());
    let (name, mut steps) = revision.split_at(end);
    let mut id = match repository.resolve(name) {
        Err(GitError::Missing { .. }) => repository
            .reference(&format!("refs/remotes/{name}"))?
            .ok_or_else(|| GitError::Missing {
                name: name.to_owned(),
            })?,
        found => found?,
    };
    while let Some(rest) = steps.strip_prefix(['~', '^']) {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (count, after) = rest.split_at(digits);
        let count = match (steps.starts_with('^'), count) {
            (true, "" | "1") | (false, "") => 1,
            (false, count) => count.parse::<u32>().unwrap_or(u32::MAX),
            (true, _) => {
                let message = format!("`{revision}`: only first parents can be named");
                return Err(Failure::usage("ALM-C001", message));
            }
        };
        for _ in 0..count {
            let parents = repository.commit_info(id)?.parents;
            id = *parents.first().ok_or_else(|| GitError::Missing {
                name: revision.to_owned(),
            })?;
        }
        steps = after;
    }
    if steps.is_empty() {
        Ok(id)
    } else {
        Err(GitError::Missing {
            name: revision.to_owned(),
        }
        .into())
    }
}

/// The newest version that a tag names on the way back from what is checked out in the repository
/// around `folder`, along first parents, with the name of the tag.
pub fn latest_tag(folder: &Path) -> Result<(String, SolutionVersion), Failure> {
    let (_, git) = find_repository(folder)?;
    let repository = BareRepository::open(&git)?;
    let mut versions: HashMap<ObjectId, Vec<(SolutionVersion, String)>> = HashMap::new();
    for tag in repository.references("refs/tags/")? {
        let name = tag.name.trim_start_matches("refs/tags/").to_owned();
        if let Ok(version) = SolutionVersion::from_tag(&name) {
            let commit = repository.resolve(&name)?;
            versions.entry(commit).or_default().push((version, name));
        }
    }
    let mut at = Some(repository.resolve("HEAD")?);
    while let Some(commit) = at {
        if let Some((version, tag)) = versions.get(&commit).and_then(|all| all.iter().max()) {
            return Ok((tag.clone(), *version));
        }
        at = repository.commit_info(commit)?.parents.first().copied();
    }
    Err(Failure::usage(
        "ALM-C001",
        "no tag on the way back from what is checked out names a version such as v1.2.3",
    ))
}

/// The work tree that a folder belongs to, and its repository.
fn find_repository(here: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    for folder in here.ancestors() {
        let git = folder.join(".git");
        if git.is_dir() {
            return Ok((folder.to_owned(), git));
        }
        // In a linked work tree `.git` is a file that says where the repository is.
        if let Ok(text) = std::fs::read_to_string(&git)
            && let Some(place) = text.trim().strip_prefix("gitdir: ")
        {
            return Ok((folder.to_owned(), folder.join(place)));
        }
        if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
            return Ok((folder.to_owned(), folder.to_owned()));
        }
    }
    Err(Failure::usage(
        "ALM-C001",
        format!("{} is in no git repository", here.display()),
    ))
}

fn current() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| unusable(Path::new("."), &error))
}

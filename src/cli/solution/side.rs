//! One side of a comparison: a package, a folder, or a folder of a git revision.

use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::report::unusable;
use crate::git::{BareRepository, GitError, ObjectId};
use crate::solution::{
    Kind, Managed, PackOptions, Package, SourceTree, UnpackOptions, locate_in_tree, locate_source,
    pack, unpack,
};

/// A source tree, and whether it came from a package of one kind.
pub struct Side {
    /// The files.
    pub tree: SourceTree,
    from_package: bool,
}

/// Reads a side: the path of a package or folder, or `REVISION:FOLDER` in the repository that the
/// current folder belongs to.
pub fn read(text: &str) -> Result<Side, Failure> {
    let path = Path::new(text);
    if path.is_dir() {
        return Ok(Side {
            tree: SourceTree::from_dir(&locate_source(path)?)?,
            from_package: false,
        });
    }
    if path.is_file() {
        let bytes = std::fs::read(path).map_err(|error| unusable(path, &error))?;
        let package = Package::from_zip(&bytes)?;
        return Ok(Side {
            tree: unpack(&package, &UnpackOptions::default())?.tree,
            from_package: true,
        });
    }
    match text.split_once(':') {
        Some((revision, folder)) if !revision.is_empty() => Ok(Side {
            tree: from_git(revision, folder)?,
            from_package: false,
        }),
        _ => Err(Failure::usage(
            "ALM-C001",
            format!("`{text}` is neither a file, nor a folder, nor REVISION:FOLDER"),
        )),
    }
}

/// Brings two sides to the same kind: a folder that holds the managed and the unmanaged solution
/// is taken as what the package on the other side is.
pub fn alike(old: Side, new: Side) -> Result<(SourceTree, SourceTree), Failure> {
    let kind = |side: &Side| side.tree.manifest().map(|manifest| manifest.kind);
    let (a, b) = (kind(&old)?, kind(&new)?);
    let taken = |side: Side, own: Managed, other: Managed, other_is_package: bool| {
        let wanted = match other {
            Managed::Managed => Kind::Managed,
            _ => Kind::Unmanaged,
        };
        if side.from_package || own != Managed::Both || !other_is_package {
            return Ok(side.tree);
        }
        let options = PackOptions {
            kind: Some(wanted),
            ..PackOptions::default()
        };
        let package = pack(&side.tree, &options)?.into_package();
        unpack(&package, &UnpackOptions::default()).map(|unpacked| unpacked.tree)
    };
    let (old_is_package, new_is_package) = (old.from_package, new.from_package);
    Ok((
        taken(old, a, b, new_is_package)?,
        taken(new, b, a, old_is_package)?,
    ))
}

fn from_git(revision: &str, folder: &str) -> Result<SourceTree, Failure> {
    let (work, git) = find_repository()?;
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
    let home = locate_in_tree(&tree)?;
    Ok(if home.is_empty() {
        tree
    } else {
        tree.below(home)
    })
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

/// The work tree that the current folder belongs to, and its repository.
fn find_repository() -> Result<(PathBuf, PathBuf), Failure> {
    let here = current()?;
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

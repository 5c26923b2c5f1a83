//! `alm solution version`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::failure::Failure;
use super::super::render::Output;
use super::report::{Report, read_file, unusable};
use super::revision;
use crate::solution::{
    Package, SOLUTION_FILE, SolutionVersion, SourceTree, VersionPart, WriteOptions, locate_source,
};
use crate::whole_file;

/// Show or set the version of a solution
///
/// Without a choice it shows the version. Only the version changes; every other byte of the package
/// or folder stays. `--strategy`, `--buildversion` and `--revisionversion` are those of
/// `pac solution version`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("new").multiple(false))]
pub struct VersionArgs {
    /// A solution package or a folder
    #[arg(default_value = ".", conflicts_with = "solution_path")]
    path: PathBuf,

    /// The same, as pac calls it
    #[arg(long = "solutionPath", short = 's', value_name = "PATH")]
    solution_path: Option<PathBuf>,

    /// This version
    #[arg(long, value_name = "VERSION", group = "new")]
    set: Option<SolutionVersion>,

    /// Raise this number by one; those behind it become zero
    #[arg(long, value_name = "PART", group = "new", ignore_case = true)]
    bump: Option<Part>,

    /// Today in UTC as the build number, as in 1.0.20260131.1; DATE for another day
    #[arg(
        long,
        value_name = "DATE",
        num_args = 0..=1,
        default_missing_value = "today",
        group = "new"
    )]
    from_date: Option<String>,

    /// With --from-date: the revision; without, the next one of that day
    #[arg(long, value_name = "N", requires = "from_date")]
    number: Option<u32>,

    /// What a git tag such as v1.2.3 says; without TAG the newest one before what is checked out
    #[arg(
        long,
        value_name = "TAG",
        num_args = 0..=1,
        default_missing_value = "",
        group = "new"
    )]
    from_tag: Option<String>,

    /// Where the number comes from, as for pac
    #[arg(long, value_name = "STRATEGY", group = "new", ignore_case = true)]
    strategy: Option<Strategy>,

    /// The third number
    #[arg(long, visible_alias = "build-version", value_name = "N")]
    buildversion: Option<u32>,

    /// The fourth number
    #[arg(long, visible_alias = "revision-version", value_name = "N")]
    revisionversion: Option<u32>,

    /// Change nothing; tell what the version would be
    #[arg(long)]
    plan: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Major,
    Minor,
    Build,
    Revision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Strategy {
    /// Raise the build number of the solution
    Solution,
    /// What the newest git tag says
    Gittags,
}

/// Runs `alm solution version`.
pub fn run(arguments: &VersionArgs, output: Output) -> Result<(), Failure> {
    let path = arguments.solution_path.as_ref().unwrap_or(&arguments.path);
    let mut solution = Solution::read(path, output)?;
    let old = solution.version()?;
    let new = arguments.chosen(old, path)?;
    if new == old {
        output.object(&json!({ "event": "version", "version": old }));
        output.line(old.to_string());
        return Ok(());
    }
    if !arguments.plan {
        solution.write(new)?;
    }
    output.object(&json!({
        "event": "version", "version": new, "before": old, "plan": arguments.plan,
    }));
    output.line(format!("{old} -> {new}"));
    Ok(())
}

impl VersionArgs {
    /// The version that was asked for, else the present one.
    fn chosen(&self, old: SolutionVersion, path: &Path) -> Result<SolutionVersion, Failure> {
        let tagged = |tag: &str| -> Result<SolutionVersion, Failure> {
            if !tag.is_empty() {
                return Ok(SolutionVersion::from_tag(tag)?);
            }
            let full = std::path::absolute(path).map_err(|error| unusable(path, &error))?;
            Ok(revision::latest_tag(&full)?.1)
        };
        let mut version = if let Some(version) = self.set {
            version
        } else if let Some(part) = self.bump {
            old.bump(match part {
                Part::Major => VersionPart::Major,
                Part::Minor => VersionPart::Minor,
                Part::Build => VersionPart::Build,
                Part::Revision => VersionPart::Revision,
            })
        } else if let Some(date) = &self.from_date {
            let today = || jiff::Timestamp::now().strftime("%Y%m%d").to_string();
            let date = if date == "today" {
                today()
            } else {
                date.clone()
            };
            old.dated(&date, self.number)?
        } else if let Some(tag) = &self.from_tag {
            tagged(tag)?
        } else {
            match self.strategy {
                Some(Strategy::Solution) => old.bump(VersionPart::Build),
                Some(Strategy::Gittags) => tagged("")?,
                None => old,
            }
        };
        if let Some(build) = self.buildversion {
            version.build = build;
        }
        if let Some(revision) = self.revisionversion {
            version.revision = revision;
        }
        Ok(version)
    }
}

/// What has the version.
enum Solution {
    Package { file: PathBuf, package: Package },
    Folder { folder: PathBuf, tree: SourceTree },
}

impl Solution {
    fn read(path: &Path, output: Output) -> Result<Self, Failure> {
        if path.is_dir() {
            let folder = locate_source(path)?;
            Report::repaired(&folder, output)?;
            // Only the manifest is read, so that a large folder takes no longer.
            let file = folder.join(SOLUTION_FILE);
            let data = read_file(&file)?;
            let mut tree = SourceTree::new();
            tree.insert(SOLUTION_FILE, data)?;
            return Ok(Self::Folder { folder, tree });
        }
        let bytes = read_file(path)?;
        Ok(Self::Package {
            file: path.to_owned(),
            package: Package::from_zip(&bytes)?,
        })
    }

    fn version(&self) -> Result<SolutionVersion, Failure> {
        let manifest = match self {
            Self::Package { package, .. } => package.manifest()?,
            Self::Folder { tree, .. } => tree.manifest()?,
        };
        Ok(manifest.version)
    }

    fn write(&mut self, version: SolutionVersion) -> Result<(), Failure> {
        match self {
            Self::Folder { folder, tree } => {
                tree.set_version(version)?;
                tree.write_to_dir(folder, &WriteOptions::default())?;
            }
            Self::Package { file, package } => {
                package.set_version(version)?;
                let bytes = package.to_zip()?;
                whole_file::write(file, &bytes).map_err(|error| unusable(file, &error))?;
            }
        }
        Ok(())
    }
}

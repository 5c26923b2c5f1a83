//! Arguments that pack and unpack share, spelled as `pac solution` spells them (facts §12).

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::bounds::Bounds;
use crate::solution::{Kind, LineEnds, SingleComponent};

/// Arguments that pack and unpack share.
#[derive(Debug, Args)]
pub struct Common {
    /// The solution package; with packagetype Both also FILE_managed.zip beside it
    #[arg(long, short = 'z', value_name = "FILE")]
    pub zipfile: PathBuf,

    /// The folder of the unpacked solution
    #[arg(long, short = 'f', value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,

    /// Which package; without it, the type inside the package or folder decides
    #[arg(long, short = 'p', value_name = "TYPE", ignore_case = true)]
    pub packagetype: Option<PackageType>,

    /// How much to tell
    #[arg(
        long,
        short = 'e',
        value_name = "LEVEL",
        ignore_case = true,
        default_value = "info"
    )]
    pub errorlevel: ErrorLevel,

    /// Append what was told to FILE
    #[arg(long, short = 'l', value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// A mapping file: files whose originals lie outside of the folder
    #[arg(long, short = 'm', value_name = "FILE")]
    pub map: Option<PathBuf>,

    /// Only this kind of component
    #[arg(
        long = "singleComponent",
        value_name = "KIND",
        ignore_case = true,
        default_value = "none"
    )]
    single_component: Only,

    /// Which solution, if a folder in the YAML layout holds several
    #[arg(long = "solutionName", value_name = "NAME")]
    pub solution_name: Option<String>,

    /// Line ends of the files that are written
    #[arg(
        long = "lineEnds",
        value_name = "ENDS",
        ignore_case = true,
        default_value = "crlf"
    )]
    pub line_ends: Ends,

    /// Extract all texts into resource files, or merge edited resource files into the package
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    localize: Option<Switch>,

    /// Also write the texts of this language as a neutral resource file: `auto`, a name or an LCID
    #[arg(
        long = "sourceLoc",
        num_args = 0..=1,
        default_missing_value = "auto",
        value_name = "LANGUAGE"
    )]
    pub source_loc: Option<String>,

    /// Resource files are named by language number (1033) instead of by name (en-US)
    #[arg(long = "useLcid", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    use_lcid: Option<Switch>,

    /// Deprecated: mirror the YAML source of canvas apps; each .msapp stays one file
    #[arg(long = "processCanvasApps", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    process_canvas_apps: Option<Switch>,

    /// Delete files that the package does not have; never dot files or files elsewhere
    ///
    /// Only for unpacking; packing accepts it, as `pac` does.
    #[arg(long = "allowDelete", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    allow_delete: Option<Switch>,

    /// Write files; with `false` only report what would be written
    ///
    /// Only for unpacking; packing accepts it, as `pac` does.
    #[arg(long = "allowWrite", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    allow_write: Option<Switch>,

    /// Replace and delete read-only files too
    ///
    /// Only for unpacking; packing accepts it, as `pac` does.
    #[arg(long, short = 'c', num_args = 0..=1, default_missing_value = "true",
          value_name = "BOOL", ignore_case = true)]
    clobber: Option<Switch>,

    /// For a managed package, take the unmanaged file where the managed one is missing
    ///
    /// Only for packing; unpacking accepts it, as `pac` does.
    #[arg(long = "useUnmanagedFileForMissingManaged", num_args = 0..=1,
          default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    use_unmanaged: Option<Switch>,

    /// Keep the names of plug-in types although an assembly has another version
    ///
    /// Only for packing; unpacking accepts it, as `pac` does.
    #[arg(long = "disablePluginRemap", num_args = 0..=1, default_missing_value = "true",
          value_name = "BOOL", ignore_case = true)]
    disable_plugin_remap: Option<Switch>,

    #[command(flatten)]
    pub bounds: Bounds,
}

/// Which package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PackageType {
    /// The unmanaged package
    Unmanaged,
    /// The managed package
    Managed,
    /// Both, in one folder
    Both,
}

impl From<PackageType> for Kind {
    fn from(kind: PackageType) -> Self {
        match kind {
            PackageType::Unmanaged => Self::Unmanaged,
            PackageType::Managed => Self::Managed,
            PackageType::Both => Self::Both,
        }
    }
}

/// How much to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum ErrorLevel {
    /// Nothing
    Off,
    /// What makes the command fail
    Error,
    /// Also what is left out or suspicious
    Warning,
    /// Also what was done
    Info,
    /// Also every file
    Verbose,
}

/// One kind of component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// All kinds
    None,
    /// Web resources
    #[value(name = "webresource")]
    WebResource,
    /// Plug-in assemblies and their steps
    Plugin,
    /// Workflows and cloud flows
    Workflow,
}

/// Line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ends {
    /// As on Windows
    Crlf,
    /// As on macOS and Linux
    Lf,
}

impl From<Ends> for LineEnds {
    fn from(ends: Ends) -> Self {
        match ends {
            Ends::Crlf => Self::CrLf,
            Ends::Lf => Self::Lf,
        }
    }
}

/// A switch that can be given alone or with a value, in either tool's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// On
    #[value(alias = "yes")]
    True,
    /// Off
    #[value(alias = "no")]
    False,
    /// Off, for nobody is asked
    #[value(hide = true)]
    Prompt,
}

/// Whether a switch is on; `missing` is what it means when it was not given.
fn is_on(switch: Option<Switch>, missing: bool) -> bool {
    switch.map_or(missing, |switch| switch == Switch::True)
}

impl Common {
    /// The only kind of component to work on; none for all.
    pub fn single_component(&self) -> Option<SingleComponent> {
        match self.single_component {
            Only::None => None,
            Only::WebResource => Some(SingleComponent::WebResource),
            Only::Plugin => Some(SingleComponent::Plugin),
            Only::Workflow => Some(SingleComponent::Workflow),
        }
    }

    /// Whether texts go through resource files.
    pub fn localize(&self) -> bool {
        is_on(self.localize, false)
    }

    /// Whether resource files are named by language number.
    pub fn use_lcid(&self) -> bool {
        is_on(self.use_lcid, false)
    }

    /// Whether a pipeline still asks for canvas apps to be taken apart.
    pub fn process_canvas_apps(&self) -> bool {
        is_on(self.process_canvas_apps, false)
    }

    /// Whether files that the package does not have are deleted. Nobody is asked, so that
    /// `prompt`, the default of SolutionPackager, deletes nothing.
    pub fn allow_delete(&self) -> bool {
        is_on(self.allow_delete, false)
    }

    /// Whether anything is written.
    pub fn allow_write(&self) -> bool {
        is_on(self.allow_write, true)
    }

    /// Whether read-only files give way.
    pub fn clobber(&self) -> bool {
        is_on(self.clobber, false)
    }

    /// Whether the unmanaged file stands in for a managed one. Microsoft's tool always does it;
    /// only an explicit `false` turns it off.
    pub fn use_unmanaged(&self) -> bool {
        is_on(self.use_unmanaged, true)
    }

    /// Whether plug-in types follow the version of their assembly.
    pub fn remap_plugins(&self) -> bool {
        !is_on(self.disable_plugin_remap, false)
    }

    /// The managed package beside the unmanaged one.
    pub fn managed_zipfile(&self) -> PathBuf {
        managed_name(&self.zipfile)
    }
}

/// `X.zip` becomes `X_managed.zip`.
fn managed_name(zipfile: &Path) -> PathBuf {
    let stem = zipfile
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let extension = zipfile
        .extension()
        .map_or("zip".into(), |e| e.to_string_lossy().into_owned());
    zipfile.with_file_name(format!("{stem}_managed.{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_managed_package_lies_beside_the_other() {
        assert_eq!(
            managed_name(Path::new("out/My.Solution.zip")),
            Path::new("out/My.Solution_managed.zip")
        );
    }
}

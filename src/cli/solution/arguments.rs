//! Arguments that pack and unpack share, spelled as `pac solution` spells them (facts §12).

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::super::failure::Failure;
use crate::solution::{Kind, LineEnds};

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
    #[arg(
        long,
        short = 'p',
        visible_alias = "packageType",
        value_name = "TYPE",
        ignore_case = true
    )]
    pub packagetype: Option<PackageType>,

    /// How much to tell
    #[arg(
        long,
        short = 'e',
        visible_alias = "errorLevel",
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
    pub single_component: SingleComponent,

    /// Line ends of the XML files that are written
    #[arg(
        long = "lineEnds",
        value_name = "ENDS",
        ignore_case = true,
        default_value = "crlf"
    )]
    pub line_ends: Ends,

    /// Translate texts through resource files (not supported: the texts stay in the XML)
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    pub localize: Option<Switch>,

    /// Language of the neutral resource file (only with --localize)
    #[arg(long = "sourceLoc", value_name = "LANGUAGE")]
    pub source_loc: Option<String>,

    /// Language codes instead of names (only with --localize)
    #[arg(long = "useLcid", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    pub use_lcid: Option<Switch>,

    /// Take a canvas app apart (not supported: the .msapp stays one file)
    #[arg(long = "processCanvasApps", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", ignore_case = true)]
    pub process_canvas_apps: Option<Switch>,
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
pub enum SingleComponent {
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

impl SingleComponent {
    /// The folders of this kind; none for all kinds.
    pub fn folders(self) -> Option<&'static [&'static str]> {
        match self {
            Self::None => None,
            Self::WebResource => Some(&["WebResources"]),
            Self::Plugin => Some(&[
                "PluginAssemblies",
                "SdkMessageProcessingSteps",
                "pluginpackages",
            ]),
            Self::Workflow => Some(&["Workflows"]),
        }
    }
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
pub enum Switch {
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

impl Switch {
    /// Whether it is on; `missing` is what it means when it was not given.
    pub fn is_on(this: Option<Self>, missing: bool) -> bool {
        this.map_or(missing, |switch| switch == Self::True)
    }
}

impl Common {
    /// Refuses what other tools do and this one does not, rather than doing half of it.
    pub fn check(&self) -> Result<(), Failure> {
        let unsupported = |what: &str, instead: &str| {
            Err(Failure::usage("ALM-C003", format!("{what} is not supported")).hint(instead))
        };
        if Switch::is_on(self.localize, false) {
            return unsupported(
                "--localize",
                "Leave it out; all labels are in the XML files.",
            );
        }
        if Switch::is_on(self.process_canvas_apps, false) {
            return unsupported(
                "--processCanvasApps",
                "Leave it out; the .msapp stays one file, as Microsoft now advises.",
            );
        }
        Ok(())
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

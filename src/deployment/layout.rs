//! Where solutions lie in a repository (ALM Accelerator notes, 2.1 and 1.6).
//!
//! `<Solution>/SolutionPackage/src/…` is the usual place, `<Solution>/SolutionPackage/…` the older
//! one; both may lie in folders of their own. `pac solution init` and `clone` leave out
//! `SolutionPackage` or add a folder inside it. What counts is where `Other/Solution.xml` is.

use serde::Serialize;

use super::files::{Files, find, join};
use super::{DeploymentError, FileMap};
use crate::environment::data::DataPackage;
use crate::workspace::Action;

/// A solution in the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SolutionFolder {
    /// The name of its folder, which by convention is the solution's unique name; empty when the
    /// repository's root is the folder.
    pub name: String,
    /// The folder; empty for the repository's root.
    pub folder: String,
    /// The folder with `Other/Solution.xml`: the tree that is packed.
    pub source: String,
    /// Whether the tree lies directly in `SolutionPackage`, without `src`.
    pub legacy: bool,
    /// The project file, if there is one.
    pub project: Option<String>,
    /// The names of the folders under `config`, sorted: environments, or people.
    pub configurations: Vec<String>,
}

impl SolutionFolder {
    /// The folder of the settings, whether it exists or not.
    pub fn config(&self) -> String {
        join(&self.folder, "config")
    }
}

/// The solutions in `paths`, sorted by folder.
pub fn layout(paths: &[String]) -> Vec<SolutionFolder> {
    let mut solutions: Vec<_> = paths
        .iter()
        .filter_map(|path| source_of(path))
        .map(|source| describe(source, paths))
        .collect();
    solutions.sort();
    solutions.dedup();
    solutions
}

/// What changing a file of a repository is, beside a commit: settings and Power Pages sites lie in the
/// folders that the ALM Accelerator has for them (notes, 2.1), profiles in `alm.toml`.
pub fn action_on(path: &str) -> Option<Action> {
    const SETTINGS: [&str; 2] = ["deploymentsettings.json", "customdeploymentsettings.json"];
    let lower = path.to_lowercase();
    let mut parts: Vec<&str> = lower.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let inside = |folder: &str| parts.contains(&folder);
    // What is inside of a package is its affair, whatever it is called.
    if inside("solutionpackage") {
        None
    } else if name == crate::workspace::FILE_NAME {
        Some(Action::UpdateProfiles)
    } else if inside("powerpages") {
        Some(Action::PowerPages)
    } else if inside("config") || SETTINGS.contains(&name) {
        Some(Action::Settings)
    } else {
        None
    }
}

/// `<source>` of `<source>/Other/Solution.xml`.
fn source_of(path: &str) -> Option<&str> {
    const MANIFEST: &str = "other/solution.xml";
    let start = path.len().checked_sub(MANIFEST.len())?;
    let (before, end) = (path.get(..start)?, path.get(start..)?);
    if !end.eq_ignore_ascii_case(MANIFEST) {
        return None;
    }
    if before.is_empty() {
        Some("")
    } else {
        before.strip_suffix('/')
    }
}

fn describe(source: &str, paths: &[String]) -> SolutionFolder {
    let parts: Vec<&str> = source.split('/').filter(|part| !part.is_empty()).collect();
    let package = parts
        .iter()
        .rposition(|part| part.eq_ignore_ascii_case("SolutionPackage"));
    let in_src = parts
        .last()
        .is_some_and(|part| part.eq_ignore_ascii_case("src"));
    let depth = match package {
        Some(at) => at,
        None if in_src => parts.len() - 1,
        None => parts.len(),
    };
    let folder = parts[..depth].join("/");
    let project = paths.iter().find(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let beside = path
            .strip_suffix(name)
            .unwrap_or_default()
            .trim_end_matches('/');
        let is_near =
            beside == folder || beside == parts[..parts.len() - usize::from(in_src)].join("/");
        is_near && name.to_ascii_lowercase().ends_with(".cdsproj")
    });
    let config = format!("{}/", join(&folder, "config"));
    let mut configurations: Vec<String> = paths
        .iter()
        .filter_map(|path| path.strip_prefix(config.as_str())?.split_once('/'))
        .map(|(name, _)| name.to_owned())
        .filter(|name| !name.eq_ignore_ascii_case(DATA))
        .collect();
    configurations.sort();
    configurations.dedup();
    SolutionFolder {
        name: parts[..depth]
            .last()
            .map_or_else(String::new, |name| (*name).to_owned()),
        folder,
        source: parts.join("/"),
        legacy: package.is_some() && !in_src,
        project: project.cloned(),
        configurations,
    }
}

/// The name of the folder, or of the archive, with configuration data.
const DATA: &str = "ConfigurationMigrationData";

/// The configuration data for `environment`: its own wins over the common one, a folder over an
/// archive. `None` when there is none.
///
/// # Errors
/// When a file cannot be read or is not in the Configuration Migration format.
pub fn find_data(
    files: &dyn Files,
    solution: &SolutionFolder,
    environment: &str,
) -> Result<Option<DataPackage>, DeploymentError> {
    let paths = files.paths()?;
    let config = solution.config();
    let own = join(&config, environment);
    let mut folders = vec![join(&own, DATA), join(&config, DATA)];
    let mut archives = vec![
        vec![
            join(&own, &format!("{DATA}.zip")),
            join(&config, &format!("{DATA}-{environment}.zip")),
        ],
        vec![join(&config, &format!("{DATA}.zip"))],
    ];
    if environment.is_empty() {
        folders.remove(0);
        archives.remove(0);
    }
    for (folder, archives) in folders.iter().zip(&archives) {
        let prefix = format!("{folder}/");
        let mut found = FileMap::new();
        for path in paths.iter().filter(|path| starts_with(path, &prefix)) {
            found.insert(path[prefix.len()..].to_owned(), files.read(path)?);
        }
        if found
            .keys()
            .any(|name| name.eq_ignore_ascii_case("data.xml"))
        {
            return Ok(Some(DataPackage::from_files(found)?));
        }
        for archive in archives {
            if let Some(path) = find(&paths, archive) {
                return Ok(Some(DataPackage::from_zip(&files.read(path)?)?));
            }
        }
    }
    Ok(None)
}

fn starts_with(path: &str, prefix: &str) -> bool {
    path.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(paths: &[&str]) -> Vec<(String, String, String, bool)> {
        let paths: Vec<_> = paths.iter().map(|&path| path.to_owned()).collect();
        layout(&paths)
            .into_iter()
            .map(|s| (s.name, s.folder, s.source, s.legacy))
            .collect()
    }

    fn one(path: &str) -> (String, String, String, bool) {
        folders(&[path]).remove(0)
    }

    fn expected(
        name: &str,
        folder: &str,
        source: &str,
        legacy: bool,
    ) -> (String, String, String, bool) {
        (name.into(), folder.into(), source.into(), legacy)
    }

    #[test]
    fn all_known_layouts_are_found() {
        assert_eq!(
            one("Sales/SolutionPackage/src/Other/Solution.xml"),
            expected("Sales", "Sales", "Sales/SolutionPackage/src", false)
        );
        assert_eq!(
            one("Sales/SolutionPackage/Other/Solution.xml"),
            expected("Sales", "Sales", "Sales/SolutionPackage", true)
        );
        assert_eq!(
            one("apps/crm/Sales/SolutionPackage/src/other/solution.xml"),
            expected(
                "Sales",
                "apps/crm/Sales",
                "apps/crm/Sales/SolutionPackage/src",
                false
            )
        );
        assert_eq!(
            one("Sales/SolutionPackage/Sales/src/Other/Solution.xml"),
            expected("Sales", "Sales", "Sales/SolutionPackage/Sales/src", false)
        );
        assert_eq!(
            one("Sales/src/Other/Solution.xml"),
            expected("Sales", "Sales", "Sales/src", false)
        );
        assert_eq!(
            one("src/Other/Solution.xml"),
            expected("", "", "src", false)
        );
        assert_eq!(one("Other/Solution.xml"), expected("", "", "", false));
    }

    #[test]
    fn other_files_make_no_solution() {
        assert_eq!(
            folders(&[
                "Another/Solution.xml",
                "a/Other/Solution.xml.bak",
                "README.md"
            ]),
            []
        );
    }

    #[test]
    fn project_and_configurations_belong_to_their_solution() {
        let paths = [
            "Sales/SolutionPackage/Sales.cdsproj",
            "Sales/SolutionPackage/src/Other/Solution.xml",
            "Sales/config/test/deploymentSettings.json",
            "Sales/config/maya/customDeploymentSettings.json",
            "Sales/config/deploymentSettings.json",
            "Sales/config/ConfigurationMigrationData/data.xml",
            "SalesPlus/SolutionPackage/src/Other/Solution.xml",
            "SalesPlus/config/prod/deploymentSettings.json",
        ]
        .map(str::to_owned);
        let found = layout(&paths);
        assert_eq!(
            found[0].project.as_deref(),
            Some("Sales/SolutionPackage/Sales.cdsproj")
        );
        assert_eq!(found[0].configurations, ["maya", "test"]);
        assert_eq!(found[1].project, None);
        assert_eq!(found[1].configurations, ["prod"]);
    }

    #[test]
    fn the_data_of_the_environment_wins_over_the_common_data() {
        let schema = |name: &str| {
            format!(
                "<entities><entity name=\"{name}\" primaryidfield=\"i\"><fields/></entity></entities>"
            )
        };
        let mut files = FileMap::new();
        for (folder, table) in [("S/config/test/", "own"), ("S/config/", "common")] {
            let at = |name: &str| format!("{folder}ConfigurationMigrationData/{name}");
            files.insert(at("data_schema.xml"), schema(table).into_bytes());
            files.insert(at("data.xml"), b"<entities/>".to_vec());
        }
        let solution = layout(&["S/SolutionPackage/src/Other/Solution.xml".to_owned()]).remove(0);
        let table = |environment: &str| {
            let package = find_data(&files, &solution, environment).unwrap().unwrap();
            package.tables[0].schema.name.clone()
        };
        assert_eq!(table("test"), "own");
        assert_eq!(table("prod"), "common");
        assert!(
            find_data(&FileMap::new(), &solution, "test")
                .unwrap()
                .is_none()
        );
    }
}

//! What is checked before an import changes anything (facts/dataverse-web-api.md, section 5.5).

use serde_json::json;

use super::import::Import;
use super::missing::{self, Missing};
use super::record::{HOLDING, Records};
use crate::emulator::dataverse::row::{flag, id, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::SolutionVersion;

/// The newest package format that the environment reads.
const FORMAT: SolutionVersion = SolutionVersion::new(9, 2, 0, 0);
/// Solutions that belong to the system.
const SYSTEM: [&str; 3] = ["System", "Active", "Default"];

/// The installed solution called `name`.
pub(super) fn installed(session: &Session<'_>, name: &str) -> Result<Option<Row>, ServiceError> {
    session.find("solution", "uniquename", &json!(name))
}

/// The version of a solution row.
pub(super) fn version_of(solution: &Row) -> SolutionVersion {
    text(solution, "version")
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

/// Refuses what must not be imported. Returns the row of the installed solution, if there is one.
pub(super) fn check(
    session: &Session<'_>,
    records: &Records,
    import: &Import,
) -> Result<Option<Row>, ServiceError> {
    let manifest = &import.manifest;
    let name = &manifest.unique_name;
    let refuse = |code, message| Err(ServiceError::bad_request(code, message));
    if SYSTEM
        .iter()
        .any(|system| system.eq_ignore_ascii_case(name))
    {
        return refuse(
            "0x80048046",
            format!("The system solution '{name}' cannot be imported."),
        );
    }
    let format: Option<SolutionVersion> = manifest
        .package_version
        .as_deref()
        .and_then(|version| version.parse().ok());
    if let Some(format) = format
        && format > FORMAT
    {
        let message = format!(
            "You can only import solutions with a package version of {}.{} or earlier into this \
             organization. The package version of '{name}' is {}.{}.",
            FORMAT.major, FORMAT.minor, format.major, format.minor
        );
        return refuse("0x80048068", message);
    }
    let found = installed(session, name)?;
    if let Some(there) = &found {
        against_installed(session, import, there)?;
    } else if import.switches.holding {
        let message = format!(
            "The solution '{name}' cannot be imported as a holding solution because it is not \
             installed."
        );
        return refuse("0x80048033", message);
    }
    let lacking = missing::missing(session, records, import)?;
    if !lacking.is_empty() {
        return Err(missing_error(name, &lacking));
    }
    Ok(found)
}

fn against_installed(
    session: &Session<'_>,
    import: &Import,
    there: &Row,
) -> Result<(), ServiceError> {
    let manifest = &import.manifest;
    let name = &manifest.unique_name;
    let refuse = |code, message| Err(ServiceError::bad_request(code, message));
    let publisher = id(there, "_publisherid_value")
        .map(|id| session.row("publisher", id))
        .transpose()?
        .flatten()
        .unwrap_or_default();
    let publisher = text(&publisher, "uniquename").unwrap_or_default();
    let theirs = &manifest.publisher.unique_name;
    if !publisher.eq_ignore_ascii_case(theirs) {
        let message = format!(
            "The solution '{name}' is already installed with another publisher. The publisher \
             name cannot be changed from {publisher} to {theirs}."
        );
        return refuse("0x8004801C", message);
    }
    let is_managed = flag(there, "ismanaged");
    if manifest.managed && !is_managed && !import.switches.convert {
        let message = format!(
            "The solution '{name}' is already installed on this system as an unmanaged solution \
             and the package supplied is attempting to install it in managed mode. Import can \
             only update solutions when the modes match. Uninstall the current solution and try \
             again."
        );
        return refuse("0x80048040", message);
    }
    if !manifest.managed && is_managed {
        let message = format!(
            "The solution '{name}' is already installed on this system as a managed solution and \
             the package supplied is attempting to install it in unmanaged mode. Import can only \
             update solutions when the modes match. Uninstall the current solution and try again."
        );
        return refuse("0x80048041", message);
    }
    let (old, new) = (version_of(there), import.version());
    if import.switches.holding {
        if !manifest.managed {
            let message = "An unmanaged solution cannot be imported as a holding solution.";
            return refuse("0x80048033", message.to_owned());
        }
        if new <= old {
            let message = format!(
                "The upgrade of solution '{name}' must have a higher version than the installed \
                 one: {new} is not higher than {old}."
            );
            return refuse("0x80048033", message);
        }
        if installed(session, &format!("{name}{HOLDING}"))?.is_some() {
            let message = format!(
                "The solution '{name}' already has an upgrade that waits to be applied. Apply or \
                 delete it first."
            );
            return refuse("0x80048033", message);
        }
    } else if manifest.managed && is_managed && new < old {
        let message = format!(
            "The solution '{name}' cannot be updated: version {new} of the package is lower than \
             the installed version {old}."
        );
        return refuse("0x80048033", message);
    }
    Ok(())
}

/// The refusal that lists missing dependencies in the way the service does, as XML in its text.
fn missing_error(name: &str, missing: &[Missing]) -> ServiceError {
    let list: String = missing.iter().map(|one| one.xml.as_str()).collect();
    let message = format!(
        "The following solution cannot be imported: {name}. Some dependencies are missing. The \
         missing dependencies are : <MissingDependencies \
         canResolveAllMissingDependencies=\"False\">{list}</MissingDependencies> , \
         ProductUpdatesOnly : False"
    );
    ServiceError::bad_request("0x8004801D", message)
}

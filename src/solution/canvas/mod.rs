//! What is inside a canvas app, for reading; the `.msapp` itself always stays as it is.
//!
//! An `.msapp` is a zip. Since 2023 it holds `Src/*.pa.yaml`, which Microsoft calls the only part
//! fit for review; older ones only have the controls as JSON, from which the formulas are read
//! (facts §16). Every one holds the result of the app checker as of its last save (facts,
//! solution-checker §7).

mod checker;
mod mirror;

use std::collections::BTreeMap;

use serde_json::Value;

pub use checker::{CheckLevel, CheckResult, findings};
pub use mirror::{is_mirror, mirror, not_put_together, not_taken_apart};

use super::{NestedBudget, Package, PackageError};

/// The readable part of a canvas app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CanvasApp {
    /// Its source as YAML by path below `Src/`, for example `App.pa.yaml`; empty for older apps.
    pub sources: BTreeMap<String, String>,
    /// Its formulas by `Control.Property`; the names of controls are unique in an app.
    pub formulas: BTreeMap<String, String>,
    /// What the app checker said when the app was last saved.
    pub checks: Vec<CheckResult>,
}

impl CanvasApp {
    /// Reads an `.msapp` out of a budget that is shared by all apps of an operation.
    ///
    /// # Errors
    /// As [`Package::from_zip`] if it is no readable archive, [`PackageError::Limit`] if it is larger
    /// than what is left. Parts that are not what they should be are passed over, since the format
    /// of all but the YAML is not published.
    pub fn read(msapp: &[u8], budget: &NestedBudget) -> Result<Self, PackageError> {
        let archive = Package::from_nested_zip(msapp, budget)?;
        let mut app = Self::default();
        for part in archive.parts() {
            let Ok(text) = std::str::from_utf8(&part.data) else {
                continue;
            };
            let text = text.trim_start_matches('\u{feff}');
            let folder = part.name.split('/').next().unwrap_or_default();
            if let Some(path) = part.name.strip_prefix("Src/")
                && path.ends_with(".pa.yaml")
            {
                app.sources.insert(path.to_owned(), text.to_owned());
            } else if matches!(folder, "Controls" | "Components") && part.name.ends_with(".json") {
                if let Ok(read) = serde_json::from_str::<Value>(text) {
                    gather(&read["TopParent"], &mut app.formulas);
                }
            } else if part.name == "AppCheckerResult.sarif"
                && let Ok(read) = serde_json::from_str::<Value>(text)
            {
                app.checks = checker::read(&read);
            }
        }
        Ok(app)
    }
}

/// The formulas of a control and of those inside it.
fn gather(control: &Value, found: &mut BTreeMap<String, String>) {
    let Some(name) = control["Name"].as_str() else {
        return;
    };
    for rule in control["Rules"].as_array().into_iter().flatten() {
        if let (Some(property), Some(script)) =
            (rule["Property"].as_str(), rule["InvariantScript"].as_str())
        {
            found.insert(format!("{name}.{property}"), script.to_owned());
        }
    }
    for child in control["Children"].as_array().into_iter().flatten() {
        gather(child, found);
    }
}

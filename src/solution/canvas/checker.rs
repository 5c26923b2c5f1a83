//! The result of the app checker that every `.msapp` carries.

use serde::Serialize;
use serde_json::Value;

use super::CanvasApp;
use crate::solution::{Finding, Limits, NestedBudget, PackageError, SourceTree};

/// The code of a finding that comes from the app checker.
const APP_CHECKER: &str = "ALM-P220";
/// The code of the finding that an `.msapp` cannot be read.
const UNREADABLE: &str = "ALM-P221";

/// How much a finding of the app checker matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckLevel {
    /// A formula is broken.
    High,
    /// Slow, or shut to some people.
    Medium,
    /// Could be nicer.
    Low,
}

/// One thing that the app checker said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The rule, as embedded: `acc-AccessibleLabelNeeded`.
    pub rule: String,
    /// How much it matters.
    pub level: CheckLevel,
    /// What is wrong.
    pub message: String,
    /// Where: `Screen.Control.Property`.
    pub place: String,
}

/// Reads a SARIF of the app checker.
pub(super) fn read(sarif: &Value) -> Vec<CheckResult> {
    let mut found = Vec::new();
    for run in sarif["runs"].as_array().into_iter().flatten() {
        let rules = &run["tool"]["driver"]["rules"];
        for result in run["results"].as_array().into_iter().flatten() {
            let Some(rule) = result["ruleId"].as_str() else {
                continue;
            };
            let about = result["ruleIndex"]
                .as_u64()
                .and_then(|index| rules.get(usize::try_from(index).ok()?))
                .unwrap_or(&Value::Null);
            let id = result["message"]["id"].as_str().unwrap_or("issue");
            let text = result["message"]["text"]
                .as_str()
                .or_else(|| about["messageStrings"][id]["text"].as_str());
            let level = result["properties"]["level"]
                .as_str()
                .or_else(|| about["properties"]["level"].as_str());
            let place = result["locations"][0]["physicalLocation"]["address"]["fullyQualifiedName"]
                .as_str();
            found.push(CheckResult {
                rule: rule.to_owned(),
                level: match level {
                    Some("High" | "Critical") => CheckLevel::High,
                    Some("Low") => CheckLevel::Low,
                    _ => CheckLevel::Medium,
                },
                message: text.unwrap_or(rule).to_owned(),
                place: place.unwrap_or_default().to_owned(),
            });
        }
    }
    found
}

/// What the app checker said about the canvas apps of a tree. Broken formulas are warnings, the
/// rest notes; an `.msapp` that cannot be read is a warning too.
pub fn findings(tree: &SourceTree, limits: &Limits) -> Vec<Finding> {
    let budget = NestedBudget::new(limits);
    let mut found = Vec::new();
    for (path, data) in tree.iter() {
        if !path.ends_with(".msapp") {
            continue;
        }
        match CanvasApp::read(data, &budget) {
            Ok(app) => found.extend(app.checks.iter().map(|check| finding(path, check))),
            Err(error) => found.push(unreadable(path, &error)),
        }
    }
    found
}

fn finding(path: &str, check: &CheckResult) -> Finding {
    let message = format!("{}: {} ({})", check.place, check.message, check.rule);
    match check.level {
        CheckLevel::High => Finding::warning(APP_CHECKER, path, message),
        CheckLevel::Medium | CheckLevel::Low => Finding::note(APP_CHECKER, path, message),
    }
}

fn unreadable(path: &str, error: &PackageError) -> Finding {
    Finding::warning(
        UNREADABLE,
        path,
        format!("the canvas app cannot be read: {error}"),
    )
}

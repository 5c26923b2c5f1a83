//! Sizes and names that a service refuses; better told here than after an hour of import.

use std::collections::BTreeSet;

use crate::solution::model::{Flow, Step, variables};
use crate::solution::{Finding, SOLUTION_FILE, SourceTree};

/// The code of a finding about a size.
const SIZE: &str = "ALM-P211";
/// The code of a finding about a name.
const NAME: &str = "ALM-P212";

/// Actions in a flow (Power Automate, limits of automated flows).
const STEPS: usize = 500;
/// Levels of scopes, loops and conditions in a flow.
const LEVELS: usize = 8;
/// Characters in the name of a trigger or action.
const STEP_NAME: usize = 80;
/// Characters in the value of an environment variable.
const VARIABLE_VALUE: usize = 2_000;
/// Bytes of a web resource, unless the environment allows more.
const WEB_RESOURCE: usize = 5 * 1024 * 1024;
/// Characters of a path that Windows can hold below an ordinary checkout folder.
const PATH: usize = 200;

/// Sizes and names that a service refuses, each with its file.
pub fn limits(tree: &SourceTree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, data) in tree.iter() {
        let length = path.chars().count();
        if length > PATH {
            let message = format!(
                "the path has {length} characters; Windows may refuse more than {PATH} below a checkout folder"
            );
            found.push(Finding::note(NAME, path, message));
        }
        if path.starts_with("Workflows/") && path.ends_with(".json") {
            if let Ok(flow) = Flow::read(path, data) {
                in_flow(path, &flow, &mut found);
            }
        } else if path.starts_with("WebResources/") && data.len() > WEB_RESOURCE {
            let message = format!(
                "the web resource has {} KB; environments allow {} KB unless they are set to more",
                data.len() / 1024,
                WEB_RESOURCE / 1024
            );
            found.push(Finding::warning(SIZE, path, message));
        }
    }
    for variable in &variables(tree) {
        for value in [&variable.default_value, &variable.value]
            .into_iter()
            .flatten()
        {
            let length = value.chars().count();
            if length > VARIABLE_VALUE {
                let path = format!("environmentvariabledefinitions/{}", variable.name);
                let message = format!(
                    "the value of `{}` has {length} characters; {VARIABLE_VALUE} are allowed",
                    variable.name
                );
                found.push(Finding::error(SIZE, path, message));
            }
        }
    }
    found.extend(in_manifest(tree));
    found
}

fn in_flow(path: &str, flow: &Flow, found: &mut Vec<Finding>) {
    let steps = flow.all_steps();
    let count = steps.len() - flow.triggers.len();
    if count > STEPS {
        let message = format!("the flow has {count} actions; {STEPS} are allowed");
        found.push(Finding::error(SIZE, path, message));
    }
    let deepest = steps
        .iter()
        .map(|(around, _)| around.len() + 1)
        .max()
        .unwrap_or(0);
    if deepest > LEVELS + 1 {
        let message = format!(
            "actions are nested {} levels deep; {LEVELS} are allowed",
            deepest - 1
        );
        found.push(Finding::error(SIZE, path, message));
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (_, Step { name, .. }) in &steps {
        let length = name.chars().count();
        if length > STEP_NAME {
            let message =
                format!("the name `{name}` has {length} characters; {STEP_NAME} are allowed");
            found.push(Finding::error(NAME, path, message));
        }
        if !seen.insert(name.to_lowercase()) {
            let message = format!("two steps are called `{name}`; names are unique in a flow");
            found.push(Finding::error(NAME, path, message));
        }
    }
}

fn in_manifest(tree: &SourceTree) -> Vec<Finding> {
    let Ok(manifest) = tree.manifest() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let name = &manifest.unique_name;
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if name.is_empty() || !is_plain(name) || name.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!(
            "the unique name `{name}` may only hold letters, digits and `_`, and not begin with a digit"
        );
        found.push(Finding::error(NAME, SOLUTION_FILE, message));
    }
    let prefix = &manifest.publisher.prefix;
    let length = prefix.chars().count();
    let is_reserved = prefix.to_ascii_lowercase().starts_with("mscrm");
    if !prefix.is_empty() && prefix != "none" && (!(2..=8).contains(&length) || is_reserved) {
        let message =
            format!("the prefix `{prefix}` must have 2 to 8 characters and not begin with `mscrm`");
        found.push(Finding::error(NAME, SOLUTION_FILE, message));
    }
    found
}

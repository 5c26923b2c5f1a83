//! The scripts of a workspace as a persona sees them.

use crate::script::Library;
use crate::script::parameters::{Declaration, Rule, Rules};
use crate::workspace::{Persona, Workspace};

/// The scripts in reach of `persona`: her own, the workspace's, the bundled ones.
pub fn library(workspace: &Workspace, persona: &Persona) -> Library {
    let mut library = Library::of_workspace(workspace.root());
    if let Some(name) = persona.name() {
        library = library.for_persona(name);
    }
    for (script, by) in persona.replacements() {
        library = library.replacing(script, by);
    }
    library
}

/// What `persona` changes about the parameters of the script called `script`.
pub fn rules(persona: &Persona, script: &str, declaration: &Declaration) -> Rules {
    let rule = |name: &str| {
        let rule = persona.parameter(script, name);
        Rule {
            hidden: rule.hidden,
            fixed: rule.fixed,
            default: rule.default,
        }
    };
    declaration
        .parameters
        .iter()
        .map(|one| (one.name.clone(), rule(&one.name)))
        .collect()
}

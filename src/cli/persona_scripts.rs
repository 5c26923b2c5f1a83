//! The scripts of a workspace as a persona sees them.

use crate::script::Library;
use crate::script::parameters::{Declaration, Rules};
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
    let rule = |name: &str| (name.to_owned(), persona.parameter(script, name));
    declaration
        .parameters
        .iter()
        .map(|one| rule(&one.name))
        .collect()
}

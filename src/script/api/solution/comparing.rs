//! What differs between two solutions, for scripts.

use rhai::plugin::{ImmutableString, NativeCallContext, export_module};
use rhai::{Array, Dynamic, Map};

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::package::Package;
use super::super::source_tree::SourceTree;
use super::map_of;
use crate::script::Context;
use crate::solution::diff::{self, render};
use crate::solution::{self, UnpackOptions};

/// Comparing solutions.
#[export_module]
pub(super) mod module {
    /// What differs between two packages or source trees, in any combination: a map with `old`,
    /// `new`, `components` (each with `kind`, `name`, `status` and `changes`) and `deletions`, what
    /// an upgrade to the second would delete, or nothing if none is managed.
    ///
    /// ```rhai
    /// let old = solution::read("contoso.zip");
    /// let later = old.with_version("9.9.9.9");
    /// let told = solution::compare(old, later.unpack());
    /// told.components.len() == 1 && told.components[0].kind == "solution"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn compare(call: NativeCallContext<'_>, old: Dynamic, new: Dynamic) -> Scripted<Map> {
        Context::of(&call).thrown()?;
        map_of(&compared(old, new).thrown()?).thrown()
    }

    /// The same as a text for people: `"text"`, `"markdown"` for a pull request, or `"html"`, a web
    /// page in one file.
    ///
    /// ```rhai
    /// let old = solution::read("contoso.zip");
    /// let text = solution::compare(old, old.with_version("9.9.9.9"), "markdown");
    /// text.contains("9.9.9.9")
    /// ```
    #[rhai_fn(name = "compare", return_raw)]
    pub fn compare_as(
        call: NativeCallContext<'_>,
        old: Dynamic,
        new: Dynamic,
        format: &str,
    ) -> Scripted<ImmutableString> {
        Context::of(&call).thrown()?;
        let told = compared(old, new).thrown()?;
        let text = match format {
            "text" => render::text(&told, false),
            "markdown" => render::markdown(&told),
            "html" => render::html(&told),
            other => {
                let message = format!("`{other}` is no form of a comparison");
                return Err(HostError::new("ALM-S021", message)
                    .with_hint("the forms are text, markdown and html")
                    .into());
            }
        };
        Ok(text.into())
    }

    /// What an upgrade of a managed solution from the first to the second would delete: maps with
    /// `kind`, `name`, `table` and `loses_data`.
    ///
    /// ```rhai
    /// let pkg = solution::read("contoso_managed.zip");
    /// let smaller = pkg.without_component(pkg.components("role")[0]);
    /// let gone = solution::deletions(pkg, smaller);
    /// gone.len() == 1 && gone[0].kind == "security role" && !gone[0].loses_data
    /// ```
    #[rhai_fn(return_raw)]
    pub fn deletions(call: NativeCallContext<'_>, old: Dynamic, new: Dynamic) -> Scripted<Array> {
        Context::of(&call).thrown()?;
        let (old, new) = (tree(old).thrown()?, tree(new).thrown()?);
        let gone = diff::deletions(&old, &new).thrown()?;
        gone.iter()
            .map(|one| Ok(map_of(one).thrown()?.into()))
            .collect()
    }
}

fn compared(old: Dynamic, new: Dynamic) -> Result<diff::Diff, HostError> {
    Ok(diff::diff(&tree(old)?, &tree(new)?)?)
}

/// The files of a package or of a tree.
fn tree(side: Dynamic) -> Result<solution::SourceTree, HostError> {
    if let Some(tree) = side.clone().try_cast::<SourceTree>() {
        return Ok(solution::SourceTree::clone(&tree));
    }
    let Some(package) = side.try_cast::<Package>() else {
        let message = "only packages and source trees can be compared";
        return Err(HostError::new("ALM-S021", message));
    };
    Ok(solution::unpack(&package, &UnpackOptions::default())?.tree)
}

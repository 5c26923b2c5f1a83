//! Taking the noise out of source trees.

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{Array, Map};
use serde::Deserialize;
use serde_json::json;

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use super::super::options::options;
use super::super::source_tree::SourceTree;
use super::map_of;
use crate::script::Context;
use crate::solution::normalise::{NormaliseOptions, RULES, normalise};

/// Taking the noise out.
#[export_module]
pub(super) mod module {
    /// The same tree without what exports change by themselves, by the rules that are on by
    /// default. They never change what the packed solution means; twice is once.
    ///
    /// ```rhai
    /// let tree = solution::normalise(solution::read_source("Contoso"));
    /// solution::normalise(tree) == tree
    /// ```
    #[rhai_fn(name = "normalise", return_raw)]
    pub fn normalise_usual(call: NativeCallContext<'_>, tree: SourceTree) -> Scripted<SourceTree> {
        Context::of(&call).thrown()?;
        applied(&tree, Map::new()).thrown()
    }

    /// The same with a choice of rules: `also` more ones, `without` some of the usual ones (`"all"`
    /// for every one). `solution::normalisation_rules()` lists them.
    ///
    /// ```rhai
    /// let tree = solution::read_source("Contoso");
    /// let zero = solution::normalise(tree, #{ also: ["version-zero"], without: ["all"] });
    /// zero.version == "0.0.0.0" && zero.with_version(tree.version) == tree
    /// ```
    #[rhai_fn(name = "normalise", return_raw)]
    pub fn normalise_with(
        call: NativeCallContext<'_>,
        tree: SourceTree,
        options: Map,
    ) -> Scripted<SourceTree> {
        Context::of(&call).thrown()?;
        applied(&tree, options).thrown()
    }

    /// The rules: maps with `name`, `about`, `by_default` and `keeps_meaning`.
    ///
    /// ```rhai
    /// solution::normalisation_rules().some(|rule| rule.name == "label-order" && rule.by_default)
    /// ```
    #[rhai_fn(return_raw)]
    pub fn normalisation_rules(call: NativeCallContext<'_>) -> Scripted<Array> {
        Context::of(&call).thrown()?;
        RULES
            .iter()
            .map(|rule| {
                let told = json!({
                    "name": rule.name,
                    "about": rule.about,
                    "by_default": rule.by_default,
                    "keeps_meaning": rule.keeps_meaning,
                });
                Ok(map_of(&told).thrown()?.into())
            })
            .collect()
    }
}

/// The options of `normalise`; `with` is a reserved word in scripts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Choice {
    also: Vec<String>,
    without: Vec<String>,
}

fn applied(tree: &SourceTree, given: Map) -> Result<SourceTree, HostError> {
    let Choice { also, without } = options(given)?;
    let chosen = NormaliseOptions {
        with: also,
        without,
    };
    Ok(SourceTree::new(normalise(tree, &chosen)?.tree))
}

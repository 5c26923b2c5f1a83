//! A workspace's own functions around the steps of a bundled script.
//!
//! `scripts/hooks/commit.rhai` with `fn before_export(…)` and `fn after_export(…)` joins in at the
//! step `Export` of `commit` without a copy of that script. `before_<step>()` takes nothing;
//! `after_<step>(result)` takes the step's result, or nothing. Both run inside the step, so a
//! resumed run does not repeat them, and a failure of theirs fails the step.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};

/// The compiled hooks of one run.
pub(crate) struct Hooks {
    ast: Option<AST>,
    unused: Mutex<BTreeSet<String>>,
}

impl Hooks {
    /// A run without hooks.
    pub(crate) fn none() -> Self {
        Self {
            ast: None,
            unused: Mutex::default(),
        }
    }

    /// The functions in `ast`.
    pub(crate) fn new(ast: AST) -> Self {
        let names = ast
            .iter_functions()
            .map(|function| function.name.to_owned());
        let names = names.filter(|name| name.starts_with("before_") || name.starts_with("after_"));
        let unused = Mutex::new(names.collect());
        Self {
            ast: Some(ast),
            unused,
        }
    }

    /// Calls `before_<step>`, if there is one.
    pub(crate) fn before(&self, engine: &Engine, step: &str) -> Result<(), Box<EvalAltResult>> {
        self.call(engine, &format!("before_{}", snake_case(step)), None)
    }

    /// Calls `after_<step>` with the step's result, if there is one.
    pub(crate) fn after(
        &self,
        engine: &Engine,
        step: &str,
        result: &Dynamic,
    ) -> Result<(), Box<EvalAltResult>> {
        self.call(engine, &format!("after_{}", snake_case(step)), Some(result))
    }

    /// The hooks that no step of the run called, most likely for a slip in their name.
    pub(crate) fn unused(&self) -> Vec<String> {
        let unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        unused.iter().cloned().collect()
    }

    fn call(
        &self,
        engine: &Engine,
        name: &str,
        result: Option<&Dynamic>,
    ) -> Result<(), Box<EvalAltResult>> {
        let Some(ast) = &self.ast else { return Ok(()) };
        let Some(function) = ast.iter_functions().find(|function| function.name == name) else {
            return Ok(());
        };
        self.unused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        let arguments = match (function.params.len(), result) {
            (1, Some(result)) => vec![result.clone()],
            _ => Vec::new(),
        };
        // The file's own imports are statements, so they are run before the function.
        let options = CallFnOptions::new().eval_ast(true);
        engine
            .call_fn_with_options::<Dynamic>(options, &mut Scope::new(), ast, name, arguments)
            .map(drop)
    }
}

/// `Publish customizations (again)` as `publish_customizations_again`.
fn snake_case(step: &str) -> String {
    let mut name = String::with_capacity(step.len());
    for character in step.chars() {
        if character.is_alphanumeric() {
            name.extend(character.to_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_function_name_in_snake_case() {
        for (step, name) in [
            ("Export", "export"),
            ("Publish customizations", "publish_customizations"),
            (" Import: `dev` (again) ", "import_dev_again"),
        ] {
            assert_eq!(snake_case(step), name);
        }
    }

    #[test]
    fn hooks_that_no_step_called_are_known() {
        let engine = Engine::new();
        let ast = engine.compile("fn before_export() {} fn after_exprot(x) {} fn other() {}");
        let hooks = Hooks::new(ast.unwrap());
        hooks.before(&engine, "Export").unwrap();
        hooks.after(&engine, "Export", &1_i64.into()).unwrap();
        assert_eq!(hooks.unused(), ["after_exprot"]);
    }
}

//! Compiles scripts and the modules they import, and refuses what would undermine the host.
//!
//! Compiled text is kept by content, so an edited file is always seen. A script's function takes
//! the place of a host function of the same name, even inside a bundled module that the script
//! imports (rhai-host §4.4); a name that the host has is therefore refused when a text is loaded.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rhai::FuncInfo;
use rhai::{
    AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, FnNamespace, Module, ModuleResolver,
    Position, Scope, Shared, Stmt,
};

use super::api::language::is_of_language;
use super::api::{HostError, groups};
use super::library::{Library, Script};
use crate::problem::Problem;

/// The texts that one run has loaded, by the label that positions in errors refer to.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<Mutex<BTreeMap<String, Script>>>);

impl Sources {
    /// The script with `label`.
    pub fn get(&self, label: &str) -> Option<Script> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(label)
            .cloned()
    }

    /// All that was loaded.
    pub fn all(&self) -> Vec<Script> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    fn add(&self, script: &Script) {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.insert(script.label.clone(), script.clone());
    }
}

/// Why a text that parses is refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It defines a function that would take the place of the host's.
    #[error("`{name}` is a function of the host and cannot be defined again")]
    Shadows {
        /// The function.
        name: String,
    },
    /// It imports a module under the name of a host group.
    #[error("`{alias}` is a group of the host, choose another name behind `as`")]
    Alias {
        /// The name behind `as`.
        alias: String,
    },
    /// Modules import each other.
    #[error("modules import each other: {}", path.join(" -> "))]
    Circle {
        /// The names in order of import, the first one again at the end.
        path: Vec<String>,
    },
}

impl Problem for LoadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Shadows { .. } => "ALM-S005",
            Self::Alias { .. } => "ALM-S006",
            Self::Circle { .. } => "ALM-S007",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Shadows { .. } => Some("give the function another name".into()),
            Self::Alias { .. } => None,
            Self::Circle { .. } => {
                Some("move what both need into a module that imports neither".into())
            }
        }
    }
}

/// Compiles `script` for `engine` and checks it; `scope` holds the constants that it may use.
///
/// # Errors
/// A parse error, or a [`LoadError`] inside a run-time error, with its position.
pub(super) fn compile(
    engine: &Engine,
    script: &Script,
    scope: &Scope<'_>,
    sources: &Sources,
) -> Result<AST, Box<EvalAltResult>> {
    sources.add(script);
    let mut ast = engine
        .compile_with_scope(scope, &*script.text)
        .map_err(|error| Box::new(EvalAltResult::from(error)))?;
    ast.set_source(script.label.as_str());
    check(engine, &ast)?;
    Ok(ast)
}

/// `error`, which the text with `label` raised when it was brought in at `position`: named by its
/// label, so that positions inside lead to the right text. What no script may catch (the end of the
/// run, waiting for somebody, a limit) stays as it is, since Rhai lets a script catch whatever is
/// wrapped; it loses its position, which would be taken for one of the outer text.
pub(super) fn raised_in(
    label: &str,
    mut error: Box<EvalAltResult>,
    position: Position,
) -> Box<EvalAltResult> {
    if error.is_system_exception() && !matches!(*error, EvalAltResult::ErrorParsing(..)) {
        let _ = error.take_position();
        return error;
    }
    Box::new(EvalAltResult::ErrorInModule(
        label.to_owned(),
        error,
        position,
    ))
}

/// The names in all literal `import` statements of `ast`.
pub(super) fn imports(ast: &AST) -> Vec<String> {
    let mut names = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(name, _) = &import.0
        {
            names.push(name.to_string());
        }
        true
    });
    names
}

fn check(engine: &Engine, ast: &AST) -> Result<(), Box<EvalAltResult>> {
    let at = |error: LoadError, position| {
        Box::new(EvalAltResult::ErrorRuntime(
            Dynamic::from(HostError::from(error)),
            position,
        ))
    };
    let mut alias = None;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last() {
            let name = import.1.as_str();
            if groups().iter().any(|group| group.name == name) {
                alias = Some((name.to_owned(), import.1.pos));
            }
        }
        alias.is_none()
    });
    if let Some((alias, position)) = alias {
        return Err(at(LoadError::Alias { alias }, position));
    }
    if !ast.has_functions() {
        return Ok(());
    }
    let host = engine.collect_fn_metadata(None, HostFunction::of, false);
    for (_, _, name, count, function) in ast.shared_lib().iter_script_fn_info() {
        if host
            .iter()
            .any(|host| host.name == name && host.replaced_by(count))
        {
            let error = LoadError::Shadows {
                name: name.to_owned(),
            };
            return Err(at(error, function.body.start_position()));
        }
    }
    Ok(())
}

/// A host function that scripts call without a namespace.
struct HostFunction {
    name: String,
    count: usize,
    /// Whether its first argument is what it is called on; `None` where nobody said.
    method: Option<bool>,
}

impl HostFunction {
    fn of(function: FuncInfo<'_>) -> Option<Self> {
        let metadata = function.metadata;
        let global = function.namespace.is_empty() || metadata.namespace == FnNamespace::Global;
        // `get$name` and `set$name` are properties, which no function can replace.
        let property = metadata.name.contains('$');
        (global && !property && !is_of_language(metadata)).then(|| Self {
            name: metadata.name.to_string(),
            count: metadata.num_params,
            method: metadata
                .params_info
                .first()
                .map(|first| first.contains("&mut")),
        })
    }

    /// Whether a script function with `count` parameters is taken for it: `x.rename(n)` looks for a
    /// script's `rename(n)`, a plain `step(n, f)` for one with as many parameters.
    fn replaced_by(&self, count: usize) -> bool {
        match self.method {
            Some(true) => self.count == count + 1,
            Some(false) => self.count == count,
            None => self.count == count || self.count == count + 1,
        }
    }
}

/// The module resolver of one engine.
pub(super) struct Modules {
    library: Arc<Library>,
    sources: Sources,
    loaded: Mutex<HashMap<(String, String), Shared<Module>>>,
    loading: Mutex<Vec<String>>,
}

impl Modules {
    pub(super) fn new(library: Arc<Library>, sources: Sources) -> Self {
        Self {
            library,
            sources,
            loaded: Mutex::default(),
            loading: Mutex::default(),
        }
    }

    fn load(&self, engine: &Engine, script: &Script) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let key = (script.label.clone(), script.hash());
        let lock = |loaded: &Mutex<HashMap<_, Shared<Module>>>| {
            loaded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&key)
                .cloned()
        };
        if let Some(module) = lock(&self.loaded) {
            return Ok(module);
        }
        let ast = compile(engine, script, &Scope::new(), &self.sources)?;
        let mut module = Module::eval_ast_as_new(Scope::new(), &ast, engine)?;
        module.set_id(script.label.as_str());
        let module: Shared<Module> = module.into();
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(key, module.clone());
        Ok(module)
    }
}

impl ModuleResolver for Modules {
    fn resolve(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        pos: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let raise =
            |error: HostError| Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(error), pos));
        let script = self
            .library
            .module(path)
            .map_err(|error| raise(error.into()))?;
        let loading = || self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut stack = loading();
            if let Some(first) = stack.iter().position(|name| *name == path) {
                let mut circle = stack[first..].to_vec();
                circle.push(path.to_owned());
                return Err(raise(LoadError::Circle { path: circle }.into()));
            }
            stack.push(path.to_owned());
        }
        let loaded = self.load(engine, &script);
        loading().pop();
        loaded.map_err(|error| raised_in(&script.label, error, pos))
    }
}

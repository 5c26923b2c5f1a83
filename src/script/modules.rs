//! Compiles scripts and the modules they import, and refuses what would undermine the host.
//!
//! Compiled text is kept by content, so an edited file is always seen. A script's function takes
//! the place of a host function of the same name, even inside a bundled module that the script
//! imports (rhai-host §4.4); a name that the host has is therefore refused when a text is loaded. So is
//! one of the language's own functions that a bundled text calls: `fn extract(…)` of a hook or of the
//! script that runs would change what `std/release` returns. A bundled module's own functions are
//! found first, so their names are free.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rhai::FuncInfo;
use rhai::{
    AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, FnNamespace, Module, ModuleResolver,
    OptimizationLevel, Position, Scope, Shared, Stmt,
};

use super::api::language::is_of_language;
use super::api::{HostError, groups};
use super::library::{Library, Origin, Script, bundled_texts};
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
    /// It defines a function that would take the place of one that the bundled scripts call.
    #[error(
        "`{name}` with {parameters} parameters is called by the bundled scripts and cannot be defined again"
    )]
    ShadowsBundled {
        /// The function.
        name: String,
        /// How many parameters it has.
        parameters: usize,
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
            Self::Shadows { .. } | Self::ShadowsBundled { .. } => "ALM-S005",
            Self::Alias { .. } => "ALM-S006",
            Self::Circle { .. } => "ALM-S007",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Shadows { .. } | Self::ShadowsBundled { .. } => {
                Some("give the function another name".into())
            }
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
    check(engine, &ast, script.origin)?;
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

fn check(engine: &Engine, ast: &AST, origin: Origin) -> Result<(), Box<EvalAltResult>> {
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
        if origin != Origin::Bundled && bundled_calls().contains(&(name.to_owned(), count)) {
            let error = LoadError::ShadowsBundled {
                name: name.to_owned(),
                parameters: count,
            };
            return Err(at(error, function.body.start_position()));
        }
    }
    Ok(())
}

/// The functions that bundled scripts and modules call without a namespace and do not define
/// themselves, with as many arguments as a script's function would need to be taken for them: a
/// method call looks for a function with one parameter less than the host's has.
fn bundled_calls() -> &'static BTreeSet<(String, usize)> {
    static CALLS: OnceLock<BTreeSet<(String, usize)>> = OnceLock::new();
    CALLS.get_or_init(|| {
        // Without the optimiser, which takes calls away whose result it knows.
        let mut engine = Engine::new_raw();
        engine
            .set_optimization_level(OptimizationLevel::None)
            .set_max_expr_depths(0, 0);
        let mut all = BTreeSet::new();
        for text in bundled_texts() {
            // That every bundled text can be parsed is a test's business.
            let Ok(ast) = engine.compile(text) else {
                continue;
            };
            let own: BTreeSet<(String, usize)> = ast
                .iter_functions()
                .map(|function| (function.name.to_owned(), function.params.len()))
                .collect();
            let calls = calls(&ast).into_iter().filter(|call| !own.contains(call));
            all.extend(calls);
        }
        all
    })
}

/// The functions that a text calls without a namespace, and with how many arguments.
fn calls(ast: &AST) -> BTreeSet<(String, usize)> {
    let mut calls = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let call = match path.last() {
            Some(
                ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
                | ASTNode::Stmt(Stmt::FnCall(call, _)),
            ) => call,
            _ => return true,
        };
        if call.namespace.is_empty() {
            calls.insert((call.name.to_string(), call.args.len()));
        }
        true
    });
    calls
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

//! Builds the Rhai engine of one run and runs a named script in it.
//!
//! An engine per run costs a third of a millisecond; the host's modules are shared between them.
//! This is one of two files that touch Rhai's volatile parts; `modules` is the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Map, NativeCallContext, Position, Scope};
use serde_json::Value;

use super::api::{self, HostError, Scripted, Thrown};
use super::context::Context;
use super::hooks::Hooks;
use super::library::Script;
use super::limits::Limits;
use super::modules::{Modules, Sources, compile, imports, raised_in};
use super::parameters::{Given, Rules};
use super::sink::{Level, Message};
use super::values::{from_json, to_json};

/// Adds primitives of the embedding program to an engine.
pub type Extension = Arc<dyn Fn(&mut Engine) + Send + Sync>;

/// An engine with everything that a script can call, but no run. Good for compiling, for the
/// reference, and for functions that need no run.
pub fn engine(limits: &Limits, extensions: &[Extension]) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(limits.operations)
        .set_max_call_levels(limits.call_levels)
        .set_max_expr_depths(limits.expression_depth, limits.function_depth)
        .set_max_modules(if limits.modules == 0 {
            usize::MAX
        } else {
            limits.modules
        })
        .set_max_string_size(limits.text)
        .set_max_array_size(limits.items)
        .set_max_map_size(limits.items)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .disable_symbol("eval");
    // Without a resolver of its own an engine would import any file by its path.
    engine.set_module_resolver(rhai::module_resolvers::DummyModuleResolver::new());
    api::register(&mut engine);
    for extension in extensions {
        extension(&mut engine);
    }
    engine
}

/// One script, ready to run in its own engine.
pub struct Program {
    engine: Engine,
    script: Script,
    ast: AST,
    params: Map,
    context: Context,
    sources: Sources,
    limits: Limits,
}

impl Program {
    /// Compiles `script`, its hooks and all modules that it imports by a literal name, before
    /// anything runs: a slip in a module must not show after half of the work.
    ///
    /// # Errors
    /// What is wrong with the text, and the sources to show it with.
    pub fn load(
        context: &Context,
        script: Script,
        params: &serde_json::Map<String, Value>,
        limits: &Limits,
        extensions: &[Extension],
    ) -> Result<Self, (Box<EvalAltResult>, Sources)> {
        let sources = sources_of(context);
        let mut engine = engine(limits, extensions);
        engine.set_default_tag(context.clone().into_tag());
        engine.set_module_resolver(Modules::new(context.library().clone(), sources.clone()));
        let guard = context.set_limits(limits);
        // The guard counts them across all engines of the run.
        engine.set_max_operations(0);
        guard.watch(&mut engine);
        pass_output_on(&mut engine, context);
        let params: Map = params
            .iter()
            .map(|(name, v)| (name.into(), from_json(v.clone())))
            .collect();
        let loaded = prepare(&engine, context, &script, &sources);
        match loaded {
            Ok(ast) => Ok(Self {
                engine,
                script,
                ast,
                params,
                context: context.clone(),
                sources,
                limits: *limits,
            }),
            Err(error) => Err((error, sources)),
        }
    }

    /// Runs the script to its end and returns its last value.
    ///
    /// # Errors
    /// Whatever the script or a primitive raised, with its call chain.
    pub fn run(&self) -> Result<Dynamic, Box<EvalAltResult>> {
        let mut scope = scope_with(&self.params);
        self.engine.eval_ast_with_scope(&mut scope, &self.ast)
    }

    /// The script that was loaded.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The texts that were loaded so far.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What it may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The engine, for messages about its functions.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Hooks of the workspace that no step called.
    pub fn unused_hooks(&self) -> Vec<String> {
        self.context.hooks().unused()
    }
}

/// Compiles a script with its hooks and, through their literal imports, all modules in reach.
fn prepare(
    engine: &Engine,
    context: &Context,
    script: &Script,
    sources: &Sources,
) -> Result<AST, Box<EvalAltResult>> {
    let ast = compile(engine, script, &declared_scope(), sources)?;
    let mut wanted = imports(&ast);
    if let Some(hooks) = context.library().hooks(&script.name).thrown()? {
        let hooks = compile(engine, &hooks, &Scope::new(), sources)
            .map_err(|error| raised_in(&hooks.label, error, Position::NONE))?;
        wanted.extend(imports(&hooks));
        context.set_hooks(Hooks::new(hooks));
    }
    let mut seen = std::collections::BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        // A name that is not found may stand in a branch that never runs; the run will tell.
        let Ok(module) = context.library().module(&name) else {
            continue;
        };
        let compiled = compile(engine, &module, &Scope::new(), sources)
            .map_err(|error| raised_in(&module.label, error, Position::NONE))?;
        wanted.extend(imports(&compiled));
    }
    Ok(ast)
}

/// The texts of a run, those of scripts that it runs inside it included.
fn sources_of(context: &Context) -> Sources {
    let made = context.shared(|_| Ok::<_, std::convert::Infallible>(Sources::default()));
    match made {
        Ok(sources) => (*sources).clone(),
        Err(never) => match never {},
    }
}

/// The names that a script may use, for the compiler. `params` is no constant here: the optimiser
/// would put its value into the text, where a misspelt property is `()` instead of an error.
pub(super) fn declared_scope() -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push("params", ());
    scope
}

fn scope_with(params: &Map) -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push_constant("params", params.clone());
    scope
}

/// Sends what the script prints to the run.
fn pass_output_on(engine: &mut Engine, context: &Context) {
    let printed = context.clone();
    engine.on_print(move |text| {
        let text = text.to_owned();
        printed.sink().tell(Message::Log {
            level: Level::Print,
            text,
            at: None,
        });
    });
    let debugged = context.clone();
    engine.on_debug(move |text, source, position| {
        let line = position
            .line()
            .map_or_else(String::new, |line| format!(":{line}"));
        let at = source.map(|source| format!("{source}{line}"));
        let text = text.to_owned();
        debugged.sink().tell(Message::Log {
            level: Level::Debug,
            text,
            at,
        });
    });
}

/// Runs a named script inside the run of `call`: the mechanism behind `run::script(name, …)`.
pub(super) fn run_inside(
    call: &NativeCallContext<'_>,
    name: &str,
    parameters: Map,
) -> Scripted<Dynamic> {
    let context = Context::of(call).thrown()?;
    let script = context.library().script(name).thrown()?;
    let declaration = script.declaration().thrown()?;
    let mut given = BTreeMap::new();
    for (name, value) in parameters {
        // `()` passes "left out" on.
        if value.is_unit() {
            continue;
        }
        let value = to_json(&value).map_err(|error| HostError::new("ALM-S032", error.to_string()));
        given.insert(name.to_string(), Given::Value(value.thrown()?));
    }
    let settled = declaration.settle(&given, &Rules::new()).thrown()?;
    let params: Map = settled
        .into_iter()
        .map(|(name, v)| (name.into(), from_json(v)))
        .collect();
    let sources = sources_of(&context);
    let mut scope = scope_with(&params);
    let _inside = context.guard().nest(call.call_level())?;
    compile(call.engine(), &script, &declared_scope(), &sources)
        .and_then(|ast| {
            call.engine()
                .eval_ast_with_scope::<Dynamic>(&mut scope, &ast)
        })
        .map_err(|error| raised_in(&script.label, error, call.call_position()))
}

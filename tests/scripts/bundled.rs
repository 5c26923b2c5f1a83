//! The bundled scripts and their modules call nothing that does not exist. A call is only looked up
//! when it happens, and refusals happen rarely.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use almscript::run::Host;
use rhai::{AST, ASTNode, Engine, Expr, FnNamespace, Scope, Stmt};

/// What the language itself answers, so that no list of functions has it.
const LANGUAGE: [&str; 5] = ["print", "debug", "type_of", "call", "curry"];

#[test]
fn bundled_scripts_call_only_what_exists() {
    let mut engine = Host::in_memory().unwrap().engine();
    engine.set_strict_variables(false);
    let host = host_functions(&engine);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = compiled(&engine, &root.join("scripts"));
    let modules = compiled(&engine, &root.join("stdlib"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (name, ast) in scripts.iter().chain(&modules) {
        let imports = imports(ast);
        let own = functions(ast);
        calls(ast, |path, arguments, method| {
            seen += 1;
            let known = |set: &BTreeSet<(String, usize)>, called: &str| {
                set.contains(&(called.to_owned(), arguments + usize::from(method)))
            };
            let exists = match path.split_once("::") {
                Some((alias, called)) if imports.contains_key(alias) => {
                    known(&functions(&modules[&imports[alias]]), called)
                }
                _ => LANGUAGE.contains(&path) || known(&own, path) || known(&host, path),
            };
            if !exists {
                wrong.push(format!("{name}: {path} with {arguments} arguments"));
            }
        });
    }
    assert!(seen > 300, "only {seen} calls were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The scripts of a folder by name.
fn compiled(engine: &Engine, folder: &Path) -> BTreeMap<String, AST> {
    let mut scope = Scope::new();
    scope.push("params", ());
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let scripts = files.filter(|path| path.extension().is_some_and(|end| end == "rhai"));
    let compile = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        (name, engine.compile_with_scope(&scope, text).unwrap())
    };
    scripts.map(compile).collect()
}

/// The functions of the host by name and number of arguments, with their namespace where one is
/// needed.
fn host_functions(engine: &Engine) -> BTreeSet<(String, usize)> {
    let known = engine.collect_fn_metadata(
        None,
        |function| {
            let metadata = function.metadata;
            let bare = function.namespace.is_empty() || metadata.namespace == FnNamespace::Global;
            let name = if bare {
                metadata.name.to_string()
            } else {
                format!("{}::{}", function.namespace, metadata.name)
            };
            Some((name, metadata.num_params))
        },
        true,
    );
    known.into_iter().collect()
}

/// The functions that a script defines.
fn functions(ast: &AST) -> BTreeSet<(String, usize)> {
    ast.iter_functions()
        .map(|function| (function.name.to_owned(), function.params.len()))
        .collect()
}

/// What each alias stands for.
fn imports(ast: &AST) -> BTreeMap<String, String> {
    let mut imports = BTreeMap::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(name, _) = &import.0
        {
            let module = name.trim_start_matches("std/").to_owned();
            imports.insert(import.1.as_str().to_owned(), module);
        }
        true
    });
    imports
}

/// Tells of every call: its path, how many arguments stand in brackets, whether it is a method's.
fn calls(ast: &AST, mut tell: impl FnMut(&str, usize, bool)) {
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let (call, method) = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, _))) => (call, false),
            Some(ASTNode::Expr(Expr::MethodCall(call, _))) => (call, true),
            Some(ASTNode::Stmt(Stmt::FnCall(call, _))) => (call, false),
            _ => return true,
        };
        if call.name.starts_with(|c: char| c.is_alphabetic()) {
            let name = if call.is_qualified() {
                format!("{}::{}", call.namespace, call.name)
            } else {
                call.name.to_string()
            };
            tell(&name, call.args.len(), method);
        }
        true
    });
}

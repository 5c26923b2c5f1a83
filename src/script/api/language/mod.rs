//! Functions of the language itself that the host must do its own way.
//!
//! Rhai looks at its limits and at the run's cancellation between two operations. What takes long,
//! takes much or goes deep in one call is therefore done here: with the same name, the same
//! arguments and the same result, but it asks its [`room`] while it works.

mod arrays;
mod blobs;
mod compare;
mod maps;
mod order;
mod room;
mod show;
mod text;

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{Engine, FuncMetadata, Module, Shared, exported_module};

use super::HostError;
use super::error::{Scripted, Thrown};
use crate::script::Context;
use crate::transport::TransportError;

/// Makes all of them callable in `engine`, in place of the language's own.
pub(super) fn register(engine: &mut Engine) {
    static WAITING: OnceLock<Shared<Module>> = OnceLock::new();
    let waiting = WAITING.get_or_init(|| exported_module!(module).into());
    engine.register_global_module(waiting.clone());
    engine.register_global_module(bounded());
}

/// The functions that are the language's own but for their bounds.
fn bounded() -> Shared<Module> {
    static BOUNDED: OnceLock<Shared<Module>> = OnceLock::new();
    let made = BOUNDED.get_or_init(|| {
        let mut all = Module::new();
        for part in [
            exported_module!(arrays::module),
            exported_module!(blobs::module),
            exported_module!(compare::module),
            exported_module!(maps::module),
            exported_module!(order::module),
            exported_module!(show::module),
            exported_module!(text::module),
        ] {
            all.combine(part);
        }
        all.into()
    });
    made.clone()
}

/// Whether a function is the language's own but for its bounds: such a one is no part of the
/// reference, and a script may have a function of the same name.
pub(in crate::script) fn is_of_language(function: &FuncMetadata) -> bool {
    static KNOWN: OnceLock<HashSet<(String, Vec<String>)>> = OnceLock::new();
    let key = |function: &FuncMetadata| {
        let parameters = function.params_info.iter().map(ToString::to_string);
        (function.name.to_string(), parameters.collect())
    };
    let known = KNOWN.get_or_init(|| {
        let mut engine = Engine::new_raw();
        engine.register_global_module(bounded());
        let all = engine.collect_fn_metadata(None, |found| Some(key(found.metadata)), false);
        all.into_iter().collect()
    });
    known.contains(&key(function))
}

/// Replacements that are not the same but for their bounds.
#[export_module]
pub(super) mod module {
    /// Waits for a number of seconds; ends at once when the run is cancelled or its time is over.
    ///
    /// ```rhai
    /// sleep(0);
    /// true
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sleep(call: NativeCallContext<'_>, seconds: i64) -> Scripted<()> {
        let checked = u64::try_from(seconds).map(Duration::from_secs);
        pause(&call, checked.map_err(|_| refused(&seconds.to_string())))
    }

    /// Waits for a number of seconds with a fraction.
    ///
    /// ```rhai
    /// sleep(0.001);
    /// true
    /// ```
    #[rhai_fn(name = "sleep", return_raw)]
    pub fn sleep_fraction(call: NativeCallContext<'_>, seconds: f64) -> Scripted<()> {
        let checked = Duration::try_from_secs_f64(seconds);
        pause(&call, checked.map_err(|_| refused(&seconds.to_string())))
    }
}

fn refused(seconds: &str) -> HostError {
    HostError::new("ALM-S021", format!("cannot wait for {seconds} seconds"))
}

/// Rhai's own `sleep` would not see that the run is cancelled.
fn pause(call: &NativeCallContext<'_>, length: Result<Duration, HostError>) -> Scripted<()> {
    let context = Context::of(call).thrown()?;
    context
        .cancel()
        .wait(length.thrown()?)
        .map_err(TransportError::from)
        .thrown()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::engine::engine;
    use crate::script::limits::Limits;

    /// What each of these says, with Rhai's own functions and with the ones here.
    const SAME: &[&str] = &[
        r#"let t = "ab"; t.pad(7, "xyz"); t"#,
        r#"let t = "zażółć"; t.pad(9, 'ę'); t"#,
        r#"let t = "ab"; t.pad(-1, "x"); t.pad(2, "x"); t"#,
        r#"let t = "banana"; t.replace("an", "<>"); t"#,
        r#"let t = "banana"; t.replace('a', "--"); t.replace("", "."); t"#,
        r#"let t = ""; t.replace("", "x"); t"#,
        r#""zażółć".to_chars()"#,
        r#"["".split(), " a  b ".split(), "a,b,,c".split(","), "".split(","), "abc".split("")]"#,
        r#"["a,b".split(','), "".split(','), "a,b,c".split(",", 2), "a,b,c".split(',', 2)]"#,
        r#"["a,b,c".split(",", 0), "a,b,c".split(',', -3), "abc".split_rev("")]"#,
        r#"["a,b,c".split_rev(","), "a,b,c".split_rev(','), "a,b,c".split_rev(",", 2)]"#,
        r#"["a,b,c".split_rev(',', 2), "".split_rev(","), "".split_rev(",", 2)]"#,
        "let b = blob(3, 300); b.pad(5, -1); [b, b.to_array(), blob(-1), blob(2)]",
        "let a = [1]; a.pad(3, [2]); a.pad(0, 1); a.pad(-1, 1); a",
        "let a = [1, 2, 3, 4]; [a.pop(), a.shift(), a, [].pop(), [].shift()]",
        "let a = [1, 2, 3, 4]; [a.remove(1), a.remove(-1), a.remove(9), a.remove(-9), a]",
        "let a = [1, 2, 3, 4]; let b = a.split(1); let c = b.split(-1); [a, b, c, [].split(2)]",
        "let a = [1, 2, 3, 4, 5]; let b = a.drain(|x| x % 2 == 0); [a, b]",
        "let a = [1, 2, 3, 4, 5]; let b = a.retain(|x, i| i > 1); [a, b]",
        "let a = [1, 2, 3, 4, 5]; let b = a.drain(1, 2); let c = a.drain(-1, 9); [a, b, c]",
        "let a = [1, 2, 3, 4, 5]; let b = a.drain(1..3); let c = a.drain(0..=0); [a, b, c]",
        "let a = [1, 2, 3, 4, 5]; let b = a.drain(-2..9); let c = a.drain(3..1); [a, b, c]",
        "let a = [1, 2, 3, 4, 5]; let b = a.retain(1, 3); let c = a.retain(1..2); [a, b, c]",
        "let a = [1, 2, 3, 4, 5]; let b = a.retain(1..=3); let c = a.retain(0, -1); [a, b, c]",
        "let a = [1]; let b = take(a); [a, b]",
        "let m = #{ a: 1, b: 2 }; [m.remove(\"a\"), m.remove(\"z\"), m]",
        "let m = #{ a: 1, b: 2 }; let d = m.drain(|k, v| v > 1); [m, d]",
        "let m = #{ a: 1, b: 2 }; let d = m.retain(|k| k == \"a\"); [m, d]",
        r#"#{ a: [1, 2.5, "x\"", true, ()], "b c": #{} }.to_json()"#,
        r#"[[1, [2]] == [1, [2]], [1] == [2], [1] == ["1"], [1] != [1, 2], [1.0] == [1]]"#,
        "[#{ a: [1] } == #{ a: [1] }, #{ a: 1 } == #{ b: 1 }, #{} != #{ a: 1 }, [()] == [()]]",
        "[[1, 2].contains(2), [1, [2]].contains([2]), [].contains(1), 1 in [1], \"1\" in [1]]",
        "[[1, 2, 1].index_of(1), [1, 2, 1].index_of(1, 1), [1, 2, 1].index_of(1, -1)]",
        "[[1, 2].index_of(3), [1, 2].index_of(1, 9), [1, 2, 3].index_of(|x| x > 1)]",
        "let a = [1, 1, 2, 2, 1, [1], [1]]; a.dedup(); a",
        "let a = [1, 3, 2, 4, 6]; a.dedup(|x, y| x % 2 == y % 2); a",
        "let a = [3, 1, 2]; a.sort(); let b = a.order_desc(); [a, b, a.order(|x, y| y - x)]",
        r#"[["b", "a"].order(), ['b', 'a'].order(), [2.5, -1.0].order(), [true, false].order()]"#,
        "let a = [[2, 1], [1, 2], [2, 0]]; a.sort_by(|x, y| x[0] - y[0]); a",
        "let a = [3, 1, 2]; a.sort(|x, y| x < y); a",
        "let a = [(), ()]; a.sort(); a.sort_desc(); a",
        r#"`${[1, "x", 'c', 1.0, (), true, #{ a: "y" }, [], #{}]}`"#,
        r#"to_debug(#{ "a b": [1, || 1], c: blob(2) }).len()"#,
        "to_debug([0..3, 1..=2, timestamp() == timestamp()])",
    ];

    #[test]
    fn what_is_bounded_says_the_same_as_the_language() {
        let (own, ours) = (Engine::new(), engine(&Limits::trusted(), &[]));
        for script in SAME {
            let answer = |engine: &Engine| {
                let value = engine.eval::<rhai::Dynamic>(script);
                value
                    .unwrap_or_else(|error| panic!("{script}: {error}"))
                    .to_string()
            };
            assert_eq!(answer(&ours), answer(&own), "{script}");
        }
    }

    #[test]
    fn a_script_may_have_functions_of_the_same_names() {
        let ours = engine(&Limits::trusted(), &[]);
        let known = ours.collect_fn_metadata(
            None,
            |found| is_of_language(found.metadata).then(|| found.metadata.name.to_string()),
            false,
        );
        assert!(known.iter().any(|name| name == "pad"), "{known:?}");
        assert!(!known.iter().any(|name| name == "sleep"), "{known:?}");
    }
}

//! The engine inside another program.

use almscript::run::{Host, Outcome};
use almscript::script::api::{HostError, Scripted};

#[test]
fn a_primitive_of_ones_own_raises_errors_that_scripts_catch() {
    let mut host = Host::in_memory().unwrap();
    host.register(|engine| {
        engine.register_fn("approve", |ticket: i64| -> Scripted<bool> {
            if ticket > 0 {
                return Ok(true);
            }
            Err(HostError::new("ACME-1", "no such ticket")
                .with_hint("use a positive one")
                .into())
        });
    });
    host.script(
        "check",
        "//! Check.\n//! @param ticket integer  which\n\
         let said = \"fine\";\n\
         try { approve(params.ticket) } catch (err) { said = `${err.code}: ${err.hint}` }\nsaid",
    );
    let fine = host.run("check").parameter("ticket", 1).go().unwrap();
    assert_eq!(fine.value, "fine");
    let caught = host.run("check").parameter("ticket", 0).go().unwrap();
    assert_eq!(caught.value, "ACME-1: use a positive one");
}

#[test]
fn a_panic_inside_a_primitive_fails_the_run_and_not_the_program() {
    let mut host = Host::in_memory().unwrap();
    host.register(|engine| {
        engine.register_fn("broken", || -> i64 { panic!("not my day") });
    });
    host.script("a", "broken()");
    let finished = host.run("a").go().unwrap();
    assert_eq!(finished.outcome, Outcome::Failed);
    assert_eq!(
        finished.failure.unwrap().message,
        "the run broke off inside the host: not my day"
    );
}

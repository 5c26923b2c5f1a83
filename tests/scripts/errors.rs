//! What people see when a script goes wrong.

use crate::bench::Bench;

#[test]
fn an_error_shows_the_line_the_calls_and_the_step() {
    let bench = Bench::new(&[
        (
            "scripts/save.rhai",
            "import \"lib\" as lib;\n\nlet x = step(\"Export\", || {\n    lib::export_it(#{ name: \"Ä\" })\n});\n",
        ),
        (
            "scripts/lib.rhai",
            "fn export_it(options) {\n    check(options.name)\n}\nfn check(name) {\n    fail(`no ${name}`, \"choose another\")\n}\n",
        ),
    ]);
    insta::assert_snapshot!(bench.run("save").page());
}

#[test]
fn a_missing_function_names_what_there_is() {
    let bench = Bench::new(&[("scripts/a.rhai", "let t = 5;\nnotise(\"x\");\n")]);
    insta::assert_snapshot!(bench.run("a").page());
    bench.write("scripts/a.rhai", "step(1, 2);\n");
    insta::assert_snapshot!(bench.run("a").page());
    bench.write("scripts/a.rhai", "run::recrod(#{});\n");
    insta::assert_snapshot!(bench.run("a").page());
}

#[test]
fn a_parse_error_shows_its_line() {
    let bench = Bench::new(&[("scripts/a.rhai", "let a = 1;\nlet b = #{ package: a };\n")]);
    insta::assert_snapshot!(bench.run("a").page());
    bench.write(
        "scripts/a.rhai",
        "//! T\nfn f() {\n    params.name\n}\nf()\n",
    );
    insta::assert_snapshot!(bench.run("a").page());
}

#[test]
fn a_missing_property_and_an_unknown_option_are_named() {
    let bench = Bench::new(&[("scripts/a.rhai", "let m = #{ one: 1 };\nprint(m.oen);\n")]);
    insta::assert_snapshot!(bench.run("a").page());
    bench.write("scripts/a.rhai", "run::record(#{ solutoin: \"x\" });\n");
    insta::assert_snapshot!(bench.run("a").page());
}

#[test]
fn a_thrown_value_is_the_message() {
    let bench = Bench::new(&[("scripts/a.rhai", "throw \"no luck\";\n")]);
    insta::assert_snapshot!(bench.run("a").page());
    bench.write(
        "scripts/a.rhai",
        "throw #{ code: \"ACME-7\", message: \"no\", hint: \"try b\" };\n",
    );
    insta::assert_snapshot!(bench.run("a").page());
}

#[test]
fn a_step_that_ends_with_something_that_cannot_be_kept_says_so() {
    let bench = Bench::new(&[("scripts/a.rhai", "step(\"S\", || #{ f: || 1 });\n")]);
    insta::assert_snapshot!(bench.run("a").page());
}

#[test]
fn the_json_form_has_place_calls_and_step() {
    let bench = Bench::new(&[(
        "scripts/a.rhai",
        "fn f() {\n    fail(\"no\")\n}\nstep(\"S\", || f());\n",
    )]);
    let failure = bench.run("a").finished.failure.unwrap();
    insta::assert_json_snapshot!(failure);
}

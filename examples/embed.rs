//! Runs a named script with a primitive of one's own: `cargo run --example embed`.

use almscript::run::{Event, Host};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut host = Host::in_memory()?;
    host.register(|engine| {
        engine.register_fn("next_change", |team: &str| format!("CHG-{team}-0042"));
    });
    host.script(
        "announce",
        "//! Announce a change.\n//! @param team text  who changes something\n\
         let number = step(\"Get a number\", || next_change(params.team));\n\
         notice(`Team ${params.team} works on ${number}`);\nnumber",
    );
    let print = |event: &Event| println!("{}", serde_json::json!(event));
    let finished = host
        .run("announce")
        .parameter("team", "sales")
        .observe(print)
        .go()?;
    println!("{}: {}", finished.outcome, finished.value);
    Ok(())
}

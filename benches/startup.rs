//! What `alm run` of an empty script costs beside a process that only builds a bare Rhai engine.
//!
//! `cargo bench --bench startup` prints both times (the smallest of many rounds, one after the
//! other in turn) and their ratio. The benchmark starts itself as the bare process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const BARE: &str = "--only-a-bare-engine";
const ROUNDS: usize = 40;

fn main() {
    if std::env::args().any(|argument| argument == BARE) {
        std::hint::black_box(rhai::Engine::new());
        return;
    }
    let workspace = tempfile::tempdir().expect("a folder for the workspace");
    let scripts = workspace.path().join("scripts");
    std::fs::create_dir(&scripts).expect("a folder for the script");
    std::fs::write(workspace.path().join("alm.toml"), "").expect("alm.toml");
    std::fs::write(scripts.join("empty.rhai"), "").expect("the script");
    let own = std::env::current_exe().expect("the path of this program");
    let bare = || {
        let mut command = Command::new(&own);
        command.arg(BARE);
        command
    };
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alm"));
        command.current_dir(workspace.path()).args(["run", "empty"]);
        command
    };
    let (mut fastest_bare, mut fastest_run) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        fastest_bare = fastest_bare.min(time(bare()));
        fastest_run = fastest_run.min(time(run()));
    }
    println!(
        "a bare engine:               {:7.2} ms",
        milliseconds(fastest_bare)
    );
    println!(
        "alm run of an empty script:  {:7.2} ms",
        milliseconds(fastest_run)
    );
    println!(
        "ratio:                       {:7.2}",
        milliseconds(fastest_run) / milliseconds(fastest_bare)
    );
}

fn time(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let status = command.status().expect("the process starts");
    let took = started.elapsed();
    assert!(status.success(), "{command:?} failed: {status}");
    took
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

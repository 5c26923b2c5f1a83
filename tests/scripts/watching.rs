//! `watch` on real files: saves of many kinds, a change during a run, a module, the end.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use almscript::run::watch::{Settings, WatchEvent, Watched, watch};
use almscript::transport::Cancel;
use almscript::workspace::config::DuringRun;

use crate::bench::Bench;

fn settings(during_run: DuringRun) -> Settings {
    Settings {
        quiet: Duration::from_millis(60),
        during_run,
        poll: None,
    }
}

/// Watches `bench` while `act` changes files, and returns what was told and how many runs began.
fn watching(
    bench: &Bench,
    during_run: DuringRun,
    run: impl Fn(&Cancel) + Sync,
    act: impl FnOnce(&dyn Fn(usize)) + Send,
) -> (Vec<WatchEvent>, usize) {
    let cancel = Cancel::new();
    let runs = AtomicUsize::new(0);
    let told = Mutex::new(Vec::new());
    let scripts = std::fs::canonicalize(bench.path()).unwrap().join("scripts");
    let watched = Watched {
        folders: [scripts].into(),
        ..Watched::default()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let until = |count: usize| {
                let limit = Instant::now() + Duration::from_secs(30);
                while runs.load(Ordering::SeqCst) < count {
                    assert!(Instant::now() < limit, "run {count} never began");
                    std::thread::sleep(Duration::from_millis(5));
                }
            };
            until(1);
            act(&until);
            // Long enough for a run that must not be.
            std::thread::sleep(Duration::from_millis(500));
            cancel.cancel();
        });
        let carry = |flag: Cancel| -> Vec<PathBuf> {
            runs.fetch_add(1, Ordering::SeqCst);
            run(&flag);
            Vec::new()
        };
        watch(&settings(during_run), watched, &cancel, carry, |event| {
            told.lock().unwrap().push(event);
        })
        .unwrap();
    });
    (told.into_inner().unwrap(), runs.into_inner())
}

#[test]
fn one_save_is_one_run_however_an_editor_saves() {
    let bench = Bench::new(&[("scripts/a.rhai", "1")]);
    let file = bench.path().join("scripts/a.rhai");
    let (_, runs) = watching(
        &bench,
        DuringRun::Queue,
        |_| {},
        |until| {
            std::fs::write(&file, "2").unwrap();
            until(2);
            // As vim: move away, write anew, remove the copy; and as others: write beside, move over.
            let copy = file.with_extension("rhai~");
            std::fs::rename(&file, &copy).unwrap();
            std::fs::write(&file, "3").unwrap();
            std::fs::remove_file(&copy).unwrap();
            until(3);
            let beside = file.with_extension("tmp");
            std::fs::write(&beside, "4").unwrap();
            std::fs::rename(&beside, &file).unwrap();
            until(4);
            // The same content, and a mere look, are no change.
            std::fs::write(&file, "4").unwrap();
            std::fs::read(&file).unwrap();
        },
    );
    assert_eq!(runs, 4);
}

#[test]
fn a_change_during_a_run_is_queued_or_cancels_it() {
    for during_run in [DuringRun::Queue, DuringRun::Cancel] {
        let bench = Bench::new(&[("scripts/a.rhai", "1")]);
        let file = bench.path().join("scripts/a.rhai");
        let cancelled = AtomicUsize::new(0);
        let long = |flag: &Cancel| {
            if flag.wait(Duration::from_millis(400)).is_err() {
                cancelled.fetch_add(1, Ordering::SeqCst);
            }
        };
        let (told, runs) = watching(&bench, during_run, long, |until| {
            std::fs::write(&file, "2").unwrap();
            until(2);
        });
        assert_eq!(runs, 2, "{told:?}");
        let said_cancelling = told
            .iter()
            .any(|e| matches!(e, WatchEvent::Cancelling { .. }));
        let said_queued = told.iter().any(|e| matches!(e, WatchEvent::Queued { .. }));
        assert_eq!(
            (said_cancelling, said_queued),
            match during_run {
                DuringRun::Cancel => (true, false),
                DuringRun::Queue => (false, true),
            }
        );
    }
}

#[test]
fn the_watch_ends_in_the_middle_of_a_run_when_it_is_cancelled() {
    let bench = Bench::new(&[("scripts/a.rhai", "1")]);
    let started = Instant::now();
    watching(
        &bench,
        DuringRun::Queue,
        |flag| assert!(flag.wait(Duration::from_secs(60)).is_err()),
        |_| {},
    );
    assert!(started.elapsed() < Duration::from_secs(30));
}

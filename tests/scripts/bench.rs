//! A workspace with scripts, and what a run of one of them told.

use std::path::Path;
use std::sync::{Arc, Mutex};

use almscript::run::{Event, Finished, Host, Start};

/// A workspace in a folder of its own.
pub struct Bench {
    pub dir: tempfile::TempDir,
}

impl Bench {
    /// A workspace with `files`, by path.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        bench.write("alm.toml", "");
        for (path, text) in files {
            bench.write(path, text);
        }
        bench
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Copies a package of the corpus to `path`.
    pub fn copy(&self, package: &str, path: &str) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus");
        std::fs::copy(corpus.join(package), self.dir.path().join(path)).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn host(&self) -> Host {
        Host::open(self.path()).unwrap()
    }

    /// Runs `script` without parameters.
    pub fn run(&self, script: &str) -> Told {
        tell(self.host().run(script))
    }
}

/// How a run ended and what it said on the way.
pub struct Told {
    pub finished: Finished,
    pub events: Vec<Event>,
}

/// Carries a run to its end and collects its events.
pub fn tell(start: Start<'_>) -> Told {
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = events.clone();
    let start = start.observe(move |event: &Event| heard.lock().unwrap().push(event.clone()));
    let finished = start.go().unwrap();
    let events = events.lock().unwrap().clone();
    Told { finished, events }
}

impl Told {
    /// The failure as people see it.
    pub fn page(&self) -> String {
        let failure = self.finished.failure.as_ref();
        failure.map_or_else(
            || panic!("it did not fail: {:?}", self.finished),
            |f| f.render(false),
        )
    }

    /// What happened to the steps, one line each: `Export finished`.
    pub fn steps(&self) -> Vec<String> {
        let line = |event: &Event| match event {
            Event::StepStarted { name, depth, .. } => Some(format!("{depth} {name}")),
            Event::StepFinished { name, outcome, .. } => Some(format!("{name} {outcome:?}")),
            _ => None,
        };
        self.events.iter().filter_map(line).collect()
    }
}

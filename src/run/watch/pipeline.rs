//! The parts in order: quiet, filter, decision. It has no clock, no thread and no watcher.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::decision::Decision;
use super::filter::{Filter, Watched};
use super::quiet::Quiet;
use crate::workspace::config::DuringRun;

/// What the loop has to do next, and which files are the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Do {
    /// Start a run.
    Start(Vec<PathBuf>),
    /// Say that a run will follow.
    Queue(Vec<PathBuf>),
    /// Cancel the run; another follows when it has ended.
    Cancel(Vec<PathBuf>),
}

pub(super) struct Pipeline {
    quiet: Quiet,
    filter: Filter,
    decision: Decision,
}

impl Pipeline {
    /// A pipeline whose first run has just begun.
    pub(super) fn new(period: Duration, during_run: DuringRun, watched: Watched) -> Self {
        Self {
            quiet: Quiet::new(period),
            filter: Filter::new(watched),
            decision: Decision::new(during_run),
        }
    }

    /// Paths may have changed.
    pub(super) fn changed(&mut self, paths: Vec<PathBuf>, now: Instant) {
        self.quiet.note(paths, now);
    }

    /// How long until [`tick`](Self::tick) has something to look at.
    pub(super) fn due(&self, now: Instant) -> Option<Duration> {
        self.quiet.due(now)
    }

    /// Looks at a burst that is over.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Do> {
        let changed = self.filter.changed(self.quiet.take(now)?);
        (!changed.is_empty()).then(|| self.decision.changed(changed))
    }

    /// The run ended.
    pub(super) fn ended(&mut self) -> Option<Do> {
        self.decision.ended()
    }

    /// Watches more files from now on.
    pub(super) fn watch_also(&mut self, files: Vec<PathBuf>) {
        let files = files.into_iter().collect();
        self.filter.add(Watched {
            files,
            ..Watched::default()
        });
    }

    pub(super) fn watched(&self) -> &Watched {
        self.filter.watched()
    }

    pub(super) fn running(&self) -> bool {
        self.decision.running()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_save_that_comes_as_many_events_is_one_run() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        std::fs::write(&file, "1").unwrap();
        let watched = Watched {
            files: [file.clone()].into(),
            ..Watched::default()
        };
        let period = Duration::from_millis(100);
        let mut pipeline = Pipeline::new(period, DuringRun::Queue, watched);
        assert_eq!(pipeline.ended(), None);
        let start = Instant::now();
        std::fs::write(&file, "2").unwrap();
        for moment in 0..20 {
            pipeline.changed(
                vec![file.clone()],
                start + Duration::from_millis(5 * moment),
            );
        }
        assert_eq!(pipeline.tick(start + Duration::from_millis(190)), None);
        let later = start + Duration::from_millis(200);
        assert_eq!(pipeline.tick(later), Some(Do::Start(vec![file.clone()])));
        // The run reads the file, which some systems report too.
        pipeline.changed(vec![file.clone()], later);
        assert_eq!(pipeline.tick(later + period), None);
        assert_eq!(pipeline.ended(), None);
    }

    #[test]
    fn a_file_that_a_run_turned_out_to_be_made_of_is_watched() {
        let dir = tempfile::tempdir().unwrap();
        let module = dir.path().join("module.rhai");
        std::fs::write(&module, "1").unwrap();
        let mut pipeline = Pipeline::new(Duration::ZERO, DuringRun::Queue, Watched::default());
        pipeline.watch_also(vec![module.clone()]);
        pipeline.ended();
        std::fs::write(&module, "2").unwrap();
        let now = Instant::now();
        pipeline.changed(vec![module.clone()], now);
        assert_eq!(pipeline.tick(now), Some(Do::Start(vec![module])));
    }
}

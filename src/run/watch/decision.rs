//! What a change does: start a run, or wait for the one that goes on, or end it first.

use std::path::PathBuf;

use super::pipeline::Do;
use crate::workspace::config::DuringRun;

/// Remembers whether a run goes on and what came meanwhile.
#[derive(Debug)]
pub(super) struct Decision {
    during_run: DuringRun,
    running: bool,
    queued: Vec<PathBuf>,
}

impl Decision {
    /// The state at the start of a watch, whose first run has just begun.
    pub(super) fn new(during_run: DuringRun) -> Self {
        Self {
            during_run,
            running: true,
            queued: Vec::new(),
        }
    }

    pub(super) fn running(&self) -> bool {
        self.running
    }

    /// Files changed.
    pub(super) fn changed(&mut self, paths: Vec<PathBuf>) -> Do {
        if !self.running {
            self.running = true;
            return Do::Start(paths);
        }
        // Several changes during one run are one run more.
        self.queued.extend(paths.iter().cloned());
        match self.during_run {
            DuringRun::Queue => Do::Queue(paths),
            DuringRun::Cancel => Do::Cancel(paths),
        }
    }

    /// The run ended.
    pub(super) fn ended(&mut self) -> Option<Do> {
        self.running = false;
        if self.queued.is_empty() {
            return None;
        }
        let mut because = std::mem::take(&mut self.queued);
        because.sort();
        because.dedup();
        self.running = true;
        Some(Do::Start(because))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> Vec<PathBuf> {
        vec![name.into()]
    }

    #[test]
    fn changes_during_a_run_are_one_run_more() {
        let mut decision = Decision::new(DuringRun::Queue);
        assert_eq!(decision.changed(path("a")), Do::Queue(path("a")));
        assert_eq!(decision.changed(path("a")), Do::Queue(path("a")));
        assert_eq!(decision.ended(), Some(Do::Start(path("a"))));
        assert_eq!(decision.ended(), None);
        assert_eq!(decision.changed(path("b")), Do::Start(path("b")));
    }

    #[test]
    fn a_change_can_cancel_the_run() {
        let mut decision = Decision::new(DuringRun::Cancel);
        assert_eq!(decision.changed(path("a")), Do::Cancel(path("a")));
        assert_eq!(decision.ended(), Some(Do::Start(path("a"))));
    }
}

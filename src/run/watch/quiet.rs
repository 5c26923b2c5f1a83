//! Lets a burst of changes end before anything happens.
//!
//! A save is several events, and twenty writes in a tenth of a second come as five batches
//! (rust-dependencies §8), so the period starts anew with each of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Collects changed paths until nothing came for a while.
#[derive(Debug)]
pub(super) struct Quiet {
    period: Duration,
    pending: BTreeSet<PathBuf>,
    last: Option<Instant>,
}

impl Quiet {
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            pending: BTreeSet::new(),
            last: None,
        }
    }

    /// Takes note of changes at `now`.
    pub(super) fn note(&mut self, paths: impl IntoIterator<Item = PathBuf>, now: Instant) {
        let before = self.pending.len();
        let mut any = false;
        for path in paths {
            any = true;
            self.pending.insert(path);
        }
        if any || self.pending.len() > before {
            self.last = Some(now);
        }
    }

    /// How long until the burst counts as over, if there is one.
    pub(super) fn due(&self, now: Instant) -> Option<Duration> {
        self.last
            .map(|last| (last + self.period).saturating_duration_since(now))
    }

    /// The paths of a burst that is over at `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<BTreeSet<PathBuf>> {
        if self.due(now)?.is_zero() {
            self.last = None;
            Some(std::mem::take(&mut self.pending))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_comes_out_once_after_it_ended() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut quiet = Quiet::new(Duration::from_millis(100));
        assert_eq!(quiet.due(start), None);
        for moment in [0, 60, 120, 180] {
            quiet.note([PathBuf::from("a"), PathBuf::from("b")], at(moment));
            assert_eq!(quiet.take(at(moment + 59)), None);
        }
        assert_eq!(quiet.due(at(200)), Some(Duration::from_millis(80)));
        assert_eq!(quiet.take(at(280)).unwrap().len(), 2);
        assert_eq!(quiet.take(at(1000)), None);
    }
}

//! The flag that every wait looks at.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A shared "stop now" flag with an optional deadline.
///
/// Cloning shares the flag. Rhai's own progress callback cannot interrupt a host call, so every
/// primitive that waits calls [`Cancel::wait`] instead of sleeping.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    deadline: Option<Instant>,
}

/// Why work was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cancelled {
    /// Somebody pressed Ctrl-C or cancelled the run.
    #[error("cancelled")]
    ByRequest,
    /// The time limit of the run is over.
    #[error("the time limit is over")]
    ByDeadline,
}

impl Cancel {
    /// A flag that nobody has raised, without a deadline.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks all work that shares this flag to stop, and wakes whoever waits.
    pub fn cancel(&self) {
        self.0
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancelled = true;
        self.0.changed.notify_all();
    }

    /// Sets the moment after which all work must stop.
    pub fn set_deadline(&self, deadline: Instant) {
        self.0
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .deadline = Some(deadline);
        self.0.changed.notify_all();
    }

    /// Returns the reason to stop, if there is one.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.0
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .check()
    }

    /// Waits for `duration`, or less if the flag is raised or the deadline passes meanwhile.
    ///
    /// # Errors
    /// [`Cancelled`] as soon as there is a reason to stop.
    pub fn wait(&self, duration: Duration) -> Result<(), Cancelled> {
        // A wait longer than the clock can count ends by the flag or the deadline alone.
        let until = Instant::now().checked_add(duration);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            state.check()?;
            let now = Instant::now();
            if until.is_some_and(|until| now >= until) {
                return Ok(());
            }
            let wake = until.into_iter().chain(state.deadline).min();
            let pause = wake.map_or(Duration::MAX, |wake| wake.saturating_duration_since(now));
            state = self
                .0
                .changed
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl State {
    fn check(&self) -> Result<(), Cancelled> {
        if self.cancelled {
            Err(Cancelled::ByRequest)
        } else if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            Err(Cancelled::ByDeadline)
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cancel")
            .field(&self.check().is_err())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_once_when_cancelled_from_another_thread() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let started = Instant::now();
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(60)));
        cancel.cancel();
        assert_eq!(waiting.join().unwrap(), Err(Cancelled::ByRequest));
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn the_longest_wait_there_is_ends_too() {
        let cancel = Cancel::new();
        cancel.set_deadline(Instant::now() + Duration::from_millis(20));
        assert_eq!(cancel.wait(Duration::MAX), Err(Cancelled::ByDeadline));
    }

    #[test]
    fn a_deadline_ends_a_wait() {
        let cancel = Cancel::new();
        cancel.set_deadline(Instant::now() + Duration::from_millis(20));
        assert_eq!(
            cancel.wait(Duration::from_secs(60)),
            Err(Cancelled::ByDeadline)
        );
    }
}

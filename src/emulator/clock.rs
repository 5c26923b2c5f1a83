//! The emulated tenant's clock: the system's, or one that tests set by hand.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Tells the emulated services what time it is. Clones share the time.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Mutex<Timestamp>>>);

impl Clock {
    /// The computer's own clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `moment` until [`Clock::advance`] moves it.
    pub fn fixed(moment: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(moment))))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::now(),
            Some(moment) => *moment.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock on by `step`; the system's clock stays as it is. A step beyond the end
    /// of time stops at the last moment that can be written.
    pub fn advance(&self, step: SignedDuration) {
        if let Some(moment) = &self.0 {
            let mut moment = moment.lock().unwrap_or_else(PoisonError::into_inner);
            *moment = moment.checked_add(step).unwrap_or(Timestamp::MAX);
        }
    }
}

/// A moment as the services write it: UTC, whole seconds, `2023-10-17T11:02:55Z`.
pub fn on_the_wire(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second())
        .unwrap_or(moment)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed("2026-02-03T04:05:06.789Z".parse().unwrap());
        let shared = clock.clone();
        assert_eq!(on_the_wire(clock.now()), "2026-02-03T04:05:06Z");
        clock.advance(SignedDuration::from_secs(60));
        assert_eq!(on_the_wire(shared.now()), "2026-02-03T04:06:06Z");
    }
}

//! Waiting for the host: asking again, at first often and then seldom, until it is so, somebody
//! cancels or it takes too long.

use std::time::{Duration, Instant};

use super::BranchError;
use crate::transport::Cancel;

/// How often to ask and how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause before the second question; each pause is longer by half than the one before.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// When to give up.
    pub limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(5),
            limit: Duration::from_secs(60 * 60),
        }
    }
}

impl Pace {
    /// The same pace with another time limit.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Asks until `ask` has an answer.
    ///
    /// # Errors
    /// Those of `ask`, [`BranchError::TooLong`], or the cancellation.
    pub fn until<T>(
        self,
        cancel: &Cancel,
        what: &str,
        mut ask: impl FnMut() -> Result<Option<T>, BranchError>,
    ) -> Result<T, BranchError> {
        let begin = Instant::now();
        let mut pause = self.first;
        loop {
            cancel.check()?;
            if let Some(answer) = ask()? {
                return Ok(answer);
            }
            let left = self.limit.saturating_sub(begin.elapsed());
            if left.is_zero() {
                let (what, seconds) = (what.to_owned(), self.limit.as_secs());
                return Err(BranchError::TooLong { what, seconds });
            }
            cancel.wait(pause.min(left))?;
            pause = (pause * 3 / 2).min(self.longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_answer_the_limit_or_the_cancellation() {
        let pace = Pace {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(2),
            limit: Duration::from_millis(20),
        };
        let cancel = Cancel::new();
        let mut asked = 0;
        let answer = pace.until(&cancel, "it", || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(answer.unwrap(), 3);
        let late = pace.until::<()>(&cancel, "it", || Ok(None));
        assert!(matches!(late, Err(BranchError::TooLong { .. })), "{late:?}");
        cancel.cancel();
        let stopped = pace.until::<()>(&cancel, "it", || panic!("asked after the cancellation"));
        assert!(
            matches!(stopped, Err(BranchError::Transport(_))),
            "{stopped:?}"
        );
    }
}

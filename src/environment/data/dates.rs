//! Dates of configuration data, absolute or moved (Dataverse Web API notes, 7.4 rule 6).

use jiff::{SignedDuration, Timestamp};

use super::package::DateMode;

/// How far the dates of a package move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    since_export: SignedDuration,
}

impl Shift {
    /// The shift for a package exported at `exported` and imported at `now`. A package that does
    /// not tell when it was exported does not move.
    pub(super) fn new(exported: &str, now: Timestamp) -> Self {
        let exported = exported.parse::<Timestamp>().unwrap_or(now);
        Self {
            since_export: now.duration_since(exported),
        }
    }

    /// The date as the Web API takes it. `day` columns take no time.
    ///
    /// # Errors
    /// The reason when `text` is no date.
    pub(super) fn apply(self, text: &str, mode: DateMode, day: bool) -> Result<String, String> {
        let parsed: Timestamp = match text.parse() {
            Ok(time) => time,
            // A day or a time without zone is meant in UTC.
            Err(_) => format!(
                "{}Z",
                if text.contains('T') {
                    text.to_owned()
                } else {
                    format!("{text}T00:00:00")
                }
            )
            .parse()
            .map_err(|_| format!("{text:?} is not a date"))?,
        };
        const DAY: i64 = 86_400;
        let seconds = match mode {
            DateMode::Absolute => 0,
            DateMode::Relative => self.since_export.as_secs(),
            DateMode::RelativeDaily => self.since_export.as_secs().div_euclid(DAY) * DAY,
        };
        let moved = parsed
            .checked_add(SignedDuration::from_secs(seconds))
            .map_err(|_| format!("{text:?} moves out of the calendar"))?;
        let format = if day {
            "%Y-%m-%d"
        } else {
            "%Y-%m-%dT%H:%M:%SZ"
        };
        Ok(moved.strftime(format).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_move_as_asked() {
        let now = "2025-07-01T18:00:00Z".parse().unwrap();
        let shift = Shift::new("2025-06-29T16:00:00.4009413Z", now);
        let text = "2025-01-01T10:00:00.0000000Z";
        assert_eq!(
            shift.apply(text, DateMode::Absolute, false).unwrap(),
            "2025-01-01T10:00:00Z"
        );
        assert_eq!(
            shift.apply(text, DateMode::RelativeDaily, false).unwrap(),
            "2025-01-03T10:00:00Z"
        );
        assert_eq!(
            shift.apply(text, DateMode::Relative, false).unwrap(),
            "2025-01-03T11:59:59Z"
        );
        assert_eq!(
            shift.apply("2025-01-01", DateMode::Absolute, true).unwrap(),
            "2025-01-01"
        );
        assert!(shift.apply("soon", DateMode::Absolute, false).is_err());
    }
}

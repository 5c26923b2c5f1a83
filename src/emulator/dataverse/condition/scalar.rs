//! Values as the database compares them.

use std::cmp::Ordering;

use jiff::{Timestamp, civil};
use serde_json::Value;

use crate::emulator::dataverse::catalogue::ColumnKind;
use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::odata::Literal;

/// How values of a column compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator::dataverse) enum Kind {
    Text,
    Number,
    Boolean,
    Moment,
    Guid,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator::dataverse) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    Moment(Timestamp),
}

impl Kind {
    pub(in crate::emulator::dataverse) fn of(kind: &ColumnKind) -> Self {
        match kind {
            ColumnKind::Text(_)
            | ColumnKind::Memo(_)
            | ColumnKind::MultiChoice(_)
            | ColumnKind::ManagedProperty
            | ColumnKind::Image => Self::Text,
            ColumnKind::Integer
            | ColumnKind::BigInteger
            | ColumnKind::Decimal
            | ColumnKind::Double
            | ColumnKind::Money
            | ColumnKind::Choice(_) => Self::Number,
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::DateTime | ColumnKind::Date => Self::Moment,
            ColumnKind::Guid | ColumnKind::Lookup(_) | ColumnKind::File => Self::Guid,
        }
    }

    fn edm(self) -> &'static str {
        match self {
            Self::Text => "Edm.String",
            Self::Number => "Edm.Int32",
            Self::Boolean => "Edm.Boolean",
            Self::Moment => "Edm.DateTimeOffset",
            Self::Guid => "Edm.Guid",
        }
    }
}

impl Scalar {
    /// A stored value of a column of this kind.
    pub(in crate::emulator::dataverse) fn of(value: &Value, kind: Kind) -> Self {
        match (value, kind) {
            (Value::Bool(value), _) => Self::Boolean(*value),
            (Value::Number(number), _) => match number.as_i64() {
                Some(value) => Self::Integer(value),
                None => number.as_f64().map_or(Self::Null, Self::Number),
            },
            (Value::String(text), Kind::Moment) => {
                moment(text).map_or_else(|| Self::Text(text.clone()), Self::Moment)
            }
            (Value::String(text), Kind::Guid) => Self::Text(text.to_lowercase()),
            (Value::String(text), _) => Self::Text(text.clone()),
            (Value::Null | Value::Array(_) | Value::Object(_), _) => Self::Null,
        }
    }

    /// A fixed value in the form that a column of this kind compares with.
    ///
    /// # Errors
    /// `400` when the two cannot be compared.
    pub(in crate::emulator::dataverse) fn literal(
        literal: &Literal,
        kind: Kind,
    ) -> Result<Self, ServiceError> {
        let found = match (literal, kind) {
            (Literal::Null, _) => return Ok(Self::Null),
            (Literal::Boolean(value), Kind::Boolean) => return Ok(Self::Boolean(*value)),
            (Literal::Integer(value), Kind::Number) => return Ok(Self::Integer(*value)),
            (Literal::Number(value), Kind::Number) => return Ok(Self::Number(*value)),
            // Clients quote guids or leave the quotes of texts away; the service takes both.
            (Literal::Text(text) | Literal::Guid(text), Kind::Guid) => {
                return Ok(Self::Text(text.trim_matches(['{', '}']).to_lowercase()));
            }
            (Literal::Text(text) | Literal::Guid(text), Kind::Text) => {
                return Ok(Self::Text(text.clone()));
            }
            (Literal::Date(text) | Literal::Text(text), Kind::Moment) => {
                return moment(text).map(Self::Moment).ok_or_else(|| {
                    ServiceError::bad_query(format!("'{text}' is not a date and time."))
                });
            }
            // A number in quotes stands for itself where numbers are compared.
            (Literal::Text(text), Kind::Number) => match text.parse() {
                Ok(value) => return Ok(Self::Integer(value)),
                Err(_) => "Edm.String",
            },
            (Literal::Integer(_), _) => "Edm.Int32",
            (Literal::Number(_), _) => "Edm.Double",
            (Literal::Boolean(_), _) => "Edm.Boolean",
            (Literal::Guid(_), _) => "Edm.Guid",
            (Literal::Date(_), _) => "Edm.Date",
            (Literal::Text(_), _) => "Edm.String",
            (Literal::List(_), _) => "Collection(Edm.String)",
        };
        Err(ServiceError::bad_query(format!(
            "A binary operator with incompatible types was detected. Found operand types '{}' and \
             '{found}' for operator kind 'Equal'.",
            kind.edm()
        )))
    }

    /// How the two stand to each other; two nulls are equal, one is not comparable.
    pub(in crate::emulator::dataverse) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (Self::Boolean(left), Self::Boolean(right)) => Some(left.cmp(right)),
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            (Self::Moment(left), Self::Moment(right)) => Some(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => {
                if left == right {
                    return Some(Ordering::Equal);
                }
                Some(left.to_lowercase().cmp(&right.to_lowercase()))
            }
            (left, right) => left.number()?.partial_cmp(&right.number()?),
        }
    }

    /// The order in which rows are sorted: null first.
    pub(in crate::emulator::dataverse) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (left, right) => left.compare(right).unwrap_or(Ordering::Equal),
        }
    }

    /// The value as a number.
    pub(in crate::emulator::dataverse) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }
}

/// A moment, or the start of a day in UTC.
pub(in crate::emulator::dataverse) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    if let Ok(day) = text.parse::<civil::Date>()
        && text.len() == 10
    {
        return day
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|it| it.timestamp());
    }
    // Without a zone it is UTC.
    let local: civil::DateTime = text.parse().ok()?;
    local
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|it| it.timestamp())
}

/// Whether `text` fits `pattern` with SQL's wildcards `%`, `_`, `[abc]`, `[^abc]`; letter case does
/// not matter. Takes at most as many steps as both lengths multiplied.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let parts = pattern_parts(&pattern.to_lowercase());
    let (mut at, mut part) = (0, 0);
    // Where to go on when a later part does not fit: the last `%`, and how much it has taken.
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                again = Some((part, at));
                part += 1;
            }
            Some(fitting) if fitting.fits(text[at]) => {
                at += 1;
                part += 1;
            }
            _ => match again {
                Some((wild, taken)) => {
                    again = Some((wild, taken + 1));
                    (part, at) = (wild + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| matches!(part, Part::Any))
}

enum Part {
    Any,
    One,
    Exactly(char),
    Set(Vec<(char, char)>, bool),
}

impl Part {
    fn fits(&self, it: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Exactly(wanted) => *wanted == it,
            Self::Set(ranges, negated) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&it)) != *negated
            }
        }
    }
}

fn pattern_parts(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(it) = chars.next() {
        parts.push(match it {
            '%' => Part::Any,
            '_' => Part::One,
            '[' => match chars.as_str().split_once(']') {
                Some((inside, rest)) if !inside.is_empty() => {
                    chars = rest.chars();
                    set(inside)
                }
                _ => Part::Exactly('['),
            },
            other => Part::Exactly(other),
        });
    }
    parts
}

fn set(inside: &str) -> Part {
    let (inside, negated) = match inside.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (inside, false),
    };
    let chars: Vec<char> = inside.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars.get(at + 1) == Some(&'-')
            && let Some(to) = chars.get(at + 2)
        {
            ranges.push((chars[at], *to));
            at += 3;
        } else {
            ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    Part::Set(ranges, negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_work_as_in_sql() {
        for (text, pattern, fits) in [
            ("Contoso Ltd", "%contoso%", true),
            ("Contoso", "c_ntoso", true),
            ("Contoso", "c_toso", false),
            ("abc", "a[a-c]c", true),
            ("abc", "a[^b]c", false),
            ("50%", "%[%]", true),
            ("", "%", true),
            ("aaab", "%a%b", true),
            ("[x", "[x", true),
        ] {
            assert_eq!(like(text, pattern), fits, "{text} like {pattern}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends_soon() {
        let text = "a".repeat(5_000);
        assert!(!like(&text, &("%a".repeat(200) + "b")));
    }

    #[test]
    fn texts_are_equal_whatever_their_letter_case() {
        let (left, right) = (Scalar::Text("ÄB".into()), Scalar::Text("äb".into()));
        assert_eq!(left.compare(&right), Some(Ordering::Equal));
        assert_eq!(left.compare(&Scalar::Null), None);
    }
}

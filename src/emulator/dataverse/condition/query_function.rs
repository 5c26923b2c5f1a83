//! The query functions `Microsoft.Dynamics.CRM.…` of `$filter`: sets, ranges, times, the caller.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::scalar::{Scalar, moment};
use crate::emulator::dataverse::failure::ServiceError;
use crate::emulator::dataverse::odata::{Argument, Expression};
use crate::emulator::dataverse::reader::Reader;
use crate::emulator::dataverse::row;

/// A condition on one column's value.
#[derive(Debug)]
pub(in crate::emulator::dataverse) enum Test {
    /// Its text is one of these, or with `true` none.
    In(Vec<String>, bool),
    /// It lies between these, or with `true` outside.
    Between(String, String, bool),
    /// It contains one of these choices, or with `true` none.
    Contains(Vec<String>, bool),
    /// It lies in this stretch of time; an open end has no limit.
    Within(Option<Timestamp>, Option<Timestamp>),
    /// It is the caller's id, or with `true` it is not.
    Caller(bool),
    /// It is the id of the caller's business unit, or with `true` it is not.
    CallerUnit(bool),
}

/// Reads the call of a query function: the property's path and what is asked of it.
///
/// # Errors
/// `400` for missing arguments, `501` for functions that are not emulated.
pub(super) fn read(
    name: &str,
    arguments: &[Argument],
    now: Timestamp,
) -> Result<(Vec<String>, Test), ServiceError> {
    let value = |wanted: &str| {
        let argument = arguments
            .iter()
            .find(|it| it.name.as_deref() == Some(wanted))?;
        match &argument.value {
            Expression::Literal(literal) => Some(literal.to_json()),
            Expression::Property(path) => Some(path.join("/").into()),
            _ => None,
        }
    };
    let missing = |what: &str| {
        ServiceError::bad_query(format!(
            "The query function '{name}' needs the argument '{what}'."
        ))
    };
    let property = value("PropertyName").ok_or_else(|| missing("PropertyName"))?;
    let property = text(&property);
    let path: Vec<String> = property.split('/').map(str::to_owned).collect();
    let values = || match value("PropertyValues") {
        Some(Value::Array(values)) => Ok(values.iter().map(text).collect::<Vec<_>>()),
        Some(other) => Ok(vec![text(&other)]),
        None => Err(missing("PropertyValues")),
    };
    let one = || value("PropertyValue").ok_or_else(|| missing("PropertyValue"));
    let at = || {
        let given = text(&one()?);
        moment(&given).ok_or_else(|| ServiceError::bad_query(format!("'{given}' is not a date.")))
    };
    let count = || {
        let given = text(&one()?);
        given
            .parse::<i32>()
            .map(i64::from)
            .map_err(|_| ServiceError::bad_query(format!("'{given}' is not a whole number.")))
    };
    let between = |negated| {
        let values = values()?;
        let [from, to] = &values[..] else {
            return Err(missing("PropertyValues"));
        };
        Ok(Test::Between(from.clone(), to.clone(), negated))
    };
    let test = match name {
        "In" => Test::In(values()?, false),
        "NotIn" => Test::In(values()?, true),
        "Between" => between(false)?,
        "NotBetween" => between(true)?,
        "ContainValues" => Test::Contains(values()?, false),
        "DoesNotContainValues" => Test::Contains(values()?, true),
        "EqualUserId" => Test::Caller(false),
        "NotEqualUserId" => Test::Caller(true),
        "EqualBusinessId" => Test::CallerUnit(false),
        "NotEqualBusinessId" => Test::CallerUnit(true),
        "On" => day(at()?, 0, 1),
        "OnOrAfter" => Test::Within(Some(at()?), None),
        "OnOrBefore" => match day(at()?, 0, 1) {
            Test::Within(_, to) => Test::Within(None, to),
            other => other,
        },
        "Today" => day(now, 0, 1),
        "Yesterday" => day(now, -1, 1),
        "Tomorrow" => day(now, 1, 1),
        "Last7Days" => day(now, -7, 8),
        "LastXDays" => day(now, -count()?, count()? + 1),
        "NextXDays" => day(now, 0, count()? + 1),
        "OlderThanXDays" => match day(now, -count()?, 1) {
            Test::Within(from, _) => Test::Within(None, from),
            other => other,
        },
        "LastXHours" => Test::Within(Some(shift(now, -count()?, 3_600)), Some(now)),
        "NextXHours" => Test::Within(Some(now), Some(shift(now, count()?, 3_600))),
        "OlderThanXHours" => Test::Within(None, Some(shift(now, -count()?, 3_600))),
        "OlderThanXMinutes" => Test::Within(None, Some(shift(now, -count()?, 60))),
        other => {
            return Err(ServiceError::not_emulated(format_args!(
                "the query function {other}"
            )));
        }
    };
    Ok((path, test))
}

impl Test {
    pub(super) fn passes(
        &self,
        reader: &Reader<'_, '_>,
        value: &Scalar,
    ) -> Result<bool, ServiceError> {
        let same = |wanted: &String| match value {
            Scalar::Text(text) => text.to_lowercase() == wanted.to_lowercase(),
            Scalar::Integer(number) => number.to_string() == *wanted,
            Scalar::Number(number) => wanted.parse() == Ok(*number),
            Scalar::Boolean(flag) => flag.to_string() == *wanted,
            Scalar::Moment(it) => moment(wanted) == Some(*it),
            Scalar::Null => false,
        };
        Ok(match self {
            Self::In(values, negated) => values.iter().any(same) != *negated,
            Self::Between(from, to, negated) => {
                let inside = match value {
                    Scalar::Moment(it) => {
                        moment(from).is_some_and(|from| from <= *it)
                            && moment(to).is_some_and(|to| *it <= to)
                    }
                    Scalar::Text(text) => (from..=to).contains(&text),
                    other => match (other.number(), from.parse(), to.parse()) {
                        (Some(it), Ok(from), Ok(to)) => (from..=to).contains(&it),
                        _ => false,
                    },
                };
                inside != *negated
            }
            Self::Contains(values, negated) => {
                let chosen = match value {
                    Scalar::Text(text) => text.split(',').any(|it| values.iter().any(|v| v == it)),
                    other => matches!(other, Scalar::Integer(_)) && values.iter().any(same),
                };
                chosen != *negated
            }
            Self::Within(from, to) => match value {
                Scalar::Moment(it) => {
                    from.is_none_or(|from| from <= *it) && to.is_none_or(|to| *it < to)
                }
                _ => false,
            },
            Self::Caller(negated) => same(&reader.session.user.to_string()) != *negated,
            Self::CallerUnit(negated) => {
                let user = reader.session.row("systemuser", reader.session.user)?;
                let unit = user
                    .as_ref()
                    .and_then(|user| row::text(user, "_businessunitid_value"));
                unit.is_some_and(|unit| same(&unit.to_owned())) != *negated
            }
        })
    }
}

/// The stretch of `length` days that begins `offset` days after the day of `moment`, in UTC.
fn day(moment: Timestamp, offset: i64, length: i64) -> Test {
    let midnight = moment
        .to_zoned(TimeZone::UTC)
        .date()
        .to_zoned(TimeZone::UTC);
    let today = midnight.map_or(moment, |midnight| midnight.timestamp());
    let start = |days| Some(shift(today, days, 86_400));
    Test::Within(start(offset), start(offset.saturating_add(length)))
}

/// `moment` and `count` times `seconds`; what is beyond the calendar is its first or last moment.
fn shift(moment: Timestamp, count: i64, seconds: i64) -> Timestamp {
    // In whole numbers: jiff panics on some durations that are longer than its calendar.
    let then = moment
        .as_second()
        .saturating_add(count.saturating_mul(seconds));
    if then <= Timestamp::MIN.as_second() {
        return Timestamp::MIN;
    }
    if then >= Timestamp::MAX.as_second() {
        return Timestamp::MAX;
    }
    Timestamp::new(then, moment.subsec_nanosecond()).unwrap_or(moment)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

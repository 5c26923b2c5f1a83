//! From the text of `data.xml` to the JSON of the Web API, and comparing it with what is there.

use serde_json::{Number, Value};

use super::dates::Shift;
use super::package::FieldSchema;

/// The JSON value for a plain column (not a lookup, owner, state or file). `None` for a type that
/// has no place in a row's body.
///
/// # Errors
/// The reason when the text does not fit the type.
pub(super) fn to_json(
    schema: &FieldSchema,
    text: &str,
    shift: Shift,
    day: bool,
) -> Result<Option<Value>, String> {
    if text.is_empty() && schema.kind != "string" {
        return Ok(Some(Value::Null));
    }
    let number = |text: &str| {
        let parsed = text
            .parse::<Number>()
            .map_err(|_| format!("{text:?} is not a number"));
        parsed.map(Value::Number)
    };
    Ok(Some(match schema.kind.as_str() {
        "bool" => match text {
            "true" | "True" | "1" => true.into(),
            "false" | "False" | "0" => false.into(),
            other => return Err(format!("{other:?} is neither true nor false")),
        },
        "number" | "bigint" | "optionsetvalue" => text
            .parse::<i64>()
            .map_err(|_| format!("{text:?} is not a whole number"))?
            .into(),
        "decimal" | "float" | "money" => number(text)?,
        "datetime" => shift.apply(text, schema.dates, day)?.into(),
        "optionsetvaluecollection" => choices(text)?,
        "string" | "guid" | "imagedata" => text.into(),
        _ => return Ok(None),
    }))
}

/// `[-1,1,2,-1]` → `"1,2"`; the ends are marks.
fn choices(text: &str) -> Result<Value, String> {
    let mut chosen = Vec::new();
    for part in text
        .trim_matches(['[', ']'])
        .split(',')
        .map(str::trim)
        .filter(|p| !p.is_empty())
    {
        let value: i64 = part
            .parse()
            .map_err(|_| format!("{part:?} is not a choice"))?;
        if value != -1 {
            chosen.push(value.to_string());
        }
    }
    Ok(if chosen.is_empty() {
        Value::Null
    } else {
        chosen.join(",").into()
    })
}

/// Whether a column has this value already, as far as Dataverse distinguishes.
pub(super) fn is_same(present: &Value, wanted: &Value) -> bool {
    match (present, wanted) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Null, Value::String(text)) => text.is_empty(),
        (Value::String(a), Value::String(b)) => a == b || (is_guid(a) && a.eq_ignore_ascii_case(b)),
        (a, b) => a == b,
    }
}

fn is_guid(text: &str) -> bool {
    text.parse::<uuid::Uuid>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::package::DateMode;
    use super::*;

    fn read(kind: &str, text: &str) -> Result<Option<Value>, String> {
        let schema = FieldSchema {
            name: "x".into(),
            kind: kind.into(),
            compare: false,
            dates: DateMode::Absolute,
        };
        to_json(
            &schema,
            text,
            Shift::new("", jiff::Timestamp::UNIX_EPOCH),
            false,
        )
    }

    #[test]
    fn every_type_becomes_its_json() {
        let cases = [
            ("bool", "True", json!(true)),
            ("bool", "0", json!(false)),
            ("number", "-12", json!(-12)),
            ("money", "12.5000000000", json!(12.5)),
            ("optionsetvalue", "100000001", json!(100_000_001)),
            (
                "optionsetvaluecollection",
                "[-1,100000000,7,-1]",
                json!("100000000,7"),
            ),
            ("string", "", json!("")),
            ("number", "", Value::Null),
            (
                "datetime",
                "2025-06-28T19:06:20.0000000Z",
                json!("2025-06-28T19:06:20Z"),
            ),
        ];
        for (kind, text, expected) in cases {
            let value = read(kind, text).unwrap().unwrap();
            assert!(is_same(&value, &expected), "{kind} {text}: {value}");
        }
        assert_eq!(read("partylist", "x").unwrap(), None);
        assert!(read("bool", "TRUE").is_err());
        assert!(read("number", "1.5").is_err());
    }
}

//! Queries, values in them, and rows.

use almscript::emulator::dataverse::odata::{self, Parameter, Query as Read};
use almscript::environment::odata::{Addresses, Filter, Key, Literal, Query};
use almscript::transport::{Service, StatusCode, Url};
use serde_json::{Value, json};

use super::requests::{check, split};
use super::tenants::{DEV, Visit, with_tenant};

/// What separates the parts of an input: a query, a value, a row, all of which may be missing.
const NEXT: &[u8] = b"\n%%%\n";

/// A query is answered or refused, a value comes back out of the address that it was put into, and
/// a row that was taken is found by its text and reads as it was written.
pub fn queries(data: &[u8]) {
    let mut parts = split(data, NEXT).map(String::from_utf8_lossy);
    let query = parts.next().unwrap_or_default();
    let value = parts.next().unwrap_or_default();
    let row = parts.next().unwrap_or_default();
    parse(&query);
    come_back(&Literal::Text(value.to_string()), &json!(value));
    if let Ok(number) = value.parse::<i64>() {
        come_back(&Literal::Integer(number), &json!(number));
    }
    with_tenant(|visit| {
        ask(visit, &query);
        keep(visit, &value);
        write(visit, &row);
    });
}

/// Every reader of the language gets the text.
fn parse(query: &str) {
    let pairs: Vec<(String, String)> = Url::parse(&format!("https://{DEV}/?{query}"))
        .map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default();
    let _ = Read::parse(&pairs);
    for text in pairs.iter().map(|(_, value)| value.as_str()).chain([query]) {
        let _ = odata::filter(text, &pairs);
        let _ = odata::parameters(text, &pairs);
        let _ = odata::segments(text);
    }
}

/// A value is what it was after a filter, a key and a function's argument.
fn come_back(value: &Literal, expected: &Value) {
    let root = format!("https://{DEV}/api/data/v9.2/");
    let addresses = Addresses::new(root.parse().expect("an address"));
    let filter = Filter::equals("name", value.clone()).expect("a column");
    let url = addresses.rows("accounts", &Query::new().filter(filter));
    let read = Read::parse(&pairs(&url.expect("an address"))).expect("a query that was built");
    let demanded = read.filter.and_then(|filter| filter.demanded("name"));
    let text = expected
        .as_str()
        .map_or_else(|| expected.to_string(), str::to_owned);
    assert_eq!(demanded.as_ref(), Some(&text), "the value of a filter");

    let key = Key::Alternate(vec![("name".to_owned(), value.clone())]);
    let url = addresses.row("accounts", &key, &Query::new());
    assert_eq!(argument(&url.expect("an address")), *expected, "a key");
    let url = addresses.function("F", &[("name", value.clone())]);
    assert_eq!(
        argument(&url.expect("an address")),
        *expected,
        "an argument"
    );
}

/// The value of the one argument in an address.
fn argument(url: &Url) -> Value {
    let path = url.path().strip_prefix("/api/data/v9.2/");
    let segments = odata::segments(path.expect("below the root")).expect("an address");
    let [segment] = &segments[..] else {
        panic!("{url} is one segment: {segments:?}");
    };
    let text = segment.arguments.as_deref().expect("an argument");
    let found = odata::parameters(text, &pairs(url)).expect("arguments that were built");
    let [Parameter { name, value, .. }] = &found[..] else {
        panic!("{url} has one argument: {found:?}");
    };
    assert_eq!(name.as_deref(), Some("name"), "{url}");
    value.clone()
}

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

/// What the tenant says to a query of each kind of set.
fn ask(visit: &Visit<'_>, query: &str) {
    let query = query.replace(['\r', '\n'], " ");
    for set in ["accounts", "workflows", "EntityDefinitions"] {
        let text = format!("GET /api/data/v9.2/{set}?{query}");
        if let Some(request) = visit.request(text.as_bytes()) {
            check(&text, &visit.tenant.answer(request));
        }
    }
}

/// A text that a row takes comes back with it, and finds it.
fn keep(visit: &Visit<'_>, value: &str) {
    let environment = visit.environment();
    let Ok(id) = environment.create_row("accounts", &json!({ "description": value })) else {
        return;
    };
    let accounts = environment.row("accounts", &Key::Id(id), &Query::new());
    let row = accounts.expect("an answer").expect("the row");
    assert_eq!(row["description"], value, "the text of a row changes");
    let filter = Filter::equals("description", value).expect("a column");
    let found = environment.rows("accounts", &Query::new().filter(filter));
    let found = found.expect("an answer");
    let same = |row: &serde_json::Map<String, Value>| row["accountid"] == json!(id);
    assert!(found.iter().any(same), "{value:?} does not find its row");
}

/// Whatever is sent as a row is taken or refused; what is taken can be changed to itself.
fn write(visit: &Visit<'_>, body: &str) {
    let at = "POST /api/data/v9.2/accounts\nContent-Type: application/json\nPrefer: return=representation";
    let Some(request) = visit.request(format!("{at}\n\n{body}").as_bytes()) else {
        return;
    };
    let response = visit.tenant.answer(request);
    check(body, &response);
    if response.status != StatusCode::CREATED {
        return;
    }
    let row: Value = response.to_json().expect("a row");
    let id = row["accountid"].as_str().expect("an id");
    let target = format!("/api/data/v9.2/accounts({id})");
    for head in [format!("PATCH {target}"), format!("DELETE {target}")] {
        let text = format!("{head}\nContent-Type: application/json\n\n{body}");
        let request = visit.request(text.as_bytes()).expect("a request");
        check(&text, &visit.tenant.answer(request));
    }
}

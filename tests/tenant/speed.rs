//! Large tables stay usable.

use std::time::{Duration, Instant};

use crate::tenant::Fixture;
use serde_json::{Value, json};

#[test]
fn ten_thousand_rows_are_filtered_in_less_than_a_second() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    for batch in 0..10 {
        let targets: Vec<Value> = (0..1_000)
            .map(|n| json!({ "name": format!("Account {batch}-{n}"), "numberofemployees": n }))
            .collect();
        let path = "accounts/Microsoft.Dynamics.CRM.CreateMultiple";
        assert_eq!(client.post(path, json!({ "Targets": targets })).status, 200);
    }
    let started = Instant::now();
    let rows = client.rows("accounts?$select=name&$filter=contains(name,'7-') and numberofemployees lt 5&$orderby=name desc");
    let took = started.elapsed();
    assert_eq!(rows.len(), 5);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

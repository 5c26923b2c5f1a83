//! Faults on purpose.

use crate::tenant::{DEV, Fixture};
use almscript::emulator::fault::{Fault, FaultAction, FaultPattern};
use almscript::transport::Service;
use serde_json::json;

fn on(path: &str) -> FaultPattern {
    FaultPattern {
        path: Some(path.into()),
        ..FaultPattern::default()
    }
}

#[test]
fn the_nth_matching_call_fails_and_the_next_does_not() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let action = FaultAction::Status {
        status: 429,
        code: "0x80072322".into(),
        message: "slow down".into(),
        retry_after: Some(7),
    };
    fixture
        .tenant
        .inject(Fault {
            on: on("/WhoAmI"),
            at: 2,
            times: 2,
            action,
        })
        .unwrap();
    assert_eq!(client.send("GET", "WhoAmI", None, &[]).status, 200);
    assert_eq!(client.send("GET", "accounts", None, &[]).status, 200);
    let refused = client.send("GET", "WhoAmI", None, &[]);
    assert_eq!(
        refused.refusal(429),
        ("0x80072322".into(), "slow down".into())
    );
    assert_eq!(refused.header("retry-after"), "7");
    assert_eq!(client.send("GET", "WhoAmI", None, &[]).status, 429);
    assert_eq!(client.send("GET", "WhoAmI", None, &[]).status, 200);
}

#[test]
fn a_broken_connection_may_have_had_its_effect() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    for (after_effect, rows) in [(false, 0), (true, 1)] {
        let on = FaultPattern {
            method: Some("POST".into()),
            ..on("/accounts")
        };
        let action = FaultAction::Drop { after_effect };
        fixture
            .tenant
            .inject(Fault {
                on,
                at: 1,
                times: 1,
                action,
            })
            .unwrap();
        let answer = client.post("accounts", json!({ "name": "A" }));
        assert!(
            answer
                .raw
                .headers
                .contains_key(almscript::transport::DROPPED)
        );
        assert_eq!(client.rows("accounts").len(), rows, "{after_effect}");
    }
}

#[test]
fn faults_are_kept_with_the_tenant_and_can_be_taken_away() {
    let fixture = Fixture::new();
    let action = FaultAction::Delay { milliseconds: 1 };
    let json = serde_json::to_value(Fault {
        on: on("x"),
        at: 1,
        times: 1,
        action: action.clone(),
    })
    .unwrap();
    let read: Fault = serde_json::from_value(json).unwrap();
    assert_eq!(read.action, action);
    let status = FaultAction::Status {
        status: 500,
        code: String::new(),
        message: String::new(),
        retry_after: None,
    };
    fixture
        .tenant
        .inject(Fault {
            on: FaultPattern::default(),
            at: 1,
            times: 1,
            action: status,
        })
        .unwrap();
    let other = almscript::emulator::Tenant::open(fixture.folder.path()).unwrap();
    other.clear_faults().unwrap();
    let url = format!("{DEV}/api/data/v9.2/WhoAmI");
    let request =
        almscript::transport::Request::new(almscript::transport::Method::GET, url.parse().unwrap());
    assert_eq!(fixture.tenant.answer(request).status, 401);
}

//! `$batch`.

use crate::tenant::{Answer, Client, DEV, Fixture};
use serde_json::json;

fn send(client: &Client<'_>, body: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("content-type", "multipart/mixed; boundary=\"b1\"")];
    all.extend(headers);
    client.raw("$batch", "POST", body.as_bytes(), &all)
}

fn part(request: &str) -> String {
    format!(
        "--b1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request}\r\n"
    )
}

fn change(id: u32, request: &str) -> String {
    format!(
        "--c1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\n{request}\r\n"
    )
}

fn change_set(changes: &[String]) -> String {
    format!(
        "--b1\r\nContent-Type: multipart/mixed;boundary=c1\r\n\r\n{}--c1--\r\n",
        changes.concat()
    )
}

#[test]
fn requests_of_every_form_of_address_are_answered_in_order() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let body = [
        part(&format!("POST {DEV}/api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"A\"}}")),
        part("GET /api/data/v9.2/accounts?$select=name HTTP/1.1\r\nAccept: application/json\r\n"),
        part("GET accounts/$count HTTP/1.1\r\n"),
        "--b1--\r\n".into(),
    ]
    .concat();
    for text in [body.clone(), body.replace("\r\n", "\n")] {
        let answer = send(&client, &text, &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            answer
                .header("content-type")
                .starts_with("multipart/mixed; boundary=batchresponse_")
        );
        let text = answer.text();
        assert!(
            text.contains("HTTP/1.1 204 No Content\r\n") && text.contains("OData-EntityId: "),
            "{text}"
        );
        assert!(text.contains("\"name\":\"A\""), "{text}");
    }
    assert_eq!(client.rows("accounts").len(), 2);
}

#[test]
fn a_change_set_refers_to_what_it_made_and_happens_whole() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let set = change_set(&[
        change(1, "POST /api/data/v9.2/contacts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"lastname\":\"$5\"}"),
        change(2, "POST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"name\":\"A\",\"primarycontactid@odata.bind\":\"$1\"}"),
        change(3, "PATCH $2 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"description\":\"d\"}"),
    ])
    .replace("\"$5\"", "\"x\"");
    let answer = send(&client, &(set + "--b1--\r\n"), &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer.text().contains("changesetresponse_") && answer.text().contains("Content-ID: 2")
    );
    let row = client
        .rows("accounts?$select=name,description&$expand=primarycontactid($select=lastname)")
        .remove(0);
    assert_eq!(row["primarycontactid"]["lastname"], "x");
    assert_eq!(row["description"], "d");
    let set = change_set(&[
        change(1, "POST accounts HTTP/1.1\r\n\r\n{\"name\":\"B\"}"),
        change(2, "POST accounts HTTP/1.1\r\n\r\n{\"name\":7}"),
    ]);
    let answer = send(&client, &(set + "--b1--\r\n"), &[]);
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(client.rows("accounts").len(), 1);
    let set = change_set(&[change(1, "PATCH $9 HTTP/1.1\r\n\r\n{}")]);
    let answer = send(&client, &(set + "--b1--\r\n"), &[]);
    assert!(
        answer
            .text()
            .contains("Content-ID Reference: '$9' does not exist in the batch context.")
    );
}

#[test]
fn an_error_ends_a_batch_unless_it_shall_go_on() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let body = [
        part("POST accounts HTTP/1.1\r\n\r\n{\"name\":\"A\"}"),
        part("GET nothings HTTP/1.1\r\n"),
        part("POST accounts HTTP/1.1\r\n\r\n{\"name\":\"B\"}"),
        "--b1--\r\n".into(),
    ]
    .concat();
    let stopped = send(&client, &body, &[]);
    assert_eq!(stopped.status, 404);
    assert_eq!(stopped.text().matches("HTTP/1.1 ").count(), 2);
    assert_eq!(client.rows("accounts").len(), 1);
    let whole = send(&client, &body, &[("prefer", "odata.continue-on-error")]);
    assert_eq!(whole.status, 200);
    assert_eq!(whole.text().matches("HTTP/1.1 ").count(), 3);
    assert_eq!(client.rows("accounts").len(), 3);
}

#[test]
fn a_batch_that_is_none_gets_a_plain_error() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let answer = client.post("$batch", json!({}));
    assert_eq!(answer.status, 400);
    let nested = part("POST /api/data/v9.2/$batch HTTP/1.1\r\n") + "--b1--";
    assert!(
        send(&client, &nested, &[]).body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("batch")
    );
}

#[test]
fn a_malformed_batch_is_refused_whole_and_nothing_of_it_is_done() {
    let fixture = Fixture::new();
    let client = fixture.dev();
    let create = part("POST accounts HTTP/1.1\r\n\r\n{\"name\":\"A\"}");
    let change = change_set(&[change(1, "POST accounts HTTP/1.1\r\n\r\n{\"name\":\"A\"}")]);
    for body in [
        // Nothing that ends the batch, or its change set: something was lost under way.
        String::new(),
        "hello".into(),
        create.clone(),
        format!("{create}--b1"),
        format!("{}--b1--", change.replace("--c1--", "")),
        format!("{}--b1--", change.replace("boundary=c1", "boundary=c2")),
        // Parts of the wrong kind, or of none.
        format!(
            "{create}{}--b1--",
            create.replace("application/http", "text/plain")
        ),
        format!(
            "{create}{}--b1--",
            create.replace("Content-Type: application/http\r\n", "")
        ),
        format!("{create}{}--b1--", part("accounts")),
        format!("{create}{}--b1--", part("GET accounts")),
        format!("{create}{}--b1--", part("GET accounts FTP/1.1")),
        format!("{create}{}--b1--", part("GET accounts HTTP/1.1 more")),
        format!(
            "{create}{}--b1--",
            part("GET accounts HTTP/1.1\r\nA b: c\r\n")
        ),
    ] {
        let answer = send(&client, &body, &[]);
        assert_eq!(answer.status, 400, "{body}\n{}", answer.text());
        assert!(answer.body["error"]["message"].is_string(), "{body}");
    }
    let mut bytes = format!("{create}--b1--").into_bytes();
    bytes.insert(3, 0xff);
    let kind = [("content-type", "multipart/mixed; boundary=b1")];
    assert_eq!(client.raw("$batch", "POST", &bytes, &kind).status, 400);
    assert_eq!(client.rows("accounts").len(), 0);
}

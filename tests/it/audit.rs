//! Fetches leave a record of what was told to whom, where it is wanted: ids, and never a text.

use crate::support::{Door as _, Home, Server, contents, ids, items, until};
use serde_json::{Value, json};

const STREAM: &str = "SYNAP_AUDIT";

fn whose(more: &Value) -> Value {
    ids(Some("acme"), Some("al"), more)
}

fn ask(server: &Server, more: &Value) -> Value {
    let mut body = json!({"search_query": ["the secret harbour"], "response_shape": "ranked"});
    let fields = body.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    server.http().fetch(&whose(&body)).ok()
}

#[test]
fn fetches_are_recorded_by_ids_and_without_texts() {
    let home = Home::new();
    let server = home.serve().config("[audit]\nfetches = 1\n").start();
    let text = json!({"document": "The harbour opens at nine.", "document_type": "document"});
    let receipt = server.http().store(&whose(&text));
    let found = ask(&server, &json!({}));
    assert_eq!(contents(&found), ["The harbour opens at nine."]);
    ask(&server, &json!({"as_of": receipt["position"]}));
    let nats = server.nats();
    let ranked = json!({"response_shape": "ranked"});
    assert_eq!(items(&nats.fetch(&whose(&ranked)).ok()).len(), 1);
    let bad = json!({"max_results": 0});
    server.http().fetch(&whose(&bad)).refused(400);
    until("three fetches are recorded", || nats.count(STREAM) == 3);
    let records: Vec<Value> = nats
        .messages(STREAM)
        .iter()
        .map(|record| serde_json::from_slice(&record.payload).expect("JSON"))
        .collect();
    let id = &items(&found)[0]["id"];
    for record in &records {
        assert_eq!(record["memories"], json!([id]));
        assert_eq!(record["scope"], "user");
        assert_eq!(
            record["scope_path"],
            json!({"customer": "acme", "user": "al"})
        );
        assert_eq!(record["client_id"], "cli_0000000000000001");
        assert!(
            record["key_id"]
                .as_str()
                .is_some_and(|key| key.starts_with("key_"))
        );
        assert!(record["time"].is_string() && record["stale"] == false);
        let said = record.to_string();
        assert!(
            !said.contains("harbour") && !said.contains("nine"),
            "{said}"
        );
    }
    assert_eq!(records[1]["as_of"], receipt["position"]);
    // The age can be changed later.
    assert!(server.terminate().success());
    let server = home
        .serve()
        .config("[audit]\nfetches = 1\nmax_age = '1s'\n")
        .start();
    until("records go when they are old", || {
        server.nats().count(STREAM) == 0
    });
}

#[test]
fn without_being_asked_for_nothing_is_recorded() {
    let server = Server::fresh();
    ask(&server, &json!({}));
    assert!(!server.nats().streams().iter().any(|name| name == STREAM));
}

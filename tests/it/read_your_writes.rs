//! A fetch that names a write's position holds the write, or says that it does not.

use crate::support::{Door, Server, contents, ids};
use serde_json::{Value, json};
use synap_types::Position;

fn own_writes_are_read(writer: &dyn Door, reader: &dyn Door, from: usize) {
    for at in from..from + 100 {
        let text = format!("Reading number r{at} is fine.");
        let whose = (Some("acme"), Some(if at % 2 == 0 { "al" } else { "bo" }));
        let more = json!({"document": text, "document_type": "document"});
        let receipt = writer.ingest(&ids(whose.0, whose.1, &more)).ok();
        let more = json!({"search_query": [format!("r{at}")], "position": receipt["position"],
            "if_stale": "refuse", "wait_ms": 30_000, "response_shape": "ranked", "max_results": 1});
        let answer = reader.fetch(&ids(whose.0, whose.1, &more)).ok();
        assert_eq!(contents(&answer), [text], "write {at}");
        assert_eq!(answer["stale"], false);
    }
}

#[test]
fn every_write_is_found_by_a_fetch_with_its_position() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    own_writes_are_read(&http, &http, 0);
    own_writes_are_read(&nats, &http, 100);
    own_writes_are_read(&http, &nats, 200);
}

#[test]
fn many_writers_at_once_each_read_their_own() {
    let server = Server::fresh();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let http = server.http();
            scope.spawn(move || {
                for at in 0..20 {
                    let text = format!("Writer w{writer} wrote line l{at} today.");
                    let whose = json!({"document": text, "document_type": "document"});
                    let receipt = http
                        .ingest(&ids(Some("acme"), Some(&format!("u{writer}")), &whose))
                        .ok();
                    let more = json!({"position": receipt["position"], "response_shape": "ranked",
                        "max_results": 1_000, "if_stale": "refuse", "wait_ms": 30_000});
                    let answer = http.fetch(&ids(Some("acme"), Some(&format!("u{writer}")), &more));
                    let found = contents(&answer.ok());
                    assert!(found.contains(&text), "{text}");
                    assert_eq!(found.len(), at + 1, "all its own, and nobody else's");
                }
            });
        }
    });
}

#[test]
fn a_batch_stands_in_the_log_in_its_order() {
    let server = Server::fresh();
    let document =
        |at| json!({"document": format!("Page {at} of the handbook."), "customer_id": "acme"});
    let documents: Vec<Value> = (0..200).map(document).collect();
    let batch = json!({ "documents": documents });
    let answer = server.http().post("/api/v1/memories/batch", &batch).ok();
    let results = answer["results"].as_array().expect("results");
    let seqs: Vec<u64> = results.iter().map(|result| at(result).seq.get()).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    assert_eq!(seqs.len(), documents.len());
}

fn at(receipt: &Value) -> Position {
    let token = receipt["position"].as_str().expect("a token");
    token.parse().expect("a position")
}

fn ahead(receipt: &Value, change: impl FnOnce(&mut Position)) -> Value {
    let mut position = at(receipt);
    change(&mut position);
    position.to_string().into()
}

#[test]
fn a_position_ahead_of_the_log_is_answered_stale_or_refused() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    let receipt = http.store(&ids(Some("acme"), None, &json!({"document": "A note."})));
    let position = ahead(&receipt, |at| at.seq = at.seq.next());
    for door in [&http as &dyn Door, &nats] {
        let fetch = |if_stale: &str| {
            let more = json!({"position": position, "wait_ms": 50, "if_stale": if_stale});
            door.fetch(&ids(Some("acme"), None, &more))
        };
        let refused = fetch("refuse");
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (503, "NOT_YET_APPLIED")
        );
        assert_eq!(
            refused.json()["message"],
            "the read model is at 1, 2 was asked for"
        );
        assert_eq!(fetch("answer").ok()["stale"], true);
        assert_eq!(fetch("answer").ok()["retrieval"]["degraded"], true);
    }
    // The write that it waits for comes while it waits.
    let waiting = std::thread::spawn(move || {
        let more = json!({"position": position, "wait_ms": 30_000, "if_stale": "refuse"});
        http.fetch(&ids(Some("acme"), None, &more)).ok()
    });
    server.http().store(&ids(
        Some("acme"),
        None,
        &json!({"document": "Another note."}),
    ));
    let answer = waiting.join().expect("it ended");
    assert_eq!(answer["stale"], false);
    assert_eq!(answer["scopes"][0]["applied_seq"], 2);
}

#[test]
fn a_position_of_another_log_is_refused() {
    let (here, there) = (Server::fresh(), Server::fresh());
    let body = ids(Some("acme"), None, &json!({"document": "A note."}));
    let receipt = there.http().store(&body);
    here.http().store(&body);
    for position in [
        receipt["position"].clone(),
        ahead(&receipt, |at| at.partition = "07".parse().expect("one")),
    ] {
        let reply = here
            .http()
            .fetch(&ids(Some("acme"), None, &json!({"position": position})));
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "INVALID_INPUT")
        );
        assert_eq!(reply.json()["details"]["field"], "position");
    }
}

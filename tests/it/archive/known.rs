//! What is there already is known by the rows, long after JetStream has forgotten the ids; also what was set aside.

use super::{applied, export};
use crate::support::wait::pass;
use crate::support::{Cli, Door as _, Home, Nats, Server, contents, ids, until};
use async_nats::HeaderMap;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use synap_types::Hash128;

const OTHER: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa5";
/// The shortest time for which a stream knows its ids.
const WINDOW: Duration = Duration::from_millis(100);

/// Lets every stream of the log forget the ids of its events.
fn forget_ids(nats: &Nats) {
    for stream in ["SYNAP_EVENTS_00", "SYNAP_EVENTS_SHARED"] {
        let ask = |what: &str, body: &[u8]| {
            let answer = nats.request(&format!("$JS.API.STREAM.{what}.{stream}"), &[], body);
            let answer: Value = serde_json::from_slice(&answer.payload).expect("JSON");
            assert!(answer["error"].is_null(), "{answer}");
            answer["config"].clone()
        };
        let mut config = ask("INFO", b"");
        config["duplicate_window"] = json!(WINDOW.as_nanos());
        ask("UPDATE", config.to_string().as_bytes());
    }
    pass(4 * WINDOW);
}

/// Stores one document, and behind an event that says of itself what no document is, another version of it.
fn fill(server: &Server) {
    let http = server.http();
    let store = |name: &str, text: &str| {
        let more = json!({"document": text, "document_id": name});
        http.store(&ids(Some("acme"), None, &more))
    };
    store("plan", "The plan is blue.");
    let nats = server.nats();
    let event = nats.events().pop().expect("an event");
    let text = String::from_utf8(event.payload.to_vec()).expect("text");
    let envelope: Value = serde_json::from_str(&text).expect("JSON");
    let id = envelope["id"].as_str().expect("an id");
    let broken = text
        .replace(id, OTHER)
        .replace("\"format\":\"text\"", "\"format\":\"song\"");
    let mut headers = HeaderMap::new();
    let digest = Hash128::of("synap.digest.v1", [broken.as_bytes()]);
    headers.insert(synap_nats::DIGEST, digest.to_string());
    nats.publish(&event.subject, headers, broken.as_bytes());
    until("it is parked", || parked(server) == 1);
    store("plan", "The plan is green.");
    until("it waits", || parked(server) == 2);
    store("menu", "The menu has soup.");
    applied(&http);
}

fn parked(server: &Server) -> u64 {
    let status = server.http().admin_status();
    status["partitions"][0]["parked"]
        .as_u64()
        .expect("a number")
}

fn import(server: &Server, file: &Path) -> Value {
    let args = ["import", "--json", file.to_str().expect("a path")];
    Cli::of(server).run(args).ok().json()[0].clone()
}

#[test]
fn what_was_applied_or_set_aside_is_not_appended_again() {
    let from = Server::fresh();
    fill(&from);
    let file = from.home().path("all.jsonl");
    export(&from, &file, &[]);
    forget_ids(&from.nats());
    assert_eq!(
        import(&from, &file),
        json!({"new": 0, "known": 3, "left_out": 1})
    );
    assert_eq!(from.http().log_seqs(), [4, 0]);

    let home = Home::new();
    let to = home.start();
    assert_eq!(
        import(&to, &file),
        json!({"new": 3, "known": 0, "left_out": 1})
    );
    applied(&to.http());
    forget_ids(&to.nats());
    assert_eq!(
        import(&to, &file),
        json!({"new": 0, "known": 3, "left_out": 1})
    );
    assert_eq!(to.http().log_seqs(), [3, 0]);
    let more = json!({"response_shape": "ranked", "search_query": ["the plan"]});
    let answer = to.http().fetch(&ids(Some("acme"), None, &more)).ok();
    assert_eq!(
        contents(&answer),
        ["The plan is green."],
        "nothing holds it up here"
    );
}

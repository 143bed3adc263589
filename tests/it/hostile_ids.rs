//! Ids that mean something to subjects, paths, keys, JSON or people: they work everywhere, and never meet each other.

use crate::support::{Door, Home, Server, contents, ids, until};
use async_nats::jetstream::message::StreamMessage;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use synap_types::EventSubject;

/// Ids with a meaning somewhere, and look-alikes of each other.
const HOSTILE: &[&str] = &[
    "a.b",
    "a b",
    "a",
    "b",
    "*",
    ">",
    "a.>",
    "a.*",
    ".",
    "..",
    "../x",
    "/x",
    "x",
    "-",
    "--",
    "=x",
    "=",
    "_",
    "SHARED",
    "shared",
    "00",
    "null",
    "$SRV.PING",
    "$JS.API.>",
    "synap.v1.ingest",
    "a%2Eb",
    "a%20b",
    "%00",
    "+",
    "a\"b",
    "a'b",
    "a\\b",
    "{}",
    "[\"a\"]",
    "a:b",
    "a;b",
    "a,b",
    "a|b",
    "a#b",
    "a?b=c",
    "a&b",
    "<a>",
    "` rm `",
    "🦀",
    "é",
    "e\u{301}",
    "а",
    "ａ",
    "日本語",
    "\u{202e}abc",
    "\u{200b}",
    "a\u{200b}",
    " a",
    "a ",
    "\u{a0}a",
    "A",
    "client",
    "customer",
    "user",
    "acme/user",
    "\u{feff}a",
    "\u{fffd}",
    "İ",
    "ı",
];

fn hostile() -> Vec<String> {
    let mut ids: Vec<String> = HOSTILE.iter().map(|id| (*id).to_owned()).collect();
    ids.push("x".repeat(48));
    ids.push("x".repeat(49));
    ids.push("x".repeat(256));
    ids.push(format!("{}y", "x".repeat(255)));
    ids.push("é".repeat(128));
    ids.push(format!("{}/", ".".repeat(255)));
    // What the subject of "a.b" holds in place of the id, given as an id.
    ids.push("=hbhkv26laa7juvno50pvpui6tc".to_owned());
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "each once");
    ids
}

fn text(kind: &str, at: usize) -> String {
    format!("The {kind} note number n{at:03}e says hello.")
}

/// Every id as a customer, as a user of one customer, and as a document.
fn store(door: &dyn Door, hostile: &[String]) {
    let mut last = Vec::new();
    for (at, id) in hostile.iter().enumerate() {
        let customer = json!({"document": text("customer", at), "document_type": "document", "document_id": id});
        let customer = door.ingest(&ids(Some(id), None, &customer)).ok();
        assert_eq!(customer["scope_path"], json!({"customer": id}));
        assert_eq!(customer["document_id"], id.as_str());
        let user = json!({"document": text("user", at), "document_type": "document"});
        let user = door.ingest(&ids(Some("acme"), Some(id), &user)).ok();
        assert_eq!(user["scope_path"], json!({"customer": "acme", "user": id}));
        assert_eq!(customer["duplicate"], false);
        assert_eq!(user["duplicate"], false);
        last = vec![customer, user];
    }
    for receipt in last {
        let id = receipt["ingestion_id"].as_str().expect("an id");
        until("all is applied", || {
            door.status(id).ok()["status"] == "completed"
        });
    }
}

fn told(door: &dyn Door, customer: &str, user: Option<&str>) -> Vec<String> {
    let more = json!({"response_shape": "ranked", "max_results": 1_000});
    contents(&door.fetch(&ids(Some(customer), user, &more)).ok())
}

/// Each id finds its own and nothing else.
fn check(door: &dyn Door, hostile: &[String]) {
    for (at, id) in hostile.iter().enumerate() {
        assert_eq!(
            told(door, id, None),
            [text("customer", at)],
            "customer {id:?}"
        );
        assert_eq!(
            told(door, "acme", Some(id)),
            [text("user", at)],
            "user {id:?}"
        );
        assert_eq!(
            told(door, id, Some(id)),
            [text("customer", at)],
            "nobody of {id:?}"
        );
    }
}

fn all_subjects_are_literal(events: &[StreamMessage]) {
    let mut subjects = BTreeSet::new();
    for event in events {
        let subject = event.subject.to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-=.".contains(c);
        assert!(subject.chars().all(plain), "{subject}");
        assert!(subject.len() <= 200, "{subject}");
        let parsed: EventSubject = subject.parse().expect("the subject of an event");
        assert_eq!(parsed.to_string(), subject);
        let event: Value = serde_json::from_slice(&event.payload).expect("JSON");
        subjects.insert((subject, event["data"]["scope"].to_string()));
    }
    let (by_subject, by_scope): (BTreeSet<_>, BTreeSet<_>) = subjects.iter().cloned().unzip();
    assert_eq!(
        by_subject.len(),
        subjects.len(),
        "no two scopes share a subject"
    );
    assert_eq!(by_scope.len(), subjects.len(), "no scope has two subjects");
}

#[test]
fn hostile_ids_work_and_never_meet_over_http() {
    let (server, hostile) = (Server::fresh(), hostile());
    let http = server.http();
    store(&http, &hostile);
    check(&http, &hostile);
    let events = server.nats().events();
    assert_eq!(events.len(), 2 * hostile.len());
    all_subjects_are_literal(&events);
    http.assert_verified();
}

#[test]
fn hostile_ids_work_and_never_meet_over_nats() {
    let (server, hostile) = (Server::fresh(), hostile());
    let nats = server.nats();
    store(&nats, &hostile);
    check(&nats, &hostile);
    all_subjects_are_literal(&nats.events());
}

#[test]
fn hostile_ids_find_their_partition_again_among_many() {
    let (home, hostile) = (Home::new(), hostile());
    let server = home.serve().args(["--partitions", "5"]).start();
    store(&server.http(), &hostile);
    check(&server.http(), &hostile);
    let used = server.http().log_seqs();
    assert_eq!(used.len(), 6, "five and the shared one");
    assert!(used[..5].iter().all(|seq| *seq > 0), "ids spread: {used:?}");
    assert!(server.terminate().success());
    let server = home.start();
    check(&server.http(), &hostile);
    server.http().assert_verified();
}

#[test]
fn hostile_ids_in_paths_are_unknown_and_nothing_more() {
    let server = Server::fresh();
    let http = server.http();
    let unknown = http.get("/api/v1/memories/status/5e9a4b52-6a0f-8c3d-9a51-3f1d2b7c9e10");
    assert_eq!(unknown.status, 404);
    for id in [
        "*",
        "%3E",
        "..%2F..%2Fetc%2Fpasswd",
        "%00",
        "%FF",
        "a%20b",
        "%F0%9F%A6%80",
        "-",
    ] {
        let reply = http.get(&format!("/api/v1/memories/status/{id}"));
        assert_eq!(reply, unknown, "{id}");
    }
}

//! The inbox: what services leave there while synap is down is drained when it is back, once; what is refused is kept
//! with the reason.

use crate::support::wait::pass;
use crate::support::{
    Door as _, ExternalNats, Home, KEY, Nats, Random, Server, contents, ids, until,
};
use async_nats::jetstream::message::StreamMessage;
use serde_json::{Value, json};
use std::time::Duration;
use synap_types::names::{INBOX, INBOX_STREAM, REJECTED_STREAM};

fn start(home: &Home, nats: &ExternalNats) -> Server {
    home.serve().args(["--nats-url", &nats.url()]).start()
}

/// A server has run once: the streams are there, and nobody drains them.
fn down() -> (Home, ExternalNats, Nats) {
    let (home, nats) = (Home::new(), ExternalNats::start());
    assert!(start(&home, &nats).terminate().success());
    let client = Nats::new(&nats.url(), Some(KEY));
    (home, nats, client)
}

fn note(text: &str) -> Vec<u8> {
    let more = json!({"document": text, "document_type": "document"});
    ids(Some("acme"), None, &more).to_string().into_bytes()
}

fn leave(client: &Nats, headers: &[(&str, &str)], body: &[u8]) {
    client.publish(INBOX, client.headers(headers), body);
}

fn drained(client: &Nats) {
    until("the inbox is empty", || client.count(INBOX_STREAM) == 0);
}

fn told(server: &Server) -> Vec<String> {
    let http = server.http();
    until("all is applied", || {
        let status = http.admin_status();
        status["partitions"]
            .as_array()
            .expect("partitions")
            .iter()
            .all(|p| p["lag"] == 0)
    });
    let more = json!({"response_shape": "ranked", "max_results": 1_000});
    let mut told = contents(&http.fetch(&ids(Some("acme"), None, &more)).ok());
    told.sort();
    told
}

fn header(message: &StreamMessage, name: &str) -> String {
    message
        .headers
        .get(name)
        .map(|value| value.as_str().to_owned())
        .unwrap_or_default()
}

#[test]
fn what_was_left_while_synap_was_down_is_drained_when_it_is_back_once() {
    let (home, nats, client) = down();
    let expected: Vec<String> = (100..160)
        .map(|at| format!("Left note n{at}e is here."))
        .collect();
    for text in &expected {
        leave(&client, &[], &note(text));
        // The same again is the same document.
        leave(&client, &[], &note(text));
    }
    for _ in 0..2 {
        leave(
            &client,
            &[("Idempotency-Key", "once")],
            &note("A note with a key."),
        );
    }
    assert_eq!(client.count(INBOX_STREAM), 122);
    let server = start(&home, &nats);
    drained(&client);
    let mut all = expected;
    all.insert(0, "A note with a key.".to_owned());
    assert_eq!(told(&server), all);
    assert_eq!(server.http().log_seqs(), [61, 0], "each once");
    assert_eq!(client.count(REJECTED_STREAM), 0);

    // While it runs, the inbox is a door like the others.
    leave(&client, &[], &note("Zuletzt."));
    drained(&client);
    assert!(told(&server).contains(&"Zuletzt.".to_owned()));
    // The key is the same at every door.
    let http = server.http();
    let body = note("A note with a key.");
    let again = http.send(
        "POST",
        "/api/v1/memories/create",
        &[("Idempotency-Key", "once")],
        &body,
    );
    assert_eq!(again.ok()["duplicate"], true);
    http.assert_verified();
}

/// What the inbox refuses from a sender with a key, and why.
const REFUSED: &[(&[u8], &str)] = &[
    (b"{\"document\": ", "body is not JSON"),
    (b"\xff\0\xfe", "body is not JSON"),
    (b"", "body is not JSON"),
    (b"{\"document\":\" \"}", "document must not be empty"),
    (
        b"{\"document\":\"x\",\"user_id\":\"al\"}",
        "customer_id is required with user_id",
    ),
    (
        b"{\"document\":\"x\",\"dokument\":1}",
        "dokument is not a known field",
    ),
];
const FOREIGN: &[u8] = b"{\"document\":\"Somebody else's secret.\"}";
const NOBODYS: &[u8] = b"{\"document\":\"Nobody's note.\"}";

/// The message is there with its bytes, its reason and its sender's headers, but without any key.
#[track_caller]
fn kept(rejected: &[StreamMessage], body: &[u8], code: &str, reason: &str) {
    let kept = rejected.iter().find(|message| message.payload[..] == *body);
    let kept = kept.expect("the original bytes");
    assert_eq!(header(kept, "Synap-Rejected-Code"), code);
    let found = header(kept, "Synap-Rejected-Reason");
    assert!(found.starts_with(reason), "{found}");
    assert_eq!(
        header(kept, "Trace-Id"),
        "t-1",
        "the sender's own headers stay"
    );
    for (name, values) in kept.headers.iter() {
        assert!(!name.to_string().eq_ignore_ascii_case("authorization"));
        let values: Vec<&str> = values.iter().map(async_nats::HeaderValue::as_str).collect();
        for secret in [KEY, "a-wrong-key"] {
            assert!(!values.join(" ").contains(secret), "{name}: {values:?}");
        }
    }
}

#[test]
fn what_is_refused_is_kept_with_the_reason_and_without_the_key() {
    let (home, nats, client) = down();
    let stranger = Nats::new(&nats.url(), Some("a-wrong-key"));
    let nobody = Nats::new(&nats.url(), None);
    for (body, _) in REFUSED {
        leave(&client, &[("Trace-Id", "t-1")], body);
    }
    leave(&stranger, &[("Trace-Id", "t-1")], FOREIGN);
    leave(&nobody, &[("Trace-Id", "t-1")], NOBODYS);
    leave(&client, &[], &note("The good one."));
    let server = start(&home, &nats);
    drained(&client);
    assert_eq!(told(&server), ["The good one."]);
    let rejected = client.messages(REJECTED_STREAM);
    assert_eq!(rejected.len(), REFUSED.len() + 2, "each once");
    for (body, reason) in REFUSED {
        kept(&rejected, body, "INVALID_INPUT", reason);
    }
    let reason = "a valid API key is required: Authorization: Bearer <key>";
    for body in [FOREIGN, NOBODYS] {
        kept(&rejected, body, "UNAUTHORIZED", reason);
    }
    let metrics = server.http().get("/metrics").text();
    assert!(
        metrics.contains("synap_inbox_total{verdict=\"rejected\"} 8"),
        "{metrics}"
    );
    assert!(
        metrics.contains("synap_inbox_total{verdict=\"accepted\"} 1"),
        "{metrics}"
    );
    assert!(server.terminate().success());
    let server = start(&home, &nats);
    let again = client.count(REJECTED_STREAM);
    assert_eq!(again, rejected.len() as u64, "not once more");
    assert_eq!(told(&server), ["The good one."]);
}

#[test]
fn kills_while_the_inbox_is_drained_lose_nothing_and_store_nothing_twice() {
    let (home, nats, client) = down();
    let expected: Vec<String> = (1000..1200)
        .map(|at| format!("Left note n{at}e is here."))
        .collect();
    for text in &expected {
        leave(&client, &[], &note(text));
    }
    let mut random = Random::new(3);
    for _ in 0..4 {
        let server = start(&home, &nats);
        pass(Duration::from_millis(random.below(40)));
        server.kill();
    }
    let server = start(&home, &nats);
    drained(&client);
    assert_eq!(told(&server), expected);
    assert_eq!(server.http().log_seqs(), [200, 0], "each once");
    assert_eq!(client.count(REJECTED_STREAM), 0);
    server.http().assert_verified();
}

#[test]
fn the_inbox_tells_clients_and_customers_apart_by_the_senders_key() {
    let config =
        "[[instances]]\nclient_id = \"b\"\ninstance_id = \"ib\"\napi_keys = [\"key-of-b\"]";
    let server = Home::new().serve().config(config).start();
    let (ours, theirs) = (server.nats(), server.nats_as(Some("key-of-b")));
    leave(&ours, &[], &note("Ours alone."));
    leave(&theirs, &[], &note("Theirs alone."));
    drained(&ours);
    assert_eq!(told(&server), ["Ours alone."]);
    let more = json!({"response_shape": "ranked"});
    let theirs = theirs.fetch(&ids(Some("acme"), None, &more)).ok();
    assert_eq!(contents(&theirs), ["Theirs alone."]);
    let own =
        |event: &StreamMessage| serde_json::from_slice::<Value>(&event.payload).expect("JSON");
    for event in ours.events().iter().map(own) {
        assert!(
            !event.to_string().contains("key-of-b"),
            "keys are not in events"
        );
    }
}

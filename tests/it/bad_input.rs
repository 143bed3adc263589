//! Bad requests: each is refused with the status, the code and a sentence that names the field, the limit and the
//! value; over HTTP and over NATS alike. Nothing of them is stored.

mod rows;

use crate::support::{Door, Home, Http, Reply, Server, ids};
use rows::{Row, bad_bytes, bad_documents, bad_fetches, bad_ids, wrong};
use serde_json::json;

const MIB: usize = 1024 * 1024;

#[track_caller]
fn check(door: &dyn Door, reply: &Reply, row: &Row) {
    let shown: String = row.body.to_string().chars().take(200).collect();
    let refusal = reply.json();
    assert_eq!(reply.status, 400, "{}: {shown}: {refusal}", door.name());
    assert_eq!(refusal["code"], "INVALID_INPUT", "{shown}");
    assert_eq!(refusal["error"], "INVALID_INPUT", "{shown}");
    assert_eq!(refusal["message"], row.message.as_str(), "{shown}");
    assert_eq!(refusal["detail"], row.message.as_str(), "{shown}");
    assert_eq!(refusal["details"], row.details, "{shown}");
}

fn bad_bodies_are_refused(door: &dyn Door) {
    for row in bad_documents() {
        check(door, &door.ingest(&row.body), &row);
    }
    for row in bad_fetches() {
        check(door, &door.fetch(&row.body), &row);
    }
    for row in bad_ids() {
        let mut document = row.body.clone();
        document["document"] = "A note.".into();
        check(door, &door.ingest(&document), &row);
        let level = if row.body.get("user_id").is_some() {
            "user"
        } else {
            "customer"
        };
        check(
            door,
            &door.fetch_bytes(level, row.body.to_string().as_bytes()),
            &row,
        );
    }
    for (body, message) in bad_bytes() {
        for reply in [door.ingest_bytes(&body), door.fetch_bytes("client", &body)] {
            let refusal = reply.json();
            assert_eq!(reply.status, 400, "{}: {refusal}", door.name());
            assert_eq!(refusal["message"], format!("body {message}"));
            assert_eq!(refusal["details"]["field"], "body");
        }
    }
    let missing = door.status("5e9a4b52-6a0f-8c3d-9a51-3f1d2b7c9e10");
    assert_eq!(
        (missing.status, missing.code().as_str()),
        (404, "NOT_FOUND")
    );
    assert_eq!(
        door.status("no-uuid"),
        missing,
        "an id that is none is unknown like any other"
    );
}

/// What is just within the limits.
fn the_largest_that_is_allowed_is_accepted(door: &dyn Door) {
    let metadata = json!({"a": "m".repeat(65_536 - 8)});
    let longest = "i".repeat(256);
    for (at, document) in ["d ".repeat(MIB / 2), "\u{1}é ".repeat(MIB / 4)]
        .iter()
        .enumerate()
    {
        let more = json!({"document": document, "document_type": "document", "metadata": metadata,
            "document_id": longest, "idempotency_key": format!("{at}{}", "k".repeat(255))});
        let receipt = door
            .ingest(&ids(Some(&longest), Some(&longest), &more))
            .ok();
        assert_eq!(receipt["document_id"], longest.as_str());
    }
    let (open, close) = ("[".repeat(30), "]".repeat(30));
    let deep = format!("{{\"document\":\"deep\",\"metadata\":{{\"a\":{open}{close}}}}}");
    assert_eq!(door.ingest_bytes(deep.as_bytes()).status, 200);
    let fetch =
        json!({"max_results": 1_000, "max_tokens": 1_000_000, "search_query": vec!["q"; 16]});
    assert_eq!(door.fetch(&fetch).status, 200);
}

#[test]
fn bad_bodies_are_refused_over_http() {
    let server = Server::fresh();
    bad_bodies_are_refused(&server.http());
    assert_eq!(server.http().log_seqs(), [0, 0], "nothing was stored");
}

#[test]
fn bad_bodies_are_refused_over_nats() {
    let server = Server::fresh();
    bad_bodies_are_refused(&server.nats());
    assert_eq!(server.http().log_seqs(), [0, 0], "nothing was stored");
}

#[test]
fn the_largest_that_is_allowed_is_accepted_over_http_and_nats() {
    let server = Server::fresh();
    the_largest_that_is_allowed_is_accepted(&server.http());
    the_largest_that_is_allowed_is_accepted(&Server::fresh().nats());
    server.http().assert_verified();
}

fn levels(http: &Http) {
    for (level, body, message) in [
        (
            "user",
            json!({"customer_id": "acme"}),
            "user_id is required",
        ),
        ("customer", json!({}), "customer_id is required"),
        (
            "customer",
            json!({"customer_id": "acme", "user_id": "al"}),
            "user_id is not accepted where a customer is meant",
        ),
        (
            "client",
            json!({"customer_id": "acme"}),
            "customer_id is not accepted where a client is meant",
        ),
    ] {
        let reply = http.fetch_bytes(level, body.to_string().as_bytes());
        assert_eq!(reply.status, 400);
        assert_eq!(reply.json()["message"], message);
    }
}

#[test]
fn a_fetch_wants_the_ids_of_its_level_and_no_others() {
    levels(&Server::fresh().http());
}

#[test]
fn an_instance_of_users_alone_refuses_any_customer() {
    let server = Home::new()
        .serve()
        .config("isolation = \"equals_customer\"")
        .start();
    for door in [&server.http() as &dyn Door, &server.nats()] {
        let message = "customer_id is not accepted: this instance's levels are user";
        for body in [
            json!({"document": "A note.", "customer_id": "acme"}),
            json!({"document": "A note.", "customer_id": "acme", "user_id": "al"}),
        ] {
            let row = wrong(body, message);
            check(door, &door.ingest(&row.body), &row);
        }
        let fetch = wrong(json!({"customer_id": "acme", "user_id": "al"}), message);
        check(door, &door.fetch(&fetch.body), &fetch);
        let receipt = door
            .ingest(&json!({"document": "A note.", "user_id": "al"}))
            .ok();
        assert_eq!(receipt["scope_path"], json!({"user": "al"}));
    }
}

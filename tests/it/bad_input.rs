//! Bad requests: each is refused with the status, the code and a sentence that names the field, the limit and the
//! value; over HTTP and over NATS alike. Nothing of them is stored.

use crate::support::{Door, Home, Http, Reply, Server, ids};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// A refused body, what the refusal says, and its `field`, `limit` and `value` where it has them.
struct Row {
    body: Value,
    message: String,
    details: Value,
}

fn row(body: Value, message: &str, details: Value) -> Row {
    Row {
        body,
        message: message.to_owned(),
        details,
    }
}

fn field(field: &str) -> Value {
    json!({ "field": field })
}

fn limited(field: &str, limit: usize, value: usize) -> Value {
    json!({"field": field, "limit": limit, "value": value})
}

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

/// With ids that are refused wherever ids go.
fn bad_ids() -> Vec<Row> {
    let long = "i".repeat(257);
    let mut rows = vec![
        row(
            json!({"user_id": "al"}),
            "customer_id is required with user_id",
            field("customer_id"),
        ),
        row(
            json!({"user_id": "al", "customer_id": ""}),
            "customer_id is required with user_id",
            field("customer_id"),
        ),
        row(
            json!({"user_id": "al", "customer_id": null}),
            "customer_id is required with user_id",
            field("customer_id"),
        ),
        row(
            json!({"customer_id": "acme", "scope": {"customer": "zeta"}}),
            "customer_id contradicts scope.customer",
            field("customer_id"),
        ),
        row(
            json!({"customer_id": "acme", "scope": {"team": "red"}}),
            "scope.team is not accepted: this instance's levels are customer, user",
            field("scope.team"),
        ),
        row(
            json!({"scope": "acme"}),
            "scope must be an object, not a string",
            field("scope"),
        ),
        row(
            json!({"scope": {"customer": 7}}),
            "scope.customer must be a string, not a number",
            field("scope.customer"),
        ),
        row(
            json!({"scope": {"Customer": "acme"}}),
            "scope a level's name is a lower-case letter and up to 31 lower-case letters, digits and _",
            field("scope"),
        ),
    ];
    for name in ["customer_id", "user_id"] {
        let with = |id: Value| {
            let mut body = json!({"customer_id": "acme"});
            body[name] = id;
            body
        };
        rows.extend([
            row(
                with(long.as_str().into()),
                &format!("{name} has 257 bytes, the limit is 256"),
                limited(name, 256, 257),
            ),
            row(
                with("é".repeat(129).into()),
                &format!("{name} has 258 bytes, the limit is 256"),
                limited(name, 256, 258),
            ),
            row(
                with("a\u{0}b".into()),
                &format!("{name} holds the control character U+0000 at byte 1"),
                field(name),
            ),
            row(
                with("line\nbreak".into()),
                &format!("{name} holds the control character U+000A at byte 4"),
                field(name),
            ),
            row(
                with("\u{7f}".into()),
                &format!("{name} holds the control character U+007F at byte 0"),
                field(name),
            ),
            row(
                with("\u{85}".into()),
                &format!("{name} holds the control character U+0085 at byte 0"),
                field(name),
            ),
            row(
                with(7.into()),
                &format!("{name} must be a string, not a number"),
                field(name),
            ),
            row(
                with(json!(["a"])),
                &format!("{name} must be a string, not a list"),
                field(name),
            ),
            row(
                with(json!({})),
                &format!("{name} must be a string, not an object"),
                field(name),
            ),
            row(
                with(true.into()),
                &format!("{name} must be a string, not a boolean"),
                field(name),
            ),
        ]);
    }
    rows
}

fn bad_documents() -> Vec<Row> {
    let with = |name: &str, value: Value| {
        let mut body = json!({"document": "A note.", "customer_id": "acme"});
        body[name] = value;
        body
    };
    let empty = |document: Value| {
        row(
            with("document", document),
            "document must not be empty",
            field("document"),
        )
    };
    let meta = "m".repeat(64 * 1024);
    vec![
        row(
            json!({"customer_id": "acme"}),
            "document is required",
            field("document"),
        ),
        row(
            with("document", Value::Null),
            "document is required",
            field("document"),
        ),
        empty("".into()),
        empty(" \t\r\n ".into()),
        empty("\u{a0}\u{2003}\u{0}\u{7}".into()),
        empty(json!({})),
        empty(json!([])),
        row(
            with("document", 7.into()),
            "document must be a string or an object, not a number",
            field("document"),
        ),
        row(
            with("document", "d".repeat(MIB + 1).into()),
            "document has 1048577 bytes, the limit is 1048576",
            limited("document", MIB, MIB + 1),
        ),
        row(
            with("document", "é".repeat(MIB / 2 + 1).into()),
            "document has 1048578 bytes, the limit is 1048576",
            limited("document", MIB, MIB + 2),
        ),
        row(
            with("document_type", 1.into()),
            "document_type must be a string, not a number",
            field("document_type"),
        ),
        row(
            with("document_id", "d".repeat(257).into()),
            "document_id has 257 bytes, the limit is 256",
            limited("document_id", 256, 257),
        ),
        row(
            with("document_id", "\u{1b}[31m".into()),
            "document_id holds the control character U+001B at byte 0",
            field("document_id"),
        ),
        row(
            with("metadata", "text".into()),
            "metadata must be an object, not a string",
            field("metadata"),
        ),
        row(
            with("metadata", json!({"a": meta})),
            "metadata has 65544 bytes, the limit is 65536",
            limited("metadata", 65_536, 65_544),
        ),
        row(
            with("on_conflict", "merge".into()),
            "on_conflict must be replace or reject",
            field("on_conflict"),
        ),
        row(
            with("idempotency_key", "k".repeat(257).into()),
            "idempotency_key has 257 bytes, the limit is 256",
            limited("idempotency_key", 256, 257),
        ),
    ]
}

fn bad_fetches() -> Vec<Row> {
    let with = |name: &str, value: Value| {
        let mut body = json!({"customer_id": "acme"});
        body[name] = value;
        body
    };
    let number = |name: &str, max: usize, given: Value, found: &str| {
        row(
            with(name, given),
            &format!(
                "{name} must be a whole number from {} to {max}, not {found}",
                usize::from(name != "wait_ms")
            ),
            json!({"field": name, "limit": max, "value": found}),
        )
    };
    vec![
        number("max_results", 1_000, 0.into(), "0"),
        number("max_results", 1_000, 1_001.into(), "1001"),
        number("max_results", 1_000, (-1).into(), "-1"),
        number("max_results", 1_000, json!(1.5), "1.5"),
        number("max_results", 1_000, "10".into(), "a string"),
        number("max_tokens", 1_000_000, 0.into(), "0"),
        number("max_tokens", 1_000_000, 1_000_001.into(), "1000001"),
        number("wait_ms", 30_000, 30_001.into(), "30001"),
        row(
            with("search_query", json!({})),
            "search_query must be a list of strings, not an object",
            field("search_query"),
        ),
        row(
            with("search_query", json!(["a", 2])),
            "search_query[1] must be a string, not a number",
            field("search_query[1]"),
        ),
        row(
            with("search_query", vec!["q"; 17].into()),
            "search_query has 17 entries, the limit is 16",
            limited("search_query", 16, 17),
        ),
        row(
            with("search_query", "q".repeat(65_537).into()),
            "search_query[0] has 65537 bytes, the limit is 65536",
            limited("search_query[0]", 65_536, 65_537),
        ),
        row(
            with("types", json!(["facts", "rumours"])),
            "types[1] must be one of all, facts, preferences, episodes, emotions, temporal_events",
            field("types[1]"),
        ),
        row(
            with("mode", "slow".into()),
            "mode must be fast or accurate",
            field("mode"),
        ),
        row(
            with("response_shape", "flat".into()),
            "response_shape must be by_type or ranked",
            field("response_shape"),
        ),
        row(
            with("if_stale", "wait".into()),
            "if_stale must be answer or refuse",
            field("if_stale"),
        ),
        row(
            with("explain", "yes".into()),
            "explain must be true or false, not a string",
            field("explain"),
        ),
        row(
            with("position", "abc".into()),
            "position is not a position token from a receipt",
            field("position"),
        ),
        row(
            with("position", 3.into()),
            "position must be a string, not a number",
            field("position"),
        ),
    ]
}

/// Bodies that are no bounded JSON objects.
fn bad_bytes() -> Vec<(Vec<u8>, &'static str)> {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"document\":\"x\",\"metadata\":{{\"a\":{open}{close}}}}}").into_bytes()
    };
    vec![
        (b"[1]".to_vec(), "body must be a JSON object, not a list"),
        (
            b"\"text\"".to_vec(),
            "body must be a JSON object, not a string",
        ),
        (
            b"{".to_vec(),
            "body is not JSON: it ends too early at line 1 column 1",
        ),
        (
            b"{\"a\":1,}".to_vec(),
            "body is not JSON: malformed at line 1 column 8",
        ),
        (
            b"{\"document\":\"\xff\xfe\"}".to_vec(),
            "body is not JSON: malformed at line 1 column 14",
        ),
        (
            b"{\"a\":1}{\"b\":2}".to_vec(),
            "body is not JSON: malformed at line 1 column 8",
        ),
        (nested(31), "body has 33 levels of nesting, the limit is 32"),
        (
            nested(100_000),
            "body has 100002 levels of nesting, the limit is 32",
        ),
    ]
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
        let row = row(Value::Null, message, json!({}));
        for reply in [door.ingest_bytes(&body), door.fetch_bytes("client", &body)] {
            let refusal = reply.json();
            assert_eq!(reply.status, 400, "{}: {refusal}", door.name());
            assert_eq!(refusal["message"], row.message.as_str());
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
            "user_id is not accepted in a customer fetch",
        ),
        (
            "client",
            json!({"customer_id": "acme"}),
            "customer_id is not accepted in a client fetch",
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
            let row = row(body, message, field("customer_id"));
            check(door, &door.ingest(&row.body), &row);
        }
        let fetch = row(
            json!({"customer_id": "acme", "user_id": "al"}),
            message,
            field("customer_id"),
        );
        check(door, &door.fetch(&fetch.body), &fetch);
        let receipt = door
            .ingest(&json!({"document": "A note.", "user_id": "al"}))
            .ok();
        assert_eq!(receipt["scope_path"], json!({"user": "al"}));
    }
}

//! Requests that are wrong beyond their body: keys, routes, methods, sizes, batches, fields that nobody knows.

use crate::support::{Door, Http, KEY, Reply, Server, ids, items};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (status, code),
        "{}",
        reply.text()
    );
    let body = reply.json();
    for field in ["error", "code", "message", "detail", "details"] {
        assert!(!body[field].is_null(), "{field} of {body}");
    }
}

#[test]
fn a_missing_and_a_wrong_key_are_told_the_same_and_nothing_else() {
    let server = Server::fresh();
    let http = server.http();
    let without = http.with_key(None);
    let missing = without.get("/api/v1/auth/whoami");
    refused(&missing, 401, "UNAUTHORIZED");
    let upper = KEY.to_uppercase();
    let longer = format!("{KEY}x");
    for (method, path) in [
        ("GET", "/api/v1/auth/whoami"),
        ("POST", "/api/v1/memories/create"),
        ("POST", "/api/v1/memories/batch"),
        ("POST", "/api/v1/memories/upload"),
        (
            "GET",
            "/api/v1/memories/status/5e9a4b52-6a0f-8c3d-9a51-3f1d2b7c9e10",
        ),
        ("POST", "/v1/context/user/fetch"),
        ("POST", "/v1/context/customer/fetch"),
        ("POST", "/v1/context/client/fetch"),
        ("GET", "/v1/admin/status"),
        ("POST", "/v1/admin/rebuild"),
    ] {
        let body: &[u8] = if method == "POST" { b"{\"broken" } else { b"" };
        assert_eq!(without.send(method, path, &[], body), missing, "{path}");
        for key in ["x", "", upper.as_str(), longer.as_str(), "synap_"] {
            let value = format!("Bearer {key}");
            let reply = without.send(method, path, &[("Authorization", &value)], body);
            assert_eq!(reply, missing, "{path} with {value:?}");
        }
        for value in ["", "Bearer", &format!("Basic {KEY}"), KEY] {
            let reply = without.send(method, path, &[("Authorization", value)], body);
            assert_eq!(reply, missing, "{path} with {value:?}");
        }
    }
    for nats in [server.nats_as(None), server.nats_as(Some("wrong"))] {
        let body = json!({"document": "A note."});
        for reply in [nats.ingest(&body), nats.fetch(&json!({})), nats.status("x")] {
            assert_eq!(reply, missing, "over NATS");
        }
    }
    assert_eq!(http.log_seqs(), [0, 0]);
}

#[test]
fn unknown_routes_and_methods_are_answered_in_the_same_envelope() {
    let server = Server::fresh();
    let http = server.http();
    for path in [
        "/",
        "/nope",
        "/api/v1/memories",
        "/v1/context/user",
        "/v1/admin",
        "/health/",
        "//health",
    ] {
        refused(&http.get(path), 404, "NOT_FOUND");
        refused(&http.with_key(None).get(path), 404, "NOT_FOUND");
    }
    for (method, path) in [
        ("GET", "/api/v1/memories/create"),
        ("DELETE", "/api/v1/memories/batch"),
        ("POST", "/api/v1/auth/whoami"),
        ("PUT", "/v1/context/user/fetch"),
        ("POST", "/health"),
        ("DELETE", "/v1/admin/status"),
    ] {
        let body: &[u8] = if method == "POST" || method == "PUT" {
            b"{}"
        } else {
            b""
        };
        refused(
            &http.send(method, path, &[], body),
            405,
            "METHOD_NOT_ALLOWED",
        );
    }
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(
            http.with_key(None).get(path).status,
            200,
            "{path} wants no key"
        );
    }
}

#[test]
fn a_body_over_the_limit_is_refused_with_the_limit_and_its_size() {
    let server = Server::fresh();
    let http = server.http();
    for bytes in [8 * MIB + 1, 9 * MIB, 40 * MIB] {
        let body = vec![b' '; bytes];
        for path in [
            "/api/v1/memories/create",
            "/api/v1/memories/batch",
            "/api/v1/memories/upload",
            "/v1/context/client/fetch",
        ] {
            let reply = http.send("POST", path, &[], &body);
            refused(&reply, 400, "INVALID_INPUT");
            let details = json!({"field": "body", "limit": 8 * MIB, "value": bytes});
            assert_eq!(reply.json()["details"], details);
        }
    }
    assert_eq!(http.get("/health").status, 200, "it goes on");
}

#[test]
fn vendor_routes_ignore_unknown_fields_and_nats_refuses_them() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    let document =
        json!({"document": "A note.", "document_type": "document", "from_the_future": {"a": 1}});
    assert_eq!(http.ingest(&document).status, 200);
    assert_eq!(http.fetch(&json!({"from_the_future": 1})).status, 200);
    let batch = json!({"documents": [document], "from_the_future": true});
    assert_eq!(
        http.post("/api/v1/memories/batch", &batch).ok()["succeeded"],
        1
    );
    let wanted = "from_the_future is not a known field";
    for reply in [
        nats.ingest(&document),
        nats.fetch(&json!({"from_the_future": 1})),
    ] {
        refused(&reply, 400, "INVALID_INPUT");
        assert_eq!(reply.json()["message"], wanted);
        assert_eq!(reply.json()["details"], json!({"field": "from_the_future"}));
    }
    let hostile = nats.fetch(&json!({"a\r\nNats-Service-Error-Code: 200": 1}));
    refused(&hostile, 400, "INVALID_INPUT");
    let admin = http.post("/v1/admin/rebuild", &json!({"partitions": "00"}));
    refused(&admin, 400, "INVALID_INPUT");
    assert_eq!(admin.json()["message"], "partitions is not a known field");
    let partition = http.post("/v1/admin/verify", &json!({"partition": "07"}));
    assert_eq!(
        partition.json()["message"],
        "partition must be one of 00, shared"
    );
}

#[test]
fn a_position_counts_only_where_its_scope_is_read() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    let store = |customer, user| {
        let receipt = http.store(&ids(customer, user, &json!({"document": "A note of one."})));
        receipt["position"].clone()
    };
    let acme = Some("acme");
    let (als, acmes, clients) = (
        store(acme, Some("al")),
        store(acme, None),
        store(None, None),
    );
    let fetch = |door: &dyn Door, customer, user, position: &Value| {
        door.fetch(&ids(customer, user, &json!({"position": position})))
    };
    for door in [&http as &dyn Door, &nats] {
        for position in [&als, &acmes, &clients] {
            assert_eq!(fetch(door, acme, Some("al"), position).status, 200);
        }
        for (customer, user, position) in [
            (acme, Some("bo"), &als),
            (acme, None, &als),
            (Some("zeta"), Some("al"), &als),
            (Some("zeta"), None, &acmes),
            (None, None, &acmes),
        ] {
            let reply = fetch(door, customer, user, position);
            refused(&reply, 400, "INVALID_INPUT");
            let message = "position belongs to a scope that this fetch does not read";
            assert_eq!(reply.json()["message"], message);
        }
        let mut cut = als.as_str().expect("a token").to_owned();
        cut.pop();
        refused(
            &fetch(door, acme, Some("al"), &cut.into()),
            400,
            "INVALID_INPUT",
        );
    }
}

fn batch(http: &Http, documents: &[Value], fail_fast: bool) -> Reply {
    let body = json!({"documents": documents, "fail_fast": fail_fast});
    http.post("/api/v1/memories/batch", &body)
}

#[test]
fn a_batch_has_one_to_a_thousand_documents() {
    let server = Server::fresh();
    let http = server.http();
    let document = |at: usize| json!({"document": format!("Note {at}."), "customer_id": format!("c{}", at % 7)});
    for (documents, message) in [
        (json!([]), "documents must not be empty"),
        (json!({}), "documents must be a list, not an object"),
        (Value::Null, "documents is required"),
    ] {
        let reply = http.post("/api/v1/memories/batch", &json!({"documents": documents}));
        refused(&reply, 400, "INVALID_INPUT");
        assert_eq!(reply.json()["message"], message);
    }
    let many: Vec<Value> = (0..1_001).map(document).collect();
    let reply = batch(&http, &many, false);
    refused(&reply, 400, "INVALID_INPUT");
    let details = json!({"field": "documents", "limit": 1_000, "value": 1_001});
    assert_eq!(reply.json()["details"], details);
    assert_eq!(http.log_seqs(), [0, 0], "nothing was stored");

    let answer = batch(&http, &many[..1_000], false).ok();
    assert_eq!(
        (&answer["succeeded"], &answer["failed"]),
        (&json!(1_000), &json!(0))
    );
    assert_eq!(http.log_seqs(), [1_000, 0]);
    http.assert_verified();
}

#[test]
fn bad_entries_of_a_batch_fail_alone_unless_it_shall_fail_fast() {
    let server = Server::fresh();
    let http = server.http();
    let documents = [
        json!({"document": "The first note.", "customer_id": "acme"}),
        json!({"document": " ", "customer_id": "acme"}),
        json!({"document": "A stray.", "user_id": "al"}),
        json!("text"),
        json!({"document": "The last note.", "customer_id": "acme"}),
    ];
    let refusal = batch(&http, &documents, true);
    refused(&refusal, 400, "INVALID_INPUT");
    assert_eq!(
        refusal.json()["message"],
        "documents[1].document must not be empty"
    );
    assert_eq!(
        refusal.json()["details"],
        json!({"field": "documents[1].document"})
    );
    assert_eq!(http.log_seqs(), [0, 0], "one bad document refuses all");

    let answer = batch(&http, &documents, false).ok();
    let results = answer["results"].as_array().expect("results");
    let states: Vec<&Value> = results.iter().map(|result| &result["status"]).collect();
    assert_eq!(states, ["queued", "failed", "failed", "failed", "queued"]);
    let message = |at: usize| results[at]["error_message"].as_str().expect("a message");
    assert_eq!(message(1), "documents[1].document must not be empty");
    assert_eq!(
        message(2),
        "documents[2].customer_id is required with user_id"
    );
    assert_eq!(message(3), "documents[3] must be an object, not a string");
    let more = json!({"response_shape": "ranked", "position": results[4]["position"]});
    let told = http.fetch(&ids(Some("acme"), None, &more)).ok();
    assert_eq!(items(&told).len(), 2);
}

//! The same thing said twice is stored once; other things are never taken for it.

use crate::support::wait::pass;
use crate::support::{Door, Http, Server, contents, ids, until};
use serde_json::{Value, json};
use std::time::Duration;

fn note(customer: &str, more: &Value) -> Value {
    let mut body = json!({"document": "The release is on Monday.", "document_type": "document"});
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    ids(Some(customer), None, &body)
}

fn create(http: &Http, headers: &[(&str, &str)], body: &Value) -> Value {
    let body = body.to_string();
    http.send("POST", "/api/v1/memories/create", headers, body.as_bytes())
        .ok()
}

/// The second receipt is the first one's, and nothing was appended for it.
#[track_caller]
fn same(http: &Http, first: &Value, second: impl FnOnce() -> Value) {
    let before = http.log_seqs();
    let second = second();
    assert_eq!(http.log_seqs(), before, "nothing is appended");
    assert_eq!(second["duplicate"], true, "{second}");
    for field in [
        "ingestion_id",
        "document_id",
        "position",
        "scope",
        "scope_path",
    ] {
        assert_eq!(second[field], first[field], "{field}");
    }
}

#[track_caller]
fn another(http: &Http, first: &Value, second: impl FnOnce() -> Value) -> Value {
    let before: u64 = http.log_seqs().iter().sum();
    let second = second();
    assert_eq!(
        http.log_seqs().iter().sum::<u64>(),
        before + 1,
        "one is appended"
    );
    assert_eq!(second["duplicate"], false, "{second}");
    assert_ne!(second["ingestion_id"], first["ingestion_id"]);
    second
}

fn applied(http: &Http, receipt: &Value) {
    let id = receipt["ingestion_id"].as_str().expect("an id");
    until("it is applied", || {
        http.status(id).ok()["status"] == "completed"
    });
}

fn told(http: &Http, customer: &str) -> Vec<String> {
    let more = json!({"response_shape": "ranked", "max_results": 100});
    contents(&http.fetch(&ids(Some(customer), None, &more)).ok())
}

#[test]
fn a_key_that_comes_twice_is_one_write() {
    let server = Server::fresh();
    let http = server.http();
    for header in ["Idempotency-Key", "X-Correlation-ID"] {
        let key = [(header, "key-1")];
        let first = create(&http, &key, &note("acme", &json!({})));
        assert_eq!(first["duplicate"], false, "{header}");
        // At once, when the read model may not have it; and when it has.
        same(&http, &first, || {
            create(&http, &key, &note("acme", &json!({})))
        });
        applied(&http, &first);
        same(&http, &first, || {
            create(&http, &key, &note("acme", &json!({})))
        });
        // The key decides, not the content: it is the same call again.
        let other = note("acme", &json!({"document": "Something else."}));
        same(&http, &first, || create(&http, &key, &other));
        let second = another(&http, &first, || {
            create(
                &http,
                &[(header, "key-2")],
                &note("acme", &json!({"document": header})),
            )
        });
        another(&http, &second, || {
            create(&http, &key, &note("zeta", &json!({})))
        });
    }
    http.assert_verified();
}

#[test]
fn a_key_is_the_same_in_the_header_in_the_body_and_over_nats() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    let body = note("acme", &json!({}));
    let first = create(&http, &[("Idempotency-Key", "k")], &body);
    let ask = |key: &str| {
        let reply = nats.ask(
            "synap.v1.ingest",
            &[("Idempotency-Key", key)],
            body.to_string().as_bytes(),
        );
        reply.ok()
    };
    same(&http, &first, || ask("k"));
    let with_key = note("acme", &json!({"idempotency_key": "k"}));
    same(&http, &first, || http.store(&with_key));
    same(&http, &first, || nats.ingest(&with_key).ok());
    another(&http, &first, || ask("another"));
}

#[test]
fn the_same_document_twice_is_a_duplicate_with_the_original_ids() {
    let server = Server::fresh();
    let http = server.http();
    for more in [
        json!({}),
        json!({"document_id": "plan"}),
        json!({"document": {"release": "Monday"}}),
    ] {
        let body = note("acme", &more);
        let first = http.store(&body);
        assert_eq!(
            (&first["duplicate"], &first["status"]),
            (&json!(false), &json!("queued"))
        );
        same(&http, &first, || http.store(&body));
        applied(&http, &first);
        same(&http, &first, || http.store(&body));
        another(&http, &first, || {
            http.store(&ids(Some("zeta"), None, &body_of(&body)))
        });
        let user = ids(Some("acme"), Some("al"), &body_of(&body));
        another(&http, &first, || http.store(&user));
    }
    http.assert_verified();
}

fn body_of(body: &Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().expect("fields").remove("customer_id");
    body
}

#[test]
fn going_back_to_earlier_content_is_new_and_the_last_version_is_told() {
    let server = Server::fresh();
    let http = server.http();
    let version = |text: &str| {
        http.store(&note(
            "acme",
            &json!({"document": text, "document_id": "plan"}),
        ))
    };
    let (a, b) = ("The window is Tuesday.", "The window is Friday.");
    let mut last = version(a);
    applied(&http, &last);
    for text in [b, a, b, a] {
        last = another(&http, &last, || version(text));
        assert_eq!(last["document_id"], "plan");
        applied(&http, &last);
        assert_eq!(told(&http, "acme"), [text]);
        same(&http, &last, || version(text));
    }
    http.assert_verified();
}

#[test]
fn versions_that_come_in_a_hurry_end_as_the_last_one() {
    let server = Server::fresh();
    let http = server.http();
    let document = |at: usize| {
        note(
            "acme",
            &json!({"document": format!("Version {at} is it."), "document_id": "d"}),
        )
    };
    let documents: Vec<Value> = (0..20).map(document).collect();
    let answer = http
        .post("/api/v1/memories/batch", &json!({"documents": documents}))
        .ok();
    assert_eq!(answer["succeeded"], 20);
    applied(&http, &answer["results"][19]);
    assert_eq!(told(&http, "acme"), ["Version 19 is it."]);
    http.assert_verified();
}

#[test]
fn a_conflict_is_refused_where_the_caller_wants_no_replacement() {
    let server = Server::fresh();
    for (customer, door) in [("a", &server.http() as &dyn Door), ("b", &server.nats())] {
        let reject = json!({"document_id": "plan", "on_conflict": "reject"});
        let first = door.ingest(&note(customer, &reject)).ok();
        applied(&server.http(), &first);
        let before = server.http().log_seqs();
        let again = door.ingest(&note(customer, &reject)).ok();
        assert_eq!(again["duplicate"], true, "the same content is no conflict");
        let mut other = note(customer, &reject);
        other["document"] = "The release is on Friday.".into();
        let refused = door.ingest(&other);
        assert_eq!((refused.status, refused.code().as_str()), (409, "CONFLICT"));
        assert_eq!(server.http().log_seqs(), before);
        other["on_conflict"] = "replace".into();
        assert_eq!(door.ingest(&other).ok()["duplicate"], false);
    }
}

#[test]
fn batches_keep_their_keys_entry_by_entry() {
    let server = Server::fresh();
    let http = server.http();
    let longest = "k".repeat(256);
    for key in ["batch-1", longest.as_str()] {
        let documents: Vec<Value> = (0..3)
            .map(|at| {
                note(
                    "acme",
                    &json!({"document": format!("Line {at} of {}.", key.len())}),
                )
            })
            .collect();
        let body = json!({ "documents": documents }).to_string();
        let send = || {
            let headers = [("X-Correlation-ID", key)];
            http.send("POST", "/api/v1/memories/batch", &headers, body.as_bytes())
                .ok()
        };
        let (first, before) = (send(), http.log_seqs());
        assert_eq!(first["succeeded"], 3, "{first}");
        let again = send();
        assert_eq!(http.log_seqs(), before, "nothing is appended");
        for at in 0..3 {
            assert_eq!(again["results"][at]["duplicate"], true);
            assert_eq!(
                again["results"][at]["ingestion_id"],
                first["results"][at]["ingestion_id"]
            );
        }
    }
    let too_long = "k".repeat(257);
    for path in ["create", "batch"] {
        let headers = [("Idempotency-Key", too_long.as_str())];
        let reply = http.send("POST", &format!("/api/v1/memories/{path}"), &headers, b"{}");
        assert_eq!(reply.status, 400);
        let details = json!({"field": "Idempotency-Key", "limit": 256, "value": 257});
        assert_eq!(reply.json()["details"], details);
    }
}

#[test]
fn duplicates_are_recognised_after_a_restart_and_after_a_rebuild() {
    let server = Server::fresh();
    let home = server.home().clone();
    let key = [("Idempotency-Key", "k")];
    let (named, plain) = (
        json!({"document_id": "plan"}),
        json!({"document": "Without an id."}),
    );
    let (by_key, by_id, by_content) = {
        let http = server.http();
        (
            create(
                &http,
                &key,
                &note("acme", &json!({"document": "With a key."})),
            ),
            http.store(&note("acme", &named)),
            http.store(&note("acme", &plain)),
        )
    };
    assert!(server.terminate().success());
    let server = home.start();
    for rebuilt in [false, true] {
        let http = server.http();
        if rebuilt {
            http.job("rebuild");
        }
        same(&http, &by_key, || {
            create(
                &http,
                &key,
                &note("acme", &json!({"document": "With a key."})),
            )
        });
        same(&http, &by_id, || http.store(&note("acme", &named)));
        same(&http, &by_content, || http.store(&note("acme", &plain)));
    }
}

#[test]
fn duplicates_are_recognised_when_jetstream_has_long_forgotten_them() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    let window = Duration::from_millis(100);
    nats.set_duplicate_window(window);
    let key = [("Idempotency-Key", "k")];
    let keyed = note("acme", &json!({"document": "With a key."}));
    let (named, plain) = (
        note("acme", &json!({"document_id": "plan"})),
        note("acme", &json!({})),
    );
    let by_key = create(&http, &key, &keyed);
    let (by_id, by_content) = (http.store(&named), http.store(&plain));
    for receipt in [&by_key, &by_id, &by_content] {
        applied(&http, receipt);
    }
    pass(window * 5);
    same(&http, &by_key, || create(&http, &key, &keyed));
    same(&http, &by_id, || http.store(&named));
    same(&http, &by_content, || http.store(&plain));
    http.assert_verified();
}

#[test]
fn turns_without_a_key_are_not_taken_for_each_other() {
    let server = Server::fresh();
    let http = server.http();
    let chat = |text: &str| {
        let body = json!({"document": text, "document_type": "ai-chat-conversation"});
        http.store(&ids(Some("acme"), Some("al"), &body))
    };
    let first = chat("User: My name is Ada.\nAssistant: Hello Ada.");
    another(&http, &first, || {
        chat("User: My name is Bea.\nAssistant: Hello Bea.")
    });
}

#[test]
fn a_key_belongs_to_what_it_was_used_for() {
    let server = Server::fresh();
    let http = server.http();
    let key = [("Idempotency-Key", "k")];
    let al = |more: Value| ids(Some("acme"), Some("al"), &more).to_string();
    let send =
        |method: &str, path: &str, body: &str| http.send(method, path, &key, body.as_bytes()).ok();
    let body = ids(Some("acme"), Some("al"), &note("acme", &json!({})));
    applied(&http, &create(&http, &key, &body));
    let query = ids(
        Some("acme"),
        Some("al"),
        &json!({"response_shape": "ranked"}),
    );
    let found = crate::support::items(&http.fetch(&query).ok());
    let memory = format!(
        "/api/v1/memories/{}",
        found[0]["id"].as_str().expect("an id")
    );
    let changed = json!({"document": "Al sails.", "merge_strategy": "replace"}).to_string();
    for _ in 0..2 {
        assert_eq!(send("PATCH", &memory, &changed)["content"], "Al sails.");
    }
    let deletion = al(json!({"scope": "user", "confirm": "al"}));
    let first = send("POST", "/v1/data/delete", &deletion);
    assert_eq!(first["found"], true);
    assert_eq!(contents(&http.fetch(&query).ok()).len(), 0);
    assert_eq!(send("POST", "/v1/data/delete", &deletion), first);
}

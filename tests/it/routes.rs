//! The OpenAPI document and the routes are the same: every route of it is asked here, and answers as it says.

mod schema;

use crate::support::{Http, Reply, Server, until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const CONVERSATION: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const FORM: &str = "application/x-www-form-urlencoded";

/// One request to a route, and what comes back.
struct Row {
    method: &'static str,
    /// As in the document. Parts in braces are filled with what earlier answers said.
    path: &'static str,
    query: &'static str,
    body: Option<Body>,
    status: u16,
    /// Where to look in the answer, and what is there.
    shows: (&'static str, Value),
    /// What later paths are filled with: its name there, and where it stands in this answer.
    keeps: Option<(&'static str, &'static str)>,
}

enum Body {
    Json(Value),
    Form(&'static str),
    Lines(Value),
}

impl Row {
    fn new(method: &'static str, path: &'static str) -> Self {
        Self {
            method,
            path,
            query: "",
            body: None,
            status: 200,
            shows: ("", Value::Null),
            keeps: None,
        }
    }

    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    fn keeps(self, name: &'static str, at: &'static str) -> Self {
        Self {
            keeps: Some((name, at)),
            ..self
        }
    }

    fn shows(self, at: &'static str, what: impl Into<Value>) -> Self {
        Self {
            shows: (at, what.into()),
            ..self
        }
    }

    fn name(&self) -> (String, String) {
        (self.method.to_owned(), self.path.to_owned())
    }
}

fn get(path: &'static str) -> Row {
    Row::new("GET", path)
}

fn post(path: &'static str, body: Value) -> Row {
    Row {
        body: Some(Body::Json(body)),
        ..Row::new("POST", path)
    }
}

fn alice(more: Value) -> Value {
    of("alice", more)
}

fn of(user: &str, mut more: Value) -> Value {
    more["customer_id"] = "acme".into();
    more["user_id"] = user.into();
    more
}

fn turn(content: &str) -> Value {
    alice(json!({"conversation_id": CONVERSATION, "role": "user", "content": content}))
}

/// Every route, in an order in which each finds what it needs.
fn table() -> Vec<Row> {
    let mut rows = memories();
    rows.extend(conversations());
    rows.extend(server());
    rows
}

fn memories() -> Vec<Row> {
    let document = alice(json!({"document": "Alice prefers tea.", "document_type": "document"}));
    let upload = Row {
        body: Some(Body::Form("text=Tea+is+served+at+four.&customer_id=acme")),
        ..Row::new("POST", "/api/v1/memories/upload").shows("/scope", "customer")
    };
    let zoe = json!({"scope": "user", "dry_run": false, "confirm": "zoe"});
    let asked = |level: &str| {
        let mut body = json!({"search_query": ["green tea"], "response_shape": "ranked", "types": ["all"],
            "mode": "fast", "max_results": 5, "explain": true});
        if level != "client" {
            body["customer_id"] = "acme".into();
        }
        if level == "user" {
            body["user_id"] = "alice".into();
        }
        body
    };
    let found = "/context/items/0/content";
    vec![
        post("/api/v1/memories/create", document).shows("/scope", "user"),
        post(
            "/api/v1/memories/batch",
            json!({"documents": [{"document": "A note.", "metadata": null}], "fail_fast": true}),
        )
        .shows("/succeeded", 1),
        upload,
        get("/api/v1/memories/status/{ingestion_id}").shows("/status", "completed"),
        get("/api/v1/memories/{memory_id}")
            .shows("/content", "Alice likes green tea.")
            .keeps("level", "/scope"),
        post("/v1/context/user/fetch", asked("user")).shows(found, "Alice likes green tea."),
        post("/v1/context/customer/fetch", asked("customer")).shows(found, "Acme sells green tea."),
        post("/v1/context/client/fetch", asked("client")).shows(found, "Green tea is a tea."),
        Row {
            body: Some(Body::Json(
                json!({"document": "Alice likes black tea.", "merge_strategy": "replace"}),
            )),
            ..Row::new("PATCH", "/api/v1/memories/{memory_id}")
                .shows("/content", "Alice likes black tea.")
        },
        post(
            "/api/v1/memories/forget",
            alice(json!({"description": "black tea", "mode": "preview"})),
        )
        .shows("/candidates/0/content", "Alice likes black tea."),
        get("/v1/memories/{memory_id}/history")
            .shows("/versions/0/ended/how", "updated")
            .keeps("event_id", "/versions/1/created/event_id"),
        get("/v1/scopes/{level}/events")
            .query("customer_id=acme&user_id=alice&limit=1")
            .shows("/events/0/type", "memory.ingested"),
        Row::new("POST", "/v1/events/{event_id}/undo").shows("/memories/0/is_told", true),
        post(
            "/v1/memories/{memory_id}/promote",
            json!({"to": "customer", "confirm": null, "user_id": "alice", "customer_id": "acme"}),
        )
        .shows("/scope", "customer")
        .keeps("memory_id", "/memory_id"),
        post(
            "/v1/memories/{memory_id}/demote",
            json!({"to": "user", "user_id": "alice"}),
        )
        .shows("/scope", "user")
        .keeps("memory_id", "/memory_id"),
        Row::new("DELETE", "/api/v1/memories/{memory_id}").keeps("gone", "/memory_id"),
        post("/v1/data/delete", of("zoe", zoe))
            .shows("/found", true)
            .keeps("deletion_id", "/deletion_id"),
        get("/v1/data/delete/{deletion_id}").shows("/counts/memories", 1),
    ]
}

fn conversations() -> Vec<Row> {
    let more = "We decided to ship on Friday.";
    let transcript = alice(
        json!({"conversation_id": "call:1", "transcript": [{"role": "user", "content": "Hello.",
        "timestamp": null, "speaker": "Alice", "metadata": null}], "conversation_type": "voice"}),
    );
    let event = json!({"event_type": "user_message", "event_id": "e1", "content": "And again.",
        "conversation_id": CONVERSATION, "metadata": {}});
    let query = "customer_id=acme&user_id=alice";
    vec![
        post("/v1/conversations/messages", turn("My name is Alice."))
            .shows("/conversation_message_count", 1)
            .keeps("conversation_id", "/conversation_id"),
        post(
            "/v1/conversations/messages/batch",
            json!({"messages": [turn(more), turn("")]}),
        )
        .shows("/succeeded", 2),
        post("/v1/events/batch", json!({"events": [alice(event)]})).shows("/accepted", 1),
        post("/v1/conversations/ingest", transcript).shows("/turns_recorded", 1),
        get("/v1/conversations/{conversation_id}/compaction/status").shows("/status", "none"),
        post(
            "/v1/conversations/compact",
            alice(
                json!({"conversation_id": CONVERSATION, "strategy": "balanced",
            "target_tokens": null, "force": false}),
            ),
        )
        .shows("/status", "completed"),
        get("/v1/conversations/{conversation_id}/compacted")
            .query("format=narrative&version=1")
            .shows("/version", 1),
        get("/v1/conversations/{conversation_id}/messages")
            .query("start=2&limit=1")
            .shows("/turns/0/content", more),
        get("/v1/conversations/{conversation_id}/context-for-prompt")
            .query(query)
            .shows("/total_message_count", 4),
        post(
            "/v1/context/conversation/fetch",
            alice(json!({"conversation_id": CONVERSATION,
            "search_query": ["ship on Friday"], "response_shape": "ranked"})),
        )
        .shows("/context/items/0/content", format!("User: {more}")),
        get("/v1/users/{user_id}/profile")
            .query("customer_id=acme")
            .shows("/profile/attributes/name/value", "Alice"),
    ]
}

fn server() -> Vec<Row> {
    let export = json!({"synap_export": 1, "client": "cli_0000000000000001", "scope": "client", "scope_path": {},
        "partitions": 1, "last_seq": {}, "event_types": []});
    vec![
        get("/openapi.json").shows("/openapi", "3.1.0"),
        get("/health").shows("/status", "ok"),
        get("/health/live").shows("/status", "ok"),
        get("/health/ready").shows("/status", "ok"),
        get("/metrics"),
        get("/api/v1/auth/whoami").shows("/user_context_isolation", "strict"),
        post("/v1/telemetry/batch", json!({"events": [{}, {}]})).shows("/events_received", 2),
        get("/v1/credits/balance").shows("/unlimited", true),
        get("/v1/credits/ledger")
            .query("limit=7")
            .shows("/limit", 7),
        post("/v1/credits/estimate", json!({"units": 1})).shows("/credits_estimate", 0),
        post("/v1/credits/redeem", json!({"code": "x"})).shows("/credits_granted", 0),
        get("/v1/admin/status").shows("/status", "ok"),
        get("/v1/admin/parked").shows("/parked", json!([])),
        post("/v1/admin/verify", json!({"sample": 0.5})).shows("/kind", "verify"),
        post("/v1/admin/rollback", json!({})).shows("/kind", "rollback"),
        post(
            "/v1/admin/rebuild",
            json!({"accept_difference": false, "cpu_share": 1.0}),
        )
        .shows("/kind", "rebuild")
        .keeps("job", "/job"),
        get("/v1/admin/jobs/{job}").shows("/kind", "rebuild"),
        get("/v1/admin/generations").shows("/partitions/0/named", json!([])),
        Row {
            status: 400,
            ..post("/v1/admin/generations/remove", json!({"name": "x"}))
                .shows("/details/field", "name")
        },
        get("/v1/admin/export").query("customer_id=acme&user_id=alice"),
        Row {
            body: Some(Body::Lines(export)),
            ..Row::new("POST", "/v1/admin/import").shows("/new", 0)
        },
        Row {
            status: 400,
            ..post("/v1/admin/backup", json!({"dir": "not/absolute"}))
                .shows("/details/field", "dir")
        },
    ]
}

/// Fills the server with what some rows read.
fn seed(http: &Http) -> BTreeMap<&'static str, String> {
    let document = |text: &str| json!({"document": text, "document_type": "document"});
    let mut acme = document("Acme sells green tea.");
    acme["customer_id"] = "acme".into();
    let others = [
        document("Green tea is a tea."),
        acme,
        of("zoe", document("Zoe is here.")),
    ];
    let alices = http.store(&alice(document("Alice likes green tea.")));
    let ingestion = |receipt: &Value| receipt["ingestion_id"].as_str().expect("an id").to_owned();
    let mut status = Value::Null;
    for receipt in others.iter().map(|body| http.store(body)).chain([alices]) {
        let path = format!("/api/v1/memories/status/{}", ingestion(&receipt));
        until("it is applied", || {
            status = http.get(&path).ok();
            status["status"] == "completed"
        });
    }
    let memory = status["memory_ids"][0].as_str().expect("a memory");
    BTreeMap::from([
        ("ingestion_id", ingestion(&status)),
        ("memory_id", memory.to_owned()),
        ("user_id", "alice".to_owned()),
    ])
}

fn ask(http: &Http, row: &Row, known: &BTreeMap<&str, String>) -> Reply {
    let mut path = row.path.to_owned();
    for (name, value) in known {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    if !row.query.is_empty() {
        path = format!("{path}?{}", row.query);
    }
    match &row.body {
        None => http.send(row.method, &path, &[], &[]),
        Some(Body::Json(body) | Body::Lines(body)) => {
            http.send(row.method, &path, &[], body.to_string().as_bytes())
        }
        Some(Body::Form(form)) => {
            let form_type = [("Content-Type", FORM)];
            http.send(row.method, &path, &form_type, form.as_bytes())
        }
    }
}

/// The operations of the document, by method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().expect("methods").clone();
        let path = path.clone();
        item.into_iter()
            .map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

#[track_caller]
fn assert_fits(document: &Value, schema: &Value, value: &Value, what: &str) {
    let problems = schema::problems(document, schema, value);
    assert!(problems.is_empty(), "{what}: {problems:#?}\n{value:#}");
}

#[track_caller]
fn assert_answer_fits(document: &Value, operation: &Value, reply: &Reply, what: &str) {
    let response = &operation["responses"][reply.status.to_string()];
    assert!(
        response.is_object(),
        "{what}: {reply:?} is not in the document"
    );
    let schema = &response["content"][JSON]["schema"];
    if schema.is_object() {
        assert_fits(document, schema, &reply.json(), what);
    }
}

#[test]
fn every_route_is_in_the_document_and_in_the_table_and_answers_as_they_say() {
    let server = Server::fresh();
    let http = server.http();
    let document = http.with_key(None).get("/openapi.json").ok();
    let operations = operations(&document);
    let (rows, mut known) = (table(), seed(&http));
    let in_table: BTreeSet<_> = rows.iter().map(Row::name).collect();
    let in_document: BTreeSet<_> = operations.keys().cloned().collect();
    assert_eq!(in_table.len(), rows.len(), "one row for each route");
    assert_eq!(in_table, in_document);
    for row in &rows {
        let what = format!("{} {}", row.method, row.path);
        let operation = &operations[&row.name()];
        if let Some(body) = &row.body {
            let content = &operation["requestBody"]["content"];
            match body {
                Body::Json(body) => {
                    assert_fits(&document, &content[JSON]["schema"], body, &what);
                }
                Body::Lines(_) => assert!(content[LINES].is_object(), "{what}"),
                Body::Form(_) => assert!(content[FORM].is_object(), "{what}"),
            }
        }
        let reply = ask(&http, row, &known);
        assert_eq!(reply.status, row.status, "{what}: {reply:?}");
        assert_answer_fits(&document, operation, &reply, &what);
        let (at, expected) = &row.shows;
        if !expected.is_null() {
            let answer = reply.json();
            assert_eq!(answer.pointer(at), Some(expected), "{what}: {answer:#}");
        }
        if let Some((name, at)) = row.keeps {
            let answer = reply.json();
            let kept = answer.pointer(at).and_then(Value::as_str);
            known.insert(name, kept.expect(name).to_owned());
        }
    }
}

#[test]
fn a_route_wants_a_key_unless_the_document_says_otherwise() {
    let server = Server::fresh();
    let http = server.http().with_key(None);
    let document = http.get("/openapi.json").ok();
    assert_eq!(document["security"], json!([{"key": []}]));
    let mut open = 0;
    for ((method, path), operation) in operations(&document) {
        let what = format!("{method} {path}");
        let body: &[u8] = if operation["requestBody"].is_object() {
            b"{}"
        } else {
            b""
        };
        let reply = http.send(&method, &path.replace(['{', '}'], ""), &[], body);
        assert_answer_fits(&document, &operation, &reply, &what);
        let is_open = operation["security"] == json!([{}]);
        open += usize::from(is_open);
        assert_eq!(reply.status, if is_open { 200 } else { 401 }, "{what}");
    }
    assert_eq!(open, 5);
}

#[test]
fn what_does_not_fit_its_schema_is_found() {
    let document = json!({"components": {"schemas": {"A": {"type": "object", "required": ["n"], "properties": {
        "n": {"type": ["integer", "null"], "minimum": 1}, "l": {"type": "array", "items": {"enum": ["x"]}}}}}}});
    let schema = json!({"$ref": "#/components/schemas/A"});
    let count = |value: Value| schema::problems(&document, &schema, &value).len();
    for good in [
        json!({"n": 1}),
        json!({"n": null, "l": ["x", "x"], "more": 1}),
    ] {
        assert_eq!(count(good), 0);
    }
    for bad in [
        json!([]),
        json!({}),
        json!({"n": 0}),
        json!({"n": "1"}),
        json!({"n": 1, "l": ["y"]}),
    ] {
        assert_eq!(count(bad.clone()), 1, "{bad}");
    }
}

//! Who sees what: the truth table over clients, customers and users, with a canary in every scope.

use crate::support::{Door, Home, Http, KEY, Server, ids, items, until};
use serde_json::{Value, json};

const KEY_B: &str = "it-key-of-client-b";
const KEY_C: &str = "it-key-of-client-c";
/// A second instance of client B: the same memories, another key.
const KEY_B2: &str = "it-key-of-client-b-again";

const INSTANCES: &str = r#"
[[instances]]
client_id = "client_b"
instance_id = "inst_b"
api_keys = ["it-key-of-client-b"]

[[instances]]
client_id = "client_b"
instance_id = "inst_b_again"
api_keys = ["it-key-of-client-b-again"]

[[instances]]
client_id = "client_c"
instance_id = "inst_c"
isolation = "equals_customer"
api_keys = ["it-key-of-client-c"]
"#;

/// A scope as its owner names it: the key, the customer, the user.
type Whose = (&'static str, Option<&'static str>, Option<&'static str>);

/// Equal ids everywhere: what tells the scopes apart is whose they are.
const SCOPES: &[Whose] = &[
    (KEY, None, None),
    (KEY, Some("acme"), None),
    (KEY, Some("acme"), Some("al")),
    (KEY, Some("acme"), Some("bo")),
    (KEY, Some("acme"), Some("acme")),
    (KEY, Some("zeta"), None),
    (KEY, Some("zeta"), Some("al")),
    (KEY, Some("al"), None),
    (KEY, Some("al"), Some("acme")),
    (KEY_B, None, None),
    (KEY_B, Some("acme"), None),
    (KEY_B, Some("acme"), Some("al")),
    (KEY_C, None, None),
    (KEY_C, None, Some("al")),
    (KEY_C, None, Some("acme")),
];

fn canary(at: usize) -> String {
    format!("canary{at:02}x")
}

/// Whether a fetch at `asked` may tell what was stored at `stored`: the same client, and an outer or the same scope.
fn sees(asked: Whose, stored: Whose) -> bool {
    let outer = |stored: Option<&str>, asked: Option<&str>| stored.is_none() || stored == asked;
    asked.0 == stored.0 && outer(stored.1, asked.1) && outer(stored.2, asked.2)
}

fn start() -> Server {
    Home::new().serve().config(INSTANCES).start()
}

fn door(server: &Server, key: &str) -> Http {
    server.http().with_key(Some(key))
}

fn store_canaries(server: &Server) {
    let mut receipts = Vec::new();
    for (at, (key, customer, user)) in SCOPES.iter().enumerate() {
        let text = format!("The shared project plan says {}.", canary(at));
        let more = json!({"document": text, "document_type": "document", "document_id": "plan",
            "metadata": {"note": format!("meta-{}", canary(at))}});
        let http = door(server, key);
        let receipt = http.store(&ids(*customer, *user, &more));
        receipts.push((
            http,
            receipt["ingestion_id"].as_str().expect("an id").to_owned(),
        ));
    }
    for (http, id) in &receipts {
        until("all is applied", || {
            http.status(id).ok()["status"] == "completed"
        });
    }
    for (at, (http, id)) in receipts.iter().enumerate() {
        let owner = SCOPES[at].0;
        for key in [KEY, KEY_B, KEY_C] {
            let status = http.with_key(Some(key)).status(id).status;
            assert_eq!(
                status,
                if key == owner { 200 } else { 404 },
                "ingestion of {owner}"
            );
        }
    }
}

/// Everything that `asked` can provoke: no body may hold a canary of a scope that it does not see.
fn check(door: &dyn Door, asked: Whose) {
    let (_, customer, user) = asked;
    let all = (0..SCOPES.len()).map(canary).collect::<Vec<_>>().join(" ");
    let questions = [
        json!({"search_query": ["what does the shared project plan say"]}),
        json!({"search_query": [all], "explain": true}),
        json!({"search_query": ["acme", "al", "zeta", "client_b"]}),
        json!({}),
    ];
    for question in questions {
        let mut body = ids(customer, user, &question);
        body["max_results"] = 1_000.into();
        body["min_relevance"] = 0.into();
        body["response_shape"] = "ranked".into();
        let reply = door.fetch(&body);
        let answer = reply.ok();
        for (at, stored) in SCOPES.iter().enumerate() {
            let told = reply.text().contains(&format!("plan says {}", canary(at)));
            if sees(asked, *stored) {
                assert!(told, "{asked:?} is not told what {stored:?} stored: {body}");
                continue;
            }
            // A query is repeated in the answer as "matched"; everything else would be a leak.
            let mut answer = answer.clone();
            strip_queries(&mut answer);
            let text = answer.to_string();
            assert!(
                !text.contains(&canary(at)),
                "{asked:?} sees {stored:?} with {body}: {text}"
            );
        }
        let kinds = answer["scopes"].as_array().expect("scopes").len();
        let levels = usize::from(customer.is_some()) + usize::from(user.is_some());
        assert_eq!(kinds, levels + 1, "the chain of {asked:?}");
    }
}

fn strip_queries(answer: &mut Value) {
    let lists = answer["context"].as_object_mut().expect("a context");
    for item in lists.values_mut().filter_map(Value::as_array_mut).flatten() {
        item.as_object_mut()
            .expect("an item")
            .remove("matched_queries");
    }
}

#[test]
fn nobody_is_told_what_another_client_customer_or_user_stored_over_http() {
    let server = start();
    store_canaries(&server);
    for asked in SCOPES {
        check(&door(&server, asked.0), *asked);
    }
    // Ids that nobody wrote to, and a key that stands for the same client.
    for asked in [
        (KEY, Some("nobody"), Some("al")),
        (KEY, Some("acme"), Some("nobody")),
        (KEY, Some("ACME"), None),
        (KEY_B, Some("zeta"), Some("al")),
        (KEY_C, None, Some("nobody")),
    ] {
        check(&door(&server, asked.0), asked);
    }
    let again = door(&server, KEY_B2);
    check(&again, (KEY_B, Some("acme"), Some("al")));
}

#[test]
fn nobody_is_told_what_another_client_customer_or_user_stored_over_nats() {
    let server = start();
    store_canaries(&server);
    for asked in SCOPES {
        check(&server.nats_as(Some(asked.0)), *asked);
    }
}

#[test]
fn keys_say_who_they_are_and_only_the_operators_steer() {
    let server = start();
    for (key, client, isolation) in [
        (KEY, "cli_0000000000000001", "strict"),
        (KEY_B, "client_b", "strict"),
        (KEY_C, "client_c", "equals_customer"),
    ] {
        let who = door(&server, key).get("/api/v1/auth/whoami").ok();
        assert_eq!(who["client_id"], client);
        assert_eq!(who["user_context_isolation"], isolation);
        assert!(!who.to_string().contains(key), "the key is not shown");
    }
    let unknown = door(&server, KEY_B).get("/no/such/route");
    for (method, path) in [
        ("GET", "/v1/admin/status"),
        ("GET", "/v1/admin/parked"),
        ("POST", "/v1/admin/rebuild"),
        ("POST", "/v1/admin/rollback"),
        ("POST", "/v1/admin/verify"),
        ("GET", "/v1/admin/generations"),
        ("POST", "/v1/admin/generations/remove"),
        ("GET", "/v1/admin/jobs/1"),
    ] {
        let body: &[u8] = if method == "POST" { b"{}" } else { b"" };
        let refused = door(&server, KEY_B).send(method, path, &[], body);
        assert_eq!(refused, unknown, "{path} as if it were not there");
    }
}

#[test]
fn a_stolen_document_id_or_ingestion_id_opens_nothing() {
    let server = start();
    let (a, b) = (door(&server, KEY), door(&server, KEY_B));
    let body = |text: &str| {
        let more =
            json!({"document": text, "document_type": "document", "document_id": "handbook"});
        ids(Some("acme"), None, &more)
    };
    let first = a.store(&body("The handbook of A says blue."));
    let second = b.store(&body("The handbook of B says green."));
    assert_eq!(
        second["duplicate"], false,
        "an equal document id of another client"
    );
    let same = b.store(&body("The handbook of A says blue."));
    assert_eq!(same["duplicate"], false, "equal content of another client");
    assert_ne!(first["ingestion_id"], same["ingestion_id"]);
    let id = first["ingestion_id"].as_str().expect("an id");
    let nobodys = "5e9a4b52-6a0f-8c3d-9a51-3f1d2b7c9e10";
    assert_eq!(
        b.status(id),
        b.status(nobodys),
        "foreign and unknown: the same bytes"
    );
    assert_eq!(b.status(id).status, 404);
    let told = a.fetch(&ids(
        Some("acme"),
        None,
        &json!({"response_shape": "ranked", "position": first["position"]}),
    ));
    assert_eq!(items(&told.ok()).len(), 1);
}

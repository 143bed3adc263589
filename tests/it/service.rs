//! The NATS micro service: found by everyone, asked, counted.

use crate::support::{Door as _, Server, ids, items};
use serde_json::{Value, json};

fn one(mut answers: Vec<Value>) -> Value {
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

fn count(stats: &Value, endpoint: &str, field: &str) -> u64 {
    let endpoints = stats["endpoints"].as_array().expect("endpoints");
    let found = endpoints.iter().find(|found| found["name"] == endpoint);
    found.expect("the endpoint")[field]
        .as_u64()
        .expect("a number")
}

#[test]
fn the_service_answers_ping_info_and_stats() {
    let server = Server::fresh();
    let nats = server.nats_as(None);
    let ping = one(nats.gather("$SRV.PING.synap"));
    assert_eq!(ping["name"], "synap");
    assert_eq!(ping["type"], "io.nats.micro.v1.ping_response");
    let info = one(nats.gather("$SRV.INFO.synap"));
    assert_eq!(info["id"], ping["id"]);
    let endpoints = info["endpoints"].as_array().expect("endpoints");
    let mut subjects: Vec<&str> = endpoints
        .iter()
        .filter_map(|e| e["subject"].as_str())
        .collect();
    subjects.sort_unstable();
    assert_eq!(subjects.len(), 16);
    for subject in ["fetch", "ingest", "status", "record", "forget"] {
        assert!(
            subjects.contains(&format!("synap.v1.{subject}").as_str()),
            "{subjects:?}"
        );
    }
    let by_id = format!("$SRV.PING.synap.{}", ping["id"].as_str().expect("an id"));
    assert_eq!(one(nats.gather(&by_id)), ping);
    assert_eq!(one(nats.gather("$SRV.PING")), ping, "everyone is asked");
}

#[test]
fn conversations_and_changes_are_asked_for_as_over_http() {
    let server = Server::fresh();
    let (nats, http) = (server.nats(), server.http());
    let id = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
    let of_alice = |more: Value| ids(Some("acme"), Some("alice"), &more);
    let ask = |operation: &str, body: &Value| {
        nats.ask(
            &format!("synap.v1.{operation}"),
            &[],
            body.to_string().as_bytes(),
        )
    };
    let turn = of_alice(
        json!({"conversation_id": id, "role": "user", "content": "I keep bees in Lisbon."}),
    );
    let receipt = ask("record", &turn).ok();
    assert_eq!(receipt["conversation_message_count"], 1);
    let keyed = |_| {
        nats.ask(
            "synap.v1.record",
            &[("Idempotency-Key", "k")],
            turn.to_string().as_bytes(),
        )
        .ok()
    };
    let [first, again] = [0, 1].map(keyed);
    assert_eq!(first["message_id"], again["message_id"]);
    let listed = ask(
        "messages",
        &json!({"conversation_id": id, "start": 1, "limit": 10}),
    )
    .ok();
    assert_eq!(
        listed,
        http.get(&format!("/v1/conversations/{id}/messages?start=1&limit=10"))
            .ok()
    );
    let prompt = ask(
        "prompt",
        &json!({"conversation_id": id, "style": "narrative"}),
    )
    .ok();
    assert_eq!(
        prompt,
        http.get(&format!(
            "/v1/conversations/{id}/context-for-prompt?style=narrative"
        ))
        .ok()
    );
    assert_eq!(
        ask("compact", &json!({"conversation_id": id})).ok()["status"],
        "completed"
    );
    let compacted = ask("compacted", &json!({"conversation_id": id})).ok();
    assert_eq!(
        compacted,
        http.get(&format!("/v1/conversations/{id}/compacted")).ok()
    );
    let asked = json!({"conversation_id": id, "search_query": "bees", "response_shape": "ranked"});
    let found = items(&ask("conversation-fetch", &asked).ok());
    let memory = json!({"memory_id": found[0]["id"], "document": "I keep ducks.", "merge_strategy": "replace"});
    assert_eq!(ask("memory", &memory).ok()["content"], found[0]["content"]);
    assert_eq!(ask("update", &memory).ok()["content"], "I keep ducks.");
    assert_eq!(
        ask("forget", &of_alice(json!({"description": "keep ducks"}))).ok()["status"],
        "preview"
    );
    assert_eq!(ask("forget-one", &memory).ok()["memory_id"], found[0]["id"]);
    assert_eq!(ask("memory", &memory).status, 404);
}

#[test]
fn users_and_transcripts_are_asked_for_as_over_http() {
    let server = Server::fresh();
    let nats = server.nats();
    let of_alice = |more: Value| ids(Some("acme"), Some("alice"), &more);
    let ask = |operation: &str, body: &Value| {
        let subject = format!("synap.v1.{operation}");
        nats.ask(&subject, &[], body.to_string().as_bytes())
    };
    let whole = json!([{"role": "user", "content": "I live in Lisbon."}]);
    let transcript = of_alice(json!({"conversation_id": "call 7", "transcript": whole}));
    assert_eq!(ask("transcript", &transcript).ok()["turns_recorded"], 1);
    assert_eq!(
        ask("profile", &of_alice(json!({}))).ok()["profile"]["attributes"]["location"]["value"],
        "Lisbon"
    );
    let delete = of_alice(json!({"scope": "user", "confirm": "alice"}));
    assert_eq!(ask("delete", &delete).ok()["found"], true);
    assert_eq!(
        ask("messages", &json!({"conversation_id": "call 7"})).status,
        404
    );
    for operation in ["record", "messages", "memory", "profile", "delete"] {
        assert_eq!(ask(operation, &json!({})).status, 400, "{operation}");
        let bare = server
            .nats_as(None)
            .ask(&format!("synap.v1.{operation}"), &[], b"{}");
        assert_eq!(bare.status, 401, "{operation}");
    }
}

#[test]
fn requests_and_refusals_are_counted() {
    let server = Server::fresh();
    let nats = server.nats();
    let before = one(nats.gather("$SRV.STATS.synap"));
    for endpoint in ["ingest", "fetch", "status"] {
        assert_eq!(count(&before, endpoint, "num_requests"), 0);
    }
    for at in 0..3 {
        assert_eq!(
            nats.ingest(&json!({"document": format!("Note {at}.")}))
                .status,
            200
        );
    }
    assert_eq!(nats.ingest(&json!({})).status, 400);
    assert_eq!(server.nats_as(None).fetch(&json!({})).status, 401);
    assert_eq!(nats.fetch(&json!({})).status, 200);
    assert_eq!(nats.status("x").status, 404);
    let stats = one(nats.gather("$SRV.STATS.synap"));
    for (endpoint, requests, errors) in [("ingest", 4, 1), ("fetch", 2, 1), ("status", 1, 1)] {
        assert_eq!(
            count(&stats, endpoint, "num_requests"),
            requests,
            "{endpoint}"
        );
        assert_eq!(count(&stats, endpoint, "num_errors"), errors, "{endpoint}");
    }
    let metrics = server.http().get("/metrics").text();
    assert!(
        metrics.contains("synap_ingests_total{outcome=\"stored\"} 3"),
        "{metrics}"
    );
    assert!(
        metrics.contains("synap_fetches_total{scope=\"client\",outcome=\"ok\"} 1"),
        "{metrics}"
    );
}

#[test]
fn two_servers_on_one_nats_share_the_requests() {
    let nats = crate::support::ExternalNats::start();
    let start = || {
        let home = crate::support::Home::new();
        home.serve().args(["--nats-url", &nats.url()]).start()
    };
    let (first, second) = (start(), start());
    let client = first.nats();
    assert_eq!(client.gather("$SRV.PING.synap").len(), 2);
    let receipts: Vec<Value> = (0..40)
        .map(|at| {
            client
                .ingest(&json!({"document": format!("Shared note s{at}e.")}))
                .ok()
        })
        .collect();
    let stats = client.gather("$SRV.STATS.synap");
    let counts: Vec<u64> = stats
        .iter()
        .map(|one| count(one, "ingest", "num_requests"))
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 40);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    // Whoever took the write, each of them has it at its position.
    for server in [&first, &second] {
        let last = &receipts[39]["position"];
        let body = json!({"position": last, "if_stale": "refuse", "wait_ms": 30_000, "max_results": 100,
            "response_shape": "ranked"});
        let told = server.http().fetch(&body).ok();
        assert_eq!(crate::support::contents(&told).len(), 40);
        server.http().assert_verified();
    }
}

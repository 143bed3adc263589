//! Conversations over HTTP: turns, transcripts, summaries, profiles; whose they are, and that they outlive the server.

use crate::support::{Home, Http, KEY, Server, contents, ids, items};
use serde_json::{Value, json};

const KEY_B2C: &str = "it-key-of-a-consumer-app";
const KEY_TEAMS: &str = "it-key-of-an-app-with-teams";
const INSTANCES: &str = r#"
[[instances]]
client_id = "client_b2c"
instance_id = "inst_b2c"
isolation = "equals_customer"
api_keys = ["it-key-of-a-consumer-app"]

[[instances]]
client_id = "client_teams"
instance_id = "inst_teams"
isolation = ["customer", "team", "user"]
api_keys = ["it-key-of-an-app-with-teams"]
"#;

/// The conversation of a test; every test has a server of its own.
const ID: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";

fn alice(more: &Value) -> Value {
    ids(Some("acme"), Some("alice"), more)
}

fn turn(conversation: &str, role: &str, content: &str) -> Value {
    alice(&json!({"conversation_id": conversation, "role": role, "content": content}))
}

#[track_caller]
fn record(http: &Http, conversation: &str, role: &str, content: &str) -> Value {
    http.post(
        "/v1/conversations/messages",
        &turn(conversation, role, content),
    )
    .ok()
}

#[track_caller]
fn said(http: &Http, conversation: &str) -> Vec<String> {
    let answer = http
        .get(&format!("/v1/conversations/{conversation}/messages"))
        .ok();
    let turns = answer["turns"].as_array().expect("turns").iter().zip(1..);
    turns
        .map(|(turn, position)| {
            assert_eq!(turn["position"], position);
            turn["content"].as_str().expect("content").to_owned()
        })
        .collect()
}

#[track_caller]
fn fetch(http: &Http, level: &str, body: &Value) -> Value {
    let mut body = body.clone();
    body["response_shape"] = "ranked".into();
    http.post(&format!("/v1/context/{level}/fetch"), &body).ok()
}

#[test]
fn turns_are_listed_counted_found_and_survive_a_kill() {
    let home = Home::new();
    let server = home.serve().start();
    let (http, id) = (server.http(), ID);
    for (number, (role, content)) in [
        ("user", "I keep bees."),
        ("assistant", "Noted."),
        ("user", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let receipt = record(&http, id, role, content);
        assert_eq!(receipt["conversation_message_count"], number + 1);
        assert_eq!(receipt["conversation_id"], id);
    }
    assert_eq!(said(&http, id), ["I keep bees.", "Noted.", ""]);
    let asked = json!({"conversation_id": id, "search_query": ["bees"]});
    let first = &items(&fetch(&http, "conversation", &asked))[0];
    assert_eq!(
        (&first["content"], &first["turn"]),
        (&json!("User: I keep bees."), &json!(1))
    );
    assert_eq!(first["conversation_id"], id);
    server.kill();
    let server = home.serve().start();
    let http = server.http();
    assert_eq!(said(&http, id), ["I keep bees.", "Noted.", ""]);
    http.assert_verified();
}

#[test]
fn a_retried_turn_is_one_turn_and_a_repeated_one_is_two() {
    let server = Home::new().serve().start();
    let (http, id) = (server.http(), ID);
    let body = turn(id, "user", "ok").to_string();
    let send = |key: &str| {
        let headers = [("X-Correlation-ID", key)];
        http.send(
            "POST",
            "/v1/conversations/messages",
            &headers,
            body.as_bytes(),
        )
        .ok()
    };
    let (first, again, other) = (send("syn_1"), send("syn_1"), send("syn_2"));
    assert_eq!(first["message_id"], again["message_id"]);
    assert_eq!(
        (&first["duplicate"], &again["duplicate"]),
        (&json!(false), &json!(true))
    );
    assert_ne!(first["message_id"], other["message_id"]);
    let batch =
        json!({"messages": [turn(id, "user", "ok"), turn(id, "user", "ok"), {"role": "user"}]});
    let send = || {
        let headers = [("X-Correlation-ID", "syn_3")];
        let body = batch.to_string();
        http.send(
            "POST",
            "/v1/conversations/messages/batch",
            &headers,
            body.as_bytes(),
        )
        .ok()
    };
    let (first, again) = (send(), send());
    assert_eq!(
        (&first["succeeded"], &first["failed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(first["errors"][0]["index"], 2);
    let ids = |answer: &Value| [0, 1].map(|at| answer["results"][at]["message_id"].clone());
    assert_eq!(ids(&first), ids(&again));
    // The same turn as an event of the client's stream: the first two of these are reports of turns that are there.
    let event = |id_of: &str| {
        let mut event = turn(id, "user", "ok");
        event["event_type"] = "user_message".into();
        event["event_id"] = id_of.into();
        event
    };
    let events: Vec<Value> = ["e1", "e2", "e3", "e4", "e5", "e1"].map(event).into();
    let answer = http
        .post("/v1/events/batch", &json!({"events": events}))
        .ok();
    assert_eq!(
        (&answer["accepted"], &answer["rejected"]),
        (&json!(6), &json!(0))
    );
    assert_eq!(said(&http, id), ["ok"; 5]);
}

#[test]
fn a_transcript_is_taken_once_and_another_one_is_a_conflict() {
    let server = Home::new().serve().start();
    let http = server.http();
    let name = "call:+15550001";
    let body = |transcript: Value| {
        alice(
            &json!({"conversation_id": name, "transcript": transcript, "conversation_type": "voice"}),
        )
    };
    let turns = json!([
        {"role": "user", "content": "My dog is called Rex.", "speaker": "Alice", "timestamp": "2026-11-20T10:00:00",
            "metadata": {"ext_id": "turn-1"}},
        {"role": "assistant", "content": "Hello Rex!", "timestamp": null, "speaker": null, "metadata": null},
    ]);
    let ingest =
        |transcript: &Value| http.post("/v1/conversations/ingest", &body(transcript.clone()));
    let first = ingest(&turns).ok();
    assert_eq!(
        (&first["status"], &first["turns_recorded"]),
        (&json!("queued"), &json!(2))
    );
    assert_eq!(first["external_conversation_id"], name);
    let again = ingest(&turns).ok();
    assert_eq!(
        (&again["status"], &again["ingestion_id"]),
        (&json!("duplicate"), &first["ingestion_id"])
    );
    let other = ingest(&json!("User: something else")).refused(409);
    assert_eq!(other["detail"]["code"], "transcript_conflict");
    let id = first["conversation_id"].as_str().expect("an id");
    assert_eq!(said(&http, id), ["My dog is called Rex.", "Hello Rex!"]);
    let status = http
        .get(&format!(
            "/api/v1/memories/status/{}",
            first["ingestion_id"].as_str().unwrap()
        ))
        .ok();
    assert_eq!(
        (&status["status"], &status["memories_created"]),
        (&json!("completed"), &json!(2))
    );
    let found = fetch(
        &http,
        "user",
        &alice(&json!({"search_query": "dog", "conversation_id": name})),
    );
    let first = &items(&found)[0];
    assert_eq!(first["metadata"]["ext_id"], "turn-1");
    assert_eq!(
        (&first["speaker"], &first["said_at"]),
        (&json!("Alice"), &json!("2026-11-20T10:00:00Z"))
    );
    assert_eq!(
        found["conversation_context"]["recent_turns"][1]["content"],
        "Hello Rex!"
    );
}

/// Thirty turns about five things.
fn long_conversation(http: &Http, id: &str) {
    let topics = [
        "the harbour crane",
        "the night ferry",
        "the fish auction",
        "the lighthouse",
        "the salt store",
    ];
    for (number, topic) in topics.iter().cycle().take(30).enumerate() {
        let text = match number % 3 {
            0 => format!("We decided that {topic} gets repaired in week {number}."),
            1 => format!("I prefer that someone paints {topic} in colour number {number}."),
            _ => format!(
                "Well, {topic} was mentioned by visitor {number} as well, with a long story about the weather."
            ),
        };
        record(
            http,
            id,
            if number % 2 == 0 { "user" } else { "assistant" },
            &text,
        );
    }
}

#[test]
fn summaries_are_smaller_versioned_and_known_to_be_stale() {
    let server = Home::new().serve().start();
    let (http, id) = (server.http(), ID);
    long_conversation(&http, id);
    let path = |what: &str| format!("/v1/conversations/{id}/{what}");
    assert_eq!(http.get(&path("compacted")).status, 404);
    assert_eq!(http.get(&path("compaction/status")).ok()["status"], "none");
    let compact = |strategy: &str, force: bool| {
        let body = json!({"conversation_id": id, "strategy": strategy, "target_tokens": null, "force": force});
        http.post("/v1/conversations/compact", &body).ok()
    };
    let mut sizes = Vec::new();
    for (version, (strategy, most)) in [
        ("conservative", 0.72),
        ("balanced", 0.42),
        ("aggressive", 0.17),
    ]
    .into_iter()
    .zip(1..)
    .map(|(s, v)| (v, s))
    {
        compact(strategy, false);
        let told = http.get(&path("compacted?format=structured")).ok();
        assert_eq!(
            (&told["version"], &told["strategy_used"]),
            (&json!(version), &json!(strategy))
        );
        let ratio = told["compression_ratio"].as_f64().expect("a ratio");
        assert!(ratio > most * 0.6 && ratio <= most, "{strategy}: {ratio}");
        let tokens = |field: &str| told[field].as_f64().expect("tokens");
        let true_ratio = tokens("compacted_token_count") / tokens("original_token_count");
        assert!((true_ratio - ratio).abs() < 0.001, "{told}");
        sizes.push(tokens("compacted_token_count"));
    }
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    let current = compact("aggressive", false);
    let status = http.get(&path("compaction/status")).ok();
    assert_eq!(
        (&status["latest_version"], &status["compaction_id"]),
        (&json!(3), &current["compaction_id"])
    );
    let prompt = http.get(&path("context-for-prompt?style=structured")).ok();
    assert_eq!(
        (&prompt["is_stale"], &prompt["recent_message_count"]),
        (&json!(false), &json!(0))
    );
    let block = prompt["context_block"].as_str().expect("a block");
    assert!(
        block.starts_with("## Conversation so far (compacted, 30 turns)"),
        "{block}"
    );
    assert!(block.contains("### Decisions"), "{block}");
    record(&http, id, "user", "One more thing.");
    let prompt = http.get(&path("context-for-prompt?style=narrative")).ok();
    assert_eq!(
        (&prompt["is_stale"], &prompt["total_message_count"]),
        (&json!(true), &json!(31))
    );
    assert_eq!(prompt["recent_messages"][0]["content"], "One more thing.");
    assert_eq!(
        http.get(&path("compacted?version=1")).ok()["strategy_used"],
        "conservative"
    );
    assert_eq!(http.get(&path("compacted?version=9")).status, 404);
    assert_eq!(http.get(&path("compacted?version=x")).status, 400);
    assert_eq!(said(&http, id).len(), 31, "the turns stay");
    http.assert_verified();
}

#[test]
fn a_profile_is_there_when_something_is_known() {
    let server = Home::new().serve().start();
    let (http, id) = (server.http(), ID);
    let path = "/v1/users/alice/profile?customer_id=acme";
    assert_eq!(http.get(path).status, 404);
    record(
        &http,
        id,
        "assistant",
        "My name is Robo and I live in the cloud.",
    );
    record(&http, id, "user", "What is the weather like?");
    assert_eq!(http.get(path).status, 404, "nothing of the user yet");
    record(
        &http,
        id,
        "user",
        "I live in Lisbon. I prefer short answers.",
    );
    let profile = http.get(path).ok()["profile"].clone();
    assert_eq!(profile["attributes"]["location"]["value"], "Lisbon");
    assert_eq!(
        profile["attributes"]["location"]["source_conversation_id"],
        id
    );
    assert!(
        profile["overview"]
            .as_str()
            .expect("text")
            .contains("short answers"),
        "{profile}"
    );
    assert_eq!(
        http.get("/v1/users/bob/profile?customer_id=acme").status,
        404
    );
    assert_eq!(
        http.get("/v1/users/alice/profile?customer_id=zeta").status,
        404
    );
    assert_eq!(
        http.get("/v1/users/alice/profile").status,
        400,
        "a user is named with the customer"
    );
    let mode = json!({"context_mode": "conversation-summary", "include_profile": true, "last_n_conversations": 2});
    let summaries = http.post("/v1/context/user/fetch", &alice(&mode)).ok();
    assert_eq!(summaries["profile"], profile);
    assert_eq!(summaries["conversations"][0]["conversation_id"], id);
    assert_eq!(summaries["conversations"][0]["summary_status"], "pending");
}

#[test]
fn nobody_sees_the_conversation_of_another() {
    let server = Home::new().serve().config(INSTANCES).start();
    let (http, id) = (server.http(), ID);
    record(&http, id, "user", "The canary sings at noon.");
    let b2c = http.with_key(Some(KEY_B2C));
    for what in ["messages", "compacted", "compaction/status"] {
        assert_eq!(
            b2c.get(&format!("/v1/conversations/{id}/{what}")).status,
            404,
            "{what}"
        );
    }
    let prompt = |http: &Http, query: &str| {
        http.get(&format!("/v1/conversations/{id}/context-for-prompt{query}"))
            .ok()
    };
    assert_eq!(prompt(&b2c, ""), json!({"available": false}));
    assert_eq!(
        prompt(&http, "?user_id=bob&customer_id=acme"),
        json!({"available": false})
    );
    assert_eq!(
        prompt(&http, "?user_id=alice&customer_id=zeta"),
        json!({"available": false})
    );
    assert_eq!(
        prompt(&http, "?user_id=alice&customer_id=acme")["total_message_count"],
        1
    );
    let asked = json!({"conversation_id": id, "search_query": ["canary"]});
    assert_eq!(
        items(&fetch(&b2c, "conversation", &asked)),
        Vec::<Value>::new()
    );
    for (customer, user, level) in [
        (Some("acme"), Some("bob"), "user"),
        (Some("acme"), Some("bob"), "conversation"),
        (Some("zeta"), Some("alice"), "conversation"),
        (Some("zeta"), None, "conversation"),
        (Some("acme"), None, "customer"),
        (None, None, "client"),
    ] {
        let answer = fetch(&http, level, &ids(customer, user, &asked)).to_string();
        assert!(
            !answer.contains("canary sings"),
            "{level} of {customer:?} {user:?}: {answer}"
        );
    }
}

#[test]
fn an_id_that_two_users_share_is_not_enough() {
    let server = Home::new().serve().start();
    let (http, id) = (server.http(), ID);
    record(&http, id, "user", "The canary sings at noon.");
    let prompt = |query: &str| {
        let path = format!("/v1/conversations/{id}/context-for-prompt{query}");
        http.get(&path).ok()["total_message_count"].clone()
    };
    let asked = json!({"conversation_id": id, "search_query": ["canary"]});
    let mut of_bob = turn(id, "user", "Bob's bird is mute.");
    of_bob["user_id"] = "bob".into();
    http.post("/v1/conversations/messages", &of_bob).ok();
    assert_eq!(prompt("?user_id=bob&customer_id=acme"), 1);
    assert_eq!(prompt("?user_id=alice&customer_id=acme"), 1);
    let refusal = http
        .get(&format!("/v1/conversations/{id}/messages"))
        .refused(400);
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .starts_with("conversation_id is used by several users")
    );
    assert_eq!(
        http.post("/v1/context/conversation/fetch", &asked).status,
        400
    );
    let compacted = json!({"conversation_id": id, "force": true});
    assert_eq!(
        http.post("/v1/conversations/compact", &compacted).status,
        400
    );
    let compacted = ids(Some("acme"), Some("eve"), &compacted);
    assert_eq!(
        http.post("/v1/conversations/compact", &compacted).status,
        404
    );
}

#[test]
fn ladders_of_every_length_have_conversations() {
    let server = Home::new().serve().config(INSTANCES).start();
    let id = ID;
    let b2c = server.http().with_key(Some(KEY_B2C));
    let of = |user: Value| json!({"conversation_id": id, "role": "user", "content": "I sail.", "user_id": user});
    let record = |http: &Http, body: &Value| http.post("/v1/conversations/messages", body);
    assert_eq!(
        record(&b2c, &of("dana".into())).ok()["scope_path"],
        json!({"user": "dana"})
    );
    let mut with_customer = of("dana".into());
    with_customer["customer_id"] = "".into();
    assert_eq!(
        record(&b2c, &with_customer).status,
        200,
        "an empty id is absent"
    );
    with_customer["customer_id"] = "acme".into();
    assert_eq!(record(&b2c, &with_customer).status, 400);
    assert_eq!(record(&b2c, &of(Value::Null)).status, 400);
    let asked =
        json!({"conversation_id": id, "search_query": ["sail"], "response_shape": "ranked"});
    assert_eq!(
        contents(&b2c.post("/v1/context/conversation/fetch", &asked).ok())[0],
        "User: I sail."
    );
    let teams = server.http().with_key(Some(KEY_TEAMS));
    let mut nested = of(Value::Null);
    nested["scope"] = json!({"customer": "acme", "team": "payments", "user": "dana"});
    let scope = record(&teams, &nested).ok()["scope_path"].clone();
    assert_eq!(scope, nested["scope"]);
    assert_eq!(said(&teams, id), ["I sail."]);
    let isolation = |key| {
        let whoami = server
            .http()
            .with_key(Some(key))
            .get("/api/v1/auth/whoami")
            .ok();
        whoami["user_context_isolation"].clone()
    };
    assert_eq!(
        [KEY, KEY_B2C, KEY_TEAMS].map(isolation),
        ["strict", "equals_customer", "strict"]
    );
}

#[test]
fn bad_requests_name_what_is_wrong() {
    let server: Server = Home::new().serve().start();
    let (http, id) = (server.http(), ID);
    let too_long = "x".repeat(256 * 1024 + 1);
    for (path, body, message) in [
        (
            "messages",
            turn("", "user", "x"),
            "conversation_id is required".to_owned(),
        ),
        (
            "messages",
            turn(id, "system", "x"),
            "role must be user or assistant".to_owned(),
        ),
        (
            "messages",
            turn(id, "user", &too_long),
            "content has 262145 bytes, the limit is 262144".to_owned(),
        ),
        (
            "messages/batch",
            json!({"messages": []}),
            "messages must not be empty".to_owned(),
        ),
        (
            "messages/batch",
            json!({"messages": {}}),
            "messages must be a list, not an object".to_owned(),
        ),
        (
            "ingest",
            turn(id, "user", "x"),
            "transcript is required".to_owned(),
        ),
        (
            "compact",
            json!({"conversation_id": id, "strategy": "brutal"}),
            "strategy must be conservative, balanced, aggressive or adaptive".to_owned(),
        ),
    ] {
        let refusal = http
            .post(&format!("/v1/conversations/{path}"), &body)
            .refused(400);
        assert_eq!(refusal["message"], message.as_str());
    }
    let unknown = json!({"conversation_id": id, "force": true});
    assert_eq!(http.post("/v1/conversations/compact", &unknown).status, 404);
    let path = format!("/v1/conversations/{id}/context-for-prompt?style=haiku");
    assert_eq!(http.get(&path).status, 400);
}

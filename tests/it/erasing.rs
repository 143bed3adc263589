//! What was deleted is not told by any route, can be stored anew under the same keys, and nobody else loses anything.

use crate::support::{Door as _, Home, Http, Server, contents, ids, items, until};
use serde_json::{Value, json};

/// The conversation of a test; every test has a server of its own.
const ID: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
const TRANSCRIPT: &str = "call:+15550001";

/// One user and all that the tests store of one.
struct Person<'a> {
    http: &'a Http,
    customer: &'a str,
    name: &'a str,
}

impl Person<'_> {
    fn body(&self, more: &Value) -> Value {
        ids(Some(self.customer), Some(self.name), more)
    }

    fn query(&self) -> String {
        format!("?user_id={}&customer_id={}", self.name, self.customer)
    }

    fn send(&self, path: &str, key: &str, more: &Value) -> Value {
        let (headers, body) = ([("X-Correlation-ID", key)], self.body(more).to_string());
        let reply = self.http.send("POST", path, &headers, body.as_bytes());
        reply.ok()
    }

    /// Everything, with the same keys each time: receipts of documents, a turn and a transcript.
    fn store(&self) -> Vec<Value> {
        let of = |document: &str| json!({"document": document, "document_type": "document"});
        let mut named = of("The roof of the canary house is green.");
        named["document_id"] = "house".into();
        let call =
            json!({"conversation_id": TRANSCRIPT, "transcript": "User: The canary is called Rex."});
        let said = |text: &str| json!({"conversation_id": ID, "role": "user", "content": text});
        let create = "/api/v1/memories/create";
        vec![
            self.send(create, "k1", &of("The canary sings at noon.")),
            self.http.store(&self.body(&of("The canary eats seeds."))),
            self.http.store(&self.body(&named)),
            self.send(
                "/v1/conversations/messages",
                "k1",
                &said("I live in Lisbon."),
            ),
            self.send("/v1/conversations/messages", "k2", &said("")),
            self.send("/v1/conversations/ingest", "k1", &call),
        ]
    }

    fn said(&self, conversation: &str) -> Vec<String> {
        let path = format!("/v1/conversations/{conversation}/messages{}", self.query());
        let reply = self.http.get(&path);
        if reply.status == 404 {
            return Vec::new();
        }
        let turns = reply.ok()["turns"].as_array().expect("turns").clone();
        let content = |turn: &Value| turn["content"].as_str().expect("content").to_owned();
        turns.iter().map(content).collect()
    }

    fn fetched(&self) -> Vec<String> {
        let more = json!({"response_shape": "ranked", "max_results": 1_000});
        let mut found = contents(&self.http.fetch(&self.body(&more)).ok());
        found.sort();
        found
    }

    fn profile(&self) -> u16 {
        let (user, customer) = (self.name, self.customer);
        let path = format!("/v1/users/{user}/profile?customer_id={customer}");
        self.http.get(&path).status
    }

    fn compact(&self) {
        let body = self.body(&json!({"conversation_id": ID, "force": true}));
        self.http.post("/v1/conversations/compact", &body).ok();
    }

    #[track_caller]
    fn has_everything(&self) {
        assert_eq!(
            self.fetched(),
            [
                "The canary eats seeds.",
                "The canary sings at noon.",
                "The roof of the canary house is green.",
                "User: I live in Lisbon.",
                "User: The canary is called Rex.",
            ]
        );
        assert_eq!(self.said(ID), ["I live in Lisbon.", ""]);
        assert_eq!(self.said(TRANSCRIPT), ["The canary is called Rex."]);
        assert_eq!(self.profile(), 200);
    }

    /// By every route that tells something of a user.
    #[track_caller]
    fn has_nothing(&self) {
        assert_eq!(self.fetched(), [""; 0]);
        assert_eq!(self.profile(), 404);
        for conversation in [ID, TRANSCRIPT] {
            let path =
                |what: &str| format!("/v1/conversations/{conversation}/{what}{}", self.query());
            for what in ["messages", "compacted", "compaction/status"] {
                assert_eq!(self.http.get(&path(what)).status, 404, "{what}");
            }
            let prompt = self.http.get(&path("context-for-prompt")).ok();
            assert_eq!(prompt, json!({"available": false}));
            let asked = json!({"conversation_id": conversation, "response_shape": "ranked"});
            let found = self
                .http
                .post("/v1/context/conversation/fetch", &self.body(&asked))
                .ok();
            assert_eq!(contents(&found), [""; 0]);
            let compact = self.body(&json!({"conversation_id": conversation, "force": true}));
            let reply = self.http.post("/v1/conversations/compact", &compact);
            assert_eq!(reply.status, 404);
        }
        let mode = json!({"context_mode": "conversation-summary", "include_profile": true});
        let told = self
            .http
            .post("/v1/context/user/fetch", &self.body(&mode))
            .ok();
        assert_eq!(
            (&told["profile"], &told["conversations"]),
            (&Value::Null, &json!([]))
        );
        for mode in ["preview", "direct"] {
            let body = self.body(&json!({"description": "canary", "mode": mode}));
            let found = self.http.post("/api/v1/memories/forget", &body).ok();
            assert_eq!(found["status"], "nothing_matches");
        }
    }

    fn memory_ids(&self) -> Vec<String> {
        let more = json!({"response_shape": "ranked", "max_results": 1_000});
        let found = self.http.fetch(&self.body(&more)).ok();
        let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
        items(&found).iter().map(id).collect()
    }
}

fn delete(http: &Http, scope: &str, ids: &Value, confirm: &str, key: &str) -> Value {
    let mut body = ids.clone();
    body["scope"] = scope.into();
    body["confirm"] = confirm.into();
    let headers = [("X-Correlation-ID", key)];
    let reply = http.send(
        "POST",
        "/v1/data/delete",
        &headers,
        body.to_string().as_bytes(),
    );
    reply.ok()
}

#[track_caller]
fn is_unknown(http: &Http, path: &str) {
    let unknown = http.get("/api/v1/memories/5e9a4b52-6a0f-8c3d-9a51-3f1d2b7c9e10");
    assert_eq!(http.get(path), unknown, "{path}");
}

/// Statuses of what was ingested, and each memory by its id.
#[track_caller]
fn are_unknown(http: &Http, receipts: &[Value], memories: &[String]) {
    for id in receipts
        .iter()
        .filter_map(|receipt| receipt["ingestion_id"].as_str())
    {
        is_unknown(http, &format!("/api/v1/memories/status/{id}"));
    }
    for id in memories {
        let path = format!("/api/v1/memories/{id}");
        is_unknown(http, &path);
        let body = br#"{"document":"x"}"#;
        assert_eq!(http.send("PATCH", &path, &[], body).status, 404);
    }
}

/// A retry deletes nothing else; its bytes may be gone by then.
#[track_caller]
fn is_same_deletion(again: &Value, first: &Value) {
    for field in [
        "/deletion_id",
        "/found",
        "/counts/memories",
        "/requested_at",
    ] {
        assert_eq!(again.pointer(field), first.pointer(field), "{field}");
    }
}

fn check_erasure(server: &Server) {
    let http = &server.http();
    let user = |customer, user| Person {
        http,
        customer,
        name: user,
    };
    let (alice, bob) = (user("acme", "alice"), user("acme", "bob"));
    let (other, b2) = (user("zeta", "alice"), user("zeta", "bob"));
    let all = [&alice, &bob, &other, &b2];
    let mut receipts = alice.store();
    for user in &all[1..] {
        user.store();
    }
    for user in &all {
        user.compact();
    }
    for user in &all {
        user.has_everything();
    }
    for (scope, gone, keys) in [
        ("user", &all[..1], "d1"),
        ("customer", &all[..2], "d2"),
        ("user", &all[..1], "d3"),
    ] {
        let memories = alice.memory_ids();
        assert_eq!(memories.len(), 5);
        let (body, confirm) = if scope == "user" {
            (alice.body(&json!({})), "alice")
        } else {
            (ids(Some("acme"), None, &json!({})), "acme")
        };
        let done = delete(http, scope, &body, confirm, keys);
        assert_eq!(done["found"], true);
        let again = delete(http, scope, &body, confirm, keys);
        is_same_deletion(&again, &done);
        for user in gone {
            user.has_nothing();
        }
        for user in &all[gone.len()..] {
            user.has_everything();
        }
        are_unknown(http, &receipts, &memories);
        // The same calls store the same again: once.
        let stored: Vec<Vec<Value>> = gone.iter().map(|user| user.store()).collect();
        for user in gone {
            user.has_everything();
        }
        for (user, first) in gone.iter().zip(&stored) {
            for (first, again) in first.iter().zip(user.store()) {
                let is_new = first["duplicate"] == false || first["status"] == "queued";
                assert!(is_new, "{first}");
                let is_known = again["duplicate"] == true || again["status"] == "duplicate";
                assert!(is_known, "{again}");
                for id in ["ingestion_id", "message_id", "document_id"] {
                    assert_eq!(again[id], first[id]);
                }
            }
            user.compact();
            user.has_everything();
        }
        receipts.clone_from(&stored[0]);
        let status = receipts[5]["ingestion_id"].as_str().expect("an id");
        assert_eq!(http.status(status).ok()["status"], "completed");
    }
    http.assert_verified();
    http.job("rebuild");
    http.assert_verified();
    for user in &all {
        user.has_everything();
    }
}

#[test]
fn erased_users_and_customers_are_gone_until_they_are_stored_anew() {
    check_erasure(&Server::fresh());
}

#[test]
fn erasures_stay_in_their_partition_and_outlive_a_kill() {
    let home = Home::new();
    let server = home.serve().args(["--partitions", "4"]).start();
    check_erasure(&server);
    server.kill();
    let server = home.start();
    let http = &server.http();
    for (customer, user) in [("acme", "alice"), ("acme", "bob"), ("zeta", "alice")] {
        Person {
            http,
            customer,
            name: user,
        }
        .has_everything();
    }
    http.assert_verified();
}

#[test]
fn a_deleted_conversation_can_be_had_again_and_the_rest_of_its_user_stays() {
    let server = Server::fresh();
    server
        .nats()
        .set_duplicate_window(std::time::Duration::from_millis(100));
    let http = &server.http();
    let alice = Person {
        http,
        customer: "acme",
        name: "alice",
    };
    alice.store();
    for (conversation, texts) in [(ID, 2), (TRANSCRIPT, 1)] {
        let body = alice.body(&json!({"conversation_id": conversation}));
        let done = delete(http, "conversation", &body, conversation, "d");
        assert_eq!(done["counts"], json!({"memories": 1, "turns": texts}));
        is_same_deletion(
            &delete(http, "conversation", &body, conversation, "d"),
            &done,
        );
        assert_eq!(alice.said(conversation), [""; 0]);
        assert_eq!(alice.fetched().len(), 4);
        let again = alice.store();
        assert_eq!(
            [&again[0]["duplicate"], &again[1]["duplicate"]],
            [true, true]
        );
        alice.has_everything();
        alice.store();
        alice.has_everything();
    }
    http.assert_verified();
}

#[test]
fn a_user_who_only_said_what_makes_no_memory_can_be_deleted() {
    let server = Server::fresh();
    let http = &server.http();
    let alice = Person {
        http,
        customer: "acme",
        name: "alice",
    };
    let said = json!({"conversation_id": ID, "role": "user", "content": ""});
    let body = alice.body(&said);
    http.post("/v1/conversations/messages", &body).ok();
    assert_eq!(
        (alice.said(ID), alice.fetched()),
        (vec![String::new()], Vec::new())
    );
    let done = delete(http, "user", &alice.body(&json!({})), "alice", "d");
    assert_eq!(done["found"], true);
    alice.has_nothing();
    let nobody = delete(http, "user", &alice.body(&json!({})), "alice", "e");
    assert_eq!(nobody["found"], false);
}

#[test]
fn one_key_for_several_things_loses_none_of_them() {
    let server = Server::fresh();
    let http = &server.http();
    let alice = Person {
        http,
        customer: "acme",
        name: "alice",
    };
    let other = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa5";
    let key = [("Idempotency-Key", "1")];
    let send = |path: &str, body: &Value| {
        http.send("POST", path, &key, alice.body(body).to_string().as_bytes())
            .ok()
    };
    let document = json!({"document": "The canary sings at noon.", "document_type": "document"});
    for _ in 0..2 {
        send("/api/v1/memories/create", &document);
        for (conversation, text) in [(ID, "I keep bees."), (other, "I keep geese.")] {
            let turn = json!({"conversation_id": conversation, "role": "user", "content": text});
            let receipt = send("/v1/conversations/messages", &turn);
            assert_eq!(receipt["conversation_message_count"], 1);
            send(
                "/v1/conversations/compact",
                &json!({"conversation_id": conversation, "force": true}),
            );
            assert_eq!(alice.said(conversation), [text]);
        }
    }
    assert_eq!(alice.fetched().len(), 3);
    for conversation in [ID, other] {
        let body = json!({"conversation_id": conversation, "scope": "conversation", "confirm": conversation});
        assert_eq!(send("/v1/data/delete", &body)["found"], true);
        assert_eq!(alice.said(conversation), [""; 0]);
    }
    send(
        "/v1/data/delete",
        &json!({"scope": "user", "confirm": "alice"}),
    );
    alice.has_nothing();
    http.assert_verified();
}

/// Whoever comes second is told so, and what is stored is the winner's; the same after a deletion.
#[test]
fn of_two_transcripts_at_the_same_time_one_wins() {
    let server = Server::fresh();
    let http = &server.http();
    let alice = Person {
        http,
        customer: "acme",
        name: "alice",
    };
    for round in 0..6 {
        let name = format!("call-{}", round / 2);
        let ingest = |number: usize| {
            let transcript = format!("User: Bid number {number} is {round}.");
            let body = alice.body(&json!({"conversation_id": name, "transcript": transcript}));
            server.http().post("/v1/conversations/ingest", &body)
        };
        let replies: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|number| scope.spawn(move || (number, ingest(number))))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("it ended"))
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = replies
            .into_iter()
            .partition(|(_, reply)| reply.status == 200);
        assert_eq!(won.len(), 1, "{won:?}");
        for (_, reply) in lost {
            assert_eq!(reply.refused(409)["detail"]["code"], "transcript_conflict");
        }
        assert_eq!(
            alice.said(&name),
            [format!("Bid number {} is {round}.", won[0].0)]
        );
        if round % 2 == 0 {
            let body = alice.body(&json!({"conversation_id": name}));
            delete(http, "conversation", &body, &name, &format!("d{round}"));
        }
    }
    until("all is applied", || {
        http.admin_status()["partitions"][0]["lag"] == 0
    });
    http.assert_verified();
}

#[test]
fn a_transcript_has_as_many_turns_as_a_conversation_can_take() {
    let server = Server::fresh();
    let http = &server.http();
    let alice = Person {
        http,
        customer: "acme",
        name: "alice",
    };
    let body =
        alice.body(&json!({"conversation_id": ID, "transcript": "User: a\n".repeat(10_001)}));
    let refusal = http.post("/v1/conversations/ingest", &body).refused(400);
    assert_eq!(
        refusal["message"],
        "transcript has 10001 turns, the limit is 10000"
    );
    assert_eq!(alice.said(ID), [""; 0]);
}

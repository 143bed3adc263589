//! Rows that are kept up with the log are those of a rebuild, at any point: with versions, changes, moves, undone changes,
//! deletions whose bytes go, and events that are set aside.

use crate::archive::applied;
use crate::support::{Door as _, Http, Random, Reply, Server, ids, items};
use async_nats::HeaderMap;
use serde_json::{Value, json};
use synap_types::Hash128;

/// Where the rows are compared, what happens before each, and after how many of them they are rebuilt.
const CUTS: u64 = 20;
const STEPS: u64 = 12;
const REBUILD_EVERY: u64 = 5;
const CONVERSATION: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8f0";
const TEXTS: [&str; 4] = [
    "I live in Porto. My name is Al.",
    "# Office\n\nThe office is in Lisbon. The parking lot is closed.",
    "I prefer short answers. We decided that the roof gets painted.",
    "The parking lot is closed. I live in Lisbon.",
];

struct World<'a> {
    server: &'a Server,
    http: Http,
    random: Random,
    /// The events of changes that may be undone.
    changes: Vec<String>,
    /// What was done, for messages.
    done: Vec<String>,
}

impl World<'_> {
    fn pick<'b>(&mut self, of: &[&'b str]) -> &'b str {
        of[usize::try_from(self.random.below(of.len() as u64)).expect("a place")]
    }

    fn whose(&mut self, more: &Value) -> Value {
        match self.pick(&["ann", "bob", "acme"]) {
            "acme" => ids(Some("acme"), None, more),
            user => ids(Some("acme"), Some(user), more),
        }
    }

    fn user(&mut self, more: &Value) -> Value {
        ids(Some("acme"), Some(self.pick(&["ann", "bob"])), more)
    }

    fn conversation(&mut self) -> String {
        format!("{CONVERSATION}{}", self.random.below(3))
    }

    /// A memory that somebody is told.
    fn memory(&mut self) -> Option<String> {
        let whose = self.whose(&json!({"response_shape": "ranked", "max_results": 50}));
        let found = items(&self.http.fetch(&whose).ok());
        let at = self.random.below(found.len().max(1) as u64);
        let item = found.get(usize::try_from(at).expect("a place"))?;
        Some(item["id"].as_str().expect("an id").to_owned())
    }

    fn step(&mut self) {
        let what = self.pick(&[
            "document",
            "document",
            "document",
            "turn",
            "turn",
            "turn",
            "update",
            "forget",
            "promote",
            "demote",
            "undo",
            "delete document",
            "delete conversation",
            "delete user",
            "break",
        ]);
        self.done.push(what.to_owned());
        let Some(reply) = self.act(what) else { return };
        // What is not there any more, or waits behind an event that was set aside, is refused.
        let status = reply.status;
        assert!(
            matches!(status, 200..=202 | 400 | 404 | 409 | 503),
            "{what}: {reply:?}"
        );
        if let Some(event) = reply.json()["event_id"].as_str().filter(|_| status == 200) {
            self.changes.push(event.to_owned());
        }
    }

    fn act(&mut self, what: &str) -> Option<Reply> {
        let text = self.pick(&TEXTS);
        let document = self.pick(&["home", "plan", "todo"]);
        Some(match what {
            "document" => {
                let body =
                    json!({"document": text, "document_id": document, "document_type": "markdown"});
                let body = self.whose(&body);
                self.http.ingest(&body)
            }
            "turn" => {
                let id = self.conversation();
                let body = json!({"conversation_id": id, "role": "user", "content": text});
                let body = self.user(&body);
                self.http.post("/v1/conversations/messages", &body)
            }
            "update" => {
                let path = format!("/api/v1/memories/{}", self.memory()?);
                let body = json!({"document": text, "merge_strategy": "smart-merge"}).to_string();
                self.http.send("PATCH", &path, &[], body.as_bytes())
            }
            "forget" => {
                let path = format!("/api/v1/memories/{}", self.memory()?);
                self.http.send("DELETE", &path, &[], b"")
            }
            "promote" => {
                let path = format!("/v1/memories/{}/promote", self.memory()?);
                self.http.post(&path, &json!({"to": "customer"}))
            }
            "demote" => {
                let path = format!("/v1/memories/{}/demote", self.memory()?);
                let body = self.user(&json!({"to": "user"}));
                self.http.post(&path, &body)
            }
            "undo" => {
                let event = self.changes.pop()?;
                self.http
                    .post(&format!("/v1/events/{event}/undo"), &json!({}))
            }
            "break" => return self.set_aside(),
            _ => {
                let delete = match what {
                    "delete document" => {
                        json!({"scope": "document", "document_id": document, "confirm": document})
                    }
                    "delete conversation" => {
                        let id = self.conversation();
                        json!({"scope": "conversation", "conversation_id": id, "confirm": id})
                    }
                    _ => {
                        let user = self.pick(&["ann", "bob"]);
                        let delete = json!({"scope": "user", "confirm": user});
                        let whose = ids(Some("acme"), Some(user), &delete);
                        return Some(self.http.post("/v1/data/delete", &whose));
                    }
                };
                let whose = self.user(&delete);
                self.http.post("/v1/data/delete", &whose)
            }
        })
    }

    /// Appends a copy of the last event, as another one that nobody can read.
    fn set_aside(&mut self) -> Option<Reply> {
        let nats = self.server.nats();
        let event = nats.events().pop()?;
        let text = String::from_utf8(event.payload.to_vec()).expect("text");
        let envelope: Value = serde_json::from_str(&text).expect("JSON");
        let id = envelope["id"].as_str().expect("an id");
        let other = Hash128::of("test.broken", [id.as_bytes()]).to_uuid();
        let broken = text
            .replace(id, &other.to_string())
            .replace("\"data\":{", "\"data\":{\"no_such_field\":1,");
        let mut headers = HeaderMap::new();
        let digest = Hash128::of("synap.digest.v1", [broken.as_bytes()]);
        headers.insert(synap_nats::DIGEST, digest.to_string());
        nats.publish(&event.subject, headers, broken.as_bytes());
        None
    }
}

#[test]
fn rows_that_follow_are_those_of_a_rebuild_at_every_point() {
    let server = Server::fresh();
    let mut world = World {
        http: server.http(),
        server: &server,
        random: Random::new(20),
        changes: Vec::new(),
        done: Vec::new(),
    };
    let mut parked = 0;
    for cut in 1..=CUTS {
        for _ in 0..=world.random.below(STEPS) {
            world.step();
        }
        applied(&world.http);
        for part in world.http.job("verify") {
            assert_eq!(part["result"]["equal"], true, "{part} {:?}", world.done);
        }
        let listed = world.http.get("/v1/admin/parked").ok();
        parked += listed["parked"].as_array().expect("a list").len();
        if cut % REBUILD_EVERY == 0 {
            for part in world.http.job("rebuild") {
                assert_ne!(part["result"]["equal"], false, "{part} {:?}", world.done);
            }
            world.http.assert_verified();
        }
    }
    assert!(parked > 0, "something was set aside: {:?}", world.done);
}

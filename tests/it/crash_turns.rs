//! kill -9 while conversations go on: every acked turn is there once and in its order, and so is every change. Whoever
//! gets no answer asks again with the same `X-Correlation-ID`, through the crash, until there is one.

use crate::support::process::{alive, kill_group};
use crate::support::wait::pass;
use crate::support::{Door as _, Home, Http, KEY, Random, Server, contents, ids, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const KILLS: u64 = 8;
const WRITERS: usize = 8;
const CONVERSATIONS: usize = 4;
/// Longest life of a server that is about to be killed.
const LIFE_MS_MAX: u64 = 400;

/// Where the server is now, and whether to go on.
#[derive(Debug, Default)]
struct World {
    url: RwLock<String>,
    stop: AtomicBool,
    acked: AtomicUsize,
}

impl World {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn points_to(&self, server: &Server) {
        *self.url.write().expect("a lock") = server.http_url().to_owned();
    }

    /// Asks until there is an answer.
    fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> Value {
        let body = body.to_string();
        loop {
            let http = Http::new(&self.url.read().expect("a lock"), Some(KEY));
            let headers = [("X-Correlation-ID", key)];
            match http.try_send(method, path, &headers, body.as_bytes()) {
                Ok(reply) if reply.status == 200 => {
                    self.acked.fetch_add(1, Ordering::SeqCst);
                    return reply.json();
                }
                Ok(reply) => assert_eq!(reply.status, 503, "{path}: {}", reply.text()),
                Err(_) => pass(Duration::from_millis(5)),
            }
        }
    }

    /// Turns of one conversation that it shares with another writer. Answers how many.
    fn talk(&self, writer: usize) -> usize {
        for at in 0.. {
            if self.is_over() {
                return at;
            }
            let text = said(writer, at);
            let more =
                json!({"conversation_id": conversation(writer), "role": "user", "content": text});
            let key = format!("turn-{writer}-{at}");
            self.ask("POST", "/v1/conversations/messages", &key, &alice(&more));
        }
        0
    }

    /// Transcripts, and what changes memories: round after round. Answers how many.
    fn change(&self) -> usize {
        for at in 0.. {
            if self.is_over() {
                return at;
            }
            let send = |path: &str, more: Value| {
                let key = format!("change-{at}");
                self.ask("POST", path, &key, &ids(Some("acme"), Some("bob"), &more))
            };
            let transcript = format!("User: Call c{at}e is kept.\nAssistant: Noted c{at}e.");
            let call = format!("call-{at}");
            let call = json!({"conversation_id": call, "transcript": transcript});
            send("/v1/conversations/ingest", call);
            let text = format!("Plan p{at}e is kept. Plan q{at}e goes.");
            let document = json!({"document": text, "document_type": "document"});
            let receipt = send("/api/v1/memories/create", document);
            let status = format!(
                "/api/v1/memories/status/{}",
                text_of(&receipt["ingestion_id"])
            );
            let status = self.ask("GET", &status, "s", &json!({}));
            let memory =
                |at: usize| format!("/api/v1/memories/{}", text_of(&status["memory_ids"][at]));
            let update =
                json!({"document": format!("It is changed u{at}e."), "merge_strategy": "append"});
            self.ask("PATCH", &memory(0), &format!("update-{at}"), &update);
            self.ask("DELETE", &memory(1), &format!("delete-{at}"), &json!({}));
            let gone = format!("gone-{at}");
            let turn = json!({"conversation_id": gone, "role": "user", "content": format!("Ghost g{at}e.")});
            send("/v1/conversations/messages", turn);
            let delete = json!({"scope": "conversation", "conversation_id": gone, "confirm": gone});
            send("/v1/data/delete", delete);
        }
        0
    }
}

fn alice(more: &Value) -> Value {
    ids(Some("acme"), Some("alice"), more)
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn conversation(writer: usize) -> String {
    format!("talk-{}", writer % CONVERSATIONS)
}

fn said(writer: usize, at: usize) -> String {
    format!("Turn w{writer}n{at}e is kept.")
}

struct StopWhenDropped<'a>(&'a World);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

#[test]
fn conversations_and_changes_go_on_through_kills_and_lose_and_double_nothing() {
    let (home, world) = (Home::new(), World::default());
    let mut random = Random::new(11);
    let mut server = home.serve().args(["--partitions", "2"]).start();
    world.points_to(&server);
    let (turns, changes) = std::thread::scope(|scope| {
        // However this ends, the writers do.
        let stop = StopWhenDropped(&world);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let world = &world;
                scope.spawn(move || world.talk(writer))
            })
            .collect();
        let changer = scope.spawn(|| world.change());
        for _ in 0..KILLS {
            let before = world.acked.load(Ordering::SeqCst);
            until("something is acked", || {
                world.acked.load(Ordering::SeqCst) > before
            });
            pass(Duration::from_millis(random.below(LIFE_MS_MAX)));
            let (synap, nats) = (server.pid(), server.nats_pid());
            let order = if random.below(2) == 0 {
                [synap, nats]
            } else {
                [nats, synap]
            };
            order.into_iter().for_each(kill_group);
            until("both are gone", || !alive(synap) && !alive(nats));
            server = home.start();
            world.points_to(&server);
        }
        // The writers need the server until their last answer.
        drop(stop);
        let turns: Vec<usize> = writers
            .into_iter()
            .map(|writer| writer.join().expect("it ended"))
            .collect();
        (turns, changer.join().expect("it ended"))
    });
    assert!(
        turns.iter().all(|count| *count > 3) && changes > 1,
        "{turns:?} {changes}"
    );
    let http = server.http();
    check_turns(&http, &turns);
    check_changes(&http, changes);
    http.assert_verified();
    http.job("rebuild");
    http.assert_verified();
    check_turns(&http, &turns);
    check_changes(&http, changes);
}

/// Each conversation has the turns of its writers, each once, those of one writer in their order.
fn check_turns(http: &Http, turns: &[usize]) {
    for of in 0..CONVERSATIONS {
        let path = format!(
            "/v1/conversations/talk-{of}/messages?user_id=alice&customer_id=acme&limit=1000"
        );
        let mut listed = Vec::new();
        loop {
            let answer = http.get(&format!("{path}&start={}", listed.len() + 1)).ok();
            let page = answer["turns"].as_array().expect("turns");
            listed.extend(page.iter().map(|turn| text_of(&turn["content"]).to_owned()));
            if page.is_empty() {
                assert_eq!(answer["total"], listed.len());
                break;
            }
        }
        let mut expected = 0;
        for (writer, count) in turns
            .iter()
            .enumerate()
            .filter(|(writer, _)| writer % CONVERSATIONS == of)
        {
            let own = format!("w{writer}n");
            let own: Vec<&String> = listed.iter().filter(|text| text.contains(&own)).collect();
            let all: Vec<String> = (0..*count).map(|at| said(writer, at)).collect();
            assert_eq!(own, all.iter().collect::<Vec<_>>());
            expected += count;
        }
        assert_eq!(listed.len(), expected);
    }
}

fn check_changes(http: &Http, rounds: usize) {
    let more = json!({"response_shape": "ranked", "max_results": 1_000, "search_query": ["kept"]});
    let found = http.fetch(&ids(Some("acme"), Some("bob"), &more)).ok();
    let told: Vec<String> = contents(&found);
    let once: BTreeSet<&String> = told.iter().collect();
    assert_eq!(once.len(), told.len(), "each once");
    for at in 0..rounds.min(250) {
        for text in [
            format!("User: Call c{at}e is kept."),
            format!("Plan p{at}e is kept.\nIt is changed u{at}e."),
        ] {
            assert!(once.contains(&text), "{text} of {told:?}");
        }
    }
    assert!(
        !told
            .iter()
            .any(|text| text.contains("goes") || text.contains("Ghost")),
        "{told:?}"
    );
    for at in 0..rounds {
        let messages = |name: &str| {
            http.get(&format!(
                "/v1/conversations/{name}-{at}/messages?user_id=bob&customer_id=acme"
            ))
        };
        assert_eq!(messages("call").ok()["total"], 2);
        assert_eq!(messages("gone").status, 404);
    }
}

//! kill -9 at any time, of everything or of a part: what was acked is there, once.
//!
//! The recorder lives here, outside of what is killed. It knows of each write whether it was acked; of a write that was
//! given up nobody knows, so it may be there or not, but never twice.

use crate::support::process::{alive, kill_group, signal};
use crate::support::wait::pass;
use crate::support::{Door as _, Home, Http, KEY, Random, Server, contents, ids, until};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;
use synap_types::Position;

const CYCLES: u64 = 20;
const WRITERS: u64 = 4;
/// A writer's documents go to users of this many, so that one fetch tells all of a user's.
const PER_USER: usize = 200;
/// Longest life of a server that is about to be killed.
const LIFE_MS_MAX: u64 = 250;

/// Longest life of a server that is killed while it starts.
const START_MS_MAX: u64 = 120;

/// What became of a write.
#[derive(Debug, Clone)]
struct Write {
    user: String,
    /// The receipt, if it was acked; nobody knows what became of the others.
    receipt: Option<Value>,
}

/// What the writers know.
#[derive(Debug, Default)]
struct Recorder {
    url: RwLock<String>,
    stop: AtomicBool,
    acked: AtomicUsize,
    writes: Mutex<BTreeMap<String, Write>>,
}

impl Recorder {
    fn http(&self) -> Http {
        Http::new(&self.url.read().expect("a lock"), Some(KEY))
    }

    fn points_to(&self, server: &Server) {
        *self.url.write().expect("a lock") = server.http_url().to_owned();
    }

    fn acked(&self) -> usize {
        self.acked.load(Ordering::SeqCst)
    }

    /// One write after the other; each is tried until it is acked, or given up by chance.
    fn write(&self, writer: u64) {
        let mut random = Random::new(1_000 + writer);
        for at in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let text = format!("Record r{writer}x{at}e is kept.");
            let user = format!("u{writer}-{}", at / PER_USER);
            let key = format!("key-{writer}-{at}");
            let more = json!({"document": text, "document_type": "document"});
            let body = ids(Some("acme"), Some(&user), &more).to_string();
            let receipt = loop {
                let headers = [("Idempotency-Key", key.as_str())];
                let path = "/api/v1/memories/create";
                match self
                    .http()
                    .try_send("POST", path, &headers, body.as_bytes())
                {
                    Ok(reply) if reply.status == 200 => break Some(reply.json()),
                    Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text()),
                    Err(_) => pass(Duration::from_millis(5)),
                }
                if random.below(4) == 0 || self.stop.load(Ordering::SeqCst) {
                    break None;
                }
            };
            if receipt.is_some() {
                self.acked.fetch_add(1, Ordering::SeqCst);
            }
            let write = Write { user, receipt };
            self.writes.lock().expect("a lock").insert(text, write);
        }
    }

    /// Fetches all the while: whatever answers, answers well.
    fn read(&self) {
        let body = ids(
            Some("acme"),
            Some("u0-0"),
            &json!({"search_query": ["record"]}),
        );
        let body = body.to_string();
        while !self.stop.load(Ordering::SeqCst) {
            let path = "/v1/context/user/fetch";
            match self.http().try_send("POST", path, &[], body.as_bytes()) {
                Ok(reply) => assert_eq!(reply.status, 200, "{}", reply.text()),
                Err(_) => pass(Duration::from_millis(5)),
            }
            pass(Duration::from_millis(2));
        }
    }

    /// Waits for an ack that comes after this call.
    fn until_acked(&self, what: &str) {
        let before = self.acked();
        until(what, || self.acked() > before);
    }
}

/// Kills one way or another; answers whether the server lives on.
fn strike(server: &Server, cycle: u64, random: &mut Random) -> bool {
    let (synap, nats) = (server.pid(), server.nats_pid());
    match cycle % 4 {
        0 | 1 => {
            // Both at once, in either order.
            let order = if random.below(2) == 0 {
                [synap, nats]
            } else {
                [nats, synap]
            };
            order.into_iter().for_each(kill_group);
            until("both are gone", || !alive(synap) && !alive(nats));
            false
        }
        2 => {
            assert!(signal(synap, Signal::SIGKILL));
            until("nats-server dies with synap", || !alive(nats));
            false
        }
        _ => {
            assert!(signal(nats, Signal::SIGKILL));
            until("nats-server is started again", || server.nats_pid() != nats);
            true
        }
    }
}

#[test]
fn every_acked_document_is_there_once_after_twenty_kills() {
    let (home, recorder) = (Home::new(), Recorder::default());
    let mut random = Random::new(7);
    let mut server = home.start();
    recorder.points_to(&server);
    std::thread::scope(|scope| {
        // However this ends, the writers do.
        let _stop = StopWhenDropped(&recorder.stop);
        for writer in 0..WRITERS {
            let recorder = &recorder;
            scope.spawn(move || recorder.write(writer));
        }
        scope.spawn(|| recorder.read());
        for cycle in 0..CYCLES {
            recorder.until_acked("a write is acked");
            pass(Duration::from_millis(random.below(LIFE_MS_MAX)));
            if !strike(&server, cycle, &mut random) {
                // And at any time of a start.
                let life = Duration::from_millis(random.below(START_MS_MAX));
                home.serve().killed_after(life);
                server = home.start();
                recorder.points_to(&server);
            }
        }
        recorder.until_acked("a write is acked after the last kill");
    });
    check(&server, &recorder);
}

struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// acked ⊆ visible ⊆ acked ∪ unknown, each once; in the log and in the read model.
fn check(server: &Server, recorder: &Recorder) {
    let writes = recorder.writes.lock().expect("a lock").clone();
    let acked = writes
        .values()
        .filter(|write| write.receipt.is_some())
        .count();
    assert!(acked > 100, "{acked} acked");
    let http = server.http();
    until("all is applied", || {
        let status = http.admin_status();
        let partitions = status["partitions"].as_array().expect("partitions");
        partitions.iter().all(|p| p["lag"] == 0 && p["parked"] == 0)
    });

    let mut visible: BTreeMap<String, usize> = BTreeMap::new();
    let mut users: Vec<&String> = writes.values().map(|write| &write.user).collect();
    users.sort();
    users.dedup();
    for user in users {
        let more = json!({"response_shape": "ranked", "max_results": 1_000});
        for text in contents(&http.fetch(&ids(Some("acme"), Some(user), &more)).ok()) {
            *visible.entry(text).or_default() += 1;
        }
    }
    let mut logged: BTreeMap<String, usize> = BTreeMap::new();
    for event in server.nats().events() {
        let event: Value = serde_json::from_slice(&event.payload).expect("JSON");
        let text = event["data"]["content"]["value"]
            .as_str()
            .expect("a text")
            .to_owned();
        *logged.entry(text).or_default() += 1;
    }
    assert_eq!(visible, logged, "the read model shows what the log holds");
    for (text, times) in &visible {
        assert_eq!(*times, 1, "{text}");
        assert!(writes.contains_key(text), "nobody wrote {text}");
    }
    for (text, write) in &writes {
        assert!(
            write.receipt.is_none() || visible.contains_key(text),
            "acked and lost: {text} {write:?}"
        );
    }
    in_order(&writes);
    http.assert_verified();
}

/// A writer's acked writes stand in the log in the order in which it wrote them.
fn in_order(writes: &BTreeMap<String, Write>) {
    for writer in 0..WRITERS {
        let of_writer = |at: usize| writes.get(&format!("Record r{writer}x{at}e is kept."));
        let receipts = (0..)
            .map_while(of_writer)
            .filter_map(|write| write.receipt.as_ref());
        let seqs: Vec<u64> = receipts
            .map(|receipt| receipt["position"].as_str().expect("a token"))
            .map(|token| token.parse::<Position>().expect("a position").seq.get())
            .collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "writer {writer}: {seqs:?}");
    }
}

#[test]
fn nats_server_dies_with_synap_and_its_folder_is_free_again() {
    let home = Home::new();
    for _ in 0..3 {
        let server = home.start();
        let nats = server.nats_pid();
        assert!(signal(server.pid(), Signal::SIGKILL));
        until("nats-server dies with synap", || !alive(nats));
    }
    assert!(home.start().terminate().success());
}

//! The read model can be deleted and built again from the log: the same rows, and nobody notices.

use crate::support::{Cli, Door as _, Home, Http, Server, ids, until};
use serde_json::{Value, json};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const DOCUMENTS: usize = 600;

fn fill(http: &Http, from: usize, count: usize) {
    let document = |at: usize| {
        let more = json!({"document": format!("Memory m{at}e: the plan of team t{} is ready.", at % 10),
            "document_type": "document", "document_id": format!("d{}", at % 400)});
        let (customer, user) = (format!("c{}", at % 3), format!("u{}", at % 5));
        match at % 7 {
            0 => ids(None, None, &more),
            1 | 2 => ids(Some(&customer), None, &more),
            _ => ids(Some(&customer), Some(&user), &more),
        }
    };
    let documents: Vec<Value> = (from..from + count).map(document).collect();
    let answer = http
        .post("/api/v1/memories/batch", &json!({ "documents": documents }))
        .ok();
    assert_eq!(answer["failed"], 0);
    until("all is applied", || lag(http) == 0);
}

fn lag(http: &Http) -> u64 {
    let status = http.admin_status();
    let partitions = status["partitions"].as_array().expect("partitions");
    partitions
        .iter()
        .map(|p| p["lag"].as_u64().expect("a number"))
        .sum()
}

fn generations(http: &Http) -> Vec<u64> {
    let status = http.admin_status();
    let partitions = status["partitions"].as_array().expect("partitions");
    partitions
        .iter()
        .map(|p| p["generation"].as_u64().expect("a number"))
        .collect()
}

fn digests(http: &Http) -> Vec<Value> {
    let parts = http.job("verify");
    for part in &parts {
        assert_eq!(part["result"]["equal"], true, "{part}");
        assert_eq!(part["result"]["differences"], json!([]), "{part}");
        assert_eq!(part["result"]["live_digest"], part["result"]["log_digest"]);
    }
    parts
        .iter()
        .map(|part| part["result"]["live_digest"].clone())
        .collect()
}

fn fetch(http: &Http, at: usize) -> Value {
    let (customer, user) = (format!("c{}", at % 3), format!("u{}", at % 5));
    let more = json!({"search_query": ["the plan of team t4"], "response_shape": "ranked", "max_results": 50,
        "explain": true});
    http.fetch(&ids(Some(&customer), Some(&user), &more)).ok()
}

#[test]
fn a_rebuild_gives_the_same_rows_while_every_fetch_is_answered_the_same() {
    let server = Server::fresh();
    let http = server.http();
    fill(&http, 0, DOCUMENTS);
    let (digest, answers) = (
        digests(&http),
        (0..15).map(|at| fetch(&http, at)).collect::<Vec<_>>(),
    );
    assert_eq!(generations(&http), [1, 1]);
    let (stop, fetched) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let (http, answers, stop, fetched) = (server.http(), &answers, &stop, &fetched);
            scope.spawn(move || {
                let mut at = reader;
                while !stop.load(Ordering::SeqCst) {
                    let (answer, expected) = (fetch(&http, at), &answers[at % 15]);
                    assert_eq!(answer["stale"], false);
                    assert_eq!(answer["scopes"], expected["scopes"]);
                    assert!(answer == *expected, "the answer is the same");
                    fetched.fetch_add(1, Ordering::SeqCst);
                    at += 1;
                }
            });
        }
        let before = fetched.load(Ordering::SeqCst);
        for generation in 2..=4 {
            for part in http.job("rebuild") {
                assert_eq!(part["result"]["generation"], generation, "{part}");
                assert_eq!(part["applied_seq"], part["target_seq"], "{part}");
            }
            assert_eq!(generations(&http), [generation, generation]);
        }
        until("there were fetches all the while", || {
            fetched.load(Ordering::SeqCst) > before + 20
        });
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(
        digests(&http),
        digest,
        "the rows are the same, byte for byte"
    );
}

/// Writes of one user: fewer than a fetch tells of.
const WRITES: usize = 500;

fn writer_of(write: usize) -> String {
    format!("writer{}", write / WRITES)
}

#[test]
fn writes_during_a_rebuild_are_in_the_new_generation() {
    let server = Server::fresh();
    let http = server.http();
    fill(&http, 0, DOCUMENTS);
    let stop = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let http = server.http();
            let mut last = Value::Null;
            let mut count = 0;
            while count == 0 || !stop.load(Ordering::SeqCst) {
                let body = json!({"document": format!("Written w{count}e during a rebuild.")});
                last = http.store(&ids(Some("c0"), Some(&writer_of(count)), &body));
                count += 1;
            }
            (count, last)
        });
        for _ in 0..3 {
            http.job("rebuild");
        }
        stop.store(true, Ordering::SeqCst);
        writer.join().expect("it ended")
    });
    let (count, last) = written;
    let last_writer = writer_of(count - 1);
    let more = json!({"position": last["position"], "response_shape": "ranked", "if_stale": "refuse", "wait_ms": 30_000});
    http.fetch(&ids(Some("c0"), Some(&last_writer), &more)).ok();
    for from in (0..count).step_by(WRITES) {
        let more = json!({"response_shape": "ranked", "max_results": 1_000});
        let answer = http
            .fetch(&ids(Some("c0"), Some(&writer_of(from)), &more))
            .ok();
        assert_eq!(answer["scopes"][0]["items"], WRITES.min(count - from));
    }
    assert_eq!(generations(&http), [4, 4]);
    digests(&http);
}

#[test]
fn one_partition_alone_can_be_rebuilt_and_the_last_generation_stays_for_a_look_back() {
    let home = Home::new();
    let server = home.serve().args(["--partitions", "2"]).start();
    let http = server.http();
    fill(&http, 0, 100);
    let only = |partition: &str| {
        let run = Cli::of(&server)
            .run(["rebuild", "--partition", partition, "--json"])
            .ok();
        run.json()[0].clone()
    };
    for _ in 0..2 {
        assert_eq!(only("01")["state"], "done");
    }
    assert_eq!(generations(&http), [1, 3, 1]);
    let folders = |partition: &str| {
        let entries =
            fs::read_dir(home.data().join(format!("partition-{partition}"))).expect("the folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name.starts_with("gen-"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(folders("01"), ["gen-0002", "gen-0003"]);
    assert_eq!(folders("00"), ["gen-0001"]);
    digests(&http);
    assert!(server.terminate().success());
    let server = home.start();
    assert_eq!(
        generations(&server.http()),
        [1, 3, 1],
        "after a restart as well"
    );
    digests(&server.http());
}

#[test]
fn a_read_model_that_was_deleted_is_built_again_at_the_start() {
    let home = Home::new();
    let server = home.start();
    fill(&server.http(), 0, 300);
    let digest = digests(&server.http());
    assert!(server.terminate().success());
    for partition in ["partition-00", "partition-shared"] {
        fs::remove_dir_all(home.data().join(partition)).expect("removed");
    }
    let server = home.start();
    until("all is applied again", || lag(&server.http()) == 0);
    assert_eq!(digests(&server.http()), digest);
}

#[test]
fn a_kill_during_a_rebuild_leaves_the_old_generation_or_the_new_one() {
    let home = Home::new();
    let mut server = home.start();
    fill(&server.http(), 0, DOCUMENTS);
    let digest = digests(&server.http());
    for _ in 0..4 {
        let before = generations(&server.http());
        let started = server.http().post("/v1/admin/rebuild", &json!({}));
        assert_eq!(started.status, 200);
        server.kill();
        server = home.start();
        until("all is applied", || lag(&server.http()) == 0);
        for (before, now) in before.iter().zip(generations(&server.http())) {
            assert!(now >= *before, "generation {now} after {before}");
        }
        assert_eq!(digests(&server.http()), digest);
    }
    assert!(
        server
            .http()
            .job("rebuild")
            .iter()
            .all(|part| part["error"].is_null())
    );
}

#[test]
fn jobs_that_nobody_started_are_unknown() {
    let server = Server::fresh();
    for job in ["1", "0", "-1", "x", "%FF", "99999999999999999999"] {
        assert_eq!(
            server.http().get(&format!("/v1/admin/jobs/{job}")).status,
            404,
            "{job}"
        );
    }
}

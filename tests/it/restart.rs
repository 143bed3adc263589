//! Ending and starting again: SIGTERM drains and exits with 0, and what was acked is there afterwards.

use crate::support::{Door as _, Home, Http, Server, contents, ids, until, value};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

fn write(http: &Http, text: &str) -> Value {
    let more = json!({"document": text, "document_type": "document"});
    http.store(&ids(Some("acme"), None, &more))
}

fn told(http: &Http, position: &Value) -> Vec<String> {
    let more = json!({"response_shape": "ranked", "max_results": 1_000, "position": position,
        "if_stale": "refuse", "wait_ms": 30_000});
    contents(&http.fetch(&ids(Some("acme"), None, &more)).ok())
}

fn applied(http: &Http) -> Vec<Value> {
    value("all is applied", || {
        let status = http.admin_status();
        let partitions = status["partitions"].as_array()?.clone();
        let done = partitions
            .iter()
            .all(|p| p["lag"] == 0 && p["state"] == "following");
        done.then_some(partitions)
    })
}

#[test]
fn sigterm_exits_with_0_and_everything_is_there_after_a_restart() {
    let home = Home::new();
    let server = home.start();
    let first = write(&server.http(), "The first note is here.");
    let before = applied(&server.http());
    let nats = server.nats_pid();
    assert!(server.terminate().success());
    assert!(
        !crate::support::process::alive(nats),
        "its nats-server has ended as well"
    );

    let server = home.start();
    let http = server.http();
    assert_eq!(told(&http, &first["position"]), ["The first note is here."]);
    for (before, after) in before.iter().zip(applied(&http)) {
        for field in [
            "partition",
            "log_seq",
            "applied_seq",
            "generation",
            "parked",
        ] {
            assert_eq!(before[field], after[field], "{field}");
        }
    }
    let second = write(&http, "The second note is here.");
    assert_eq!(told(&http, &second["position"]).len(), 2);
    assert_eq!(
        applied(&http)[0]["applied_seq"],
        2,
        "positions go on where they were"
    );
    http.assert_verified();
}

#[test]
fn sigterm_under_load_loses_nothing_that_was_acked() {
    let home = Home::new();
    let server = home.start();
    let (acked, ended) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (http, acked, ended) = (server.http(), &acked, &ended);
            scope.spawn(move || {
                for at in 0.. {
                    let text = format!("Writer w{writer} wrote line l{at} today.");
                    let body = ids(
                        Some("acme"),
                        None,
                        &json!({"document": text, "document_type": "document"}),
                    );
                    let sent = http.try_send(
                        "POST",
                        "/api/v1/memories/create",
                        &[],
                        body.to_string().as_bytes(),
                    );
                    match sent {
                        Ok(reply) if reply.status == 200 => {
                            acked.lock().expect("a lock").push(text);
                        }
                        Ok(reply) => assert_eq!(reply.status, 503, "{}", reply.text()),
                        Err(_) if ended.load(Ordering::SeqCst) => break,
                        // The door closes before the process has ended.
                        Err(_) => std::thread::yield_now(),
                    }
                }
            });
        }
        until("some are acked", || {
            acked.lock().expect("a lock").len() > 100
        });
        let status = server.terminate();
        ended.store(true, Ordering::SeqCst);
        assert!(status.success());
    });
    let server = home.start();
    applied(&server.http());
    let acked = acked.into_inner().expect("a lock");
    let events = server.nats().events();
    let stored: Vec<String> = events
        .iter()
        .map(|event| serde_json::from_slice::<Value>(&event.payload).expect("JSON"))
        .map(|event| event["data"]["content"].to_string())
        .collect();
    for text in &acked {
        let times = stored
            .iter()
            .filter(|content| content.contains(text))
            .count();
        assert_eq!(times, 1, "{text}");
    }
    server.http().assert_verified();
}

#[test]
fn an_idle_server_ends_at_once_and_twice_is_no_harm() {
    let home = Home::new();
    for _ in 0..3 {
        let server = home.start();
        assert_eq!(server.http().get("/health/ready").status, 200);
        assert!(server.terminate().success());
    }
    let server = home.start();
    server.kill();
    assert_eq!(home.start().http().log_seqs(), [0, 0]);
}

#[test]
fn a_server_that_ends_answers_what_it_has_accepted() {
    let server = Server::fresh();
    let http = server.http();
    let receipt = write(&http, "A note.");
    let token: synap_types::Position = receipt["position"]
        .as_str()
        .expect("a token")
        .parse()
        .expect("one");
    let ahead = synap_types::Position {
        seq: token.seq.next(),
        ..token
    };
    let waiting = std::thread::spawn(move || {
        let more = json!({"position": ahead, "wait_ms": 1_500, "if_stale": "answer"});
        http.try_send(
            "POST",
            "/v1/context/customer/fetch",
            &[],
            ids(Some("acme"), None, &more).to_string().as_bytes(),
        )
    });
    until("the fetch is under way", || {
        let metrics = server.http().get("/metrics").text();
        metrics.contains("synap_fetches_total") || !waiting.is_finished()
    });
    assert!(server.terminate().success());
    // It was either refused at the door or answered whole.
    if let Ok(reply) = waiting.join().expect("it ended") {
        assert_eq!(reply.ok()["stale"], true);
    }
}

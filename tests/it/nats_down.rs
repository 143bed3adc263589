//! NATS is gone or does not answer: writes are refused soon, reads go on, and all recovers by itself.

use crate::support::process::signal;
use crate::support::wait::now;
use crate::support::{Door as _, ExternalNats, Home, Http, Reply, Server, contents, ids, until};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::time::Duration;

/// The promise is one second; a machine that runs other tests as well gets two.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

fn note(text: &str) -> Value {
    ids(
        Some("acme"),
        None,
        &json!({"document": text, "document_type": "document"}),
    )
}

fn told(http: &Http) -> (Vec<String>, Value) {
    let more = json!({"response_shape": "ranked", "max_results": 1_000});
    let answer = http.fetch(&ids(Some("acme"), None, &more)).ok();
    (contents(&answer), answer["stale"].clone())
}

/// What an ingest answers, in time.
#[track_caller]
fn ingest_in_time(http: &Http, body: &Value) -> Reply {
    let started = now();
    let reply = http.ingest(body);
    let took = started.elapsed();
    assert!(took < REFUSED_WITHIN, "{took:?} for {}", reply.text());
    reply
}

#[track_caller]
fn refused(http: &Http, body: &Value) {
    let reply = ingest_in_time(http, body);
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "UNAVAILABLE"),
        "{}",
        reply.text()
    );
}

#[track_caller]
fn recovers(http: &Http) {
    until("writes are accepted again", || {
        http.ingest(&note("It is back.")).status == 200
    });
    until("reads are up to date again", || told(http).1 == false);
    until("it says so", || http.get("/health").ok()["status"] == "ok");
    assert_eq!(http.get("/health/ready").status, 200);
    until("what was written is told", || told(http).0.len() > 1);
    let mut all = told(http).0;
    all.sort();
    assert_eq!(
        all,
        ["It is back.", "It was before."],
        "what was refused is not there"
    );
}

#[test]
fn a_nats_server_that_is_killed_costs_writes_only_until_it_is_back() {
    let mut nats = ExternalNats::start();
    let server = Home::new()
        .serve()
        .args(["--nats-url", &nats.url()])
        .start();
    let http = server.http();
    let before = note("It was before.");
    http.store(&before);
    until("it is applied", || told(&http).0.len() == 1);
    for _ in 0..2 {
        nats.kill();
        for _ in 0..2 {
            refused(&http, &note("It is lost."));
            // What is there already cannot be told from what is not: the log is the only truth.
            refused(&http, &before);
            assert_eq!(told(&http).0, ["It was before."], "reads go on");
        }
        assert_eq!(
            http.get("/v1/admin/status").status,
            200,
            "so does the status"
        );
        assert_eq!(http.get("/health/live").status, 200);
        nats.run();
        until("writes are accepted again", || {
            http.ingest(&before).status == 200
        });
    }
    nats.kill();
    until("it says so", || {
        http.get("/health").ok()["status"] == "degraded"
    });
    assert_eq!(http.get("/health/ready").status, 503);
    assert_eq!(
        told(&http),
        (vec!["It was before.".to_owned()], true.into()),
        "reads say that they may be behind"
    );
    nats.run();
    recovers(&http);
    http.assert_verified();
}

#[test]
fn a_nats_server_that_hangs_costs_writes_only_until_it_goes_on() {
    let server = Server::fresh();
    let http = server.http();
    http.store(&note("It was before."));
    until("it is applied", || told(&http).0.len() == 1);
    let nats = server.nats_pid();
    assert!(signal(nats, Signal::SIGSTOP));
    let body = note("It is back.").to_string();
    for _ in 0..3 {
        let started = now();
        let headers = [("Idempotency-Key", "again")];
        let reply = http.send("POST", "/api/v1/memories/create", &headers, body.as_bytes());
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert!(started.elapsed() < REFUSED_WITHIN);
        assert_eq!(told(&http).0, ["It was before."], "reads go on");
    }
    assert!(signal(nats, Signal::SIGCONT));
    until("writes are accepted again", || {
        let headers = [("Idempotency-Key", "again")];
        http.send("POST", "/api/v1/memories/create", &headers, body.as_bytes())
            .status
            == 200
    });
    until("reads are up to date again", || {
        told(&http).1 == false && told(&http).0.len() == 2
    });
    assert_eq!(http.log_seqs(), [2, 0], "all tries together are one write");
    assert_eq!(server.nats_pid(), nats, "it was never replaced");
}

#[test]
fn the_private_nats_server_is_started_again_when_it_dies() {
    let server = Server::fresh();
    let (http, url) = (server.http(), server.nats_url().to_owned());
    http.store(&note("It was before."));
    until("it is applied", || told(&http).0.len() == 1);
    for _ in 0..3 {
        assert!(signal(server.nats_pid(), Signal::SIGKILL));
        let reply = ingest_in_time(&http, &note("It was before."));
        assert!([200, 503].contains(&reply.status), "{}", reply.text());
        until("writes are accepted again", || {
            http.ingest(&note("It is back.")).status == 200
        });
    }
    recovers(&http);
    let nats = crate::support::Nats::new(&url, Some(crate::support::KEY));
    assert_eq!(
        nats.ingest(&note("It is back.")).ok()["duplicate"],
        true,
        "at the same address"
    );
    http.assert_verified();
}

#[test]
fn a_given_nats_server_is_relaxed_unless_the_operator_vouches_for_it() {
    for (settings, config, durability) in [
        ("", "", "relaxed"),
        ("", "[nats]\nassume_sync_always = true", "power-safe"),
    ] {
        let nats = ExternalNats::with(settings);
        let server = Home::new()
            .serve()
            .config(config)
            .args(["--nats-url", &nats.url()])
            .start();
        assert_eq!(server.ready["durability"], durability);
        assert_eq!(server.ready["nats"], nats.url());
        let http = server.http();
        assert_eq!(http.get("/health").ok()["durability"], durability);
        assert_eq!(http.store(&note("A note."))["durability"], durability);
        assert_eq!(http.admin_status()["durability"], durability);
        let warned = server.home().log().contains("sync_interval: always");
        assert_eq!(
            warned,
            durability == "relaxed",
            "it is said aloud in the log"
        );
        assert!(server.terminate().success());
        drop(nats);
    }
}

#[test]
fn a_nats_server_that_wants_a_password_gets_it_and_nobody_sees_it() {
    let nats = ExternalNats::with("authorization { user: synap, password: \"s3cret-word\" }");
    let with_password = nats.url().replace("nats://", "nats://synap:s3cret-word@");
    let in_file = "[nats]\nuser = \"synap\"\npassword = \"s3cret-word\"";
    for (url, config) in [(with_password.as_str(), ""), (&nats.url(), in_file)] {
        let server = Home::new()
            .serve()
            .config(config)
            .args(["--nats-url", url, "--log", "debug"])
            .start();
        assert_eq!(server.http().ingest(&note("A note.")).status, 200);
        assert_eq!(server.ready["nats"], nats.url());
        let home = server.home().clone();
        assert!(server.terminate().success());
        assert!(!home.log().contains("s3cret-word"), "not in the log");
    }
    let wrong = nats.url().replace("nats://", "nats://synap:wrong-w0rd@");
    let said = Home::new().serve().args(["--nats-url", &wrong]).refused();
    assert!(
        said.contains("could not connect to NATS") && said.contains("refuses the credentials"),
        "{said}"
    );
    assert!(!said.contains("wrong-w0rd"), "{said}");
}

#[test]
fn a_nats_server_that_is_not_there_is_named_in_a_sentence() {
    let said = Home::new()
        .serve()
        .args(["--nats-url", "nats://127.0.0.1:1"])
        .refused();
    assert!(
        said.contains("synap: could not connect to NATS: no server answers at nats://127.0.0.1:1"),
        "{said}"
    );
    let said = Home::new()
        .serve()
        .args(["--nats-url", "http://x y"])
        .refused();
    assert!(said.contains("is no NATS URL"), "{said}");
}

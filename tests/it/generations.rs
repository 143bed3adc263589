//! Generations while fetches go on: rebuild, switch, rollback and kills, and nobody is told less than before.

use crate::support::wait::{now, pass};
use crate::support::{Cli, Door as _, Home, Http, Server, ids, until};
use serde_json::{Value, json};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Between two fetches of a reader.
const EVERY: Duration = Duration::from_millis(10);

fn fill(http: &Http, count: usize) {
    for from in (0..count).step_by(100) {
        let document = |at: usize| {
            let text = format!("Memory m{at}e: the plan of team t{} is ready.", at % 10);
            let more = json!({"document": text, "document_type": "document", "document_id": format!("d{at}")});
            ids(Some("acme"), Some("al"), &more)
        };
        let documents: Vec<Value> = (from..count.min(from + 100)).map(document).collect();
        let body = json!({ "documents": documents });
        assert_eq!(http.post("/api/v1/memories/batch", &body).ok()["failed"], 0);
    }
    until("all is applied", || is_applied(http));
}

fn is_applied(http: &Http) -> bool {
    let status = http.admin_status();
    let partitions = status["partitions"].as_array().expect("partitions");
    partitions
        .iter()
        .all(|p| p["lag"] == 0 && p["state"] == "following")
}

fn live(http: &Http) -> u64 {
    let status = http.admin_status();
    status["partitions"][0]["generation"]
        .as_u64()
        .expect("a number")
}

fn wait_for_jobs(http: &Http) {
    until("no job goes on", || {
        http.admin_status()["jobs"] == json!([])
    });
}

/// Writes and fetches at a constant rate until told to stop; whatever was acked is in the answer.
fn load(http: &Http, name: &str, stop: &AtomicBool, fetched: &AtomicU64) {
    let mut count = 0;
    let mut next = now();
    while !stop.load(Ordering::SeqCst) {
        let more = json!({"document": format!("Written w{count}e by {name}."), "document_type": "document"});
        let receipt = http.ingest(&ids(Some("acme"), Some(name), &more)).ok();
        count += 1;
        let more = json!({"position": receipt["position"], "response_shape": "ranked", "max_results": 1_000,
            "if_stale": "refuse", "wait_ms": 30_000});
        let reply = http.fetch(&ids(Some("acme"), Some(name), &more));
        assert_eq!(reply.status, 200, "{reply:?}");
        let answer = reply.json();
        assert_eq!(
            answer["scopes"][0]["items"], count,
            "all that was acked is told"
        );
        let more = json!({"search_query": ["the plan of team t4"], "response_shape": "ranked"});
        let reply = http.fetch(&ids(Some("acme"), Some("al"), &more));
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["stale"], false);
        fetched.fetch_add(1, Ordering::SeqCst);
        next += EVERY;
        pass(next.saturating_duration_since(now()));
    }
}

#[test]
fn no_fetch_fails_or_is_stale_during_rebuilds_switches_and_rollbacks() {
    let server = Server::fresh();
    let http = server.http();
    fill(&http, 600);
    let (stop, fetched) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for name in ["ann", "bob"] {
            let (http, stop, fetched) = (server.http(), &stop, &fetched);
            scope.spawn(move || load(&http, name, stop, fetched));
        }
        let before = fetched.load(Ordering::SeqCst);
        for _ in 0..3 {
            for part in http.job("rebuild") {
                assert_ne!(part["result"]["equal"], false, "{part}");
                assert!(part["result"]["switch_ms"].is_number(), "{part}");
                eprintln!("rebuild: switch_ms {}", part["result"]["switch_ms"]);
            }
            for _ in 0..2 {
                for part in http.job("rollback") {
                    assert!(part["result"]["switch_ms"].is_number(), "{part}");
                    eprintln!("rollback: switch_ms {}", part["result"]["switch_ms"]);
                }
            }
        }
        until("there were fetches all the while", || {
            fetched.load(Ordering::SeqCst) > before + 20
        });
        stop.store(true, Ordering::SeqCst);
    });
    http.assert_verified();
}

/// Begins a rebuild that takes long, and waits until it is in the midst. Answers how far it is.
fn begin_rebuild(http: &Http) -> u64 {
    let body = json!({"partition": "00", "cpu_share": 0.01});
    let job = http.post("/v1/admin/rebuild", &body).ok()["job"].clone();
    let path = format!("/v1/admin/jobs/{}", job.as_str().expect("a job"));
    let mut applied = 0;
    until("some of it is filled", || {
        let shown = http.get(&path).ok();
        assert_eq!(shown["state"], "running", "{shown}");
        applied = shown["partitions"][0]["applied_seq"]
            .as_u64()
            .expect("a seq");
        applied > 0
    });
    applied
}

/// Where the server is, while there is one; and how many there were.
type Place = Mutex<(u64, Option<Http>)>;

/// Sends until there is an answer. Only a server that is killed may fail to give one.
fn send(place: &Place, path: &str, body: &Value) -> Value {
    loop {
        let (life, http) = place.lock().expect("no panic").clone();
        let Some(http) = http else {
            pass(EVERY);
            continue;
        };
        match http.try_send("POST", path, &[], body.to_string().as_bytes()) {
            Ok(reply) => {
                assert_eq!(reply.status, 200, "{reply:?}");
                return reply.json();
            }
            Err(e) => {
                let (now, http) = place.lock().expect("no panic").clone();
                assert!(
                    http.is_none() || now > life,
                    "a server that runs answers: {e}"
                );
            }
        }
    }
}

/// Writes and fetches until told to stop, whatever server there is; answers how often.
fn load_through_kills(place: &Place, stop: &AtomicBool) -> u64 {
    let mut count = 0;
    while !stop.load(Ordering::SeqCst) {
        let more = json!({"document": format!("Written w{count}e meanwhile."), "document_type": "document"});
        let body = ids(Some("acme"), Some("ann"), &more);
        let receipt = send(place, "/api/v1/memories/create", &body);
        count += 1;
        let more = json!({"position": receipt["position"], "response_shape": "ranked", "max_results": 1_000,
            "if_stale": "refuse", "wait_ms": 30_000});
        let body = ids(Some("acme"), Some("ann"), &more);
        let answer = send(place, "/v1/context/user/fetch", &body);
        assert_eq!(
            answer["scopes"][0]["items"], count,
            "all that was acked is told"
        );
        pass(EVERY);
    }
    count
}

#[test]
fn kills_in_the_midst_of_rebuilds_lose_nothing_that_was_acked() {
    let home = Home::new();
    let mut server = home.start();
    fill(&server.http(), 1_500);
    let place: Place = Mutex::new((0, Some(server.http())));
    let stop = AtomicBool::new(false);
    let (count, server) = std::thread::scope(|scope| {
        let load = scope.spawn(|| load_through_kills(&place, &stop));
        for life in 1..=3 {
            begin_rebuild(&server.http());
            *place.lock().expect("no panic") = (life, None);
            server.kill();
            server = home.start();
            *place.lock().expect("no panic") = (life, Some(server.http()));
            wait_for_jobs(&server.http());
        }
        stop.store(true, Ordering::SeqCst);
        (load.join().expect("it ended"), server)
    });
    assert!(count > 3, "{count} fetches");
    assert_eq!(live(&server.http()), 4, "each rebuild was ended");
    server.http().assert_verified();
}

#[test]
fn a_rebuild_goes_on_where_a_kill_interrupted_it() {
    let home = Home::new();
    let mut server = home.start();
    fill(&server.http(), 3_000);
    let plan = json!({"search_query": ["the plan of team t4"], "response_shape": "ranked"});
    let plan = ids(Some("acme"), Some("al"), &plan);
    let expected = server.http().fetch(&plan).ok();
    let applied = begin_rebuild(&server.http());
    server.kill();
    server = home.serve().config("[rebuild]\ncpu_share = 0.001").start();
    let http = server.http();
    assert_eq!(http.fetch(&plan).ok()["context"], expected["context"]);
    let jobs = http.admin_status()["jobs"].clone();
    assert_eq!(jobs[0]["kind"], "rebuild", "it goes on by itself: {jobs}");
    assert_eq!(jobs[0]["partitions"][0]["partition"], "00");
    // Whoever asks for a rebuild is told of that one, and may hurry it.
    let run = Cli::of(&server).run(["rebuild", "--partition", "00", "--cpu-share", "1", "--json"]);
    let joined = run.ok().json()[0]["partitions"][0]["result"].clone();
    let from = joined["resumed_from"].as_u64().expect("a seq");
    assert!(
        from >= applied,
        "it went on from {from}, it was at {applied} before"
    );
    assert_eq!(
        (&joined["generation"], &joined["equal"]),
        (&json!(2), &json!(true))
    );
    wait_for_jobs(&http);
    let own = http.get("/v1/admin/jobs/1").ok();
    assert_eq!(own["partitions"][0]["result"], joined);
    assert_eq!(live(&http), 2);
    assert_eq!(http.fetch(&plan).ok()["context"], expected["context"]);
    http.assert_verified();
    let filling = fs::read_dir(home.data().join("partition-00")).expect("the folder");
    let names = filling.map(|entry| entry.expect("an entry").file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().ends_with(".filling"))
    );
}

#[test]
fn a_rebuild_that_the_end_of_the_server_interrupts_does_not_keep_it() {
    let home = Home::new();
    let server = home.start();
    fill(&server.http(), 3_000);
    begin_rebuild(&server.http());
    assert!(server.terminate().success());
    let server = home.start();
    wait_for_jobs(&server.http());
    assert_eq!(live(&server.http()), 2, "it went on");
    server.http().assert_verified();
}

#[test]
fn a_rollback_is_a_command_and_says_when_there_is_nothing_to_go_back_to() {
    let server = Server::fresh();
    let (http, cli) = (server.http(), Cli::of(&server));
    fill(&http, 20);
    let none = cli.run(["rollback", "--partition", "00"]).failed();
    assert!(
        none.stdout
            .contains("there is no generation before this one"),
        "{none:?}"
    );
    let rebuilt = cli.run(["rebuild", "--cpu-share", "1"]).ok();
    assert!(
        rebuilt.stdout.contains("equal to the one before: digest "),
        "{rebuilt:?}"
    );
    for generation in [1, 2] {
        let run = cli.run(["rollback", "--partition", "00"]).ok();
        let said = format!("partition 00: generation {generation} is live again");
        assert!(run.stdout.starts_with(&said), "{run:?}");
        assert_eq!(live(&http), generation);
    }
    for share in ["0", "1.5", "x"] {
        let run = cli.run(["rebuild", "--cpu-share", share]);
        assert_ne!(run.code, Some(0), "{share}");
    }
    let sampled = cli.run(["verify", "--sample", "10%"]).ok();
    assert!(
        sampled.stdout.contains("(a sample of 10% of the keys)"),
        "{sampled:?}"
    );
    for sample in ["0%", "101%", "x"] {
        assert_eq!(
            cli.run(["verify", "--sample", sample]).code,
            Some(2),
            "{sample}"
        );
    }
}

//! Figures of the running server, each beside its floor in the same run: `cargo bench -p synap-it`.
//!
//! Wants a release binary: `SYNAP_BIN`, else `target/release/synap`. Prints a table; asserts nothing about time.
//! Absolute figures do not carry to another machine; the ratio to the floor does.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a measuring program: it reads the clock, prints, and stops at the first surprise"
)]

mod client;
mod server;
mod words;

use client::{Http, Nats};
use serde_json::{Value, json};
use server::Server;
use std::time::{Duration, Instant};
use words::Words;

/// Memories in the scope that is fetched from.
const MEMORIES: usize = 10_000;
/// Documents of one batch request.
const BATCH: usize = 500;
/// Calls of every latency.
const CALLS: usize = 2_000;
/// Calls that come before and do not count.
const WARM_UP: usize = 200;
/// Writes that are read back.
const WRITES: usize = 500;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let server = Server::start();
    let http = Http::new(&server);
    let nats = Nats::new(&server).await;
    println!(
        "{:<52} {:>10} {:>10} {:>12}",
        "", "p50", "p99", "per second"
    );

    let started = Instant::now();
    fill(&http);
    let rate = MEMORIES as f64 / started.elapsed().as_secs_f64();
    println!(
        "{:<52} {:>10} {:>10} {rate:>12.0}",
        format!("ingest by batches of {BATCH}, until searchable"),
        "",
        ""
    );

    let mut words = Words::new(2);
    let bodies: Vec<Value> = (0..CALLS + WARM_UP)
        .map(|_| fetch_body(&words.sentence(4)))
        .collect();
    let reply = nats.request("synap.v1.fetch", &bodies[0]).await;
    let echo = nats.serve_echo(reply.to_string().len()).await;

    let mut times = Vec::new();
    for body in &bodies {
        let started = Instant::now();
        let _reply = nats.request_raw(&echo, body).await;
        times.push(started.elapsed());
    }
    let floor = print(
        "floor: bare NATS echo, request and reply of that size",
        &times,
        None,
    );

    let mut times = Vec::new();
    for body in &bodies {
        let started = Instant::now();
        check(&nats.request("synap.v1.fetch", body).await);
        times.push(started.elapsed());
    }
    print(
        &format!("fetch over NATS, {MEMORIES} memories in scope"),
        &times,
        Some(floor),
    );

    let mut times = Vec::new();
    for body in &bodies {
        let started = Instant::now();
        check(&http.post("/v1/context/customer/fetch", body));
        times.push(started.elapsed());
    }
    print(
        &format!("fetch over HTTP, {MEMORIES} memories in scope"),
        &times,
        Some(floor),
    );

    let mut times = Vec::new();
    for _ in 0..CALLS {
        let started = Instant::now();
        let _health = http.get("/health/live");
        times.push(started.elapsed());
    }
    print("floor: bare HTTP answer of the server", &times, None);

    visible(&http);
}

fn fill(http: &Http) {
    let mut words = Words::new(1);
    for batch in 0..MEMORIES / BATCH {
        let document = |n| {
            json!({"document": words.sentence(12), "document_type": "document",
            "document_id": format!("d{}", batch * BATCH + n), "customer_id": "bench"})
        };
        let documents: Vec<Value> = (0..BATCH).map(document).collect();
        let answer = http.post("/api/v1/memories/batch", &json!({"documents": documents}));
        assert_eq!(answer["succeeded"], BATCH, "{answer}");
        let last = answer["results"][BATCH - 1]["ingestion_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let status = http.get(&format!("/api/v1/memories/status/{last}"));
        assert_eq!(status["status"], "completed", "{status}");
    }
}

/// One write after the other, each read back by its position: how long the ack takes, and how much longer the reading.
fn visible(http: &Http) {
    let mut words = Words::new(3);
    let (mut acks, mut seen) = (Vec::new(), Vec::new());
    for n in 0..WRITES {
        let text = format!("{} zzmark{n}", words.sentence(12));
        let started = Instant::now();
        let receipt = http.post(
            "/api/v1/memories/create",
            &json!({"document": text, "document_type": "document",
            "customer_id": "visible"}),
        );
        acks.push(started.elapsed());
        let started = Instant::now();
        let answer = http.post(
            "/v1/context/customer/fetch",
            &json!({"customer_id": "visible",
            "search_query": [format!("zzmark{n}")], "max_results": 1, "response_shape": "ranked",
            "position": receipt["position"], "if_stale": "refuse"}),
        );
        let content = answer["context"]["items"][0]["content"]
            .as_str()
            .unwrap_or_default();
        assert!(content.contains(&format!("zzmark{n}")), "{answer}");
        seen.push(started.elapsed());
    }
    print(
        "create over HTTP, one by one, until acked (synced)",
        &acks,
        None,
    );
    print(
        "ack to visible: a fetch with its position, answered",
        &seen,
        None,
    );
}

fn fetch_body(query: &str) -> Value {
    json!({"customer_id": "bench", "search_query": [query], "max_results": 10, "response_shape": "ranked"})
}

fn check(answer: &Value) {
    assert_eq!(
        answer["context"]["items"].as_array().map(Vec::len),
        Some(10),
        "{answer}"
    );
}

/// Prints one line; answers the median.
fn print(what: &str, times: &[Duration], floor: Option<Duration>) -> Duration {
    let mut sorted: Vec<Duration> = times
        .iter()
        .skip(if times.len() > WARM_UP * 2 {
            WARM_UP
        } else {
            0
        })
        .copied()
        .collect();
    sorted.sort_unstable();
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let per_second = sorted.len() as f64 / sorted.iter().sum::<Duration>().as_secs_f64();
    let ratio = floor.map_or_else(String::new, |floor| {
        format!(
            "  {:.2} x floor",
            at(0.5).as_secs_f64() / floor.as_secs_f64()
        )
    });
    let micros = |time: Duration| format!("{} us", time.as_micros());
    println!(
        "{what:<52} {:>10} {:>10} {per_second:>12.0}{ratio}",
        micros(at(0.5)),
        micros(at(0.99))
    );
    at(0.5)
}

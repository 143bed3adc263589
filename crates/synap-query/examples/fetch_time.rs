//! Prints how long a fetch takes over 10,000 memories in one scope, in memory: `cargo run --release --example fetch_time`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/query/world.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "shared with the tests, which use all of it"
)]
mod world;

use synap_types::{Clock as _, FetchRequest, SystemClock};
use world::{World, request, scope};

const MEMORIES: usize = 10_000;
const ROUNDS: usize = 2_000;

const WORDS: [&str; 48] = [
    "deploy",
    "production",
    "staging",
    "billing",
    "service",
    "team",
    "platform",
    "review",
    "database",
    "postgres",
    "python",
    "release",
    "rollback",
    "error",
    "rate",
    "approval",
    "hotfix",
    "engineer",
    "sprint",
    "planning",
    "migrate",
    "auth",
    "oauth",
    "slack",
    "channel",
    "fiscal",
    "year",
    "budget",
    "april",
    "march",
    "customer",
    "contract",
    "renewal",
    "latency",
    "region",
    "cluster",
    "node",
    "backup",
    "restore",
    "alert",
    "pager",
    "incident",
    "postmortem",
    "roadmap",
    "quarter",
    "metric",
    "dashboard",
    "export",
];

/// Ten words; the n-th text is the same in every run. Low numbers of the list are more frequent.
fn text(number: usize) -> String {
    let word = |place: usize| {
        let mixed = (number * 2_654_435_761 + place * 40_503) % 65_521;
        let at = (mixed % WORDS.len()) * (mixed / WORDS.len() % WORDS.len()) / WORDS.len();
        WORDS.get(at).copied().unwrap_or("deploy")
    };
    let words: Vec<&str> = (0..10).map(word).collect();
    format!("- {} item{number}\n", words.join(" "))
}

fn main() {
    let (mut world, user) = (World::default(), scope(&["acme", "dana"]));
    for part in 0..MEMORIES / 1_000 {
        let lines: String = (0..1_000).map(|line| text(part * 1_000 + line)).collect();
        world.add(&user, &format!("doc-{part}"), &lines);
    }
    world.add(&scope(&["acme"]), "window", "Production deploys: Tuesdays");
    world.add(
        &scope(&[]),
        "note",
        "Blue-green deployment support available",
    );
    for (name, queries, max_results) in [
        ("one rare word", &["item77"][..], 10),
        ("a question", &["when can I deploy to production"], 10),
        (
            "six common words",
            &["deploy production staging billing service team"],
            10,
        ),
        (
            "four queries",
            &[
                "deploy production",
                "billing service",
                "team review",
                "fiscal year budget",
            ],
            10,
        ),
        (
            "a question, 100 results",
            &["when can I deploy to production"],
            100,
        ),
        ("no query", &[], 10),
    ] {
        let asked = FetchRequest {
            max_results,
            explain: false,
            ..request(&user, queries)
        };
        report(name, &world, &asked);
    }
}

fn report(name: &str, world: &World, asked: &FetchRequest) {
    let matched = world
        .ask(asked)
        .scopes
        .first()
        .map_or(0, |scope| scope.candidates);
    let mut micros: Vec<i64> = (0..ROUNDS)
        .map(|_| {
            let before = SystemClock.now().micros();
            drop(world.ask(asked));
            SystemClock.now().micros() - before
        })
        .collect();
    micros.sort_unstable();
    let at = |share: usize| {
        micros
            .get(ROUNDS * share / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{name:<26} {matched:>6} matches   p50 {:>6} µs   p99 {:>6} µs",
        at(50),
        at(99)
    );
}

//! Generations with a name: how answers change under other settings, on what was really stored, before anything is live.

use crate::support::{Cli, Door as _, Home, Http, contents, ids, until};
use serde_json::{Value, json};
use std::fs;

const TEXTS: [&str; 4] = [
    "The harbour office opens at nine.",
    "The office of the harbour master closes on Sunday, and the harbour office opens at nine on all other days of the week.",
    "The harbour is deep.",
    "An office was built.",
];

fn store(http: &Http, text: &str) -> Value {
    let more = json!({"document": text, "document_type": "document"});
    http.store(&ids(Some("acme"), Some("al"), &more))
}

fn ask(more: &Value) -> Value {
    let mut body = json!({"search_query": ["harbour office"], "response_shape": "ranked"});
    body.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    ids(Some("acme"), Some("al"), &body)
}

#[test]
fn a_named_generation_answers_with_its_own_ranking_and_follows_the_log() {
    let home = Home::new();
    let server = home.start();
    let (http, cli) = (server.http(), Cli::of(&server));
    for text in TEXTS {
        store(&http, text);
    }
    let built = cli
        .run([
            "rebuild",
            "--as",
            "no-words",
            "--set",
            "ranking.bm25=0",
            "--set",
            "proximity=0",
            "--set",
            "statement=0",
        ])
        .ok();
    assert!(
        built
            .stdout
            .contains("generation no-words answers by its name"),
        "{built:?}"
    );
    let receipt = store(&http, "The harbour office has a new telephone.");
    let named = |http: &Http| {
        let more = json!({"generation": "no-words", "position": receipt["position"], "if_stale": "refuse",
            "min_relevance": 0, "max_results": 50, "explain": true});
        http.fetch(&ask(&more)).ok()
    };
    let live = |http: &Http| {
        let more = json!({"generation": "live", "position": receipt["position"], "if_stale": "refuse",
            "min_relevance": 0, "max_results": 50, "explain": true});
        http.fetch(&ask(&more)).ok()
    };
    let (one, other) = (contents(&live(&http)), contents(&named(&http)));
    assert_eq!(
        one.len(),
        other.len(),
        "the same rows, what came since as well"
    );
    assert_ne!(
        named(&http)["context"],
        live(&http)["context"],
        "another ranking"
    );

    let listed = cli.run(["generations", "--json"]).ok().json();
    let shown = &listed[0]["partitions"][0];
    assert_eq!(
        (&shown["live"], &shown["previous"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(shown["named"][0]["name"], "no-words");
    assert_eq!(shown["named"][0]["set"]["bm25"], 0.0);
    let table = cli.run(["generations"]).ok();
    assert!(
        table.stdout.contains("no-words") && table.stdout.contains("ranking.bm25=0"),
        "{table:?}"
    );

    assert!(server.terminate().success());
    let server = home.start();
    let http = server.http();
    until("it follows after a restart", || {
        let shown = http.get("/v1/admin/generations").ok();
        let named = &shown["partitions"][0]["named"][0];
        named["state"] == "following" && named["applied_seq"] == 5
    });
    assert_eq!(contents(&named(&http)), other, "with the same ranking");
    http.assert_verified();
}

#[test]
fn two_generations_are_compared_query_by_query() {
    let home = Home::new();
    let server = home.start();
    let (http, cli) = (server.http(), Cli::of(&server));
    for text in TEXTS {
        store(&http, text);
    }
    cli.run(["rebuild", "--as", "same"]).ok();
    cli.run(["rebuild", "--as", "newest", "--set", "ranking.recency=100"])
        .ok();
    let file = home.path("queries");
    let queries = "harbour office\n\n{\"query\": \"deep harbour\", \"customer_id\": \"acme\", \"user_id\": \"al\"}\n";
    fs::write(&file, queries).expect("written");
    let compare = |a: &str, b: &str, more: &[&str]| {
        let file = file.to_str().expect("a path");
        let command = [
            "compare",
            a,
            b,
            "--queries",
            file,
            "--customer",
            "acme",
            "--user",
            "al",
        ];
        cli.run([&command[..], more].concat())
    };
    let equal = compare("live", "same", &["--json"]).ok().json();
    assert_eq!(equal[0]["summary"]["queries"], 2);
    assert_eq!(equal[0]["summary"]["changed"], 0);
    assert!(equal[0]["summary"]["same"].as_u64() > Some(0), "{equal:?}");
    let other = compare("live", "newest", &["--json", "--max-results", "1"])
        .ok()
        .json();
    assert!(
        other[0]["summary"]["changed"].as_u64() > Some(0),
        "{other:?}"
    );
    let (won, lost) = (&other[0]["summary"]["won"], &other[0]["summary"]["lost"]);
    assert_eq!(won, lost, "one for one: {other:?}");
    let said = compare("live", "newest", &[]).ok();
    assert!(said.stdout.contains("2 queries, "), "{said:?}");
    let unknown = compare("live", "nothing", &[]).failed();
    assert!(
        unknown
            .stderr
            .contains("generation is not the name of a generation"),
        "{unknown:?}"
    );
}

#[test]
fn names_that_do_not_fit_are_refused_and_those_removed_are_gone() {
    let home = Home::new();
    let server = home.start();
    let (http, cli) = (server.http(), Cli::of(&server));
    store(&http, TEXTS[0]);
    let refused = http.fetch(&ask(&json!({"generation": "x"})));
    assert_eq!(
        (refused.status, &refused.json()["details"]["field"]),
        (400, &json!("generation"))
    );
    for (body, field) in [
        (json!({"as": "../x"}), "as"),
        (json!({"as": "live"}), "as"),
        (json!({"as": "A"}), "as"),
        (json!({"as": "x", "partition": "00"}), "partition"),
        (json!({"as": "x", "set": {"bm52": 1}}), "set.bm52"),
        (json!({"as": "x", "set": {"bm25": "1"}}), "set.bm25"),
        (json!({"set": {"bm25": 1}}), "set"),
    ] {
        let refused = http.post("/v1/admin/rebuild", &body);
        assert_eq!(refused.status, 400, "{body}: {refused:?}");
        assert_eq!(refused.json()["details"]["field"], field, "{body}");
    }
    cli.run(["rebuild", "--as", "x", "--set", "ranking.bm25=2"])
        .ok();
    cli.run(["rebuild", "--as", "x", "--set", "ranking.bm25=2"])
        .ok();
    let other = cli
        .run(["rebuild", "--as", "x", "--set", "ranking.bm25=3"])
        .failed();
    assert!(other.stderr.contains("with other settings"), "{other:?}");
    let folder = home.data().join("partition-00/named/x");
    assert!(folder.is_dir());
    cli.run(["generations", "remove", "x"]).ok();
    assert!(!folder.exists());
    assert_eq!(http.fetch(&ask(&json!({"generation": "x"}))).status, 400);
    let unknown = cli.run(["generations", "remove", "x"]).failed();
    assert!(
        unknown
            .stderr
            .contains("name is not the name of a generation"),
        "{unknown:?}"
    );
    http.job("rebuild");
    http.assert_verified();
}

#[test]
fn another_extractor_is_tried_on_what_was_stored() {
    let home = Home::new();
    let server = home.start();
    let (http, cli) = (server.http(), Cli::of(&server));
    store(
        &http,
        "The harbour office opens at nine in the morning. The green door on the left is its own. The last one leaves at six in the evening.",
    );
    let alone = json!({"extractor": "passages"});
    let unknown = json!({"as": "words", "extractor": "words"});
    for body in [alone, unknown] {
        let refused = http.post("/v1/admin/rebuild", &body).refused(400);
        assert_eq!(refused["details"]["field"], "extractor", "{refused}");
    }
    cli.run(["rebuild", "--as", "whole", "--extractor", "passages"])
        .ok();
    let listed = cli.run(["generations"]).ok().stdout;
    assert!(listed.contains("extractor=passages"), "{listed}");
    let again = json!({"as": "whole"});
    let refused = http.post("/v1/admin/rebuild", &again).refused(409);
    assert!(refused.to_string().contains("other settings"), "{refused}");
    drop(http);
    assert!(server.terminate().success());

    // After a restart, too: what comes from now on, and what is left of a scope that was erased in part.
    let server = home.start();
    let http = server.http();
    let more = json!({"document": "The roof is red. It leaks.", "document_type": "document", "document_id": "roof"});
    http.store(&ids(Some("acme"), Some("al"), &more));
    store(
        &http,
        "The harbour has two ships in the water. One of the two is older than the other.",
    );
    let erase = [
        "erase",
        "--yes",
        "--customer",
        "acme",
        "--user",
        "al",
        "--document",
        "roof",
    ];
    Cli::of(&server).run(erase).ok();
    let told = |generation: &str| {
        let more = json!({"generation": generation, "search_query": ["harbour office ships"], "min_relevance": 0, "max_results": 50});
        let mut told = contents(&http.fetch(&ask(&more)).ok());
        told.sort();
        told
    };
    until("both know the ships", || {
        ["whole", "live"]
            .iter()
            .all(|name| told(name).concat().contains("ships"))
    });
    assert_eq!(
        told("whole"),
        [
            "The harbour has two ships in the water. One of the two is older than the other.",
            "The harbour office opens at nine in the morning. The green door on the left is its own. The last one leaves at six in the evening.",
        ]
    );
    assert_eq!(told("live").len(), 5);
    http.assert_verified();
}

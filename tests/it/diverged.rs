//! A log that is not the one the rows came from: nothing is acked into it, and nothing is given up unasked.

use crate::support::{Cli, Door as _, Home, Server, contents, ids, value};
use serde_json::{Value, json};
use std::fs;

fn note(text: &str) -> Value {
    let more = json!({"document": text, "document_type": "document"});
    ids(Some("acme"), None, &more)
}

#[test]
fn nothing_is_acked_or_given_up_while_log_and_rows_tell_different_stories() {
    let home = Home::new();
    let server = home.start();
    let receipt = server.http().store(&note("The first note is here."));
    let read =
        json!({"response_shape": "ranked", "position": receipt["position"], "if_stale": "refuse"});
    server.http().fetch(&ids(Some("acme"), None, &read)).ok();
    assert!(server.terminate().success());
    fs::remove_dir_all(home.data().join("nats")).unwrap();

    let server = home.start();
    let http = server.http();
    let reason = value("the partition has halted", || {
        let status = http.admin_status();
        let partition = status["partitions"].as_array()?.first()?.clone();
        (partition["state"] == "halted")
            .then(|| partition["reason"].as_str().unwrap_or_default().to_owned())
    });
    assert!(
        reason.contains("not the one that the rows were made from"),
        "{reason}"
    );
    let refused = http.post(
        "/api/v1/memories/create",
        &note("Nobody would ever see this."),
    );
    assert_eq!(refused.status, 503, "{refused:?}");
    let answer = http
        .fetch(&ids(
            Some("acme"),
            None,
            &json!({"response_shape": "ranked"}),
        ))
        .ok();
    assert_eq!(answer["stale"], true);
    assert_eq!(
        contents(&answer),
        ["The first note is here."],
        "what is there is told"
    );

    given_up_only_if_asked_for(&server);
}

fn given_up_only_if_asked_for(server: &Server) {
    let (http, cli) = (server.http(), Cli::of(server));
    let unasked = cli.run(["rebuild", "--partition", "00"]).failed();
    assert!(
        unasked.stdout.contains("--accept-loss"),
        "{}",
        unasked.stdout
    );
    let all = ids(Some("acme"), None, &json!({"response_shape": "ranked"}));
    assert_eq!(contents(&http.fetch(&all).ok()).len(), 1);
    cli.run(["rebuild", "--partition", "00", "--accept-loss"])
        .ok();
    let receipt = http.store(&note("The second note is here."));
    let read =
        json!({"response_shape": "ranked", "position": receipt["position"], "if_stale": "refuse"});
    let answer = http.fetch(&ids(Some("acme"), None, &read)).ok();
    assert_eq!(contents(&answer), ["The second note is here."]);
    http.assert_verified();
}

#[test]
fn an_answer_that_would_be_too_large_is_refused() {
    let home = Home::new();
    let server = home.start();
    let http = server.http();
    let facts: Vec<String> = (0..100)
        .map(|n| format!("- Fact number {n} is about a box."))
        .collect();
    let text = facts.join("\n");
    let more = json!({"document": text, "document_type": "document", "metadata": {"pad": "x".repeat(60_000)}});
    let receipt = http.store(&ids(Some("acme"), None, &more));
    let ask = |max_results: usize| {
        let more = json!({"search_query": ["box"], "max_results": max_results, "response_shape": "ranked", "position": receipt["position"],
            "if_stale": "refuse"});
        http.fetch(&ids(Some("acme"), None, &more))
    };
    let refused = ask(100);
    assert_eq!(refused.status, 400, "{refused:?}");
    let refusal = refused.json();
    assert_eq!(refusal["details"]["field"], "max_results");
    assert_eq!(refusal["details"]["limit"], 3 * 1024 * 1024);
    assert_eq!(contents(&ask(20).ok()).len(), 20);
}

//! The optional model: without its files everything works and says so; with them memories are enriched after the ack, and
//! what the model computed is in the log.

use crate::support::{Home, Http, contents, ids, until};
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::path::PathBuf;

const ACME: Option<&str> = Some("acme");

fn store_rules(http: &Http) {
    for text in [
        "Refunds are paid within a week.",
        "The cat of the office sleeps on the roof.",
        "The lift is broken on Mondays.",
    ] {
        http.store(&ids(ACME, None, &json!({ "document": text })));
    }
}

fn ask(http: &Http, mode: &str) -> Value {
    let asked = json!({"search_query": ["How do I get my money back?"], "max_results": 1, "mode": mode,
        "response_shape": "ranked"});
    http.post("/v1/context/customer/fetch", &ids(ACME, None, &asked))
        .ok()
}

fn encoder(http: &Http) -> Value {
    http.get("/health").ok()["models"]["encoder"].clone()
}

#[test]
fn without_files_accurate_is_answered_as_fast_and_says_so() {
    let server = Home::new().serve().start();
    let http = server.http();
    store_rules(&http);
    assert_eq!(encoder(&http), json!({"state": "absent"}));
    let answer = ask(&http, "accurate");
    assert_eq!(answer["mode_used"], "fast");
    assert_eq!(
        answer["retrieval"]["warnings"],
        json!(["no model is loaded: answered as in fast mode"])
    );
    let fast = ask(&http, "fast");
    assert_eq!(fast.get("retrieval"), None);
    assert_eq!(contents(&answer), contents(&fast));
}

#[test]
fn a_file_of_another_content_is_refused_and_nothing_else_is() {
    let home = Home::new();
    let folder = home.path("models");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("tokenizer.json"), "{}").expect("a file");
    let server = home.serve().env("SYNAP_MODELS", &folder).start();
    let http = server.http();
    assert_eq!(encoder(&http), json!({"state": "absent"}));
    assert_eq!(ask(&http, "accurate")["mode_used"], "fast");
    assert!(home.log().contains("the model is not used"), "it is said");
}

/// The folder of the model's files, if this machine has them.
fn files() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("SYNAP_TEST_MODELS")?);
    folder.join("model.safetensors").exists().then_some(folder)
}

#[test]
fn memories_are_found_by_meaning_and_the_model_is_never_asked_again() {
    let Some(folder) = files() else {
        println!("SKIPPED (SYNAP_TEST_MODELS names no folder with the model's files)");
        return;
    };
    let home = Home::new();
    let config = "[models]\naccurate_ms = 20000\n";
    let server = home.serve().start();
    store_rules(&server.http());
    assert!(server.terminate().success());
    // What was stored before the model came is back-filled.
    let server = home
        .serve()
        .config(config)
        .env("SYNAP_MODELS", &folder)
        .start();
    let http = server.http();
    until("all is enriched", || encoder(&http)["done"] == 3);
    let answer = ask(&http, "accurate");
    assert_eq!(answer["mode_used"], "accurate", "{answer}");
    assert_eq!(contents(&answer), ["Refunds are paid within a week."]);
    http.assert_verified();
    assert!(server.terminate().success());
    // Done is done, whoever looks next; and a server without the model makes the same rows of the same log.
    let server = home.serve().env("SYNAP_MODELS", &folder).start();
    let http = server.http();
    let more = json!({"document": "The pool opens in June."});
    http.store(&ids(ACME, None, &more));
    until("all is looked at", || {
        let encoder = encoder(&http);
        encoder["pending"] == 0 && encoder["done"] != 0
    });
    assert_eq!(encoder(&http)["done"], 1);
    assert!(server.terminate().success());
    let server = home.serve().start();
    server.http().assert_verified();
}

/// One token a word, and one a mark.
const VOCABULARY: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
    "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}"#;

#[test]
fn tokens_are_counted_by_the_vocabulary_that_was_named() {
    let home = Home::new();
    let file = home.path("tokenizer.json");
    let missing = home.serve().env("SYNAP_TOKENIZER", &file).refused();
    assert!(missing.contains("tokenizer.json"), "{missing}");
    fs::write(&file, VOCABULARY).expect("written");
    // By the vocabulary it has seven tokens, by the estimate eight.
    let asked = json!({"search_query": ["Refunds"], "max_tokens": 7, "response_shape": "ranked"});
    let told = |http: &Http| {
        let fetch = http.post("/v1/context/customer/fetch", &ids(ACME, None, &asked));
        contents(&fetch.ok())
    };
    let server = home.start();
    store_rules(&server.http());
    assert_eq!(told(&server.http()), Vec::<String>::new());
    assert!(server.terminate().success());
    let server = home.serve().env("SYNAP_TOKENIZER", &file).start();
    assert_eq!(told(&server.http()), ["Refunds are paid within a week."]);
}

//! What was erased is in no file, and no way of bringing things back brings it back: receipts tell the truth.

use crate::archive::{applied, export, import};
use crate::support::server::command;
use crate::support::wait::pass;
use crate::support::{Cli, Door as _, Home, Http, Server, contents, ids, items, until};
use aho_corasick::AhoCorasickBuilder;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use synap_types::names::{INBOX, INBOX_STREAM};

const CONVERSATION: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";

/// A word that only one piece of one user's data has, in what was stored and in what it is searched by.
fn canary(user: &str, what: &str) -> String {
    format!("canary{user}{what}bird")
}

fn whose(user: &str, more: &Value) -> Value {
    ids(Some("acme"), Some(user), more)
}

/// A sentence that a search for pieces of 16 bytes and more can find.
fn sentence(user: &str, what: &str) -> String {
    format!(
        "Here sings the {} of the golden lion at noon.",
        canary(user, what)
    )
}

/// Everything that can be stored of a user: documents, versions of them, metadata, turns, a transcript, a change.
fn store(server: &Server, user: &str) {
    let http = server.http();
    let text = |what: &str| sentence(user, what);
    let document = |what: &str| json!({"document": text(what), "document_type": "document"});
    let mut first = document("first");
    first["document_id"] = "plan".into();
    first["metadata"] = json!({"note": text("metadata")});
    http.store(&whose(user, &first));
    first["document"] = text("second").into();
    http.store(&whose(user, &first));
    let kept = http.store(&whose(user, &document("changed")));
    let turn = json!({"conversation_id": CONVERSATION, "role": "user", "content": text("turn")});
    http.post("/v1/conversations/messages", &whose(user, &turn))
        .ok();
    let transcript = format!("User: {}", text("transcript"));
    let call = json!({"conversation_id": "call-1", "transcript": transcript});
    http.post("/v1/conversations/ingest", &whose(user, &call))
        .ok();
    let compact = json!({"conversation_id": CONVERSATION, "force": true});
    http.post("/v1/conversations/compact", &whose(user, &compact))
        .ok();
    let ingestion = kept["ingestion_id"].as_str().expect("an id");
    let status = http.status(ingestion).ok();
    let id = status["memory_ids"][0].as_str().expect("an id");
    let change = json!({"document": text("change"), "merge_strategy": "replace"});
    let path = format!("/api/v1/memories/{id}");
    http.send("PATCH", &path, &[], change.to_string().as_bytes())
        .ok();
    let nats = server.nats();
    let left = whose(user, &document("inbox")).to_string();
    nats.publish(INBOX, nats.headers(&[]), left.as_bytes());
    until("the inbox is empty", || nats.count(INBOX_STREAM) == 0);
    applied(&http);
}

/// The words that [`store`] leaves.
fn words(user: &str) -> Vec<String> {
    let all = [
        "first",
        "metadata",
        "second",
        "changed",
        "turn",
        "transcript",
        "change",
        "inbox",
    ];
    all.map(|what| canary(user, what)).to_vec()
}

/// Files below `folder` that hold one of `words`, and the word.
fn holding(folder: &Path, words: &[String]) -> Vec<(PathBuf, String)> {
    let search = AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .build(words)
        .expect("words");
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap_or_default();
            let mut here: Vec<usize> = search
                .find_iter(&bytes)
                .map(|word| word.pattern().as_usize())
                .collect();
            here.sort_unstable();
            here.dedup();
            let here = here.into_iter().map(|at| (path.clone(), words[at].clone()));
            found.extend(here);
        }
    }
    found
}

fn told(http: &Http, user: &str) -> Vec<String> {
    let more = json!({"response_shape": "ranked", "max_results": 1_000});
    let mut found = contents(&http.fetch(&whose(user, &more)).ok());
    found.sort();
    found
}

/// Erases by the command, which waits, and answers the receipt.
#[track_caller]
fn erase(server: &Server, more: &[&str]) -> Value {
    let args = [&["erase", "--yes", "--json", "--wait", "120"], more].concat();
    Cli::of(server).run(args).ok().json()[0].clone()
}

#[track_caller]
fn is_complete(receipt: &Value) {
    assert_eq!(receipt["status"], "complete", "{receipt}");
    assert_eq!(receipt["fully_removed"], true);
    assert_eq!(receipt["searched"]["found"], 0);
    assert!(receipt["searched"]["bytes"].as_u64() > Some(1_000));
    assert!(receipt["counts"]["events"].as_u64() > Some(0));
    assert_eq!(receipt["still_present_in"], json!([]));
}

#[test]
fn what_was_erased_is_in_no_file_of_the_data_folder() {
    let home = Home::new();
    let server = home.start();
    let http = server.http();
    store(&server, "ann");
    http.job("rebuild");
    Cli::of(&server)
        .run(["rebuild", "--as", "other", "--set", "proximity=0"])
        .ok();
    store(&server, "bob");
    let (ann, bob) = (words("ann"), words("bob"));
    let is_there = |words: &[String]| {
        let found = holding(&home.data(), words);
        words
            .iter()
            .all(|word| found.iter().any(|(_, found)| found == word))
    };
    assert!(is_there(&ann) && is_there(&bob), "the search finds things");
    let before = told(&http, "bob");
    let position = http.log_seqs()[0];

    let dry = Cli::of(&server).run([
        "erase",
        "--customer",
        "acme",
        "--user",
        "ann",
        "--dry-run",
        "--json",
    ]);
    let dry = dry.ok().json()[0].clone();
    assert_eq!(
        (&dry["status"], &dry["dry_run"]),
        (&json!("dry_run"), &json!(true))
    );
    assert_eq!(
        http.log_seqs()[0],
        position,
        "looking at it changes nothing"
    );
    let unsure = Cli::of(&server).run(["erase", "--customer", "acme", "--user", "ann"]);
    assert!(unsure.failed().stderr.contains("--yes"));

    let receipt = erase(&server, &["--customer", "acme", "--user", "ann"]);
    is_complete(&receipt);
    assert_eq!(receipt["counts"]["memories"], dry["counts"]["memories"]);
    assert_eq!(holding(&home.data(), &ann), []);
    assert_eq!(told(&http, "ann"), [""; 0]);
    assert_eq!(told(&http, "bob"), before);
    assert!(is_there(&bob));
    let named = json!({"generation": "other", "response_shape": "ranked"});
    assert_eq!(
        contents(&http.fetch(&whose("ann", &named)).ok()),
        [""; 0],
        "nor by another generation"
    );
    let path = format!(
        "/v1/data/delete/{}",
        receipt["deletion_id"].as_str().expect("an id")
    );
    assert_eq!(http.get(&path).ok(), receipt, "the receipt stays");
    http.assert_verified();
    http.job("rebuild");
    assert_eq!(http.get(&path).ok(), receipt, "also after a rebuild");
    assert!(server.terminate().success());
    assert_eq!(
        holding(&home.data(), &ann),
        [],
        "nor was it only in a cache"
    );
    let server = home.start();
    assert_eq!(told(&server.http(), "bob"), before);
    server.http().assert_verified();
}

#[test]
fn a_document_and_a_conversation_can_be_erased_and_the_rest_stays() {
    let server = Server::fresh();
    let http = server.http();
    store(&server, "ann");
    store(&server, "bob");
    let data = server.home().data();
    let bob = told(&http, "bob");
    let of = |what: &[&'static str]| {
        let all = what.iter().map(|what| canary("ann", what));
        all.collect::<Vec<_>>()
    };
    let ann = ["--customer", "acme", "--user", "ann"];
    let mut left = told(&http, "ann");
    for (args, gone) in [
        (["--document", "plan"], of(&["first", "second", "metadata"])),
        (["--conversation", CONVERSATION], of(&["turn"])),
        (["--conversation", "call-1"], of(&["transcript"])),
    ] {
        assert!(!holding(&data, &gone).is_empty());
        is_complete(&erase(&server, &[&ann[..], &args].concat()));
        assert_eq!(holding(&data, &gone), []);
        left.retain(|text| !gone.iter().any(|word| text.contains(word)));
        assert_eq!(told(&http, "ann"), left);
        assert_eq!(told(&http, "bob"), bob);
        http.assert_verified();
    }
    assert_eq!(left.len(), 2, "{left:?}");
    let memory = |http: &Http| {
        let more = json!({"response_shape": "ranked", "search_query": [canary("ann", "inbox")]});
        let found = items(&http.fetch(&whose("ann", &more)).ok());
        found[0]["id"].as_str().expect("an id").to_owned()
    };
    is_complete(&erase(&server, &["--memory", &memory(&http)]));
    assert_eq!(holding(&data, &of(&["inbox"])), []);
    let two = format!(
        "# A\n\n{}\n\n# B\n\n{}",
        sentence("ann", "inbox"),
        sentence("ann", "more")
    );
    let both = json!({"document": two, "document_type": "markdown", "document_id": "both"});
    http.store(&whose("ann", &both));
    applied(&http);
    let args = ["erase", "--yes", "--memory", &memory(&http)];
    let refused = Cli::of(&server).run(args).failed().stderr;
    assert!(
        refused.contains("is of documents/both, which has 1 more"),
        "{refused}"
    );
    assert_eq!(told(&http, "ann").len(), 3);
    let nothing = Cli::of(&server).run(
        [
            &["erase", "--yes"][..],
            &ann,
            &["--document", "no-such-document"],
        ]
        .concat(),
    );
    assert!(nothing.ok().stdout.contains("there is nothing to erase"));
}

/// `synap restore` into the data folder of `home`.
fn restore(dir: &Path, home: &Home) {
    let mut command = command();
    command
        .arg("restore")
        .arg(dir)
        .arg("--data-dir")
        .arg(home.data());
    let done = command.output().expect("it runs");
    assert!(done.status.success(), "{done:?}");
}

/// What others are told while users are erased, until `ended`: every answer is whole.
fn load(http: &Http, ended: &AtomicBool) -> usize {
    let mut done = 0;
    let before = told(http, "keep0");
    while !ended.load(Ordering::SeqCst) {
        let note =
            json!({"document": format!("Under load: note n{done}e."), "document_id": "load"});
        http.store(&whose("load", &note));
        assert_eq!(told(http, "keep0"), before, "another user loses nothing");
        done += 1;
        pass(Duration::from_millis(2));
    }
    done
}

#[test]
fn twenty_users_are_erased_under_load_and_no_backup_or_import_brings_them_back() {
    let home = Home::new();
    let server = home.start();
    let http = server.http();
    let gone: Vec<String> = (0..20).map(|at| format!("u{at}x")).collect();
    let kept: Vec<String> = (0..3).map(|at| format!("keep{at}")).collect();
    for user in gone.iter().chain(&kept) {
        store(&server, user);
    }
    let (backup, exported) = (home.path("backup"), home.path("all.jsonl.zst"));
    let dir = backup.to_str().expect("a path");
    Cli::of(&server).run(["backup", dir]).ok();
    export(&server, &exported, &[]);
    let before: Vec<_> = kept.iter().map(|user| told(&http, user)).collect();

    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (others, under_load) = (server.http(), &ended);
        let load = scope.spawn(move || load(&others, under_load));
        let erasing: Vec<_> = gone
            .chunks(5)
            .map(|users| {
                let server = &server;
                scope.spawn(move || {
                    for user in users {
                        let whose = ["--customer", "acme", "--user", user];
                        is_complete(&erase(server, &whose));
                    }
                })
            })
            .collect();
        let done: Vec<_> = erasing
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        ended.store(true, Ordering::SeqCst);
        assert!(load.join().expect("the load ended well") > 0);
        assert!(done.iter().all(Result::is_ok));
    });

    let all: Vec<String> = gone.iter().flat_map(|user| words(user)).collect();
    let is_gone = |server: &Server| {
        let http = server.http();
        applied(&http);
        assert_eq!(holding(&home.data(), &all), []);
        for user in &gone {
            assert_eq!(told(&http, user), [""; 0]);
        }
        for (user, before) in kept.iter().zip(&before) {
            assert_eq!(told(&http, user), *before);
        }
        http.assert_verified();
    };
    is_gone(&server);
    http.job("rebuild");
    is_gone(&server);
    assert_eq!(
        import(&server, &exported).0,
        0,
        "an old export brings nothing"
    );
    is_gone(&server);
    assert!(server.terminate().success());
    restore(&backup, &home);
    let server = home.start();
    // What the backup held of them is not told, and is taken out of the files soon after.
    until("it is overwritten", || {
        holding(&home.data(), &all).is_empty()
    });
    is_gone(&server);
}

#[test]
fn an_erasure_that_was_cut_off_goes_on_at_the_next_start() {
    let home = Home::new();
    let mut server = home.start();
    for user in ["keep", "ann"] {
        store(&server, user);
    }
    let before = told(&server.http(), "keep");
    let all = words("ann");
    for wait_ms in [0, 3, 10, 25, 60] {
        let delete = json!({"scope": "user", "confirm": "ann"});
        let asked = server
            .http()
            .post("/v1/data/delete", &whose("ann", &delete))
            .ok();
        let id = asked["deletion_id"].as_str().expect("an id");
        pass(Duration::from_millis(wait_ms));
        server.kill();
        server = home.start();
        let path = format!("/v1/data/delete/{id}");
        until("it is complete", || {
            server.http().get(&path).ok()["status"] == "complete"
        });
        assert_eq!(holding(&home.data(), &all), []);
        assert_eq!(told(&server.http(), "ann"), [""; 0]);
        assert_eq!(told(&server.http(), "keep"), before);
        server.http().assert_verified();
        store(&server, "ann");
        assert_eq!(told(&server.http(), "ann").len(), before.len());
    }
}

#[test]
fn the_past_tells_nothing_of_what_was_erased_since() {
    let server = Server::fresh();
    let http = server.http();
    store(&server, "ann");
    store(&server, "bob");
    let more = json!({"response_shape": "ranked", "max_results": 1_000});
    let [ann, bob] = ["ann", "bob"].map(|user| {
        let mut then = more.clone();
        let last = json!({"document": sentence(user, "last"), "document_id": "last"});
        then["as_of"] = http.store(&whose(user, &last))["position"].clone();
        whose(user, &then)
    });
    let ask = |body: &Value| items(&http.fetch(body).ok());
    let before = ask(&bob);
    assert_eq!(ask(&ann).len(), 6);
    is_complete(&erase(&server, &["--customer", "acme", "--user", "ann"]));
    let at_her_last = http.fetch(&ann).refused(400);
    let told = "as_of is a position of which nothing is known any more: it was erased";
    assert_eq!(at_her_last["message"], told);
    assert_eq!(ask(&bob), before);
    let events = "/v1/scopes/user/events?customer_id=acme&user_id=bob";
    let events = http.get(events).ok()["events"].clone();
    let time = &events
        .as_array()
        .and_then(|events| events.last())
        .expect("an event")["time"];
    let then = json!({"response_shape": "ranked", "as_of": time});
    assert_eq!(ask(&whose("bob", &then)).len(), 6);
    let nothing = http.fetch(&whose("ann", &then)).refused(400)["message"].to_string();
    assert!(nothing.contains("as_of is before everything that these scopes hold"));
}

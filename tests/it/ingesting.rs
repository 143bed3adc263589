//! `synap ingest`: files, folders and standard input; again, broken, and while the server cannot take them.

use crate::commands::says;
use crate::support::process::signal;
use crate::support::{Cli, Home, Server, until};
use nix::sys::signal::Signal;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

fn folder(home: &Home) -> PathBuf {
    let folder = home.path("docs");
    fs::create_dir_all(folder.join("below/deeper")).expect("made");
    for (name, text) in [
        ("a.md", "# Handbook\n\n- The window is Tuesday.\n"),
        ("below/b.md", "Coffee is in the kitchen.\n"),
        ("below/deeper/c.txt", "The printer is on floor three.\n"),
        (".hidden", "Nobody reads this.\n"),
    ] {
        fs::write(folder.join(name), text).expect("written");
    }
    folder
}

#[test]
fn a_folder_is_ingested_and_the_second_time_nothing_has_changed() {
    let server = Server::fresh();
    let (cli, folder) = (Cli::of(&server), folder(server.home()));
    let path = folder.to_str().expect("UTF-8");
    let ingest = |more: &[&str]| {
        let args = [&["ingest", "--customer", "acme"], more, &[path]].concat();
        cli.run(args)
    };
    says(
        &ingest(&["--wait"]).ok(),
        &["3 stored, 0 unchanged, 0 failed"],
    );
    says(&ingest(&[]).ok(), &["0 stored, 3 unchanged, 0 failed"]);
    let receipts = ingest(&["--json"]).ok().json();
    assert_eq!(receipts.len(), 3, "one a line");
    for receipt in &receipts {
        assert_eq!(receipt["duplicate"], true);
        assert_eq!(receipt["scope_path"], json!({"customer": "acme"}));
        let id = receipt["document_id"].as_str().expect("an id");
        assert!(id.starts_with(path), "the path is the document's id: {id}");
    }
    assert_eq!(server.http().log_seqs(), [3, 0]);
    fs::write(
        folder.join("a.md"),
        "# Handbook\n\n- The window is Friday.\n",
    )
    .expect("written");
    says(
        &ingest(&["--wait"]).ok(),
        &["1 stored, 2 unchanged, 0 failed"],
    );
    let told = cli
        .run(["fetch", "--customer", "acme", "-q", "window"])
        .ok();
    says(&told, &["CUSTOMER acme", "CLIENT", "The window is Friday."]);
    assert!(
        !told.stdout.contains("Tuesday") && !told.stdout.contains("Nobody"),
        "{told:?}"
    );
}

#[test]
fn standard_input_is_one_document() {
    let server = Server::fresh();
    let cli = Cli::of(&server);
    let args = [
        "ingest",
        "--customer",
        "acme",
        "--user",
        "al",
        "--wait",
        "-",
    ];
    says(
        &cli.run_with(args, b"Al likes tea.", |_| {}).ok(),
        &["1 stored"],
    );
    let told = cli
        .run([
            "fetch",
            "--customer",
            "acme",
            "--user",
            "al",
            "-q",
            "tea",
            "--explain",
        ])
        .ok();
    says(
        &told,
        &["USER acme / al", "Al likes tea.", "bm25", "1 items, about"],
    );
    let chat = [
        "ingest",
        "--type",
        "ai-chat-conversation",
        "--customer",
        "acme",
        "--user",
        "bo",
        "--json",
        "-",
    ];
    let input = b"User: My name is Bo.\nAssistant: Hello Bo.";
    let receipt = cli.run_with(chat, input, |_| {}).ok().json();
    assert_eq!(receipt[0]["status"], "queued");
}

#[test]
fn a_file_that_is_no_text_fails_by_its_name_and_the_others_are_stored() {
    let server = Server::fresh();
    let (cli, folder) = (Cli::of(&server), folder(server.home()));
    fs::write(
        folder.join("picture.png"),
        [0x89, b'P', b'N', b'G', 0xff, 0xfe],
    )
    .expect("written");
    fs::write(folder.join("empty.txt"), "").expect("written");
    fs::write(folder.join("large.txt"), "x".repeat(1024 * 1024 + 1)).expect("written");
    let run = cli.run([PathBuf::from("ingest"), folder]).failed();
    says(&run, &["3 stored, 0 unchanged, 3 failed"]);
    for words in [
        "picture.png: is not UTF-8 text",
        "empty.txt: document must not be empty",
        "large.txt: has over 1048576 bytes, the limit of one document",
    ] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    let missing = cli.run(["ingest", "/no/such/file"]).failed();
    assert_eq!(missing.stderr, "synap: /no/such/file does not exist\n");
}

#[test]
fn ingest_waits_until_the_server_is_back() {
    let home = Home::new();
    let server = home.start();
    let cli = Cli::of(&server);
    let nats = server.nats_pid();
    assert!(signal(nats, Signal::SIGSTOP));
    let run = std::thread::spawn(move || {
        cli.run_with(["ingest", "--json", "-"], b"A late note.", |_| {})
    });
    let metrics = || server.http().get("/metrics").text();
    until("it was refused once", || {
        metrics().contains("outcome=\"UNAVAILABLE\"")
    });
    assert!(signal(nats, Signal::SIGCONT));
    let receipt = run.join().expect("it ended").ok().json();
    assert_eq!(receipt[0]["scope"], "client");
    assert_eq!(
        server.http().log_seqs(),
        [0, 1],
        "all tries together are one write"
    );
}

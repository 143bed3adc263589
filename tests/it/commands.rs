//! The commands that talk to a server, `ingest` and `import` apart: what they print, for people and for programs, and how they fail.

use crate::support::{Cli, Home, Run, Server};
use serde_json::{Value, json};

pub(crate) fn says(run: &Run, words: &[&str]) {
    for word in words {
        assert!(run.stdout.contains(word), "{word:?} is not in {run:?}");
    }
}

#[test]
fn fetch_prints_the_servers_answer_as_json() {
    let server = Server::fresh();
    let cli = Cli::of(&server);
    let stored = cli
        .run_with(["ingest", "--json", "-"], b"Cursors page.", |_| {})
        .ok()
        .json();
    let position = stored[0]["position"].as_str().expect("a token");
    let args = [
        "fetch",
        "-q",
        "paging",
        "--position",
        position,
        "--max-results",
        "3",
        "--max-tokens",
        "50",
        "--json",
    ];
    let answer = cli.run(args).ok().json();
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0]["context"]["items"][0]["content"], "Cursors page.");
    let refused = cli.run(["fetch", "--user", "al"]).failed();
    let message = "synap: the server refuses (400): customer_id is required with user_id\n";
    assert_eq!(refused.stderr, message);
    assert_eq!(refused.stdout, "");
    let refused = cli.run(["fetch", "--max-results", "0"]).failed();
    assert!(
        refused
            .stderr
            .contains("max_results must be a whole number from 1 to 1000, not 0")
    );
}

#[test]
fn status_shows_every_partition() {
    let server = Home::new().serve().args(["--partitions", "2"]).start();
    let cli = Cli::of(&server);
    cli.run_with(["ingest", "--wait", "-"], b"A note.", |_| {})
        .ok();
    let status = cli.run(["status", "--json"]).ok().json().remove(0);
    assert_eq!(status["durability"], "power-safe");
    let partitions = status["partitions"].as_array().expect("partitions");
    let names: Vec<&Value> = partitions.iter().map(|p| &p["partition"]).collect();
    assert_eq!(names, ["00", "01", "shared"]);
    for field in [
        "log_seq",
        "applied_seq",
        "lag",
        "parked",
        "generation",
        "disk_bytes",
        "log_bytes",
    ] {
        assert!(
            partitions.iter().all(|p| p[field].is_u64()),
            "{field}: {status}"
        );
    }
    let shared = &partitions[2];
    assert_eq!(
        (&shared["log_seq"], &shared["applied_seq"]),
        (&json!(1), &json!(1))
    );
    let shown = cli.run(["status"]).ok();
    says(
        &shown,
        &[
            "durability power-safe",
            "PARTITION",
            "GENERATION",
            "shared",
            "following",
        ],
    );
    assert_eq!(shown.stdout.lines().count(), 6);
}

#[test]
fn doctor_says_what_is_well_and_what_is_not() {
    let server = Server::fresh();
    let well = Cli::of(&server)
        .run(["doctor", "--json"])
        .ok()
        .json()
        .remove(0);
    assert_eq!(well["ok"], true);
    assert_eq!(well["checks"].as_array().expect("checks").len(), 4);
    says(
        &Cli::of(&server).run(["doctor"]).ok(),
        &["ok    nats-server", "ok    server", "power-safe"],
    );
    let wrong_key = Cli::new(server.http_url(), "wrong")
        .run(["doctor"])
        .failed();
    says(
        &wrong_key,
        &["FAIL  API key", "give --api-key or set SYNAP_API_KEY"],
    );
    let no_server = Cli::new("http://127.0.0.1:1", "k")
        .run(["doctor", "--json"])
        .failed();
    let checks = &no_server.json()[0]["checks"];
    assert_eq!(
        (&checks[0]["ok"], &checks[1]["ok"]),
        (&json!(true), &json!(false))
    );
    let no_nats = Cli::of(&server).run_with(["doctor"], b"", |command| {
        command.env("SYNAP_NATS_SERVER", "/nonexistent/nats-server");
    });
    says(
        &no_nats.failed(),
        &[
            "FAIL  nats-server",
            "run scripts/setup.sh or set SYNAP_NATS_SERVER",
        ],
    );
}

#[test]
fn rebuild_and_verify_are_watched_to_their_end() {
    let server = Server::fresh();
    let cli = Cli::of(&server);
    cli.run_with(
        ["ingest", "--customer", "acme", "--wait", "-"],
        b"A note.",
        |_| {},
    )
    .ok();
    says(
        &cli.run(["rebuild"]).ok(),
        &[
            "partition 00: 1 events applied, generation 2 is live",
            "partition shared: 0 events applied, generation 2 is live",
        ],
    );
    let rebuilt = cli
        .run(["rebuild", "--partition", "shared", "--json"])
        .ok()
        .json();
    assert_eq!(rebuilt[0]["partitions"][0]["result"]["generation"], 3);
    says(
        &cli.run(["verify"]).ok(),
        &[
            "partition 00: equal at seq 1, ",
            "partition shared: equal at seq 0, ",
        ],
    );
    let verified = cli.run(["verify", "--json"]).ok().json();
    assert_eq!(verified[0]["partitions"][0]["result"]["equal"], true);
    let unknown = cli.run(["rebuild", "--partition", "09"]).failed();
    assert!(
        unknown
            .stderr
            .contains("partition must be one of 00, shared"),
        "{unknown:?}"
    );
}

#[test]
fn without_a_server_or_a_key_every_command_says_what_to_do() {
    let server = Server::fresh();
    for command in [
        &["fetch"][..],
        &["status"],
        &["rebuild"],
        &["verify"],
        &["ingest", "-"],
        &["import", "mem0", "-"],
    ] {
        let run = |cli: &Cli| cli.run_with(command, b"A note.", |_| {}).failed();
        let no_server = run(&Cli::new("http://127.0.0.1:1", "k"));
        let sentence = "synap: no answer from http://127.0.0.1:1: is synap serve running there?";
        assert!(
            no_server.stderr.starts_with(sentence),
            "{command:?}: {no_server:?}"
        );
        let wrong_key = run(&Cli::new(server.http_url(), "wrong"));
        let sentence =
            "synap: the server wants a valid API key: give --api-key or set SYNAP_API_KEY\n";
        assert_eq!(wrong_key.stderr, sentence, "{command:?}");
        assert_eq!(wrong_key.stdout, "", "{command:?}");
    }
    let no_url = Cli::new("not a url", "k").run(["status"]).failed();
    assert!(no_url.stderr.contains("not a url"), "{no_url:?}");
}

#[test]
fn a_key_that_may_not_steer_is_told_so() {
    let config =
        "[[instances]]\nclient_id = \"b\"\ninstance_id = \"ib\"\napi_keys = [\"key-of-b\"]";
    let server = Home::new().serve().config(config).start();
    let cli = Cli::new(server.http_url(), "key-of-b");
    for command in ["status", "rebuild", "rollback", "verify", "generations"] {
        assert_eq!(
            cli.run([command]).failed().stderr,
            "synap: this key may not steer the server\n"
        );
    }
    cli.run(["fetch"]).ok();
    cli.run(["doctor"]).ok();
}

#[test]
fn every_command_explains_itself() {
    let cli = Cli::new("http://127.0.0.1:1", "k-secret");
    let all = cli.run(["--help"]).ok();
    let commands = [
        "serve",
        "ingest",
        "import",
        "fetch",
        "status",
        "rebuild",
        "verify",
        "rollback",
        "generations",
        "compare",
        "doctor",
    ];
    says(&all, &commands);
    assert!(!all.stdout.contains("exec-nats-server"), "not for people");
    let commands = commands.iter().map(std::slice::from_ref);
    for command in commands.chain([&["import", "mem0"][..]]) {
        let help = cli.run([command, &["--help"]].concat()).ok();
        says(&help, &["Usage: synap"]);
        assert!(!help.stdout.contains("k-secret"), "keys are not shown");
        assert!(
            help.stdout.lines().all(|line| line.chars().count() <= 110),
            "{command:?}"
        );
    }
    assert!(cli.run(["--version"]).ok().stdout.starts_with("synap 0."));
    for wrong in [
        &["fetsch"][..],
        &["fetch", "--quary", "x"],
        &["ingest"],
        &["import"],
        &["import", "mem0"],
        &[
            "import",
            "mem0",
            "--customer",
            "a",
            "--customer-from",
            "b",
            "-",
        ],
        &[],
    ] {
        assert_eq!(cli.run(wrong).code, Some(2), "{wrong:?}");
    }
}

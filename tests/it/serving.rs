//! `synap serve` itself: configuration, the key that it makes, what it needs, and what it must not be started twice on.

use crate::support::server::command;
use crate::support::{Cli, Door as _, Home, Http, KEY, ids};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

#[test]
fn an_unknown_key_of_the_configuration_is_named() {
    for (toml, key) in [
        ("htpp = \"127.0.0.1:0\"", "htpp"),
        ("[nats]\nurll = \"x\"", "urll"),
        (
            "[[instances]]\nclient_id = \"b\"\ninstance_id = \"i\"\napi_keys = []\nadmim = true",
            "admim",
        ),
    ] {
        let said = Home::new().serve().config(toml).refused();
        assert!(
            said.starts_with("synap: in ") && said.contains("synap.toml"),
            "{said}"
        );
        assert!(said.contains(&format!("unknown field `{key}`")), "{said}");
    }
}

#[test]
fn impossible_settings_are_refused_with_a_sentence() {
    for (toml, sentence) in [
        ("partitions = 0", "partitions"),
        ("partitions = 65", "partitions"),
        (
            "isolation = \"loose\"",
            "isolation is \"strict\", \"equals_customer\" or a list of levels, not \"loose\"",
        ),
        (
            "isolation = [\"user\", \"customer\"]",
            "a ladder ends with the level user",
        ),
        ("log = \"a=b=c\"", "the setting log is no filter"),
        ("api_keys = [\"\"]", "an API key must not be empty"),
        (
            "[[instances]]\nclient_id = \"b\"\ninstance_id = \"i\"\napi_keys = [\"it-key-of-the-default-instance\"]",
            "is given to two instances",
        ),
        ("this is no TOML", "synap.toml"),
    ] {
        let serve = if toml.starts_with("api_keys") {
            Home::new().serve_without_key()
        } else {
            Home::new().serve()
        };
        let said = serve.config(toml).refused();
        assert!(
            said.starts_with("synap: ") && said.contains(sentence),
            "{toml}: {said}"
        );
        assert!(!said.contains(KEY), "{said}");
    }
    let said = Home::new()
        .serve()
        .args(["--config", "/no/such/file"])
        .refused();
    assert!(said.contains("cannot read /no/such/file"), "{said}");
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let home = Home::new();
    let config = "api_keys = [\"key-of-file\"]\npartitions = 3\nlog = \"warn\"";
    let server = home
        .serve_without_key()
        .config(config)
        .env("SYNAP_API_KEYS", "key-of-env,another-of-env")
        .env("SYNAP_PARTITIONS", "4")
        .args(["--partitions", "2"])
        .start();
    let with = |key| Http::new(server.http_url(), Some(key)).get("/v1/admin/status");
    assert_eq!(with("key-of-file").status, 401);
    assert_eq!(with("another-of-env").status, 200);
    let status = with("key-of-env").ok();
    assert_eq!(
        status["partitions"].as_array().expect("partitions").len(),
        3,
        "two and the shared one"
    );
    assert!(
        !home.log().contains(" INFO "),
        "the file's filter: {}",
        home.log()
    );
}

#[test]
fn a_ladder_with_a_team_is_walked_level_by_level() {
    let config = "isolation = [\"customer\", \"team\", \"user\"]";
    let server = Home::new().serve().config(config).start();
    let http = server.http();
    let scope = |team: Option<&str>, user: Option<&str>| {
        let mut scope = json!({"customer": "acme"});
        for (level, id) in [("team", team), ("user", user)] {
            if let Some(id) = id {
                scope[level] = id.into();
            }
        }
        json!({"scope": scope})
    };
    let store = |whose: serde_json::Value, text: &str| {
        let mut body = whose;
        body["document"] = text.into();
        body["document_type"] = "document".into();
        http.store(&body)
    };
    store(scope(None, None), "All of acme use Slack.");
    store(scope(Some("red"), None), "Team red uses Rust.");
    store(scope(Some("blue"), None), "Team blue uses Go.");
    let last = store(scope(Some("red"), Some("al")), "Al uses Vim.");
    assert_eq!(
        last["scope_path"],
        json!({"customer": "acme", "team": "red", "user": "al"})
    );
    let mut body = scope(Some("red"), Some("al"));
    body["position"] = last["position"].clone();
    body["response_shape"] = "ranked".into();
    let told = http.fetch_bytes("user", body.to_string().as_bytes()).ok();
    let told = crate::support::contents(&told);
    assert_eq!(
        told,
        [
            "Al uses Vim.",
            "Team red uses Rust.",
            "All of acme use Slack."
        ]
    );
}

#[test]
fn the_number_of_partitions_is_kept_with_the_log() {
    let home = Home::new();
    assert!(
        home.serve()
            .args(["--partitions", "3"])
            .start()
            .terminate()
            .success()
    );
    let server = home.start();
    assert_eq!(server.http().log_seqs().len(), 4, "as the log has");
    assert!(server.terminate().success());
    let said = home.serve().args(["--partitions", "2"]).refused();
    assert!(
        said.contains("the log has 3 partitions, 2 were asked for"),
        "{said}"
    );
}

#[test]
fn a_nats_server_that_is_missing_too_old_or_something_else_is_named_with_what_to_do() {
    let home = Home::new();
    let script = |name: &str, text: &str| {
        let path = home.path(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        path
    };
    let old = script(
        "old-nats-server",
        "#!/bin/sh\necho 'nats-server: v2.9.10'\n",
    );
    let other = script("other", "#!/bin/sh\necho hello\n");
    let missing = PathBuf::from("/nonexistent/nats-server");
    let todo = "run scripts/setup.sh or set SYNAP_NATS_SERVER";
    for (path, fact) in [
        (&missing, "does not run as a nats-server"),
        (&old, "is version 2.9.10, synap needs 2.12.0 or later"),
        (&other, "does not run as a nats-server"),
    ] {
        let said = Home::new().serve().env("SYNAP_NATS_SERVER", path).refused();
        let line = said.lines().last().expect("a line");
        assert!(
            line.starts_with("synap: could not start nats-server: "),
            "{said}"
        );
        assert!(line.contains(path.to_str().expect("UTF-8")), "{said}");
        assert!(line.contains(fact) && line.contains(todo), "{said}");
    }
    // Not by way of setpriv, which is found by the same PATH.
    let output = command()
        .args([
            "serve",
            "--http",
            "127.0.0.1:0",
            "--grpc",
            "127.0.0.1:0",
            "--api-key",
            "k",
            "--data-dir",
        ])
        .arg(home.data())
        .env("SYNAP_NATS_SERVER", "")
        .env("SYNAP_CACHE", home.path("no-cache"))
        .env("PATH", home.path("no-path"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("none is on PATH or in synap's cache") && said.contains(todo),
        "{said}"
    );
}

#[test]
fn two_servers_on_one_folder_or_one_port_are_refused_with_a_sentence() {
    let home = Home::new();
    let server = home.start();
    let http = server.http();
    let receipt = http.store(&ids(None, None, &json!({"document": "A note."})));
    let said = home.serve().refused();
    let line = said.lines().last().expect("a line");
    assert!(
        line.starts_with("synap: could not start nats-server: the folder "),
        "{said}"
    );
    assert!(line.contains("is in use by another synap"), "{said}");
    let taken = server.http_url().replace("http://", "");
    let said = Home::new().serve().args(["--http", &taken]).refused();
    assert!(
        said.contains(&format!("cannot serve HTTP on {taken}")),
        "{said}"
    );
    let id = receipt["ingestion_id"].as_str().expect("an id");
    assert_eq!(http.status(id).status, 200, "the first one goes on");
}

#[test]
fn a_made_key_is_shown_once_works_and_is_nowhere_on_disk() {
    let home = Home::new();
    let server = home.serve_without_key().args(["--log", "trace"]).start();
    let log = home.log();
    let shown: Vec<&str> = log.lines().filter(|line| line.contains("synap_")).collect();
    let key = shown
        .iter()
        .find_map(|line| line.split_once("It is shown this once: "))
        .map(|(_, key)| key.trim().to_owned())
        .expect("a key");
    assert_eq!(log.matches(&key).count(), 1, "once");
    let with = |server: &crate::support::Server| {
        Cli::new(server.http_url(), &key).run(["status", "--json"])
    };
    with(&server).ok();
    assert_eq!(
        Http::new(server.http_url(), Some(&key))
            .ingest(&json!({"document": "A note."}))
            .status,
        200
    );
    assert!(server.terminate().success());
    let server = home.serve_without_key().start();
    with(&server).ok();
    assert_eq!(home.log().matches(&key).count(), 1, "not again");
    assert!(
        home.log().matches("It is shown").count() == 1,
        "no second key"
    );
    assert!(server.terminate().success());
    let secret = key
        .strip_prefix("synap_")
        .expect("our prefix")
        .as_bytes()
        .to_vec();
    let mut files = vec![home.data()];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .expect("a folder")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else {
            let bytes = fs::read(&path).expect("readable");
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret),
                "{}",
                path.display()
            );
            read += 1;
        }
    }
    assert!(read > 10, "the store's files were looked at");
    let mode = fs::metadata(home.data().join("keys.json"))
        .expect("the keys")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

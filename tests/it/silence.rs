//! Memory text, queries and keys are never in logs, metrics, error texts or file names; at no level.

use crate::support::{Cli, Door, Home, KEY, ids, until};
use serde_json::json;
use std::fs;

/// In every text that is stored or asked, in some form or other.
const CANARY: &str = "zanzibar";
const FIELDS: &[&str] = &[
    "zanzibartext",
    "zanzibarmeta",
    "zanzibarquery",
    "zanzibarbroken",
    "zanzibarchat",
];

/// Text in every place that takes some, accepted and refused.
fn say_everything(door: &dyn Door) {
    let whose = |more| ids(Some("acme"), Some("al"), &more);
    let name = door.name();
    let document = json!({"document": format!("{name} says {}.", FIELDS[0]), "document_type": "document",
        "document_id": name, "metadata": {"note": FIELDS[1]}});
    let receipt = door.ingest(&whose(document.clone())).ok();
    door.ingest(&whose(document)).ok();
    let chat = json!({"document": format!("User: I am {} of {name}.\nAssistant: Hello.", FIELDS[4]),
        "document_type": "ai-chat-conversation"});
    door.ingest(&whose(chat)).ok();
    let query = json!({"search_query": [FIELDS[2], FIELDS[0]], "position": receipt["position"], "explain": true});
    assert!(door.fetch(&whose(query)).text().contains(FIELDS[0]));
    for broken in [
        format!("{{\"document\":\"{}\"", FIELDS[3]),
        format!("{{\"document\":\"{}\",\"customer_id\":7}}", FIELDS[3]),
        format!(
            "{{\"document\":\"{0}\",\"on_conflict\":\"{0}\"}}",
            FIELDS[3]
        ),
    ] {
        let refused = door.ingest_bytes(broken.as_bytes());
        assert_eq!(refused.status, 400);
        assert!(!refused.text().contains(CANARY), "{}", refused.text());
    }
    let position = json!({"position": FIELDS[3]});
    assert!(!door.fetch(&whose(position)).text().contains(CANARY));
}

#[test]
fn no_text_gets_into_logs_metrics_or_file_names() {
    let home = Home::new();
    let server = home.serve().args(["--log", "trace"]).start();
    let (http, nats) = (server.http(), server.nats());
    say_everything(&http);
    say_everything(&nats);
    nats.publish(
        synap_types::names::INBOX,
        nats.headers(&[]),
        FIELDS[3].as_bytes(),
    );
    nats.publish(
        synap_types::names::INBOX,
        nats.headers(&[]),
        format!("{{\"document\":\"{}\"}}", FIELDS[0]).as_bytes(),
    );
    until("the inbox is drained", || {
        let metrics = http.get("/metrics").text();
        metrics.contains("verdict=\"rejected\"} 1") && metrics.contains("verdict=\"accepted\"} 1")
    });
    http.job("rebuild");
    http.assert_verified();
    Cli::of(&server).run(["status"]).ok();
    for path in [
        "/metrics",
        "/health",
        "/v1/admin/status",
        "/v1/admin/parked",
    ] {
        assert!(!http.get(path).text().contains(CANARY), "{path}");
    }
    assert!(server.terminate().success());

    let log = home.log();
    assert!(log.contains(" DEBUG "), "it said more than usual: {log}");
    let nats_log = fs::read_to_string(home.data().join("nats/nats-server.log")).expect("its log");
    for (name, log) in [("synap", &log), ("nats-server", &nats_log)] {
        for line in log.lines() {
            let lower = line.to_lowercase();
            assert!(!lower.contains(CANARY), "{name} logs text: {line}");
            assert!(!line.contains(KEY), "{name} logs the key: {line}");
        }
    }
    let mut paths = vec![home.data()];
    while let Some(path) = paths.pop() {
        let name = path.to_string_lossy().to_lowercase();
        assert!(!name.contains(CANARY), "{name}");
        if path.is_dir() {
            paths.extend(
                fs::read_dir(&path)
                    .expect("a folder")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("LOG"))
        {
            let text = String::from_utf8_lossy(&fs::read(&path).expect("readable")).to_lowercase();
            assert!(!text.contains(CANARY), "{}", path.display());
        }
    }
}

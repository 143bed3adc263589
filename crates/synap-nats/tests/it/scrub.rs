//! What nats-server noted as deleted and was killed before it overwrote it is overwritten before it starts again.

use crate::support::{HERE, append_all, log_options, start, wait_until};
use futures::TryStreamExt as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use synap_log::{EventLog as _, contract};
use synap_nats::{ConnectSettings, JetStreamLog, connect};
use synap_types::Seq;

const STREAM: &str = "SYNAP_EVENTS_00";

fn holds(folder: &Path, text: &str) -> bool {
    let blocks = folder
        .join("jetstream/$G/streams")
        .join(STREAM)
        .join("msgs");
    let files = fs::read_dir(blocks).unwrap();
    let mut files = files.map(|file| fs::read(file.unwrap().path()).unwrap());
    files.any(|file| file.windows(text.len()).any(|part| part == text.as_bytes()))
}

/// The state in which a kill between note and noise leaves the server: a deletion that does not overwrite.
async fn delete(client: &async_nats::Client, seq: u64) {
    let asked = json!({"seq": seq, "no_erase": true}).to_string();
    let subject = format!("$JS.API.STREAM.MSG.DELETE.{STREAM}");
    let answer = client.request(subject, asked.into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["success"], true, "{answer}");
}

#[tokio::test]
async fn deleted_events_are_overwritten_after_a_kill_while_they_were_erased() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = start(folder).await;
    let settings = ConnectSettings::new(server.url(), "test");
    let connection = connect(&settings).await.unwrap();
    let log = JetStreamLog::open(&connection, log_options())
        .await
        .unwrap();
    let names = ["one-bird", "two-birds", "three-birds", "four-birds"];
    append_all(&log, names.into_iter().map(str::to_owned)).await;
    let client = async_nats::connect(server.url()).await.unwrap();
    let payload = |name: &str| contract::event(HERE, name).payload;
    let text = |name: &str| String::from_utf8(payload(name).to_vec()).unwrap();
    // In two kills: with what was overwritten by the first in the file, and not without being told.
    for (seq, is_told, is_left) in [(2, false, true), (3, true, false)] {
        delete(&client, seq).await;
        assert!(holds(folder, &text("three-birds")));
        if is_told {
            fs::write(folder.join(format!("erasing-{STREAM}")), "").unwrap();
        }
        let pid = server.pid().unwrap();
        kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
        wait_until("it runs again", async || {
            server.pid().is_some_and(|new| new != pid) && log.state(HERE).await.is_ok()
        })
        .await;
        assert_eq!(holds(folder, &text("two-birds")), is_left);
    }
    assert!(!folder.join(format!("erasing-{STREAM}")).exists());
    assert!(!holds(folder, &text("three-birds")));
    let mut left = Vec::new();
    wait_until("the rest is read", async || {
        let first = log.select(HERE, vec!["synap.v1.events.>".to_owned()]);
        left = first.try_collect().await.unwrap_or_default();
        left.len() == 2
    })
    .await;
    let left: Vec<_> = left
        .iter()
        .map(|event| (event.seq, event.payload.clone()))
        .collect();
    assert_eq!(
        left,
        [
            (Seq::new(1), payload("one-bird")),
            (Seq::new(4), payload("four-birds"))
        ]
    );
    append_all(&log, ["five-birds".to_owned()].into_iter()).await;
    assert_eq!(log.state(HERE).await.unwrap().last, Seq::new(5));
}

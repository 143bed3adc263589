//! What an ack of the server is worth.
//!
//! nats-server acks before it syncs to disk, unless it runs with `sync_interval: always`: a power cut then loses
//! everything that was acked since the last sync, two minutes by default. A client is not told which of the two it is.
//! So, in this order:
//!
//! 1. the server is asked by `$SYS.REQ.SERVER.PING.JSZ`. That works where the account imports this service from the
//!    system account; its word is believed over the operator's;
//! 2. the operator says so (`assume_sync_always`), as synap itself does for the embedded server, whose configuration
//!    it wrote;
//! 3. otherwise acks count as relaxed, and everything that synap says of itself says so.

use async_nats::{Client, StatusCode};
use bytes::Bytes;
use futures::StreamExt as _;
use std::time::Duration;
use synap_log::Durability;
use tokio::time::timeout;

const QUESTION: &str = "$SYS.REQ.SERVER.PING.JSZ";
/// How long the servers of a cluster get to answer; a client that may not ask gets none.
const ANSWERS_WITHIN: Duration = Duration::from_millis(300);

pub(crate) async fn find_out(client: &Client, assume_sync_always: bool) -> Durability {
    let told = ask(client).await;
    if told == Some(false) && assume_sync_always {
        tracing::warn!("a server does not sync before it acks, though the configuration says so");
    }
    match (told, assume_sync_always) {
        (Some(true), _) | (None, true) => Durability::PowerSafe,
        (Some(false), _) | (None, false) => {
            tracing::warn!(
                durability = Durability::Relaxed.name(),
                "a power cut may lose acked events: run nats-server with sync_interval: always, \
                 and say so in synap's configuration when the server does not tell"
            );
            Durability::Relaxed
        }
    }
}

/// Whether every server that answers syncs always; `None` where none answers.
async fn ask(client: &Client) -> Option<bool> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.ok()?;
    client
        .publish_with_reply(QUESTION, inbox, Bytes::from_static(b"{}"))
        .await
        .ok()?;
    let mut told = None;
    while let Ok(Some(answer)) = timeout(ANSWERS_WITHIN, answers.next()).await {
        if answer.status == Some(StatusCode::NO_RESPONDERS) {
            return None;
        }
        if let Some(always) = read(&answer.payload) {
            told = Some(told.unwrap_or(true) && always);
        }
    }
    told
}

/// `None` for a server without `JetStream`: it stores nothing.
fn read(answer: &[u8]) -> Option<bool> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let config = answer.get("data")?.get("config")?;
    config.get("store_dir")?;
    Some(
        config
            .get("sync_always")
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: &str, expected: Option<bool>) {
        let answer = format!(r#"{{"server":{{}},"data":{{"config":{config}}}}}"#);
        assert_eq!(read(answer.as_bytes()), expected, "{config}");
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        check(
            r#"{"store_dir":"x","sync_interval":1,"sync_always":true}"#,
            Some(true),
        );
        check(
            r#"{"store_dir":"x","sync_interval":120000000000}"#,
            Some(false),
        );
        check("{}", None);
        assert_eq!(read(b"no"), None);
    }
}

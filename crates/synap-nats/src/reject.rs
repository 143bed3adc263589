//! Moves a message that the inbox refused to `SYNAP_REJECTED`, with the reason and the original bytes.

use crate::ack::{self, Ack, Nack};
use crate::headers::{self, AUTHORIZATION, REJECTED_CODE, REJECTED_REASON};
use async_nats::{Client, HeaderMap, HeaderValue, Message};
use std::time::Duration;
use synap_types::{ErrorCode, names};

/// How long one move may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Room for the headers that are added, within the server's `max_payload`.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// The message was as long as the server takes, and the reason had to go in as well: how long it was.
const TRUNCATED: &str = "Synap-Rejected-Truncated-From-Bytes";

/// Publishes a copy of `original` and waits for its ack.
///
/// `id` is the same whenever the same message is moved, so that one that is delivered again is stored once.
pub(crate) async fn publish(
    client: &Client,
    original: &Message,
    id: &str,
    code: ErrorCode,
    reason: &str,
) -> Result<Ack, Nack> {
    let mut headers = kept(original.headers.as_ref());
    headers.insert(async_nats::header::NATS_MESSAGE_ID, headers::value(id));
    headers.insert(REJECTED_CODE, code.name());
    headers.insert(REJECTED_REASON, headers::value(reason));
    let mut payload = original.payload.clone();
    let room = client.max_payload().saturating_sub(HEADER_BYTES_MAX);
    if payload.len() > room {
        headers.insert(TRUNCATED, HeaderValue::from(payload.len()));
        payload.truncate(room);
    }
    let request = async_nats::Request::new()
        .headers(headers)
        .payload(payload)
        .timeout(Some(TIMEOUT));
    match client.send_request(names::REJECTED, request).await {
        Ok(message) => ack::read(&message),
        Err(error) => Err(Nack::NotNow(error.to_string())),
    }
}

/// The sender's own headers, without its key, without what JetStream would take as orders, and bounded.
fn kept(original: Option<&HeaderMap>) -> HeaderMap {
    let mut kept = HeaderMap::new();
    let mut room = HEADER_BYTES_MAX / 2;
    for (name, values) in original.into_iter().flat_map(HeaderMap::iter) {
        let text: &str = name.as_ref();
        let secret = text.eq_ignore_ascii_case(AUTHORIZATION);
        let order = text
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("nats-"));
        if secret || order {
            continue;
        }
        for value in values {
            let bytes = text.len() + value.as_str().len() + 4;
            if bytes <= room {
                room -= bytes;
                kept.append(name.clone(), value.clone());
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_orders_are_left_out() {
        let mut original = HeaderMap::new();
        original.insert("authorization", "Bearer secret");
        original.insert("Nats-Rollup", "all");
        original.insert("NATS-TTL", "1s");
        original.insert("Trace-Id", "t1");
        original.insert("Large", "x".repeat(HEADER_BYTES_MAX));
        let kept = kept(Some(&original));
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["Trace-Id"]);
    }
}

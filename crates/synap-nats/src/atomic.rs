//! JetStream's atomic batch publish (ADR-50), by headers: the client library has no publisher for it.
//!
//! ```text
//! message 1 … n     Nats-Batch-Id: <id>   Nats-Batch-Sequence: 1 … n
//! message n         Nats-Batch-Commit: 1  and the only reply subject
//! ack               {"stream":…,"seq":<of message n>,"batch":<id>,"count":n}
//! ```
//!
//! All or nothing, at consecutive seqs, with one sync to disk. A message id that the stream knows refuses the batch.

use crate::ack::{Ack, Nack};
use crate::group::Outgoing;
use crate::publish::{event_headers, request};
use async_nats::{Client, HeaderMap, HeaderValue};
use synap_types::Seq;

/// Publishes `events` as one batch; the seq of the first.
///
/// An error does not say that nothing was stored: the answer may have been lost.
pub(crate) async fn publish(
    client: &Client,
    stream: &str,
    events: &[&Outgoing],
) -> Result<Seq, Nack> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let Some((last, others)) = events.split_last() else {
        return Err(Nack::Refused("a batch has at least one event".to_owned()));
    };
    for (sequence, event) in (1_u64..).zip(others) {
        client
            .publish_with_headers(
                event.subject.clone(),
                batch_headers(event, &id, sequence),
                event.payload.clone(),
            )
            .await
            .map_err(|error| Nack::Refused(error.to_string()))?;
    }
    let mut headers = batch_headers(last, &id, count);
    headers.insert("Nats-Batch-Commit", "1");
    let ack = request(client, last, headers).await?;
    first_seq(&ack, stream, &id, count)
}

fn batch_headers(event: &Outgoing, id: &str, sequence: u64) -> HeaderMap {
    let mut headers = event_headers(event);
    headers.insert("Nats-Batch-Id", id);
    headers.insert("Nats-Batch-Sequence", HeaderValue::from(sequence));
    headers
}

/// Only an ack of exactly this batch says where its events stand.
fn first_seq(ack: &Ack, stream: &str, id: &str, count: u64) -> Result<Seq, Nack> {
    let of_this = ack.stream == stream && ack.batch == Some((id.to_owned(), count));
    let before = ack.seq.get().checked_sub(count);
    match before {
        Some(before) if of_this => Ok(Seq::new(before).next()),
        _ => Err(Nack::Refused("the ack is not of this batch".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stream: &str, seq: u64, batch: Option<(&str, u64)>, expected: Option<u64>) {
        let ack = Ack {
            stream: stream.to_owned(),
            seq: Seq::new(seq),
            duplicate: false,
            batch: batch.map(|(id, count)| (id.to_owned(), count)),
        };
        let found = first_seq(&ack, "S", "b", 3).ok().map(Seq::get);
        assert_eq!(found, expected);
    }

    #[test]
    fn only_an_ack_of_exactly_this_batch_counts() {
        check("S", 10, Some(("b", 3)), Some(8));
        check("S", 3, Some(("b", 3)), Some(1));
        check("S", 2, Some(("b", 3)), None);
        check("S", 10, Some(("b", 2)), None);
        check("S", 10, Some(("x", 3)), None);
        check("T", 10, Some(("b", 3)), None);
        check("S", 10, None, None);
    }
}

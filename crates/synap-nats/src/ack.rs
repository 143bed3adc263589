//! What JetStream answers to a publish, read from its bytes.

use async_nats::Message;
use async_nats::StatusCode;
use serde::Deserialize;
use synap_types::Seq;

/// The cluster has no leader for the stream now.
const CLUSTER_NOT_AVAILABLE: u64 = 10_008;
/// The stream is offline now.
const STREAM_OFFLINE: u64 = 10_118;
/// The same id is on its way into the stream; soon its seq is known.
const DUPLICATE_IN_FLIGHT: u64 = 10_158;
/// The expected last message id is another.
const WRONG_LAST_ID: u64 = 10_070;

/// A publish that JetStream acked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    /// Which stream took it.
    pub(crate) stream: String,
    /// Where it stands; of a batch, where its last message stands.
    pub(crate) seq: Seq,
    pub(crate) duplicate: bool,
    /// Of a batch: its id and how many messages were stored.
    pub(crate) batch: Option<(String, u64)>,
}

/// A publish that was not acked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Nack {
    /// No stream listens, or it cannot answer now; soon it may.
    #[error("{0}")]
    NotNow(String),
    /// The stream's last message is not the expected one.
    #[error("the stream's last message is another")]
    WrongLastId,
    /// Refused for good.
    #[error("{0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    stream: String,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    batch: Option<String>,
    count: Option<u64>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// The answer in `message`. An answer that is not understood is no ack.
pub(crate) fn read(message: &Message) -> Result<Ack, Nack> {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(Nack::NotNow("no stream takes the subject".to_owned()));
    }
    parse(&message.payload)
}

fn parse(bytes: &[u8]) -> Result<Ack, Nack> {
    let answer: Answer = serde_json::from_slice(bytes)
        .map_err(|error| Nack::Refused(format!("the answer is not understood: {error}")))?;
    if let Some(refusal) = answer.error {
        let text = format!("{} ({})", refusal.description, refusal.err_code);
        return Err(match refusal.err_code {
            CLUSTER_NOT_AVAILABLE | STREAM_OFFLINE | DUPLICATE_IN_FLIGHT => Nack::NotNow(text),
            WRONG_LAST_ID => Nack::WrongLastId,
            _ => Nack::Refused(text),
        });
    }
    if answer.stream.is_empty() || answer.seq == 0 {
        return Err(Nack::Refused("the answer names no place".to_owned()));
    }
    Ok(Ack {
        stream: answer.stream,
        seq: Seq::new(answer.seq),
        duplicate: answer.duplicate,
        batch: answer.batch.zip(answer.count),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_are_read() {
        let ack = Ack {
            stream: "S".to_owned(),
            seq: Seq::new(7),
            duplicate: true,
            batch: None,
        };
        let found = parse(br#"{"stream":"S","seq":7,"duplicate":true}"#);
        assert_eq!(found, Ok(ack.clone()));
        let ack = Ack {
            duplicate: false,
            batch: Some(("b".to_owned(), 3)),
            ..ack
        };
        let found = parse(br#"{"stream":"S","seq":7,"batch":"b","count":3,"domain":"d"}"#);
        assert_eq!(found, Ok(ack));
    }

    #[test]
    fn what_is_no_ack_never_reads_as_one() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"stream":"S"}"#,
            r#"{"stream":"S","seq":0}"#,
        ] {
            assert!(
                matches!(parse(text.as_bytes()), Err(Nack::Refused(_))),
                "{text}"
            );
        }
        let refusal = |code: u64| {
            parse(
                format!(
                    r#"{{"stream":"S","seq":3,"error":{{"err_code":{code},"description":"x"}}}}"#
                )
                .as_bytes(),
            )
        };
        assert!(matches!(refusal(10_008), Err(Nack::NotNow(_))));
        assert!(matches!(refusal(10_070), Err(Nack::WrongLastId)));
        assert!(matches!(refusal(10_077), Err(Nack::Refused(_))));
    }
}

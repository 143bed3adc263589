//! The audit of fetches: a sample of what was told to whom, by which key and when. Ids only, never a text or a query.
//!
//! A fetch does not wait for its record: records go through a bounded queue, and what finds it full is counted as lost.

use crate::config::AuditSettings;
use crate::identity::Identity;
use crate::metrics;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::time::Duration;
use synap_nats::AuditStream;
use synap_types::{FetchRequest, FetchResponse, MemoryId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Records that wait to be stored.
const QUEUE_MAX: usize = 4_096;
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Notes fetches, if it was asked for.
#[derive(Debug)]
pub(crate) struct Audit {
    share: f64,
    queue: mpsc::Sender<Bytes>,
}

/// The other end of the queue.
pub(crate) type Records = mpsc::Receiver<Bytes>;

impl Audit {
    /// A queue, empty for ever where the settings want none.
    pub(crate) fn new(settings: &AuditSettings) -> (Self, Records) {
        let (queue, records) = mpsc::channel(QUEUE_MAX);
        let share = settings.fetches;
        (Self { share, queue }, records)
    }

    /// Begins a record of what `identity` asks for, if it falls into the sample.
    pub(crate) fn sample(
        &self,
        identity: &Identity,
        request: &FetchRequest,
        generation: Option<&str>,
    ) -> Option<Sampled> {
        if !is_chosen(self.share) {
            return None;
        }
        let mut record = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                record.insert(name.to_owned(), value);
            }
        };
        let conversation = request.conversation.as_ref();
        set("client_id", Some(json!(identity.client)));
        set("instance_id", Some(json!(identity.instance)));
        set("key_id", Some(json!(identity.key_id)));
        set("scope", Some(request.scope.kind().into()));
        set("scope_path", Some(request.scope.path_json().into()));
        set("mode", Some(request.mode.name().into()));
        set("time", request.now.map(|now| json!(now)));
        set("as_of", request.as_of.map(|as_of| json!(as_of)));
        set("conversation_id", conversation.map(|name| json!(name.id)));
        set("generation", generation.map(Value::from));
        Some(Sampled(record))
    }

    /// Ends a record by what was told.
    pub(crate) fn record(&self, sampled: Sampled, told: &FetchResponse) {
        let Sampled(mut record) = sampled;
        let memories: Vec<MemoryId> = told.items.iter().map(|item| item.id).collect();
        record.insert("memories".to_owned(), json!(memories));
        record.insert("stale".to_owned(), told.stale.into());
        let record = Value::from(record).to_string();
        if self.queue.try_send(record.into()).is_err() {
            metrics::audited("lost");
        }
    }
}

/// A record that has been begun.
#[derive(Debug)]
pub(crate) struct Sampled(Map<String, Value>);

/// Whether one of many falls into a share of them.
fn is_chosen(share: f64) -> bool {
    if share <= 0.0 || share >= 1.0 {
        return share >= 1.0;
    }
    getrandom::u32().is_ok_and(|random| f64::from(random) < share * f64::from(u32::MAX))
}

/// Stores records until `stop`, in order; what is queued by then as well.
pub(crate) async fn run(stream: AuditStream, mut records: Records, stop: CancellationToken) {
    while let Some(record) = tokio::select! {
        biased;
        record = records.recv() => record,
        () = stop.cancelled() => records.try_recv().ok(),
    } {
        while let Err(error) = stream.publish(record.clone()).await {
            warn!(%error, "a record of a fetch is not stored yet");
            if stop.is_cancelled() {
                metrics::audited("lost");
                return;
            }
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        metrics::audited("stored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_about_that_much() {
        let chosen = |share| (0..10_000).filter(|_| is_chosen(share)).count();
        assert_eq!((chosen(0.0), chosen(1.0)), (0, 10_000));
        let tenth = chosen(0.1);
        assert!((700..1_300).contains(&tenth), "{tenth}");
    }
}

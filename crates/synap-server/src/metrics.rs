//! What the server counts, for Prometheus. Labels are kinds and codes, never ids.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use synap_projection::Turn;
use synap_types::{
    ApiError, FetchRequest, FetchResponse, IngestReceipt, MessageReceipt, Partition,
};
use tokio::time::Instant;

/// Buckets of latencies, in seconds.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// Starts counting; answers what renders the counts. Once per process.
pub(crate) fn install() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?;
    let handle = builder.install_recorder()?;
    describe_counter!(
        "synap_ingests_total",
        "Ingests by outcome: stored, duplicate, or an error code"
    );
    describe_counter!(
        "synap_fetches_total",
        "Fetches by kind of scope and outcome"
    );
    describe_histogram!("synap_fetch_seconds", "Time of a fetch inside the server");
    describe_counter!(
        "synap_events_applied_total",
        "Events applied or parked, by partition"
    );
    describe_counter!("synap_events_parked_total", "Events parked, by partition");
    describe_gauge!("synap_applied_seq", "Last event applied, by partition");
    describe_counter!(
        "synap_turns_total",
        "Turns by outcome: stored, duplicate, or an error code"
    );
    describe_counter!(
        "synap_stream_events_total",
        "What came over gRPC streams: turn, hint, refused, unauthenticated, ping, and others"
    );
    describe_counter!(
        "synap_memories_enriched_total",
        "Memories whose vectors this process has recorded, by partition"
    );
    describe_counter!("synap_inbox_total", "Inbox messages by verdict");
    describe_counter!(
        "synap_audit_total",
        "Records of fetches by outcome: stored, or lost because too many waited"
    );
    Ok(handle)
}

/// An ingest has ended.
pub(crate) fn ingested(done: &Result<IngestReceipt, ApiError>) {
    let outcome = match done {
        Ok(receipt) if receipt.duplicate => "duplicate",
        Ok(_) => "stored",
        Err(refusal) => refusal.code.name(),
    };
    counter!("synap_ingests_total", "outcome" => outcome).increment(1);
}

/// A turn of a conversation was recorded, or not.
pub(crate) fn recorded(done: &Result<MessageReceipt, ApiError>) {
    let outcome = match done {
        Ok(receipt) if receipt.duplicate => "duplicate",
        Ok(_) => "stored",
        Err(refusal) => refusal.code.name(),
    };
    counter!("synap_turns_total", "outcome" => outcome).increment(1);
}

/// Vectors of memories were recorded.
pub(crate) fn enriched(partition: Partition, memories: usize) {
    counter!("synap_memories_enriched_total", "partition" => partition.token())
        .increment(memories as u64);
}

/// A record of a fetch was stored, or lost.
pub(crate) fn audited(outcome: &'static str) {
    counter!("synap_audit_total", "outcome" => outcome).increment(1);
}

/// Something came over a stream.
pub(crate) fn stream_event(kind: &'static str) {
    counter!("synap_stream_events_total", "kind" => kind).increment(1);
}

/// A turn was committed.
pub(crate) fn applied(partition: Partition, turn: &Turn, events: usize) {
    let partition = partition.token();
    counter!("synap_events_applied_total", "partition" => partition.clone())
        .increment(events as u64);
    counter!("synap_events_parked_total", "partition" => partition.clone()).increment(turn.parked);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge is a float; seqs stay below 2^53"
    )]
    gauge!("synap_applied_seq", "partition" => partition).set(turn.applied.get() as f64);
}

/// An inbox message has its verdict.
pub(crate) fn inbox(verdict: &'static str) {
    counter!("synap_inbox_total", "verdict" => verdict).increment(1);
}

/// Times one fetch.
#[derive(Debug)]
pub(crate) struct FetchTimer {
    started: Instant,
    scope_kind: String,
}

impl FetchTimer {
    /// A fetch begins.
    pub(crate) fn start(request: &FetchRequest) -> Self {
        Self {
            started: Instant::now(),
            scope_kind: request.scope.kind().to_owned(),
        }
    }

    /// It has ended.
    pub(crate) fn done(self, done: &Result<FetchResponse, ApiError>) {
        let outcome = match done {
            Ok(response) if response.stale => "stale",
            Ok(_) => "ok",
            Err(refusal) => refusal.code.name(),
        };
        histogram!("synap_fetch_seconds").record(self.started.elapsed().as_secs_f64());
        counter!("synap_fetches_total", "scope" => self.scope_kind, "outcome" => outcome)
            .increment(1);
    }
}

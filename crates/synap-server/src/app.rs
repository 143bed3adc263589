//! The running server as its interfaces see it.

use crate::jobs::{JobKind, JobPart, Jobs};
use crate::node::Node;
use crate::operations::Operations;
use crate::upload::Reader;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_projection::Standing;
use synap_readmodel::ReadStore as _;
use synap_types::limits::APPEND_TIMEOUT_MS;
use synap_types::{ApiError, ErrorCode, Partition};
use tokio_util::task::TaskTracker;

/// Everything that a request may need.
pub(crate) struct App<L> {
    pub(crate) operations: Arc<Operations<L>>,
    pub(crate) log: Arc<L>,
    pub(crate) jobs: Jobs,
    pub(crate) metrics: PrometheusHandle,
    /// Turns uploaded files into text.
    pub(crate) reader: Reader,
    /// Work that outlives its request: joined at shutdown.
    pub(crate) tasks: TaskTracker,
}

impl<L> fmt::Debug for App<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl<L: EventLog> App<L> {
    /// For probes and clients: no ids, no positions.
    pub(crate) fn health(&self) -> Value {
        let halted = self.operations.engine.halted();
        let nodes = || {
            self.operations
                .engine
                .nodes
                .values()
                .map(|node| node.live())
        };
        let behind = nodes()
            .filter(|live| live.progress.borrow().is_behind())
            .count();
        let applied = self.operations.engine.nodes.values().map(|node| {
            let applied = node.live().progress.borrow().applied;
            (node.partition, applied)
        });
        let status = if behind == 0 { "ok" } else { "degraded" };
        json!({"status": status, "version": env!("CARGO_PKG_VERSION"), "durability": self.log.durability().name(),
            "partitions": nodes().count(), "partitions_behind": behind, "partitions_halted": halted,
            "models": {"encoder": self.operations.engine.models.show(applied)}})
    }

    /// Per partition: log seq, applied seq, lag, parked, generation, disk.
    pub(crate) async fn status(&self) -> Value {
        let mut partitions = Vec::new();
        for node in self.operations.engine.nodes.values() {
            partitions.push(partition_status(node).await);
        }
        let mut body = self.health();
        if let Value::Object(fields) = &mut body {
            fields.insert("partitions".to_owned(), json!(partitions));
        }
        body
    }

    /// Parked events of every partition.
    pub(crate) fn parked(&self) -> Result<Value, ApiError> {
        let mut found = Vec::new();
        for node in self.operations.engine.nodes.values() {
            let parked = node
                .parked()
                .map_err(|e| ApiError::new(ErrorCode::Internal, e.to_string()))?;
            let shown = parked.into_iter().map(|(seq, row)| {
                json!({"partition": node.partition.token(), "seq": seq, "reason": row.reason, "behind": row.behind,
                    "subject": row.subject})
            });
            found.extend(shown);
        }
        Ok(json!({"parked": found}))
    }

    /// Starts a job over one partition, or all; answers how to watch it.
    pub(crate) fn start_job(
        self: &Arc<Self>,
        kind: JobKind,
        only: Option<Partition>,
    ) -> Result<Value, ApiError> {
        let nodes = &self.operations.engine.nodes;
        let partitions: Vec<Partition> = nodes
            .keys()
            .copied()
            .filter(|p| only.is_none_or(|only| only == *p))
            .collect();
        if partitions.is_empty() {
            let known: Vec<String> = nodes.keys().map(|partition| partition.token()).collect();
            return Err(ApiError::invalid(
                "partition",
                format!("must be one of {}", known.join(", ")),
            ));
        }
        let (number, parts) = self.jobs.start(kind, &partitions);
        for part in parts {
            if let Some(node) = nodes.get(&part.partition()) {
                drop(self.tasks.spawn(work(Arc::clone(node), kind, part)));
            }
        }
        self.jobs
            .show(&number.to_string())
            .ok_or_else(ApiError::not_found)
    }
}

/// One partition in `synap status`.
#[derive(Debug, Serialize)]
struct PartitionStatus {
    partition: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    applied_seq: u64,
    parked: u64,
    generation: u32,
    disk_bytes: u64,
    /// What follows is unknown while the log does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<u64>,
}

async fn partition_status<L: EventLog>(node: &Node<L>) -> PartitionStatus {
    let live = node.live();
    let tail = tokio::time::timeout(Duration::from_millis(APPEND_TIMEOUT_MS), node.tail()).await;
    let log = tail.ok().and_then(Result::ok);
    let progress = live.progress.borrow().clone();
    let (state, reason) = match progress.standing {
        Standing::CatchingUp => ("catching_up", None),
        Standing::Following => ("following", None),
        Standing::Retrying { reason } => ("retrying", Some(reason)),
        Standing::Halted(halt) => ("halted", Some(halt.to_string())),
    };
    let applied_seq = progress.applied.get();
    PartitionStatus {
        partition: node.partition.token(),
        state,
        reason,
        applied_seq,
        parked: progress.parked,
        generation: live.number,
        disk_bytes: live.store.disk_bytes(),
        log_seq: log.map(|log| log.last.get()),
        log_bytes: log.map(|log| log.bytes),
        lag: log.map(|log| log.last.get().saturating_sub(applied_seq)),
    }
}

async fn work<L: EventLog>(node: Arc<Node<L>>, kind: JobKind, part: JobPart) {
    let reports = part.clone();
    let report = move |applied, target| reports.report(applied, target);
    let done = match kind {
        JobKind::Rebuild { accept_loss } => node
            .rebuild(accept_loss, report)
            .await
            .map(|generation| json!({"generation": generation})),
        JobKind::Verify => node
            .verify(report)
            .await
            .map(|found| serde_json::to_value(found).unwrap_or_default()),
    };
    part.finish(done.map_err(|e| format!("{e:#}")));
}

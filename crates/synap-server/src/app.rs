//! The running server as its interfaces see it.

use crate::jobs::{JobKind, JobPart, Jobs, Rebuild};
use crate::node::{Difference, Node, Refusal};
use crate::operations::Operations;
use crate::upload::Reader;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_projection::Standing;
use synap_readmodel::ReadStore as _;
use synap_types::limits::APPEND_TIMEOUT_MS;
use synap_types::{ApiError, ErrorCode, Partition};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Pause before a rebuild that is needed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Everything that a request may need.
pub(crate) struct App<L> {
    pub(crate) operations: Arc<Operations<L>>,
    pub(crate) log: Arc<L>,
    pub(crate) jobs: Jobs,
    pub(crate) metrics: PrometheusHandle,
    /// Turns uploaded files into text.
    pub(crate) reader: Reader,
    /// Share of the time that a rebuild works at most, unless it is told otherwise.
    pub(crate) cpu_share: f64,
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
            fields.insert("jobs".to_owned(), json!(self.jobs.running()));
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
        kind: &JobKind,
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
        let number = self.start_work(kind, &partitions);
        self.jobs
            .show(&number.to_string())
            .ok_or_else(ApiError::not_found)
    }

    fn start_work(&self, kind: &JobKind, partitions: &[Partition]) -> u64 {
        let (number, parts) = self.jobs.start(kind, partitions);
        for part in parts {
            if let Some(node) = self.operations.engine.nodes.get(&part.partition()) {
                drop(self.tasks.spawn(work(Arc::clone(node), part)));
            }
        }
        number
    }

    /// Goes on with what a kill has interrupted, and builds what another version of the projection made.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        let mut partitions = Vec::new();
        for (partition, node) in &self.operations.engine.nodes {
            if node.wants_rebuild()? {
                partitions.push(*partition);
            }
        }
        let start = |named: Option<String>, partitions: &[Partition]| {
            let kind = JobKind::Rebuild(Rebuild {
                named,
                ..Rebuild::at(self.cpu_share)
            });
            let job = self.start_work(&kind, partitions);
            let partitions = partitions.len();
            info!(job, partitions, "a rebuild goes on by itself");
        };
        if !partitions.is_empty() {
            start(None, &partitions);
        }
        let mut unfilled: BTreeMap<String, Vec<Partition>> = BTreeMap::new();
        for (partition, node) in &self.operations.engine.nodes {
            for name in node.unfilled()? {
                unfilled.entry(name).or_default().push(*partition);
            }
        }
        for (name, partitions) in unfilled {
            start(Some(name), &partitions);
        }
        Ok(())
    }

    /// Starts filling a named generation of every partition, which differs from the live one in this.
    pub(crate) fn start_named(
        self: &Arc<Self>,
        options: Rebuild,
        difference: &Difference,
    ) -> Result<Value, ApiError> {
        if let Some(name) = &options.named {
            for node in self.operations.engine.nodes.values() {
                node.define(name, difference)
                    .map_err(|refusal| refused("as", refusal))?;
            }
        }
        self.start_job(&JobKind::Rebuild(options), None)
    }

    /// Removes a named generation of every partition.
    pub(crate) async fn remove_named(&self, name: &str) -> Result<Value, ApiError> {
        let mut found = false;
        for node in self.operations.engine.nodes.values() {
            let removed = node.remove_named(name).await;
            found |= removed.map_err(|refusal| refused("name", refusal))?;
        }
        if found {
            Ok(json!({"removed": name}))
        } else {
            Err(ApiError::invalid("name", "is not the name of a generation"))
        }
    }

    /// The generations of every partition.
    pub(crate) fn generations(&self) -> Result<Value, ApiError> {
        let nodes = self.operations.engine.nodes.values();
        let shown = nodes.map(|node| node.show_generations());
        let shown = shown.collect::<anyhow::Result<Vec<Value>>>();
        let shown = shown.map_err(|e| ApiError::new(ErrorCode::Internal, format!("{e:#}")))?;
        Ok(json!({"partitions": shown}))
    }
}

fn refused(field: &str, refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Invalid(problem) => ApiError::invalid(field, problem),
        Refusal::Conflict(message) => ApiError::new(ErrorCode::Conflict, message),
        Refusal::Failed(e) => ApiError::new(ErrorCode::Internal, format!("{e:#}")),
    }
}

/// Why a partition does not follow its log although nothing is wrong.
const OUTDATED: &str =
    "another version of synap read the texts: the rows are read only until a rebuild is done";

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
        Standing::CatchingUp if live.is_outdated() => ("outdated", Some(OUTDATED.to_owned())),
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

async fn work<L: EventLog>(node: Arc<Node<L>>, part: JobPart) {
    let done = loop {
        let done = work_once(&node, &part).await;
        // Rows that nothing keeps up with the log: there is nothing better to do than to try again.
        let tries_again = matches!(part.kind(), JobKind::Rebuild(options) if options.named.is_none())
            && node.live().is_outdated()
            && !node.is_closing()
            && !matches!(node.live().progress.borrow().standing, Standing::Halted(_));
        match done {
            Err(e) if tries_again => {
                part.trouble(format!("{e:#}"));
                warn!(partition = %node.partition, "the rebuild will be tried again");
                node.pause(TRY_AGAIN).await;
            }
            done => break done,
        }
    };
    part.finish(done.map_err(|e| format!("{e:#}")));
}

async fn work_once<L: EventLog>(node: &Arc<Node<L>>, part: &JobPart) -> anyhow::Result<Value> {
    match part.kind() {
        JobKind::Rebuild(options) => match &options.named {
            Some(name) => node.rebuild_named(name, part).await,
            None => node.rebuild(part).await,
        },
        JobKind::Rollback => node.rollback().await,
        JobKind::Verify(sample) => {
            let reports = part.clone();
            let report = move |applied, target| reports.report(applied, target);
            let found = node.verify(sample, report).await?;
            Ok(serde_json::to_value(found)?)
        }
    }
}

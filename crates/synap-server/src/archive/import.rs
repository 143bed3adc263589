//! Appends events of an export under their own ids, each to the partition that its scope has here. What is there already
//! is left alone; whether it is, the rows say, once they hold everything that the log held when the request came.

use super::{Checked, Header, Said, read};
use crate::app::App;
use crate::engine::unavailable;
use crate::identity::Identity;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;
use synap_log::{EventLog, NewEvent};
use synap_projection::wait_for;
use synap_readmodel::{ParkedRow, ReadStore as _, Snapshot as _, SnapshotExt as _, codec, key};
use synap_types::limits::{APPEND_TIMEOUT_MS, IMPORT_EVENTS_MAX, IMPORT_WAIT_MS};
use synap_types::{ApiError, ClientId, ErrorCode, EventId, EventSubject, Partition, Seq};
use tokio::time::{Instant, timeout};
use tracing::warn;

/// Reads a request: the header of the export, then lines of it.
fn lines(body: &Bytes, client: &ClientId) -> Result<Vec<Checked>, ApiError> {
    let mut rest = body.clone();
    let mut next = || {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = rest.split_to(end.unwrap_or(rest.len()));
        drop(rest.split_to(usize::from(end.is_some())));
        (!line.is_empty()).then_some(line)
    };
    let first = next().unwrap_or_default();
    let header = Header::read(&first).map_err(|problem| ApiError::invalid("line 1", problem))?;
    if header.client != *client {
        let problem = format!(
            "the export is of client {}, and this key is of client {client}: events keep their client",
            header.client
        );
        return Err(ApiError::invalid("client", problem));
    }
    if let Some(unknown) = header.unknown_type() {
        let problem =
            format!("{unknown} is unknown to this version of synap; nothing was imported");
        return Err(ApiError::invalid("event_types", problem));
    }
    let mut found = Vec::new();
    while let Some(line) = next() {
        let at = || format!("line {}", found.len() + 2);
        if found.len() == IMPORT_EVENTS_MAX {
            let limit = IMPORT_EVENTS_MAX;
            return Err(ApiError::over_limit("body", "events", limit + 1, limit));
        }
        match read(&line, client) {
            Ok(Said::Event(event)) => found.push(*event),
            Ok(Said::LeftOut { .. } | Said::End(_)) => {
                return Err(ApiError::invalid(at(), "is no event"));
            }
            Err(problem) => return Err(ApiError::invalid(at(), problem)),
        }
    }
    Ok(found)
}

impl<L: EventLog> App<L> {
    /// Appends what is new of the events in `body`. The answer comes when they are durable.
    pub(crate) async fn import(
        &self,
        identity: &Identity,
        body: &Bytes,
    ) -> Result<Value, ApiError> {
        let events = lines(body, &identity.client)?;
        let count = self.operations.engine.count;
        let total = events.len();
        let mut by_partition: BTreeMap<Partition, Vec<Checked>> = BTreeMap::new();
        for event in events {
            let partition = count.partition_of(event.event.scope());
            by_partition.entry(partition).or_default().push(event);
        }
        let mut rows = Vec::new();
        for (partition, events) in by_partition {
            self.operations.engine.check_log(partition)?;
            self.caught_up(partition).await?;
            rows.push(self.unknown(partition, events).await?);
        }
        let appended = join_all(rows.into_iter().map(|row| self.append_new(row))).await;
        let mut new = 0;
        for done in appended {
            new += done?;
        }
        Ok(json!({"new": new, "known": total - new}))
    }

    /// Waits until the rows of `partition` hold what its log holds now.
    async fn caught_up(&self, partition: Partition) -> Result<(), ApiError> {
        let node = self.operations.engine.nodes.get(&partition);
        let node = node.ok_or_else(|| ApiError::invalid("partition", "is not here"))?;
        let tail = node.tail().await.map_err(|e| unavailable(&e.to_string()))?;
        let mut progress = node.live().progress.clone();
        let wait = Duration::from_millis(IMPORT_WAIT_MS);
        let waited = wait_for(&mut progress, Some(tail.incarnation), tail.last, wait).await;
        waited.map_err(|e| ApiError::new(ErrorCode::NotYetApplied, e.to_string()))
    }

    /// Those of `events` that were neither applied nor set aside.
    async fn unknown(
        &self,
        partition: Partition,
        events: Vec<Checked>,
    ) -> Result<Vec<NewEvent>, ApiError> {
        let subject = |event: &Checked| EventSubject::of(partition, &event.event);
        let parked = self.parked_ids(partition, events.iter().map(|e| subject(e).to_string()));
        let parked = parked.await?;
        let node = self.operations.engine.nodes.get(&partition);
        let live = node.map(|node| node.live());
        let live = live.ok_or_else(|| ApiError::invalid("partition", "is not here"))?;
        let new = tokio::task::spawn_blocking(move || {
            let snapshot = live.store.snapshot();
            let mut new = Vec::new();
            for event in events {
                let (scope, id) = (event.event.scope().hash(), event.event.id);
                if snapshot.row(&key::seen(&scope, id))?.is_none() && !parked.contains(&id) {
                    new.push(event);
                }
            }
            Ok(new)
        });
        let new = new
            .await
            .map_err(|_| internal("a read ended without an answer"))?;
        let new = new.map_err(|e: synap_readmodel::StoreError| internal(&e.to_string()))?;
        let new = new.into_iter().map(|event| NewEvent {
            id: event.event.id,
            partition,
            subject: subject(&event),
            payload: event.payload,
        });
        Ok(new.collect())
    }

    /// Ids of the events under `subjects` that were set aside: the rows know only where these stand.
    async fn parked_ids(
        &self,
        partition: Partition,
        subjects: impl Iterator<Item = String>,
    ) -> Result<HashSet<EventId>, ApiError> {
        let subjects: BTreeSet<String> = subjects.collect();
        let mut places = Vec::new();
        if let Some(node) = self.operations.engine.nodes.get(&partition) {
            let live = node.live();
            let scanned = live
                .store
                .snapshot()
                .scan(&key::all_parked(), &mut |rest, value| {
                    let row = codec::decode::<ParkedRow>(value);
                    if row.is_ok_and(|row| subjects.contains(&row.subject)) {
                        places.push(Seq::new(rest.try_into().map_or(0, u64::from_be_bytes)));
                    }
                    ControlFlow::Continue(())
                });
            scanned.map_err(|e| internal(&e.to_string()))?;
        }
        let mut ids = HashSet::new();
        for place in places {
            let read = async { self.log.read(partition, place).next().await };
            let read = timeout(Duration::from_millis(APPEND_TIMEOUT_MS), read).await;
            // One that was deleted since is not there any more.
            let event = read.ok().flatten().and_then(Result::ok);
            let Some(event) = event.filter(|event| event.seq == place) else {
                continue;
            };
            let envelope = serde_json::from_slice::<Value>(&event.payload).ok();
            let id = envelope
                .as_ref()
                .and_then(|envelope| envelope.get("id")?.as_str());
            ids.extend(id.and_then(|id| id.parse::<EventId>().ok()));
        }
        Ok(ids)
    }

    /// Appends events in their order. Answers how many were new.
    async fn append_new(&self, events: Vec<NewEvent>) -> Result<usize, ApiError> {
        let Some(partition) = events.first().map(|event| event.partition) else {
            return Ok(0);
        };
        let done = self.log.append_in_order(events).await.map_err(|e| {
            warn!(%partition, error = %e, source = ?std::error::Error::source(&e), "an import's append failed");
            unavailable(&format!("not all was stored: {e}"))
        })?;
        for appended in &done {
            let acked = &self.operations.ingest.acked;
            acked.note(partition, appended.seq, Instant::now());
        }
        Ok(done.iter().filter(|done| !done.duplicate).count())
    }
}

fn internal(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Internal, message)
}

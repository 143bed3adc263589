//! A log in memory: for tests of everything above the port. Not durable, and it says so.

use crate::{
    AppendError, Appended, Durability, Erasure, EventLog, Incarnation, LogState, NewEvent,
    ReadError, Recorded, RecordedStream,
};
use futures::stream;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use synap_types::{EventId, Partition, Seq};

/// A log that lives as long as its last clone.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(Arc<Mutex<BTreeMap<Partition, Stored>>>);

#[derive(Debug, Default)]
struct Stored {
    events: BTreeMap<Seq, Recorded>,
    ids: HashMap<EventId, Seq>,
    last: Seq,
    bytes: u64,
    erasures: Vec<Erasure>,
    waiting: Vec<Waker>,
}

/// The incarnation of every partition.
const INCARNATION: Incarnation = Incarnation(1);

impl MemoryLog {
    /// Loses one event: readers see a gap that nothing explains.
    pub fn lose(&self, partition: Partition, seq: Seq) {
        self.lock()
            .entry(partition)
            .or_default()
            .events
            .remove(&seq);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Partition, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, event: NewEvent) -> Appended {
        let mut partitions = self.lock();
        let stored = partitions.entry(event.partition).or_default();
        if let Some(&seq) = stored.ids.get(&event.id) {
            return Appended {
                seq,
                incarnation: INCARNATION,
                duplicate: true,
            };
        }
        let seq = stored.last.next();
        stored.last = seq;
        stored.ids.insert(event.id, seq);
        stored.bytes += event.payload.len() as u64;
        let recorded = Recorded {
            seq,
            subject: event.subject.to_string(),
            payload: event.payload,
        };
        stored.events.insert(seq, recorded);
        stored.waiting.drain(..).for_each(Waker::wake);
        Appended {
            seq,
            incarnation: INCARNATION,
            duplicate: false,
        }
    }
}

impl EventLog for MemoryLog {
    async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        Ok(self.store(event))
    }

    fn read(&self, partition: Partition, from: Seq) -> RecordedStream {
        let log = self.clone();
        let mut next = from;
        Box::pin(stream::poll_fn(move |context| {
            let mut partitions = log.lock();
            let stored = partitions.entry(partition).or_default();
            let Some((seq, event)) = stored.events.range(next..).next() else {
                stored.waiting.push(context.waker().clone());
                return Poll::Pending;
            };
            next = seq.next();
            Poll::Ready(Some(Ok(event.clone())))
        }))
    }

    async fn state(&self, partition: Partition) -> Result<LogState, ReadError> {
        let partitions = self.lock();
        let stored = partitions.get(&partition);
        let last = stored.map_or(Seq::ZERO, |stored| stored.last);
        let first = stored.and_then(|stored| stored.events.keys().next().copied());
        Ok(LogState {
            incarnation: INCARNATION,
            first: first.unwrap_or_else(|| last.next()),
            last,
            bytes: stored.map_or(0, |stored| stored.bytes),
        })
    }

    fn select(&self, partition: Partition, filters: Vec<String>) -> RecordedStream {
        let mut partitions = self.lock();
        let stored = partitions.entry(partition).or_default();
        let found = stored.events.values();
        let found =
            found.filter(|event| filters.iter().any(|filter| matches(filter, &event.subject)));
        let found: Vec<_> = found.cloned().map(Ok).collect();
        Box::pin(stream::iter(found))
    }

    async fn erase(&self, partition: Partition, erasure: Erasure) -> Result<(), AppendError> {
        let mut partitions = self.lock();
        let stored = partitions.entry(partition).or_default();
        for seq in erasure.seqs() {
            stored.events.remove(&seq);
        }
        stored.erasures.push(erasure);
        Ok(())
    }

    async fn erasures(&self, partition: Partition) -> Result<Vec<Erasure>, ReadError> {
        let partitions = self.lock();
        let stored = partitions.get(&partition);
        Ok(stored.map_or_else(Vec::new, |stored| stored.erasures.clone()))
    }

    async fn newest(&self, partition: Partition) -> Result<Seq, ReadError> {
        let partitions = self.lock();
        let events = partitions.get(&partition).map(|stored| &stored.events);
        let newest = events.and_then(|events| events.keys().next_back().copied());
        Ok(newest.unwrap_or(Seq::ZERO))
    }

    fn durability(&self) -> Durability {
        Durability::Relaxed
    }
}

/// Whether a subject is one of those that `filter` means.
fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_event_is_one_that_is_there() {
        let (log, here) = (MemoryLog::default(), Partition::Shared);
        let newest = || async { log.newest(here).await.unwrap().get() };
        assert_eq!(newest().await, 0);
        for name in ["a", "b", "c"] {
            log.append(crate::contract::event(here, name))
                .await
                .unwrap();
        }
        assert_eq!(newest().await, 3);
        log.lose(here, Seq::new(3));
        log.lose(here, Seq::new(2));
        assert_eq!(newest().await, 1);
        log.lose(here, Seq::new(1));
        assert_eq!(newest().await, 0);
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::contract::run(|| async { MemoryLog::default() }).await;
    }
}

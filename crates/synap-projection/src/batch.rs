//! Events in batches: what is waiting, up to a bound.

use futures::{FutureExt as _, StreamExt as _};
use synap_log::{EventLog, ReadError, Recorded, RecordedStream};
use synap_types::limits::{APPLY_BYTES_MAX, APPLY_EVENTS_MAX};
use synap_types::{Partition, Seq};

/// A log's reader, read in batches.
pub(crate) struct Batches {
    events: RecordedStream,
    /// Why the reader ended, while the events before that are still on their way.
    end: Option<ReadError>,
    /// Whether the last batch ended at a bound: more may be waiting.
    is_full: bool,
}

impl Batches {
    /// Reads on after `applied`, beginning with that event itself: a [`crate::turn`] sees whether it is still the same.
    pub(crate) fn after(log: &impl EventLog, partition: Partition, applied: Seq) -> Self {
        let from = applied.max(Seq::ZERO.next());
        Self {
            events: log.read(partition, from),
            end: None,
            is_full: false,
        }
    }

    /// Whether the last batch ended at a bound, and not at the end of what was waiting.
    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Waits for one event, then takes what is there already. Never empty. After an error, do not ask again.
    ///
    /// Dropping the future loses nothing: it waits only while it holds no event.
    pub(crate) async fn next(&mut self) -> Result<Vec<Recorded>, ReadError> {
        if let Some(end) = self.end.take() {
            return Err(end);
        }
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut next = self.events.next().await;
        loop {
            match next.unwrap_or_else(|| Err(ended())) {
                Ok(event) => {
                    bytes += event.payload.len();
                    batch.push(event);
                }
                Err(e) if batch.is_empty() => return Err(e),
                Err(e) => {
                    self.end = Some(e);
                    return Ok(batch);
                }
            }
            self.is_full = batch.len() >= APPLY_EVENTS_MAX || bytes >= APPLY_BYTES_MAX;
            if self.is_full {
                return Ok(batch);
            }
            match self.events.next().now_or_never() {
                Some(ready) => next = ready,
                None => return Ok(batch),
            }
        }
    }
}

fn ended() -> ReadError {
    ReadError::Unavailable("the log's reader has ended".into())
}

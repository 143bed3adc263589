//! Events in batches: what is waiting, up to a bound, read out of its bytes ahead of whoever applies it.

use crate::extract::Extracted;
use futures::{FutureExt as _, StreamExt as _};
use std::time::Duration;
use synap_log::{EventLog, ReadError, Recorded, RecordedStream};
use synap_text::Extractor;
use synap_types::limits::{APPLY_BYTES_MAX, APPLY_EVENTS_MAX};
use synap_types::{Partition, Seq};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Events that follow each other. Never empty.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) events: Vec<Extracted>,
    /// Whether it ended at a bound, and not at the end of what was waiting.
    pub(crate) is_full: bool,
    /// How long reading them out of their bytes took.
    pub(crate) worked: Duration,
}

/// A log's reader, read in batches. The next one is read while the last one is applied, and no further.
#[derive(Debug)]
pub(crate) struct Batches {
    read: mpsc::Receiver<Result<Batch, ReadError>>,
    _reader: AbortOnDropHandle<()>,
}

impl Batches {
    /// Reads on after `applied`, beginning with that event itself: a [`crate::turn`] sees whether it is still the same.
    /// Nothing after `until` is needed.
    pub(crate) fn after(
        log: &impl EventLog,
        partition: Partition,
        applied: Seq,
        until: Option<Seq>,
        extractor: Extractor,
    ) -> Self {
        let from = applied.max(Seq::ZERO.next());
        let reader = Reader {
            events: log.read(partition, from),
            extractor,
            until,
            end: None,
        };
        let (ready, read) = mpsc::channel(1);
        Self {
            read,
            _reader: AbortOnDropHandle::new(tokio::spawn(reader.run(ready))),
        }
    }

    /// Waits for one event, and answers what was there with it. After an error, do not ask again. Dropping the future
    /// loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Batch, ReadError> {
        self.read.recv().await.unwrap_or_else(|| Err(ended()))
    }
}

struct Reader {
    events: RecordedStream,
    extractor: Extractor,
    until: Option<Seq>,
    /// Why the log's reader ended, while the events before that are still on their way.
    end: Option<ReadError>,
}

impl Reader {
    async fn run(mut self, ready: mpsc::Sender<Result<Batch, ReadError>>) {
        // Only when there is place for it: what waits until then is one batch.
        while let Ok(place) = ready.reserve().await {
            let batch = self.next().await;
            let is_over = batch.is_err();
            place.send(batch);
            if is_over {
                return;
            }
        }
    }

    async fn next(&mut self) -> Result<Batch, ReadError> {
        let (recorded, is_full) = self.gather().await?;
        let extractor = self.extractor;
        let extract = move || {
            let started = Instant::now();
            let events = recorded.into_iter();
            let events = events
                .map(|event| Extracted::of(event, extractor))
                .collect();
            Batch {
                events,
                is_full,
                worked: started.elapsed(),
            }
        };
        let batch = spawn_blocking(extract).await;
        batch.map_err(|e| ReadError::Unavailable(e.into()))
    }

    /// Waits for one event, then takes what is there already.
    async fn gather(&mut self) -> Result<(Vec<Recorded>, bool), ReadError> {
        if let Some(end) = self.end.take() {
            return Err(end);
        }
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut next = self.events.next().await;
        loop {
            match next.unwrap_or_else(|| Err(ended())) {
                // An event that passes over `until` shows a gap: the turn has to see it.
                Ok(event) => {
                    bytes += event.payload.len();
                    let is_last = self.until.is_some_and(|until| event.seq >= until);
                    batch.push(event);
                    if is_last {
                        return Ok((batch, false));
                    }
                }
                Err(e) if batch.is_empty() => return Err(e),
                Err(e) => {
                    self.end = Some(e);
                    return Ok((batch, false));
                }
            }
            if batch.len() >= APPLY_EVENTS_MAX || bytes >= APPLY_BYTES_MAX {
                return Ok((batch, true));
            }
            match self.events.next().now_or_never() {
                Some(ready) => next = ready,
                None => return Ok((batch, false)),
            }
        }
    }
}

fn ended() -> ReadError {
    ReadError::Unavailable("the log's reader has ended".into())
}

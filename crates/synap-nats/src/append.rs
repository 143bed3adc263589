//! The queue in front of one partition's stream, and the task that empties it.
//!
//! Group commit without a clock: an append that finds the stream idle goes at once; while a group is on its way,
//! arrivals collect, and the next group takes everything that waits. So a lone append is never delayed, and the busier
//! it gets the larger the groups are.

use crate::group::{self, Outgoing, Pending, Row, Waiting};
use crate::headers;
use crate::publish::Publisher;
use std::collections::VecDeque;
use std::time::Duration;
use synap_log::{AppendError, Appended, NewEvent};
use synap_types::limits::{APPEND_QUEUE_MAX, APPEND_TIMEOUT_MS, GROUP_EVENTS_MAX};
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The task answers at the deadline; the caller stops waiting this much later, whatever happens.
const ANSWER_SLACK: Duration = Duration::from_millis(50);

/// The way into one partition's stream.
#[derive(Debug)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Waiting>,
}

impl Appender {
    /// Starts the task. It ends when `closing` is cancelled or the appender is dropped, after all that waits is
    /// answered.
    pub(crate) fn start(
        publisher: Publisher,
        tasks: &TaskTracker,
        closing: CancellationToken,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(APPEND_QUEUE_MAX);
        tasks.spawn(run(publisher, waiting, closing));
        Self { queue }
    }

    /// How many appends wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    fn queue(&self, next: Waiting) -> Result<(), AppendError> {
        match self.queue.try_send(next) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(AppendError::Busy {
                waiting: self.waiting(),
            }),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(closed()),
        }
    }

    /// One try to append `events` together, in their order. `None`: it is not known whether they are there.
    pub(crate) async fn append_row(
        &self,
        events: Vec<NewEvent>,
    ) -> Result<Option<Vec<Appended>>, AppendError> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + Duration::from_millis(APPEND_TIMEOUT_MS);
        self.queue(Waiting::Row(Row {
            events: events.into_iter().map(outgoing).collect(),
            deadline,
            answer,
        }))?;
        Ok(timeout_at(deadline + ANSWER_SLACK, answered)
            .await
            .ok()
            .and_then(Result::ok)
            .flatten())
    }

    /// Appends and waits for the ack. What is queued is appended even when the caller goes away.
    pub(crate) async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + Duration::from_millis(APPEND_TIMEOUT_MS);
        self.queue(Waiting::One(Pending {
            event: outgoing(event),
            deadline,
            answer,
        }))?;
        match timeout_at(deadline + ANSWER_SLACK, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(AppendError::TimedOut {
                after_ms: APPEND_TIMEOUT_MS,
            }),
        }
    }
}

fn outgoing(event: NewEvent) -> Outgoing {
    Outgoing {
        id: event.id,
        subject: event.subject.to_string().into(),
        digest: headers::digest(&event.payload),
        payload: event.payload,
    }
}

fn closed() -> AppendError {
    AppendError::Unavailable("the log is closed".into())
}

async fn run(
    mut publisher: Publisher,
    mut queue: mpsc::Receiver<Waiting>,
    closing: CancellationToken,
) {
    let mut waiting = VecDeque::new();
    // It goes when all before it have gone, and before all after it.
    let mut row = None;
    loop {
        if waiting.is_empty() {
            if let Some(row) = row.take() {
                publisher.append_row(row).await;
                continue;
            }
            let next = tokio::select! {
                next = queue.recv() => next,
                () = closing.cancelled(), if !queue.is_closed() => {
                    // Nothing new comes in; what is in there still goes.
                    queue.close();
                    continue;
                }
            };
            match next {
                Some(Waiting::One(next)) => waiting.push_back(next),
                Some(Waiting::Row(next)) => {
                    row = Some(next);
                    continue;
                }
                None => return,
            }
        }
        while row.is_none()
            && waiting.len() < GROUP_EVENTS_MAX
            && let Ok(next) = queue.try_recv()
        {
            match next {
                Waiting::One(next) => waiting.push_back(next),
                Waiting::Row(next) => row = Some(next),
            }
        }
        publisher
            .append(group::take(&mut waiting, Instant::now()))
            .await;
    }
}

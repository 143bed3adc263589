//! The queue in front of one partition's stream, and the task that empties it.
//!
//! Group commit without a clock: an append that finds the stream idle goes at once; while a group is on its way,
//! arrivals collect, and the next group takes everything that waits. So a lone append is never delayed, and the busier
//! it gets the larger the groups are.

use crate::group::{self, Outgoing, Pending};
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
    queue: mpsc::Sender<Pending>,
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

    /// Appends and waits for the ack. What is queued is appended even when the caller goes away.
    pub(crate) async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + Duration::from_millis(APPEND_TIMEOUT_MS);
        let pending = Pending {
            event: Outgoing {
                id: event.id,
                subject: event.subject.to_string().into(),
                digest: headers::digest(&event.payload),
                payload: event.payload,
            },
            deadline,
            answer,
        };
        match self.queue.try_send(pending) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                return Err(AppendError::Busy {
                    waiting: self.waiting(),
                });
            }
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(closed()),
        }
        match timeout_at(deadline + ANSWER_SLACK, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(AppendError::TimedOut {
                after_ms: APPEND_TIMEOUT_MS,
            }),
        }
    }
}

fn closed() -> AppendError {
    AppendError::Unavailable("the log is closed".into())
}

async fn run(
    mut publisher: Publisher,
    mut queue: mpsc::Receiver<Pending>,
    closing: CancellationToken,
) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let next = tokio::select! {
                next = queue.recv() => next,
                () = closing.cancelled(), if !queue.is_closed() => {
                    // Nothing new comes in; what is in there still goes.
                    queue.close();
                    continue;
                }
            };
            match next {
                Some(next) => waiting.push_back(next),
                None => return,
            }
        }
        while waiting.len() < GROUP_EVENTS_MAX
            && let Ok(next) = queue.try_recv()
        {
            waiting.push_back(next);
        }
        publisher
            .append(group::take(&mut waiting, Instant::now()))
            .await;
    }
}

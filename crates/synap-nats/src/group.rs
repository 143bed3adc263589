//! What waits for a partition's stream, and which of it goes together. No I/O.

use async_nats::Subject;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use synap_log::{AppendError, Appended, Incarnation};
use synap_types::limits::{APPEND_TIMEOUT_MS, GROUP_BYTES_MAX, GROUP_EVENTS_MAX};
use synap_types::{EventId, Seq};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What a caller is told.
pub(crate) type Answer = Result<Appended, AppendError>;

/// An event as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) id: EventId,
    pub(crate) subject: Subject,
    pub(crate) digest: String,
    pub(crate) payload: Bytes,
}

/// One caller's append.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) event: Outgoing,
    pub(crate) deadline: Instant,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// Events that stand in this order, or nowhere.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) events: Vec<Outgoing>,
    pub(crate) deadline: Instant,
    /// Where they stand; nothing if that is not known.
    pub(crate) answer: oneshot::Sender<Option<Vec<Appended>>>,
}

/// What waits for its turn.
#[derive(Debug)]
pub(crate) enum Waiting {
    One(Pending),
    Row(Row),
}

/// One event of a group and all who wait for it: an id occurs once in a group, or the server would refuse it whole.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) event: Outgoing,
    /// The latest of those who wait.
    pub(crate) deadline: Instant,
    /// It may have reached the server.
    pub(crate) sent: bool,
    waiters: Vec<oneshot::Sender<Answer>>,
}

/// An event that has its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) seq: Seq,
    pub(crate) incarnation: Incarnation,
    pub(crate) duplicate: bool,
}

/// An event that has none, as far as is known.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Sent, and no ack came.
    TimedOut,
    /// Never sent: there was no connection, or the server was busy with earlier ones.
    NotSent,
    /// The server says why.
    Refused(String),
}

impl Failure {
    fn error(&self) -> AppendError {
        match self {
            Self::TimedOut => AppendError::TimedOut {
                after_ms: APPEND_TIMEOUT_MS,
            },
            Self::NotSent => {
                AppendError::Unavailable("it was not sent: the NATS server does not answer".into())
            }
            Self::Refused(why) => AppendError::Unavailable(why.clone().into()),
        }
    }
}

impl Entry {
    fn new(pending: Pending) -> Self {
        Self {
            event: pending.event,
            deadline: pending.deadline,
            sent: false,
            waiters: vec![pending.answer],
        }
    }

    fn join(&mut self, pending: Pending) {
        self.deadline = self.deadline.max(pending.deadline);
        self.waiters.push(pending.answer);
    }

    /// Tells all who wait. The first caller stored the event, the others find it there.
    pub(crate) fn answer(self, outcome: &Result<Stored, Failure>) {
        for (nth, waiter) in self.waiters.into_iter().enumerate() {
            let answer = match outcome {
                Ok(stored) => Ok(Appended {
                    seq: stored.seq,
                    incarnation: stored.incarnation,
                    duplicate: stored.duplicate || nth > 0,
                }),
                Err(failure) => Err(failure.error()),
            };
            // A caller that went away does not want to know.
            drop(waiter.send(answer));
        }
    }

    /// What to say at the deadline when nothing else is known.
    pub(crate) fn overdue(&self) -> Failure {
        if self.sent {
            Failure::TimedOut
        } else {
            Failure::NotSent
        }
    }
}

/// Takes the next group from the front of what waits: bounded in events and bytes, at least one.
///
/// Those whose deadline has passed are told so and are not sent.
pub(crate) fn take(waiting: &mut VecDeque<Pending>, now: Instant) -> Vec<Entry> {
    let mut group: Vec<Entry> = Vec::new();
    let mut places: HashMap<EventId, usize> = HashMap::new();
    let mut bytes = 0_usize;
    while let Some(next) = waiting.front() {
        let size = next.event.payload.len();
        let full = group.len() >= GROUP_EVENTS_MAX || bytes + size > GROUP_BYTES_MAX;
        if full && !group.is_empty() {
            break;
        }
        let Some(next) = waiting.pop_front() else {
            break;
        };
        if next.deadline <= now {
            Entry::new(next).answer(&Err(Failure::NotSent));
            continue;
        }
        if let Some(same) = places.get(&next.event.id).and_then(|at| group.get_mut(*at)) {
            same.join(next);
        } else {
            bytes += size;
            places.insert(next.event.id, group.len());
            group.push(Entry::new(next));
        }
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use synap_types::Hash128;

    fn pending(
        id: &str,
        bytes: usize,
        now: Instant,
        left_ms: i64,
    ) -> (Pending, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let left = Duration::from_millis(left_ms.unsigned_abs());
        let pending = Pending {
            event: Outgoing {
                id: EventId::new(Hash128::of("test", [id.as_bytes()]).to_uuid()),
                subject: "s".into(),
                digest: String::new(),
                payload: Bytes::from(vec![0; bytes]),
            },
            deadline: if left_ms > 0 { now + left } else { now },
            answer,
        };
        (pending, receiver)
    }

    fn queue(of: impl IntoIterator<Item = (String, usize)>) -> VecDeque<Pending> {
        let now = Instant::now();
        of.into_iter()
            .map(|(id, bytes)| pending(&id, bytes, now, 1_000).0)
            .collect()
    }

    #[test]
    fn groups_are_bounded_in_events() {
        let mut waiting = queue((0..=GROUP_EVENTS_MAX).map(|n| (n.to_string(), 1)));
        assert_eq!(take(&mut waiting, Instant::now()).len(), GROUP_EVENTS_MAX);
        assert_eq!(take(&mut waiting, Instant::now()).len(), 1);
        assert!(take(&mut waiting, Instant::now()).is_empty());
    }

    #[test]
    fn groups_are_bounded_in_bytes_and_never_empty() {
        let half = GROUP_BYTES_MAX / 2;
        let sizes = [half, half, 1, GROUP_BYTES_MAX + 1];
        let mut waiting = queue(
            sizes
                .into_iter()
                .enumerate()
                .map(|(n, b)| (n.to_string(), b)),
        );
        let mut sizes = Vec::new();
        while !waiting.is_empty() {
            sizes.push(take(&mut waiting, Instant::now()).len());
        }
        assert_eq!(sizes, [2, 1, 1]);
    }

    #[test]
    fn equal_ids_share_one_entry_and_the_later_ones_are_duplicates() {
        let now = Instant::now();
        let (first, mut first_answer) = pending("a", 1, now, 10);
        let (again, mut again_answer) = pending("a", 1, now, 20);
        let mut group = take(&mut VecDeque::from([first, again]), now);
        let entry = group.pop().unwrap();
        assert!(group.is_empty());
        assert_eq!(entry.deadline, now + Duration::from_millis(20));
        entry.answer(&Ok(Stored {
            seq: Seq::new(3),
            incarnation: Incarnation(1),
            duplicate: false,
        }));
        assert!(!first_answer.try_recv().unwrap().unwrap().duplicate);
        assert!(again_answer.try_recv().unwrap().unwrap().duplicate);
    }

    #[test]
    fn what_is_overdue_is_told_so_and_not_sent() {
        let now = Instant::now();
        let (late, mut answer) = pending("a", 1, now, 0);
        assert!(take(&mut VecDeque::from([late]), now).is_empty());
        assert!(matches!(
            answer.try_recv().unwrap(),
            Err(AppendError::Unavailable(_))
        ));
    }
}

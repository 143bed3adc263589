//! A fold gives the same rows every time, on any number of threads, and may be dropped.

use crate::conversations::turn;
use crate::world::{
    HERE, Running, append, applied, digest_of, ingest, live_texts, log_of, log_with, numbered,
    scope,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synap_log::{EventLog as _, MemoryLog};
use synap_projection::{Folded, fold};
use synap_readmodel::{Digest, MemoryStore, ReadStore, StoreError, WriteSet};
use synap_types::limits::APPLY_EVENTS_MAX;
use synap_types::{Seq, TurnDoor, TurnRole};

/// Documents, later versions of some, and one event that is parked.
async fn mixed_log() -> MemoryLog {
    let log = log_with(40).await;
    for number in 1..20 {
        let text = format!("Service number {number} runs nowhere.\n\nIt was shut down.");
        append(&log, &ingest(&format!("doc-{number}"), &text, &text), None).await;
    }
    append(&log, &ingest("broken", "Broken.", "broken"), Some("[]")).await;
    for number in 41..60 {
        append(&log, &numbered(number), None).await;
    }
    log
}

async fn folded(log: &MemoryLog, until: Seq) -> (Digest, Folded) {
    let store = Arc::new(MemoryStore::default());
    let folded = fold(log, &store, HERE, until, |_, _| {}).await.unwrap();
    (digest_of(&*store), folded)
}

#[tokio::test]
async fn two_folds_of_a_log_are_equal_and_so_is_a_live_run() {
    let log = Arc::new(mixed_log().await);
    let last = log.state(HERE).await.unwrap().last;
    let (once, again) = (folded(&log, last).await, folded(&log, last).await);
    assert_eq!(once, again);
    assert_eq!(
        once.1,
        Folded {
            applied: last,
            parked: 1
        }
    );

    let (live, copy) = (Arc::new(MemoryStore::default()), MemoryLog::default());
    let copy = Arc::new(copy);
    let mut running = Running::start(&copy, &live);
    let mut events = log.read(HERE, Seq::new(1));
    for seq in 1..=last.get() {
        let event = futures::StreamExt::next(&mut events)
            .await
            .unwrap()
            .unwrap();
        let new = synap_log::NewEvent {
            id: synap_types::EventId::new(
                synap_types::Hash128::of("copy", [&seq.to_be_bytes()[..]]).to_uuid(),
            ),
            partition: HERE,
            subject: event.subject.parse().unwrap(),
            payload: event.payload,
        };
        copy.append(new).await.unwrap();
        if seq % 7 == 0 {
            running.until_applied(seq).await;
        }
    }
    running.until_applied(last.get()).await;
    running.stop().await;
    assert_eq!(digest_of(&*live), once.0);
}

#[test]
fn threads_make_no_difference() {
    let with_threads = |threads: usize| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .build()
            .unwrap();
        runtime.block_on(async {
            let log = mixed_log().await;
            let last = log.state(HERE).await.unwrap().last;
            let folds = futures::future::join_all((0..threads).map(|_| folded(&log, last))).await;
            assert!(folds.windows(2).all(|pair| pair[0] == pair[1]));
            folds[0].0
        })
    };
    assert_eq!(with_threads(1), with_threads(4));
}

#[tokio::test]
async fn a_fold_goes_as_far_as_it_is_told_and_another_goes_on() {
    let (log, store) = (mixed_log().await, Arc::new(MemoryStore::default()));
    let last = log.state(HERE).await.unwrap().last;
    for until in [0, 1, 30, 30, last.get()] {
        let until = Seq::new(until);
        let folded = fold(&log, &store, HERE, until, |_, _| {}).await.unwrap();
        assert_eq!(folded.applied, until);
    }
    assert_eq!(digest_of(&*store), folded(&log, last).await.0);
}

#[tokio::test]
async fn batches_are_bounded_and_reported() {
    let count = APPLY_EVENTS_MAX as u64 + 5;
    let (log, store) = (log_with(count).await, Arc::new(MemoryStore::default()));
    let mut reports = Vec::new();
    let until = Seq::new(count);
    fold(&log, &store, HERE, until, |at, _| reports.push(at.get()))
        .await
        .unwrap();
    assert_eq!(reports, [APPLY_EVENTS_MAX as u64, count]);
}

/// A store that takes its time to commit.
#[derive(Default)]
struct Slow(MemoryStore);

impl ReadStore for Slow {
    type Snapshot<'a> = <MemoryStore as ReadStore>::Snapshot<'a>;

    fn snapshot(&self) -> Self::Snapshot<'_> {
        self.0.snapshot()
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), StoreError> {
        std::thread::sleep(Duration::from_millis(100));
        self.0.commit(writes)
    }

    fn disk_bytes(&self) -> u64 {
        self.0.disk_bytes()
    }
}

/// Turns of one conversation, each of which needs to know the one before, in several batches.
#[tokio::test]
async fn a_batch_that_is_folded_while_the_last_one_is_committed_knows_its_rows() {
    let count = 3 * APPLY_EVENTS_MAX as u64;
    let (log, mut events) = (MemoryLog::default(), Vec::new());
    for number in 0..count {
        let (key, text) = (format!("turn {number}"), format!("I saw bird {number}."));
        let event = turn(&key, TurnDoor::Call, 60, TurnRole::User, &text);
        append(&log, &event, None).await;
        events.push(event);
    }
    let store = Arc::new(Slow::default());
    fold(&log, &store, HERE, Seq::new(count), |_, _| {})
        .await
        .unwrap();
    assert_eq!(digest_of(&store.0), digest_of(&applied(&log_of(&events))));
}

/// A store whose fourth snapshot, that of the first turn, says when it is taken and waits for a word.
struct Paused {
    rows: MemoryStore,
    snapshots: AtomicUsize,
    gate: Mutex<(Sender<()>, Receiver<()>)>,
}

impl ReadStore for Paused {
    type Snapshot<'a> = <MemoryStore as ReadStore>::Snapshot<'a>;

    fn snapshot(&self) -> Self::Snapshot<'_> {
        let rows = self.rows.snapshot();
        if self.snapshots.fetch_add(1, Ordering::SeqCst) == 3 {
            let gate = self.gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
        }
        rows
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), StoreError> {
        self.rows.commit(writes)
    }

    fn disk_bytes(&self) -> u64 {
        self.rows.disk_bytes()
    }
}

/// A turn that nobody waits for any more must not be committed behind the back of whoever goes on.
#[test]
fn a_dropped_fold_commits_nothing_afterwards() {
    let ((reached, has_reached), (go_on, may_go_on)) = (channel(), channel());
    let store = Arc::new(Paused {
        rows: MemoryStore::default(),
        snapshots: AtomicUsize::new(0),
        gate: Mutex::new((reached, may_go_on)),
    });
    let runtime = || tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let log = first.block_on(log_with(3));
    let until = Seq::new(3);

    let (into, from) = (Arc::clone(&store), log.clone());
    let folding = first.spawn(async move {
        fold(&from, &into, HERE, until, |_, _| {}).await.unwrap();
    });
    has_reached.recv().unwrap();
    folding.abort();
    assert!(first.block_on(folding).unwrap_err().is_cancelled());

    let done = second.block_on(fold(&log, &store, HERE, until, |_, _| {}));
    assert_eq!(done.unwrap().applied, until);
    let before = digest_of(&store.rows);
    go_on.send(()).unwrap();
    // Waits for the thread of the turn that was left behind.
    drop(first);
    assert_eq!(digest_of(&store.rows), before);
    assert_eq!(before, second.block_on(folded(&log, until)).0);
    assert_eq!(live_texts(&store.rows, &scope(&["acme"])).len(), 3);
}

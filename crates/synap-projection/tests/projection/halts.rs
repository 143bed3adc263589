//! What stops a partition for good; the rows before it are committed.

use crate::world::{
    BrokenLog, LIFE, Running, append, applied, apply, ingest, live_texts, log_of, log_with,
    numbered, recorded, scope,
};
use std::sync::Arc;
use synap_log::{EventLog, MemoryLog, ReadError};
use synap_projection::{Halt, Progress, fold};
use synap_readmodel::{CheckpointRow, MemoryStore, ReadStore as _, WriteSet, key};
use synap_types::Seq;

/// Runs a projector over `log` until it halts.
async fn halted<L: EventLog>(log: L, store: &Arc<MemoryStore>) -> (Progress, Halt) {
    let mut running = Running::start(&Arc::new(log), store);
    let halted = running.until_halted().await;
    running.stop().await;
    halted
}

fn store_at(incarnation: u64, seq: u64) -> Arc<MemoryStore> {
    let (store, mut writes) = (MemoryStore::default(), WriteSet::default());
    let row = CheckpointRow {
        incarnation,
        seq,
        event: [0; 16],
        projection: synap_projection::PROJECTION_VERSION,
    };
    writes.put(key::checkpoint(), &row);
    store.commit(&writes).unwrap();
    Arc::new(store)
}

const fn gap(expected: u64, found: u64) -> Halt {
    Halt::Gap {
        expected: Seq::new(expected),
        found: Seq::new(found),
    }
}

#[tokio::test]
async fn a_gap_halts_and_the_rows_before_it_are_served() {
    let (log, store) = (log_with(5).await, Arc::new(MemoryStore::default()));
    log.lose(crate::world::HERE, Seq::new(4));
    let (now, halt) = halted(log, &store).await;
    assert_eq!((now.applied, halt), (Seq::new(3), gap(4, 5)));
    assert!(now.is_behind());
    assert_eq!(live_texts(&store, &scope(&["acme"])).len(), 3);
}

#[tokio::test]
async fn a_log_that_begins_too_late_halts() {
    let log = log_with(3).await;
    for seq in [1, 2] {
        log.lose(crate::world::HERE, Seq::new(seq));
    }
    let (now, halt) = halted(log, &Arc::new(MemoryStore::default())).await;
    assert_eq!((now.applied, halt), (Seq::ZERO, gap(1, 3)));
}

/// Nothing would ever come that shows it.
#[tokio::test]
async fn a_log_whose_events_are_all_gone_halts() {
    let log = log_with(1).await;
    log.lose(crate::world::HERE, Seq::new(1));
    let (_, halt) = halted(log, &Arc::new(MemoryStore::default())).await;
    assert_eq!(halt, gap(1, 2));
}

#[tokio::test]
async fn a_log_shorter_than_the_checkpoint_halts() {
    let store = store_at(LIFE.0, 7);
    let (now, halt) = halted(log_with(3).await, &store).await;
    let expected = Halt::Regression {
        last: Seq::new(3),
        checkpoint: Seq::new(7),
    };
    assert_eq!((now.applied, halt), (Seq::new(7), expected));
}

#[tokio::test]
async fn a_log_made_anew_halts() {
    let store = store_at(LIFE.0 + 1, 1);
    let (now, halt) = halted(log_with(3).await, &store).await;
    assert_eq!((now.applied, halt), (Seq::new(1), Halt::OtherLog));
}

/// The log lost events, and got as many others before anyone looked: seqs alone show nothing.
#[tokio::test]
async fn a_log_that_lost_its_end_and_grew_again_halts() {
    let store = Arc::new(applied(&log_of(&[numbered(1), numbered(2), numbered(3)])));
    let again = MemoryLog::default();
    for number in [1, 2, 8, 9] {
        append(&again, &numbered(number), None).await;
    }
    let (now, halt) = halted(again, &store).await;
    let expected = Halt::Rewritten { seq: Seq::new(3) };
    assert_eq!((now.applied, halt), (Seq::new(3), expected));
    let mut goes_on = Running::start(&Arc::new(log_with(4).await), &store);
    goes_on.until_applied(4).await;
    goes_on.stop().await;
}

/// Below the projector, too: whoever runs turns cannot mix two logs.
#[test]
fn a_turn_refuses_events_of_another_log() {
    let store = store_at(LIFE.0 + 1, 1);
    let turn = apply(&store, &[recorded(2, &numbered(2))]);
    assert_eq!(
        (turn.halt, turn.applied),
        (Some(Halt::OtherLog), Seq::new(1))
    );
    assert!(turn.writes.is_empty());
}

#[tokio::test]
async fn an_unknown_type_or_version_halts_and_the_rows_before_it_are_served() {
    for unknown in ["synap.memory.ingested.v2", "synap.scope.sold.v1", "other"] {
        let (log, store) = (log_with(2).await, Arc::new(MemoryStore::default()));
        let event = ingest("new", "From the future.", "new");
        let payload = String::from_utf8(event.to_json()).unwrap();
        let payload = payload.replace("synap.memory.ingested.v1", unknown);
        append(&log, &event, Some(&payload)).await;
        append(&log, &numbered(9), None).await;
        let (now, halt) = halted(log, &store).await;
        let expected = Halt::UnknownType {
            seq: Seq::new(3),
            event_type: unknown.to_owned(),
        };
        assert_eq!((now.applied, halt), (Seq::new(2), expected));
        assert_eq!(live_texts(&store, &scope(&["acme"])).len(), 2);
    }
}

fn damaged_at_three() -> BrokenLog {
    BrokenLog {
        events: log_of(&[numbered(1), numbered(2)]),
        last: Seq::new(5),
        error: || ReadError::Damaged { seq: Seq::new(3) },
    }
}

#[tokio::test]
async fn a_damaged_event_halts_and_the_rows_before_it_are_served() {
    let store = Arc::new(MemoryStore::default());
    let (now, halt) = halted(damaged_at_three(), &store).await;
    assert_eq!(
        (now.applied, halt),
        (Seq::new(2), Halt::Damaged { seq: Seq::new(3) })
    );
    assert_eq!(live_texts(&store, &scope(&["acme"])).len(), 2);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_tried_again() {
    let unavailable = BrokenLog {
        error: || ReadError::Unavailable("gone".into()),
        ..damaged_at_three()
    };
    let store = Arc::new(MemoryStore::default());
    let mut running = Running::start(&Arc::new(unavailable), &store);
    let now = running
        .until(|now| matches!(now.standing, synap_projection::Standing::Retrying { .. }))
        .await;
    assert_eq!(now.applied, Seq::new(2));
    running.stop().await;
}

/// What halts a projector ends a fold with the same words, and never makes it wait for what will not come.
#[tokio::test]
async fn a_fold_ends_where_a_projector_halts() {
    let memory = |erased: u64| async move {
        let log: MemoryLog = log_with(5).await;
        log.lose(crate::world::HERE, Seq::new(erased));
        log
    };
    let regression = Halt::Regression {
        last: Seq::new(5),
        checkpoint: Seq::new(9),
    };
    check_fold(&memory(3).await, store_at(LIFE.0, 0), 5, &gap(3, 4)).await;
    check_fold(&memory(3).await, store_at(LIFE.0, 0), 3, &gap(3, 4)).await;
    check_fold(&memory(1).await, store_at(LIFE.0, 0), 5, &gap(1, 2)).await;
    check_fold(&log_with(5).await, store_at(LIFE.0, 0), 9, &regression).await;
    check_fold(&log_with(5).await, store_at(LIFE.0, 9), 9, &regression).await;
    check_fold(&log_with(5).await, store_at(7, 2), 5, &Halt::OtherLog).await;
    let damaged = damaged_at_three();
    check_fold(
        &damaged,
        store_at(LIFE.0, 0),
        5,
        &Halt::Damaged { seq: Seq::new(3) },
    )
    .await;
}

#[track_caller]
fn check_fold<L: EventLog>(
    log: &L,
    store: Arc<MemoryStore>,
    until: u64,
    expected: &Halt,
) -> impl Future<Output = ()> {
    let expected = expected.to_string();
    async move {
        let folding = fold(log, &store, crate::world::HERE, Seq::new(until), |_, _| {});
        let folded = tokio::time::timeout(crate::world::PATIENCE, folding).await;
        let error = folded.expect("in time").unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_gap_within_a_turn_keeps_what_came_before() {
    let log = [
        recorded(1, &numbered(1)),
        recorded(3, &numbered(3)),
        recorded(4, &numbered(4)),
    ];
    let store = MemoryStore::default();
    let turn = apply(&store, &log);
    assert_eq!((turn.applied, turn.halt), (Seq::new(1), Some(gap(2, 3))));
    let one = applied(&log[..1]);
    assert_eq!(
        crate::world::digest_of(&store),
        crate::world::digest_of(&one)
    );
}

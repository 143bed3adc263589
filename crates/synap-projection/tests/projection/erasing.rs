//! What was erased from the log leaves the rows: they are then those of a fold over what is left.

use crate::mixed::{everybody, live, step};
use crate::world::{HERE, append, digest_of, ingest, log_with, scope};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use synap_log::{ErasedEvent, Erasure, EventLog as _, Gaps, MemoryLog, NewEvent, Recorded};
use synap_projection::{Halt, fold};
use synap_readmodel::{MemoryStore, ReadStore as _, compare};
use synap_types::{Event, EventBody, EventId, EventSubject, Hash128, Scope, Seq};

fn deletion() -> EventId {
    EventId::new(Hash128::of("test.deletion", [b"1".as_slice()]).to_uuid())
}

/// Of the events at these places, whose ids nobody knows.
fn erasure(scope: &Scope, seqs: &[u64]) -> Erasure {
    let event = |seq: &u64| ErasedEvent {
        seq: Seq::new(*seq),
        id: None,
    };
    Erasure {
        deletion_id: deletion(),
        scope: scope.clone(),
        below: false,
        counts: (0, 0),
        events: seqs.iter().map(event).collect(),
    }
}

/// The same events in a log.
async fn log_of(events: &[Recorded]) -> MemoryLog {
    let log = MemoryLog::default();
    for recorded in events {
        let event = Event::from_json(&recorded.payload).unwrap();
        let new = NewEvent {
            // Some events come twice; here each has its place.
            id: EventId::new(
                Hash128::of("test.copy", [&recorded.seq.get().to_be_bytes()[..]]).to_uuid(),
            ),
            partition: HERE,
            subject: EventSubject::of(HERE, &event),
            payload: recorded.payload.clone(),
        };
        log.append(new).await.unwrap();
    }
    log
}

async fn folded(log: &MemoryLog, store: &Arc<MemoryStore>) {
    let last = log.state(HERE).await.unwrap().last;
    fold(log, store, HERE, last, |_, _| {}).await.unwrap();
}

/// Erases what `is_gone` says of a log whose rows are there, and compares them with those of a fold from the beginning.
async fn check(
    events: &[Recorded],
    whose: &Scope,
    below: bool,
    is_gone: impl Fn(&Event, u64) -> bool,
) {
    let log = log_of(events).await;
    let store = Arc::new(MemoryStore::default());
    folded(&log, &store).await;
    let gone = events.iter().filter(|recorded| {
        let event = Event::from_json(&recorded.payload).unwrap();
        let is_own = if below {
            event.scope().sees(whose)
        } else {
            event.scope() == whose
        };
        is_own && is_gone(&event, recorded.seq.get())
    });
    let of = |recorded: &Recorded| {
        let event = Event::from_json(&recorded.payload).unwrap();
        ErasedEvent {
            seq: recorded.seq,
            id: Some((event.scope().hash(), event.id)),
        }
    };
    let erasure = Erasure {
        below,
        events: gone.map(of).collect(),
        ..erasure(whose, &[])
    };
    log.erase(HERE, erasure).await.unwrap();
    folded(&log, &store).await;
    let again = Arc::new(MemoryStore::default());
    folded(&log, &again).await;
    let found = compare(&store.snapshot(), &again.snapshot(), 5).unwrap();
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(digest_of(&*store), digest_of(&*again));
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A whole scope up to some event, and some events of one.
    #[test]
    fn rows_after_an_erasure_are_those_of_a_rebuild(
        steps in vec(step(), 1..40), who in 0..3_usize, part in 0..100_u64, odd: bool,
    ) {
        let (events, _) = live(&steps);
        // The last event stays, as one that asks for an erasure does.
        let until = (events.len() as u64 * part / 100).min(events.len().saturating_sub(1) as u64);
        let whose = everybody()[who].clone();
        run(async {
            check(&events, &whose, true, |_, seq| seq <= until).await;
            // What hides scopes below stays.
            let is_part = |event: &Event| !matches!(event.body, EventBody::ScopeErased(_));
            let last = events.len() as u64;
            check(&events, &whose, false, |event, seq| is_part(event) && seq < last && (seq % 2 == 1) == odd).await;
        });
    }
}

#[tokio::test]
async fn a_parked_event_is_erased_with_the_rest_and_what_waited_behind_it_goes_on() {
    let log = log_with(3).await;
    append(&log, &ingest("broken", "Broken.", "broken"), Some("[]")).await;
    append(
        &log,
        &ingest("doc-9", "Service number 9 runs.", "nine"),
        None,
    )
    .await;
    let store = Arc::new(MemoryStore::default());
    folded(&log, &store).await;
    let acme = scope(&["acme"]);
    let erased = erasure(&acme, &[2, 4]);
    log.erase(HERE, erased).await.unwrap();
    folded(&log, &store).await;
    let again = Arc::new(MemoryStore::default());
    folded(&log, &again).await;
    assert_eq!(digest_of(&*store), digest_of(&*again));
}

#[tokio::test]
async fn a_gap_that_no_erasure_explains_still_halts() {
    let log = log_with(6).await;
    let erased = erasure(&scope(&["acme"]), &[2, 3]);
    log.erase(HERE, erased).await.unwrap();
    log.lose(HERE, Seq::new(4));
    let store = Arc::new(MemoryStore::default());
    let last = log.state(HERE).await.unwrap().last;
    let failed = fold(&log, &store, HERE, last, |_, _| {}).await.unwrap_err();
    let expected = Halt::Gap {
        expected: Seq::new(2),
        found: Seq::new(5),
    };
    assert_eq!(failed.to_string(), expected.to_string());
}

#[test]
fn gaps_are_explained_as_a_whole_or_not_at_all() {
    let scope = scope(&["acme"]);
    let erasures = [[2, 3, 7], [4, 9, 10]];
    let erasures = erasures.map(|seqs| erasure(&scope, &seqs));
    let gaps = Gaps::of(&erasures);
    let explained = |first, next| gaps.explain(Seq::new(first), Seq::new(next));
    assert!(explained(2, 5) && explained(3, 4) && explained(9, 11) && explained(7, 8));
    assert!(explained(6, 6), "nothing is missing");
    assert!(!explained(1, 3) && !explained(2, 6) && !explained(4, 8) && !explained(11, 12));
}

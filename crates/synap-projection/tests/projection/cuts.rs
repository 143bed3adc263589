//! Rows do not depend on how the log is cut into turns, or on what comes twice.

use crate::world::{HERE, applied, apply, digest_of, ingest_into, recorded, scope};
use proptest::collection::vec;
use proptest::prelude::*;
use synap_log::Recorded;
use synap_projection::turn;
use synap_readmodel::{MemoryStore, ReadStore as _, Snapshot as _, SnapshotExt as _, compare, key};
use synap_types::Seq;

const TEXTS: [&str; 5] = [
    "Production deploys run on Tuesdays. Staging is open at any time.",
    "Staging is open at any time. The database is PostgreSQL.",
    "# Handbook\n\n## Standards\n\n- Python 3.11 or later\n- Two reviews\n\n## Teams\n\n- Platform: 8",
    "User: I prefer dark mode.\nAssistant: Noted.\nUser: I moved to Porto.",
    "…",
];

/// One event of a made-up log. Equal keys in one scope are one event, met again at another place.
#[derive(Debug, Clone)]
struct Made {
    scope: usize,
    document: usize,
    text: usize,
    key: usize,
    damage: u8,
}

fn made() -> impl Strategy<Value = Made> {
    (
        0..3_usize,
        0..3_usize,
        0..TEXTS.len(),
        0..12_usize,
        0..16_u8,
    )
        .prop_map(|(scope, document, text, key, damage)| Made {
            scope,
            document,
            text,
            key,
            damage,
        })
}

fn record(seq: u64, made: &Made) -> Recorded {
    let owner = scope(&["acme", "dana"][..made.scope]);
    let (document, key) = (
        format!("doc-{}", made.document),
        format!("key-{}", made.key),
    );
    let event = ingest_into(&owner, &document, TEXTS[made.text], &key);
    let mut recorded = recorded(seq, &event);
    match made.damage {
        0 => recorded.payload = recorded.payload.slice(..recorded.payload.len() / 2),
        1 => {
            let text = String::from_utf8(recorded.payload.to_vec()).unwrap();
            let damaged = text.replace("\"format\":\"text\"", "\"format\":\"runes\"");
            recorded.payload = damaged.into_bytes().into();
        }
        2 => recorded.subject.push_str("-not"),
        _ => {}
    }
    recorded
}

/// Applies the log in pieces of the given lengths, each with some of what came before it.
fn in_pieces(log: &[Recorded], cuts: &[(usize, usize)]) -> MemoryStore {
    let (store, mut done) = (MemoryStore::default(), 0);
    for (length, again) in cuts.iter().copied().chain([(log.len(), 0)]) {
        let end = (done + length).min(log.len());
        let turn = apply(&store, &log[done.saturating_sub(again)..end]);
        assert_eq!((turn.halt, turn.applied), (None, Seq::new(end as u64)));
        done = end;
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rows_do_not_depend_on_delivery(events in vec(made(), 0..24), cuts in vec((0..6_usize, 0..8_usize), 0..10)) {
        let log: Vec<Recorded> = (1..).zip(&events).map(|(seq, made)| record(seq, made)).collect();
        let (once, cut) = (applied(&log), in_pieces(&log, &cuts));
        prop_assert_eq!(compare(&once.snapshot(), &cut.snapshot(), 5).unwrap(), vec![]);
        prop_assert_eq!(digest_of(&once), digest_of(&cut));
    }

    /// Within one turn, too: a reader that starts again may give a part twice.
    #[test]
    fn what_comes_twice_in_one_turn_counts_once(events in vec(made(), 1..12), back in 1..6_usize) {
        let log: Vec<Recorded> = (1..).zip(&events).map(|(seq, made)| record(seq, made)).collect();
        let half = log.len() / 2;
        let twice = [&log[..half], &log[half.saturating_sub(back)..]].concat();
        prop_assert_eq!(digest_of(&applied(&twice)), digest_of(&applied(&log)));
    }

    /// Statistics are those of the rows, whatever happened.
    #[test]
    fn statistics_are_sums_of_the_rows(events in vec(made(), 0..24)) {
        let log: Vec<Recorded> = (1..).zip(&events).map(|(seq, made)| record(seq, made)).collect();
        let store = applied(&log);
        for owner in [scope(&[]), scope(&["acme"]), scope(&["acme", "dana"])] {
            let rows = crate::world::memories(&store, &owner);
            let live: Vec<_> = rows.iter().filter(|row| row.is_live()).collect();
            let Some(stats) = store.snapshot().row(&key::stats(&owner.hash())).unwrap() else {
                prop_assert_eq!(rows.len(), 0);
                continue;
            };
            prop_assert_eq!(stats.totals.next_ordinal as usize, rows.len());
            prop_assert_eq!(stats.totals.live as usize, live.len());
            prop_assert_eq!(stats.totals.live_terms, live.iter().map(|row| row.terms()).sum::<u64>());
        }
    }
}

#[test]
fn a_turn_without_news_writes_nothing() {
    let log = [recorded(1, &crate::world::numbered(1))];
    let store = applied(&log);
    for events in [&log[..], &[]] {
        let turn = turn(HERE, crate::world::LIFE, &store.snapshot(), events).unwrap();
        assert!(turn.writes.is_empty());
        assert_eq!((turn.applied, turn.halt), (Seq::new(1), None));
    }
}

/// The second guard behind the checkpoint: an event that the log holds twice, at places far apart.
#[test]
fn an_event_at_a_second_place_changes_nothing_but_the_checkpoint() {
    let first = crate::world::ingest("doc", TEXTS[0], "key");
    let other = crate::world::ingest("doc", TEXTS[1], "other");
    let once = applied(&crate::world::log_of(&[first.clone(), other.clone()]));
    let twice = applied(&crate::world::log_of(&[first.clone(), other, first]));
    let differences = compare(&once.snapshot(), &twice.snapshot(), 5).unwrap();
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert_eq!(differences[0].kind, Some(synap_readmodel::Kind::Checkpoint));
}

#[test]
fn postings_are_those_of_the_text() {
    let store = applied(&[recorded(
        1,
        &crate::world::ingest("doc", "Staging mirrors staging.", "key"),
    )]);
    let mut found = Vec::new();
    let prefix = key::postings(&scope(&["acme"]).hash(), "stage");
    let mut visit = |_: &[u8], chunk: &[u8]| {
        found.extend(synap_readmodel::Posting::read(0, chunk));
        std::ops::ControlFlow::Continue(())
    };
    store.snapshot().scan(&prefix, &mut visit).unwrap();
    let entries: Vec<_> = found.iter().map(|p| (p.ordinal, p.tf, p.terms)).collect();
    assert_eq!(entries, [(0, 2, 3)]);
}

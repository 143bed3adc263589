//! What is known of terms without reading their postings agrees with the memories.

use crate::world::memories;
use std::collections::BTreeMap;
use synap_readmodel::{
    MemoryRow, MemoryStore, Posting, ReadStore as _, Snapshot as _, SnapshotExt as _, Summary, key,
};
use synap_text::terms;
use synap_types::Scope;

/// Every passage is found by what its document is called.
fn name_terms(row: &MemoryRow) -> Vec<String> {
    row.source.name().map_or_else(Vec::new, |name| terms(&name))
}

/// Checks postings and summaries of all terms of a scope of fewer than 4,096 memories, and where its last erasure ends.
pub(crate) fn check_terms(store: &MemoryStore, scope: &Scope, erased: u64) {
    let (rows, hash) = (store.snapshot(), scope.hash());
    let mut expected: BTreeMap<String, (Vec<Posting>, Summary)> = BTreeMap::new();
    let stats = rows.row(&key::stats(&hash)).unwrap();
    let first = stats.map_or(0, |row| row.totals.after_erasure(erased).first_ordinal);
    let mut passages: BTreeMap<u32, Vec<MemoryRow>> = BTreeMap::new();
    for (ordinal, row) in (0..).zip(memories(store, scope)) {
        assert_eq!(ordinal >= first, row.created_seq > erased, "{row:?}");
        passages.entry(row.passage).or_default().push(row);
    }
    for (ordinal, rows) in passages {
        assert!(
            rows.iter()
                .all(|row| usize::from(row.passage_memories) == rows.len())
        );
        let mut counts: BTreeMap<String, u16> = BTreeMap::new();
        // What neighbours begin with alike, such as headings, counts once.
        let (mut all, mut before) = (name_terms(&rows[0]), Vec::new());
        for row in &rows {
            let own = terms(&row.text);
            let alike = own.iter().zip(&before).take_while(|(a, b)| a == b).count();
            all.extend(own.iter().skip(alike).cloned());
            before = own;
        }
        let length = u16::try_from(all.len()).unwrap();
        assert!(rows.iter().all(|row| row.passage_terms == length));
        for term in all {
            *counts.entry(term).or_default() += 1;
        }
        let is_live = rows.iter().any(MemoryRow::is_live);
        for (term, tf) in counts {
            let posting = Posting {
                ordinal,
                tf,
                terms: length,
            };
            let (postings, summary) = expected
                .entry(term)
                .or_insert_with(|| (Vec::new(), Summary::NONE));
            postings.push(posting);
            *summary = summary.join(Summary::of(posting));
            summary.ended += u16::from(!is_live);
        }
    }
    for (term, (postings, summary)) in expected {
        let value = |key| rows.get(&key).unwrap().expect("every term has its rows");
        let found = value(key::posting_chunk(&hash, &term, 0));
        assert!(Posting::read(0, &found).eq(postings), "{term}");
        let found = Summary::read(&value(key::summary(&hash, &term, 0)));
        assert_eq!(found, summary, "{term}");
    }
}

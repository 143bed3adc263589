//! Against the formula as it is written in books, and the parts of it.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a reference over a handful of words"
)]

use super::*;
use proptest::prelude::*;
use std::cell::Cell;
use synap_readmodel::{
    Item, Key, Kind, MemoryStore, Prefix, ReadStore as _, StoreError, TF_MAX, Table, Visit,
    WriteSet,
};
use synap_types::{Scope, ScopeLevel};

#[test]
fn rare_words_and_short_passages_score_higher() {
    let stats = ChainStats {
        memories: 100,
        passages: 100,
        terms: 1_000,
        passage_terms: 1_000,
    };
    let saturation = Saturation::new(stats);
    assert!(saturation.of(1, 5) > saturation.of(1, 50));
    assert!(saturation.of(2, 10) > saturation.of(1, 10));
    assert!(saturation.of(TF_MAX, 10) < K1 + 1.0);
}

/// A customer's scope, and the client's.
fn chain() -> [Scope; 2] {
    let level = ScopeLevel {
        level: "customer".parse().unwrap(),
        id: "acme".parse().unwrap(),
    };
    let client = "app".parse().unwrap();
    let customer = Scope::new(client, vec![level]).unwrap();
    [
        customer.clone(),
        Scope::of_client(customer.client().clone()),
    ]
}

/// A text: whose it is, and its words.
type Text = (usize, Vec<&'static str>);

/// A store with the postings of these texts. Far apart, they fill several chunks.
fn stored(texts: &[Text], apart: u32) -> MemoryStore {
    let (store, mut writes) = (MemoryStore::default(), WriteSet::default());
    for (ordinal, (owner, words)) in (0..).map(|number| number * apart).zip(texts) {
        for word in words.iter().collect::<BTreeSet<_>>() {
            let posting = Posting {
                ordinal,
                tf: u16::try_from(words.iter().filter(|other| *other == word).count()).unwrap(),
                terms: u16::try_from(words.len()).unwrap(),
            };
            let (hash, chunk) = (chain()[*owner].hash(), posting.chunk());
            writes.append(key::posting_chunk(&hash, word, chunk), &posting.bytes());
            let summary = Summary::of(posting);
            writes.append(key::summary(&hash, word, chunk), &summary.bytes());
        }
    }
    store.commit(&writes).unwrap();
    store
}

/// Statistics as after an erasure: ordinals below `from` are gone.
fn terms_of(from: u32, room_bytes: usize) -> ScopeTerms {
    let totals = Totals {
        first_ordinal: from,
        next_ordinal: u32::MAX,
        ..Totals::default()
    };
    ScopeTerms {
        room_bytes,
        ..ScopeTerms::new(Some(&totals))
    }
}

fn stats_of(texts: &[Text]) -> ChainStats {
    ChainStats {
        memories: texts.len() as u64,
        passages: texts.len() as u64,
        terms: texts.iter().map(|(_, words)| words.len() as u64).sum(),
        passage_terms: texts.iter().map(|(_, words)| words.len() as u64).sum(),
    }
}

/// The best `most` of each scope, with room for so many bytes of postings.
fn best_of(
    rows: &impl Snapshot,
    (from, room_bytes): (u32, usize),
    stats: ChainStats,
    query: &[(&str, f64)],
    most: usize,
) -> Vec<Vec<(u32, f32)>> {
    let views = chain().map(|scope| ScopeView::new(scope, rows).unwrap());
    let mut scopes = chain().map(|_| terms_of(from, room_bytes));
    let weighted: Vec<_> = query
        .iter()
        .map(|(term, weight)| WeightedTerm {
            term: (*term).to_owned(),
            weight: *weight as f32,
        })
        .collect();
    score(&views, &mut scopes, stats, &weighted, most).unwrap()
}

/// Robertson and Zaragoza, word by word, over all texts of the chain.
fn naive(texts: &[Text], words: &[&str], query: &[(&str, f64)]) -> f64 {
    let (count, lengths) = (
        texts.len() as f64,
        texts.iter().map(|(_, words)| words.len()),
    );
    let average = (lengths.sum::<usize>() as f64 / count).max(1.0);
    let (k1, b) = (f64::from(K1), f64::from(B));
    let of_term = |(term, weight): &(&str, f64)| {
        let frequency = texts
            .iter()
            .filter(|(_, words)| words.contains(term))
            .count() as f64;
        let idf = (1.0 + (count - frequency + 0.5) / (frequency + 0.5)).ln();
        let tf = words.iter().filter(|word| *word == term).count() as f64;
        let length = words.len() as f64 / average;
        weight * idf * tf * (k1 + 1.0) / (tf + k1 * (1.0 - b + b * length))
    };
    query.iter().map(of_term).sum()
}

const WORDS: [&str; 6] = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"];

fn words() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..9)
}

fn texts(most: usize) -> impl Strategy<Value = Vec<Text>> {
    proptest::collection::vec((0..2_usize, words()), 1..most)
}

fn queries() -> impl Strategy<Value = Vec<(&'static str, f64)>> {
    let terms = proptest::sample::select(&WORDS[..]);
    let weights = prop_oneof![Just(1.0), 0.01..1.0_f64];
    proptest::collection::btree_map(terms, weights, 1..5)
        .prop_map(|query| query.into_iter().collect())
}

/// A snapshot that counts the postings that are read.
struct Counting<S>(S, Cell<usize>);

impl<S: Snapshot> Snapshot for Counting<S> {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.0.get(key)?;
        if Kind::of(key.bytes()) == Some(Kind::Posting) {
            let bytes = found.as_ref().map_or(0, Vec::len);
            self.1.set(self.1.get() + bytes / 4);
        }
        Ok(found)
    }

    fn scan_from(&self, prefix: &Prefix, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.0.scan_from(prefix, from, &mut |rest, value| {
            if Kind::of(prefix.bytes()) == Some(Kind::Posting) {
                self.1.set(self.1.get() + value.len() / 4);
            }
            visit(rest, value)
        })
    }

    fn last_at(&self, prefix: &Prefix, at: &[u8]) -> Result<Option<Item>, StoreError> {
        self.0.last_at(prefix, at)
    }

    fn scan_table(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        self.0.scan_table(table, visit)
    }
}

#[test]
fn a_common_word_is_not_read_where_it_cannot_help() {
    // Half of the chunks have a memory with the rare word; everything has the common one.
    let text = |number: u32| {
        let words = if number.is_multiple_of(9_000) {
            vec!["alpha", "bravo"]
        } else {
            vec!["alpha"; 3]
        };
        (0, words)
    };
    let texts: Vec<Text> = (0..40_960).map(text).collect();
    let rows = stored(&texts, 1).snapshot();
    let counting = Counting(rows, Cell::new(0));
    let query = [("alpha", 1.0), ("bravo", 1.0)];
    let found = best_of(&counting, (0, 100), stats_of(&texts), &query, 3);
    let ordinals: Vec<u32> = found[0].iter().map(|(ordinal, _)| *ordinal).collect();
    assert_eq!(ordinals, [18_000, 27_000, 36_000]);
    let read = counting.1.get();
    assert!(read < 6 * 4_096, "{read} postings were read");
}

proptest! {
    #[test]
    fn scores_are_those_of_the_formula(
        texts in texts(20),
        query in queries(),
        apart in prop_oneof![Just(1_u32), Just(700), Just(200_000_000)],
    ) {
        let rows = stored(&texts, apart).snapshot();
        let found = best_of(&rows, (0, WHOLE_BYTES_MAX), stats_of(&texts), &query, usize::MAX);
        let mut matches = 0;
        for (ordinal, (owner, words)) in (0..).map(|number| number * apart).zip(&texts) {
            let expected = naive(&texts, words, &query);
            let actual = found[*owner].iter().find(|(at, _)| *at == ordinal);
            let actual = actual.map_or(0.0, |(_, score)| f64::from(*score));
            prop_assert!((actual - expected).abs() <= 1e-5 * (1.0 + expected), "{actual} {expected}");
            matches += usize::from(expected > 0.0);
        }
        prop_assert_eq!(found.iter().map(Vec::len).sum::<usize>(), matches);
        prop_assert!(found.iter().all(|scores| scores.is_sorted_by(|a, b| a.0 < b.0)));
    }

    /// What is skipped changes nothing: not the scores to the last bit, and not which of equals are told.
    #[test]
    fn the_best_are_those_of_reading_all(
        texts in texts(120),
        query in queries(),
        apart in prop_oneof![Just(1_u32), Just(700), Just(3_000), Just(9_000)],
        gone in 0..40_u32,
        most in 0..12_usize,
        room_bytes in prop_oneof![Just(0_usize), Just(100), Just(WHOLE_BYTES_MAX)],
    ) {
        let rows = stored(&texts, apart).snapshot();
        let best = |most| best_of(&rows, (gone * apart, room_bytes), stats_of(&texts), &query, most);
        for (mut all, some) in best(usize::MAX).into_iter().zip(best(most)) {
            prop_assert!(all.iter().all(|(ordinal, _)| *ordinal >= gone * apart));
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
            all.truncate(most);
            all.sort_by_key(|(ordinal, _)| *ordinal);
            prop_assert_eq!(all, some);
        }
    }

    /// What an erased memory said counts nowhere.
    #[test]
    fn frequencies_are_those_after_the_erasure(texts in texts(60), apart in 1..900_u32, gone in 0..60_u32) {
        let rows = stored(&texts, apart).snapshot();
        let view = ScopeView::new(chain()[0].clone(), &rows).unwrap();
        let mut terms = terms_of(gone * apart, 0);
        let word = WeightedTerm { term: "alpha".to_owned(), weight: 1.0 };
        terms.load(&view, &[word]).unwrap();
        let left = texts.iter().skip(gone as usize);
        let expected = left.filter(|(owner, words)| *owner == 0 && words.contains(&"alpha")).count();
        prop_assert_eq!(terms.frequency("alpha"), expected as u64);
    }
}

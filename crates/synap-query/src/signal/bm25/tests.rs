//! Against the formula as it is written in books, and the parts of it.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a reference over a handful of words"
)]

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use synap_readmodel::{MemoryStore, ReadStore as _, WriteSet};
use synap_types::{Scope, ScopeLevel};

#[test]
fn rare_words_and_short_memories_score_higher() {
    let stats = ChainStats {
        memories: 100,
        terms: 1_000,
    };
    assert!(idf(stats, 1) > idf(stats, 50) && idf(stats, 100) > 0.0);
    let of = |tf, terms| {
        saturation(
            Posting {
                ordinal: 0,
                tf,
                terms,
            },
            10.0,
        )
    };
    assert!(of(1, 5) > of(1, 50));
    assert!(of(2, 10) > of(1, 10) && of(100, 10) < K1 + 1.0);
}

#[test]
fn sums_are_per_memory_and_in_order() {
    let posting = |ordinal| Posting {
        ordinal,
        tf: 1,
        terms: 1,
    };
    let one = saturation(posting(0), 1.0);
    let (a, b) = ([7, 4_095, 4_096, u32::MAX], [2, 7, 9_000]);
    let lists = [
        (a.map(posting).to_vec(), 1.0),
        (b.map(posting).to_vec(), 0.5),
    ];
    let found = sums(
        lists
            .iter()
            .map(|(list, weight)| (list.as_slice(), *weight))
            .collect(),
        |posting| saturation(posting, 1.0),
    );
    let expected = [
        (2, 0.5),
        (7, 1.5),
        (4_095, 1.0),
        (4_096, 1.0),
        (9_000, 0.5),
        (u32::MAX, 1.0),
    ];
    assert_eq!(
        found,
        expected.map(|(ordinal, weight)| (ordinal, weight * one))
    );
}

#[test]
fn a_share_is_of_the_rarest_words_that_were_asked_for() {
    let texts = [
        vec!["alpha", "bravo"],
        vec!["alpha"],
        vec!["alpha"],
        vec!["alpha"],
    ];
    let (store, stats) = (
        stored(&texts.map(|words| (0, words)), 1),
        ChainStats {
            memories: 4,
            terms: 5,
        },
    );
    let rows = store.snapshot();
    let views = chain().map(|scope| ScopeView::new(scope, &rows).unwrap());
    let shares = |words: &[&str]| {
        let term = |word: &&str| WeightedTerm {
            term: (*word).to_owned(),
            weight: 1.0,
        };
        let terms: Vec<_> = words.iter().map(term).collect();
        let mut caches = [PostingsCache::default(), PostingsCache::default()];
        let found = score(&views, &mut caches, stats, &terms).unwrap();
        let of_scope = found.shares[0].iter().map(|(_, share)| *share);
        of_scope.collect::<Vec<_>>()
    };
    assert_eq!(shares(&["alpha"]), [1.0; 4], "however common");
    let both = shares(&["alpha", "bravo"]);
    assert!((both[0] - 1.0).abs() < 1e-6 && both[1] < 0.3, "{both:?}");
    let half = shares(&["bravo", "unheard"]);
    assert!(
        (half[0] - 0.5).abs() < 1e-6,
        "what nobody has was asked for, too: {half:?}"
    );
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

/// A store with the postings of these texts: whose each is, and its words. Far apart, so that they fill several chunks.
fn stored(texts: &[(usize, Vec<&str>)], apart: u32) -> MemoryStore {
    let (store, mut writes) = (MemoryStore::default(), WriteSet::default());
    for (ordinal, (owner, words)) in (0..).map(|number| number * apart).zip(texts) {
        for word in words.iter().collect::<BTreeSet<_>>() {
            let posting = Posting {
                ordinal,
                tf: u16::try_from(words.iter().filter(|other| *other == word).count()).unwrap(),
                terms: u16::try_from(words.len()).unwrap(),
            };
            let hash = chain()[*owner].hash();
            let at = key::posting_chunk(&hash, word, posting.chunk());
            writes.append(at, &posting.bytes());
        }
    }
    store.commit(&writes).unwrap();
    store
}

/// Robertson and Zaragoza, word by word, over all texts of the chain.
fn naive(texts: &[(usize, Vec<&str>)], words: &[&str], query: &[(&str, f64)]) -> f64 {
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

proptest! {
    #[test]
    fn scores_are_those_of_the_formula(
        texts in proptest::collection::vec((0..2_usize, words()), 1..20),
        query in proptest::collection::btree_map(proptest::sample::select(&WORDS[..]), 0.1..1.0_f64, 1..4),
        apart in prop_oneof![Just(1_u32), Just(700), Just(200_000_000)],
    ) {
        let (store, query) = (stored(&texts, apart), query.into_iter().collect::<Vec<_>>());
        let rows = store.snapshot();
        let views = chain().map(|scope| ScopeView::new(scope, &rows).unwrap());
        let stats = ChainStats {
            memories: texts.len() as u64,
            terms: texts.iter().map(|(_, words)| words.len() as u64).sum(),
        };
        let weighted: Vec<_> = query
            .iter()
            .map(|(term, weight)| WeightedTerm { term: (*term).to_owned(), weight: *weight as f32 })
            .collect();
        let mut caches = [PostingsCache::default(), PostingsCache::default()];
        let found = score(&views, &mut caches, stats, &weighted).unwrap().by_scope;
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
}

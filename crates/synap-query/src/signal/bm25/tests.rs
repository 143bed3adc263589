//! Against the formula as it is written in books, and the parts of it.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "a reference over a handful of words"
)]

use super::*;
use crate::signal::QueryWord;
use proptest::prelude::*;
use synap_readmodel::{MemoryStore, Passage, PassageFlags, ReadStore as _, WriteSet};
use synap_types::{Scope, ScopeLevel};

#[test]
fn rare_words_and_short_passages_score_higher() {
    assert!(idf(100, 1) > idf(100, 50) && idf(100, 100) > 0.0);
    assert!(saturation(1, 5, 10.0) > saturation(1, 50, 10.0));
    assert!(saturation(2, 10, 10.0) > saturation(1, 10, 10.0));
    assert!(saturation(100, 10, 10.0) < K1 + 1.0);
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
        let passage = Passage {
            ordinal,
            before: None,
            thread: 0,
            seq: 1,
            said_at: 0,
            speaker: [0; 2],
            thread_terms: 0,
            memories: 1,
            terms: u16::try_from(words.len()).unwrap(),
            text_bytes: 1,
            flags: PassageFlags::NONE,
        };
        let at = key::passage_chunk(&chain()[*owner].hash(), passage.chunk());
        writes.append(at, &passage.bytes());
    }
    store.commit(&writes).unwrap();
    store
}

/// Statistics of a scope with so many ordinals.
fn up_to(ordinals: u32) -> Totals {
    Totals {
        next_ordinal: ordinals,
        ..Totals::default()
    }
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
        apart in prop_oneof![Just(1_u32), Just(700), Just(9_000)],
    ) {
        let (store, query) = (stored(&texts, apart), query.into_iter().collect::<Vec<_>>());
        let rows = store.snapshot();
        let views = chain().map(|scope| ScopeView::new(scope, &rows).unwrap());
        let stats = ChainStats {
            memories: texts.len() as u64,
            passages: texts.len() as u64,
            terms: texts.iter().map(|(_, words)| words.len() as u64).sum(),
            passage_terms: texts.iter().map(|(_, words)| words.len() as u64).sum(),
        };
        let word = |(term, weight): &(&str, f64)| QueryWord {
            forms: vec![((*term).to_owned(), *weight as f32)],
        };
        let question = Query {
            words: query.iter().map(word).collect(),
            sequence: Vec::new(),
            names: Vec::new(),
            asks_when: false,
            type_asked: None,
            period: None,
        };
        let scopes = views.each_ref().map(|view| Arc::new(Passages::all(view).unwrap()));
        let postings: Vec<Postings> = views
            .iter()
            .zip(&scopes)
            .map(|(view, scope)| {
                let terms = query.iter().map(|(term, _)| *term);
                Postings::of_all(view, scope, &up_to(20 * apart), terms, None).unwrap()
            })
            .collect();
        let found = passages(&question, stats, &scopes, &postings);
        let mut matches = 0;
        for (ordinal, (owner, words)) in (0..).map(|number| number * apart).zip(&texts) {
            let expected = naive(&texts, words, &query);
            let place = scopes[*owner].place_from(0, ordinal).unwrap();
            let actual = f64::from(found[*owner].bm25[place]);
            prop_assert!((actual - expected).abs() <= 1e-5 * (1.0 + expected), "{actual} {expected}");
            matches += usize::from(expected > 0.0);
        }
        let scored = |of: &Lexical| of.bm25.iter().filter(|score| **score > 0.0).count();
        prop_assert_eq!(found.iter().map(scored).sum::<usize>(), matches);
    }

    /// A passage that has the word itself and one that stands for it counts the better of both.
    #[test]
    fn of_forms_the_best_one_counts(weight in 0.1..1.0_f64) {
        let texts = [(0, vec!["alpha", "bravo"]), (0, vec!["bravo", "charlie"]), (0, vec!["delta"])];
        let store = stored(&texts, 1);
        let rows = store.snapshot();
        let views = [ScopeView::new(chain()[0].clone(), &rows).unwrap()];
        let scopes = [Arc::new(Passages::all(&views[0]).unwrap())];
        let terms = ["alpha", "bravo"].into_iter();
        let postings = [Postings::of_all(&views[0], &scopes[0], &up_to(3), terms, None).unwrap()];
        let stats = ChainStats { memories: 3, passages: 3, terms: 5, passage_terms: 5 };
        let forms = vec![("alpha".to_owned(), 1.0), ("bravo".to_owned(), weight as f32)];
        let of = |forms| {
            let words = vec![QueryWord { forms }];
            let query = Query { words, sequence: Vec::new(), names: Vec::new(), asks_when: false, type_asked: None, period: None };
            passages(&query, stats, &scopes, &postings).remove(0)
        };
        let (own, both) = (of(vec![("alpha".to_owned(), 1.0)]), of(forms));
        prop_assert_eq!(own.bm25[0], both.bm25[0]);
        prop_assert!(own.bm25[1] == 0.0 && own.cover[0] == 1.0 && both.cover[0] == 1.0);
        prop_assert!(both.bm25[1] > 0.0 && both.bm25[1] < both.bm25[0]);
        prop_assert!((both.cover[1] - weight as f32).abs() < 1e-6);
    }
}

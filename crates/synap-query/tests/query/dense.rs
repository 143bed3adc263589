//! With vectors, passages count by what they mean; the encoder is a fake one.

use crate::world::{World, request, scope, told};
use synap_query::QueryVectors;
use synap_readmodel::{
    BLOCK_ORDINALS, CHUNK_ORDINALS, MemoryRow, ReadStore as _, VECTOR_BYTES, Vector, WriteSet, key,
    passage_text,
};
use synap_types::{FetchMode, MemoriesEnriched, Scope};

/// Meaning in one number: animals point one way, money the other; signs tell them apart.
fn numbers(text: &str) -> [i8; VECTOR_BYTES] {
    let mut numbers = [-1; VECTOR_BYTES];
    let lower = text.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    for (at, number) in numbers.iter_mut().enumerate() {
        let animals = is(&["cat", "dog", "animal"]) && at % 2 == 0;
        if animals || is(&["money", "refund", "paid"]) && at % 2 == 1 {
            *number = 100;
        }
    }
    numbers
}

fn vectors_of(queries: &[&str]) -> QueryVectors {
    let vector = |query: &&str| {
        let numbers = numbers(query);
        Some(numbers.iter().map(|number| f32::from(*number)).collect())
    };
    QueryVectors::new("fake", "00", queries.iter().map(vector).collect())
}

/// Writes vectors of the passages of `rows`, as the projection does.
fn enrich(world: &World, scope: &Scope, rows: &[MemoryRow]) {
    let (hash, mut writes) = (scope.hash(), WriteSet::default());
    let model = MemoriesEnriched::model_key("fake", "00");
    for passage in rows.chunk_by(|a, b| a.passage == b.passage) {
        let ordinal = passage[0].passage;
        let numbers = numbers(&passage_text(passage));
        let vector = Vector { ordinal, numbers };
        let chunk = key::sketch_chunk(&hash, &model, ordinal / CHUNK_ORDINALS);
        writes.append(chunk, &vector.sketch().bytes());
        let block = key::vector_block(&hash, &model, ordinal / BLOCK_ORDINALS);
        writes.append(block, &vector.bytes());
    }
    world.store.commit(&writes).unwrap();
}

#[test]
fn what_shares_no_word_is_found_by_what_it_means() {
    let (mut world, acme) = (World::default(), scope(&["acme"]));
    for (document, text) in [
        ("roof", "The cat sleeps on the roof."),
        ("till", "Refunds are paid within a week."),
        ("lift", "The lift is broken."),
    ] {
        let rows = world.add(&acme, document, text);
        enrich(&world, &acme, &rows);
    }
    let query = "Where is my money?";
    let mut asked = request(&acme, &[query]);
    asked.max_results = 1;
    let answer = world.ask_with(&asked, &vectors_of(&[query]));
    assert_eq!(
        told(&answer),
        [("customer", "Refunds are paid within a week.")]
    );
    assert_eq!(answer.mode_used, FetchMode::Accurate);
    let signals = &answer.items[0].explain.as_ref().unwrap().signals;
    assert!(signals["dense"].as_f64().unwrap() > 0.7, "{signals:?}");
    assert_eq!(world.ask(&asked).mode_used, FetchMode::Fast);
}

#[test]
fn vectors_of_another_model_or_of_no_query_change_nothing() {
    let (mut world, acme) = (World::default(), scope(&["acme"]));
    let rows = world.add(&acme, "doc", "The cat sleeps.\n\nThe lift is broken.");
    enrich(&world, &acme, &rows);
    let asked = request(&acme, &["lift"]);
    let told_without = world.ask(&asked);
    let told_without = told(&told_without);
    let other = QueryVectors::new("fake", "01", vec![Some(vec![1.0; VECTOR_BYTES])]);
    assert_eq!(told(&world.ask_with(&asked, &other)), told_without);
    let none = QueryVectors::new("fake", "00", vec![None]);
    assert_eq!(told(&world.ask_with(&asked, &none)), told_without);
}

#[test]
fn one_of_many_is_found_by_its_signs_and_no_other_scope_is() {
    let (mut world, acme, other) = (World::default(), scope(&["acme"]), scope(&["other"]));
    // The oldest, so that it is not what stands in when nothing matches.
    let rows = world.add(&acme, "rules", "Refunds are made on Friday.");
    enrich(&world, &acme, &rows);
    let many: Vec<String> = (0..1_500)
        .map(|n| format!("Dog number {n} barks."))
        .collect();
    let rows = world.add(&acme, "dogs", &many.join("\n\n"));
    assert!(rows.len() > 1_100, "{}", rows.len());
    enrich(&world, &acme, &rows);
    let rows = world.add(&other, "rules", "Refunds are paid never.");
    enrich(&world, &other, &rows);
    let query = "Where is my money?";
    let mut asked = request(&acme, &[query]);
    asked.max_results = 1;
    let answer = world.ask_with(&asked, &vectors_of(&[query]));
    assert_eq!(told(&answer), [("customer", "Refunds are made on Friday.")]);
}

#[test]
fn vectors_that_were_looked_up_count_less_and_the_answer_is_a_fast_one() {
    let (mut world, acme) = (World::default(), scope(&["acme"]));
    let rows = world.add(&acme, "till", "Refunds are paid within a week.");
    enrich(&world, &acme, &rows);
    let query = "Where is my money?";
    let asked = request(&acme, &[query]);
    let weight = |vectors: &QueryVectors| {
        let answer = world.ask_with(&asked, vectors);
        let signals = &answer.items[0].explain.as_ref().unwrap().signals;
        (answer.mode_used, signals["dense"].as_f64().unwrap())
    };
    let (accurate, by_model) = weight(&vectors_of(&[query]));
    let vectors = numbers(query).map(f32::from).to_vec();
    let (fast, by_words) = weight(&QueryVectors::looked_up("fake", "00", vec![Some(vectors)]));
    assert_eq!((accurate, fast), (FetchMode::Accurate, FetchMode::Fast));
    assert!(
        by_words > 0.0 && by_words < by_model,
        "{by_words} {by_model}"
    );
    // As long as the share of the query's words that are known.
    let half = numbers(query).map(|number| f32::from(number) / length(query) / 2.0);
    let vectors = QueryVectors::looked_up("fake", "00", vec![Some(half.to_vec())]);
    let (_, by_half) = weight(&vectors);
    assert!(
        (by_half - by_words / 2.0).abs() < 1e-4,
        "{by_half} {by_words}"
    );
}

fn length(text: &str) -> f32 {
    let squares = numbers(text).map(|number| f32::from(number) * f32::from(number));
    squares.iter().sum::<f32>().sqrt()
}

#[test]
fn what_no_model_has_seen_yet_stands_behind_nothing_for_it() {
    let (mut world, acme) = (World::default(), scope(&["acme"]));
    for (document, text) in [
        ("till", "Refunds are paid on the second floor, by the lift."),
        ("bank", "Money is paid by the bank, beside the other lift."),
    ] {
        let rows = world.add(&acme, document, text);
        enrich(&world, &acme, &rows);
    }
    world.add(&acme, "lift", "The lift is broken.");
    let query = "Is the lift broken?";
    let mut asked = request(&acme, &[query]);
    asked.max_results = 1;
    // The query points to what has vectors, and only its words to what has none.
    let answer = world.ask_with(&asked, &vectors_of(&["money"]));
    assert_eq!(told(&answer), [("customer", "The lift is broken.")]);
}

#[test]
fn where_a_model_has_seen_less_than_half_words_decide() {
    let (mut world, acme) = (World::default(), scope(&["acme"]));
    let rows = world.add(&acme, "till", "Refunds are paid by the lift.");
    enrich(&world, &acme, &rows);
    for (document, text) in [
        ("first", "The lift of the first house is broken."),
        ("second", "The lift of the second house works."),
    ] {
        world.add(&acme, document, text);
    }
    let asked = request(&acme, &["Is the lift broken?"]);
    let plain = world.ask(&asked);
    let answer = world.ask_with(&asked, &vectors_of(&["money"]));
    assert_eq!(told(&answer), told(&plain));
    let signals = &answer.items[0].explain.as_ref().unwrap().signals;
    assert!(!signals.contains_key("dense"), "{signals:?}");
}

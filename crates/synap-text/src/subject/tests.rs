//! The labelled pairs, and what has no subject.

use super::*;

struct Pair {
    contradict: bool,
    same_scope: bool,
    texts: [&'static str; 2],
}

fn pairs() -> Vec<Pair> {
    let lines = include_str!("pairs.txt").lines();
    let pairs = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &'static str| {
        let [verdict, a, b] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        Pair {
            contradict: verdict.starts_with("contradict"),
            same_scope: !verdict.ends_with("-wide"),
            texts: [a, b],
        }
    };
    pairs.map(pair).collect()
}

fn found(pair: &Pair) -> bool {
    let [a, b] = pair
        .texts
        .map(|text| preference_subject(text, None, &["user", "alice", "acme"]));
    a.zip(b)
        .is_some_and(|(a, b)| a.contradicts(&b, pair.same_scope))
}

/// Prints precision and recall; nothing that agrees may be taken for a contradiction.
#[test]
fn nothing_is_hidden_that_does_not_contradict() {
    let pairs = pairs();
    let count = |is: bool, seen: bool| {
        let matching = pairs.iter().filter(|pair| pair.contradict == is);
        matching.filter(|pair| found(pair) == seen).count()
    };
    for pair in pairs.iter().filter(|pair| found(pair) != pair.contradict) {
        println!("wrong: {:?}", pair.texts);
    }
    let (right, missed, wrong) = (count(true, true), count(true, false), count(false, true));
    let (total, contradictions) = (pairs.len(), right + missed);
    println!("{total} pairs: {right} of {contradictions} contradictions found, {wrong} wrong");
    assert!(pairs.len() >= 60 && 2 * contradictions + 20 >= pairs.len());
    assert_eq!(wrong, 0, "precision");
    assert!(right * 20 >= contradictions * 17, "recall");
}

#[test]
fn a_contradiction_has_no_direction() {
    for pair in pairs() {
        let [a, b] = pair.texts.map(|text| preference_subject(text, None, &[]));
        if let Some((a, b)) = a.zip(b) {
            assert_eq!(
                a.contradicts(&b, pair.same_scope),
                b.contradicts(&a, pair.same_scope),
                "{:?}",
                pair.texts
            );
            assert!(!a.contradicts(&a, pair.same_scope), "{:?}", pair.texts);
        }
    }
}

#[test]
fn a_name_of_the_owner_is_the_owner() {
    let subject = |text, names: &[&str]| preference_subject(text, None, names).unwrap();
    let (own, named) = (subject("I prefer tea.", &[]), "Dana Scully prefers coffee.");
    assert!(own.contradicts(&subject(named, &["dana"]), true));
    assert!(!own.contradicts(&subject(named, &["fox"]), true));
}

#[test]
fn long_and_odd_texts_have_no_subject() {
    for text in [
        "",
        "prefer",
        "I prefer",
        ":",
        "I prefer: ",
        "Prefers over",
        "’s favourite is",
        "Sounds like rain.",
        "Unconditional love is so important.",
        "Your love for your kids is awesome.",
        "I'd love to see Rome.",
    ] {
        assert_eq!(preference_subject(text, None, &[]), None, "{text:?}");
    }
    let long = format!("I prefer email {}", "for updates ".repeat(50));
    assert_eq!(preference_subject(&long, None, &[]), None);
}

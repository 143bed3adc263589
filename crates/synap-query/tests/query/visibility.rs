//! Who sees what: the chain of the scope that is asked for, and never anything else.

use crate::world::{World, everything, ids, request, scope};
use proptest::prelude::*;
use std::collections::BTreeSet;
use synap_types::Scope;

/// Who writes: each one memory of his own.
const WRITERS: [(&str, &[&str]); 7] = [
    ("client", &[]),
    ("A", &["A"]),
    ("B", &["B"]),
    ("A/a1", &["A", "a1"]),
    ("A/a2", &["A", "a2"]),
    ("B/a1", &["B", "a1"]),
    ("C/a1", &["C", "a1"]),
];

const QUERIES: [&[&str]; 8] = [
    &[],
    &["deployment runbook"],
    &["deployments"],
    &["runbook", "covers", "a1"],
    &["A"],
    &["B", "a1"],
    &["the of and"],
    &["xylophone"],
];

fn words(writer: &str) -> String {
    let name = writer.replace('/', " for ");
    format!("The runbook {name} covers deployments.")
}

/// Asks every question as `reader`: exactly the `expected` writers are told, narrowest first.
#[track_caller]
fn check(reader: &[&str], expected: &[&str]) {
    let mut world = World::default();
    for (name, writer) in WRITERS {
        world.add(&scope(writer), "runbook", &words(name));
    }
    for queries in QUERIES {
        let answer = world.ask(&everything(&scope(reader), queries));
        let texts: Vec<_> = answer
            .items
            .iter()
            .map(|item| item.content.clone())
            .collect();
        let expected: Vec<_> = expected.iter().map(|name| words(name)).collect();
        assert_eq!(texts, expected, "{reader:?} asks {queries:?}");
    }
}

#[test]
fn the_client_sees_its_own() {
    check(&[], &["client"]);
}

#[test]
fn a_customer_sees_its_own_and_the_client_s_and_no_user_s() {
    check(&["A"], &["A", "client"]);
    check(&["B"], &["B", "client"]);
    check(&["C"], &["client"]);
}

#[test]
fn a_user_sees_the_own_the_customer_s_and_the_client_s() {
    check(&["A", "a1"], &["A/a1", "A", "client"]);
    check(&["A", "a2"], &["A/a2", "A", "client"]);
    check(&["B", "a1"], &["B/a1", "B", "client"]);
    check(&["C", "a1"], &["C/a1", "client"]);
}

#[test]
fn unknown_people_see_what_is_everybody_s() {
    check(&["A", "a3"], &["A", "client"]);
    check(&["B", "a2"], &["B", "client"]);
    check(&["D", "a1"], &["client"]);
    check(&["a1"], &["client"]);
}

#[test]
fn another_client_sees_nothing() {
    let mut world = World::default();
    for (name, writer) in WRITERS {
        world.add(&scope(writer), "runbook", &words(name));
    }
    let path = scope(&["A", "a1"]).path().to_vec();
    let foreign = Scope::new("other".parse().unwrap(), path).unwrap();
    for queries in QUERIES {
        let answer = world.ask(&everything(&foreign, queries));
        assert_eq!(answer.items, []);
        assert!(answer.scopes.iter().all(|scope| !scope.scope_known));
    }
}

#[test]
fn an_unknown_scope_is_told_from_an_empty_answer() {
    let mut world = World::default();
    world.add(&scope(&["A"]), "runbook", "The runbook covers deployments.");
    let mut asked = everything(&scope(&["A", "a1"]), &["xylophone"]);
    asked.max_tokens = Some(1);
    let answer = world.ask(&asked);
    let scopes: Vec<_> = answer
        .scopes
        .iter()
        .map(|scope| (scope.scope.as_str(), scope.scope_known, scope.items))
        .collect();
    let expected = [
        ("user", false, 0),
        ("customer", true, 0),
        ("client", false, 0),
    ];
    assert_eq!(scopes, expected);
    assert!(answer.scopes.iter().all(|scope| scope.applied_seq == 1));
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{1,2}",
        "[ab./|:*>=_ -]{1,5}",
        Just("acme\u{2028}user".to_owned()),
        Just("x".repeat(256)),
        "\\PC{1,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the ids, the text and the question, even where all write the same words.
    #[test]
    fn no_foreign_memory_is_ever_told(
        customers in proptest::collection::btree_set(id(), 2..4),
        users in proptest::collection::btree_set(id(), 1..3),
        text in "[a-d]{3}( [a-d]{3}){0,4}",
        query in prop_oneof![Just(String::new()), "[a-d]{3}( [a-d]{3}){0,2}", "\\PC{0,30}"],
        max_results in 1..40_usize,
    ) {
        let mut scopes = vec![scope(&[])];
        for customer in &customers {
            scopes.push(scope(&[customer]));
            scopes.extend(users.iter().map(|user| scope(&[customer, user])));
        }
        let mut world = World::default();
        let mut owned = Vec::new();
        for (number, owner) in scopes.iter().enumerate() {
            let rows = [
                world.add(owner, "equal", &text),
                world.add(owner, "own", &format!("{text} number{number}")),
            ];
            owned.push(rows.concat().into_iter().map(|row| row.id).collect::<BTreeSet<_>>());
        }
        for reader in &scopes {
            let mut asked = everything(reader, &[&query]);
            asked.max_results = max_results;
            asked.queries.retain(|query| !query.is_empty());
            let answer = world.ask(&asked);
            for item in &answer.items {
                let owner = owned.iter().position(|ids| ids.contains(&item.id)).unwrap();
                prop_assert!(reader.sees(&scopes[owner]), "{:?} reads {:?}", reader, scopes[owner]);
                prop_assert_eq!(&item.scope_path, &scopes[owner].path_json());
                prop_assert_eq!(&item.scope, scopes[owner].kind());
            }
            if max_results >= 6 {
                let own = owned[scopes.iter().position(|scope| scope == reader).unwrap()].clone();
                prop_assert!(ids(&answer).iter().any(|id| own.contains(id)), "sees its own");
            }
        }
    }
}

#[test]
fn an_answer_is_of_the_rows_as_they_are_whatever_was_asked_before() {
    let (mut world, acme) = (World::default(), scope(&["acme"]));
    world.add(&acme, "first", "The lift is broken.");
    let asked = request(&acme, &["lift"]);
    assert_eq!(world.ask(&asked).items.len(), 1);
    world.add(&acme, "second", "The lift is repaired on Friday.");
    assert_eq!(world.ask(&asked).items.len(), 2);
}

#[test]
fn what_was_erased_weighs_nothing_in_what_is_told_of_others() {
    let ask = |erase: bool| {
        let (mut world, acme) = (World::default(), scope(&["acme"]));
        for (document, text) in [
            ("lift", "The lift is broken.\n\nThe cat sleeps."),
            ("pool", "The pool is by the lift."),
        ] {
            world.add(&scope(&[]), document, text);
        }
        if erase {
            for number in 0..20 {
                world.add(
                    &acme,
                    &format!("gone{number}"),
                    "The lift of acme was repaired.",
                );
            }
            world.erase(&acme);
        }
        let answer = world.ask(&request(&acme, &["broken lift"]));
        let told = answer.items.into_iter();
        told.map(|item| (item.content, item.explain.unwrap().signals))
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(true), ask(false));
}

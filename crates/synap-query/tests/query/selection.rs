//! The published rule of selection, case by case.

use crate::world::{World, everything, ids, request, scope, told};
use synap_readmodel::{MemoryRow, ReadStore as _, WriteSet, key};
use synap_text::estimate_tokens;
use synap_types::{FetchRequest, FetchResponse};

/// Ten words and an eleventh: near-duplicates.
const TEN: &str = "alpha bravo charlie delta echo foxtrot golf hotel india juliett";
const ELEVEN: &str =
    "alpha bravo charlie delta echo foxtrot golf hotel india juliett counterrevolutionaries";

fn user() -> synap_types::Scope {
    scope(&["acme", "dana"])
}

fn ask_of_dana(world: &World, queries: &[&str], max_results: usize) -> FetchResponse {
    world.ask(&FetchRequest {
        max_results,
        ..request(&user(), queries)
    })
}

/// As [`ask_of_dana`], with whatever there is in the room that is left.
fn ask_for_everything(world: &World, queries: &[&str], max_results: usize) -> FetchResponse {
    world.ask(&FetchRequest {
        max_results,
        ..everything(&user(), queries)
    })
}

fn selected_by(answer: &FetchResponse) -> Vec<(&str, &str)> {
    let items = answer.items.iter();
    let by = |item: &'_ synap_types::ContextItem| item.explain.as_ref().unwrap().selected_by;
    items.map(|item| (item.scope.as_str(), by(item))).collect()
}

/// Each scope has as many good matches as results are asked for.
fn crowded() -> World {
    let mut world = World::default();
    for (prefix, owner) in [("u", user()), ("c", scope(&["acme"])), ("a", scope(&[]))] {
        for number in 0..12 {
            let text = format!("Deploy {prefix}word{number} {prefix}other{number}");
            world.add(&owner, &format!("doc-{number}"), &text);
        }
    }
    world
}

#[test]
fn no_scope_with_relevant_memories_is_crowded_out() {
    let answer = ask_of_dana(&crowded(), &["deploy"], 12);
    let by = selected_by(&answer);
    let reserved = |scope| {
        by.iter()
            .filter(|item| **item == (scope, "reserved"))
            .count()
    };
    assert_eq!(
        [reserved("user"), reserved("customer"), reserved("client")],
        [2, 2, 2],
        "half of twelve, in equal shares"
    );
    assert_eq!(by.iter().filter(|(_, by)| *by == "relevance").count(), 6);
    let told: Vec<_> = answer.scopes.iter().map(|scope| scope.items).collect();
    assert_eq!(told.iter().sum::<usize>(), 12);
    assert!(told.iter().all(|items| *items >= 2), "{told:?}");
}

#[test]
fn fewer_results_than_scopes_go_to_the_narrower_ones() {
    let world = crowded();
    let scopes = |most| {
        let answer = ask_of_dana(&world, &["deploy"], most);
        answer
            .items
            .iter()
            .map(|item| item.scope.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(scopes(1), ["user"]);
    assert_eq!(scopes(2), ["user", "customer"]);
    assert_eq!(scopes(3), ["user", "customer", "client"]);
}

#[test]
fn a_scope_that_is_hardly_relevant_has_no_share() {
    let mut world = World::default();
    for number in 0..20 {
        world.add(
            &scope(&[]),
            &format!("a-{number}"),
            &format!("Kubernetes upgrade runbook {number}"),
        );
    }
    let filler = ["lorem"; 60].join(" ");
    world.add(&user(), "u", &format!("Runbook {filler}"));
    let answer = ask_of_dana(&world, &["kubernetes upgrade kernel"], 4);
    assert!(
        answer.items.iter().all(|item| item.scope == "client"),
        "{:?}",
        told(&answer)
    );
    let unused = answer
        .items
        .iter()
        .filter(|item| item.rank_score > 0.0)
        .count();
    assert_eq!(unused, 4, "what a scope does not use passes on");
}

#[test]
fn what_is_left_goes_to_the_newest_narrowest_first() {
    let mut world = World::default();
    for (owner, text) in [
        (user(), "Older of mine"),
        (scope(&["acme"]), "Deploys run on Tuesdays"),
        (user(), "Newer of mine"),
        (scope(&[]), "Pagination by cursor"),
    ] {
        world.add(&owner, text, text);
    }
    let answer = ask_for_everything(&world, &["deploys"], 10);
    let expected = [
        ("user", "Newer of mine"),
        ("user", "Older of mine"),
        ("customer", "Deploys run on Tuesdays"),
        ("client", "Pagination by cursor"),
    ];
    assert_eq!(told(&answer), expected);
    let by = ["recency", "recency", "reserved", "recency"];
    assert_eq!(
        selected_by(&answer)
            .iter()
            .map(|(_, by)| *by)
            .collect::<Vec<_>>(),
        by
    );
    let expected = [
        ("user", "Newer of mine"),
        ("customer", "Deploys run on Tuesdays"),
    ];
    assert_eq!(told(&ask_for_everything(&world, &["deploys"], 2)), expected);
}

#[test]
fn equal_texts_are_told_once_by_the_narrowest_scope_which_names_the_others() {
    let mut world = World::default();
    let texts = ["Acme uses Slack.", "acme uses Slack", "Acme uses “Slack”"];
    let mut stored = Vec::new();
    for (owner, text) in [scope(&[]), user(), scope(&["acme"])].iter().zip(texts) {
        stored.extend(world.add(owner, "note", text));
    }
    for queries in [&["slack"][..], &[], &["acme", "uses slack"]] {
        let answer = ask_of_dana(&world, queries, 10);
        assert_eq!(ids(&answer), [stored[1].id], "{queries:?}");
        let folded = &answer.items[0].explain.as_ref().unwrap().folded;
        let mut named: Vec<_> = folded
            .iter()
            .map(|fold| (fold.scope.as_str(), fold.id))
            .collect();
        named.sort_unstable();
        assert_eq!(
            named,
            [("client", stored[0].id), ("customer", stored[2].id)]
        );
    }
}

/// Dana's best is her own note; the customer's text comes before her longer one that says the same.
fn folding() -> (World, [MemoryRow; 3]) {
    let mut world = World::default();
    let mut add = |owner, text: &str| world.add(&owner, text, text).remove(0);
    let rows = [
        add(user(), "alpha alpha"),
        add(user(), ELEVEN),
        add(scope(&["acme"]), TEN),
    ];
    (world, rows)
}

#[test]
fn a_narrower_near_duplicate_takes_the_place_of_a_wider_one() {
    let (world, [own, longer, wider]) = folding();
    let answer = ask_of_dana(&world, &["alpha"], 4);
    assert_eq!(ids(&answer), [own.id, longer.id]);
    let fold = &answer.items[1].explain.as_ref().unwrap().folded[0];
    assert_eq!((fold.id, fold.scope.as_str()), (wider.id, "customer"));
    assert!(
        answer.items[1].rank_score < answer.items[0].rank_score,
        "its own score"
    );
}

/// The room that the wider one frees is not enough for the narrower one.
#[test]
fn folding_respects_the_token_budget() {
    let (world, [own, longer, wider]) = folding();
    let tokens = |row: &MemoryRow| estimate_tokens(&row.text);
    assert!(tokens(&longer) > tokens(&wider));
    let asked = FetchRequest {
        max_results: 4,
        max_tokens: Some(tokens(&own) + tokens(&wider)),
        ..request(&user(), &["alpha"])
    };
    let answer = world.ask(&asked);
    assert_eq!(ids(&answer), [own.id, wider.id]);
    assert_eq!(Some(answer.tokens), asked.max_tokens);
    let fold = &answer.items[1].explain.as_ref().unwrap().folded[0];
    assert_eq!((fold.id, fold.scope.as_str()), (longer.id, "user"));
}

/// The same when no result is left, but the narrower one comes right after.
#[test]
fn a_full_answer_still_prefers_the_narrower_near_duplicate() {
    let (world, [own, longer, _]) = folding();
    assert_eq!(
        ids(&ask_of_dana(&world, &["alpha"], 2)),
        [own.id, longer.id]
    );
}

/// "Not" is a word that no search looks at, and it says the opposite.
#[test]
fn opposites_and_other_numbers_are_no_duplicates() {
    let mut world = World::default();
    world.add(
        &scope(&["acme"]),
        "a",
        "Deploys on Fridays are allowed until 4 pm",
    );
    world.add(
        &user(),
        "a",
        "Deploys on Fridays are not allowed until 4 pm",
    );
    world.add(
        &scope(&[]),
        "a",
        "Deploys on Fridays are allowed until 5 pm",
    );
    let answer = ask_of_dana(&world, &["deploys fridays"], 10);
    assert_eq!(answer.items.len(), 3, "{:?}", told(&answer));
}

#[test]
fn a_match_does_not_give_way_to_what_no_query_found() {
    let mut world = World::default();
    let twelve = format!("{TEN} kilo lima");
    let wider = world
        .add(&scope(&["acme"]), "a", &format!("{twelve} zulu"))
        .remove(0);
    world.add(&user(), "a", &format!("{twelve} yankee"));
    let answer = ask_for_everything(&world, &["zulu"], 10);
    let found = answer
        .items
        .iter()
        .find(|item| item.rank_score > 0.0)
        .unwrap();
    assert_eq!(found.id, wider.id);
    let other = world.add(&user(), "b", &twelve).remove(0);
    let answer = ask_for_everything(&world, &["zulu"], 10);
    let found = answer
        .items
        .iter()
        .find(|item| item.id == wider.id)
        .unwrap();
    assert_eq!(found.explain.as_ref().unwrap().folded[0].id, other.id);
}

#[test]
fn superseded_memories_are_never_told() {
    let (mut world, dana) = (World::default(), user());
    let mut ended = world
        .add(&dana, "guide", "Deploys run on Tuesdays.")
        .remove(0);
    let live = world
        .add(&dana, "guide", "Deploys run on Fridays.")
        .remove(0);
    ended.ended_seq = Some(2);
    let mut writes = WriteSet::default();
    writes.put(key::memory(&dana.hash(), 0), &ended);
    world.store.commit(&writes).unwrap();
    for queries in [&["deploys tuesdays"][..], &["fridays"], &[], &["xylophone"]] {
        assert_eq!(
            ids(&ask_for_everything(&world, queries, 10)),
            [live.id],
            "{queries:?}"
        );
    }
}

#[test]
fn each_query_is_named_by_what_it_found() {
    let mut world = World::default();
    world.add(&user(), "a", "Deploys run on Tuesdays");
    world.add(&user(), "b", "The fiscal year ends in March");
    let answer = ask_of_dana(
        &world,
        &["fiscal year", "deploys", "xylophone", "tuesdays in march"],
        10,
    );
    let found: Vec<_> = answer
        .items
        .iter()
        .map(|item| (item.content.as_str(), item.matched_queries.join("|")))
        .collect();
    for expected in [
        (
            "Deploys run on Tuesdays",
            "deploys|tuesdays in march".to_owned(),
        ),
        (
            "The fiscal year ends in March",
            "fiscal year|tuesdays in march".to_owned(),
        ),
    ] {
        assert!(found.contains(&expected), "{found:?}");
    }
    assert!(
        answer.items.iter().all(|item| item.rank_score > 0.99),
        "each the best of a query"
    );
}

#[test]
fn an_item_says_when_and_whom_and_nothing_is_null() {
    let mut world = World::default();
    let text = "The certificate of Nina Sol expires on 31 January 2027. Backups run daily.";
    world.add(&user(), "d", text);
    let answer = ask_of_dana(&world, &["certificate backups"], 12);
    let told: Vec<_> = answer
        .items
        .iter()
        .map(synap_types::ContextItem::typed)
        .collect();
    let of = |word: &str| {
        told.iter()
            .find(|item| item["content"].as_str().unwrap().contains(word))
    };
    let item = of("certificate").unwrap();
    assert_eq!(item["event_date"], "2027-01-31T00:00:00Z");
    assert_eq!(item["event_end"], "2027-02-01T00:00:00Z");
    assert_eq!(item["event_precision"], "day");
    assert_eq!(item["valid_until"], "2027-02-01T00:00:00Z");
    assert_eq!(item["entities"], serde_json::json!(["Nina Sol"]));
    assert_eq!(of("Backups").unwrap()["recurrence"], "FREQ=DAILY");
    assert_eq!(of("Backups").unwrap()["temporal_category"], "perpetual");
    for item in &told {
        let fields = item.as_object().unwrap();
        assert!(fields.values().all(|value| !value.is_null()), "{item}");
    }
    assert!(
        !of("Backups")
            .unwrap()
            .as_object()
            .unwrap()
            .contains_key("event_date")
    );
}

/// Related words let a query for pears find plums as well: each query has its own places nevertheless.
#[test]
fn each_query_brings_in_what_is_worth_the_most_to_it() {
    let mut world = World::default();
    for (number, fruit) in (0..12).zip(["pears", "plums"].into_iter().cycle()) {
        let text = format!("Crate {number} holds {fruit}.");
        world.add(&user(), &format!("doc-{number}"), &text);
    }
    let answer = world.ask(&FetchRequest {
        max_results_per_query: Some(2),
        ..request(&user(), &["pears", "plums"])
    });
    let found = told(&answer);
    let of = |fruit: &str| {
        found
            .iter()
            .filter(|(_, text)| text.contains(fruit))
            .count()
    };
    assert_eq!([of("pears"), of("plums")], [2, 2], "{found:?}");
    let first = answer.items.first().map(|item| &item.matched_queries);
    assert_eq!(first.map(Vec::len), Some(2), "the other one found it, too");
}

//! Preferences that contradict each other, the floor, packing, and what an answer says of what it left out.

use crate::world::{World, everything, ids, request, scope, told};
use synap_query::{FetchError, ScopeView, fetch};
use synap_readmodel::ReadStore as _;
use synap_text::estimate_tokens;
use synap_types::{FetchRequest, FetchResponse, Include};

fn dana() -> synap_types::Scope {
    scope(&["acme", "dana"])
}

fn with_shadowed(queries: &[&str]) -> FetchRequest {
    FetchRequest {
        include: Include {
            shadowed: true,
            prompt: false,
        },
        ..request(&dana(), queries)
    }
}

fn left_out(answer: &FetchResponse) -> Vec<&'static str> {
    let (memories, count) = answer.left_out.as_ref().unwrap();
    assert_eq!(memories.len(), *count);
    memories.iter().map(|memory| memory.reason).collect()
}

#[test]
fn the_newer_of_two_contradicting_preferences_is_told() {
    let mut world = World::default();
    let old = world
        .add(&dana(), "a", "I prefer email for updates.")
        .remove(0);
    let new = world.add(&dana(), "b", "I prefer Slack.").remove(0);
    let other = world.add(&dana(), "c", "I prefer tea.").remove(0);
    for queries in [&["what does she prefer"][..], &["prefer updates"], &[]] {
        let answer = world.ask(&request(&dana(), queries));
        let mut told = ids(&answer);
        told.sort_unstable();
        let mut expected = [new.id, other.id];
        expected.sort_unstable();
        assert_eq!(told, expected, "{queries:?}");
        let winner = answer.items.iter().find(|item| item.id == new.id).unwrap();
        let shadow = &winner.shadows[0];
        assert_eq!((shadow.id, shadow.reason), (old.id, "contradiction"));

        let answer = world.ask(&with_shadowed(queries));
        let marked: Vec<_> = answer
            .items
            .iter()
            .filter_map(|item| Some((item.id, item.shadowed_by?)))
            .collect();
        assert_eq!((answer.items.len(), marked), (3, vec![(old.id, new.id)]));
    }
}

#[test]
fn the_narrower_of_two_contradicting_preferences_is_told_however_old() {
    let mut world = World::default();
    let own = world
        .add(&dana(), "a", "I prefer Slack for updates.")
        .remove(0);
    let wider = world
        .add(&scope(&["acme"]), "b", "We prefer email for updates.")
        .remove(0);
    let answer = world.ask(&request(&dana(), &["prefer updates"]));
    assert_eq!(ids(&answer), [own.id]);
    assert_eq!(left_out(&answer), ["contradiction"]);
    assert_eq!(answer.left_out.unwrap().0[0].by, Some(own.id));
    let customer = world.ask(&request(&scope(&["acme"]), &["prefer updates"]));
    assert_eq!(ids(&customer), [wider.id], "to others it is told");
    let other = world.ask(&request(&scope(&["acme", "fox"]), &["prefer updates"]));
    assert_eq!(ids(&other), [wider.id]);
}

#[test]
fn facts_and_other_subjects_do_not_contradict() {
    let mut world = World::default();
    for text in [
        "Deployments happen on Tuesday.",
        "Deployments happen on Thursday.",
        "I prefer tea.",
        "I prefer email for deployments.",
    ] {
        world.add(&dana(), text, text);
    }
    assert_eq!(world.ask(&request(&dana(), &[])).items.len(), 4);
}

#[test]
fn nothing_relevant_is_an_empty_answer() {
    let mut world = World::default();
    for number in 0..40 {
        let text = format!("The policy number{number} of the office is word{number}.");
        world.add(&scope(&["acme"]), &text, &text);
    }
    let strange = request(&dana(), &["zebra migration policy savannah"]);
    let answer = world.ask(&strange);
    assert!(answer.items.is_empty(), "{:?}", told(&answer));
    assert_eq!(answer.left_out.unwrap().0[0].reason, "min_relevance");
    let answer = world.ask(&everything(&dana(), &["zebra migration policy savannah"]));
    assert_eq!(answer.items.len(), 10, "without a floor");
    assert_eq!(
        world.ask(&request(&dana(), &["policy"])).items.len(),
        10,
        "it is what was asked for"
    );
    let high = FetchRequest {
        min_relevance: 1.0,
        ..request(&dana(), &["word7 savannah"])
    };
    assert!(world.ask(&high).items.is_empty());
}

#[test]
fn queries_without_a_word_to_search_by_list_the_newest_sure_memories() {
    let mut world = World::default();
    for text in ["The office is in Porto.", "I prefer tea."] {
        world.add(&dana(), text, text);
    }
    for query in [
        "",
        "the of and",
        "What do you know about this user?",
        "Dana",
        "?!",
    ] {
        let answer = world.ask(&request(&dana(), &[query]));
        assert_eq!(
            told(&answer),
            [
                ("user", "I prefer tea."),
                ("user", "The office is in Porto.")
            ],
            "{query:?}"
        );
    }
}

/// One long memory is the best match; three short ones are nearly as good and fit in its place.
#[test]
fn tokens_are_spent_where_they_give_most_but_never_on_losing_the_best() {
    let mut world = World::default();
    for number in 0..60 {
        world.add(
            &dana(),
            &format!("o{number}"),
            &format!("Another note about subject{number}"),
        );
    }
    let long = format!("Deploy rollback window {}", ["lorem"; 14].join(" "));
    let best = world
        .add(
            &dana(),
            "best",
            &format!(
                "Deploy rollback window deploy rollback window {}",
                ["ipsum"; 8].join(" ")
            ),
        )
        .remove(0);
    world.add(&dana(), "long", &long);
    for number in 0..4 {
        world.add(
            &dana(),
            &format!("s{number}"),
            &format!("Deploy rollback n{number}"),
        );
    }
    let room = estimate_tokens(&best.text) + estimate_tokens(&long);
    let answer = world.ask(&FetchRequest {
        max_tokens: Some(room),
        ..request(&dana(), &["deploy rollback window"])
    });
    assert!(answer.tokens <= room);
    assert!(ids(&answer).contains(&best.id), "{:?}", told(&answer));
    let by: Vec<_> = answer
        .items
        .iter()
        .map(|item| item.explain.as_ref().unwrap().selected_by)
        .collect();
    assert_eq!(
        by,
        ["reserved", "value", "value", "value", "value"],
        "{:?}",
        told(&answer)
    );
    let all = world.ask(&request(&dana(), &["deploy rollback window"]));
    assert_eq!(all.items.len(), 6);
    let second = all.items.iter().position(|item| item.content == long);
    assert_eq!(
        second,
        Some(1),
        "the long one is more relevant than any of those"
    );
}

#[test]
fn the_text_for_a_prompt_fits_the_budget_and_holds_the_items() {
    let mut world = World::default();
    for number in 0..12 {
        for owner in [dana(), scope(&["acme"]), scope(&[])] {
            world.add(
                &owner,
                &format!("d{number}"),
                &format!(
                    "Deploy note {number} of {} with some more words.",
                    owner.kind()
                ),
            );
        }
    }
    for tokens in [1, 40, 90, 150, 300, 5_000] {
        let asked = FetchRequest {
            max_results: 30,
            max_tokens: Some(tokens),
            include: Include {
                shadowed: false,
                prompt: true,
            },
            ..request(&dana(), &["deploy note"])
        };
        let answer = world.ask(&asked);
        let prompt = answer.prompt.unwrap();
        assert!(prompt.tokens <= tokens, "{tokens}: {}", prompt.tokens);
        assert_eq!(prompt.tokens, estimate_tokens(&prompt.text));
        assert_eq!(prompt.text.matches("\n- [").count(), answer.items.len());
        assert_eq!(answer.items.is_empty(), prompt.text.is_empty());
        assert_eq!(
            answer.items.is_empty(),
            tokens < 90,
            "{tokens}: {}",
            prompt.text
        );
    }
}

#[test]
fn metadata_that_has_the_words_of_a_query_fills_room() -> Result<(), FetchError> {
    let mut world = World::default();
    let keyed = world.add_with(
        &dana(),
        "a",
        "{\"theme\": \"dark\"}",
        r#"{"ns":"profiles/eu","key":"main"}"#,
    );
    world.add_with(
        &dana(),
        "b",
        "{\"theme\": \"light\"}",
        r#"{"ns":"profiles/us","key":"side"}"#,
    );
    world.add(&dana(), "c", "The office is in Porto.");
    let rows = world.store.snapshot();
    let views = dana()
        .chain()
        .map(|scope| ScopeView::new(scope, &rows))
        .collect::<Result<Vec<_>, _>>()?;
    let answer = fetch(
        &request(&dana(), &["profiles/eu main"]),
        &views,
        synap_query::Means::of(&synap_query::Ranking::default()),
        false,
    )?;
    assert_eq!(ids(&answer), [keyed[0].id]);
    assert_eq!(
        answer.items[0].explain.as_ref().unwrap().selected_by,
        "metadata"
    );
    Ok(())
}

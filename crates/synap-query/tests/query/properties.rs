//! What holds of every answer.

use crate::world::{World, request, scope};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use synap_text::{estimate_tokens, normal_form};
use synap_types::{FetchRequest, FetchResponse, Include, Scope, TypeFilter};

const WORDS: [&str; 12] = [
    "deploy", "staging", "prefer", "not", "tuesday", "the", "4pm", "5pm", "billing", "Alice", "…",
    "oauth",
];

fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(proptest::sample::select(&WORDS[..]), words).prop_map(|words| words.join(" "))
}

fn chain() -> [Scope; 3] {
    [scope(&["acme", "dana"]), scope(&["acme"]), scope(&[])]
}

fn asked() -> impl Strategy<Value = FetchRequest> {
    let types = prop_oneof![
        Just(vec![]),
        Just(vec!["facts"]),
        Just(vec!["preferences", "temporal"])
    ];
    let tokens = prop_oneof![Just(None), (1..120_usize).prop_map(Some)];
    (vec(text(1..4), 0..4), 1..20_usize, tokens, types).prop_map(
        |(queries, max_results, max_tokens, types)| {
            let types: Vec<String> = types.into_iter().map(str::to_owned).collect();
            FetchRequest {
                queries,
                max_results,
                max_tokens,
                types: TypeFilter::parse(&types).unwrap(),
                ..request(&chain()[0], &[])
            }
        },
    )
}

fn check_shape(request: &FetchRequest, answer: &FetchResponse) -> Result<(), TestCaseError> {
    prop_assert!(answer.items.len() <= request.max_results);
    prop_assert!(answer.tokens <= request.max_tokens.unwrap_or(usize::MAX));
    prop_assert_eq!(
        answer.tokens,
        answer
            .items
            .iter()
            .map(|item| estimate_tokens(&item.content))
            .sum::<usize>()
    );
    let place = |scope: &str| chain().iter().position(|known| known.kind() == scope);
    for (rank, item) in (1..).zip(&answer.items) {
        prop_assert_eq!(item.rank, rank);
        prop_assert!(
            (0.0..=1.0).contains(&item.rank_score),
            "{}",
            item.rank_score
        );
        prop_assert_eq!(item.rank_score > 0.0, !item.matched_queries.is_empty());
        prop_assert!(request.types.accepts(item.memory_type));
    }
    for pair in answer.items.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        prop_assert!(place(&a.scope) <= place(&b.scope), "scope order");
        prop_assert!(
            a.scope != b.scope || a.rank_score >= b.rank_score,
            "relevance within a scope"
        );
    }
    for report in &answer.scopes {
        prop_assert_eq!(
            report.items,
            answer
                .items
                .iter()
                .filter(|item| item.scope == report.scope)
                .count()
        );
    }
    Ok(())
}

fn check_folds(answer: &FetchResponse) -> Result<(), TestCaseError> {
    let mut told = BTreeSet::new();
    for item in &answer.items {
        prop_assert!(told.insert(item.id), "told twice");
    }
    let mut folded = BTreeSet::new();
    for fold in answer
        .items
        .iter()
        .flat_map(|item| &item.explain.as_ref().unwrap().folded)
    {
        prop_assert!(
            !told.contains(&fold.id) && folded.insert(fold.id),
            "left out once"
        );
    }
    let forms: BTreeSet<_> = answer
        .items
        .iter()
        .map(|item| normal_form(&item.content))
        .collect();
    prop_assert_eq!(forms.len(), answer.items.len(), "equal texts are told once");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn answers_keep_the_rule(memories in vec((0..3_usize, text(1..9)), 0..40), request in asked()) {
        let mut world = World::default();
        for (number, (owner, text)) in memories.iter().enumerate() {
            world.add(&chain()[*owner], &format!("doc-{number}"), text);
        }
        let answer = world.ask(&request);
        check_shape(&request, &answer)?;
        check_folds(&answer)?;
        prop_assert_eq!(world.ask(&request), answer, "the same question, the same answer");
    }

    /// More room never makes an answer poorer by a match.
    #[test]
    fn everything_is_told_where_there_is_room(memories in vec((0..3_usize, text(1..9)), 0..30), request in asked()) {
        let mut world = World::default();
        let mut stored = 0;
        for (number, (owner, text)) in memories.iter().enumerate() {
            stored += world.add(&chain()[*owner], &format!("doc-{number}"), text).len();
        }
        let include = Include { shadowed: true, ..Include::default() };
        let request = FetchRequest { max_results: 1_000, max_tokens: None, types: TypeFilter::default(), min_relevance: 0.0, include, ..request };
        let answer = world.ask(&request);
        let folded: usize = answer.items.iter().map(|item| item.explain.as_ref().unwrap().folded.len()).sum();
        prop_assert_eq!(answer.items.len() + folded, stored);
    }
}

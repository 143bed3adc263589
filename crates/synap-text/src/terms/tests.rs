//! Terms as they are indexed and asked for.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(terms(text), expected, "{text:?}");
}

#[test]
fn words_become_stems_and_stop_words_go() {
    check("Deployments", &["deploy"]);
    check(
        "deploy deployed deployment",
        &["deploy", "deploy", "deploy"],
    );
    check("When can I deploy to production?", &["deploy", "product"]);
    check("Don’t use Acme's engineers", &["use", "acm", "engin"]);
    check("", &[]);
}

#[test]
fn queries_find_what_documents_say() {
    let found = |document: &str, query: &str| {
        let document = terms(document);
        let query = query_terms(query);
        !query.is_empty() && query.iter().any(|term| document.contains(term))
    };
    assert!(found("migrating auth service to OAuth 2.1", "oauth 2.1"));
    assert!(found("migrating auth service to OAuth 2.1", "2.1"));
    assert!(found("OAuth", "auth"));
    assert!(found("CI/CD pipelines", "cd"));
    assert!(found("CI/CD pipelines", "ci pipeline"));
    assert!(found("set max_connections", "connections"));
    assert!(found("call getUserName()", "user"));
    assert!(found("HTTPServer v2.10", "server"));
    assert!(found("HTTPServer v2.10", "2.10"));
    assert!(found("10am-2pm PT", "10 am"));
    assert!(found("OKRs for Q2", "priorities this quarter"));
    assert!(found("東京都に住んでいます", "東京"));
    assert!(found("猫が好き", "猫"));
    assert!(found("привет мир", "Мир"));
    assert!(found("서울에 삽니다", "서울"));
    assert!(!found("OAuth 2.1", "who are you"));
}

#[test]
fn parts_follow_the_whole() {
    check("snake_case", &["snake_case", "snake", "case"]);
    check("camelCase", &["camelcas", "camel", "case"]);
    check("v2.1", &["v2.1", "2.1"]);
    check("CI/CD", &["ci", "cd"]);
    check("東京都", &["東", "東京", "京", "京都", "都"]);
    check("ひと", &["ひと"]);
}

#[test]
fn long_tokens_are_cut() {
    let long = "x1".repeat(5_000);
    let found = terms(&long);
    assert!(found.iter().all(|term| term.len() <= TERM_BYTES_MAX));
    assert_eq!(found.first(), query_terms(&long).first());
}

#[test]
fn queries_of_stop_words_are_empty() {
    assert_eq!(
        query_terms("who are you and what is this?"),
        Vec::<String>::new()
    );
}

proptest! {
    #[test]
    fn terms_are_short_and_never_empty(text in any::<String>()) {
        for term in terms(&text) {
            prop_assert!(!term.is_empty() && term.len() <= TERM_BYTES_MAX);
        }
    }

    #[test]
    fn case_does_not_matter_in_plain_words(text in "[a-z]{1,12}( [a-z]{1,12}){0,5}") {
        prop_assert_eq!(terms(&text.to_uppercase()), terms(&text));
    }
}

//! Questions of which an answer was not found, to be read by people.

use super::data::{Question, SetScope};

/// Answers stand among so many texts, or are missed.
const WITHIN: usize = 10;
/// Texts shown of those that stand before them.
const SHOWN: usize = 3;
/// Characters shown of a text.
const TEXT_CHARS: usize = 200;

/// The question, where the answers in `seen` (ids, best first) stand, and what stands first; `None` where all are among
/// the first ten.
pub(super) fn told(scope: &SetScope, question: &Question, seen: &[String]) -> Option<String> {
    let rank = |id: &String| seen.iter().position(|other| other == id);
    let found = |id: &String| rank(id).is_some_and(|rank| rank < WITHIN);
    if question.gold.iter().all(found) {
        return None;
    }
    let place =
        |id: &String| rank(id).map_or_else(|| "-".to_owned(), |rank| (rank + 1).to_string());
    let line =
        |what: &str, id: &String| format!("    {what} {}: {id}: {}", place(id), begin(scope, id));
    let answers = question.gold.iter().map(|id| line("answer at", id));
    let first = seen.iter().filter(|id| !question.gold.contains(id));
    let first = first.take(SHOWN).map(|id| line("found at", id));
    let asked = format!("  {}/{}: {}", scope.id, question.id, question.text);
    let lines = std::iter::once(asked).chain(answers).chain(first);
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// How a text begins.
fn begin(scope: &SetScope, id: &str) -> String {
    let text = scope.docs.iter().find(|doc| doc.id == id);
    let words: Vec<&str> = text
        .map_or("", |doc| &doc.text)
        .split_whitespace()
        .collect();
    words.join(" ").chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_miss_says_where_the_answer_stands_and_what_stands_before_it() {
        let docs: Vec<_> = (0..12)
            .map(|n| json!({"id": format!("d{n}"), "text": format!("text\n{n}")}))
            .collect();
        let asked = json!([{"id": "q", "text": "where?", "gold": ["d10", "d11"]}]);
        let scope = json!({"id": "s", "docs": docs, "queries": asked});
        let scope: SetScope = serde_json::from_value(scope).unwrap();
        let question = &scope.queries[0];
        let seen: Vec<String> = (0..11).map(|n| format!("d{n}")).collect();
        let missed = told(&scope, question, &seen).unwrap();
        let lines: Vec<&str> = missed.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "s/q: where?",
                "answer at 11: d10: text 10",
                "answer at -: d11: text 11",
                "found at 1: d0: text 0",
                "found at 2: d1: text 1",
                "found at 3: d2: text 2",
            ]
        );
        let found = ["d11".to_owned(), "d10".to_owned()];
        assert_eq!(told(&scope, question, &found), None);
    }
}

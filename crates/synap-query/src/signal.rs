//! Ranking signals, one file each. [`crate::Ranking`] weighs them.

pub(crate) mod bm25;
pub(crate) mod dense;
pub(crate) mod memory;
pub(crate) mod neighbours;
pub(crate) mod proximity;
pub(crate) mod related;
pub(crate) mod statement;
pub(crate) mod thread;
pub(crate) mod traits;
pub(crate) mod window;

use crate::Ranking;
use std::collections::BTreeSet;
use synap_text::{Period, asks_when, moment_asked, named, query_terms, query_time, type_asked};
use synap_types::{FetchRequest, MemoryType, Timestamp};

/// Words of one query that count; a query of ten thousand words costs no more than this many scans.
const TERMS_MAX: usize = 64;
/// Words looked up in the place of each, in a query of up to [`RELATED_TERMS_MAX`] words. A longer one says itself what it
/// means.
const RELATED_EACH: usize = 12;
const RELATED_TERMS_MAX: usize = 16;

/// A query as the signals read it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// Its words, once each, in its order.
    pub(crate) words: Vec<QueryWord>,
    /// Its terms in order, with repetition.
    pub(crate) sequence: Vec<String>,
    /// Whom it may name, see [`synap_text::named`].
    pub(crate) names: Vec<u32>,
    /// Whether it asks when.
    pub(crate) asks_when: bool,
    /// The type of memory that it asks for.
    pub(crate) type_asked: Option<MemoryType>,
    /// The period that it names, against when it is asked.
    pub(crate) period: Option<Period>,
}

/// One word of a query and what may stand in its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QueryWord {
    /// As in the postings; each with how much it counts. The word itself comes first, with 1.
    pub(crate) forms: Vec<(String, f32)>,
}

impl Query {
    pub(crate) fn of(text: &str, ranking: &Ranking, request: &FetchRequest) -> Self {
        let mut sequence = query_terms(text);
        let mut known = BTreeSet::new();
        let own: Vec<String> = sequence
            .iter()
            .filter(|term| known.insert(term.as_str()))
            .take(TERMS_MAX)
            .cloned()
            .collect();
        let each = if own.len() <= RELATED_TERMS_MAX && ranking.related > 0.0 {
            RELATED_EACH
        } else {
            0
        };
        let words = own
            .iter()
            .map(|term| {
                let related = related::related(term)
                    .filter(|(other, _)| !own.iter().any(|term| term == other))
                    .map(|(other, likeness)| (other.to_owned(), likeness * ranking.related));
                QueryWord {
                    forms: std::iter::once((term.clone(), 1.0))
                        .chain(related.take(each))
                        .collect(),
                }
            })
            .collect();
        sequence.truncate(4 * TERMS_MAX);
        Self {
            words,
            sequence,
            names: named(text),
            asks_when: asks_when(text),
            type_asked: type_asked(text),
            period: asked_at(request).and_then(|now| query_time(text, now)),
        }
    }

    /// Every form of every word.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &str> {
        self.words
            .iter()
            .flat_map(|word| word.forms.iter().map(|(term, _)| term.as_str()))
    }
}

/// When the queries of a request are asked: as it says, else when it came. A date that cannot be read says nothing.
fn asked_at(request: &FetchRequest) -> Option<Timestamp> {
    let said = request.query_date.as_deref().and_then(moment_asked);
    said.or(request.now)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^24 are exact to seven digits, and a score needs no more"
)]
pub(crate) const fn float(count: u64) -> f32 {
    count as f32
}

/// Every value as a share of the greatest of all lists.
pub(crate) fn shares(lists: &mut [Vec<f32>]) {
    let best = lists.iter().flatten().copied().fold(0.0, f32::max);
    if best > 0.0 {
        for value in lists.iter_mut().flatten() {
            *value /= best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use synap_types::Isolation;

    fn query(text: &str) -> Query {
        let serde_json::Value::Object(body) = json!({"query_date": "2023/03/11 (Sat) 21:26"})
        else {
            panic!("not an object");
        };
        let client = "app".parse().unwrap();
        let request = FetchRequest::parse(body, "client", &client, &Isolation::strict()).unwrap();
        Query::of(text, &Ranking::default(), &request)
    }

    #[test]
    fn a_period_counts_from_when_the_query_is_asked() {
        let period = query("What happened last month?").period.unwrap();
        assert_eq!(period.start.to_string(), "2023-02-01T00:00:00Z");
        assert_eq!(query("Where is my dog?").period, None);
    }

    #[test]
    fn related_words_count_less_and_never_twice() {
        let query = query("team priorities, team goals");
        let first: Vec<&str> = query
            .words
            .iter()
            .map(|word| word.forms[0].0.as_str())
            .collect();
        assert_eq!(first, ["team", "prioriti", "goal"]);
        let of_priority = &query.words[1].forms;
        assert!(
            of_priority
                .iter()
                .any(|(term, weight)| term == "okr" && *weight < 1.0)
        );
        assert!(
            of_priority.iter().all(|(term, _)| term != "goal"),
            "a word of the query does not stand for another"
        );
        assert_eq!(query.sequence.len(), 4);
    }

    #[test]
    fn long_queries_are_bounded() {
        let words: Vec<String> = (0..10_000).map(|n| format!("word{n}")).collect();
        let query = query(&words.join(" "));
        assert_eq!(query.words.len(), TERMS_MAX);
        assert!(query.sequence.len() <= 4 * TERMS_MAX);
    }
}

//! Ranking signals, one file each, and the one place that weighs them.

pub(crate) mod bm25;
pub(crate) mod dense;
pub(crate) mod thesaurus;

use synap_text::query_terms;

/// Weight of a word that a query does not have but means.
///
/// Judgement: a related word alone must rank below any word of the query itself.
const RELATED_WEIGHT: f32 = 0.35;

/// A query's words and how much each counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightedTerm {
    /// As in the postings.
    pub(crate) term: String,
    /// 1 for a word of the query, less for a related one.
    pub(crate) weight: f32,
}

/// The words to look for: those of the query once each, then related ones.
pub(crate) fn weighted_terms(query: &str) -> Vec<WeightedTerm> {
    let mut found: Vec<WeightedTerm> = Vec::new();
    let own = query_terms(query);
    let related = own.iter().flat_map(|term| thesaurus::related(term));
    let weighted = own
        .iter()
        .map(|term| (term.clone(), 1.0))
        .chain(related.map(|term| (term, RELATED_WEIGHT)));
    for (term, weight) in weighted {
        if found.len() == TERMS_MAX {
            break;
        }
        if !found.iter().any(|known| known.term == term) {
            found.push(WeightedTerm { term, weight });
        }
    }
    found
}

/// Words of one query that count; a query of ten thousand words costs no more than this many scans.
const TERMS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn related_words_count_less_and_never_twice() {
        let terms = weighted_terms("team priorities, team goals");
        let weight = |term: &str| {
            terms
                .iter()
                .find(|known| known.term == term)
                .map(|known| known.weight)
        };
        assert_eq!(weight("team"), Some(1.0));
        assert_eq!(
            weight("goal"),
            Some(1.0),
            "a word of the query is not demoted by being related to another"
        );
        assert_eq!(weight("okr"), Some(RELATED_WEIGHT));
        assert_eq!(terms.iter().filter(|known| known.term == "team").count(), 1);
    }

    #[test]
    fn long_queries_are_bounded() {
        let words: Vec<String> = (0..10_000).map(|n| format!("word{n}")).collect();
        assert_eq!(weighted_terms(&words.join(" ")).len(), TERMS_MAX);
    }
}

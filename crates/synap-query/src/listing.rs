//! Which queries ask for no memory in particular, and which memories are told then or beside the matches.

use crate::candidate::{Candidate, ScopeCandidates, newest};
use crate::{FetchError, ScopeView, is_described};
use synap_readmodel::{Snapshot, SnapshotExt as _, key};
use synap_text::query_terms;
use synap_types::{FetchRequest, Scope};

/// Stems that say of nothing in particular what is wanted: "What do you know about this user?"
const ASKS_FOR_ALL: &[&str] = &[
    "anyth", "context", "everyth", "inform", "know", "latest", "memori", "newest", "recal",
    "recent", "rememb", "tell", "user",
];
/// Memories that are typed less surely than this stand back in a listing.
const SURE_MIN: f32 = 0.5;

/// What fills the room that the matches leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filling {
    /// Nothing in particular is asked for, or no floor is wanted: what is newest, the sure ones first.
    Newest,
    /// Of the newest, those whose metadata has the words of a query: callers keep their own keys there.
    Described,
}

impl Filling {
    /// As an explained item names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Newest => "recency",
            Self::Described => "metadata",
        }
    }
}

/// Whether no query has a word to search by: there is none, or they are stop-words, or they ask for whatever is known, or
/// name only whose scope it is: "Alice" asks for nothing in particular among Alice's memories.
pub(crate) fn asks_for_all(queries: &[String], scope: &Scope) -> bool {
    let owner = scope
        .path()
        .last()
        .map(|level| query_terms(level.id.as_str()));
    let is_name = |term: &String| owner.as_ref().is_some_and(|owner| owner.contains(term));
    queries.iter().all(|query| {
        let terms = query_terms(query);
        let says_nothing = |term: &String| ASKS_FOR_ALL.contains(&term.as_str()) || is_name(term);
        terms.iter().all(says_nothing)
    })
}

/// Memories of one scope that fill room, newest first; as many as results are asked for.
pub(crate) fn filling<S: Snapshot>(
    request: &FetchRequest,
    scope: usize,
    view: &ScopeView<'_, S>,
    scope_found: &ScopeCandidates,
    filling: Filling,
) -> Result<Vec<Candidate>, FetchError> {
    let most = request.max_results;
    let found = |floor, most| {
        let is_told = |ordinal| scope_found.has_matched(ordinal, floor);
        newest(scope, view, &request.types, &is_told, most)
    };
    match filling {
        Filling::Newest => {
            let mut found = found(0.0, most * 2)?;
            found.sort_by_key(|candidate| candidate.row.confidence < SURE_MIN);
            found.truncate(most);
            Ok(found)
        }
        Filling::Described => {
            // What matched too little to be told by its text may yet be told by its metadata.
            let mut described = Vec::new();
            for candidate in found(request.min_relevance, most)? {
                if is_described_by_metadata(&request.queries, view, &candidate)? {
                    described.push(candidate);
                }
            }
            Ok(described)
        }
    }
}

fn is_described_by_metadata<S: Snapshot>(
    queries: &[String],
    view: &ScopeView<'_, S>,
    candidate: &Candidate,
) -> Result<bool, FetchError> {
    let Some(under) = candidate.row.metadata else {
        return Ok(false);
    };
    let stored = view.snapshot.row(&key::metadata(view.hash(), under))?;
    Ok(stored.is_some_and(|row| queries.iter().any(|query| is_described(query, &row.json))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use synap_types::ScopeLevel;

    #[test]
    fn queries_without_a_word_to_search_by_ask_for_all() {
        let level = |name: &str, id: &str| ScopeLevel {
            level: name.parse().unwrap(),
            id: id.parse().unwrap(),
        };
        let path = vec![level("customer", "acme"), level("user", "alice-7f")];
        let alice = Scope::new("app".parse().unwrap(), path).unwrap();
        let all = |queries: &[&str]| {
            let queries: Vec<String> = queries.iter().map(|query| (*query).to_owned()).collect();
            asks_for_all(&queries, &alice)
        };
        assert!(all(&[]) && all(&[""]) && all(&["the of"]) && all(&["?!"]));
        assert!(all(&["What do you know about this user?"]) && all(&["recent memories"]));
        assert!(all(&["Alice"]) && all(&["What do you know about Alice?"]));
        assert!(!all(&["acme"]) && !all(&["Alice's dog"]));
        assert!(!all(&["What do you know about this user's dog?"]));
        assert!(!all(&["the of", "dog"]));
    }
}

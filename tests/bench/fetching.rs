//! Fetches without a server, and what they took.

use synap_types::limits::RELEVANCE_DEFAULT;
use synap_types::{FetchMode, FetchRequest, Include, ResponseShape, Scope, TypeFilter};

/// The figure below which so many percent of the `sorted` ones are.
pub(crate) fn at(sorted: &[f64], percent: usize) -> f64 {
    let place = sorted.len() * percent / 100;
    sorted.get(place).copied().unwrap_or_default()
}

/// The ten best for a query, or the newest ten where it is empty.
pub(crate) fn request(scope: &Scope, query: &str) -> FetchRequest {
    let queries = Some(query.to_owned()).filter(|query| !query.is_empty());
    FetchRequest {
        scope: scope.clone(),
        queries: queries.into_iter().collect(),
        max_results: 10,
        max_results_per_query: None,
        max_tokens: None,
        min_relevance: RELEVANCE_DEFAULT,
        include: Include::default(),
        query_date: None,
        now: None,
        types: TypeFilter::default(),
        mode: FetchMode::Fast,
        shape: ResponseShape::Ranked,
        explain: false,
        freshness: None,
        as_of: None,
        conversation: None,
        conversation_first: false,
        with_conversation: true,
    }
}

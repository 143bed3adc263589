//! A fetch, from the request to the answer.

use crate::candidate::candidates;
use crate::fence;
use crate::items::{items, left_out};
use crate::listing::{Filling, asks_for_all, filling};
use crate::select::select;
use crate::{FetchError, QueryVectors, Ranking, ScopeView, Tokens};
use synap_readmodel::Snapshot;
use synap_types::{FetchMode, FetchRequest, FetchResponse, ScopeReport};

/// What a fetch has beside request and rows.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// How it weighs the signals.
    pub ranking: &'a Ranking,
    /// The vectors of its queries: with them, memories count by what they mean as well.
    pub vectors: Option<&'a QueryVectors>,
    /// How it counts tokens.
    pub tokens: Tokens<'a>,
}

impl<'a> Means<'a> {
    /// Without vectors, and with estimated tokens.
    pub fn of(ranking: &'a Ranking) -> Self {
        Self {
            ranking,
            vectors: None,
            tokens: Tokens::default(),
        }
    }

    /// With the vectors of the queries, if there are any.
    #[must_use]
    pub fn with(self, vectors: Option<&'a QueryVectors>) -> Self {
        Self { vectors, ..self }
    }
}

/// Answers `request` from `views`: the scopes of its chain, narrowest first.
///
/// `stale` says that the caller knows the rows to be behind what was asked for; it is passed through.
pub fn fetch<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    means: Means<'_>,
    stale: bool,
) -> Result<FetchResponse, FetchError> {
    // Whoever made the views decided the chain; a scope outside it would be a leak, so it is checked where it matters.
    if views.iter().any(|view| !request.scope.sees(&view.scope)) {
        return Err(FetchError::ForeignRow);
    }
    if !request.queries.is_empty() && asks_for_all(&request.queries, &request.scope) {
        let listing = FetchRequest {
            queries: Vec::new(),
            ..request.clone()
        };
        return fetch(&listing, views, means, stale);
    }
    let with = if request.queries.is_empty() || request.min_relevance <= 0.0 {
        Filling::Newest
    } else {
        Filling::Described
    };
    let mut found = candidates(request, views, means.ranking, means.vectors)?;
    let mut scopes: Vec<ScopeReport> = views
        .iter()
        .zip(&found)
        .map(|(view, found)| ScopeReport {
            scope: view.scope.kind().to_owned(),
            scope_path: view.scope.path_json(),
            scope_known: found.known,
            items: 0,
            candidates: found.matched(),
            applied_seq: view.applied.get(),
        })
        .collect();
    let selected = select(
        request,
        views,
        &mut found,
        (with, means.tokens),
        |number, found| {
            let view = views.get(number);
            view.map_or_else(
                || Ok(Vec::new()),
                |view| filling(request, number, view, found, with),
            )
        },
    )?;
    for item in &selected.items {
        if let Some(report) = scopes.get_mut(item.candidate.scope) {
            report.items += 1;
        }
    }
    let items = items(request, views, selected.items)?;
    let tokens = items.iter().map(|item| item.tokens).sum();
    let chain = views.iter().map(|view| &view.scope);
    let prompt = request
        .include
        .prompt
        .then(|| fence::prompt(&items, chain, means.tokens));
    Ok(FetchResponse {
        scopes,
        stale,
        tokens,
        prompt,
        left_out: left_out(views, selected.left_out),
        mode_used: match means.vectors {
            Some(vectors) if !vectors.is_looked_up() => FetchMode::Accurate,
            _ => FetchMode::Fast,
        },
        fallback: None,
        items,
    })
}

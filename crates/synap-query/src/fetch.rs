//! A fetch, from the request to the answer.

use crate::candidate::{candidates, newest};
use crate::items::items;
use crate::select::select;
use crate::{FetchError, QueryVectors, ScopeView};
use synap_readmodel::Snapshot;
use synap_types::{FetchMode, FetchRequest, FetchResponse, ScopeReport};

/// Answers `request` from `views`: the scopes of its chain, narrowest first.
///
/// `stale` says that the caller knows the rows to be behind what was asked for; it is passed through.
pub fn fetch<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    stale: bool,
) -> Result<FetchResponse, FetchError> {
    fetch_with(request, views, stale, None)
}

/// The same, with the vectors of its queries, where there are any: memories then count by what they mean as well.
pub fn fetch_with<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    stale: bool,
    vectors: Option<&QueryVectors>,
) -> Result<FetchResponse, FetchError> {
    // Whoever made the views decided the chain; a scope outside it would be a leak, so it is checked where it matters.
    if views.iter().any(|view| !request.scope.sees(&view.scope)) {
        return Err(FetchError::ForeignRow);
    }
    let mut found = candidates(request, views, vectors)?;
    let mut scopes: Vec<ScopeReport> = views
        .iter()
        .zip(&found)
        .map(|(view, found)| ScopeReport {
            scope: view.scope.kind().to_owned(),
            scope_path: view.scope.path_json(),
            scope_known: found.known,
            items: 0,
            candidates: found.matched.len(),
            applied_seq: view.applied.get(),
        })
        .collect();
    let selected = select(request, &mut found, |number, matched| {
        let Some(view) = views.get(number) else {
            return Ok(Vec::new());
        };
        newest(number, view, &request.types, matched, request.max_results)
    })?;
    for item in &selected {
        if let Some(report) = scopes.get_mut(item.candidate.scope) {
            report.items += 1;
        }
    }
    let items = items(request, views, selected)?;
    let tokens = items.iter().map(|item| item.tokens).sum();
    Ok(FetchResponse {
        items,
        scopes,
        stale,
        tokens,
        mode_used: vectors.map_or(FetchMode::Fast, |_| FetchMode::Accurate),
        fallback: None,
    })
}

//! Selected rows as items of the answer.

use crate::select::Selected;
use crate::{FetchError, ScopeView};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use synap_readmodel::{Snapshot, SnapshotExt as _, key};
use synap_types::limits::ANSWER_BYTES_MAX;
use synap_types::{ContextItem, EventId, FetchRequest, Fold, ItemExplain, MemorySource, Timestamp};

/// Lays out what was selected; looks up the metadata of each event once.
pub(crate) fn items<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    selected: Vec<Selected>,
) -> Result<Vec<ContextItem>, FetchError> {
    let mut metadata = BTreeMap::new();
    let mut items = Vec::with_capacity(selected.len());
    let mut bytes = 0;
    for (at, selected) in selected.into_iter().enumerate() {
        let Some(view) = views.get(selected.candidate.scope) else {
            continue;
        };
        let (given, given_bytes) = metadata_of(view, &selected, &mut metadata)?;
        bytes += selected.candidate.row.text.len() + given_bytes;
        if bytes > ANSWER_BYTES_MAX {
            return Err(FetchError::AnswerTooLarge);
        }
        items.push(item(request, views, view, selected, at + 1, given));
    }
    Ok(items)
}

/// Metadata and its size as JSON.
type Given = (Map<String, Value>, usize);

fn metadata_of<S: Snapshot>(
    view: &ScopeView<'_, S>,
    selected: &Selected,
    known: &mut BTreeMap<(usize, EventId), Given>,
) -> Result<Given, FetchError> {
    let row = &selected.candidate.row;
    let Some(under) = row.metadata else {
        return Ok(Given::default());
    };
    let at = (selected.candidate.scope, under);
    if let Some(found) = known.get(&at) {
        return Ok(found.clone());
    }
    let stored = view.snapshot.row(&key::metadata(view.hash(), under))?;
    let found: Given = stored
        .and_then(|row| Some((serde_json::from_str(&row.json).ok()?, row.json.len())))
        .unwrap_or_default();
    known.insert(at, found.clone());
    Ok(found)
}

fn item<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    view: &ScopeView<'_, S>,
    selected: Selected,
    rank: usize,
    metadata: Map<String, Value>,
) -> ContextItem {
    let explain = request.explain.then(|| explain(views, &selected));
    let Selected {
        candidate, tokens, ..
    } = selected;
    let queries = request.queries.iter().enumerate();
    let queries = queries.filter(|(number, _)| candidate.score.is_of(*number));
    let row = candidate.row;
    ContextItem {
        id: row.id,
        memory_type: row.kind,
        scope: view.scope.kind().to_owned(),
        scope_path: view.scope.path_json(),
        rank,
        rank_score: candidate.score.relevance,
        confidence: row.confidence.clamp(0.0, 1.0),
        source: row.source.to_string(),
        document_id: row.source.to_string(),
        conversation_id: match row.source {
            MemorySource::Document(_) => None,
            MemorySource::Conversation(id) => Some(id),
        },
        turn: row.turn,
        category: row.category.clone(),
        said_at: row.said_at(),
        extracted_at: Timestamp::from_micros(row.accepted_at),
        matched_queries: queries.map(|(_, query)| query.clone()).collect(),
        content: row.text,
        speaker: row.speaker,
        metadata,
        tokens,
        explain,
    }
}

fn explain<S: Snapshot>(views: &[ScopeView<'_, S>], selected: &Selected) -> ItemExplain {
    let candidate = &selected.candidate;
    let mut signals = Map::new();
    signals.insert("bm25".to_owned(), candidate.score.bm25.into());
    if candidate.score.cosine > 0.0 {
        signals.insert("cosine".to_owned(), candidate.score.cosine.into());
    }
    signals.insert("relevance".to_owned(), candidate.score.relevance.into());
    let scope = |number: usize| {
        views
            .get(number)
            .map_or_else(String::new, |view| view.scope.kind().to_owned())
    };
    let fold = |(id, number): &(_, usize)| Fold {
        id: *id,
        scope: scope(*number),
    };
    ItemExplain {
        event_id: candidate.row.event_id.to_string(),
        seq: candidate.row.created_seq,
        span: candidate.row.span,
        signals,
        selected_by: selected.by,
        folded: selected.folded.iter().map(fold).collect(),
    }
}

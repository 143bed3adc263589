//! Rows in memory, written as the projection writes them, and questions to ask of them.

use std::collections::BTreeMap;
use synap_query::{FetchError, Means, QueryVectors, Ranking, ScopeCache, ScopeView, fetch};
use synap_readmodel::{
    CheckpointRow, ErasedRow, MemoryRow, MemoryStore, MetadataRow, Passage, PassageFlags, Posting,
    ReadStore as _, StatsRow, Summary, WriteSet, key,
};
use synap_text::{Source, estimate_tokens, normal_form, statements, term_hash, terms};
use synap_types::limits::RELEVANCE_DEFAULT;
use synap_types::{
    Content, DocumentType, EventId, FetchMode, FetchRequest, FetchResponse, Include, MemoryId,
    MemorySource, ResponseShape, Scope, ScopeLevel, TypeFilter,
};

/// A read model and what it holds.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    /// What earlier questions have read.
    cache: ScopeCache,
    stats: BTreeMap<Scope, StatsRow>,
    seq: u64,
}

impl World {
    /// Stores a document; answers its memories.
    pub(crate) fn add(&mut self, scope: &Scope, document: &str, text: &str) -> Vec<MemoryRow> {
        self.add_as(DocumentType::DOCUMENT, scope, document, text)
    }

    /// Stores a document of a given type.
    pub(crate) fn add_as(
        &mut self,
        document_type: &str,
        scope: &Scope,
        document: &str,
        text: &str,
    ) -> Vec<MemoryRow> {
        self.seq += 1;
        let (hash, mut writes) = (scope.hash(), WriteSet::default());
        let mut rows: Vec<MemoryRow> = Vec::new();
        let stats = self.stats.entry(scope.clone());
        let stats = stats.or_insert_with(|| StatsRow::new(scope.clone()));
        let totals = &mut stats.totals;
        let source = Source {
            content: &Content::Text(text.to_owned()),
            document_type: &document_type.parse().unwrap(),
            said_at: None,
        };
        for statement in statements(&source) {
            let ordinal = totals.next_ordinal;
            let document_id = document.parse().unwrap();
            let id = MemoryRow::id_of(scope, &document_id, &normal_form(&statement.text));
            if rows.iter().any(|row| row.id == id) {
                continue;
            }
            let terms = terms(&statement.text);
            totals.next_ordinal += 1;
            totals.live += 1;
            totals.live_terms += terms.len() as u64;
            totals.live_passage_terms += terms.len() as u64;
            let tokens = estimate_tokens(&statement.text);
            let row = MemoryRow {
                id,
                scope: scope.clone(),
                text: statement.text,
                kind: statement.kind,
                category: statement.category,
                confidence: statement.confidence,
                speaker: statement.speaker,
                said_at: None,
                time: statement.time,
                entities: statement.entities,
                accepted_at: 0,
                updated_at: None,
                source: MemorySource::Document(document_id),
                turn: None,
                event_id: EventId::new(hash.to_uuid()),
                span: [statement.span.start, statement.span.end],
                passage: ordinal,
                passage_memories: 1,
                passage_terms: 0,
                tokens: tokens.try_into().unwrap(),
                sequence: terms.iter().map(|term| term_hash(term)).collect(),
                metadata: None,
                created_seq: self.seq,
                ended_seq: None,
                previous: None,
            };
            rows.push(row);
        }
        for passage in rows.chunks_mut(8) {
            totals.live_passages += 1;
            write_passage(&mut writes, passage, self.seq);
        }
        writes.put(key::stats(&hash), stats);
        let checkpoint = CheckpointRow {
            incarnation: 1,
            seq: self.seq,
            event: [0; 16],
            projection: 1,
        };
        writes.put(key::checkpoint(), &checkpoint);
        self.store.commit(&writes).unwrap();
        rows
    }

    /// Stores a document with metadata, which is JSON.
    pub(crate) fn add_with(
        &mut self,
        scope: &Scope,
        document: &str,
        text: &str,
        json: &str,
    ) -> Vec<MemoryRow> {
        let first = self
            .stats
            .get(scope)
            .map_or(0, |stats| stats.totals.next_ordinal);
        let mut rows = self.add(scope, document, text);
        let (hash, mut writes) = (scope.hash(), WriteSet::default());
        let event = EventId::new(rows.first().unwrap().id.uuid());
        for (ordinal, row) in (first..).zip(&mut rows) {
            row.metadata = Some(event);
            writes.put(key::memory(&hash, ordinal), row);
        }
        let metadata = MetadataRow {
            json: json.to_owned(),
        };
        writes.put(key::metadata(&hash, event), &metadata);
        self.store.commit(&writes).unwrap();
        rows
    }

    /// Erases all that a scope has, as the event does: physically it is there yet.
    pub(crate) fn erase(&mut self, scope: &Scope) {
        self.seq += 1;
        let mut writes = WriteSet::default();
        let row = ErasedRow {
            scope: scope.clone(),
            event_id: EventId::new(scope.hash().to_uuid()),
            seq: self.seq,
        };
        writes.put(key::erased(&scope.hash()), &row);
        self.store.commit(&writes).unwrap();
    }

    /// The answer to `request` over the chain of its scope. It is the same whatever was read before.
    fn answer(
        &self,
        request: &FetchRequest,
        vectors: Option<&QueryVectors>,
    ) -> Result<FetchResponse, FetchError> {
        let rows = self.store.snapshot();
        let ask = |cache: Option<&ScopeCache>| {
            let view = |scope| {
                let view = ScopeView::new(scope, &rows)?;
                Ok(match cache {
                    Some(cache) => view.cached(cache),
                    None => view,
                })
            };
            let views: Result<Vec<_>, FetchError> = request.scope.chain().map(view).collect();
            {
                let ranking = Ranking::default();
                fetch(request, &views?, Means::of(&ranking).with(vectors), false)
            }
        };
        let answer = ask(None);
        for _ in 0..2 {
            let cached = ask(Some(&self.cache));
            assert_eq!(format!("{cached:?}"), format!("{answer:?}"));
        }
        answer
    }

    pub(crate) fn try_ask(&self, request: &FetchRequest) -> Result<FetchResponse, FetchError> {
        self.answer(request, None)
    }

    /// The answer with vectors of the queries.
    pub(crate) fn ask_with(&self, request: &FetchRequest, vectors: &QueryVectors) -> FetchResponse {
        self.answer(request, Some(vectors)).unwrap()
    }

    pub(crate) fn ask(&self, request: &FetchRequest) -> FetchResponse {
        self.try_ask(request).unwrap()
    }
}

/// Writes memories of one document as one passage, each still under its own ordinal in `passage`.
fn write_passage(writes: &mut WriteSet, rows: &mut [MemoryRow], seq: u64) {
    let first = rows.first().map(|row| (row.passage, row.scope.hash()));
    let Some((first, hash)) = first else {
        return;
    };
    let count = u16::try_from(rows.len()).unwrap();
    let mut counts: BTreeMap<String, u16> = BTreeMap::new();
    let name = rows.first().and_then(|row| row.source.name());
    for term in name.iter().flat_map(|name| terms(name)) {
        *counts.entry(term).or_default() += 1;
    }
    let mut bytes = 0;
    for row in rows {
        let ordinal = row.passage;
        (row.passage, row.passage_memories) = (first, count);
        bytes += row.text.len();
        for term in terms(&row.text) {
            *counts.entry(term).or_default() += 1;
        }
        writes.put(key::memory(&hash, ordinal), row);
    }
    let terms = counts.values().sum();
    for (term, tf) in counts {
        let posting = Posting {
            ordinal: first,
            tf,
            terms,
        };
        let at = key::posting_chunk(&hash, &term, posting.chunk());
        writes.append(at, &posting.bytes());
        let at = key::summary(&hash, &term, posting.chunk());
        writes.append(at, &Summary::of(posting).bytes());
    }
    let passage = Passage {
        ordinal: first,
        before: None,
        thread: seq,
        seq,
        said_at: 0,
        speaker: [0; 2],
        thread_terms: 0,
        memories: count,
        terms,
        text_bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
        flags: PassageFlags::NONE,
    };
    writes.append(key::passage_chunk(&hash, passage.chunk()), &passage.bytes());
}

/// The client's scope, a customer's, or a user's.
pub(crate) fn scope(ids: &[&str]) -> Scope {
    let level = |(name, id): (&&str, &&str)| ScopeLevel {
        level: name.parse().unwrap(),
        id: id.parse().unwrap(),
    };
    let path = ["customer", "user"].iter().zip(ids).map(level).collect();
    Scope::new("app".parse().unwrap(), path).unwrap()
}

/// A fetch of up to ten items.
pub(crate) fn request(scope: &Scope, queries: &[&str]) -> FetchRequest {
    FetchRequest {
        scope: scope.clone(),
        queries: queries.iter().map(|query| (*query).to_owned()).collect(),
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
        explain: true,
        freshness: None,
        as_of: None,
        conversation: None,
        conversation_first: false,
        with_conversation: true,
    }
}

/// A fetch of up to ten items that turns the floor off, so that room is filled with whatever there is.
pub(crate) fn everything(scope: &Scope, queries: &[&str]) -> FetchRequest {
    FetchRequest {
        min_relevance: 0.0,
        ..request(scope, queries)
    }
}

/// Kind of scope and text of each item.
pub(crate) fn told(answer: &FetchResponse) -> Vec<(&str, &str)> {
    let items = answer.items.iter();
    items
        .map(|item| (item.scope.as_str(), item.content.as_str()))
        .collect()
}

/// Ids of the items.
pub(crate) fn ids(answer: &FetchResponse) -> Vec<MemoryId> {
    answer.items.iter().map(|item| item.id).collect()
}

//! Rows in memory, written as the projection writes them, and questions to ask of them.

use std::collections::BTreeMap;
use synap_query::{FetchError, QueryVectors, ScopeView, fetch, fetch_with};
use synap_readmodel::{
    CheckpointRow, MemoryRow, MemoryStore, Posting, ReadStore as _, StatsRow, WriteSet, key,
};
use synap_text::{Source, normal_form, statements, terms};
use synap_types::{
    Content, DocumentType, EventId, FetchMode, FetchRequest, FetchResponse, MemoryId, MemorySource,
    ResponseShape, Scope, ScopeLevel, TypeFilter,
};

/// A read model and what it holds.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    totals: BTreeMap<Scope, StatsRow>,
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
        let totals = self.totals.entry(scope.clone());
        let totals = totals.or_insert_with(|| StatsRow::new(scope.clone()));
        let source = Source {
            content: &Content::Text(text.to_owned()),
            document_type: &document_type.parse().unwrap(),
        };
        for statement in statements(&source) {
            let ordinal = totals.next_ordinal;
            let document_id = document.parse().unwrap();
            let id = MemoryRow::id_of(scope, &document_id, &normal_form(&statement.text));
            if rows.iter().any(|row| row.id == id) {
                continue;
            }
            let terms = index(&mut writes, scope, ordinal, &statement.text);
            totals.next_ordinal += 1;
            totals.live += 1;
            totals.live_terms += u64::from(terms);
            let row = MemoryRow {
                id,
                scope: scope.clone(),
                text: statement.text,
                kind: statement.kind,
                category: statement.category,
                confidence: statement.confidence,
                speaker: statement.speaker,
                said_at: None,
                accepted_at: 0,
                updated_at: None,
                source: MemorySource::Document(document_id),
                turn: None,
                event_id: EventId::new(hash.to_uuid()),
                span: [statement.span.start, statement.span.end],
                terms,
                metadata: None,
                created_seq: self.seq,
                ended_seq: None,
            };
            writes.put(key::memory(&hash, ordinal), &row);
            rows.push(row);
        }
        writes.put(key::stats(&hash), totals);
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

    /// The answer to `request` over the chain of its scope.
    pub(crate) fn try_ask(&self, request: &FetchRequest) -> Result<FetchResponse, FetchError> {
        let rows = self.store.snapshot();
        let views = request
            .scope
            .chain()
            .map(|scope| ScopeView::new(scope, &rows));
        fetch(request, &views.collect::<Result<Vec<_>, _>>()?, false)
    }

    /// The same with vectors of its queries.
    pub(crate) fn ask_with(&self, request: &FetchRequest, vectors: &QueryVectors) -> FetchResponse {
        let rows = self.store.snapshot();
        let views = request
            .scope
            .chain()
            .map(|scope| ScopeView::new(scope, &rows));
        let views = views.collect::<Result<Vec<_>, _>>().unwrap();
        fetch_with(request, &views, false, Some(vectors)).unwrap()
    }

    pub(crate) fn ask(&self, request: &FetchRequest) -> FetchResponse {
        self.try_ask(request).unwrap()
    }
}

/// Adds a memory to the postings of its terms; answers how many it has.
fn index(writes: &mut WriteSet, scope: &Scope, ordinal: u32, text: &str) -> u16 {
    let mut counts: BTreeMap<String, u16> = BTreeMap::new();
    for term in terms(text) {
        *counts.entry(term).or_default() += 1;
    }
    let terms = counts.values().sum();
    for (term, tf) in counts {
        let posting = Posting { ordinal, tf, terms };
        let at = key::posting_chunk(&scope.hash(), &term, posting.chunk());
        writes.append(at, &posting.bytes());
    }
    terms
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
        types: TypeFilter::default(),
        mode: FetchMode::Fast,
        shape: ResponseShape::Ranked,
        explain: true,
        freshness: None,
        conversation: None,
        conversation_first: false,
        with_conversation: true,
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

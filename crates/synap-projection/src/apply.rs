//! The projection: what one event does to the rows.

use crate::State;
use std::collections::{BTreeMap, BTreeSet};
use synap_readmodel::{
    DocumentRow, IngestionRow, MemoryIndexRow, MemoryRow, MetadataRow, Posting, SeenRow, Snapshot,
    StatsRow, StoreError, key,
};
use synap_text::{Source, Statement, TEXT_VERSION, normal_form, statements, terms};
use synap_types::{
    Event, EventBody, Hash128, IdempotencyKey, MemoryId, MemoryIngested, Scope, Seq,
};

/// Raised when the same events give other rows: stores of another version are rebuilt. The low half is the text's.
pub const PROJECTION_VERSION: u32 = (1 << 16) | TEXT_VERSION;

/// Why an event cannot be applied. Reads well after "could not apply: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The rows cannot be read: not the event's fault, nothing may be parked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The scope has as many memories as ordinals can count.
    #[error("the scope is full")]
    ScopeFull,
}

/// Adds to `state` what `event` does. Applied twice, it does nothing the second time.
pub fn apply<S: Snapshot>(
    event: &Event,
    seq: Seq,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    match &event.body {
        EventBody::MemoryIngested(data) => Ingest {
            event,
            data,
            seq,
            hash: data.scope.hash(),
        }
        .apply(state),
        _ => Ok(()),
    }
}

/// One `MemoryIngested` on its way into the rows.
struct Ingest<'a> {
    event: &'a Event,
    data: &'a MemoryIngested,
    seq: Seq,
    hash: Hash128,
}

impl Ingest<'_> {
    fn apply<S: Snapshot>(&self, state: &mut State<'_, S>) -> Result<(), ApplyError> {
        let seen = || key::seen(&self.hash, self.event.id);
        if state.row(&seen())?.is_some() {
            return Ok(());
        }
        state.put(
            seen(),
            &SeenRow {
                seq: self.seq.get(),
                document_id: self.data.document_id.clone(),
            },
        );
        let content = IdempotencyKey::content_hash(&self.data.content);
        let before = state.row(&key::document(&self.hash, &self.data.document_id))?;
        let memory_ids = match before {
            Some(same) if same.content == *content.bytes() => self.ids_of(&same, state)?,
            before => self.replace(before, content, state)?,
        };
        let row = IngestionRow {
            ingestion_id: self.data.ingestion_id,
            scope: self.data.scope.clone(),
            document_id: self.data.document_id.clone(),
            accepted_at: self.event.time.micros(),
            seq: self.seq.get(),
            memory_ids,
            parked: None,
        };
        let client = Scope::of_client(self.data.scope.client().clone()).hash();
        state.put(key::ingestion(&client, self.data.ingestion_id), &row);
        Ok(())
    }

    fn ids_of<S: Snapshot>(
        &self,
        document: &DocumentRow,
        state: &State<'_, S>,
    ) -> Result<Vec<MemoryId>, ApplyError> {
        let rows = document
            .ordinals
            .iter()
            .map(|ordinal| state.row(&key::memory(&self.hash, *ordinal)));
        Ok(rows
            .filter_map(Result::transpose)
            .map(|row| row.map(|row| row.id))
            .collect::<Result<_, _>>()?)
    }

    /// Ends the memories of the version `before`, and writes those of this one.
    fn replace<S: Snapshot>(
        &self,
        before: Option<DocumentRow>,
        content: Hash128,
        state: &mut State<'_, S>,
    ) -> Result<Vec<MemoryId>, ApplyError> {
        let mut totals = state
            .row(&key::stats(&self.hash))?
            .unwrap_or_else(|| StatsRow {
                scope: self.data.scope.clone(),
                next_ordinal: 0,
                live: 0,
                live_terms: 0,
                documents: 0,
            });
        match &before {
            None => totals.documents += 1,
            Some(before) => self.end(before, &mut totals, state)?,
        }
        if !self.data.metadata.is_empty() {
            let json = serde_json::Value::Object(self.data.metadata.clone()).to_string();
            state.put(
                key::metadata(&self.hash, self.event.id),
                &MetadataRow { json },
            );
        }
        let (mut ids, mut known, mut ordinals) = (Vec::new(), BTreeSet::new(), Vec::new());
        let source = Source {
            content: &self.data.content,
            document_type: &self.data.document_type,
        };
        for statement in statements(&source) {
            let id = MemoryRow::id_of(
                &self.data.scope,
                &self.data.document_id,
                &normal_form(&statement.text),
            );
            if !known.insert(id) {
                continue;
            }
            let ordinal = totals.next_ordinal;
            totals.next_ordinal = ordinal.checked_add(1).ok_or(ApplyError::ScopeFull)?;
            let terms = self.index(ordinal, &statement.text, state);
            totals.live += 1;
            totals.live_terms += u64::from(terms);
            state.put(
                key::memory_index(&self.hash, id),
                &MemoryIndexRow { ordinal },
            );
            state.put(
                key::memory(&self.hash, ordinal),
                &self.row(id, statement, terms),
            );
            ids.push(id);
            ordinals.push(ordinal);
        }
        let row = DocumentRow {
            document_id: self.data.document_id.clone(),
            scope: self.data.scope.clone(),
            event_id: self.event.id,
            seq: self.seq.get(),
            content: *content.bytes(),
            version: before.map_or(1, |before| before.version + 1),
            ordinals,
        };
        state.put(key::document(&self.hash, &self.data.document_id), &row);
        state.put(key::stats(&self.hash), &totals);
        Ok(ids)
    }

    /// Marks the memories of a document's version as superseded here.
    fn end<S: Snapshot>(
        &self,
        document: &DocumentRow,
        totals: &mut StatsRow,
        state: &mut State<'_, S>,
    ) -> Result<(), ApplyError> {
        for ordinal in &document.ordinals {
            let at = || key::memory(&self.hash, *ordinal);
            let Some(mut row) = state.row(&at())?.filter(MemoryRow::is_live) else {
                continue;
            };
            row.ended_seq = Some(self.seq.get());
            totals.live = totals.live.saturating_sub(1);
            totals.live_terms = totals.live_terms.saturating_sub(u64::from(row.terms));
            state.put(at(), &row);
        }
        Ok(())
    }

    /// Adds a statement to the postings of its terms; answers how many terms it has. Its speaker is part of its text.
    fn index<S: Snapshot>(&self, ordinal: u32, text: &str, state: &mut State<'_, S>) -> u16 {
        let terms = terms(text);
        let total = u16::try_from(terms.len()).unwrap_or(u16::MAX);
        let mut counts: BTreeMap<String, u16> = BTreeMap::new();
        for term in terms {
            let count = counts.entry(term).or_default();
            *count = count.saturating_add(1);
        }
        for (term, tf) in counts {
            let posting = Posting {
                ordinal,
                tf,
                terms: total,
            };
            state.append(
                key::posting_chunk(&self.hash, &term, posting.chunk()),
                &posting.bytes(),
            );
        }
        total
    }

    fn row(&self, id: MemoryId, statement: Statement, terms: u16) -> MemoryRow {
        let said_at = statement.said_at.or(self.data.document_created_at);
        MemoryRow {
            id,
            scope: self.data.scope.clone(),
            text: statement.text,
            kind: statement.kind,
            category: statement.category,
            confidence: statement.confidence,
            speaker: statement.speaker,
            said_at: said_at.map(synap_types::Timestamp::micros),
            accepted_at: self.event.time.micros(),
            document_id: self.data.document_id.clone(),
            event_id: self.event.id,
            span: [statement.span.start, statement.span.end],
            terms,
            has_metadata: !self.data.metadata.is_empty(),
            created_seq: self.seq.get(),
            ended_seq: None,
        }
    }
}

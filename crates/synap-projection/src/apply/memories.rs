//! Memories of one scope on their way into the rows: indexed, counted, and in the user's profile.

use super::passages::{self, Passages};
use super::{ApplyError, At};
use crate::State;
use crate::extract::{Worded, Words};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use synap_readmodel::{
    FreshRow, MemoryIndexRow, MemoryRow, MetadataRow, PROFILE_ATTRIBUTES_MAX, ProfileAttribute,
    ProfileRow, Snapshot, StatsRow, key, last_erasure,
};
use synap_text::{Statement, attributes};
use synap_types::{
    ConversationId, EventId, LevelName, MemoryId, MemorySource, Timestamp, TurnRole,
};

/// What a statement comes from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The document or conversation.
    pub(super) source: MemorySource,
    /// The turn, and who spoke.
    pub(super) turn: Option<(u32, TurnRole)>,
    /// When the source was written, if it does not say it of the statement.
    pub(super) said_at: Option<Timestamp>,
    /// Under which id its metadata stands, if it has any.
    pub(super) metadata: Option<EventId>,
}

/// The writer of one scope's memories. What it counts is written by [`Memories::close`].
#[derive(Debug)]
pub(super) struct Memories<'a> {
    at: &'a At<'a>,
    stats: StatsRow,
    /// Of a user's scope: as it stands, and whether it has changed.
    profile: Option<(ProfileRow, bool)>,
    /// The last erasure that covers the scope; 0 if there is none.
    erased: u64,
    known: BTreeSet<MemoryId>,
    /// Whether there may have been earlier versions of what is added.
    is_replacing: bool,
    passages: Passages,
    /// The ordinal of the first memory that this event adds.
    first: u32,
}

impl<'a> Memories<'a> {
    pub(super) fn open<S: Snapshot>(
        at: &'a At<'a>,
        state: &State<'_, S>,
    ) -> Result<Self, ApplyError> {
        let erased = last_erasure(at.scope, |key| state.row(key))?.map_or(0, |row| row.seq);
        let known = state
            .row(&key::stats(&at.hash))?
            .unwrap_or_else(|| StatsRow::new(at.scope.clone()))
            .after_erasure(erased);
        let profile = if at.scope.kind() == LevelName::USER {
            let row = state.row(&key::profile(&at.hash))?;
            let mut row = row.unwrap_or_else(|| ProfileRow {
                scope: at.scope.clone(),
                attributes: BTreeMap::new(),
            });
            row.attributes.retain(|_, known| known.seq > erased);
            Some((row, false))
        } else {
            None
        };
        Ok(Self {
            at,
            profile,
            erased,
            known: BTreeSet::new(),
            is_replacing: false,
            passages: Passages::default(),
            first: known.totals.next_ordinal,
            stats: known,
        })
    }

    /// The last erasure that covers the scope: what is not younger is gone.
    pub(super) const fn erased(&self) -> u64 {
        self.erased
    }

    /// Memories that can be told.
    pub(super) const fn count(&self) -> u32 {
        self.stats.totals.live
    }

    /// What is added from now on takes the place of an earlier version.
    pub(super) const fn replace(&mut self) {
        self.is_replacing = true;
    }

    /// One more document.
    pub(super) const fn count_document(&mut self) {
        self.stats.documents += 1;
    }

    /// Writes the caller's data of `event`, if there is any; answers under which id.
    pub(super) fn metadata<S: Snapshot>(
        &self,
        event: EventId,
        metadata: &Map<String, Value>,
        state: &mut State<'_, S>,
    ) -> Option<EventId> {
        if metadata.is_empty() {
            return None;
        }
        let json = serde_json::to_string(metadata).unwrap_or_default();
        state.put(key::metadata(&self.at.hash, event), &MetadataRow { json });
        Some(event)
    }

    /// Adds a statement as the memory `id`, unless this event added it before or it was forgotten. Answers its ordinal.
    pub(super) fn add<S: Snapshot>(
        &mut self,
        id: MemoryId,
        worded: Worded,
        origin: &Origin,
        state: &mut State<'_, S>,
    ) -> Result<Option<u32>, ApplyError> {
        let Worded {
            statement, words, ..
        } = worded;
        if self.is_forgotten(id, state)? || !self.known.insert(id) {
            return Ok(None);
        }
        let previous = self.previous(id, state)?;
        self.learn(id, &statement, origin, true);
        let said_at = statement.said_at.or(origin.said_at);
        let row = MemoryRow {
            id,
            scope: self.at.scope.clone(),
            text: statement.text,
            kind: statement.kind,
            category: statement.category,
            confidence: statement.confidence,
            speaker: statement.speaker,
            said_at: said_at.map(Timestamp::micros),
            time: statement.time,
            entities: statement.entities,
            accepted_at: self.at.accepted_at(),
            updated_at: None,
            source: origin.source.clone(),
            turn: origin.turn.map(|(number, _)| number),
            event_id: self.at.event.id,
            span: [statement.span.start, statement.span.end],
            passage: 0,
            passage_memories: 0,
            passage_terms: 0,
            tokens: 0,
            sequence: Vec::new(),
            metadata: origin.metadata,
            created_seq: self.at.seq.get(),
            ended_seq: None,
            previous,
        };
        self.write_worded(row, words, state).map(Some)
    }

    /// The ordinal of what the memory was in an earlier version of its document.
    fn previous<S: Snapshot>(
        &self,
        id: MemoryId,
        state: &State<'_, S>,
    ) -> Result<Option<u32>, ApplyError> {
        if !self.is_replacing {
            return Ok(None);
        }
        let index = state.row(&key::memory_index(&self.at.client, id))?;
        let own = index.filter(|index| index.scope == *self.at.scope);
        Ok(own.map(|index| index.ordinal))
    }

    /// Whether the memory was forgotten. What was forgotten before an erasure is new after it, like everything else.
    fn is_forgotten<S: Snapshot>(
        &self,
        id: MemoryId,
        state: &State<'_, S>,
    ) -> Result<bool, ApplyError> {
        if self.stats.forgotten == 0 {
            return Ok(false);
        }
        let tombstone = state.row(&key::tombstone(&self.at.hash, id))?;
        Ok(tombstone.is_some_and(|row| !row.lifted && row.seq > self.erased))
    }

    /// Gives `row` the next ordinal. It is written with its passage, by [`Self::end_passage`].
    pub(super) fn write<S: Snapshot>(
        &mut self,
        row: MemoryRow,
        state: &mut State<'_, S>,
    ) -> Result<u32, ApplyError> {
        let words = Words::of(&row.text);
        self.write_worded(row, words, state)
    }

    fn write_worded<S: Snapshot>(
        &mut self,
        row: MemoryRow,
        words: Words,
        state: &mut State<'_, S>,
    ) -> Result<u32, ApplyError> {
        let ordinal = self.stats.totals.next_ordinal;
        self.stats.totals.next_ordinal = ordinal.checked_add(1).ok_or(ApplyError::ScopeFull)?;
        let index = MemoryIndexRow {
            scope: self.at.scope.clone(),
            ordinal,
        };
        state.put(key::memory_index(&self.at.client, row.id), &index);
        if self.passages.is_full(&row) {
            self.end_passage(state)?;
        }
        self.passages.push(ordinal, row, words);
        Ok(ordinal)
    }

    /// What was written since the last call is one passage: a turn, or a part of a document.
    pub(super) fn end_passage<S: Snapshot>(
        &mut self,
        state: &mut State<'_, S>,
    ) -> Result<(), ApplyError> {
        let written = self.passages.end(self.at, self.erased, state)?;
        self.stats.totals.live += written.memories;
        self.stats.totals.live_terms += written.terms;
        self.stats.totals.live_passages += u32::from(written.memories > 0);
        self.stats.totals.live_passage_terms += written.passage_terms;
        Ok(())
    }

    /// One document less.
    pub(super) const fn uncount_document(&mut self) {
        self.stats.documents = self.stats.documents.saturating_sub(1);
    }

    /// The memory at `ordinal`, if it can be told.
    pub(super) fn live<S: Snapshot>(
        &self,
        ordinal: u32,
        state: &State<'_, S>,
    ) -> Result<Option<MemoryRow>, ApplyError> {
        let row = state.row(&key::memory(&self.at.hash, ordinal))?;
        Ok(row.filter(|row| row.is_live() && row.created_seq > self.erased))
    }

    /// Marks memories as ended by this event. Answers those that could be told until now.
    pub(super) fn end<S: Snapshot>(
        &mut self,
        ordinals: &[u32],
        state: &mut State<'_, S>,
    ) -> Result<Vec<MemoryId>, ApplyError> {
        let mut ended = Vec::new();
        let mut touched = BTreeMap::new();
        for ordinal in ordinals {
            let Some(mut row) = self.live(*ordinal, state)? else {
                continue;
            };
            row.ended_seq = Some(self.at.seq.get());
            self.stats.totals.live = self.stats.totals.live.saturating_sub(1);
            self.stats.totals.live_terms = self.stats.totals.live_terms.saturating_sub(row.terms());
            self.unlearn(row.id);
            ended.push(row.id);
            touched.insert(row.passage, (row.passage_memories, row.passage_terms));
            state.put(key::memory(&self.at.hash, *ordinal), &row);
        }
        for (first, (memories, terms)) in touched {
            let mut rows = Vec::new();
            for ordinal in first..first.saturating_add(memories.into()) {
                rows.extend(state.row(&key::memory(&self.at.hash, ordinal))?);
            }
            if !rows.iter().any(MemoryRow::is_live) {
                self.stats.totals.live_passages = self.stats.totals.live_passages.saturating_sub(1);
                let left = self.stats.totals.live_passage_terms;
                self.stats.totals.live_passage_terms = left.saturating_sub(terms.into());
                passages::forget(self.at, first, &rows, state);
            }
        }
        Ok(ended)
    }

    /// One more memory that may not come back.
    pub(super) const fn count_forgotten(&mut self) {
        self.stats.forgotten += 1;
    }

    /// Writes what was counted, and the last passage.
    pub(super) fn close<S: Snapshot>(mut self, state: &mut State<'_, S>) -> Result<(), ApplyError> {
        self.end_passage(state)?;
        self.passages.close(self.at, state);
        state.put(key::stats(&self.at.hash), &self.stats);
        if self.first < self.stats.totals.next_ordinal {
            let row = FreshRow {
                scope: self.at.scope.clone(),
                first: self.first,
                end: self.stats.totals.next_ordinal,
            };
            state.put(key::fresh(self.at.seq), &row);
        }
        if let Some((profile, true)) = self.profile {
            state.put(key::profile(&self.at.hash), &profile);
        }
        Ok(())
    }

    /// Takes up what a statement says of the user. The user's own words count, and documents in the user's own scope.
    /// What is known stays known, unless it is `newest`.
    fn learn(&mut self, id: MemoryId, statement: &Statement, origin: &Origin, newest: bool) {
        let Some((profile, changed)) = &mut self.profile else {
            return;
        };
        if origin.turn.is_some_and(|(_, role)| role != TurnRole::User) {
            return;
        }
        let known_name = profile
            .attributes
            .get("name")
            .map(|known| known.value.clone());
        let user = self
            .at
            .scope
            .path()
            .last()
            .map_or("", |level| level.id.as_str());
        let names: Vec<&str> = user
            .split(|c: char| !c.is_alphanumeric())
            .chain(known_name.iter().flat_map(|name| name.split(' ')))
            .filter(|name| !name.is_empty())
            .collect();
        let said_at = statement.said_at.or(origin.said_at);
        for found in attributes(statement, &names) {
            let known = ProfileAttribute {
                value: found.value,
                confidence: found.confidence,
                updated_at: said_at.map_or_else(|| self.at.accepted_at(), Timestamp::micros),
                memory_id: id,
                conversation: conversation_of(&origin.source),
                seq: self.at.seq.get(),
            };
            if newest || !profile.attributes.contains_key(&found.name) {
                profile.attributes.insert(found.name, known);
                *changed = true;
            }
        }
        while profile.attributes.len() > PROFILE_ATTRIBUTES_MAX {
            let oldest = profile.attributes.iter().min_by_key(|(_, known)| known.seq);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else {
                break;
            };
            profile.attributes.remove(&name);
        }
    }

    /// Takes up what a memory that is told again says of the user, as far as nothing else said it since. `role` spoke it.
    pub(super) fn relearn(&mut self, row: &MemoryRow, role: Option<TurnRole>) {
        let statement = Statement {
            text: row.text.clone(),
            span: row.span[0]..row.span[1],
            kind: row.kind,
            speaker: row.speaker.clone(),
            confidence: row.confidence,
            category: row.category.clone(),
            title: None,
            said_at: row.said_at(),
            time: row.time.clone(),
            entities: row.entities.clone(),
        };
        let origin = Origin {
            source: row.source.clone(),
            turn: row.turn.zip(role),
            said_at: row.said_at(),
            metadata: row.metadata,
        };
        self.learn(row.id, &statement, &origin, false);
    }

    /// Drops what a memory that is not told any more said of the user.
    fn unlearn(&mut self, id: MemoryId) {
        if let Some((profile, changed)) = &mut self.profile {
            let before = profile.attributes.len();
            profile.attributes.retain(|_, known| known.memory_id != id);
            *changed |= profile.attributes.len() != before;
        }
    }
}

/// The conversation that a memory was said in.
const fn conversation_of(source: &MemorySource) -> Option<ConversationId> {
    match source {
        MemorySource::Document(_) => None,
        MemorySource::Conversation(id) => Some(*id),
    }
}

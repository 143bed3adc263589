//! One scope of a chain, as it can be read.

use crate::cache::Kept;
use crate::passages::Passages;
use crate::{FetchError, ScopeCache};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use synap_readmodel::{
    HistoryRow, MemoryHead, MemoryRow, PASSAGE_CHUNK_ORDINALS, Passage, PassageFlags, Snapshot,
    SnapshotExt as _, StatsRow, StoreError, Totals, codec, key, last_erasure,
};
use synap_types::{ConversationId, Hash128, MemorySource, Scope, Seq};

/// One scope and the snapshot of its partition. Every read of a fetch goes through one of these.
#[derive(Debug)]
pub struct ScopeView<'a, S> {
    /// Whose memories.
    pub scope: Scope,
    /// Rows of the scope's partition.
    pub snapshot: &'a S,
    /// Last event that those rows hold.
    pub applied: Seq,
    hash: Hash128,
    /// How the rows of its memories begin.
    memory_start: Vec<u8>,
    /// Place of the last erasure that covers the scope; 0 if there is none.
    erased: u64,
    /// Place of the last event that is seen, where a past state is asked for.
    until: Option<Seq>,
    part: Part,
    /// What is kept of the store, with the version of this snapshot.
    cache: Option<(&'a ScopeCache, u64)>,
}

/// Which of a scope's memories a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// All of them.
    #[default]
    Whole,
    /// Those that were said in this conversation.
    Of(ConversationId),
    /// All but those.
    Beside(ConversationId),
}

impl Part {
    fn has(self, source: &MemorySource) -> bool {
        match self {
            Self::Whole => true,
            Self::Of(id) => *source == MemorySource::Conversation(id),
            Self::Beside(id) => *source != MemorySource::Conversation(id),
        }
    }
}

/// A memory of which only the head was read.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(crate) head: MemoryHead,
    /// All of it, as [`ScopeView::decode`] reads it.
    pub(crate) value: Vec<u8>,
}

impl<'a, S: Snapshot> ScopeView<'a, S> {
    /// `scope` as `snapshot` shows it.
    pub fn new(scope: Scope, snapshot: &'a S) -> Result<Self, FetchError> {
        let checkpoint = snapshot.row(&key::checkpoint())?;
        let applied = checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq));
        let erased = last_erasure(&scope, |key| snapshot.row(key))?;
        Ok(Self {
            hash: scope.hash(),
            memory_start: codec::memory_start(&scope),
            erased: erased.map_or(0, |row| row.seq),
            until: None,
            part: Part::Whole,
            cache: None,
            scope,
            snapshot,
            applied,
        })
    }

    /// With what fetches have read of the same store.
    #[must_use]
    pub fn cached(self, cache: &'a ScopeCache) -> Self {
        let version = self.snapshot.version();
        Self {
            cache: version.map(|version| (cache, version)),
            ..self
        }
    }

    /// What is kept of the scope as it is now, if anything is. `read` is asked where it is not known.
    pub(crate) fn kept(
        &self,
        read: impl FnOnce() -> Result<Passages, FetchError>,
    ) -> Result<Option<Arc<Kept>>, FetchError> {
        let Some((cache, version)) = self.cache.filter(|_| !self.is_past()) else {
            return Ok(None);
        };
        cache.of((&self.scope, &self.hash), version, read).map(Some)
    }

    /// Keeps what is kept within its limits.
    pub(crate) fn trim_cache(&self) {
        if let Some((cache, _)) = self.cache {
            cache.trim();
        }
    }

    /// As it was after the event at `until`, but for what was erased since.
    #[must_use]
    pub fn up_to(self, until: Seq) -> Self {
        Self {
            until: Some(until),
            applied: self.applied.min(until),
            ..self
        }
    }

    /// Only a part of it.
    #[must_use]
    pub fn part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// Its name in keys.
    pub const fn hash(&self) -> &Hash128 {
        &self.hash
    }

    /// Its statistics; none where nothing was ever stored.
    pub fn stats(&self) -> Result<Option<StatsRow>, FetchError> {
        let stats = self.snapshot.row(&key::stats(&self.hash))?;
        match stats {
            Some(row) if row.scope != self.scope => Err(FetchError::ForeignRow),
            Some(row) => Ok(Some(row.after_erasure(self.erased))),
            None => Ok(None),
        }
    }

    /// What a fetch counts of it; none where nothing was stored.
    pub(crate) fn totals(&self) -> Result<Option<Totals>, FetchError> {
        let Some(until) = self.until else {
            return Ok(self.stats()?.map(|row| row.totals));
        };
        let last = self.history_at(until)?;
        Ok(last.map(|(_, row)| row.totals.after_erasure(self.erased)))
    }

    /// The last event of the scope up to `seq`.
    pub fn history_at(&self, seq: Seq) -> Result<Option<(Seq, HistoryRow)>, FetchError> {
        let histories = key::histories(&self.hash);
        let last = self
            .snapshot
            .last_at(&histories, &seq.get().to_be_bytes())?;
        last.map(|(rest, value)| self.history(&rest, &value))
            .transpose()
    }

    /// The event in `value`. A row of another scope is an error.
    pub(crate) fn history(
        &self,
        rest: &[u8],
        value: &[u8],
    ) -> Result<(Seq, HistoryRow), FetchError> {
        let seq = Seq::new(rest.try_into().map_or(0, u64::from_be_bytes));
        let row: HistoryRow = codec::decode(value).map_err(|source| {
            let key = key::history(&self.hash, seq).into_key();
            StoreError::Row { key, source }
        })?;
        if row.scope == self.scope {
            Ok((seq, row))
        } else {
            Err(FetchError::ForeignRow)
        }
    }

    /// Whether a fetch can return this memory of the scope.
    pub fn tells(&self, row: &MemoryRow) -> bool {
        self.tells_of(&row.source, row.created_seq, row.ended_seq)
    }

    /// As [`Self::tells`], of a memory that was made and ended at these places.
    pub(crate) fn tells_of(&self, source: &MemorySource, created: u64, ended: Option<u64>) -> bool {
        self.is_live(ended) && self.holds(created) && self.part.has(source)
    }

    /// Whether what was written at `seq` is seen: not erased since, nor younger than what is asked for.
    pub fn holds(&self, seq: u64) -> bool {
        seq > self.erased && self.is_made(seq)
    }

    /// Whether what was written at `seq` is not younger than what is asked for.
    pub(crate) fn is_made(&self, seq: u64) -> bool {
        self.until.is_none_or(|until| seq <= until.get())
    }

    /// Whether what ended at `ended`, if it did, is still seen.
    pub(crate) fn is_live(&self, ended: Option<u64>) -> bool {
        ended.is_none_or(|ended| self.until.is_some_and(|until| ended > until.get()))
    }

    /// Whether a past state is asked for.
    pub(crate) const fn is_past(&self) -> bool {
        self.until.is_some()
    }

    /// One memory. A row of another scope is an error, never an answer.
    pub fn memory(&self, ordinal: u32) -> Result<Option<MemoryRow>, FetchError> {
        let value = self.snapshot.get(key::memory(&self.hash, ordinal).key())?;
        value.map(|value| self.decode(ordinal, &value)).transpose()
    }

    /// The passages that begin at one of `ordinals` and can be told, in order.
    pub fn passages(&self, ordinals: Range<u32>) -> Result<Vec<Passage>, FetchError> {
        let chunks =
            ordinals.start / PASSAGE_CHUNK_ORDINALS..ordinals.end.div_ceil(PASSAGE_CHUNK_ORDINALS);
        let keys: Vec<_> = chunks
            .map(|chunk| key::passage_chunk(&self.hash, chunk))
            .collect();
        let mut found = BTreeMap::new();
        for chunk in self.snapshot.get_many(&keys)?.into_iter().flatten() {
            for passage in Passage::read(&chunk).filter(|known| ordinals.contains(&known.ordinal)) {
                if passage.flags.has(PassageFlags::ENDED) {
                    found.remove(&passage.ordinal);
                } else if self.holds(passage.seq) {
                    found.insert(passage.ordinal, passage);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The memories of a passage that can be told, in order.
    pub fn told_of(&self, passage: &Passage) -> Result<Vec<MemoryRow>, FetchError> {
        let end = passage.ordinal.saturating_add(passage.memories.into());
        let rows = self.memories(passage.ordinal..end)?;
        Ok(rows
            .into_iter()
            .flatten()
            .filter(|row| self.tells(row))
            .collect())
    }

    /// Memories at once, in the order of `ordinals`. A row of another scope is an error, never an answer.
    pub(crate) fn memories(
        &self,
        ordinals: impl Iterator<Item = u32>,
    ) -> Result<Vec<Option<MemoryRow>>, FetchError> {
        let ordinals: Vec<u32> = ordinals.collect();
        self.stored(&ordinals, |ordinal, value| self.decode(ordinal, &value))
    }

    /// As [`Self::memories`], read no further than to their heads.
    pub(crate) fn glances(&self, ordinals: &[u32]) -> Result<Vec<Option<Glance>>, FetchError> {
        self.stored(ordinals, |ordinal, value| self.glance(ordinal, value))
    }

    fn stored<T>(
        &self,
        ordinals: &[u32],
        read: impl Fn(u32, Vec<u8>) -> Result<T, FetchError>,
    ) -> Result<Vec<Option<T>>, FetchError> {
        let at = |ordinal: &u32| key::memory(&self.hash, *ordinal).into_key();
        let keys: Vec<_> = ordinals.iter().map(at).collect();
        let values = self.snapshot.get_many(&keys)?.into_iter();
        let read = |(value, ordinal): (Option<Vec<u8>>, &u32)| {
            value.map(|value| read(*ordinal, value)).transpose()
        };
        values.zip(ordinals).map(read).collect()
    }

    fn glance(&self, ordinal: u32, value: Vec<u8>) -> Result<Glance, FetchError> {
        let head = codec::memory_head(&self.memory_start, &value);
        let Ok(Some(head)) = head else {
            // Read in full, it says what is wrong with it.
            self.decode(ordinal, &value)?;
            return Err(FetchError::ForeignRow);
        };
        Ok(Glance { head, value })
    }

    /// The memory in `value`, which stands under the key of `ordinal`. A row of another scope is an error.
    pub(crate) fn decode(&self, ordinal: u32, value: &[u8]) -> Result<MemoryRow, FetchError> {
        let row: MemoryRow = codec::decode(value).map_err(|source| {
            let key = key::memory(&self.hash, ordinal).into_key();
            StoreError::Row { key, source }
        })?;
        if row.scope == self.scope {
            Ok(row)
        } else {
            Err(FetchError::ForeignRow)
        }
    }
}

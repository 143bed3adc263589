//! Memories that were said or written together, as the passage that is searched: postings, what ranking needs to know of
//! it, and its place in its thread.

use super::{ApplyError, At};
use crate::State;
use crate::extract::Words;
use std::collections::{BTreeMap, BTreeSet};
use synap_readmodel::{
    CHUNK_ORDINALS, Ended, MemoryRow, Passage, PassageFlags, Posting, Snapshot, Summary, ThreadRow,
    key,
};
use synap_text::{name_hashes, terms};
use synap_types::{Hash128, MemorySource};

/// Bytes of the source, and memories, of one passage: a turn, or two or three paragraphs. What is said near each other is
/// about one thing, and ranking by whole handbooks would not tell their parts apart.
const PASSAGE_BYTES_MAX: usize = 2_048;
const PASSAGE_MEMORIES_MAX: usize = 64;

/// The passage that is being made, and the thread that the last one belongs to.
#[derive(Debug, Default)]
pub(super) struct Passages {
    memories: Vec<(u32, MemoryRow, Words)>,
    bytes: usize,
    thread: Option<(u64, ThreadRow)>,
}

/// What a passage adds to the statistics of its scope.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) memories: u32,
    pub(super) terms: u64,
    pub(super) passage_terms: u64,
}

impl Passages {
    /// Whether `row` begins another passage.
    pub(super) fn is_full(&self, row: &MemoryRow) -> bool {
        self.memories.last().is_some_and(|(_, last, _)| {
            let is_one = row.source == last.source && row.turn == last.turn;
            !is_one
                || self.memories.len() >= PASSAGE_MEMORIES_MAX
                || self.bytes + source_bytes(row) > PASSAGE_BYTES_MAX
        })
    }

    pub(super) fn push(&mut self, ordinal: u32, row: MemoryRow, words: Words) {
        self.bytes += source_bytes(&row);
        self.memories.push((ordinal, row, words));
    }

    /// Writes the passage. Nothing where nothing was pushed.
    pub(super) fn end<S: Snapshot>(
        &mut self,
        at: &At<'_>,
        erased: u64,
        state: &mut State<'_, S>,
    ) -> Result<Written, ApplyError> {
        let mut memories = std::mem::take(&mut self.memories);
        self.bytes = 0;
        let Some((first, row, _)) = memories.first() else {
            return Ok(Written::default());
        };
        let (first, thread) = (*first, thread_of(&row.source));
        let mut passage = described(first, row);
        let count = saturating(memories.len());
        let mut counts: BTreeMap<&str, u16> = BTreeMap::new();
        let (mut total, mut of_passage, mut before) = (0, 0_usize, [].as_slice());
        for (_, _, words) in &memories {
            total += words.terms.len();
            passage.flags = passage.flags | words.flags;
            for term in words.terms.iter().skip(common(before, &words.terms)) {
                let count = counts.entry(term).or_default();
                *count = count.saturating_add(1);
                of_passage += 1;
            }
            before = &words.terms;
        }
        let named = name_terms(&row.source);
        for term in &named {
            let count = counts.entry(term).or_default();
            *count = count.saturating_add(1);
            of_passage += 1;
        }
        passage.terms = saturating(of_passage);
        passage.memories = count;
        passage.text_bytes = saturating(memories.iter().map(|(_, row, _)| row.text.len()).sum());
        index(at, &passage, counts, state);
        for (ordinal, row, words) in &mut memories {
            row.tokens = words.tokens;
            row.passage = first;
            row.passage_memories = count;
            row.passage_terms = passage.terms;
            row.sequence = std::mem::take(&mut words.sequence);
            state.put(key::memory(&at.hash, *ordinal), row);
        }
        let mut last = self.thread(at, thread, erased, state)?;
        passage.before = Some(last.last).filter(|_| last.seq > 0);
        last.terms = last.terms.saturating_add(passage.terms.into());
        passage.thread_terms = last.terms;
        (last.last, last.seq) = (first, at.seq.get());
        self.thread = Some((thread, last));
        let chunk = key::passage_chunk(&at.hash, passage.chunk());
        state.append(chunk, &passage.bytes());
        Ok(Written {
            memories: count.into(),
            terms: total as u64,
            passage_terms: passage.terms.into(),
        })
    }

    /// The thread as it stands; another one that was being told of is written.
    fn thread<S: Snapshot>(
        &mut self,
        at: &At<'_>,
        thread: u64,
        erased: u64,
        state: &mut State<'_, S>,
    ) -> Result<ThreadRow, ApplyError> {
        if let Some((_, row)) = self.thread.take_if(|(id, _)| *id == thread) {
            return Ok(row);
        }
        self.close(at, state);
        let known = state.row(&key::thread(&at.hash, thread))?;
        Ok(known.filter(|row| row.seq > erased).unwrap_or(ThreadRow {
            last: 0,
            seq: 0,
            terms: 0,
        }))
    }

    /// Writes the thread.
    pub(super) fn close<S: Snapshot>(&mut self, at: &At<'_>, state: &mut State<'_, S>) {
        if let Some((id, row)) = self.thread.take() {
            state.put(key::thread(&at.hash, id), &row);
        }
    }
}

/// None of the passage's memories, those of `rows`, can be told any more. Its postings stay, and are not counted.
pub(super) fn forget<S: Snapshot>(
    at: &At<'_>,
    first: u32,
    rows: &[MemoryRow],
    state: &mut State<'_, S>,
) {
    let ended = Passage {
        seq: at.seq.get(),
        flags: PassageFlags::ENDED,
        ..empty(first)
    };
    let chunk = key::passage_chunk(&at.hash, ended.chunk());
    state.append(chunk, &ended.bytes());
    let ended = Ended {
        ordinal: first,
        seq: at.seq.get(),
    };
    let chunk = key::ended_chunk(&at.hash, ended.chunk());
    state.append(chunk, &ended.bytes());
    let named = rows.first().map(|row| name_terms(&row.source));
    let said = rows.iter().flat_map(|row| terms(&row.text));
    let terms: BTreeSet<String> = said.chain(named.into_iter().flatten()).collect();
    for term in terms {
        let summary = key::summary(&at.hash, &term, first / CHUNK_ORDINALS);
        state.append(summary, &Summary::of_ended().bytes());
    }
}

/// A passage that begins at `first`, and of which nothing is known.
const fn empty(first: u32) -> Passage {
    Passage {
        ordinal: first,
        before: None,
        thread: 0,
        seq: 0,
        said_at: 0,
        speaker: [0; 2],
        thread_terms: 0,
        memories: 0,
        terms: 0,
        text_bytes: 0,
        flags: PassageFlags::NONE,
    }
}

/// What its first memory says of a passage.
fn described(first: u32, row: &MemoryRow) -> Passage {
    Passage {
        thread: thread_of(&row.source),
        seq: row.created_seq,
        said_at: row.said_at.unwrap_or(0),
        speaker: row.speaker.as_deref().map_or([0; 2], name_hashes),
        flags: PassageFlags::TURN.when(row.turn.is_some()),
        ..empty(first)
    }
}

/// Terms of what a document is called: every passage of it is found by them.
fn name_terms(source: &MemorySource) -> Vec<String> {
    source.name().map_or_else(Vec::new, |name| terms(&name))
}

/// How many terms two texts begin with alike: headings, or the speaker.
fn common(before: &[String], terms: &[String]) -> usize {
    let pairs = before.iter().zip(terms);
    pairs.take_while(|(a, b)| a == b).count()
}

/// What a memory belongs to. Of a document's id, what follows `#` names a part, as in a URL.
fn thread_of(source: &MemorySource) -> u64 {
    let hash = match source {
        MemorySource::Conversation(id) => Hash128::of(
            "synap.thread.conversation.v1",
            [id.uuid().as_bytes().as_slice()],
        ),
        MemorySource::Document(id) => {
            let whole = id.as_str().split('#').next().unwrap_or_default();
            Hash128::of("synap.thread.document.v1", [whole.as_bytes()])
        }
    };
    let (half, _) = hash.bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*half)
}

/// Adds the passage to the postings of its terms.
fn index<S: Snapshot>(
    at: &At<'_>,
    passage: &Passage,
    counts: BTreeMap<&str, u16>,
    state: &mut State<'_, S>,
) {
    for (term, tf) in counts {
        let posting = Posting {
            ordinal: passage.ordinal,
            tf,
            terms: passage.terms,
        };
        let chunk = key::posting_chunk(&at.hash, term, posting.chunk());
        state.append(chunk, &posting.bytes());
        let summary = key::summary(&at.hash, term, posting.chunk());
        state.append(summary, &Summary::of(posting).bytes());
    }
}

/// How much of its source a memory is.
fn source_bytes(row: &MemoryRow) -> usize {
    let [start, end] = row.span;
    end.saturating_sub(start) as usize
}

fn saturating(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

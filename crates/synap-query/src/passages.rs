//! The passages of one scope as a fetch sees them: in order of ordinals, linked to their neighbours and threads.

use crate::{FetchError, ScopeView};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use synap_readmodel::{PASSAGE_CHUNK_ORDINALS, Passage, PassageFlags, Snapshot, key};

/// What one scope holds.
#[derive(Debug, Default)]
pub(crate) struct Passages {
    list: Vec<Passage>,
    /// Whether any memory of the passage can be told.
    alive: Vec<bool>,
    /// The passage before each in its thread, and the one after.
    before: Vec<Option<u32>>,
    after: Vec<Option<u32>>,
    /// Number of each passage's thread.
    threads: Vec<u32>,
    /// Terms of each thread.
    thread_terms: Vec<u32>,
}

impl Passages {
    /// All passages of a scope. What was erased or has ended takes part in nothing.
    pub(crate) fn all<S: Snapshot>(view: &ScopeView<'_, S>) -> Result<Self, FetchError> {
        let mut chunks = Chunks::default();
        let prefix = key::passages(view.hash());
        view.snapshot.scan(&prefix, &mut |_, chunk| {
            chunks.add(chunk);
            ControlFlow::Continue(())
        })?;
        Ok(Self::of(chunks, view))
    }

    /// The passages that begin at `ordinals`, and those that stand near them.
    pub(crate) fn near<S: Snapshot>(
        view: &ScopeView<'_, S>,
        ordinals: &[u32],
    ) -> Result<Self, FetchError> {
        let numbers = ordinals.iter().map(|at| at / PASSAGE_CHUNK_ORDINALS);
        let numbers: BTreeSet<u32> = numbers.collect();
        let at = |number: u32| key::passage_chunk(view.hash(), number);
        let keys: Vec<_> = numbers.into_iter().map(at).collect();
        let mut chunks = Chunks::default();
        for chunk in view.snapshot.get_many(&keys)?.into_iter().flatten() {
            chunks.add(&chunk);
        }
        Ok(Self::of(chunks, view))
    }

    fn of<S: Snapshot>(mut chunks: Chunks, view: &ScopeView<'_, S>) -> Self {
        chunks.list.retain(|passage| view.is_made(passage.seq));
        Self::seen(
            chunks,
            |seq| view.holds(seq),
            |ended| view.is_live(Some(ended)),
        )
    }

    /// Of passages of which those count that were made at a seq that `holds`, and did not end, or end at one that
    /// `outlives` what is asked for.
    fn seen(chunks: Chunks, holds: impl Fn(u64) -> bool, outlives: impl Fn(u64) -> bool) -> Self {
        let Chunks { list, ended } = chunks;
        let mut alive: Vec<bool> = list.iter().map(|passage| holds(passage.seq)).collect();
        let ended = ended.into_iter().filter(|(_, seq)| !outlives(*seq));
        let place = |ordinal: u32| {
            let found = list.binary_search_by_key(&ordinal, |known| known.ordinal);
            found.ok()
        };
        for at in ended.filter_map(|(ordinal, _)| place(ordinal)) {
            if let Some(alive) = alive.get_mut(at) {
                *alive = false;
            }
        }
        let (mut before, mut after) = (vec![None; list.len()], vec![None; list.len()]);
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        let (mut threads, mut thread_terms) = (Vec::with_capacity(list.len()), Vec::new());
        for (at, passage) in list.iter().enumerate() {
            let next = number(numbers.len());
            let thread = *numbers.entry(passage.thread).or_insert(next);
            threads.push(thread);
            if thread == next {
                thread_terms.push(0);
            }
            let is_alive = |at: usize| alive.get(at).copied().unwrap_or(false);
            if !is_alive(at) {
                continue;
            }
            // The last passage that is there knows how long its thread was up to it.
            if let Some(terms) = thread_terms.get_mut(thread as usize) {
                *terms = passage.thread_terms.max(*terms);
            }
            let previous = passage.before.and_then(place).filter(|at| is_alive(*at));
            if let Some(previous) = previous {
                if let Some(link) = before.get_mut(at) {
                    *link = Some(number(previous));
                }
                if let Some(link) = after.get_mut(previous) {
                    *link = Some(number(at));
                }
            }
        }
        Self {
            list,
            alive,
            before,
            after,
            threads,
            thread_terms,
        }
    }

    /// Of passages of which all can be told.
    #[cfg(test)]
    pub(crate) fn linked(list: Vec<Passage>) -> Self {
        let ended = Vec::new();
        Self::seen(Chunks { list, ended }, |_| true, |_| false)
    }

    /// Memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        /// What is known of a passage beside itself: whether it is alive, two links, a thread.
        const BESIDE_BYTES: usize = 21;
        let each = size_of::<Passage>() + BESIDE_BYTES;
        each * self.list.len() + size_of::<u32>() * self.thread_terms.len()
    }

    pub(crate) const fn len(&self) -> usize {
        self.list.len()
    }

    /// Where the newest passage begins.
    pub(crate) fn newest(&self) -> u32 {
        self.list.last().map_or(0, |passage| passage.ordinal)
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Passage> {
        self.list.get(at)
    }

    /// Where the passage that begins at `ordinal` stands, if it does at `from` or later.
    pub(crate) fn place_from(&self, from: usize, ordinal: u32) -> Option<usize> {
        let rest = self.list.get(from..)?;
        let found = rest
            .binary_search_by_key(&ordinal, |known| known.ordinal)
            .ok()?;
        Some(from + found)
    }

    /// Where the passage stands that has the memory at `ordinal`.
    pub(crate) fn place_of(&self, ordinal: u32) -> Option<usize> {
        let after = self.list.partition_point(|known| known.ordinal <= ordinal);
        let place = after.checked_sub(1)?;
        let passage = self.list.get(place)?;
        (ordinal - passage.ordinal < passage.memories.into()).then_some(place)
    }

    pub(crate) fn is_alive(&self, at: usize) -> bool {
        self.alive.get(at).copied().unwrap_or(false)
    }

    /// The passage before, in its thread.
    pub(crate) fn before(&self, at: usize) -> Option<usize> {
        self.before.get(at).copied().flatten().map(|at| at as usize)
    }

    /// The passage after, in its thread.
    pub(crate) fn after(&self, at: usize) -> Option<usize> {
        self.after.get(at).copied().flatten().map(|at| at as usize)
    }

    /// Number of a passage's thread, below [`Self::threads`].
    pub(crate) fn thread(&self, at: usize) -> usize {
        self.threads.get(at).map_or(0, |thread| *thread as usize)
    }

    pub(crate) const fn threads(&self) -> usize {
        self.thread_terms.len()
    }

    /// Those of which something can be told. What was erased or has ended is nothing that others are told apart from.
    pub(crate) fn live_threads(&self) -> u64 {
        let live = self.thread_terms.iter().filter(|terms| **terms > 0);
        live.count() as u64
    }

    /// Terms of each thread; 0 where nothing can be told.
    pub(crate) fn thread_terms(&self, thread: usize) -> u32 {
        self.thread_terms.get(thread).copied().unwrap_or(0)
    }
}

/// Passages as they were read, in order of ordinals.
#[derive(Debug, Default)]
struct Chunks {
    list: Vec<Passage>,
    /// First ordinals of those that have ended, and by which event.
    ended: Vec<(u32, u64)>,
}

impl Chunks {
    fn add(&mut self, chunk: &[u8]) {
        for passage in Passage::read(chunk) {
            if passage.flags.has(PassageFlags::ENDED) {
                self.ended.push((passage.ordinal, passage.seq));
            } else {
                self.list.push(passage);
            }
        }
    }
}

/// There are fewer passages than ordinals, which have 32 bits.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) fn passage(ordinal: u32, before: Option<u32>, thread: u64, seq: u64) -> Passage {
    let thread_terms = 10 * u32::try_from(seq).unwrap();
    Passage {
        ordinal,
        before,
        thread,
        seq,
        said_at: 0,
        speaker: [0; 2],
        thread_terms,
        memories: 1,
        terms: 10,
        text_bytes: 10,
        flags: PassageFlags::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_know_their_neighbours_in_the_thread() {
        let list = vec![
            passage(0, None, 7, 1),
            passage(3, None, 8, 2),
            passage(4, Some(0), 7, 3),
            passage(9, Some(4), 7, 4),
        ];
        let of = |ended, holds: fn(u64) -> bool, outlives: fn(u64) -> bool| {
            let list = list.clone();
            Passages::seen(Chunks { list, ended }, holds, outlives)
        };
        let all = of(vec![], |_| true, |_| false);
        assert_eq!(all.threads(), 2);
        assert_eq!((all.thread(0), all.thread(1), all.thread(3)), (0, 1, 0));
        assert_eq!((all.before(2), all.after(2)), (Some(0), Some(3)));
        assert_eq!((all.before(1), all.after(1)), (None, None));
        assert_eq!((all.thread_terms(0), all.thread_terms(1)), (40, 20));
        assert_eq!(all.place_from(1, 9), Some(3));
        assert_eq!(all.place_from(0, 5), None);
        let some = of(vec![(4, 5), (9, 7)], |seq| seq > 1, |ended| ended > 6);
        assert!(!some.is_alive(0) && !some.is_alive(2) && some.is_alive(3));
        assert_eq!(some.live_threads(), 2);
        let one = of(vec![(3, 8)], |_| true, |_| false);
        assert_eq!((one.threads(), one.live_threads()), (2, 1));
        assert_eq!((some.before(3), some.thread_terms(0)), (None, 40));
    }
}

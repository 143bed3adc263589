//! Postings: in which memories of a scope a term occurs, how often, and what the best of a chunk could score.
//!
//! ```text
//! postings = *entry                   appended in order of ordinals, never rewritten
//! entry    = offset:12 tf:4 terms:16  bits of a number, high to low, stored little-endian: offset = ordinal % 4096,
//!                                     tf saturates at 15, terms at 65,535
//!
//! summary  = entries:2 ended:2 once:2 often:2 tf:2    big-endian, one for each chunk; empty where nothing was indexed
//! ```
//!
//! A term's entries are cut into chunks by ordinal, so that a chunk's key is known without reading, one more memory costs
//! the same however many there are, and no value grows without bound ([`CHUNK_ORDINALS`] × 4 bytes).
//!
//! What is appended to a summary is itself a summary, of one memory, and both become one ([`Summary::join`]). So it can
//! be kept without reading it, and the terms of a scope of a million are counted and bounded from 245 small rows.

use crate::Kind;

/// Ordinals that share one chunk: as many as twelve bits tell apart.
pub const CHUNK_ORDINALS: u32 = 1 << OFFSET_BITS;

/// The highest frequency that is told apart. More often than that, a term says hardly more of a memory.
pub const TF_MAX: u16 = 15;

const OFFSET_BITS: u32 = 12;
const ENTRY_BYTES: usize = 4;
const SUMMARY_BYTES: usize = 10;

/// One memory's entry in a term's postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which memory.
    pub ordinal: u32,
    /// How often the term occurs in it, up to [`TF_MAX`].
    pub tf: u16,
    /// How many terms the memory has.
    pub terms: u16,
}

impl Posting {
    /// Which chunk it belongs to.
    pub const fn chunk(self) -> u32 {
        self.ordinal / CHUNK_ORDINALS
    }

    /// As stored.
    pub fn bytes(self) -> [u8; ENTRY_BYTES] {
        let (offset, tf) = (self.ordinal % CHUNK_ORDINALS, self.tf.min(TF_MAX));
        ((offset << 20) | (u32::from(tf) << 16) | u32::from(self.terms)).to_le_bytes()
    }

    /// The entries of the stored chunk with this number. Bytes after the last whole entry are no entry.
    pub fn read(chunk: u32, value: &[u8]) -> impl Iterator<Item = Self> {
        let (entries, _) = value.as_chunks::<ENTRY_BYTES>();
        entries
            .iter()
            .map(move |entry| Self::of_entry(chunk, *entry))
    }

    /// The entry of one memory in the stored chunk that it belongs to.
    pub fn find(ordinal: u32, value: &[u8]) -> Option<Self> {
        let (entries, _) = value.as_chunks::<ENTRY_BYTES>();
        let of = |entry: &[u8; ENTRY_BYTES]| Self::of_entry(ordinal / CHUNK_ORDINALS, *entry);
        let at = entries.binary_search_by_key(&ordinal, |entry| of(entry).ordinal);
        entries.get(at.ok()?).map(of)
    }

    const fn of_entry(chunk: u32, [low, high, a, b]: [u8; ENTRY_BYTES]) -> Self {
        let head = u16::from_le_bytes([a, b]);
        Self {
            ordinal: chunk.wrapping_mul(CHUNK_ORDINALS) | (head >> 4) as u32,
            tf: head & TF_MAX,
            terms: u16::from_le_bytes([low, high]),
        }
    }
}

/// What is known of one term in one chunk without reading its postings.
///
/// Lengths and frequencies are those of the memories, and no scores: what a chunk's best can score is computed from them
/// with the weights of the day, and stays an upper bound whatever those are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Memories in which the term occurs.
    pub entries: u16,
    /// Those of them that were superseded or forgotten.
    pub ended: u16,
    /// Terms of the shortest memory in which it occurs once; `u16::MAX` if there is none.
    pub once: u16,
    /// Terms of the shortest memory in which it occurs more often; `u16::MAX` if there is none.
    pub often: u16,
    /// How often it occurs at most, up to [`TF_MAX`].
    pub tf: u16,
}

impl Summary {
    /// Of no memory.
    pub const NONE: Self = Self {
        entries: 0,
        ended: 0,
        once: u16::MAX,
        often: u16::MAX,
        tf: 0,
    };

    /// Of a memory that came.
    pub fn of(posting: Posting) -> Self {
        let (tf, terms) = (posting.tf.min(TF_MAX), posting.terms);
        let (once, often) = if tf > 1 {
            (u16::MAX, terms)
        } else {
            (terms, u16::MAX)
        };
        Self {
            entries: 1,
            ended: 0,
            once,
            often,
            tf,
        }
    }

    /// Of a memory that went. The bounds stay: they may be too high then, never too low.
    pub const fn of_ended() -> Self {
        Self {
            ended: 1,
            ..Self::NONE
        }
    }

    /// Memories in which the term occurs and that can be told.
    pub const fn live(self) -> u16 {
        self.entries.saturating_sub(self.ended)
    }

    /// Of the memories of both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            ended: self.ended.saturating_add(other.ended),
            once: self.once.min(other.once),
            often: self.often.min(other.often),
            tf: self.tf.max(other.tf),
        }
    }

    /// As stored.
    pub fn bytes(self) -> [u8; SUMMARY_BYTES] {
        let fields = [self.entries, self.ended, self.once, self.often, self.tf];
        let mut bytes = [0; SUMMARY_BYTES];
        for (place, field) in bytes.as_chunks_mut().0.iter_mut().zip(fields) {
            *place = field.to_be_bytes();
        }
        bytes
    }

    /// The summary of a stored value. What is not whole summarises nothing.
    pub fn read(value: &[u8]) -> Self {
        let (fields, []) = value.as_chunks() else {
            return Self::NONE;
        };
        let &[entries, ended, once, often, tf] = fields else {
            return Self::NONE;
        };
        Self {
            entries: u16::from_be_bytes(entries),
            ended: u16::from_be_bytes(ended),
            once: u16::from_be_bytes(once),
            often: u16::from_be_bytes(often),
            tf: u16::from_be_bytes(tf),
        }
    }
}

/// Makes `value` what it and the bytes appended to it are together, under `key`: a summary of both, else one after the
/// other. The only meaning of an append; associative, so that a store may join appends before it has the value.
pub fn append(key: &[u8], value: &mut Vec<u8>, appended: &[u8]) {
    if Kind::of(key) == Some(Kind::Summary) {
        let joined = Summary::read(value).join(Summary::read(appended));
        value.clear();
        value.extend_from_slice(&joined.bytes());
    } else {
        value.extend_from_slice(appended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pins the format: a change here is a change of every store on disk.
    #[test]
    fn bytes_are_what_the_drawing_says() {
        let posting = Posting {
            ordinal: 3 * CHUNK_ORDINALS + 0xabc,
            tf: 2,
            terms: 0x0102,
        };
        assert_eq!(posting.chunk(), 3);
        assert_eq!(posting.bytes(), [2, 1, 0xc2, 0xab]);
        let often = Posting { tf: 999, ..posting };
        assert_eq!(often.bytes(), [2, 1, 0xcf, 0xab]);
        let both = Summary::of(posting).join(Summary::of_ended());
        assert_eq!(both.bytes(), [0, 1, 0, 1, 0xff, 0xff, 1, 2, 0, 2]);
    }

    fn postings() -> impl Strategy<Value = Posting> {
        (any::<u32>(), 1..=TF_MAX, any::<u16>()).prop_map(|(ordinal, tf, terms)| Posting {
            ordinal,
            tf,
            terms,
        })
    }

    proptest! {
        #[test]
        fn entries_read_back_in_order(postings in proptest::collection::vec(postings(), 0..9), rest in 0..4_usize) {
            let inside = |posting: &Posting| Posting { ordinal: posting.ordinal % CHUNK_ORDINALS + 7 * CHUNK_ORDINALS, ..*posting };
            let postings: Vec<Posting> = postings.iter().map(inside).collect();
            let mut bytes: Vec<u8> = postings.iter().flat_map(|posting| posting.bytes()).collect();
            bytes.resize(bytes.len() + rest, 9);
            prop_assert_eq!(Posting::read(7, &bytes).collect::<Vec<_>>(), postings);
        }

        #[test]
        fn an_entry_is_found_by_its_ordinal(offsets in proptest::collection::btree_set(0..30_u32, 0..20)) {
            let posting = |offset| Posting { ordinal: 7 * CHUNK_ORDINALS + offset, tf: 1, terms: 3 };
            let bytes: Vec<u8> = offsets.iter().flat_map(|offset| posting(*offset).bytes()).collect();
            for offset in 0..30 {
                let expected = offsets.contains(&offset).then(|| posting(offset));
                prop_assert_eq!(Posting::find(7 * CHUNK_ORDINALS + offset, &bytes), expected);
            }
        }

        /// However a store groups the appends, the summary is that of all memories.
        #[test]
        fn summaries_join_in_any_grouping(postings in proptest::collection::vec(postings(), 0..9), cut in 0..9_usize) {
            let parts: Vec<_> = postings.iter().map(|posting| Summary::of(*posting)).collect();
            let all = |parts: &[Summary]| parts.iter().fold(Summary::NONE, |all, part| all.join(*part));
            let (a, b) = parts.split_at(cut.min(parts.len()));
            prop_assert_eq!(all(a).join(all(b)), all(&parts));
            prop_assert_eq!(Summary::read(&all(&parts).bytes()), all(&parts));
            let shortest = |often: bool| postings.iter().filter(|p| (p.tf > 1) == often).map(|p| p.terms).min();
            prop_assert_eq!(all(&parts).once, shortest(false).unwrap_or(u16::MAX));
            prop_assert_eq!(all(&parts).often, shortest(true).unwrap_or(u16::MAX));
        }

        #[test]
        fn junk_summarises_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            prop_assume!(bytes.len() != SUMMARY_BYTES);
            prop_assert_eq!(Summary::read(&bytes), Summary::NONE);
        }
    }
}

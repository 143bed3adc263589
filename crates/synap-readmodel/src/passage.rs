//! Passages: the units that are searched. A passage is one turn of a conversation, or a part of a document that is about
//! as long as a paragraph or two; its memories have neighbouring ordinals. Postings speak of passages, not of memories.
//!
//! ```text
//! value = *entry                                   appended; a later entry of the same passage replaces the earlier one
//! entry = ordinal:4 before:4 thread:8 seq:8 said_at:8 speaker:4*2 thread_terms:4 memories:2 terms:2 text_bytes:2 flags:2
//! ```
//!
//! Integers are big-endian; counts saturate. What ranking needs to know of a passage stands here in fixed width, so that a
//! fetch reads thousands of them without decoding rows.

use crate::MemoryRow;
use std::ops::BitOr;

/// Ordinals that share one chunk.
pub const PASSAGE_CHUNK_ORDINALS: u32 = 64;

/// Bytes of one entry.
const ENTRY_BYTES: usize = 52;

/// What is so of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassageFlags(u16);

impl PassageFlags {
    /// Nothing of what follows.
    pub const NONE: Self = Self(0);
    /// It is a turn of a conversation.
    pub const TURN: Self = Self(1);
    /// It asks something.
    pub const ASKS: Self = Self(1 << 1);
    /// It ends with a question.
    pub const ENDS_ASKING: Self = Self(1 << 2);
    /// Its speaker speaks of himself, herself or us.
    pub const OF_SELF: Self = Self(1 << 3);
    /// It says when.
    pub const TIMED: Self = Self(1 << 4);
    /// None of its memories can be told any more.
    pub const ENDED: Self = Self(1 << 15);

    /// Whether all of `flags` are so.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These flags if `so`, else none.
    #[must_use]
    pub const fn when(self, so: bool) -> Self {
        if so { self } else { Self(0) }
    }
}

impl BitOr for PassageFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// Its first memory.
    pub ordinal: u32,
    /// The passage before it in its thread.
    pub before: Option<u32>,
    /// What it belongs to: a conversation, or a document and those whose ids differ after `#` only.
    pub thread: u64,
    /// Place of the event that made it.
    pub seq: u64,
    /// When it was said or written, in microseconds since 1970; 0 if that is not known.
    pub said_at: i64,
    /// Hashes of the first and the last word of its speaker's name; 0 for none.
    pub speaker: [u32; 2],
    /// Terms of its thread up to its end.
    pub thread_terms: u32,
    /// Its memories.
    pub memories: u16,
    /// Their terms.
    pub terms: u16,
    /// Bytes of their texts.
    pub text_bytes: u16,
    /// What is so of it.
    pub flags: PassageFlags,
}

impl Passage {
    /// Which chunk it belongs to.
    pub const fn chunk(self) -> u32 {
        self.ordinal / PASSAGE_CHUNK_ORDINALS
    }

    /// As stored.
    pub fn bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let mut rest = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(field.len());
            head.copy_from_slice(field);
            rest = tail;
        };
        put(&self.ordinal.to_be_bytes());
        put(&self.before.unwrap_or(u32::MAX).to_be_bytes());
        put(&self.thread.to_be_bytes());
        put(&self.seq.to_be_bytes());
        put(&self.said_at.to_be_bytes());
        for word in self.speaker {
            put(&word.to_be_bytes());
        }
        put(&self.thread_terms.to_be_bytes());
        put(&self.memories.to_be_bytes());
        put(&self.terms.to_be_bytes());
        put(&self.text_bytes.to_be_bytes());
        put(&self.flags.0.to_be_bytes());
        bytes
    }

    /// The entries of a stored chunk, in the order in which they were written. Bytes after the last whole entry are no entry.
    pub fn read(chunk: &[u8]) -> impl Iterator<Item = Self> {
        let (entries, _) = chunk.as_chunks::<ENTRY_BYTES>();
        entries.iter().map(Self::of_entry)
    }

    fn of_entry(entry: &[u8; ENTRY_BYTES]) -> Self {
        let mut reader = Reader(entry);
        Self {
            ordinal: u32::from_be_bytes(reader.take()),
            before: Some(u32::from_be_bytes(reader.take())).filter(|before| *before != u32::MAX),
            thread: u64::from_be_bytes(reader.take()),
            seq: u64::from_be_bytes(reader.take()),
            said_at: i64::from_be_bytes(reader.take()),
            speaker: [
                u32::from_be_bytes(reader.take()),
                u32::from_be_bytes(reader.take()),
            ],
            thread_terms: u32::from_be_bytes(reader.take()),
            memories: u16::from_be_bytes(reader.take()),
            terms: u16::from_be_bytes(reader.take()),
            text_bytes: u16::from_be_bytes(reader.take()),
            flags: PassageFlags(u16::from_be_bytes(reader.take())),
        }
    }
}

/// What a passage says, of the memories that can be told of it, in order: what its document is called, then its lines, with
/// what a line begins with like the one before it (the headings above both) said once. A vector stands for this text.
pub fn passage_text<'a>(memories: impl IntoIterator<Item = &'a MemoryRow>) -> String {
    let mut memories = memories.into_iter().peekable();
    let name = memories.peek().and_then(|memory| memory.source.name());
    let text = said_once(memories.map(|memory| &*memory.text));
    match name {
        Some(name) => format!("{name} > {text}"),
        None => text,
    }
}

fn said_once<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let (mut text, mut before) = (String::new(), "");
    for own in texts {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(own.get(headings(before, own)..).unwrap_or(own));
        before = own;
    }
    text
}

/// How many bytes of headings two texts begin with alike.
fn headings(a: &str, b: &str) -> usize {
    let alike = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let alike = b.as_bytes().get(..alike).unwrap_or_default();
    let end = alike
        .windows(HEADING_END.len())
        .rposition(|part| part == HEADING_END);
    end.map_or(0, |at| at + HEADING_END.len())
}

/// What stands after each heading in a memory.
const HEADING_END: &[u8] = b": ";

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// The next field. The entry is as long as its fields are together.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk() else {
            return [0; N];
        };
        self.0 = rest;
        *field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(ordinal: u32) -> Passage {
        Passage {
            ordinal,
            before: None,
            thread: 2,
            seq: 3,
            said_at: -4,
            speaker: [5, 6],
            thread_terms: 7,
            memories: 8,
            terms: 9,
            text_bytes: 10,
            flags: PassageFlags::TURN | PassageFlags::TIMED,
        }
    }

    #[test]
    fn entries_read_back_in_order() {
        let entries = [
            passage(1),
            Passage {
                before: Some(0),
                flags: PassageFlags::ENDED,
                ..passage(u32::MAX)
            },
        ];
        let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.bytes()).collect();
        let first = "00000001ffffffff00000000000000020000000000000003fffffffffffffffc\
                     00000005000000060000000700080009000a0011";
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes[..52]), first);
        bytes.push(9);
        assert_eq!(Passage::read(&bytes).collect::<Vec<_>>(), entries);
    }

    #[test]
    fn headings_are_said_once() {
        let check = |texts: &[&str], expected| {
            assert_eq!(said_once(texts.iter().copied()), expected);
        };
        check(&[], "");
        check(
            &[
                "Pool: Rules: No diving.",
                "Pool: Rules: No dogs.",
                "Pool: Opens in May.",
            ],
            "Pool: Rules: No diving.\nNo dogs.\nOpens in May.",
        );
        check(&["No diving.", "No dogs."], "No diving.\nNo dogs.");
        check(&["Käse: äß", "Käse: äö", "Käse: "], "Käse: äß\näö\n");
    }

    #[test]
    fn flags_are_told_apart() {
        let flags = PassageFlags::TURN | PassageFlags::ASKS.when(false);
        assert!(flags.has(PassageFlags::TURN) && !flags.has(PassageFlags::ASKS));
        assert!(!flags.has(PassageFlags::TURN | PassageFlags::ENDED));
    }
}

//! Passages that have ended: none of their memories can be told any more. Their postings stay where they are, so whoever
//! goes through postings alone looks here.
//!
//! ```text
//! value = *entry          appended, one for each passage
//! entry = ordinal:4 seq:8 big-endian
//! ```

use crate::CHUNK_ORDINALS;

/// Bytes of one entry.
const ENTRY_BYTES: usize = 12;

/// One passage that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The passage's first memory.
    pub ordinal: u32,
    /// Place of the event that ended the last of its memories.
    pub seq: u64,
}

impl Ended {
    /// Which chunk it belongs to: the same as its postings.
    pub const fn chunk(self) -> u32 {
        self.ordinal / CHUNK_ORDINALS
    }

    /// As stored.
    pub fn bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let (ordinal, seq) = bytes.split_at_mut(4);
        ordinal.copy_from_slice(&self.ordinal.to_be_bytes());
        seq.copy_from_slice(&self.seq.to_be_bytes());
        bytes
    }

    /// The entries of a stored chunk, in the order in which they were written. Bytes after the last whole entry are no entry.
    pub fn read(chunk: &[u8]) -> impl Iterator<Item = Self> {
        let (entries, _) = chunk.as_chunks::<ENTRY_BYTES>();
        entries.iter().map(|[a, b, c, d, seq @ ..]| Self {
            ordinal: u32::from_be_bytes([*a, *b, *c, *d]),
            seq: u64::from_be_bytes(*seq),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_in_order() {
        let entries = [(1, 2), (u32::MAX, u64::MAX)].map(|(ordinal, seq)| Ended { ordinal, seq });
        let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.bytes()).collect();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&bytes[..12]),
            "000000010000000000000002"
        );
        bytes.push(9);
        assert_eq!(Ended::read(&bytes).collect::<Vec<_>>(), entries);
        assert_eq!(entries[1].chunk(), u32::MAX / CHUNK_ORDINALS);
    }
}

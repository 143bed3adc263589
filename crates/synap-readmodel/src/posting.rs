//! Postings: in which memories of a scope a term occurs, and how often.
//!
//! ```text
//! value = *entry                      appended in order of ordinals, never rewritten
//! entry = ordinal:4 tf:2 terms:2      big-endian; tf and terms saturate at 65,535
//! ```
//!
//! A term's entries are cut into chunks by ordinal, so that a chunk's key is known without reading, one more memory costs
//! the same however many there are, and no value grows without bound ([`CHUNK_ORDINALS`] × 8 bytes).

/// Ordinals that share one chunk.
pub const CHUNK_ORDINALS: u32 = 4_096;

/// Bytes of one entry.
const ENTRY_BYTES: usize = 8;

/// One memory's entry in a term's postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which memory.
    pub ordinal: u32,
    /// How often the term occurs in it.
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
        let fields =
            (u64::from(self.ordinal) << 32) | (u64::from(self.tf) << 16) | u64::from(self.terms);
        fields.to_be_bytes()
    }

    /// The entries of a stored chunk. Bytes after the last whole entry are no entry.
    pub fn read(chunk: &[u8]) -> impl Iterator<Item = Self> {
        let (entries, _) = chunk.as_chunks::<ENTRY_BYTES>();
        entries.iter().map(|entry| {
            let fields = u64::from_be_bytes(*entry);
            let low = |shift: u32| u16::try_from((fields >> shift) & 0xffff).unwrap_or(u16::MAX);
            Self {
                ordinal: u32::try_from(fields >> 32).unwrap_or(u32::MAX),
                tf: low(16),
                terms: low(0),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_in_order() {
        let entries = [
            Posting {
                ordinal: 1,
                tf: 2,
                terms: 3,
            },
            Posting {
                ordinal: u32::MAX,
                tf: u16::MAX,
                terms: 0,
            },
        ];
        let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.bytes()).collect();
        assert_eq!(bytes[..8], [0, 0, 0, 1, 0, 2, 0, 3]);
        bytes.push(9);
        assert_eq!(Posting::read(&bytes).collect::<Vec<_>>(), entries);
    }
}

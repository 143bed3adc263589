//! Embeddings of memories, in one byte per number, and their sketches: the signs alone, by which a scan finds what is
//! worth a look.
//!
//! ```text
//! chunk  = *sketch                     appended in order of events, never rewritten
//! sketch = ordinal:4 signs:48          big-endian; number n is bit n % 8 of byte n / 8, 1 where it is negative
//! block  = *vector
//! vector = ordinal:4 numbers:384       signed bytes; only the direction means something
//! ```

/// Numbers of a vector, a byte each.
pub const VECTOR_BYTES: usize = 384;
/// Bytes of a vector's signs.
pub const SKETCH_BYTES: usize = VECTOR_BYTES / 8;
/// Ordinals that share one block of vectors: 25 KB.
pub const BLOCK_ORDINALS: u32 = 64;

const ORDINAL_BYTES: usize = 4;

/// The signs of one memory's vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch {
    /// Which memory.
    pub ordinal: u32,
    /// Its signs.
    pub signs: [u8; SKETCH_BYTES],
}

/// One memory's vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector {
    /// Which memory.
    pub ordinal: u32,
    /// Its numbers.
    pub numbers: [i8; VECTOR_BYTES],
}

impl Sketch {
    /// The signs of some numbers.
    pub fn signs_of(negative: impl Iterator<Item = bool>) -> [u8; SKETCH_BYTES] {
        let mut signs = [0; SKETCH_BYTES];
        for (at, _) in negative.enumerate().filter(|(_, negative)| *negative) {
            if let Some(byte) = signs.get_mut(at / 8) {
                *byte |= 1 << (at % 8);
            }
        }
        signs
    }

    /// As stored.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.ordinal.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signs);
        bytes
    }

    /// The sketches of a stored chunk. Bytes after the last whole one are none.
    pub fn read(chunk: &[u8]) -> impl Iterator<Item = Self> {
        let (entries, _) = chunk.as_chunks::<{ ORDINAL_BYTES + SKETCH_BYTES }>();
        entries.iter().filter_map(|entry| {
            let (ordinal, signs) = entry.split_first_chunk()?;
            Some(Self {
                ordinal: u32::from_be_bytes(*ordinal),
                signs: signs.try_into().ok()?,
            })
        })
    }

    /// In how many signs two differ.
    pub fn distance(&self, other: &[u8; SKETCH_BYTES]) -> u32 {
        // Eight bytes at once, which processors count in one step.
        let (own, _) = self.signs.as_chunks();
        let (other, _) = other.as_chunks();
        let pairs = own.iter().zip(other);
        let differ = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        pairs.map(|pair| differ(pair).count_ones()).sum()
    }
}

impl Vector {
    /// Its sketch.
    pub fn sketch(&self) -> Sketch {
        Sketch {
            ordinal: self.ordinal,
            signs: Sketch::signs_of(self.numbers.iter().map(|number| *number < 0)),
        }
    }

    /// As stored.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.ordinal.to_be_bytes().to_vec();
        bytes.extend(self.numbers.iter().flat_map(|number| number.to_be_bytes()));
        bytes
    }

    /// The vectors of a stored block. Bytes after the last whole one are none.
    pub fn read(block: &[u8]) -> impl Iterator<Item = Self> {
        let (entries, _) = block.as_chunks::<{ ORDINAL_BYTES + VECTOR_BYTES }>();
        entries.iter().filter_map(|entry| {
            let (ordinal, numbers) = entry.split_first_chunk()?;
            let mut found = [0; VECTOR_BYTES];
            for (number, byte) in found.iter_mut().zip(numbers) {
                *number = i8::from_be_bytes([*byte]);
            }
            Some(Self {
                ordinal: u32::from_be_bytes(*ordinal),
                numbers: found,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_and_sketches_read_back() {
        let mut numbers = [0; VECTOR_BYTES];
        (numbers[0], numbers[9], numbers[383]) = (-128, -1, 127);
        let vector = Vector {
            ordinal: 258,
            numbers,
        };
        let mut bytes = vector.bytes();
        assert_eq!(bytes[..5], [0, 0, 1, 2, 128]);
        bytes.push(9);
        assert_eq!(Vector::read(&bytes).collect::<Vec<_>>(), [vector]);
        let sketch = vector.sketch();
        assert_eq!(sketch.bytes()[..7], [0, 0, 1, 2, 1, 2, 0]);
        assert_eq!(Sketch::read(&sketch.bytes()).collect::<Vec<_>>(), [sketch]);
        assert_eq!(sketch.distance(&[0; SKETCH_BYTES]), 2);
    }
}

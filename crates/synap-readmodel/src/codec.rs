//! Rows to bytes and back. The only file that names bincode: 2.0.1, `config::legacy()`, which wincode reads as well.
//!
//! ```text
//! value = version:1 ‖ bincode (fixed-width little-endian integers)
//! ```
//!
//! Old bytes do not survive an added field: raise [`Row::VERSION`] and the projection's version, and rebuild.

use crate::{MemoryHead, MemoryRow, Row};
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;
use synap_types::Scope;

/// Largest row: a document's worth of metadata and text, with room. Keeps a damaged length from allocating.
const ROW_BYTES_MAX: usize = 32 * 1024 * 1024;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<ROW_BYTES_MAX>> =
    bincode::config::legacy().with_limit::<ROW_BYTES_MAX>();

/// Why bytes are no row.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by another version.
    #[error("row version {found:?}, wanted {wanted}")]
    Version {
        /// First byte found, if there was one.
        found: Option<u8>,
        /// What this build reads.
        wanted: u8,
    },
    /// Not a row of this type.
    #[error("row cannot be decoded")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// More bytes than the row has.
    #[error("{bytes} bytes after the row")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// The stored value of `row`.
pub fn encode<R: Row>(row: &R) -> Vec<u8> {
    versioned::<R>(row)
}

/// How the stored value of every memory of `scope` begins.
pub fn memory_start(scope: &Scope) -> Vec<u8> {
    versioned::<MemoryRow>(scope)
}

/// What the stored value of a memory says next if it begins with `start`; `None` if it does not: it is another scope's, or
/// of another version.
pub fn memory_head(start: &[u8], bytes: &[u8]) -> Result<Option<MemoryHead>, CodecError> {
    let rest = bytes.strip_prefix(start);
    let head = rest.map(|rest| read(rest).map(|(head, _)| head));
    head.transpose()
}

fn versioned<R: Row>(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![R::VERSION];
    #[expect(
        clippy::expect_used,
        reason = "rows are plain data, bounded by the limits of an event"
    )]
    let body = bincode::serde::encode_to_vec(value, CONFIG).expect("rows are encodable");
    bytes.extend_from_slice(&body);
    bytes
}

/// The row of a stored value.
pub fn decode<R: Row>(bytes: &[u8]) -> Result<R, CodecError> {
    let body = match bytes.split_first() {
        Some((version, body)) if *version == R::VERSION => body,
        other => {
            return Err(CodecError::Version {
                found: other.map(|(version, _)| *version),
                wanted: R::VERSION,
            });
        }
    };
    let (row, used) = read(body)?;
    if used == body.len() {
        Ok(row)
    } else {
        Err(CodecError::Trailing {
            bytes: body.len() - used,
        })
    }
}

/// A value, and how many bytes it takes.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|e| CodecError::Malformed(Box::new(e)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckpointRow;
    use proptest::prelude::*;
    use synap_types::{EventId, MemorySource, MemoryType};

    #[test]
    fn bytes_are_fixed_width_little_endian_after_the_version() {
        let row = CheckpointRow {
            incarnation: 1,
            seq: 2,
            event: [9; 16],
            projection: 3,
        };
        let expected = [
            &[1][..],
            &1_u64.to_le_bytes(),
            &2_u64.to_le_bytes(),
            &[9; 16],
            &3_u32.to_le_bytes(),
        ]
        .concat();
        assert_eq!(encode(&row), expected);
        assert_eq!(decode::<CheckpointRow>(&expected).unwrap(), row);
    }

    #[test]
    fn foreign_versions_and_trailing_bytes_are_errors() {
        let mut bytes = encode(&CheckpointRow {
            incarnation: 1,
            seq: 2,
            event: [0; 16],
            projection: 3,
        });
        bytes.push(0);
        assert!(matches!(
            decode::<CheckpointRow>(&bytes),
            Err(CodecError::Trailing { bytes: 1 })
        ));
        bytes[0] = 9;
        assert!(matches!(
            decode::<CheckpointRow>(&bytes),
            Err(CodecError::Version { found: Some(9), .. })
        ));
        assert!(matches!(
            decode::<CheckpointRow>(&[]),
            Err(CodecError::Version { found: None, .. })
        ));
    }

    fn memory(text: String, ended_seq: Option<u64>, confidence: f32) -> MemoryRow {
        let scope = Scope::of_client("app".parse().unwrap());
        let document_id = "d".parse().unwrap();
        MemoryRow {
            id: MemoryRow::id_of(&scope, &document_id, &text),
            scope,
            kind: MemoryType::Fact,
            category: None,
            confidence,
            speaker: Some("Dana".to_owned()),
            said_at: None,
            time: None,
            entities: vec!["Porto".to_owned()],
            accepted_at: -1,
            updated_at: None,
            source: MemorySource::Document(document_id),
            turn: Some(9),
            event_id: EventId::new(uuid::Uuid::nil()),
            span: [0, u32::MAX],
            passage: 0,
            passage_memories: 1,
            passage_terms: 3,
            tokens: 7,
            sequence: vec![1, 2, 3],
            metadata: None,
            created_seq: 7,
            ended_seq,
            previous: Some(2),
            text,
        }
    }

    proptest! {
        #[test]
        fn rows_round_trip(text in "\\PC{0,200}", ended: Option<u64>, confidence in 0.0_f32..=1.0) {
            let row = memory(text, ended, confidence);
            let bytes = encode(&row);
            prop_assert_eq!(&decode::<MemoryRow>(&bytes).unwrap(), &row);
            let head = memory_head(&memory_start(&row.scope), &bytes).unwrap().unwrap();
            let expected = MemoryHead {
                kind: row.kind,
                source: row.source,
                created_seq: row.created_seq,
                ended_seq: row.ended_seq,
                sequence: row.sequence,
                confidence: row.confidence,
                entities: row.entities,
            };
            prop_assert_eq!(head, expected);
            let other = Scope::of_client("apps".parse().unwrap());
            prop_assert_eq!(memory_head(&memory_start(&other), &bytes).unwrap(), None);
        }

        #[test]
        fn junk_is_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(first) = bytes.first_mut() { *first = 1; }
            prop_assert!(decode::<MemoryRow>(&bytes).is_err());
        }
    }
}

//! Position tokens: where in the log a write stands, for reading one's own writes across processes.
//!
//! ```text
//! token      base64url, no padding, of 38 bytes
//! 0          1      format, 1
//! 1..17      16     hash of the scope that was written
//! 17         1      partition: its number, 255 for SHARED
//! 18..26     8      incarnation of the stream, big-endian
//! 26..34     8      seq, big-endian
//! 34..38     4      first bytes of the BLAKE3 of the 34 before: catches slips, keeps no secret
//! ```

use crate::{HASH_BYTES, Hash128, Partition, Seq};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const FORMAT: u8 = 1;
const BODY_BYTES: usize = 34;
const SHARED_BYTE: u8 = 255;

/// A place in one partition's stream, bound to the scope that was written. Opaque on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position {
    /// Hash of the scope.
    pub scope: Hash128,
    /// Which stream.
    pub partition: Partition,
    /// Which life of that stream: a log that was replaced starts another.
    pub incarnation: u64,
    /// Where in it.
    pub seq: Seq,
}

/// The text is no position token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a position token from a receipt")]
pub struct PositionError;

fn check_bytes(body: &[u8]) -> [u8; 4] {
    let hash = Hash128::of("synap.position.v1", [body]);
    let [a, b, c, d, ..] = *hash.bytes();
    [a, b, c, d]
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(BODY_BYTES + 4);
        bytes.push(FORMAT);
        bytes.extend_from_slice(self.scope.bytes());
        bytes.push(match self.partition {
            Partition::Numbered(number) => number,
            Partition::Shared => SHARED_BYTE,
        });
        bytes.extend_from_slice(&self.incarnation.to_be_bytes());
        bytes.extend_from_slice(&self.seq.get().to_be_bytes());
        let check = check_bytes(&bytes);
        bytes.extend_from_slice(&check);
        f.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| PositionError)?;
        let (body, check) = bytes.split_at_checked(BODY_BYTES).ok_or(PositionError)?;
        if check != check_bytes(body) {
            return Err(PositionError);
        }
        let (&format, rest) = body.split_first().ok_or(PositionError)?;
        let (scope, rest) = rest
            .split_first_chunk::<HASH_BYTES>()
            .ok_or(PositionError)?;
        let (&partition, rest) = rest.split_first().ok_or(PositionError)?;
        let (incarnation, rest) = rest.split_first_chunk().ok_or(PositionError)?;
        let (seq, _) = rest.split_first_chunk().ok_or(PositionError)?;
        if format != FORMAT {
            return Err(PositionError);
        }
        Ok(Self {
            scope: Hash128::from_bytes(*scope),
            partition: if partition == SHARED_BYTE {
                Partition::Shared
            } else {
                Partition::Numbered(partition)
            },
            incarnation: u64::from_be_bytes(*incarnation),
            seq: Seq::new(u64::from_be_bytes(*seq)),
        })
    }
}

impl TryFrom<String> for Position {
    type Error = PositionError;

    fn try_from(text: String) -> Result<Self, PositionError> {
        text.parse()
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tokens_round_trip(scope: [u8; 16], number in 0_u8..64, shared: bool, incarnation: u64, seq: u64) {
            let partition = if shared { Partition::Shared } else { Partition::Numbered(number) };
            let position = Position { scope: Hash128::from_bytes(scope), partition, incarnation, seq: Seq::new(seq) };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn junk_is_refused(text in "[A-Za-z0-9_-]{0,80}") {
            prop_assert_eq!(text.parse::<Position>(), Err(PositionError));
        }
    }
}

//! 128-bit BLAKE3 over length-prefixed parts: the one way that several strings become one fixed-width value.

use data_encoding::{DecodeError, DecodeKind, HEXLOWER};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of a [`Hash128`].
pub const HASH_BYTES: usize = 16;

/// First 128 bits of the BLAKE3 hash of a domain and its parts.
///
/// Each part is preceded by its length, so `("a", "bc")` and `("ab", "c")` differ; the domain keeps hashes that are
/// made for different purposes apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash128([u8; HASH_BYTES]);

impl Hash128 {
    /// Hashes `parts` for the purpose `domain`.
    pub fn of<'a>(domain: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        };
        add(domain.as_bytes());
        parts.into_iter().for_each(&mut add);
        let mut bytes = [0; HASH_BYTES];
        hasher.finalize_xof().fill(&mut bytes);
        Self(bytes)
    }

    /// The value with these bytes, as read back from a key.
    pub const fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// As an RFC 9562 version 8 UUID; six bits give way to version and variant.
    pub fn to_uuid(self) -> uuid::Uuid {
        uuid::Builder::from_custom_bytes(self.0).into_uuid()
    }
}

impl From<Hash128> for String {
    fn from(hash: Hash128) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash128 {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        let mut bytes = [0; HASH_BYTES];
        let decoded = HEXLOWER.decode(text.as_bytes())?;
        let length = DecodeError {
            position: decoded.len(),
            kind: DecodeKind::Length,
        };
        bytes.copy_from_slice(decoded.first_chunk::<HASH_BYTES>().ok_or(length)?);
        if decoded.len() == HASH_BYTES {
            Ok(Self(bytes))
        } else {
            Err(length)
        }
    }
}

impl fmt::Display for Hash128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash128({self})")
    }
}

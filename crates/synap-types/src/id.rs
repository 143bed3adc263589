//! Ids: opaque text from callers, and UUIDs of our own. Parsed once at the edge; serde goes through the same door.

use crate::limits::ID_BYTES_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// Why a text is no id. Reads well after the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`ID_BYTES_MAX`].
    #[error("is {bytes} bytes long, the limit is {ID_BYTES_MAX}")]
    TooLong {
        /// Length found.
        bytes: usize,
    },
    /// Holds a control character, NUL among them.
    #[error("holds the control character U+{:04X} at byte {at}", u32::from(*found))]
    Control {
        /// The character.
        found: char,
        /// Where it stands.
        at: usize,
    },
}

/// An id as a caller wrote it: opaque, compared byte by byte, never trimmed, folded or normalised.
///
/// Invariant: 1 to [`ID_BYTES_MAX`] bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("minLength" = 1, "maxLength" = ID_BYTES_MAX)))]
pub struct Id(Arc<str>);

impl Id {
    /// The id as the caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > ID_BYTES_MAX {
            return Err(IdError::TooLong { bytes: text.len() });
        }
        if let Some((at, found)) = text.char_indices().find(|(_, c)| c.is_control()) {
            return Err(IdError::Control { found, at });
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A newtype over [`Id`], so that a customer is never taken for a user.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name(Id);

        impl $name {
            /// The id as the caller wrote it.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self)
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Id {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
    };
}

text_id! {
    /// An application: everything of one client is invisible to every other.
    ClientId
}
text_id! {
    /// One deployment of a client's application, `inst_` and 16 hex digits by convention.
    InstanceId
}
text_id! {
    /// A customer, unique within one client.
    CustomerId
}
text_id! {
    /// A user, unique within one customer: the same text under two customers is two people.
    UserId
}
text_id! {
    /// A document, unique within one scope.
    DocumentId
}

/// A newtype over a UUID that we made.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("format" = "uuid")))]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// As a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// An event: a hash of client, scope and idempotency key, so that every retry carries the same one.
    EventId
}
uuid_id! {
    /// One accepted ingest, as callers ask for its status. Equal to the id of the event that it became.
    IngestionId
}
uuid_id! {
    /// A conversation of one user. What a user names otherwise than by a UUID gets one of its own.
    ConversationId
}
uuid_id! {
    /// A memory: UUIDv5 of scope, document and normalised content, so that a rebuild gives the same one.
    MemoryId
}

impl EventId {
    /// The id that the same key makes after what it made before was erased.
    #[must_use]
    pub fn again(self) -> Self {
        Self(Uuid::new_v5(&self.0, b"again"))
    }
}

impl ConversationId {
    /// The conversation that the user of `scope` calls `name`: UUIDv5 of both, so that nobody's name is another's.
    pub fn named(scope: &crate::Scope, name: &Id) -> Self {
        Self(Uuid::new_v5(
            &scope.hash().to_uuid(),
            name.as_str().as_bytes(),
        ))
    }

    /// As CloudEvents `subject`.
    pub(crate) fn about(self) -> String {
        format!("conversations/{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Result<(), IdError>) {
        assert_eq!(&text.parse::<Id>().map(|_| ()), expected, "{text:?}");
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(
            serde_json::from_str::<Id>(&json).is_ok(),
            expected.is_ok(),
            "{text:?} through serde"
        );
    }

    #[test]
    fn accepts_what_people_use_as_ids() {
        for text in [
            "dana",
            "dana@acme.example",
            "a.b",
            "*",
            ">",
            "a b",
            "../x",
            "-",
            "=x",
            "🦀",
            "用户:7",
            " ",
        ] {
            check(text, &Ok(()));
        }
        check(&"x".repeat(ID_BYTES_MAX), &Ok(()));
    }

    #[test]
    fn refuses_empty_long_and_control() {
        check("", &Err(IdError::Empty));
        check(&"é".repeat(129), &Err(IdError::TooLong { bytes: 258 }));
        check("a\0b", &Err(IdError::Control { found: '\0', at: 1 }));
        check("é\r\n", &Err(IdError::Control { found: '\r', at: 2 }));
        check(
            "\u{85}",
            &Err(IdError::Control {
                found: '\u{85}',
                at: 0,
            }),
        );
    }
}

//! What a model computed of memories, so that a replay never asks the model again.
//!
//! A memory is computed together with its passage, what was said or written beside it and is searched as one: the event names
//! the first memory of a passage, and hashes the text of the whole. Version 1 of the event leaves open what was encoded; what
//! hashes to another text than the passage's gets no vector.

use crate::event::EventData;
use crate::limits::ENRICHED_MEMORIES_MAX;
use crate::{Hash128, MemoryId, Scope};
use data_encoding::BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sentence embedding in one byte per number. Only its direction means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantisedVector(pub Vec<i8>);

impl Serialize for QuantisedVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().map(|x| x.to_le_bytes()[0]).collect();
        serializer.serialize_str(&BASE64.encode(&bytes))
    }
}

impl<'de> Deserialize<'de> for QuantisedVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes()).map_err(D::Error::custom)?;
        Ok(Self(
            bytes.into_iter().map(|x| i8::from_le_bytes([x])).collect(),
        ))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for QuantisedVector {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "QuantisedVector".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A sentence embedding, one signed byte per number. Only its direction means something.",
            "type": "string",
            "contentEncoding": "base64"
        })
    }
}

/// The embedding of one memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryVector {
    /// Which memory.
    pub memory_id: MemoryId,
    /// What it said: [`MemoryVector::text_hash`]. The vector is of no use for a memory that says something else by now.
    pub text_hash: String,
    /// Its direction.
    pub vector: QuantisedVector,
}

/// A model computed the embeddings of memories of one scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoriesEnriched {
    /// Whose memories they are.
    pub scope: Scope,
    /// The model's name.
    pub model: String,
    /// SHA-256 of its weights, in hexadecimal: vectors of other weights cannot be compared.
    pub model_hash: String,
    /// At most `ENRICHED_MEMORIES_MAX`.
    #[serde(deserialize_with = "bounded")]
    pub memories: Vec<MemoryVector>,
}

impl MemoryVector {
    /// What stands for a text in an event that must not hold it.
    pub fn text_hash(text: &str) -> String {
        Hash128::of("synap.text.v1", [text.as_bytes()]).to_string()
    }
}

impl MemoriesEnriched {
    /// What stands for a model in keys and in ids of events.
    pub fn model_key(name: &str, hash: &str) -> Hash128 {
        Hash128::of("synap.model.v1", [name.as_bytes(), hash.as_bytes()])
    }
}

fn bounded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MemoryVector>, D::Error> {
    let memories = Vec::<MemoryVector>::deserialize(deserializer)?;
    if memories.len() > ENRICHED_MEMORIES_MAX {
        return Err(D::Error::custom("too many memories"));
    }
    Ok(memories)
}

impl EventData for MemoriesEnriched {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn about(&self) -> String {
        format!("models/{}", self.model)
    }
}

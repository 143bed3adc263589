//! What a memory of mem0 becomes: pure, from an exported object to a document. The shapes are those of its platform
//! (`get_all`, export), of its open-source library, in Python and in TypeScript.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use synap_types::Timestamp;
use synap_types::json::kind;

/// Where the text may stand, best first.
const TEXTS: [&str; 4] = ["memory", "text", "content", "data"];
/// What its TypeScript library calls a field.
const SPELLINGS: [(&str, &str); 10] = [
    ("userId", "user_id"),
    ("agentId", "agent_id"),
    ("runId", "run_id"),
    ("appId", "app_id"),
    ("actorId", "actor_id"),
    ("attributedTo", "attributed_to"),
    ("createdAt", "created_at"),
    ("updatedAt", "updated_at"),
    ("expirationDate", "expiration_date"),
    ("customCategories", "custom_categories"),
];
/// What is kept in the metadata, below `mem0`.
const KEPT: [&str; 19] = [
    "id",
    "hash",
    "user_id",
    "agent_id",
    "run_id",
    "app_id",
    "actor_id",
    "role",
    "attributed_to",
    "categories",
    "custom_categories",
    "created_at",
    "updated_at",
    "expiration_date",
    "immutable",
    "owner",
    "organization",
    "org_id",
    "project_id",
];
/// What would mean something to mem0, and is only kept here.
const WITHOUT_EFFECT: [&str; 2] = ["expiration_date", "immutable"];

/// Where the customer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Customer {
    /// There is none.
    Absent,
    /// All memories are of this one.
    Fixed(String),
    /// Each memory says so itself, in this field; `a.b` is the field `b` of the object `a`.
    Field(String),
}

/// What becomes of a memory that names no user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WithoutUser {
    /// It is left out, and reported
    Skip,
    /// It becomes the customer's: every user of the customer is told it
    Customer,
    /// It becomes the application's: everybody is told it
    Client,
}

/// Why a memory is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It has no place here. That is no failure.
    Skipped(String),
    /// It is not as it should be.
    Malformed(String),
}

/// How memories become documents, and which of their fields found no place so far.
#[derive(Debug)]
pub(crate) struct Mapping {
    customer: Customer,
    without_user: WithoutUser,
    /// Memories with a field that is not brought over, by field.
    pub(crate) not_mapped: BTreeMap<String, usize>,
    /// Memories with a field that is kept in the metadata and has no effect here, by field.
    pub(crate) without_effect: BTreeMap<String, usize>,
}

impl Mapping {
    /// A mapping that has seen nothing yet.
    pub(crate) const fn new(customer: Customer, without_user: WithoutUser) -> Self {
        Self {
            customer,
            without_user,
            not_mapped: BTreeMap::new(),
            without_effect: BTreeMap::new(),
        }
    }

    /// The document, as the body of a create request, that `memory` becomes. Its scope is never wider than asked for.
    pub(crate) fn document(&mut self, memory: Map<String, Value>) -> Result<Value, Problem> {
        let mut fields = respelled(memory);
        let text = text(&mut fields)?;
        let user = id("user_id", fields.get("user_id"))?;
        let of_client = match (&user, self.without_user) {
            (None, WithoutUser::Skip) => return Err(Problem::Skipped("no user_id".to_owned())),
            (None, WithoutUser::Client) => true,
            (None, WithoutUser::Customer) | (Some(_), _) => false,
        };
        let customer = if of_client {
            None
        } else {
            self.customer(&fields)?
        };
        if user.is_none() && customer.is_none() && !of_client {
            return Err(Problem::Skipped("no user_id and no customer".to_owned()));
        }
        let document_id = id("id", fields.get("id"))?.map(|id| format!("mem0:{id}"));
        let created_at = self.created_at(&fields);
        let metadata = self.metadata(fields);
        Ok(
            json!({"document": text, "document_type": "document", "document_id": document_id,
            "document_created_at": created_at, "customer_id": customer, "user_id": user, "metadata": metadata}),
        )
    }

    fn customer(&self, fields: &Map<String, Value>) -> Result<Option<String>, Problem> {
        match &self.customer {
            Customer::Absent => Ok(None),
            Customer::Fixed(id) => Ok(Some(id.clone())),
            Customer::Field(path) => {
                let missing = || Problem::Skipped(format!("no {path}, which names the customer"));
                id(path, at(fields, path))?.map(Some).ok_or_else(missing)
            }
        }
    }

    fn created_at(&mut self, fields: &Map<String, Value>) -> Option<String> {
        let given = fields.get("created_at").filter(|value| is_there(value))?;
        let time = given
            .as_str()
            .filter(|text| text.parse::<Timestamp>().is_ok());
        if time.is_none() {
            count(&mut self.without_effect, "created_at that is no time");
        }
        time.map(str::to_owned)
    }

    /// The memory's own metadata, and beside it, as `mem0`, what mem0 knew of it.
    fn metadata(&mut self, mut fields: Map<String, Value>) -> Value {
        let mut known = Map::new();
        for name in KEPT {
            if let Some(value) = fields.remove(name).filter(is_there) {
                if WITHOUT_EFFECT.contains(&name) && value != Value::Bool(false) {
                    count(&mut self.without_effect, name);
                }
                known.insert(name.to_owned(), value);
            }
        }
        let mut metadata = match fields.remove("metadata") {
            Some(Value::Object(own)) => own,
            Some(other) if is_there(&other) => {
                known.insert("metadata".to_owned(), other);
                Map::new()
            }
            _ => Map::new(),
        };
        if let Some(own) = metadata.remove("mem0") {
            known.insert("metadata".to_owned(), json!({"mem0": own}));
        }
        metadata.insert("mem0".to_owned(), known.into());
        for (name, value) in &fields {
            if is_there(value) {
                count(&mut self.not_mapped, name);
            }
        }
        metadata.into()
    }
}

/// With the names that Python uses. A field that stands there in both spellings keeps the one of Python.
fn respelled(mut memory: Map<String, Value>) -> Map<String, Value> {
    for (spelling, name) in SPELLINGS {
        if !memory.contains_key(name)
            && let Some(value) = memory.remove(spelling)
        {
            memory.insert(name.to_owned(), value);
        }
    }
    memory
}

/// Takes the text, as it is.
fn text(fields: &mut Map<String, Value>) -> Result<String, Problem> {
    let is_text = |name: &&&str| fields.get(**name).is_some_and(Value::is_string);
    let name = TEXTS.iter().find(is_text).copied();
    match name.and_then(|name| fields.remove(name)) {
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(Problem::Skipped("no text".to_owned()))
        }
        Some(Value::String(text)) => Ok(text),
        _ => Err(Problem::Malformed(
            "is not a memory: it has no text in memory, text, content or data".to_owned(),
        )),
    }
}

/// An id, which some callers wrote as a number. An empty one is none.
fn id(name: &str, value: Option<&Value>) -> Result<Option<String>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok((!text.is_empty()).then(|| text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => {
            let problem = format!("{name} must be a string, not {}", kind(other));
            Err(Problem::Malformed(problem))
        }
    }
}

/// The value at a path of names with dots between.
fn at<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = fields.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(fields.get(first)?.as_object()?, rest)
}

/// Whether a field says anything.
fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn count(counts: &mut BTreeMap<String, usize>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests;

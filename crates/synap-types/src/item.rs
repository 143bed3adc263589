//! What a fetch answers. These are the wire's shapes; rows of the read model are others.

use crate::{ConversationId, FetchMode, MemoryId, MemoryType, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// One memory as it is told.
///
/// The vendor's models read other names for some types (`summary`, `emotion_type`, …); [`Self::typed`] adds them.
/// Nothing is ever `null`: its SDK refuses that.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContextItem {
    /// The memory.
    pub id: MemoryId,
    /// Its text, self-contained.
    pub content: String,
    /// `fact`, `preference`, …
    pub memory_type: MemoryType,
    /// Kind of the scope it belongs to: `user`, `customer`, `client`, or a level of the ladder.
    pub scope: String,
    /// Ids of that scope.
    pub scope_path: Map<String, Value>,
    /// Where it stands among all items, from 1: scopes narrowest first, in each the most relevant first.
    pub rank: usize,
    /// Relevance to the queries, 0 to 1, comparable within this answer only.
    pub rank_score: f32,
    /// How sure the rule is that typed it, 0 to 1.
    pub confidence: f32,
    /// The document it came from.
    pub document_id: String,
    /// The same, under the name that the vendor's models read.
    pub source: String,
    /// The conversation that it was said in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// In which turn, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// Who said it, in a transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// Finer than the type: which emotion; else what it is about.
    #[serde(rename = "subcategory", skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// When the document or the turn was written, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// When what it tells of takes place: the first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_date: Option<Timestamp>,
    /// The first moment after; none beside a date: it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_end: Option<Timestamp>,
    /// What the date names: see [`crate::Precision`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_precision: Option<&'static str>,
    /// The first moment at which it does not hold any more. It is told all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// How it recurs, as in [`crate::EventTime::recurrence`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    /// The names in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// When it was accepted.
    pub extracted_at: Timestamp,
    /// Metadata of the document, and of the turn.
    pub metadata: Map<String, Value>,
    /// Which of the queries found it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matched_queries: Vec<String>,
    /// Estimated tokens of `content`.
    pub tokens: usize,
    /// What it stands before: near-duplicates, and preferences that it contradicts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadow>,
    /// The narrower or newer memory that contradicts it; such an item is told only if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadowed_by: Option<MemoryId>,
    /// Why it is here, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<ItemExplain>,
}

/// Why an item is in the answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemExplain {
    /// The event it came from.
    pub event_id: String,
    /// Its place in the log.
    pub seq: u64,
    /// Bytes of the document that it came from.
    pub span: [u32; 2],
    /// Every ranking signal by name, as it went into the score.
    pub signals: Map<String, Value>,
    /// `reserved` (its scope's share), `relevance`, `value` (relevance for its tokens), `metadata` (its metadata has the
    /// query's words), or `recency` (a listing of what is newest).
    pub selected_by: &'static str,
    /// Tokens that it took of the budget.
    pub charged: usize,
    /// Near-duplicates that it stands for.
    pub folded: Vec<Fold>,
}

/// A near-duplicate that was left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fold {
    /// The memory that was left out.
    pub id: MemoryId,
    /// Kind of its scope.
    pub scope: String,
}

/// A memory that another one stands before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shadow {
    /// The memory that stands back.
    pub id: MemoryId,
    /// Kind of its scope.
    pub scope: String,
    /// `duplicate` or `contradiction`.
    pub reason: &'static str,
}

/// A memory that matched and is not in the answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// Which.
    pub id: MemoryId,
    /// Kind of its scope.
    pub scope: String,
    /// Its relevance, as `rank_score` of items.
    pub rank_score: f32,
    /// `min_relevance`, `max_results`, `max_results_per_query`, `max_tokens`, `duplicate` or `contradiction`.
    pub reason: &'static str,
    /// The memory that stands for it, or before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<MemoryId>,
}

/// What one scope contributed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScopeReport {
    /// Kind of the scope.
    pub scope: String,
    /// Its ids.
    pub scope_path: Map<String, Value>,
    /// Whether anything was ever stored there: an empty answer differs from a wrong id.
    pub scope_known: bool,
    /// Items in the answer.
    pub items: usize,
    /// Memories that matched: of each query the best 2,000 at most.
    pub candidates: usize,
    /// Everything up to here is in the answer.
    pub applied_seq: u64,
}

/// The answer to a fetch, before it is laid out for the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchResponse {
    /// Items in scope order.
    pub items: Vec<ContextItem>,
    /// The chain that was walked, narrowest first.
    pub scopes: Vec<ScopeReport>,
    /// The read model was behind what was asked for, or a partition has halted.
    pub stale: bool,
    /// Estimated tokens of all items.
    pub tokens: usize,
    /// The items as one text for a prompt, if asked for.
    pub prompt: Option<Prompt>,
    /// What was left out, if asked for: the best of it, and how many there are of the candidates that were looked at.
    pub left_out: Option<(Vec<LeftOut>, usize)>,
    /// How much work was done: less than was asked for where no model could be asked.
    pub mode_used: FetchMode,
    /// Why it was less.
    pub fallback: Option<&'static str>,
}

/// Items as one text for a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text; empty where there are no items.
    pub text: String,
    /// Its estimated tokens.
    pub tokens: usize,
}

impl FetchResponse {
    /// Nothing at all.
    pub const fn empty() -> Self {
        Self {
            items: Vec::new(),
            scopes: Vec::new(),
            stale: false,
            tokens: 0,
            prompt: None,
            left_out: None,
            mode_used: FetchMode::Fast,
            fallback: None,
        }
    }
}

/// How long callers may cache an answer: not at all. The vendor's SDK would else serve it stale after a write.
const TTL_SECONDS: i64 = -1;
/// Answers of the client's own scope change rarely.
const TTL_SECONDS_CLIENT: i64 = 1_800;

impl ContextItem {
    /// The item as an entry of its type's list: the vendor's models read `category` as the subcategory there.
    pub fn typed(&self) -> Value {
        let mut item = self.fields();
        let known = item.remove("subcategory");
        let category = known.clone().unwrap_or_else(|| "".into());
        let said_at = Value::from(self.said_at.unwrap_or(self.extracted_at).to_string());
        let mut set = |name: &str, value: Value| drop(item.insert(name.to_owned(), value));
        match self.memory_type {
            MemoryType::Fact => {}
            MemoryType::Preference => {
                set("category", category);
                set("strength", self.confidence.into());
            }
            MemoryType::Episode => {
                set("summary", self.content.clone().into());
                set("occurred_at", said_at);
                set("significance", self.confidence.into());
                set("participants", self.speaker.clone().into_iter().collect());
            }
            MemoryType::Emotion => {
                set("emotion_type", category);
                set("context", self.content.clone().into());
                set("detected_at", said_at);
                set("intensity", self.confidence.into());
            }
            MemoryType::TemporalEvent => {
                let again = self.recurrence.is_some() && self.event_end.is_none();
                let category = if again { "perpetual" } else { "temporal_fact" };
                set("temporal_category", category.into());
                set("temporal_confidence", self.confidence.into());
            }
        }
        if let Some(known) = known.filter(|_| self.memory_type != MemoryType::Emotion) {
            item.insert("category".to_owned(), known);
        }
        Value::Object(item)
    }

    /// The item as an entry of `items`, where `category` is its list's name.
    pub fn ranked(&self) -> Value {
        let mut item = self.fields();
        item.insert("category".to_owned(), self.memory_type.plural().into());
        Value::Object(item)
    }

    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

/// The answer as it goes over the wire.
#[derive(Debug)]
pub struct Context;

impl Context {
    /// Lays `response` out: `context` with a list per type, and `items` if `ranked`.
    pub fn to_json(response: &FetchResponse, ranked: bool) -> Value {
        let mut context = Map::new();
        for kind in MemoryType::ALL {
            let of_kind = response
                .items
                .iter()
                .filter(|item| item.memory_type == kind);
            context.insert(
                kind.plural().to_owned(),
                of_kind.map(ContextItem::typed).collect(),
            );
        }
        if ranked {
            context.insert(
                "items".to_owned(),
                response.items.iter().map(ContextItem::ranked).collect(),
            );
        }
        let client_only = matches!(response.scopes.as_slice(), [only] if only.scope == "client");
        let mut body = Map::new();
        body.insert("context".to_owned(), context.into());
        body.insert(
            "ttl_seconds".to_owned(),
            if client_only {
                TTL_SECONDS_CLIENT
            } else {
                TTL_SECONDS
            }
            .into(),
        );
        body.insert(
            "scopes".to_owned(),
            serde_json::to_value(&response.scopes).unwrap_or_default(),
        );
        body.insert("tokens".to_owned(), response.tokens.into());
        if let Some(prompt) = &response.prompt {
            body.insert("prompt".to_owned(), prompt.text.clone().into());
            body.insert("prompt_tokens".to_owned(), prompt.tokens.into());
        }
        if let Some((memories, count)) = &response.left_out {
            let left_out = serde_json::json!({"count": count, "memories": memories});
            body.insert("left_out".to_owned(), left_out);
        }
        body.insert("stale".to_owned(), response.stale.into());
        body.insert("mode_used".to_owned(), response.mode_used.name().into());
        let behind = response.stale.then_some("the read model is behind the log");
        let warnings: Vec<&str> = behind.into_iter().chain(response.fallback).collect();
        if !warnings.is_empty() {
            let retrieval = serde_json::json!({"degraded": true, "level": "partial", "code": "unavailable",
                "warnings": warnings});
            body.insert("retrieval".to_owned(), retrieval);
        }
        body.into()
    }
}

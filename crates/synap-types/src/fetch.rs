//! Asking for context.

use crate::json::Fields;
use crate::limits::{
    AS_OF_BYTES_MAX, CONVERSATIONS_DEFAULT, CONVERSATIONS_MAX, QUERIES_MAX, QUERY_BYTES_MAX,
    QUERY_DATE_BYTES_MAX, RELEVANCE_DEFAULT, RESULTS_DEFAULT, RESULTS_MAX, TOKENS_MAX,
    WAIT_MS_DEFAULT, WAIT_MS_MAX,
};
use crate::{
    ApiError, ClientId, ConversationName, ConversationRef, Isolation, LevelName, MemoryType,
    Position, Scope, Timestamp,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// How much work a fetch may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FetchMode {
    /// No model beyond the built-in ones.
    #[default]
    Fast,
    /// Reranking where a model is there.
    Accurate,
}

impl FetchMode {
    /// As on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Accurate => "accurate",
        }
    }
}

/// How items are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseShape {
    /// Lists by type.
    #[default]
    ByType,
    /// Lists by type and one ranked list, in scope order.
    Ranked,
}

/// Which memory types are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeFilter(Vec<MemoryType>);

impl TypeFilter {
    /// Reads every spelling that the vendor's clients and documents use: singular, plural, `temporal`, `all`.
    pub fn parse(names: &[String]) -> Result<Self, ApiError> {
        let mut types = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let lower = name.to_ascii_lowercase();
            if lower == "all" {
                return Ok(Self::default());
            }
            let found = MemoryType::ALL.into_iter().find(|t| {
                lower == t.name()
                    || lower == t.plural()
                    || (lower == "temporal" && *t == MemoryType::TemporalEvent)
            });
            let Some(found) = found else {
                let known = MemoryType::ALL.map(MemoryType::plural).join(", ");
                return Err(ApiError::invalid(
                    format!("types[{at}]"),
                    format!("must be one of all, {known}"),
                ));
            };
            types.push(found);
        }
        Ok(Self(types))
    }

    /// Whether memories of this type are wanted. A filter without types wants all.
    pub fn accepts(&self, kind: MemoryType) -> bool {
        self.0.is_empty() || self.0.contains(&kind)
    }
}

/// How recent an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The answer holds everything up to here.
    pub position: Position,
    /// How long to wait for that, in milliseconds.
    pub wait_ms: u64,
    /// After the wait: answer marked `stale`, or refuse with 503.
    pub or_stale: bool,
}

/// Which past state is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// What was accepted up to and at this time.
    Time(Timestamp),
    /// What stands in the log up to and at this position.
    Position(Position),
}

impl Serialize for AsOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(time) => time.serialize(serializer),
            Self::Position(position) => position.serialize(serializer),
        }
    }
}

impl AsOf {
    /// An RFC 3339 time, or a position from a receipt of a scope that `scope` sees.
    fn take(fields: &mut Fields, scope: &Scope) -> Result<Option<Self>, ApiError> {
        let Some(text) = fields.string("as_of", AS_OF_BYTES_MAX)? else {
            return Ok(None);
        };
        if let Ok(time) = text.parse() {
            return Ok(Some(Self::Time(time)));
        }
        let Ok(position) = text.parse::<Position>() else {
            let problem = "must be an RFC 3339 time, such as 2026-05-01T12:00:00Z, or a position from a receipt";
            return Err(ApiError::invalid("as_of", problem));
        };
        if !scope.chain().any(|seen| seen.hash() == position.scope) {
            let problem = "is a position of a scope that this fetch does not read";
            return Err(ApiError::invalid("as_of", problem));
        }
        Ok(Some(Self::Position(position)))
    }
}

/// What an answer tells beside what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Include {
    /// What is contradicted by a narrower or newer memory, marked so.
    pub shadowed: bool,
    /// The items as one text for a prompt.
    pub prompt: bool,
}

/// One fetch, its scope decided.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchRequest {
    /// From where the chain is walked outward.
    pub scope: Scope,
    /// What is wanted; none means the newest memories.
    pub queries: Vec<String>,
    /// At most this many items.
    pub max_results: usize,
    /// At most this many items by each query; then nothing comes in that no query found.
    pub max_results_per_query: Option<usize>,
    /// At most this many tokens, by the documented estimator; of the text for a prompt, if that is wanted.
    pub max_tokens: Option<usize>,
    /// Absolute relevance that a match has at least, 0 to 1. With 0, whatever matches counts, and room that is left is
    /// filled with the newest memories.
    pub min_relevance: f32,
    /// What else the answer tells.
    pub include: Include,
    /// When the queries are asked, in the caller's words: what "last week" in them counts from.
    pub query_date: Option<String>,
    /// When the request came, where nothing else says when the queries are asked.
    pub now: Option<Timestamp>,
    /// Which types.
    pub types: TypeFilter,
    /// How much work.
    pub mode: FetchMode,
    /// How items are laid out.
    pub shape: ResponseShape,
    /// Whether each item says why it is there.
    pub explain: bool,
    /// How recent the answer must be.
    pub freshness: Option<Freshness>,
    /// Which past state is asked for; none means the present.
    pub as_of: Option<AsOf>,
    /// The conversation that it is asked for in.
    pub conversation: Option<ConversationRef>,
    /// Whether what was said in that conversation comes first.
    pub conversation_first: bool,
    /// Whether the answer tells of that conversation.
    pub with_conversation: bool,
}

/// A user's profile and last conversations in place of memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryMode {
    /// Whether the profile is wanted.
    pub profile: bool,
    /// How many conversations are wanted.
    pub conversations: usize,
}

impl SummaryMode {
    /// Takes `context_mode` and what belongs to it.
    pub fn take(fields: &mut Fields) -> Result<Option<Self>, ApiError> {
        let mode = fields.string("context_mode", 64)?;
        let profile = !fields.has("include_profile") || fields.flag("include_profile")?;
        let conversations = fields.number("last_n_conversations", 0, CONVERSATIONS_MAX)?;
        let is_past = fields.has("as_of");
        match mode.as_deref() {
            None | Some("" | "memories") => Ok(None),
            Some("conversation-summary") if is_past => Err(ApiError::invalid(
                "as_of",
                "does not go with context_mode conversation-summary",
            )),
            Some("conversation-summary") => Ok(Some(Self {
                profile,
                conversations: conversations.unwrap_or(CONVERSATIONS_DEFAULT),
            })),
            Some(_) => Err(ApiError::invalid(
                "context_mode",
                "must be memories or conversation-summary",
            )),
        }
    }
}

impl FetchRequest {
    /// Reads the body of a fetch at `level`: `user`, `customer` or `client`. Unknown fields are ignored.
    pub fn parse(
        body: Map<String, Value>,
        level: &str,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let ids = fields.scope_ids()?;
        let name = ConversationName::take(&mut fields)?;
        let request = Self::take(&mut fields, isolation.scope_at(client, &ids, level)?)?;
        // Only its user may be told of a conversation.
        let name = name.filter(|_| level == LevelName::USER);
        Ok(Self {
            conversation: name.map(|name| name.of(&request.scope)),
            ..request
        })
    }

    /// Reads the body of a fetch within a conversation of the user whose scope is `scope`. Unknown fields are ignored.
    pub fn parse_in(
        body: Map<String, Value>,
        scope: Scope,
        conversation: &ConversationName,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            conversation: Some(conversation.of(&scope)),
            conversation_first: true,
            ..Self::take(&mut Fields::new(body), scope)?
        })
    }

    /// Reads the body of a fetch of our own doors: the ids say the level, and unknown fields are refused.
    pub fn parse_strict(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let ids = fields.scope_ids()?;
        let scope = isolation.scope(client, &ids)?;
        // Told of on the routes of conversations only.
        let _conversation = ConversationName::take(&mut fields)?;
        let request = Self::take(&mut fields, scope)?;
        fields.finish()?;
        Ok(request)
    }

    fn take(fields: &mut Fields, scope: Scope) -> Result<Self, ApiError> {
        let mut queries = fields.strings("search_query", QUERIES_MAX, QUERY_BYTES_MAX)?;
        queries.retain(|query| !query.trim().is_empty());
        let mode = match fields.string("mode", 64)?.as_deref() {
            None | Some("fast") => FetchMode::Fast,
            Some("accurate") => FetchMode::Accurate,
            Some(_) => return Err(ApiError::invalid("mode", "must be fast or accurate")),
        };
        let shape = match fields.string("response_shape", 64)?.as_deref() {
            None | Some("by_type") => ResponseShape::ByType,
            Some("ranked") => ResponseShape::Ranked,
            Some(_) => {
                return Err(ApiError::invalid(
                    "response_shape",
                    "must be by_type or ranked",
                ));
            }
        };
        let types = fields.strings("types", MemoryType::ALL.len() * 4, 64)?;
        Ok(Self {
            queries,
            max_results: fields
                .number("max_results", 1, RESULTS_MAX)?
                .unwrap_or(RESULTS_DEFAULT),
            max_results_per_query: fields.number("max_results_per_query", 1, RESULTS_MAX)?,
            max_tokens: fields.number("max_tokens", 1, TOKENS_MAX)?,
            min_relevance: fields.share("min_relevance")?.unwrap_or(RELEVANCE_DEFAULT),
            include: Include {
                shadowed: fields.flag("include_shadowed")?,
                prompt: fields.flag("include_prompt")?,
            },
            query_date: fields.string("query_date", QUERY_DATE_BYTES_MAX)?,
            now: None,
            types: TypeFilter::parse(&types)?,
            mode,
            shape,
            explain: fields.flag("explain")?,
            freshness: freshness(fields, &scope)?,
            as_of: AsOf::take(fields, &scope)?,
            conversation: None,
            conversation_first: false,
            with_conversation: !fields.has("include_conversation_context")
                || fields.flag("include_conversation_context")?,
            scope,
        })
    }
}

fn freshness(fields: &mut Fields, scope: &Scope) -> Result<Option<Freshness>, ApiError> {
    let position: Option<Position> = fields.parsed("position")?;
    let wait_max = usize::try_from(WAIT_MS_MAX).unwrap_or(usize::MAX);
    let wait_ms = fields.number("wait_ms", 0, wait_max)?;
    let or_stale = match fields.string("if_stale", 64)?.as_deref() {
        None | Some("answer") => true,
        Some("refuse") => false,
        Some(_) => return Err(ApiError::invalid("if_stale", "must be answer or refuse")),
    };
    let Some(position) = position else {
        return Ok(None);
    };
    if !scope.chain().any(|seen| seen.hash() == position.scope) {
        return Err(ApiError::invalid(
            "position",
            "belongs to a scope that this fetch does not read",
        ));
    }
    Ok(Some(Freshness {
        position,
        wait_ms: wait_ms.map_or(WAIT_MS_DEFAULT, |ms| ms as u64),
        or_stale,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: Value) -> Result<FetchRequest, ApiError> {
        let Value::Object(body) = body else {
            panic!("not an object")
        };
        FetchRequest::parse(body, "user", &"app".parse().unwrap(), &Isolation::strict())
    }

    #[test]
    fn reads_what_the_vendors_sdk_sends() {
        let body = json!({"user_id": "al", "customer_id": "acme", "conversation_id": null, "search_query": ["q"],
            "max_results": 20, "types": ["all"], "mode": "fast", "precision_level": "medium"});
        let request = parse(body).unwrap();
        assert_eq!((request.max_results, request.queries.len()), (20, 1));
        assert!(request.types.accepts(MemoryType::Emotion));
        let none =
            parse(json!({"user_id": "al", "customer_id": "acme", "search_query": null})).unwrap();
        assert!(none.queries.is_empty());
    }

    #[test]
    fn a_floor_is_a_share_and_has_a_default() {
        let body =
            |value: Value| json!({"user_id": "al", "customer_id": "acme", "min_relevance": value});
        let floor = |value| parse(body(value)).map(|request| request.min_relevance);
        assert_eq!(floor(Value::Null), Ok(RELEVANCE_DEFAULT));
        assert_eq!(floor(json!(0)), Ok(0.0));
        assert_eq!(floor(json!(0.5)), Ok(0.5));
        for (value, found) in [
            (json!(1.5), "1.5"),
            (json!(-1), "-1"),
            (json!("1"), "a string"),
        ] {
            let expected = format!("min_relevance must be a number from 0 to 1, not {found}");
            assert_eq!(floor(value).unwrap_err().message, expected);
        }
    }

    #[test]
    fn types_have_every_spelling() {
        for (name, kind) in [
            ("facts", MemoryType::Fact),
            ("temporal", MemoryType::TemporalEvent),
            ("Emotion", MemoryType::Emotion),
        ] {
            let filter = TypeFilter::parse(&[name.to_owned()]).unwrap();
            assert!(
                filter.accepts(kind) && !filter.accepts(MemoryType::Episode),
                "{name}"
            );
        }
        let refusal = TypeFilter::parse(&["all_of_it".to_owned()]).unwrap_err();
        assert!(
            refusal.message.starts_with("types[0] must be one of"),
            "{refusal}"
        );
    }

    #[test]
    fn a_position_of_another_scope_is_refused() {
        let client: ClientId = "app".parse().unwrap();
        let ids = |c: &str, u: &str| crate::ScopeIds {
            customer_id: Some(c.parse().unwrap()),
            user_id: Some(u.parse().unwrap()),
            ..Default::default()
        };
        let position = |c: &str, u: &str| Position {
            scope: Isolation::strict()
                .scope(&client, &ids(c, u))
                .unwrap()
                .hash(),
            partition: crate::Partition::Shared,
            incarnation: 1,
            seq: crate::Seq::new(1),
        };
        let body = |p: Position| json!({"user_id": "al", "customer_id": "acme", "position": p.to_string()});
        assert!(parse(body(position("acme", "al"))).is_ok());
        let refusal = parse(body(position("acme", "bob"))).unwrap_err();
        assert_eq!(
            refusal.message,
            "position belongs to a scope that this fetch does not read"
        );
    }
}

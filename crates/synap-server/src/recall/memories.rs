//! Memories beside a conversation, for its prompt: what a question finds that was not said in it.

use crate::identity::Identity;
use crate::operations::Operations;
use serde_json::{Map, Value, json};
use synap_log::EventLog;
use synap_query::prompt_of;
use synap_text::estimate_tokens;
use synap_types::json::Fields;
use synap_types::limits::{QUERIES_MAX, QUERY_BYTES_MAX, TOKENS_MAX};
use synap_types::{ApiError, ConversationName, FetchRequest, Scope};

/// What is asked for with a conversation's prompt.
#[derive(Debug)]
pub(super) struct Wanted {
    queries: Vec<String>,
    /// Of the summary and the memories together.
    max_tokens: Option<usize>,
}

impl Wanted {
    /// Takes `search_query` and `max_tokens` from the parameters; `None` without a query.
    pub(super) fn take(query: &Map<String, Value>) -> Result<Option<Self>, ApiError> {
        let mut fields = Fields::new(query.clone());
        let queries = fields.strings("search_query", QUERIES_MAX, QUERY_BYTES_MAX)?;
        let max_tokens = super::number(query, "max_tokens", 1, TOKENS_MAX)?;
        let asks = queries.iter().any(|query| !query.trim().is_empty());
        Ok(asks.then_some(Self {
            queries,
            max_tokens,
        }))
    }
}

impl<L: EventLog> Operations<L> {
    /// The memories that are wanted as a fenced text, within the tokens that `summary` leaves. What was said in the
    /// conversation itself is not among them: its summary and its turns tell it.
    pub(super) async fn memories_beside(
        &self,
        identity: &Identity,
        scope: &Scope,
        name: &ConversationName,
        wanted: &Wanted,
        summary: Option<&str>,
    ) -> Result<Option<String>, ApiError> {
        let used = summary.map_or(0, estimate_tokens);
        let room = match wanted.max_tokens {
            Some(most) if most <= used => return Ok(None),
            most => most.map(|most| most - used),
        };
        let mut body = Map::new();
        body.insert("search_query".to_owned(), json!(wanted.queries));
        body.insert("include_prompt".to_owned(), true.into());
        if let Some(room) = room {
            body.insert("max_tokens".to_owned(), room.into());
        }
        let request = FetchRequest {
            conversation_first: false,
            ..FetchRequest::parse_in(body, scope.clone(), name)?
        };
        let mut items = self.tell(identity, request, None).await?.items;
        let own = name.of(scope).id;
        items.retain(|item| item.conversation_id != Some(own));
        let text = prompt_of(&items, scope).text;
        Ok((!text.is_empty()).then(|| text.trim_end().to_owned()))
    }
}

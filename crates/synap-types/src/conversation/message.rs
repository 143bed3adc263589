//! One turn, as it is reported.

use crate::conversation::{ConversationName, ConversationRef};
use crate::json::Fields;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::{
    ApiError, ClientId, ConversationId, EventId, Id, IdempotencyKey, Isolation, LevelName,
    Position, Scope, Timestamp, TurnDoor, TurnRole,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// One turn to record, its scope decided.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordRequest {
    /// Whose conversation it is: a user's scope.
    pub scope: Scope,
    /// Which conversation.
    pub conversation: ConversationRef,
    /// The caller's session.
    pub session_id: Option<Id>,
    /// Through which door it came.
    pub door: TurnDoor,
    /// Who spoke.
    pub role: TurnRole,
    /// What was said; may be empty.
    pub content: String,
    /// When it was said.
    pub said_at: Option<Timestamp>,
    /// The caller's own data.
    pub metadata: Map<String, Value>,
    /// The caller's idempotency key; without one, a turn is always new.
    pub key: Option<IdempotencyKey>,
}

impl RecordRequest {
    /// Reads the body of a turn. Fields that are not known are ignored.
    pub fn parse(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
        door: TurnDoor,
    ) -> Result<Self, ApiError> {
        Self::take(&mut Fields::new(body), client, isolation, door)
    }

    /// Reads the body of a turn of our own doors; fields that are not known are refused.
    pub fn parse_strict(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
        door: TurnDoor,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let request = Self::take(&mut fields, client, isolation, door)?;
        fields.finish()?;
        Ok(request)
    }

    fn take(
        fields: &mut Fields,
        client: &ClientId,
        isolation: &Isolation,
        door: TurnDoor,
    ) -> Result<Self, ApiError> {
        let ids = fields.scope_ids()?;
        let name = ConversationName::required(fields)?;
        let scope = isolation.scope_at(client, &ids, LevelName::USER)?;
        let role = fields.string("role", 64)?;
        let key = fields.string("idempotency_key", crate::limits::BODY_BYTES_MAX)?;
        Ok(Self {
            conversation: name.of(&scope),
            scope,
            session_id: fields.id("session_id")?,
            door,
            role: self::role("role", role.as_deref())?,
            content: fields
                .string("content", MESSAGE_BYTES_MAX)?
                .ok_or_else(|| ApiError::invalid("content", "is required"))?,
            said_at: fields.parsed("said_at")?,
            metadata: fields.metadata()?,
            key: key
                .map(|key| IdempotencyKey::caller("idempotency_key", &key))
                .transpose()?,
        })
    }
}

/// The role called `name`.
pub(crate) fn role(field: &str, name: Option<&str>) -> Result<TurnRole, ApiError> {
    match name {
        Some("user") => Ok(TurnRole::User),
        Some("assistant") => Ok(TurnRole::Assistant),
        Some(_) => Err(ApiError::invalid(field, "must be user or assistant")),
        None => Err(ApiError::invalid(field, "is required")),
    }
}

/// The answer to a recorded turn: it is in the log and will not be lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageReceipt {
    /// The turn.
    pub message_id: EventId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The caller's session, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Id>,
    /// When it was accepted.
    pub recorded_at: Timestamp,
    /// Turns of the conversation up to this one. Absent while the read model is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_message_count: Option<u32>,
    /// Whether the same report was there before; nothing was written then.
    pub duplicate: bool,
    /// Kind of the scope that was written.
    pub scope: String,
    /// Ids of that scope.
    pub scope_path: Map<String, Value>,
    /// Where the write stands; give it to a fetch to read it back.
    pub position: Position,
    /// `power-safe`, or `relaxed` where a power cut may lose the write.
    pub durability: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: Value) -> Result<RecordRequest, String> {
        let Value::Object(body) = body else {
            panic!("not an object")
        };
        let client = "app".parse().unwrap();
        RecordRequest::parse(body, &client, &Isolation::strict(), TurnDoor::Call)
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn reads_what_the_vendors_sdk_sends() {
        let body = json!({"conversation_id": "{8E87BB1C-F11B-4BA4-A6DC-C182D7DE8FA4}", "role": "user", "content": "",
            "user_id": "al", "customer_id": "acme", "metadata": {"a": "b"}, "session_id": ""});
        let request = parse(body).unwrap();
        assert_eq!(
            request.conversation.id.to_string(),
            "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4"
        );
        assert_eq!(request.conversation.external, None);
        assert_eq!((request.session_id, request.content.as_str()), (None, ""));
    }

    #[test]
    fn refusals_name_the_field() {
        let body = |field: &str, value: Value| {
            let mut body = json!({"conversation_id": "call:1", "role": "user", "content": "x", "user_id": "al",
                "customer_id": "acme"});
            body[field] = value;
            parse(body)
        };
        assert!(body("content", json!("y")).is_ok());
        for (field, value, message) in [
            ("role", json!("system"), "role must be user or assistant"),
            ("content", json!(null), "content is required"),
            ("conversation_id", json!(""), "conversation_id is required"),
            ("user_id", json!(""), "user_id is required"),
            (
                "customer_id",
                json!(null),
                "customer_id is required with user_id",
            ),
        ] {
            assert_eq!(body(field, value).unwrap_err(), message);
        }
    }
}

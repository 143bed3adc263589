//! A whole conversation, as it is ingested after its end.

use crate::conversation::message::role;
use crate::conversation::{ConversationName, ConversationRef};
use crate::json::{Fields, kind};
use crate::limits::{
    DOCUMENT_BYTES_MAX, MESSAGE_BYTES_MAX, METADATA_BYTES_MAX, TRANSCRIPT_TURNS_MAX,
};
use crate::{
    ApiError, ClientId, ConversationId, Hash128, Id, IdempotencyKey, IngestionId, Isolation,
    LevelName, Position, Scope, Timestamp, Transcript, TranscriptTurn,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// One transcript to ingest, its scope decided.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptRequest {
    /// Whose conversation it is: a user's scope.
    pub scope: Scope,
    /// Which conversation.
    pub conversation: ConversationRef,
    /// The transcript itself.
    pub transcript: Transcript,
    /// The caller's word for it, such as `voice`.
    pub conversation_type: Option<Id>,
    /// What the caller found out about it.
    pub analysis: Map<String, Value>,
    /// The caller's own data.
    pub metadata: Map<String, Value>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl TranscriptRequest {
    /// Reads the body of a transcript. Fields that are not known are ignored.
    pub fn parse(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let ids = fields.scope_ids()?;
        let name = ConversationName::required(&mut fields)?;
        let scope = isolation.scope_at(client, &ids, LevelName::USER)?;
        Ok(Self {
            conversation: name.of(&scope),
            scope,
            transcript: transcript(&mut fields)?,
            conversation_type: fields.id("conversation_type")?,
            analysis: fields.bounded_object("analysis", METADATA_BYTES_MAX)?,
            metadata: fields.metadata()?,
            started_at: fields.parsed("started_at")?,
            ended_at: fields.parsed("ended_at")?,
        })
    }

    /// One conversation has one transcript: the key says which conversation, the content is compared.
    pub fn key(&self) -> IdempotencyKey {
        IdempotencyKey::Caller(format!("transcript of {}", self.conversation.id))
    }
}

impl Transcript {
    /// The hash that tells one transcript from another.
    pub fn content_hash(&self) -> Hash128 {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Turns(turns) => serde_json::to_string(turns).unwrap_or_default(),
        };
        Hash128::of("synap.transcript.v1", [text.as_bytes()])
    }
}

fn transcript(fields: &mut Fields) -> Result<Transcript, ApiError> {
    match fields.value("transcript") {
        Some(Value::String(text)) if text.len() > DOCUMENT_BYTES_MAX => Err(ApiError::over_limit(
            "transcript",
            "bytes",
            text.len(),
            DOCUMENT_BYTES_MAX,
        )),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(ApiError::invalid("transcript", "must not be empty"))
        }
        Some(Value::String(text)) => Ok(Transcript::Text(text)),
        Some(Value::Array(turns)) => transcript_turns(turns).map(Transcript::Turns),
        Some(other) => {
            let problem = format!("must be a string or a list of turns, not {}", kind(&other));
            Err(ApiError::invalid("transcript", problem))
        }
        None => Err(ApiError::invalid("transcript", "is required")),
    }
}

fn transcript_turns(turns: Vec<Value>) -> Result<Vec<TranscriptTurn>, ApiError> {
    if turns.is_empty() {
        return Err(ApiError::invalid("transcript", "must not be empty"));
    }
    if turns.len() > TRANSCRIPT_TURNS_MAX {
        return Err(ApiError::over_limit(
            "transcript",
            "turns",
            turns.len(),
            TRANSCRIPT_TURNS_MAX,
        ));
    }
    let read = |(at, turn): (usize, Value)| {
        let parent = format!("transcript[{at}]");
        let Value::Object(turn) = turn else {
            let problem = format!("must be an object, not {}", kind(&turn));
            return Err(ApiError::invalid(parent, problem));
        };
        transcript_turn(Fields::new(turn)).map_err(|refusal| refusal.within(&parent))
    };
    let turns: Vec<TranscriptTurn> = turns
        .into_iter()
        .enumerate()
        .map(read)
        .collect::<Result<_, _>>()?;
    let bytes: usize = turns.iter().map(|turn| turn.content.len()).sum();
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(ApiError::over_limit(
            "transcript",
            "bytes",
            bytes,
            DOCUMENT_BYTES_MAX,
        ));
    }
    Ok(turns)
}

fn transcript_turn(mut fields: Fields) -> Result<TranscriptTurn, ApiError> {
    let name = fields.string("role", 64)?;
    Ok(TranscriptTurn {
        role: role("role", name.as_deref())?,
        speaker: fields.id::<Id>("speaker")?.map(String::from),
        content: fields
            .string("content", MESSAGE_BYTES_MAX)?
            .ok_or_else(|| ApiError::invalid("content", "is required"))?,
        said_at: fields.parsed("timestamp")?,
        metadata: fields.metadata()?,
    })
}

/// The answer to an ingested transcript.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TranscriptReceipt {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What the caller calls it.
    pub external_conversation_id: String,
    /// To ask for its status.
    pub ingestion_id: IngestionId,
    /// `queued`, or `duplicate` where the same transcript was there.
    pub status: &'static str,
    /// `skipped`, or `already_compacted`: a summary is made when it is asked for.
    pub summary_status: &'static str,
    /// Turns of the transcript, those included that had been recorded before.
    pub turns_recorded: u32,
    /// When it was accepted.
    pub queued_at: Timestamp,
    /// What the caller should know.
    pub warnings: Vec<String>,
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

    fn parse(transcript: &Value) -> Result<TranscriptRequest, String> {
        let body = json!({"conversation_id": "call:+15550001", "user_id": "al", "customer_id": "acme",
            "transcript": transcript, "conversation_type": "voice"});
        let Value::Object(body) = body else {
            panic!("not an object")
        };
        let client = "app".parse().unwrap();
        TranscriptRequest::parse(body, &client, &Isolation::strict())
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn reads_text_and_turns() {
        let turn = json!({"role": "user", "content": "My name is Al", "timestamp": null, "speaker": null,
            "metadata": null});
        let request = parse(&json!([turn])).unwrap();
        assert_eq!(
            request.conversation.external.as_ref().map(Id::as_str),
            Some("call:+15550001")
        );
        assert!(matches!(&request.transcript, Transcript::Turns(turns) if turns.len() == 1));
        let text = parse(&json!("User: hi")).unwrap();
        assert_eq!(text.key(), request.key(), "one transcript per conversation");
        assert_ne!(
            text.transcript.content_hash(),
            request.transcript.content_hash()
        );
    }

    #[test]
    fn refusals_name_the_turn() {
        for (transcript, message) in [
            (json!(null), "transcript is required"),
            (json!([]), "transcript must not be empty"),
            (json!("  "), "transcript must not be empty"),
            (json!([1]), "transcript[0] must be an object, not a number"),
            (
                json!([{"role": "user", "content": "x"}, {"role": "bot", "content": "x"}]),
                "transcript[1].role must be user or assistant",
            ),
            (
                json!([{"role": "user", "content": "x", "timestamp": "soon"}]),
                "transcript[0].timestamp is not an RFC 3339 date and time between the years 0001 and 9999",
            ),
        ] {
            assert_eq!(parse(&transcript).unwrap_err(), message);
        }
    }
}

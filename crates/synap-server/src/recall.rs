//! Reading conversations, profiles and single memories.

mod memories;

use crate::conversations::value;
use crate::engine::Rows;
use crate::identity::Identity;
use crate::metrics;
use crate::operations::Operations;
use memories::Wanted;
use serde_json::{Map, Value, json};
use synap_log::EventLog;
use synap_query::{
    MemoryWithData, PromptStyle, ScopeView, compaction, conversation, conversations, memory,
    narrative, profile, summary_text, turns, turns_text,
};
use synap_readmodel::{CompactedSentence, CompactionRow, ConversationRow, ProfileRow, TurnRow};
use synap_types::json::{Fields, parse_id, parse_object};
use synap_types::limits::{BATCH_MESSAGES_MAX, RECENT_TURNS_BYTES_MAX, RECENT_TURNS_MAX};
use synap_types::{
    ApiError, Context, ConversationId, ConversationName, FetchRequest, FetchResponse, Id,
    LevelName, MemoryId, MemorySource, ResponseShape, Scope, ScopeIds, SummaryMode, Timestamp,
};

/// Bytes of the name of a generation at most.
const GENERATION_BYTES_MAX: usize = 64;

/// A conversation as it is told: the row, its last summary, and the turns that the summary does not cover.
struct Told {
    row: ConversationRow,
    compaction: Option<CompactionRow>,
    recent: Vec<(u32, TurnRow)>,
}

/// Takes the name of the generation that is to answer.
pub(crate) fn generation(body: &mut Map<String, Value>) -> Result<Option<String>, ApiError> {
    let taken = body.remove_entry("generation").into_iter().collect();
    Fields::new(taken).string("generation", GENERATION_BYTES_MAX)
}

impl<L: EventLog> Operations<L> {
    /// Answers a fetch at `level`.
    pub(crate) async fn fetch_at(
        &self,
        identity: &Identity,
        level: &str,
        body: &[u8],
    ) -> Result<Value, ApiError> {
        let mut body = parse_object(body)?;
        let generation = generation(&mut body)?;
        if level == LevelName::USER {
            let mut fields = Fields::new(body.clone());
            if let Some(mode) = SummaryMode::take(&mut fields)? {
                let ids = fields.scope_ids()?;
                let scope = identity.isolation.scope_at(&identity.client, &ids, level)?;
                return self.summaries(scope, mode).await;
            }
        }
        let request = FetchRequest::parse(body, level, &identity.client, &identity.isolation)?;
        self.fetch_of(identity, request, generation).await
    }

    /// Answers a fetch within a conversation: its turns, then the rest of its user's chain.
    pub(crate) async fn fetch_in_conversation(
        &self,
        identity: &Identity,
        body: &[u8],
    ) -> Result<Value, ApiError> {
        let mut body = parse_object(body)?;
        let generation = generation(&mut body)?;
        let mut fields = Fields::new(body.clone());
        let name = ConversationName::required(&mut fields)?;
        let ids = fields.scope_ids()?;
        let Some(scope) = self.owner(identity, &ids, &name).await? else {
            // Nobody has it: an empty answer, as for an unknown user.
            let nobodys = Scope::of_client(identity.client.clone());
            let request = FetchRequest::parse_in(body, nobodys, &name)?;
            let ranked = request.shape == ResponseShape::Ranked;
            return Ok(Context::to_json(&FetchResponse::empty(), ranked));
        };
        let request = FetchRequest::parse_in(body, scope, &name)?;
        self.fetch_of(identity, request, generation).await
    }

    /// Answers a fetch whose scope is decided, from the generation of this name or the live one.
    pub(crate) async fn fetch_of(
        &self,
        identity: &Identity,
        request: FetchRequest,
        generation: Option<String>,
    ) -> Result<Value, ApiError> {
        let ranked = request.shape == ResponseShape::Ranked;
        let told = request
            .conversation
            .clone()
            // How a conversation stood is not kept: a past state is one of memories.
            .filter(|_| request.with_conversation && request.as_of.is_none());
        let scope = request.scope.clone();
        let response = self.tell(identity, request, generation.as_deref()).await?;
        let mut answer = Context::to_json(&response, ranked);
        if let Some(name) = told {
            let told = self.told(&scope, name.id).await?;
            let context = told.map_or(Value::Null, |told| told.context());
            set(&mut answer, "conversation_context", context);
        }
        Ok(answer)
    }

    /// Whatever is told of memories is told by this: counted, and noted if it falls into the audit's sample.
    pub(crate) async fn tell(
        &self,
        identity: &Identity,
        request: FetchRequest,
        generation: Option<&str>,
    ) -> Result<FetchResponse, ApiError> {
        let request = FetchRequest {
            now: Some(self.ingest.clock.now()),
            ..request
        };
        let sampled = self.audit.sample(identity, &request, generation);
        let timer = metrics::FetchTimer::start(&request);
        let response = self.engine.fetch(request, generation).await;
        timer.done(&response);
        if let (Some(sampled), Ok(told)) = (sampled, &response) {
            self.audit.record(sampled, told);
        }
        response
    }

    async fn told(&self, scope: &Scope, id: ConversationId) -> Result<Option<Told>, ApiError> {
        self.engine
            .read(scope.clone(), move |view: &ScopeView<'_, Rows<'_>>| {
                let Some(row) = conversation(view, id)? else {
                    return Ok(None);
                };
                let compaction = compaction(view, &row, None)?;
                let covered = compaction.as_ref().map_or(0, |last| last.turns);
                let newest = row.turns.saturating_sub(RECENT_TURNS_MAX);
                let most = RECENT_TURNS_MAX as usize;
                let mut recent = turns(view, &row, covered.max(newest) + 1, most)?;
                let mut bytes = 0;
                let fits = recent
                    .iter()
                    .rev()
                    .take_while(|(_, turn)| {
                        bytes += turn.content.len();
                        bytes <= RECENT_TURNS_BYTES_MAX
                    })
                    .count();
                drop(recent.drain(..recent.len() - fits));
                Ok(Some(Told {
                    row,
                    compaction,
                    recent,
                }))
            })
            .await
    }

    /// A conversation for a prompt: its last summary, memories from elsewhere if a query asks for them, and the turns
    /// since. `available: false` where nobody has it.
    pub(crate) async fn context_for_prompt(
        &self,
        identity: &Identity,
        conversation_id: &str,
        query: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let style = style_of(query, "style", "bullet_points")?;
        let wanted = Wanted::take(query)?;
        let (scope, id) = match self.owned(identity, conversation_id, query).await {
            Ok(owned) => owned,
            Err(refusal) if refusal == ApiError::not_found() => {
                return Ok(json!({"available": false}));
            }
            Err(refusal) => return Err(refusal),
        };
        let told = self.told(&scope, id).await?;
        let Some(told) = told.filter(|told| told.row.turns > 0) else {
            return Ok(json!({"available": false}));
        };
        let mut memories = None;
        if let Some(wanted) = wanted {
            let name = ConversationName::new(parse_id("conversation_id", conversation_id)?);
            let summary = told.compaction.as_ref();
            let summary = summary.map(|last| summary_text(last, style));
            let beside = self.memories_beside(identity, &scope, &name, &wanted, summary.as_deref());
            memories = beside.await?;
        }
        Ok(told.for_prompt(style, memories.as_deref(), self.ingest.clock.now()))
    }

    /// Turns of a conversation, in order.
    pub(crate) async fn messages(
        &self,
        identity: &Identity,
        conversation_id: &str,
        query: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let start = number(query, "start", 1, u32::MAX as usize)?.unwrap_or(1);
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let limit = number(query, "limit", 1, BATCH_MESSAGES_MAX)?.unwrap_or(500);
        let (scope, id) = self.owned(identity, conversation_id, query).await?;
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            let Some(row) = conversation(view, id)? else {
                return Ok(None);
            };
            let found = turns(view, &row, start, limit)?;
            Ok(Some((row, found)))
        };
        let found = self.engine.read(scope, read).await?;
        let (row, found) = found.ok_or_else(ApiError::not_found)?;
        let turns: Vec<Value> = found
            .iter()
            .map(|(number, turn)| message(*number, turn))
            .collect();
        Ok(json!({"conversation_id": row.id, "turns": turns, "total": row.turns}))
    }

    /// A summary of a conversation.
    pub(crate) async fn compacted(
        &self,
        identity: &Identity,
        conversation_id: &str,
        query: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let style = style_of(query, "format", "injection")?;
        let version = number(query, "version", 1, u32::MAX as usize)?;
        let version = version.map(|version| u32::try_from(version).unwrap_or(u32::MAX));
        let (scope, id) = self.owned(identity, conversation_id, query).await?;
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            let Some(row) = conversation(view, id)? else {
                return Ok(None);
            };
            let found = compaction(view, &row, version)?;
            Ok(found.map(|found| (row, found)))
        };
        let found = self.engine.read(scope, read).await?;
        let (row, found) = found.ok_or_else(ApiError::not_found)?;
        Ok(compacted(&row, &found, style))
    }

    /// How far the summary of a conversation is.
    pub(crate) async fn compaction_status(
        &self,
        identity: &Identity,
        conversation_id: &str,
        query: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let (scope, id) = self.owned(identity, conversation_id, query).await?;
        let found = self.with_compaction(&scope, id).await?;
        let (row, last) = found.ok_or_else(ApiError::not_found)?;
        let Some(last) = last else {
            return Ok(json!({"conversation_id": row.id, "status": "none"}));
        };
        let at = Timestamp::from_micros(last.accepted_at);
        Ok(
            json!({"conversation_id": row.id, "status": "completed", "compaction_id": last.id, "completed_at": at,
            "compression_ratio": ratio(&last), "latest_version": last.version, "latest_created_at": at,
            "is_stale": last.turns < row.turns}),
        )
    }

    /// The conversation of a path, and whose it is.
    async fn owned(
        &self,
        identity: &Identity,
        conversation_id: &str,
        query: &Map<String, Value>,
    ) -> Result<(Scope, ConversationId), ApiError> {
        let id: Id = parse_id("conversation_id", conversation_id)?;
        let name = ConversationName::new(id);
        let scope = self.owner(identity, &ids_of(query)?, &name).await?;
        let scope = scope.ok_or_else(ApiError::not_found)?;
        let id = name.of(&scope).id;
        Ok((scope, id))
    }

    /// What is known of a user; nothing is a 404, since the vendor's SDK takes any profile for the whole answer.
    pub(crate) async fn user_profile(
        &self,
        identity: &Identity,
        user_id: &str,
        query: &Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let mut ids = ids_of(query)?;
        ids.user_id = Some(parse_id("user_id", user_id)?);
        let (client, isolation) = (&identity.client, &identity.isolation);
        let scope = isolation.scope_at(client, &ids, LevelName::USER)?;
        let read = |view: &ScopeView<'_, Rows<'_>>| profile(view);
        let found = self.engine.read(scope, read).await?;
        let found = found.ok_or_else(ApiError::not_found)?;
        Ok(json!({"profile": profile_json(&found)}))
    }

    /// A profile and the last conversations, in place of memories.
    async fn summaries(&self, scope: Scope, mode: SummaryMode) -> Result<Value, ApiError> {
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            let known = if mode.profile { profile(view)? } else { None };
            let mut told = Vec::new();
            for row in conversations(view, mode.conversations)? {
                let last = compaction(view, &row, None)?;
                told.push(summary(&row, last.as_ref()));
            }
            Ok((known, told))
        };
        let (known, told) = self.engine.read(scope, read).await?;
        let mut answer = Context::to_json(&FetchResponse::empty(), false);
        let known = known.as_ref().map_or(Value::Null, profile_json);
        set(&mut answer, "profile", known);
        set(&mut answer, "conversations", told.into());
        Ok(answer)
    }

    /// One memory.
    pub(crate) async fn memory(&self, identity: &Identity, id: &str) -> Result<Value, ApiError> {
        Ok(memory_json(&self.memory_row(identity, id).await?))
    }

    /// One memory that can be told, with the caller's data. An id that is no UUID is unknown like any other.
    pub(crate) async fn memory_row(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<MemoryWithData, ApiError> {
        let id: MemoryId = id.parse().map_err(|_| ApiError::not_found())?;
        let client = identity.client.clone();
        let found = self.engine.find(move |rows| memory(rows, &client, id));
        found.await?.ok_or_else(ApiError::not_found)
    }
}

impl Told {
    /// `conversation_context` of a fetch.
    fn context(&self) -> Value {
        let recent: Vec<Value> = self
            .recent
            .iter()
            .map(|(_, turn)| {
                json!({"role": turn.role, "content": turn.content, "timestamp": said_at(turn)})
            })
            .collect();
        let mut context = json!({"conversation_id": self.row.id, "recent_turns": recent, "current_state": {},
            "key_extractions": {}, "formatted_context": self.text(PromptStyle::Structured, None)});
        if let Some(last) = &self.compaction {
            let sections = ["decision", "preference", "fact", "event"];
            let extractions: Map<String, Value> = sections
                .into_iter()
                .map(|section| (format!("{section}s"), of_section(last, section)))
                .collect();
            set(&mut context, "summary", narrative(last).into());
            set(&mut context, "key_extractions", extractions.into());
            set(&mut context, "compaction_id", json!(last.id));
            set(
                &mut context,
                "compacted_at",
                json!(Timestamp::from_micros(last.accepted_at)),
            );
        }
        context
    }

    /// The summary, and after it `memories`: what stands in place of older turns. `None` without a summary, since nothing
    /// stands in their place then.
    fn block(&self, style: PromptStyle, memories: Option<&str>) -> Option<String> {
        let summary = summary_text(self.compaction.as_ref()?, style);
        let parts: Vec<&str> = [summary.as_str()].into_iter().chain(memories).collect();
        Some(parts.join("\n\n"))
    }

    fn text(&self, style: PromptStyle, memories: Option<&str>) -> String {
        let block = self.block(style, memories);
        let block = block.or_else(|| memories.map(ToOwned::to_owned));
        let recent = (!self.recent.is_empty()).then(|| turns_text(&self.recent, style));
        let parts: Vec<String> = block.into_iter().chain(recent).collect();
        parts.join("\n\n")
    }

    fn for_prompt(&self, style: PromptStyle, memories: Option<&str>, now: Timestamp) -> Value {
        let covered = self.compaction.as_ref().map_or(0, |last| last.turns);
        let recent: Vec<Value> = self
            .recent
            .iter()
            .map(|(_, turn)| {
                json!({"role": turn.role, "content": turn.content, "timestamp": said_at(turn),
                    "message_id": turn.message_id})
            })
            .collect();
        let mut answer = json!({"available": true, "formatted_context": self.text(style, memories), "recent_messages": recent,
            "recent_message_count": recent.len(), "compacted_message_count": covered,
            "total_message_count": self.row.turns, "quality_warning": false, "is_stale": false,
            "conversation_id": self.row.id});
        if let Some(last) = &self.compaction {
            let age = (now.micros() - last.accepted_at).max(0) / 1_000_000;
            set(&mut answer, "is_stale", (covered < self.row.turns).into());
            set(
                &mut answer,
                "context_block",
                self.block(style, memories).into(),
            );
            set(&mut answer, "compaction_id", json!(last.id));
            set(&mut answer, "compression_ratio", ratio(last).into());
            set(&mut answer, "compaction_age_seconds", age.into());
        }
        answer
    }
}

pub(crate) fn set(answer: &mut Value, field: &str, to: Value) {
    if let Value::Object(fields) = answer {
        fields.insert(field.to_owned(), to);
    }
}

/// Of 1 token, how much a summary keeps.
#[expect(
    clippy::cast_precision_loss,
    reason = "tokens of one conversation are far below 2^52"
)]
fn ratio(compaction: &CompactionRow) -> f64 {
    let ratio = compaction.tokens as f64 / compaction.source_tokens.max(1) as f64;
    (ratio * 10_000.0).round() / 10_000.0
}

/// A share of one, as people write it.
fn hundredths(share: f32) -> f64 {
    (f64::from(share.clamp(0.0, 1.0)) * 100.0).round() / 100.0
}

fn said_at(turn: &TurnRow) -> Timestamp {
    Timestamp::from_micros(turn.said_at.unwrap_or(turn.accepted_at))
}

fn message(number: u32, turn: &TurnRow) -> Value {
    let mut message = json!({"position": number, "role": turn.role, "content": turn.content,
        "timestamp": said_at(turn), "message_id": turn.message_id});
    if let Some(speaker) = &turn.speaker {
        set(&mut message, "speaker", speaker.as_str().into());
    }
    message
}

fn sentence(sentence: &CompactedSentence) -> Value {
    json!({"content": sentence.text, "speaker": sentence.speaker, "turn": sentence.turn})
}

fn of_section(compaction: &CompactionRow, section: &str) -> Value {
    let of_section = compaction
        .sentences
        .iter()
        .filter(|one| one.section == section);
    of_section.map(sentence).collect()
}

fn compacted(row: &ConversationRow, found: &CompactionRow, style: PromptStyle) -> Value {
    json!({"formatted_context": summary_text(found, style), "original_token_count": found.source_tokens,
        "compacted_token_count": found.tokens, "compression_ratio": ratio(found),
        "strategy_used": found.strategy, "compaction_id": found.id, "version": found.version,
        "facts": of_section(found, "fact"), "decisions": of_section(found, "decision"),
        "preferences": of_section(found, "preference"), "events": of_section(found, "event"),
        "current_state": {"turns_covered": found.turns, "turns": row.turns},
        "is_stale": found.turns < row.turns, "quality_warning": false,
        "created_at": Timestamp::from_micros(found.accepted_at), "conversation_id": row.id})
}

/// One conversation of a fetch of summaries.
fn summary(row: &ConversationRow, last: Option<&CompactionRow>) -> Value {
    let at = Timestamp::from_micros;
    let mut summary = json!({"conversation_id": row.id, "started_at": at(row.started_at), "last_message_at": at(row.last_at),
        "external_conversation_id": row.external_id.as_ref().map_or_else(|| row.id.to_string(), ToString::to_string),
        "message_count": row.turns, "summary_status": if last.is_some() { "available" } else { "pending" }});
    if let Some(ended) = row.ended_at {
        set(&mut summary, "ended_at", value(&at(ended)));
    }
    if let Some(kind) = &row.conversation_type {
        set(&mut summary, "conversation_type", kind.as_str().into());
    }
    if let Some(analysis) = row
        .analysis
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
    {
        set(&mut summary, "analysis", analysis);
    }
    if let Some(last) = last {
        let text = narrative(last);
        set(
            &mut summary,
            "summary",
            json!({"narrative_summary": text, "overview": text}),
        );
        set(&mut summary, "compaction_version", last.version.into());
        set(&mut summary, "compacted_at", value(&at(last.accepted_at)));
    }
    summary
}

fn profile_json(profile: &ProfileRow) -> Value {
    let mut attributes = Map::new();
    for (name, known) in &profile.attributes {
        let mut shown = json!({"value": known.value, "confidence": hundredths(known.confidence),
            "updated_at": Timestamp::from_micros(known.updated_at), "source_memory_id": known.memory_id});
        if let Some(id) = known.conversation {
            set(&mut shown, "source_conversation_id", json!(id));
        }
        attributes.insert(name.clone(), shown);
    }
    let sentence = |(name, known): (&String, &synap_readmodel::ProfileAttribute)| {
        if name.starts_with("preference") {
            known.value.clone()
        } else {
            format!("{}: {}", name.replace('_', " "), known.value)
        }
    };
    let overview: Vec<String> = profile.attributes.iter().map(sentence).collect();
    json!({"attributes": attributes, "overview": overview.join("\n"), "extras": {}, "_meta": {}})
}

/// A memory as `memories.get` tells it.
pub(crate) fn memory_json((row, metadata): &MemoryWithData) -> Value {
    let mut memory = json!({"memory_id": row.id, "memory_type": row.kind.name(), "content": row.text,
        "confidence": hundredths(row.confidence), "created_at": Timestamp::from_micros(row.accepted_at),
        "source_document_id": row.source.to_string(), "scope": row.scope.kind(),
        "scope_path": row.scope.path_json(), "metadata": metadata, "event_id": row.event_id});
    if let Some(category) = &row.category {
        set(&mut memory, "category", category.as_str().into());
    }
    if let Some(at) = row.updated_at {
        set(&mut memory, "updated_at", json!(Timestamp::from_micros(at)));
    }
    if let MemorySource::Conversation(id) = &row.source {
        set(&mut memory, "conversation_id", json!(id));
    }
    memory
}

/// Whom query parameters name. There is no `scope` among them: paths with more levels are asked for by the other routes.
fn ids_of(query: &Map<String, Value>) -> Result<ScopeIds, ApiError> {
    let mut fields = Fields::new(query.clone());
    fields.scope_ids()
}

/// How a conversation is to be laid out; `list` is the route's name for one list.
fn style_of(query: &Map<String, Value>, field: &str, list: &str) -> Result<PromptStyle, ApiError> {
    let given = query.get(field).and_then(Value::as_str);
    match given.unwrap_or_default() {
        "" | "structured" => Ok(PromptStyle::Structured),
        "narrative" => Ok(PromptStyle::Narrative),
        other if other == list => Ok(PromptStyle::BulletPoints),
        _ => {
            let problem = format!("must be structured, narrative or {list}");
            Err(ApiError::invalid(field, problem))
        }
    }
}

/// A number among query parameters.
fn number(
    query: &Map<String, Value>,
    field: &str,
    min: usize,
    max: usize,
) -> Result<Option<usize>, ApiError> {
    let Some(given) = query.get(field) else {
        return Ok(None);
    };
    let as_number = given.as_str().and_then(|text| text.parse::<u64>().ok());
    let given = as_number.map_or_else(|| given.clone(), Value::from);
    let mut fields = Map::new();
    fields.insert(field.to_owned(), given);
    Fields::new(fields).number(field, min, max)
}

//! Changing and taking away what is remembered: updates, forgetting, deletions.

use crate::conversations::{author, event_id, value};
use crate::engine::Rows;
use crate::erase::{Meant, about};
use crate::identity::Identity;
use crate::operations::Operations;
use crate::recall::memory_json;
use serde_json::{Map, Value, json};
use synap_log::EventLog;
use synap_query::{
    FetchError, ScopeView, conversation, conversations, deletion, document_memories, forgetting,
    forgotten_at, is_described,
};
use synap_readmodel::{DeletionRow, MemoryRow};
use synap_types::json::parse_object;
use synap_types::limits::{MEMORY_BYTES_MAX, RESULTS_MAX};
use synap_types::{
    ApiError, Author, ContextItem, ConversationId, DeleteOf, DeleteRequest, DocumentErased,
    DocumentId, ErrorCode, EventBody, EventId, FetchMode, FetchRequest, ForgetRequest,
    IdempotencyKey, Include, LevelName, MemoryForgotten, MemoryId, MemorySource, MemoryUpdated,
    ResponseShape, Scope, ScopeErased, Timestamp, TypeFilter, UpdateRequest,
};
use uuid::Uuid;

/// Where the text of what is not told any more lies until it is removed physically.
const STILL_PRESENT_IN: [&str; 2] = ["event_log", "read_model"];
/// Memories that one description forgets at most.
const FORGET_MAX: usize = 50;

impl<L: EventLog> Operations<L> {
    /// Gives a memory other content; answers it as it is then.
    pub(crate) async fn update(
        &self,
        identity: &Identity,
        id: &str,
        body: &[u8],
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ApiError> {
        let request = UpdateRequest::parse(parse_object(body)?)?;
        let known = self.memory_row(identity, id).await?;
        let before = &known.0;
        let bytes = request.content.to_text().len() + before.text.len();
        if bytes > MEMORY_BYTES_MAX {
            let unit = "bytes together with what is there";
            return Err(ApiError::over_limit(
                "document",
                unit,
                bytes,
                MEMORY_BYTES_MAX,
            ));
        }
        let event = event_id(
            key.as_ref(),
            &format!("update of {}", before.id),
            &before.scope,
        );
        let state = self.engine.ingest_state(&before.scope, Some(event), None);
        let state = state.await?;
        if state.seen.is_some() {
            return Ok(memory_json(&known));
        }
        let event = state.event.unwrap_or(event);
        let data = MemoryUpdated {
            scope: before.scope.clone(),
            memory_id: before.id,
            source: before.source.clone(),
            content: request.content,
            merge: request.merge,
            document_type: request.document_type,
            metadata: request.metadata,
            author: author(identity),
        };
        let body = EventBody::MemoryUpdated(Box::new(data));
        self.change(&before.scope, event, body).await?;
        self.memory(identity, id).await
    }

    /// Forgets a memory: it is not told any more, and does not come back with a later version of its document.
    pub(crate) async fn forget_one(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<Value, ApiError> {
        let (at, event) = match self.memory_row(identity, id).await {
            Ok((row, _)) => self.forget_row(identity, &row, None).await?,
            // Asked again, it is still forgotten: clients repeat a deletion whose answer was lost.
            Err(refusal) if refusal == ApiError::not_found() => {
                let id: MemoryId = id.parse().map_err(|_| ApiError::not_found())?;
                let client = identity.client.clone();
                let found = self
                    .engine
                    .find(move |rows| forgotten_at(rows, &client, id));
                let at = found.await?.ok_or(refusal)?;
                (at, self.memory_state(identity, id).await?.event_id)
            }
            Err(refusal) => return Err(refusal),
        };
        Ok(json!({"memory_id": id, "deleted_at": at, "event_id": event}))
    }

    async fn forget_row(
        &self,
        identity: &Identity,
        row: &MemoryRow,
        request_id: Option<EventId>,
    ) -> Result<(Timestamp, EventId), ApiError> {
        // The memory as it is now is the key: forgotten twice at the same time, it is forgotten once.
        let key = IdempotencyKey::Caller(format!("forget {} of {}", row.id, row.event_id));
        let data = MemoryForgotten {
            scope: row.scope.clone(),
            memory_id: row.id,
            source: row.source.clone(),
            event_id: row.event_id,
            span: row.span,
            request_id,
            author: author(identity),
        };
        let body = EventBody::MemoryForgotten(Box::new(data));
        let event = key.event_id(&row.scope);
        Ok((self.change(&row.scope, event, body).await?, event))
    }

    /// Forgets what a description names among one user's own memories, or says what it would.
    pub(crate) async fn forget(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let request = ForgetRequest::parse(body, &identity.client, &identity.isolation)?;
        let request_id = event_id(key.as_ref(), "forgetting", &request.scope);
        let mut deleted = self
            .forgotten_by(identity, key.as_ref().map(|_| request_id))
            .await?;
        let found = self.described(identity, &request).await?;
        let candidates: Vec<Value> = found.iter().map(candidate).collect();
        if found.is_empty() && deleted.is_empty() {
            return Ok(json!({"status": "nothing_matches", "candidates": []}));
        }
        if !request.direct {
            return Ok(
                json!({"status": "preview", "request_id": request_id, "candidates": candidates}),
            );
        }
        let mut failed = Vec::new();
        for item in &found {
            let forgotten = match self.memory_row(identity, &item.id.to_string()).await {
                Ok((row, _)) => {
                    let forgotten = self.forget_row(identity, &row, Some(request_id));
                    forgotten.await.map(drop)
                }
                // Somebody else was faster.
                Err(refusal) if refusal == ApiError::not_found() => Ok(()),
                Err(refusal) => Err(refusal),
            };
            match forgotten {
                Ok(()) => deleted.push(item.id),
                Err(_) => failed.push(item.id),
            }
        }
        let status = if failed.is_empty() {
            "deleted"
        } else {
            "partial"
        };
        let more = found.len() >= FORGET_MAX;
        Ok(
            json!({"status": status, "candidates": candidates, "deleted_ids": deleted, "failed_ids": failed,
            "still_present_in": STILL_PRESENT_IN, "may_be_incomplete": more || !failed.is_empty()}),
        )
    }

    /// What the call with this key forgot already: its answer was lost, or it was cut short.
    async fn forgotten_by(
        &self,
        identity: &Identity,
        request: Option<EventId>,
    ) -> Result<Vec<MemoryId>, ApiError> {
        let Some(request) = request else {
            return Ok(Vec::new());
        };
        let client = identity.client.clone();
        let found = self
            .engine
            .find(move |rows| forgetting(rows, &client, request));
        Ok(found.await?.map_or_else(Vec::new, |row| row.memories))
    }

    /// The user's own memories that a description means.
    async fn described(
        &self,
        identity: &Identity,
        request: &ForgetRequest,
    ) -> Result<Vec<ContextItem>, ApiError> {
        let fetch = FetchRequest {
            scope: request.scope.clone(),
            queries: vec![request.description.clone()],
            max_results: RESULTS_MAX,
            max_results_per_query: None,
            max_tokens: None,
            // What is meant is decided below, and may be contradicted by what is told in its place.
            min_relevance: 0.0,
            include: Include {
                shadowed: true,
                prompt: false,
            },
            query_date: None,
            now: None,
            types: TypeFilter::default(),
            mode: FetchMode::Fast,
            shape: ResponseShape::ByType,
            explain: false,
            freshness: None,
            as_of: None,
            conversation: None,
            conversation_first: false,
            with_conversation: false,
        };
        let partition = self.engine.count.partition_of(&request.scope);
        self.engine.catch_up(partition).await?;
        let own = request.scope.kind().to_owned();
        let items = self.tell(identity, fetch, None).await?.items;
        let is_meant = |item: &ContextItem| {
            item.scope == own && is_described(&request.description, &item.content)
        };
        Ok(items
            .into_iter()
            .filter(is_meant)
            .take(FORGET_MAX)
            .collect())
    }

    /// Deletes what is remembered of a user, a customer or a conversation: nothing of it is told any more.
    pub(crate) async fn delete_data(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let (client, isolation) = (&identity.client, &identity.isolation);
        let request = DeleteRequest::parse(body, client, isolation, &identity.instance)?;
        let mut target = self.target(identity, request.of).await?;
        let scope = target.scope.take();
        let id = scope.as_ref().map_or_else(
            || EventId::new(Uuid::new_v4()),
            |scope| event_id(key.as_ref(), &target.what(), scope),
        );
        if key.is_some() && !request.dry_run {
            // Asked again, it is done already.
            if let Ok(done) = self.deletion_of(identity, id).await {
                return Ok(deletion_json(id, &done, false));
            }
        }
        let Some(scope) = scope else {
            return Ok(nothing_to_delete(id, request.dry_run));
        };
        let wanted = target.clone();
        let found = self
            .engine
            .read(scope.clone(), move |view: &ScopeView<'_, Rows<'_>>| {
                wanted.found(view)
            })
            .await?;
        let meant = Meant {
            scope: scope.clone(),
            about: about(target.conversation, target.document.as_ref()),
            until: self.ingest.clock.now(),
        };
        let copies = self.copies(meant).await?;
        // What was moved away may be all that there is.
        let found = found.or_else(|| (!copies.is_empty()).then_some((0, 0)));
        let row = |(memories, turns)| DeletionRow {
            scope: scope.clone(),
            conversation: target.conversation,
            document: target.document.clone(),
            seq: 0,
            accepted_at: self.ingest.clock.now().micros(),
            memories,
            turns,
            completed: None,
        };
        let is_whole_customer = target.is_whole() && scope.kind() != LevelName::USER;
        // A customer's own scope may be empty while its users' are not: only what is surely nothing is not recorded.
        if request.dry_run || (found.is_none() && !is_whole_customer) {
            let Some(found) = found.or_else(|| is_whole_customer.then_some((0, 0))) else {
                return Ok(nothing_to_delete(id, request.dry_run));
            };
            let told = deletion_json(id, &row(found), request.dry_run);
            return Ok(with_copies(told, copies.len()));
        }
        // First what is elsewhere: cut off in between, the same call goes on with the rest.
        self.erase_copies(id, &copies, &author(identity)).await?;
        let body = target.event(id, &scope, author(identity));
        self.change(&scope, id, body).await?;
        let told = self.hidden(identity, id).await?;
        Ok(with_copies(told, copies.len()))
    }

    /// The answer to a deletion that has just been asked for.
    async fn hidden(&self, identity: &Identity, id: EventId) -> Result<Value, ApiError> {
        match self.deletion_of(identity, id).await {
            Err(refusal) if refusal == ApiError::not_found() => Err(ApiError::new(
                ErrorCode::NotYetApplied,
                "the deletion is in the log, and the read model is behind it",
            )),
            // Its bytes go from now on, however fast that is.
            Ok(row) => Ok(deletion_json(
                id,
                &DeletionRow {
                    completed: None,
                    ..row
                },
                false,
            )),
            Err(refusal) => Err(refusal),
        }
    }

    async fn target(&self, identity: &Identity, of: DeleteOf) -> Result<Target, ApiError> {
        Ok(match of {
            DeleteOf::Scope(scope) => Target::of(Some(scope)),
            DeleteOf::Memory(id) => self.only_memory(identity, id).await?,
            DeleteOf::Document(scope, id) => Target {
                document: Some(id),
                ..Target::of(Some(scope))
            },
            DeleteOf::Conversation(name, ids) => {
                let owner = self.owner(identity, &ids, &name).await?;
                Target {
                    conversation: owner.as_ref().map(|owner| name.of(owner).id),
                    ..Target::of(owner)
                }
            }
        })
    }

    /// What a memory was derived from, which can be erased for it only if nothing else was.
    async fn only_memory(&self, identity: &Identity, id: MemoryId) -> Result<Target, ApiError> {
        let row = match self.memory_row(identity, &id.to_string()).await {
            Ok((row, _)) => row,
            Err(refusal) if refusal == ApiError::not_found() => return Ok(Target::default()),
            Err(refusal) => return Err(refusal),
        };
        let (scope, source) = (row.scope, row.source);
        let target = match &source {
            MemorySource::Document(id) => Target {
                document: Some(id.clone()),
                ..Target::of(Some(scope.clone()))
            },
            MemorySource::Conversation(id) => Target {
                conversation: Some(*id),
                ..Target::of(Some(scope.clone()))
            },
        };
        let wanted = target.clone();
        let read = move |view: &ScopeView<'_, Rows<'_>>| wanted.found(view);
        match self.engine.read(scope, read).await? {
            None | Some((0..=1, 0) | (0, 0..=1)) => Ok(target),
            Some((memories, turns)) => Err(ApiError::invalid(
                "memory_id",
                format!(
                    "is of {}, which has {} more: erase that, and store anew what is to stay",
                    source.about(),
                    memories.max(turns) - 1
                ),
            )),
        }
    }

    /// What became of a deletion. An id that is no UUID is unknown like any other.
    pub(crate) async fn deletion_status(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<Value, ApiError> {
        let id: EventId = id.parse().map_err(|_| ApiError::not_found())?;
        let row = self.deletion_of(identity, id).await?;
        Ok(deletion_json(id, &row, false))
    }

    async fn deletion_of(&self, identity: &Identity, id: EventId) -> Result<DeletionRow, ApiError> {
        let client = identity.client.clone();
        let found = self.engine.find(move |rows| deletion(rows, &client, id));
        found.await?.ok_or_else(ApiError::not_found)
    }

    /// Appends an event and waits for its effect: what comes back afterwards has it.
    pub(crate) async fn change(
        &self,
        scope: &Scope,
        id: EventId,
        body: EventBody,
    ) -> Result<Timestamp, ApiError> {
        self.engine
            .check_log(self.engine.count.partition_of(scope))?;
        let placed = self.ingest.append_event(id, body).await?;
        self.engine.applied(placed.partition, placed.at).await;
        Ok(placed.time)
    }
}

/// How many memories a scope has; `None` where there is nothing at all, not even a document or a turn that gave none.
fn remembered(view: &ScopeView<'_, Rows<'_>>) -> Result<Option<u32>, FetchError> {
    let Some(stats) = view.stats()? else {
        return Ok(None);
    };
    let is_something =
        stats.totals.live > 0 || stats.documents > 0 || !conversations(view, 1)?.is_empty();
    Ok(is_something.then_some(stats.totals.live))
}

fn candidate(item: &ContextItem) -> Value {
    json!({"memory_id": item.id, "content": item.content, "memory_type": item.memory_type.name(), "store": "memory"})
}

fn nothing_to_delete(id: EventId, dry_run: bool) -> Value {
    json!({"deletion_id": id, "status": if dry_run { "dry_run" } else { "complete" }, "dry_run": dry_run,
        "found": false, "counts": {}, "stores": {}, "still_present_in": [], "fully_removed": !dry_run, "continue": false,
        "kept": [], "memories_kept": false})
}

/// The answer to a deletion, and its receipt: what was said stays in files until the worker has taken it out.
fn deletion_json(id: EventId, row: &DeletionRow, dry_run: bool) -> Value {
    let kind = match (&row.conversation, &row.document) {
        (Some(_), _) => "conversation".to_owned(),
        (None, Some(_)) => "document".to_owned(),
        (None, None) => row.scope.kind().to_owned(),
    };
    let mut counts = Map::new();
    counts.insert("memories".to_owned(), row.memories.into());
    if row.conversation.is_some() {
        counts.insert("turns".to_owned(), row.turns.into());
    }
    let (still, note) = match row.completed {
        None if dry_run => (STILL_PRESENT_IN.as_slice(), "nothing was deleted"),
        None => (
            STILL_PRESENT_IN.as_slice(),
            "nothing of it is told any more; its bytes are being taken out of the log and the read model: ask again",
        ),
        Some(done) if done.found > 0 => (
            ["data_folder"].as_slice(),
            "its events and rows are gone; something that reads the same is still in a file, such as what others said alike",
        ),
        Some(_) => (
            [].as_slice(),
            "its events are overwritten, its rows and the files that held them are rewritten",
        ),
    };
    let is_removed = still.is_empty() && !dry_run;
    let status = match (dry_run, is_removed) {
        (true, _) => "dry_run",
        (false, true) => "complete",
        (false, false) => "partial",
    };
    let mut told = json!({"deletion_id": id, "status": status, "scope": kind, "dry_run": dry_run, "found": true,
        "stores": {}, "still_present_in": still, "fully_removed": is_removed, "continue": false, "kept": [], "note": note,
        "memories_kept": false, "requested_at": value(&Timestamp::from_micros(row.accepted_at))});
    let mut set = |name: &str, value: Value| {
        if let Some(told) = told.as_object_mut() {
            told.insert(name.to_owned(), value);
        }
    };
    if let Some(done) = row.completed {
        counts.insert("events".to_owned(), done.events.into());
        set("completed_at", value(&Timestamp::from_micros(done.at)));
        let searched = json!({"bytes": done.searched_bytes, "found": done.found});
        set("searched", searched);
    }
    set("counts", counts.into());
    told
}

/// Says how many memories elsewhere, which were moved there, go as well.
fn with_copies(mut told: Value, copies: usize) -> Value {
    let counts = told.get_mut("counts").and_then(Value::as_object_mut);
    if let Some(counts) = counts.filter(|_| copies > 0) {
        counts.insert("copies".to_owned(), copies.into());
    }
    told
}

/// What of a scope a deletion means.
#[derive(Debug, Clone, Default)]
struct Target {
    scope: Option<Scope>,
    conversation: Option<ConversationId>,
    document: Option<DocumentId>,
}

impl Target {
    fn of(scope: Option<Scope>) -> Self {
        Self {
            scope,
            ..Self::default()
        }
    }

    const fn is_whole(&self) -> bool {
        self.conversation.is_none() && self.document.is_none()
    }

    /// Tells deletions of one scope apart that come under the same key.
    fn what(&self) -> String {
        match (&self.conversation, &self.document) {
            (Some(id), _) => format!("deletion of {id}"),
            (None, Some(id)) => format!("deletion of document {id}"),
            (None, None) => "deletion".to_owned(),
        }
    }

    /// The event that hides it.
    fn event(self, deletion_id: EventId, scope: &Scope, author: Author) -> EventBody {
        let scope = scope.clone();
        match self.document {
            Some(document_id) => EventBody::DocumentErased(Box::new(DocumentErased {
                deletion_id,
                scope,
                document_id,
                author,
            })),
            None => EventBody::ScopeErased(Box::new(ScopeErased {
                deletion_id,
                scope,
                conversation_id: self.conversation,
                author,
            })),
        }
    }

    /// Memories and turns of it; `None` where there is nothing at all.
    fn found(&self, view: &ScopeView<'_, Rows<'_>>) -> Result<Option<(u32, u32)>, FetchError> {
        match (self.conversation, &self.document) {
            (Some(id), _) => Ok(conversation(view, id)?.map(|row| (0, row.turns))),
            (None, Some(id)) => {
                let memories = document_memories(view, id)?;
                Ok(memories.map(|memories| (memories, 0)))
            }
            (None, None) => Ok(remembered(view)?.map(|memories| (memories, 0))),
        }
    }
}

//! What happened: the versions of a memory, and the events of a scope as a feed that can be resumed.

use crate::engine::Rows;
use crate::identity::Identity;
use crate::moves::place;
use crate::operations::Operations;
use crate::recall::set;
use serde_json::{Map, Value, json};
use std::time::Duration;
use synap_log::EventLog;
use synap_query::{Event, ScopeView, Version, events, versions};
use synap_types::json::Fields;
use synap_types::limits::{EVENTS_DEFAULT, EVENTS_MAX, FEED_WAIT_MS_MAX};
use synap_types::{ApiError, EventSubject, LevelName, MemoryId, Position, Scope, Seq, Timestamp};

/// Which events of a scope are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub(crate) scope: Scope,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
    pub(crate) wait: Duration,
}

impl Feed {
    /// Reads query parameters; the path says at which `level`.
    ///
    /// An unknown level is a path that there is not.
    pub(crate) fn take(
        identity: &Identity,
        level: &str,
        query: &Map<String, Value>,
    ) -> Result<Self, ApiError> {
        if ![LevelName::USER, LevelName::CUSTOMER, "client"].contains(&level) {
            return Err(ApiError::not_found());
        }
        let mut fields = Fields::new(numbers(query, &["limit", "wait_ms"]));
        let ids = fields.scope_ids()?;
        let scope = identity.isolation.scope_at(&identity.client, &ids, level)?;
        let after: Option<Position> = fields.parsed("after")?;
        if after.is_some_and(|after| after.scope != scope.hash()) {
            return Err(ApiError::invalid("after", "is a position of another scope"));
        }
        let wait_max = usize::try_from(FEED_WAIT_MS_MAX).unwrap_or(usize::MAX);
        let limit = fields.number("limit", 1, EVENTS_MAX)?;
        let wait = fields.number("wait_ms", 0, wait_max)?.unwrap_or(0);
        Ok(Self {
            scope,
            after,
            limit: limit.unwrap_or(EVENTS_DEFAULT),
            wait: Duration::from_millis(wait as u64),
        })
    }
}

/// Query parameters are texts; those named are numbers.
fn numbers(query: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let mut query = query.clone();
    for name in names {
        let number = query.get(*name).and_then(Value::as_str);
        if let Some(number) = number.and_then(|text| text.parse::<u64>().ok()) {
            query.insert((*name).to_owned(), number.into());
        }
    }
    query
}

impl<L: EventLog> Operations<L> {
    /// What became of a memory, version by version.
    pub(crate) async fn history(&self, identity: &Identity, id: &str) -> Result<Value, ApiError> {
        let id: MemoryId = id.parse().map_err(|_| ApiError::not_found())?;
        let client = identity.client.clone();
        let found = self.engine.find(move |rows| versions(rows, &client, id));
        let found = found.await?.ok_or_else(ApiError::not_found)?;
        let scope = found.last().map(|last| last.row.scope.clone());
        let scope = scope.ok_or_else(ApiError::not_found)?;
        let is_told = found.last().is_some_and(|last| last.row.is_live());
        let versions: Vec<Value> = (1..)
            .zip(&found)
            .map(|(number, version)| self.version(&scope, number, version))
            .collect();
        let mut told = json!({"memory_id": id, "scope": scope.kind(), "scope_path": scope.path_json(), "is_told": is_told,
            "versions": versions});
        let last = self.state_in(identity, &scope, id).await?;
        if let Some(to) = last.and_then(|last| last.moved_to) {
            set(&mut told, "moved_to", place(to.memory_id, &to.scope));
        }
        let received = self.received(identity, &scope, id).await?;
        if let Some(from) = received.and_then(|mut row| row.origins.pop()) {
            set(&mut told, "moved_from", place(from.memory_id, &from.scope));
        }
        Ok(told)
    }

    fn version(&self, scope: &Scope, number: u32, version: &Version) -> Value {
        let row = &version.row;
        let made = version.made.as_ref().map_or_else(
            || json!({"event_id": row.event_id, "seq": row.created_seq, "time": Timestamp::from_micros(row.accepted_at)}),
            |event| self.event(scope, event),
        );
        let mut told = json!({"version": number, "content": row.text, "memory_type": row.kind.name(),
            "source": row.source.about(), "span": row.span, "created": made});
        let ended = version.ended.as_ref().map(|event| {
            let how = match event.1.event_type.as_str() {
                "memory-updated" => "updated",
                "memory-forgotten" => "forgotten",
                "memory-moved" => "moved",
                "change-undone" => "undone",
                "scope-erased" | "document-erased" => "erased",
                _ => "superseded",
            };
            let mut ended = self.event(scope, event);
            set(&mut ended, "how", how.into());
            ended
        });
        if let Some(ended) = ended {
            set(&mut told, "ended", ended);
        }
        told
    }

    fn event(&self, scope: &Scope, (seq, row): &Event) -> Value {
        let mut told = json!({"event_id": row.event_id, "seq": seq, "type": row.event_type.replace('-', "."),
            "about": row.about, "time": Timestamp::from_micros(row.time), "position": self.position(scope, *seq)});
        if let Some(by) = &row.by {
            set(&mut told, "by", by.as_str().into());
        }
        if let Some(undoes) = row.undoes {
            set(&mut told, "undoes", json!(undoes));
        }
        told
    }

    fn position(&self, scope: &Scope, seq: Seq) -> Position {
        let partition = self.engine.count.partition_of(scope);
        let (incarnation, _) = self.engine.applied_at(partition);
        Position {
            scope: scope.hash(),
            partition,
            incarnation,
            seq,
        }
    }

    /// Events of a scope after a position, oldest first. Where there are none yet, it waits for them as long as asked.
    pub(crate) async fn events(&self, feed: Feed) -> Result<Value, ApiError> {
        let after = feed.after.map_or(Seq::ZERO, |after| after.seq);
        let partition = self.engine.count.partition_of(&feed.scope);
        let (incarnation, _) = self.engine.applied_at(partition);
        if feed
            .after
            .is_some_and(|after| after.incarnation != incarnation)
        {
            return Err(ApiError::invalid(
                "after",
                "is a position of a log that is not this one",
            ));
        }
        let until = tokio::time::Instant::now() + feed.wait;
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            Ok((view.applied, events(view, after, feed.limit)?))
        };
        let (mut applied, mut found) = self.engine.read(feed.scope.clone(), read).await?;
        while found.is_empty() {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() || !self.engine.next_applied(partition, applied, left).await {
                break;
            }
            (applied, found) = self.engine.read_as_is(feed.scope.clone(), read).await?;
        }
        // Where nothing came, the next call need not look again at what was seen to hold nothing.
        let next = found
            .last()
            .map_or_else(|| applied.max(after), |(seq, _)| *seq);
        let subject = EventSubject::filter_of(partition, &feed.scope);
        let told: Vec<Value> = found
            .iter()
            .map(|event| self.event(&feed.scope, event))
            .collect();
        Ok(
            json!({"scope": feed.scope.kind(), "scope_path": feed.scope.path_json(), "events": told,
            "next": self.position(&feed.scope, next), "more": found.len() >= feed.limit, "nats_subject": subject}),
        )
    }
}

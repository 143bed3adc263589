//! What is changed keeps its id; what is forgotten or erased does not come back.

use crate::conversations::{alice, conversation_id, row, turn};
use crate::world::{applied, apply, author, digest_of, ingest_into, live_texts, log_of, scope};
use synap_readmodel::{
    MemoryRow, MemoryStore, ReadStore as _, SnapshotExt as _, StatsRow, key, last_erasure,
};
use synap_types::{
    Content, ConversationId, Event, EventBody, IdempotencyKey, MemoryForgotten, MemoryUpdated,
    MergeStrategy, Scope, ScopeErased, Timestamp, TurnDoor, TurnRole,
};

pub(crate) fn event(
    key: &str,
    scope: &Scope,
    body: impl FnOnce(synap_types::EventId) -> EventBody,
) -> Event {
    let id = IdempotencyKey::Caller(key.to_owned()).event_id(scope);
    Event {
        id,
        time: Timestamp::from_micros(5_000_000),
        body: body(id),
    }
}

pub(crate) fn updated(row: &MemoryRow, text: &str, merge: MergeStrategy) -> Event {
    event(&format!("update {text}"), &row.scope, |_| {
        EventBody::MemoryUpdated(Box::new(MemoryUpdated {
            scope: row.scope.clone(),
            memory_id: row.id,
            source: row.source.clone(),
            content: Content::Text(text.to_owned()),
            merge,
            document_type: None,
            metadata: None,
            author: author(),
        }))
    })
}

pub(crate) fn forgotten(row: &MemoryRow) -> Event {
    event(&format!("forget {}", row.id), &row.scope, |_| {
        EventBody::MemoryForgotten(Box::new(MemoryForgotten {
            scope: row.scope.clone(),
            memory_id: row.id,
            source: row.source.clone(),
            event_id: row.event_id,
            span: row.span,
            request_id: None,
            author: author(),
        }))
    })
}

pub(crate) fn erased(scope: &Scope, conversation_id: Option<ConversationId>) -> Event {
    event("erase", scope, |id| {
        EventBody::ScopeErased(Box::new(ScopeErased {
            deletion_id: id,
            scope: scope.clone(),
            conversation_id,
            author: author(),
        }))
    })
}

fn memories(store: &MemoryStore) -> Vec<MemoryRow> {
    crate::world::memories(store, &alice())
}

fn stats(store: &MemoryStore, scope: &Scope) -> StatsRow {
    store
        .snapshot()
        .row(&key::stats(&scope.hash()))
        .unwrap()
        .unwrap()
}

/// Texts that can be told: alive, and not erased.
fn told(store: &MemoryStore, scope: &Scope) -> Vec<String> {
    let rows = store.snapshot();
    let erased = last_erasure(scope, |key| rows.row(key))
        .unwrap()
        .map_or(0, |row| row.seq);
    let told = crate::world::memories(store, scope).into_iter();
    told.filter(|row| row.is_live() && row.created_seq > erased)
        .map(|row| row.text)
        .collect()
}

const HOME: &str = "The office is in Lisbon. The parking lot is closed.";

fn with_document(more: impl FnOnce(&[MemoryRow]) -> Vec<Event>) -> MemoryStore {
    let first = ingest_into(&alice(), "home", HOME, "home");
    let before = memories(&applied(&log_of(std::slice::from_ref(&first))));
    assert_eq!(before.len(), 2, "{before:?}");
    let mut events = vec![first];
    events.extend(more(&before));
    let log = log_of(&events);
    let store = applied(&log);
    for cut in 0..=log.len() {
        let other = applied(&log[..cut]);
        apply(&other, &log[cut..]);
        assert_eq!(digest_of(&other), digest_of(&store), "cut at {cut}");
    }
    store
}

#[test]
fn an_updated_memory_keeps_its_id_and_goes_with_its_document() {
    let replace = |rows: &[MemoryRow]| {
        vec![updated(
            &rows[0],
            "The office is in Porto.",
            MergeStrategy::Replace,
        )]
    };
    let store = with_document(replace);
    assert_eq!(
        live_texts(&store, &alice()),
        ["The parking lot is closed.", "The office is in Porto."]
    );
    let rows = memories(&store);
    assert_eq!(rows[2].id, rows[0].id);
    assert_eq!(
        (rows[2].accepted_at, rows[2].updated_at),
        (rows[0].accepted_at, Some(5_000_000))
    );
    assert_eq!(stats(&store, &alice()).totals.live, 2);
    let replaced = with_document(|rows| {
        let mut events = replace(rows);
        events.push(ingest_into(&alice(), "home", "All is new here.", "home 2"));
        events
    });
    assert_eq!(live_texts(&replaced, &alice()), ["All is new here."]);
}

#[test]
fn merging_appends_or_takes_the_place_of_what_it_updates() {
    let after = |text: &str, merge| {
        let store = with_document(|rows| vec![updated(&rows[0], text, merge)]);
        live_texts(&store, &alice()).pop().unwrap()
    };
    assert_eq!(
        after("It has a garden.", MergeStrategy::Append),
        "The office is in Lisbon.\nIt has a garden."
    );
    assert_eq!(
        after("The office is in Porto.", MergeStrategy::SmartMerge),
        "The office is in Porto."
    );
    let both = after("Dogs are welcome.", MergeStrategy::SmartMerge);
    assert!(both.contains("Lisbon") && both.contains("Dogs"), "{both}");
}

#[test]
fn a_forgotten_memory_does_not_come_back_with_a_new_version() {
    let store = with_document(|rows| {
        let more = format!("{HOME} The roof is green.");
        vec![
            forgotten(&rows[0]),
            ingest_into(&alice(), "home", &more, "home 2"),
            updated(&rows[0], "The office is back.", MergeStrategy::Replace),
        ]
    });
    assert_eq!(
        live_texts(&store, &alice()),
        ["The parking lot is closed.", "The roof is green."]
    );
    let stats = stats(&store, &alice());
    assert_eq!((stats.totals.live, stats.forgotten), (2, 1));
}

#[test]
fn what_stands_where_a_forgotten_memory_stood_goes_with_it() {
    let store = with_document(|rows| {
        // As an older extractor cut it, under an id that there is no memory of.
        let mut old = rows[1].clone();
        old.id = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        old.span = [rows[1].span[0] + 1, rows[1].span[1]];
        vec![forgotten(&old)]
    });
    assert_eq!(live_texts(&store, &alice()), ["The office is in Lisbon."]);
}

#[test]
fn erased_scopes_hide_all_that_was_there_and_count_anew() {
    let acme = scope(&["acme"]);
    let said = |key: &str| {
        turn(
            key,
            TurnDoor::Call,
            1,
            TurnRole::User,
            "My desk is by the window.",
        )
    };
    for covering in [alice(), acme.clone()] {
        let store = applied(&log_of(&[
            ingest_into(&acme, "plan", "The plan is secret.", "plan"),
            ingest_into(&alice(), "home", HOME, "home"),
            said("a"),
            erased(&covering, None),
            said("b"),
            ingest_into(&alice(), "home", "The office is gone.", "home 2"),
        ]));
        assert_eq!(
            told(&store, &alice()),
            ["User: My desk is by the window.", "The office is gone."]
        );
        let plan: &[&str] = if covering == acme {
            &[]
        } else {
            &["The plan is secret."]
        };
        assert_eq!(told(&store, &acme), plan);
        let stats = stats(&store, &alice());
        assert_eq!((stats.totals.live, stats.documents), (2, 1), "{stats:?}");
        let now = row(&store).unwrap();
        assert_eq!(
            (now.turns, now.created_seq),
            (1, 5),
            "a conversation begins anew"
        );
    }
}

#[test]
fn what_was_forgotten_before_an_erasure_is_new_after_it() {
    let ingested = |key: &str, more: &str| {
        let text = format!("{HOME} {more}");
        ingest_into(&alice(), "home", &text, key)
    };
    let mut events = vec![ingested("1", "")];
    let first = memories(&applied(&log_of(&events)));
    events.extend([
        forgotten(&first[0]),
        erased(&alice(), None),
        ingested("2", "The roof is green."),
    ]);
    let roof = memories(&applied(&log_of(&events))).pop().unwrap();
    assert_eq!(roof.text, "The roof is green.");
    events.extend([
        forgotten(&roof),
        ingested("3", "The roof is green. The door is red."),
    ]);
    assert_eq!(
        told(&applied(&log_of(&events)), &alice()),
        [
            "The office is in Lisbon.",
            "The parking lot is closed.",
            "The door is red."
        ]
    );
}

#[test]
fn an_erased_conversation_takes_its_memories_along_and_nothing_else() {
    let store = applied(&log_of(&[
        ingest_into(&alice(), "home", HOME, "home"),
        turn(
            "a",
            TurnDoor::Call,
            1,
            TurnRole::User,
            "My desk is by the window.",
        ),
        crate::conversations::compacted("c"),
        erased(&alice(), Some(conversation_id())),
    ]));
    assert_eq!(
        live_texts(&store, &alice()),
        ["The office is in Lisbon.", "The parking lot is closed."]
    );
    assert_eq!(row(&store), None);
    let rows = store.snapshot();
    let hash = alice().hash();
    assert_eq!(
        rows.row(&key::turn(&hash, conversation_id(), 1)).unwrap(),
        None
    );
    assert_eq!(
        rows.row(&key::compaction(&hash, conversation_id(), 1))
            .unwrap(),
        None
    );
    let client = scope(&[]).hash();
    let owners = rows
        .row(&key::conversation_index(
            &client,
            conversation_id(),
            &alice().hash(),
        ))
        .unwrap();
    assert_eq!(owners, None);
    let deleted = key::deletion(&client, erased(&alice(), None).id);
    let deleted = rows.row(&deleted).unwrap().unwrap();
    assert_eq!((deleted.memories, deleted.turns), (1, 1));
}

#[test]
fn a_profile_says_what_the_user_said_last_and_forgets_with_the_memory() {
    let said =
        |key: &str, seconds, text: &str| turn(key, TurnDoor::Call, seconds, TurnRole::User, text);
    let mut events = vec![
        said("a", 1, "I live in Lisbon."),
        said("b", 2, "I live in Porto."),
        turn(
            "c",
            TurnDoor::Call,
            3,
            TurnRole::Assistant,
            "I live in the cloud.",
        ),
    ];
    let value = |store: &MemoryStore| {
        let row = store
            .snapshot()
            .row(&key::profile(&alice().hash()))
            .unwrap();
        row.and_then(|row| {
            row.attributes
                .get("location")
                .map(|known| known.value.clone())
        })
    };
    let store = applied(&log_of(&events));
    assert_eq!(value(&store).as_deref(), Some("Porto"));
    let porto = memories(&store)
        .into_iter()
        .find(|row| row.text.contains("Porto"));
    events.push(forgotten(&porto.unwrap()));
    assert_eq!(value(&applied(&log_of(&events))), None);
}

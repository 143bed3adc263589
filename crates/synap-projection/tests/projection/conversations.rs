//! Turns, transcripts and summaries: in order, each once, whatever the door.

use crate::world::{applied, apply, author, digest_of, log_of, scope};
use serde_json::{Map, json};
use synap_readmodel::{
    CompactionRow, ConversationRow, MemoryRow, MemoryStore, ReadStore as _, SnapshotExt as _,
    TurnRow, key,
};
use synap_types::{
    CompactionStrategy, ConversationCompacted, ConversationId, Event, EventBody, EventId,
    IdempotencyKey, IngestionId, MemorySource, MessageRecorded, Scope, Timestamp, Transcript,
    TranscriptIngested, TranscriptTurn, TurnDoor, TurnRole,
};

pub(crate) fn alice() -> Scope {
    scope(&["acme", "alice"])
}

pub(crate) fn conversation_id() -> ConversationId {
    "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4".parse().unwrap()
}

fn event(key: &str, seconds: i64, body: impl FnOnce(EventId) -> EventBody) -> Event {
    let id = IdempotencyKey::Caller(key.to_owned()).event_id(&alice());
    Event {
        id,
        time: Timestamp::from_micros(seconds * 1_000_000),
        body: body(id),
    }
}

/// A turn, `seconds` after the beginning of time.
pub(crate) fn turn(key: &str, door: TurnDoor, seconds: i64, role: TurnRole, text: &str) -> Event {
    event(key, seconds, |id| {
        EventBody::MessageRecorded(Box::new(MessageRecorded {
            message_id: id,
            scope: alice(),
            conversation_id: conversation_id(),
            external_conversation_id: None,
            session_id: None,
            door,
            role,
            content: text.to_owned(),
            said_at: None,
            metadata: Map::new(),
            author: author(),
        }))
    })
}

fn user(key: &str, seconds: i64, text: &str) -> Event {
    turn(key, TurnDoor::Call, seconds, TurnRole::User, text)
}

fn transcript(key: &str, turns: &[(TurnRole, &str)]) -> Event {
    let turn = |(number, (role, text)): (usize, &(TurnRole, &str))| TranscriptTurn {
        role: *role,
        speaker: None,
        content: (*text).to_owned(),
        said_at: None,
        metadata: json!({"ext_id": number}).as_object().unwrap().clone(),
    };
    event(key, 900, |id| {
        EventBody::TranscriptIngested(Box::new(TranscriptIngested {
            ingestion_id: IngestionId::new(id.uuid()),
            scope: alice(),
            conversation_id: conversation_id(),
            external_conversation_id: None,
            transcript: Transcript::Turns(turns.iter().enumerate().map(turn).collect()),
            conversation_type: None,
            analysis: Map::new(),
            metadata: Map::new(),
            started_at: None,
            ended_at: None,
            author: author(),
        }))
    })
}

pub(crate) fn compacted(key: &str) -> Event {
    event(key, 1_000, |id| {
        EventBody::ConversationCompacted(Box::new(ConversationCompacted {
            compaction_id: id,
            scope: alice(),
            conversation_id: conversation_id(),
            strategy: CompactionStrategy::Balanced,
            target_tokens: None,
            author: author(),
        }))
    })
}

pub(crate) fn row(store: &MemoryStore) -> Option<ConversationRow> {
    let at = key::conversation(&alice().hash(), conversation_id());
    store.snapshot().row(&at).unwrap()
}

fn turns(store: &MemoryStore) -> Vec<TurnRow> {
    let (rows, hash) = (store.snapshot(), alice().hash());
    (1..)
        .map_while(|number| {
            rows.row(&key::turn(&hash, conversation_id(), number))
                .unwrap()
        })
        .collect()
}

#[track_caller]
fn check_said(store: &MemoryStore, expected: &[&str]) {
    let said: Vec<String> = turns(store).into_iter().map(|turn| turn.content).collect();
    assert_eq!(said, expected);
    assert_eq!(row(store).unwrap().turns as usize, expected.len());
}

fn compaction(store: &MemoryStore, version: u32) -> Option<CompactionRow> {
    let at = key::compaction(&alice().hash(), conversation_id(), version);
    store.snapshot().row(&at).unwrap()
}

fn memories(store: &MemoryStore) -> Vec<MemoryRow> {
    crate::world::memories(store, &alice())
}

#[test]
fn turns_stand_in_order_and_are_memories_of_their_user() {
    let log = log_of(&[
        user("a", 1, "I like green tea."),
        user("b", 2, "ok"),
        user("c", 3, "ok"),
    ]);
    let store = applied(&log);
    check_said(&store, &["I like green tea.", "ok", "ok"]);
    let rows = memories(&store);
    let source = MemorySource::Conversation(conversation_id());
    assert!(
        rows.iter()
            .all(|row| row.source == source && row.scope == alice())
    );
    assert_eq!(
        rows.iter().filter_map(|row| row.turn).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_ne!(rows[1].id, rows[2].id, "said twice, two memories");
    let before = digest_of(&store);
    apply(&store, &log);
    assert_eq!(digest_of(&store), before, "applied again, nothing changes");
}

#[test]
fn equal_turns_of_one_door_are_two_and_of_two_doors_are_one() {
    let streamed = |key: &str, seconds| turn(key, TurnDoor::Stream, seconds, TurnRole::User, "ok");
    let store = applied(&log_of(&[
        user("a", 1, "ok"),
        user("b", 2, "ok"),
        streamed("c", 20),
        streamed("d", 21),
        streamed("e", 22),
    ]));
    check_said(&store, &["ok", "ok", "ok"]);
    let doors: Vec<_> = turns(&store).into_iter().map(|turn| turn.doors).collect();
    let both = vec![TurnDoor::Call, TurnDoor::Stream];
    assert_eq!(doors, [both.clone(), both, vec![TurnDoor::Stream]]);
    assert_eq!(memories(&store).len(), 3);
}

#[test]
fn another_speaker_or_a_late_report_is_another_turn() {
    let later = |seconds, role| turn("b", TurnDoor::Stream, seconds, role, "ok");
    for (other, expected) in [
        (later(301, TurnRole::User), 1),
        (later(302, TurnRole::User), 2),
        (later(2, TurnRole::Assistant), 2),
    ] {
        let store = applied(&log_of(&[user("a", 1, "ok"), other]));
        assert_eq!(turns(&store).len(), expected);
    }
}

#[test]
fn a_transcript_adds_only_the_turns_that_were_not_recorded() {
    let said = [
        (TurnRole::User, "hello"),
        (TurnRole::Assistant, "hi"),
        (TurnRole::User, "ok"),
        (TurnRole::User, "ok"),
    ];
    let store = applied(&log_of(&[
        user("a", 1, "hello"),
        user("b", 2, "ok"),
        transcript("t", &said),
    ]));
    check_said(&store, &["hello", "ok", "hi", "ok"]);
    assert!(row(&store).unwrap().transcript.is_some());
    let ids = turns(&store).into_iter().map(|turn| turn.message_id);
    assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 4);
    // Their metadata stands under ids of their own.
    let with_metadata = turns(&store).into_iter().filter_map(|turn| turn.metadata);
    let found: Vec<EventId> = with_metadata.collect();
    let rows = store.snapshot();
    let json = |id: &EventId| {
        rows.row(&key::metadata(&alice().hash(), *id))
            .unwrap()
            .unwrap()
            .json
    };
    assert_eq!(
        found.iter().map(json).collect::<Vec<_>>(),
        [r#"{"ext_id":1}"#, r#"{"ext_id":3}"#]
    );
}

#[test]
fn a_turn_that_is_streamed_again_after_its_transcript_is_the_same() {
    let late = turn("s", TurnDoor::Stream, 905, TurnRole::User, "hello");
    let store = applied(&log_of(&[
        transcript("t", &[(TurnRole::User, "hello")]),
        late,
    ]));
    check_said(&store, &["hello"]);
}

#[test]
fn summaries_are_versioned_and_cover_the_turns_before_them() {
    let mut events: Vec<Event> = (0..20)
        .map(|number| {
            let text = format!("We decided that shelf {number} holds the jars of batch {number}.");
            user(&number.to_string(), number, &text)
        })
        .collect();
    events.push(compacted("c1"));
    events.push(user("more", 999, "And the lids go into the drawer."));
    events.push(compacted("c2"));
    let log = log_of(&events);
    let store = applied(&log);
    let (first, second) = (
        compaction(&store, 1).unwrap(),
        compaction(&store, 2).unwrap(),
    );
    assert_eq!((first.turns, second.turns), (20, 21));
    assert_eq!((first.version, second.version), (1, 2));
    assert!(
        first.tokens > 0 && first.tokens * 2 < first.source_tokens,
        "{first:?}"
    );
    assert_eq!(second.source_tokens, row(&store).unwrap().tokens);
    assert!(
        first
            .sentences
            .iter()
            .all(|sentence| (1..=20).contains(&sentence.turn))
    );
    assert_eq!(compaction(&store, 3), None);
    assert_eq!(
        digest_of(&applied(&log)),
        digest_of(&store),
        "derived alike every time"
    );
}

#[test]
fn a_summary_of_nothing_is_none() {
    let store = applied(&log_of(&[compacted("c")]));
    assert_eq!((row(&store), compaction(&store, 1)), (None, None));
}

#[test]
fn cuts_between_batches_change_nothing() {
    let said = [(TurnRole::User, "a b c"), (TurnRole::Assistant, "d e f")];
    let log = log_of(&[
        user("1", 1, "a b c"),
        turn("2", TurnDoor::Stream, 2, TurnRole::User, "a b c"),
        transcript("t", &said),
        compacted("c"),
        user("3", 3, "g h i"),
    ]);
    let whole = digest_of(&applied(&log));
    for cut in 0..=log.len() {
        let store = applied(&log[..cut]);
        apply(&store, &log[cut..]);
        assert_eq!(digest_of(&store), whole, "cut at {cut}");
    }
}

//! Every kind of event, in any order, some of them twice: the rows do not depend on delivery, and agree with each other.

use crate::indexed::check_terms;
use crate::world::{HERE, LIFE, apply, author, digest_of, memories, recorded, scope};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Map;
use std::ops::ControlFlow;
use synap_log::Recorded;
use synap_projection::turn;
use synap_readmodel::{
    ConversationRow, DocumentRow, Kind, MemoryRow, MemoryStore, ReadStore as _, Row, Snapshot as _,
    SnapshotExt as _, Table, TurnRow, codec, compare, key, last_erasure,
};
use synap_types::{
    ChangeUndone, CompactionStrategy, Content, ConversationCompacted, ConversationId, DocumentType,
    Event, EventBody, EventId, IdempotencyKey, IngestionId, MemoryForgotten, MemoryId,
    MemoryIngested, MemoryMoved, MemoryReceived, MemoryUpdated, MergeStrategy, MessageRecorded,
    MoveOrigin, Scope, ScopeErased, Timestamp, Transcript, TranscriptIngested, TranscriptTurn,
    TurnDoor, TurnRole,
};

/// In the unit of timestamps.
const SECOND: i64 = 1_000_000;
const CONVERSATIONS: [&str; 2] = [
    "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4",
    "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa5",
];
const DOCUMENTS: [&str; 2] = ["home", "plan"];
const TEXTS: [&str; 6] = [
    "I live in Porto. My name is Al.",
    "The office is in Lisbon. The parking lot is closed.",
    "ok",
    "",
    "I prefer short answers. We decided that the roof gets painted.",
    "The parking lot is closed. I live in Lisbon.",
];
const STRATEGIES: [MergeStrategy; 3] = [
    MergeStrategy::Replace,
    MergeStrategy::Append,
    MergeStrategy::SmartMerge,
];

/// One event to be; what the numbers mean depends on the kind. Equal keys of a kind and scope are one event, met again.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    kind: u8,
    who: usize,
    what: usize,
    text: usize,
    key: usize,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    (
        0..21_u8,
        0..3_usize,
        0..2_usize,
        0..TEXTS.len(),
        0..20_usize,
    )
        .prop_map(|(kind, who, what, text, key)| Step {
            kind,
            who,
            what,
            text,
            key,
        })
}

pub(crate) fn everybody() -> [Scope; 3] {
    [
        scope(&["acme", "alice"]),
        scope(&["acme", "bob"]),
        scope(&["acme"]),
    ]
}

fn conversation(what: usize) -> ConversationId {
    CONVERSATIONS[what].parse().unwrap()
}

/// What the step does in a world that is as `store` says; `None` where there is nothing to do it to.
fn event(step: &Step, seq: u64, store: &MemoryStore) -> Option<Event> {
    let everybody = everybody();
    // Only users have conversations.
    let user = everybody[step.who % 2].clone();
    let any = everybody[step.who].clone();
    let (name, scope) = match step.kind {
        0..=4 => ("turn", user),
        5 | 6 => ("transcript", user),
        7 => ("compact", user),
        8..=10 => ("ingest", any),
        11 => ("update", any),
        12 | 13 => ("forget", any),
        14 => ("erase", any),
        15 => ("delete", user),
        16 => ("receive", any),
        17 => ("move", any),
        _ => ("undo", any),
    };
    let id = IdempotencyKey::Caller(format!("{name} {}", step.key)).event_id(&scope);
    let time = Timestamp::from_micros(i64::try_from(seq).unwrap() * SECOND);
    let body = body(step, name, id, scope, store)?;
    Some(Event { id, time, body })
}

fn ingested(document: &str, content: Content, scope: Scope, id: EventId) -> EventBody {
    EventBody::MemoryIngested(Box::new(MemoryIngested {
        ingestion_id: IngestionId::new(id.uuid()),
        scope,
        document_id: document.parse().unwrap(),
        document_type: DocumentType::DOCUMENT.parse().unwrap(),
        content,
        document_created_at: None,
        metadata: Map::new(),
        author: author(),
    }))
}

fn body(
    step: &Step,
    name: &str,
    id: EventId,
    scope: Scope,
    store: &MemoryStore,
) -> Option<EventBody> {
    let target = |scope: &Scope| -> Option<MemoryRow> {
        let rows = memories(store, scope);
        (!rows.is_empty()).then(|| rows[step.key % rows.len()].clone())
    };
    let content = Content::Text(TEXTS[step.text].to_owned());
    Some(match name {
        "ingest" => ingested(DOCUMENTS[step.what], content, scope, id),
        "update" => {
            let row = target(&scope)?;
            EventBody::MemoryUpdated(Box::new(MemoryUpdated {
                scope,
                memory_id: row.id,
                source: row.source,
                content,
                merge: STRATEGIES[step.key % 3],
                document_type: None,
                metadata: None,
                author: author(),
            }))
        }
        "forget" => {
            let row = target(&scope)?;
            EventBody::MemoryForgotten(Box::new(MemoryForgotten {
                scope,
                memory_id: row.id,
                source: row.source,
                event_id: row.event_id,
                span: row.span,
                request_id: None,
                author: author(),
            }))
        }
        "receive" => received(target(&everybody()[step.what])?, scope, id),
        "move" => {
            let row = target(&scope)?;
            EventBody::MemoryMoved(Box::new(MemoryMoved {
                to: everybody()[step.what].clone(),
                moved_to: MemoryReceived::id_in(&everybody()[step.what], row.id),
                scope,
                memory_id: row.id,
                source: row.source,
                event_id: row.event_id,
                span: row.span,
                counterpart: id,
                author: author(),
            }))
        }
        "undo" => {
            // Of some version, and so not always of the last change.
            let row = target(&scope)?;
            let last = row.ended_seq.unwrap_or(row.created_seq);
            let at = key::history(&scope.hash(), synap_types::Seq::new(last));
            let undoes = store.snapshot().row(&at).unwrap()?.event_id;
            EventBody::ChangeUndone(Box::new(ChangeUndone {
                scope,
                memory_id: row.id,
                source: row.source,
                undoes,
                counterpart: None,
                author: author(),
            }))
        }
        _ => conversation_body(step, name, id, scope),
    })
}

/// `scope` tells what `row` tells.
pub(crate) fn received(row: MemoryRow, scope: Scope, id: EventId) -> EventBody {
    EventBody::MemoryReceived(Box::new(MemoryReceived {
        memory_id: MemoryReceived::id_in(&scope, row.id),
        scope,
        origins: vec![MoveOrigin {
            scope: row.scope,
            memory_id: row.id,
            source: row.source,
            event_id: row.event_id,
        }],
        counterpart: id,
        content: Content::Text(row.text),
        memory_type: row.kind,
        category: row.category,
        confidence: row.confidence,
        speaker: row.speaker,
        said_at: row.said_at.map(Timestamp::from_micros),
        event_time: row.time,
        entities: row.entities,
        metadata: Map::new(),
        author: author(),
    }))
}

/// What happens to a conversation, or to all that there is.
fn conversation_body(step: &Step, name: &str, id: EventId, scope: Scope) -> EventBody {
    let role = [TurnRole::User, TurnRole::Assistant][step.key % 2];
    let content = TEXTS[step.text].to_owned();
    match name {
        "turn" => EventBody::MessageRecorded(Box::new(MessageRecorded {
            message_id: id,
            scope,
            conversation_id: conversation(step.what),
            external_conversation_id: None,
            session_id: None,
            door: [TurnDoor::Call, TurnDoor::Stream][step.key / 2 % 2],
            role,
            content,
            said_at: None,
            metadata: Map::new(),
            author: author(),
        })),
        "transcript" => {
            let turn = |text: &&str| TranscriptTurn {
                role,
                speaker: None,
                content: (*text).to_owned(),
                said_at: None,
                metadata: Map::new(),
            };
            let turns = TEXTS[step.text..].iter().map(turn).collect();
            EventBody::TranscriptIngested(Box::new(TranscriptIngested {
                ingestion_id: IngestionId::new(id.uuid()),
                scope,
                conversation_id: conversation(step.what),
                external_conversation_id: None,
                transcript: Transcript::Turns(turns),
                conversation_type: None,
                analysis: Map::new(),
                metadata: Map::new(),
                started_at: None,
                ended_at: None,
                author: author(),
            }))
        }
        "compact" => EventBody::ConversationCompacted(Box::new(ConversationCompacted {
            compaction_id: id,
            scope,
            conversation_id: conversation(step.what),
            strategy: CompactionStrategy::Balanced,
            target_tokens: None,
            author: author(),
        })),
        _ => EventBody::ScopeErased(Box::new(ScopeErased {
            deletion_id: id,
            scope,
            conversation_id: (name == "delete").then(|| conversation(step.what)),
            author: author(),
        })),
    }
}

/// The log that the steps make, and the rows after it, each event applied by itself.
pub(crate) fn live(steps: &[Step]) -> (Vec<Recorded>, MemoryStore) {
    let (mut log, store) = (Vec::new(), MemoryStore::default());
    for step in steps {
        let seq = log.len() as u64 + 1;
        if let Some(event) = event(step, seq, &store) {
            let recorded = recorded(seq, &event);
            let done = apply(&store, std::slice::from_ref(&recorded));
            assert_eq!((done.parked, done.halt), (0, None), "{step:?}");
            log.push(recorded);
        }
    }
    (log, store)
}

/// All rows of one kind.
fn all<R: Row>(store: &MemoryStore, kind: Kind) -> Vec<R> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let mut visit = |key: &[u8], value: &[u8]| {
            if Kind::of(key) == Some(kind) {
                found.push(codec::decode(value).unwrap());
            }
            ControlFlow::Continue(())
        };
        store.snapshot().scan_table(table, &mut visit).unwrap();
    }
    found
}

/// Applies the log in pieces of the given lengths, each with some of what came before it.
fn in_pieces(log: &[Recorded], cuts: &[(usize, usize)]) -> MemoryStore {
    let (store, mut done) = (MemoryStore::default(), 0);
    for (length, again) in cuts.iter().copied().chain([(log.len(), 0)]) {
        let end = (done + length).min(log.len());
        assert_eq!(
            apply(&store, &log[done.saturating_sub(again)..end]).halt,
            None
        );
        done = end;
    }
    store
}

/// Place of the last erasure that covers the scope.
fn erased(store: &MemoryStore, scope: &Scope) -> u64 {
    let rows = store.snapshot();
    let last = last_erasure(scope, |key| rows.row(key)).unwrap();
    last.map_or(0, |row| row.seq)
}

/// Ids and texts of what can be told of one scope, and what its profile says.
#[derive(Debug, PartialEq)]
struct Told {
    memories: Vec<(MemoryId, String)>,
    profile: Vec<(String, String)>,
}

fn told(store: &MemoryStore, scope: &Scope) -> Told {
    let (rows, erased) = (store.snapshot(), erased(store, scope));
    let live = memories(store, scope).into_iter();
    let live = live.filter(|row| row.is_live() && row.created_seq > erased);
    let profile = rows.row(&key::profile(&scope.hash())).unwrap();
    let known = profile
        .map_or_else(Default::default, |row| row.attributes)
        .into_iter();
    let known = known.filter(|(_, known)| known.seq > erased);
    Told {
        memories: live.map(|row| (row.id, row.text)).collect(),
        profile: known.map(|(name, known)| (name, known.value)).collect(),
    }
}

/// What can be told of one scope is what its counts, documents, turns and profile say.
fn check_scope(store: &MemoryStore, scope: &Scope) {
    let (rows, hash, erased) = (store.snapshot(), scope.hash(), erased(store, scope));
    let memories = memories(store, scope);
    let told = |row: &&MemoryRow| row.is_live() && row.created_seq > erased;
    let live: Vec<&MemoryRow> = memories.iter().filter(told).collect();
    let documents: Vec<DocumentRow> = all::<DocumentRow>(store, Kind::Document)
        .into_iter()
        .filter(|row| row.scope == *scope && row.seq > erased)
        .collect();
    let conversations: Vec<ConversationRow> = all::<ConversationRow>(store, Kind::Conversation)
        .into_iter()
        .filter(|row| row.scope == *scope && row.created_seq > erased)
        .collect();

    let totals = rows.row(&key::stats(&hash)).unwrap();
    let counted = totals.map(|row| row.after_erasure(erased));
    let counted = counted.map_or((0, 0, 0), |row| {
        (row.totals.live, row.totals.live_terms, row.documents)
    });
    let terms = live.iter().map(|row| row.terms()).sum();
    assert_eq!(
        counted,
        (
            u32::try_from(live.len()).unwrap(),
            terms,
            u32::try_from(documents.len()).unwrap()
        )
    );

    let mut owned = Vec::new();
    for row in documents {
        owned.extend(row.ordinals);
    }
    for row in conversations {
        let turn = |number| rows.row(&key::turn(&hash, row.id, number)).unwrap();
        for number in 1..=row.turns {
            owned.extend(turn(number).expect("every turn is there").ordinals);
        }
        // What an erasure hides stays until it is written over; a turn's time here is its seq, in seconds.
        let beyond = turn(row.turns + 1);
        let is_hidden = |row: &TurnRow| row.accepted_at <= i64::try_from(erased).unwrap() * SECOND;
        assert!(beyond.as_ref().is_none_or(is_hidden), "{beyond:?}");
        for version in 1..=row.compactions {
            let row = rows.row(&key::compaction(&hash, row.id, version)).unwrap();
            assert!(row.is_some(), "every summary is there");
        }
    }
    for ordinal in &owned {
        assert!((*ordinal as usize) < memories.len(), "every ordinal exists");
    }
    let client = crate::world::scope(&[]).hash();
    for row in &live {
        let index = rows.row(&key::memory_index(&client, row.id)).unwrap();
        let at = index.expect("every memory has an index").ordinal as usize;
        assert_eq!(memories[at].id, row.id);
        assert!(told(&&memories[at]), "its id leads to the one that is told");
        assert!(owned.contains(&u32::try_from(at).unwrap()), "{row:?}");
        assert_eq!(
            live.iter().filter(|other| other.id == row.id).count(),
            1,
            "an id is told once"
        );
    }
    if let Some(profile) = rows.row(&key::profile(&hash)).unwrap() {
        for known in profile.attributes.values().filter(|a| a.seq > erased) {
            let source = live.iter().find(|row| row.id == known.memory_id);
            assert!(source.is_some(), "{known:?} is of a memory that is told");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn rows_do_not_depend_on_delivery(steps in vec(step(), 0..40), cuts in vec((0..8_usize, 0..10_usize), 0..12)) {
        let (log, store) = live(&steps);
        for other in [in_pieces(&log, &cuts), in_pieces(&log, &[])] {
            prop_assert_eq!(compare(&store.snapshot(), &other.snapshot(), 5).unwrap(), vec![]);
            prop_assert_eq!(digest_of(&store), digest_of(&other));
            // And all of it once more.
            let again = turn(HERE, LIFE, &other.snapshot(), &log).unwrap();
            prop_assert!(again.writes.is_empty());
        }
    }

    #[test]
    fn rows_agree_with_each_other(steps in vec(step(), 0..40)) {
        let (_, store) = live(&steps);
        for scope in everybody() {
            check_scope(&store, &scope);
            check_terms(&store, &scope, erased(&store, &scope));
        }
    }

    /// What comes after an erasure is told as if nothing had been there before.
    #[test]
    fn an_erasure_is_a_new_beginning(before in vec(step(), 0..16), after in vec(step(), 0..24), who in 0..3_usize) {
        let erasure = Step { kind: 14, who, what: 0, text: 0, key: 99 };
        let steps = [&before[..], &[erasure], &after[..]].concat();
        let (log, store) = live(&steps);
        let hidden = &everybody()[who];
        let at = log.iter().position(|event| event.seq.get() == erased(&store, hidden)).unwrap();
        let ids = |log: &[Recorded]| -> Vec<EventId> {
            log.iter().map(|event| Event::from_json(&event.payload).unwrap().id).collect()
        };
        let gone = ids(&log[..=at]);
        let rest = log[at + 1..].iter().filter(|event| !gone.contains(&ids(std::slice::from_ref(event))[0]));
        let rest: Vec<Recorded> = (1..)
            .zip(rest)
            .map(|(seq, event)| Recorded { seq: synap_types::Seq::new(seq), ..event.clone() })
            .collect();
        let fresh = MemoryStore::default();
        prop_assert_eq!(apply(&fresh, &rest).halt, None);
        for scope in everybody().iter().filter(|scope| scope.chain().any(|wider| wider == *hidden)) {
            prop_assert_eq!(told(&store, scope), told(&fresh, scope));
        }
    }
}

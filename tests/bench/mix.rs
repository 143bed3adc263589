//! Events as they come in life, the same in every run: documents of 1 to 4 KiB, turns of about 150 bytes.

use crate::words::Words;
use synap_types::{
    Author, Content, ConversationId, DocumentType, Event, EventBody, EventId, IdempotencyKey,
    IngestionId, MemoryIngested, MessageRecorded, Scope, ScopeLevel, Timestamp, TurnDoor, TurnRole,
};

/// Of so many events, one is a document and the others are turns.
const DOCUMENT_EVERY: u64 = 5;
/// Customers, users of each, and documents that a user has before they get new versions.
const CUSTOMERS: u64 = 20;
const USERS: u64 = 50;
const DOCUMENTS: u64 = 40;
/// Turns of a conversation.
const TURNS: u64 = 20;

/// The event of this number.
pub(crate) fn event(number: u64, words: &mut Words) -> Event {
    let person = number / TURNS % (CUSTOMERS * USERS);
    let scope = user(person % CUSTOMERS, person / CUSTOMERS);
    let id = IdempotencyKey::Caller(number.to_string()).event_id(&scope);
    let body = if number.is_multiple_of(DOCUMENT_EVERY) {
        let name = format!("doc-{}", number / DOCUMENT_EVERY % DOCUMENTS);
        document(&scope, id, &name, pages(words, 2 + number % 5))
    } else {
        turn(&scope, id, number, words)
    };
    let time =
        Timestamp::from_micros(1_750_000_000_000_000 + i64::try_from(number).unwrap() * 1_000);
    Event { id, time, body }
}

fn user(customer: u64, user: u64) -> Scope {
    let level = |level: &str, id: String| ScopeLevel {
        level: level.parse().unwrap(),
        id: id.parse().unwrap(),
    };
    let path = vec![
        level("customer", format!("customer-{customer}")),
        level("user", format!("user-{user}")),
    ];
    Scope::new("app".parse().unwrap(), path).unwrap()
}

fn author() -> Author {
    Author {
        instance_id: "inst".parse().unwrap(),
        key_id: "key".to_owned(),
    }
}

/// A document: some headings, each with paragraphs below it.
fn pages(words: &mut Words, headings: u64) -> String {
    let mut text = String::new();
    for _ in 0..headings {
        text.extend(["# ", &words.sentence(4), "\n\n"]);
        for _ in 0..3 {
            text.extend([&words.sentence(16), ". ", &words.sentence(14), ".\n\n"]);
        }
    }
    text
}

/// A version of a document.
pub(crate) fn document(scope: &Scope, id: EventId, name: &str, text: String) -> EventBody {
    EventBody::MemoryIngested(Box::new(MemoryIngested {
        ingestion_id: IngestionId::new(id.uuid()),
        scope: scope.clone(),
        document_id: name.parse().unwrap(),
        document_type: DocumentType::DOCUMENT.parse().unwrap(),
        content: Content::Text(text),
        document_created_at: None,
        metadata: serde_json::Map::new(),
        author: author(),
    }))
}

fn turn(scope: &Scope, id: EventId, number: u64, words: &mut Words) -> EventBody {
    let name = format!("call-{}", number / TURNS).parse().unwrap();
    EventBody::MessageRecorded(Box::new(MessageRecorded {
        message_id: id,
        scope: scope.clone(),
        conversation_id: ConversationId::named(scope, &name),
        external_conversation_id: None,
        session_id: None,
        door: TurnDoor::Call,
        role: if number.is_multiple_of(2) {
            TurnRole::User
        } else {
            TurnRole::Assistant
        },
        content: words.sentence(24),
        said_at: None,
        metadata: serde_json::Map::new(),
        author: author(),
    }))
}

//! A fetch as of an event answers what a fetch after that event answered: the rows of the whole log, seen as of an event,
//! against the rows of the log up to there.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use synap_projection::{State, apply};
use synap_query::{Ranking, ScopeView, fetch};
use synap_readmodel::{CheckpointRow, MemoryStore, ReadStore as _, SnapshotExt as _, key};
use synap_types::{
    Author, Content, Event, EventBody, EventId, FetchRequest, FetchResponse, Hash128, IngestionId,
    Isolation, MemoryForgotten, MemoryIngested, MemoryUpdated, MergeStrategy, Scope, ScopeLevel,
    Seq, Timestamp,
};

const TOPICS: [&str; 8] = [
    "The parking lot behind the office is closed.",
    "I prefer short answers in the morning.",
    "We decided that the roof gets painted in May.",
    "Refunds are paid within fourteen days.",
    "The office is in Lisbon, near the river.",
    "I live in Porto with two dogs.",
    "Invoices are sent on the first of each month.",
    "The river floods the parking lot in winter.",
];
const QUERIES: [&str; 5] = [
    "parking lot",
    "Where is the office?",
    "refunds and invoices",
    "river in winter",
    "What does the user prefer?",
];

fn scope(levels: &[&str]) -> Scope {
    let names = ["customer", "user"];
    let level = |(level, id): (&&str, &&str)| ScopeLevel {
        level: level.parse().unwrap(),
        id: id.parse().unwrap(),
    };
    let path = names.iter().zip(levels).map(level).collect();
    Scope::new("app".parse().unwrap(), path).unwrap()
}

fn author() -> Author {
    Author {
        instance_id: "inst".parse().unwrap(),
        key_id: "key".to_owned(),
    }
}

fn event(seq: u64, body: impl FnOnce(EventId) -> EventBody) -> Event {
    let hash = Hash128::of("test.event", [seq.to_be_bytes().as_slice()]);
    let id = EventId::new(hash.to_uuid());
    Event {
        id,
        time: Timestamp::from_micros(i64::try_from(seq).unwrap() * 1_000_000),
        body: body(id),
    }
}

fn document(seq: u64, scope: &Scope, name: &str, text: String) -> Event {
    event(seq, |id| {
        EventBody::MemoryIngested(Box::new(MemoryIngested {
            ingestion_id: IngestionId::new(id.uuid()),
            scope: scope.clone(),
            document_id: name.parse().unwrap(),
            document_type: "document".parse().unwrap(),
            content: Content::Text(text),
            document_created_at: None,
            metadata: Map::new(),
            author: author(),
        }))
    })
}

/// The rows of a log of these events, which stand at 1, 2, …
fn folded<'e>(events: impl IntoIterator<Item = &'e Event>) -> MemoryStore {
    let store = MemoryStore::default();
    for (seq, event) in (1..).map(Seq::new).zip(events) {
        add(&store, seq, event);
    }
    store
}

fn add(store: &MemoryStore, seq: Seq, event: &Event) {
    let rows = store.snapshot();
    let mut state = State::new(&rows);
    apply(event, seq, &mut state).unwrap();
    let checkpoint = CheckpointRow {
        incarnation: 1,
        seq: seq.get(),
        event: [0; 16],
        projection: 1,
    };
    state.put(key::checkpoint(), &checkpoint);
    state.accept();
    let writes = state.into_writes();
    drop(rows);
    store.commit(&writes).unwrap();
}

fn asked(store: &MemoryStore, body: Value, until: Option<Seq>) -> FetchResponse {
    let Value::Object(mut body) = body else {
        panic!("a body is an object");
    };
    body.insert("customer_id".to_owned(), "acme".into());
    body.insert("user_id".to_owned(), "dana".into());
    let client = "app".parse().unwrap();
    let request = FetchRequest::parse(body, "user", &client, &Isolation::strict()).unwrap();
    let rows = store.snapshot();
    let view = |scope: Scope| {
        let view = ScopeView::new(scope, &rows).unwrap();
        match until {
            Some(until) => view.up_to(until),
            None => view,
        }
    };
    let views: Vec<_> = request.scope.chain().map(view).collect();
    fetch(&request, &views, &Ranking::default(), None, false).unwrap()
}

/// What an answer tells, and how relevant it finds it. The rows behind it are of another position by nature.
fn told(answer: &FetchResponse) -> Vec<String> {
    let item = |item: &synap_types::ContextItem| {
        format!(
            "{} {} {:.6}",
            item.scope.len(),
            item.content,
            item.rank_score
        )
    };
    answer.items.iter().map(item).collect()
}

fn assert_same(whole: &MemoryStore, prefix: &MemoryStore, seq: Seq, bodies: &[Value]) -> usize {
    let mut items = 0;
    for body in bodies {
        let then = asked(prefix, body.clone(), None);
        let now = asked(whole, body.clone(), Some(seq));
        assert_eq!(told(&now), told(&then), "as of {seq}: {body}");
        let counted = |answer: &FetchResponse| -> Vec<_> {
            answer.scopes.iter().map(|scope| scope.candidates).collect()
        };
        assert_eq!(counted(&now), counted(&then), "as of {seq}: {body}");
        items += then.items.len();
    }
    items
}

fn bodies() -> Vec<Value> {
    let query = |query: &&str| json!({"search_query": [query], "max_results": 8});
    let mut bodies: Vec<Value> = QUERIES.iter().map(query).collect();
    bodies.push(json!({"max_results": 5}));
    bodies.push(json!({"search_query": ["parking"], "max_results": 50, "min_relevance": 0}));
    bodies
}

/// A number that looks like chance, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap()
    }
}

/// A history of documents that are replaced, memories that are changed, and memories that are forgotten.
fn history(events: u64, dice: &mut Dice) -> Vec<Event> {
    let whose = [scope(&["acme", "dana"]), scope(&["acme"]), scope(&[])];
    let (store, mut history) = (MemoryStore::default(), Vec::new());
    for seq in 1..=events {
        let owner = &whose[dice.roll(3)];
        let stored: Vec<_> = {
            let rows = store.snapshot();
            let view = ScopeView::new(owner.clone(), &rows).unwrap();
            let end = view
                .stats()
                .unwrap()
                .map_or(0, |row| row.totals.next_ordinal);
            let all = (0..end).filter_map(|ordinal| view.memory(ordinal).unwrap());
            all.filter(|row| view.tells(row)).collect()
        };
        let any = (!stored.is_empty()).then(|| &stored[dice.roll(stored.len() as u64)]);
        let made = match (dice.roll(10), any) {
            (0 | 1, Some(row)) => event(seq, |_| {
                EventBody::MemoryForgotten(Box::new(MemoryForgotten {
                    scope: owner.clone(),
                    memory_id: row.id,
                    event_id: row.event_id,
                    source: row.source.clone(),
                    span: row.span,
                    request_id: None,
                    author: author(),
                }))
            }),
            (2 | 3, Some(row)) => event(seq, |_| {
                EventBody::MemoryUpdated(Box::new(MemoryUpdated {
                    scope: owner.clone(),
                    memory_id: row.id,
                    source: row.source.clone(),
                    content: Content::Text(TOPICS[dice.roll(8)].to_owned()),
                    document_type: None,
                    merge: MergeStrategy::Replace,
                    metadata: None,
                    author: author(),
                }))
            }),
            _ => {
                let text: BTreeSet<&str> =
                    (0..=dice.roll(4)).map(|_| TOPICS[dice.roll(8)]).collect();
                let text: Vec<&str> = text.into_iter().collect();
                document(seq, owner, &format!("doc-{}", dice.roll(5)), text.join(" "))
            }
        };
        add(&store, Seq::new(seq), &made);
        history.push(made);
    }
    history
}

#[test]
fn a_fetch_as_of_an_event_is_the_fetch_after_that_event() {
    let mut items = 0;
    for seed in 1..=4 {
        let events = history(24, &mut Dice(seed));
        let whole = folded(&events);
        for cut in 0..=events.len() {
            let prefix = folded(&events[..cut]);
            items += assert_same(&whole, &prefix, Seq::new(cut as u64), &bodies());
        }
    }
    assert!(items > 1_000, "the answers are not all empty: {items}");
}

/// Lines of which each is a memory; `version` says which of them are otherwise.
fn lines(document: u32, version: u32) -> String {
    let line = |number: u32| {
        let word = (number + 7 * document) % 900;
        let other = if version > 0 && number.is_multiple_of(3) {
            "refund"
        } else {
            "parking"
        };
        format!("- Entry{word} tells of {other} number{}.\n", number % 31)
    };
    (0..1_000).map(line).collect()
}

#[test]
fn a_large_scope_is_seen_as_of_an_event_like_a_small_one() {
    let owner = scope(&["acme"]);
    let name = |document: u32| format!("doc-{document}");
    let mut events: Vec<Event> = (1..=36_u32)
        .map(|seq| document(seq.into(), &owner, &name(seq), lines(seq, 0)))
        .collect();
    for seq in 37..=44_u32 {
        events.push(document(
            seq.into(),
            &owner,
            &name(seq - 30),
            lines(seq - 30, 1),
        ));
    }
    let whole = folded(&events);
    let rows = whole.snapshot();
    let stats = rows.row(&key::stats(&owner.hash())).unwrap().unwrap();
    assert!(stats.totals.next_ordinal > 40_000, "{stats:?}");
    drop(rows);
    let bodies = [
        json!({"search_query": ["entry13 parking"], "max_results": 20}),
        json!({"search_query": ["refund number7 entry250"], "max_results": 20}),
        json!({"search_query": ["refund"], "max_results": 20}),
    ];
    let prefix = folded(&events[..40]);
    let items = assert_same(&whole, &prefix, Seq::new(40), &bodies);
    assert!(items >= 40, "the answers are not all empty: {items}");
}

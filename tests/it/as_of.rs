//! A fetch as of an event answers what a fetch after that event answered: the rows of the whole log, seen as of an event,
//! against the rows of the log up to there.

use crate::support::{Cli, Door, Http, KEY, Server, contents, ids, items};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use synap_projection::{State, apply};
use synap_query::{Means, Ranking, ScopeView, fetch};
use synap_readmodel::{
    CheckpointRow, MemoryRow, MemoryStore, ReadStore as _, SnapshotExt as _, key,
};
use synap_types::{
    Author, ChangeUndone, Content, Event, EventBody, EventId, FetchRequest, FetchResponse, Hash128,
    IngestionId, Isolation, MemoryForgotten, MemoryIngested, MemoryMoved, MemoryReceived,
    MemoryUpdated, MergeStrategy, MoveOrigin, Scope, ScopeLevel, Seq, Timestamp,
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
    fetch(&request, &views, Means::of(&Ranking::default()), false).unwrap()
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

/// `to` tells what `row` tells.
fn received(row: &MemoryRow, to: &Scope, id: EventId) -> EventBody {
    EventBody::MemoryReceived(Box::new(MemoryReceived {
        scope: to.clone(),
        memory_id: MemoryReceived::id_in(to, row.id),
        origins: vec![MoveOrigin {
            scope: row.scope.clone(),
            memory_id: row.id,
            source: row.source.clone(),
            event_id: row.event_id,
        }],
        counterpart: id,
        content: Content::Text(row.text.clone()),
        memory_type: row.kind,
        category: row.category.clone(),
        confidence: row.confidence,
        speaker: row.speaker.clone(),
        said_at: row.said_at(),
        event_time: row.time.clone(),
        entities: row.entities.clone(),
        metadata: Map::new(),
        author: author(),
    }))
}

/// The scope of `row` tells it no more.
fn taken_out(row: &MemoryRow, to: &Scope, id: EventId) -> EventBody {
    EventBody::MemoryMoved(Box::new(MemoryMoved {
        scope: row.scope.clone(),
        memory_id: row.id,
        source: row.source.clone(),
        event_id: row.event_id,
        span: row.span,
        to: to.clone(),
        moved_to: MemoryReceived::id_in(to, row.id),
        counterpart: id,
        author: author(),
    }))
}

fn undone((row, undoes): (MemoryRow, EventId)) -> EventBody {
    EventBody::ChangeUndone(Box::new(ChangeUndone {
        scope: row.scope,
        memory_id: row.id,
        source: row.source,
        undoes,
        counterpart: None,
        author: author(),
    }))
}

/// A history of documents that are replaced, and of memories that are changed, forgotten, moved, and changed back.
fn history(events: u64, dice: &mut Dice) -> Vec<Event> {
    let whose = [scope(&["acme", "dana"]), scope(&["acme"]), scope(&[])];
    let (store, mut history) = (MemoryStore::default(), Vec::new());
    for seq in 1..=events {
        let owner = &whose[dice.roll(3)];
        let (stored, undoes) = {
            let rows = store.snapshot();
            let view = ScopeView::new(owner.clone(), &rows).unwrap();
            let end = view
                .stats()
                .unwrap()
                .map_or(0, |row| row.totals.next_ordinal);
            let all = (0..end).filter_map(|ordinal| view.memory(ordinal).unwrap());
            let all: Vec<MemoryRow> = all.collect();
            // Of some version, and so not always of the last change.
            let undoes = (!all.is_empty()).then(|| {
                let row = all[dice.roll(all.len() as u64)].clone();
                let last = Seq::new(row.ended_seq.unwrap_or(row.created_seq));
                let (_, event) = view.history_at(last).unwrap().unwrap();
                (row, event.event_id)
            });
            let told = all.into_iter().filter(|row| view.tells(row));
            (told.collect::<Vec<_>>(), undoes)
        };
        let any = (!stored.is_empty()).then(|| &stored[dice.roll(stored.len() as u64)]);
        let made = match (dice.roll(18), any) {
            (10, Some(row)) => event(seq, |id| received(row, &whose[dice.roll(3)], id)),
            (11, Some(row)) => event(seq, |id| taken_out(row, &whose[dice.roll(3)], id)),
            (12.., _) if undoes.is_some() => event(seq, |_| undone(undoes.unwrap())),
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
    for seed in 1..=6 {
        let events = history(32, &mut Dice(seed));
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

const PORTO: &str = "I live in Porto.";
const LISBON: &str = "I live in Lisbon.";

fn al(more: &Value) -> Value {
    ids(Some("acme"), Some("al"), more)
}

/// Stores a version of a document; answers its position.
fn stored(http: &Http, whose: &Value, name: &str, text: &str) -> Value {
    let mut body = whose.clone();
    (body["document"], body["document_id"]) = (text.into(), name.into());
    body["document_type"] = "document".into();
    http.store(&body)["position"].clone()
}

/// A user who moved, while the office changed its hours afterwards. Answers the positions of the user's two events.
fn moved(http: &Http) -> [Value; 2] {
    let client = ids(None, None, &json!({}));
    stored(http, &client, "hours", "The office opens at nine.");
    let first = stored(http, &al(&json!({})), "home", PORTO);
    let second = stored(http, &al(&json!({})), "home", LISBON);
    stored(http, &client, "hours", "The office opens at ten.");
    [first, second]
}

fn feed(http: &Http, more: &str) -> Value {
    let path = format!("/v1/scopes/user/events?customer_id=acme&user_id=al{more}");
    http.get(&path).ok()
}

fn tells_the_past(door: &dyn Door, moments: &[(Value, &str)]) {
    let queries = json!(["where does al live", "office opens"]);
    for (as_of, expected) in moments {
        let asked =
            al(&json!({"as_of": as_of, "search_query": queries, "response_shape": "ranked"}));
        let told = contents(&door.fetch(&asked).ok());
        assert_eq!(
            told,
            [*expected, "The office opens at nine."],
            "as of {as_of}"
        );
    }
    let now = door.fetch(&al(
        &json!({"search_query": queries, "response_shape": "ranked"}),
    ));
    assert_eq!(contents(&now.ok()), [LISBON, "The office opens at ten."]);
}

fn refuses_what_never_was(door: &dyn Door, position: &Value) {
    let refused = |as_of: Value, user: Option<&str>, said: &str| {
        let asked = ids(Some("acme"), user, &json!({"as_of": as_of}));
        let refusal = door.fetch(&asked).refused(400);
        assert_eq!(refusal["details"]["field"], "as_of", "{refusal}");
        let message = refusal["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    };
    refused(
        "2999-01-01T00:00:00Z".into(),
        Some("al"),
        "is in the future",
    );
    refused(
        "2001-01-01T00:00:00Z".into(),
        Some("al"),
        "is before everything",
    );
    refused("yesterday".into(), Some("al"), "RFC 3339");
    refused(
        position.clone(),
        None,
        "of a scope that this fetch does not read",
    );
}

#[test]
fn the_past_is_asked_for_by_time_and_by_receipt_through_every_door() {
    let server = Server::fresh();
    let http = server.http();
    let [first, second] = moved(&http);
    let events = feed(&http, "")["events"].clone();
    assert_eq!(events[1]["position"], second, "{events}");
    let times = [&events[0]["time"], &events[1]["time"]];
    let just_before = |time: &Value| {
        let time: Timestamp = time.as_str().unwrap().parse().unwrap();
        Timestamp::from_micros(time.micros() - 1).to_string()
    };
    let moments = [
        (first.clone(), PORTO),
        (second, LISBON),
        (times[0].clone(), PORTO),
        (times[1].clone(), LISBON),
        (just_before(times[1]).into(), PORTO),
    ];
    let doors: [&dyn Door; 2] = [&http, &server.nats()];
    for door in doors {
        tells_the_past(door, &moments[..3]);
        refuses_what_never_was(door, &first);
    }
    tells_the_past(&http, &moments);
    let then = [
        "fetch",
        "--customer",
        "acme",
        "--user",
        "al",
        "-q",
        "where does al live",
        "--as-of",
    ];
    let printed = Cli::of(&server)
        .run(then.into_iter().chain(first.as_str()))
        .ok();
    assert!(
        printed.stdout.contains(PORTO) && !printed.stdout.contains(LISBON),
        "{printed:?}"
    );
}

#[test]
fn a_memory_and_a_scope_tell_what_happened_to_them() {
    let server = Server::fresh();
    let (http, cli) = (server.http(), Cli::of(&server));
    let [_, second] = moved(&http);
    let memory = http.fetch(&al(
        &json!({"search_query": ["where does al live"], "response_shape": "ranked"}),
    ));
    let id = items(&memory.ok())[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/memories/{id}");
    http.send("DELETE", &path, &[], b"").ok();
    let traced = cli.run(["trace", &id]).ok();
    for said in [
        "is not told any more",
        LISBON,
        "documents/home",
        "ended (forgotten)",
    ] {
        assert!(traced.stdout.contains(said), "{said}: {traced:?}");
    }
    let second = second.as_str().unwrap();
    let rest = feed(&http, &format!("&after={second}"));
    assert_eq!(rest["events"][0]["type"], "memory.forgotten", "{rest}");
    let whose = [
        "history",
        "--customer",
        "acme",
        "--user",
        "al",
        "--limit",
        "1",
    ];
    let printed = cli.run(whose).ok();
    let expected = "memory.ingested  documents/home";
    assert!(printed.stdout.contains(expected), "{printed:?}");
    let strange = format!("/v1/scopes/customer/events?customer_id=acme&after={second}");
    assert_eq!(http.get(&strange).refused(400)["details"]["field"], "after");
    http.get("/v1/scopes/planet/events").refused(404);
    let event = rest["events"][0]["event_id"].as_str().unwrap();
    http.get(&format!("/v1/memories/{event}/history"))
        .refused(404);
}

#[test]
fn a_feed_waits_for_the_next_event_and_tells_nothing_of_other_scopes() {
    let server = Server::fresh();
    let http = server.http();
    let store = |user: &str, text: &str| {
        let mut body = ids(Some("acme"), Some(user), &json!({}));
        body["document"] = text.into();
        http.store(&body)["position"].clone()
    };
    let first = store("al", "I live in Porto.");
    store("bo", "I live in Lisbon.");
    let path = format!(
        "/v1/scopes/user/events?customer_id=acme&user_id=al&wait_ms=20000&after={}",
        first.as_str().unwrap()
    );
    let (waiting, door) = (path.clone(), server.http());
    let waits = std::thread::spawn(move || door.get(&waiting).ok());
    store("bo", "I have a dog.");
    let next = store("al", "I have a cat.");
    let told = waits.join().unwrap();
    assert_eq!(told["events"][0]["position"], next, "{told}");
    assert_eq!(told["events"].as_array().unwrap().len(), 1);
    assert_eq!(told["next"], next);
    let nothing = http.get(
        &path
            .replace("wait_ms=20000", "wait_ms=10")
            .replace(first.as_str().unwrap(), next.as_str().unwrap()),
    );
    assert_eq!(nothing.ok()["events"], json!([]));

    let stream = std::process::Command::new("curl")
        .args([
            "-sN",
            "--max-time",
            "3",
            "-H",
            "Accept: text/event-stream",
            "-H",
        ])
        .arg(format!("Authorization: Bearer {KEY}"))
        .arg(format!(
            "{}/v1/scopes/user/events?customer_id=acme&user_id=al",
            server.http_url()
        ))
        .output()
        .expect("curl runs");
    let stream = String::from_utf8(stream.stdout).unwrap();
    assert_eq!(
        stream.matches("event: memory.ingested").count(),
        2,
        "{stream}"
    );
    assert!(
        stream.contains(&format!("id: {}", next.as_str().unwrap())),
        "{stream}"
    );
    assert!(
        !stream.contains("Lisbon") && !stream.contains("Porto"),
        "no text: {stream}"
    );
}

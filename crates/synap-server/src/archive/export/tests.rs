//! What an export holds of a log with gaps, foreign scopes and damage.

use super::*;
use crate::archive::reader::Reader;
use serde_json::json;
use synap_log::{MemoryLog, NewEvent};
use synap_types::{EventId, Hash128};

const HERE: Partition = Partition::Numbered(0);

fn scope(path: &[(&str, &str)]) -> Scope {
    let path = path
        .iter()
        .map(|(level, id)| json!({"level": level, "id": id}));
    serde_json::from_value(json!({"client": "app", "path": path.collect::<Vec<_>>()})).unwrap()
}

fn payload(scope: &Scope, name: &str, data: &str) -> (EventId, String) {
    let id = EventId::new(Hash128::of("test", [name.as_bytes()]).to_uuid());
    let scope = serde_json::to_string(scope).unwrap();
    let envelope = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/synap/clients/app","type":"synap.memory.ingested.v1","subject":"documents/{name}","time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":{{"ingestion_id":"{id}","scope":{scope},"document_id":"{name}","document_type":"document","content":{{"format":"text","value":"{data}"}},"metadata":{{}},"author":{{"instance_id":"i","key_id":"k"}}}}}}"#
    );
    (id, envelope)
}

/// Appends `payload` under the subject of `scope`.
fn append(log: &MemoryLog, scope: &Scope, (id, payload): (EventId, String)) {
    let event = NewEvent {
        id,
        partition: HERE,
        subject: EventSubject::new(HERE, scope, "memory-ingested"),
        payload: payload.into(),
    };
    log.append(event).now_or_never().unwrap().unwrap();
}

fn acme() -> Scope {
    scope(&[("customer", "acme")])
}

fn note(log: &MemoryLog, scope: &Scope, name: &str) {
    append(log, scope, payload(scope, name, "A note."));
}

/// The lines of an export of `wanted`.
async fn lines(log: &MemoryLog, wanted: &Scope) -> String {
    let chunks = export(Arc::new(log.clone()), PartitionCount::ONE, wanted.clone()).await;
    let chunks: Vec<_> = chunks.unwrap().collect().await;
    let bytes: Vec<u8> = chunks
        .into_iter()
        .flat_map(|chunk| chunk.unwrap())
        .collect();
    String::from_utf8(bytes).unwrap()
}

/// Seqs in an export, which reads as a whole one; and how many events it leaves out.
async fn check(log: &MemoryLog, wanted: &Scope, expected: &[u64], left_out: u64) {
    let lines = lines(log, wanted).await;
    let mut reader = Reader::open(lines.as_bytes()).unwrap();
    let mut seqs = Vec::new();
    while let Some((_, _, event)) = reader.next().unwrap() {
        seqs.push(event.seq.get());
    }
    assert_eq!((seqs.as_slice(), reader.left_out()), (expected, left_out));
}

#[tokio::test]
async fn gaps_are_passed_over_and_the_export_ends() {
    let log = MemoryLog::default();
    for name in ["a", "b", "c", "d", "e"] {
        note(&log, &acme(), name);
    }
    check(&log, &acme(), &[1, 2, 3, 4, 5], 0).await;
    for (erased, left) in [
        (2, &[1, 3, 4, 5][..]),
        (5, &[1, 3, 4]),
        (1, &[3, 4]),
        (3, &[4]),
        (4, &[]),
    ] {
        log.lose(HERE, Seq::new(erased));
        check(&log, &acme(), left, 0).await;
    }
}

#[tokio::test]
async fn a_scope_is_exported_with_what_lies_below_it_and_nothing_else() {
    let log = MemoryLog::default();
    let user = |id| scope(&[("customer", "acme"), ("user", id)]);
    let team = scope(&[("customer", "acme"), ("team", "t"), ("user", "ann")]);
    let other = scope(&[("customer", "acme_2"), ("user", "ann")]);
    for (name, of) in [
        ("1", acme()),
        ("2", user("ann")),
        ("3", user("bob")),
        ("4", team.clone()),
        ("5", other),
    ] {
        note(&log, &of, name);
    }
    check(&log, &acme(), &[1, 2, 3, 4], 0).await;
    check(&log, &user("ann"), &[2], 0).await;
    check(&log, &team, &[4], 0).await;
    check(
        &log,
        &scope(&[("customer", "acme"), ("team", "t")]),
        &[4],
        0,
    )
    .await;
    check(&log, &scope(&[]), &[1, 2, 3, 4, 5], 0).await;
    check(&log, &scope(&[("customer", "nobody")]), &[], 0).await;
}

#[tokio::test]
async fn what_is_no_event_of_its_subject_is_left_out_and_counted() {
    let log = MemoryLog::default();
    let ann = scope(&[("customer", "acme"), ("user", "ann")]);
    note(&log, &acme(), "good");
    let (id, whole) = payload(&ann, "stray", "A stray.");
    append(&log, &acme(), (id, whole.clone()));
    append(&log, &ann, (id_of("cut"), whole.chars().take(40).collect()));
    append(
        &log,
        &ann,
        (id_of("two"), whole.replace(",\"data\"", ",\n\"data\"")),
    );
    check(&log, &acme(), &[1], 3).await;
    check(
        &log,
        &scope(&[("customer", "acme"), ("user", "bob")]),
        &[],
        0,
    )
    .await;
    let lines = lines(&log, &acme()).await;
    assert!(!lines.contains("A stray."), "not even in the reasons");
}

fn id_of(name: &str) -> EventId {
    EventId::new(Hash128::of("test", [name.as_bytes()]).to_uuid())
}

#[tokio::test]
async fn events_stand_in_it_byte_for_byte() {
    let log = MemoryLog::default();
    let (id, plain) = payload(&acme(), "odd", r"A \u00e9 and \/ 1.50");
    let odd = plain.replace(
        "\"metadata\":{}",
        "\"metadata\": {\"n\" : 1.50e0 , \"n2\":10000000000000000000000}",
    );
    append(&log, &acme(), (id, odd.clone()));
    let lines = lines(&log, &acme()).await;
    assert!(lines.contains(&odd), "{lines}");
    let mut reader = Reader::open(lines.as_bytes()).unwrap();
    let (_, _, event) = reader.next().unwrap().unwrap();
    assert_eq!(event.payload, odd.as_bytes());
}

//! Published files are what the code says: schemas are generated, samples read back for ever, released files are frozen.
//!
//! `UPDATE_GOLDEN=1` rewrites what is generated. It never rewrites what is frozen.
#![cfg(feature = "schema")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: a panic is their verdict"
)]

use data_encoding::HEXLOWER;
use schemars::schema_for;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};
use synap_types::{
    ChangeUndone, Content, ConversationCompacted, DocumentErased, DocumentType, ErasureCompleted,
    Event, EventBody, MemoriesEnriched, MemoryForgotten, MemoryIngested, MemoryMoved,
    MemoryReceived, MemoryUpdated, MessageRecorded, SPEC_VERSION, ScopeErased, Transcript,
    TranscriptIngested, event_types,
};

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// Compares with a committed file; `UPDATE_GOLDEN=1` rewrites it.
#[track_caller]
fn check_golden(path: &Path, actual: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, actual).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        committed,
        actual,
        "{} is stale: run with UPDATE_GOLDEN=1",
        path.display()
    );
}

/// The schema of an event as it is published: the CloudEvents envelope around the data.
fn envelope(data: &schemars::Schema, cloud_type: &str, title: &str) -> String {
    let mut data = serde_json::to_value(data).unwrap();
    let definitions = data.as_object_mut().unwrap().remove("$defs");
    data.as_object_mut().unwrap().remove("$schema");
    let mut schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {
            "specversion": {"const": SPEC_VERSION},
            "id": {"type": "string", "format": "uuid"},
            "source": {"type": "string", "format": "uri-reference"},
            "type": {"const": cloud_type},
            "subject": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": data,
        },
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        "additionalProperties": false,
    });
    if let Some(definitions) = definitions {
        schema["$defs"] = definitions;
    }
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

#[test]
fn schemas_are_current() {
    let schemas_of = [
        (
            "MemoryIngested",
            "memory.ingested",
            schema_for!(MemoryIngested),
        ),
        (
            "MessageRecorded",
            "message.recorded",
            schema_for!(MessageRecorded),
        ),
        (
            "TranscriptIngested",
            "transcript.ingested",
            schema_for!(TranscriptIngested),
        ),
        (
            "ConversationCompacted",
            "conversation.compacted",
            schema_for!(ConversationCompacted),
        ),
        (
            "MemoryUpdated",
            "memory.updated",
            schema_for!(MemoryUpdated),
        ),
        (
            "MemoryForgotten",
            "memory.forgotten",
            schema_for!(MemoryForgotten),
        ),
        (
            "MemoryReceived",
            "memory.received",
            schema_for!(MemoryReceived),
        ),
        ("MemoryMoved", "memory.moved", schema_for!(MemoryMoved)),
        ("ChangeUndone", "change.undone", schema_for!(ChangeUndone)),
        ("ScopeErased", "scope.erased", schema_for!(ScopeErased)),
        (
            "DocumentErased",
            "document.erased",
            schema_for!(DocumentErased),
        ),
        (
            "ErasureCompleted",
            "erasure.completed",
            schema_for!(ErasureCompleted),
        ),
        (
            "MemoriesEnriched",
            "memories.enriched",
            schema_for!(MemoriesEnriched),
        ),
    ];
    for (title, name, data) in schemas_of {
        let schema = envelope(&data, &format!("synap.{name}.v1"), &format!("{title} v1"));
        let file = format!("events/{}.v1.json", name.replace('.', "_"));
        check_golden(&schemas().join(file), &schema);
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Reads every sample as the code of today does, and writes it again: an event that was ever written is never lost.
#[test]
fn samples_read_back_and_write_the_same_bytes() {
    let samples = files_below(&schemas().join("samples"));
    assert!(samples.len() >= 4, "samples are there: {samples:?}");
    for path in samples {
        let text = fs::read_to_string(&path).unwrap();
        let event =
            Event::from_json(text.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let written = String::from_utf8(event.to_json()).unwrap();
        assert_eq!(written, text.trim_end(), "{}", path.display());
    }
}

#[test]
fn the_types_that_are_read_are_those_that_have_samples() {
    let types = files_below(&schemas().join("samples"))
        .into_iter()
        .map(|path| {
            let text = fs::read(path).unwrap();
            let envelope: serde_json::Value = serde_json::from_slice(&text).unwrap();
            envelope["type"].as_str().unwrap().to_owned()
        });
    let types: BTreeSet<String> = types.collect();
    assert_eq!(event_types(), types.into_iter().collect::<Vec<_>>());
}

#[test]
fn samples_mean_what_they_meant() {
    let read = |name: &str| {
        let path = schemas().join("samples/memory_ingested/v1").join(name);
        let event = Event::from_json(&fs::read(path).unwrap()).unwrap();
        let EventBody::MemoryIngested(data) = event.body.clone() else {
            panic!("another event")
        };
        (event, *data)
    };
    let (event, data) = read("user_text.json");
    assert_eq!(data.scope.kind(), "user");
    assert_eq!(data.scope.chain().count(), 3);
    assert_eq!(
        data.content,
        Content::Text("Alice deployed the billing service last Tuesday".to_owned())
    );
    assert_eq!(event.about(), "documents/note-1");
    assert_eq!(event.time.to_string(), "2026-11-22T10:00:00.000001Z");
    let (_, data) = read("client_minimal.json");
    assert_eq!((data.scope.kind(), data.metadata.len()), ("client", 0));
    let (_, data) = read("customer_json.json");
    assert!(matches!(&data.content, Content::Json(value) if value["plan"] == "gold"));
    let (_, data) = read("nested_hostile_ids.json");
    assert_eq!(data.scope.path().len(), 3);
    assert_eq!(data.document_type.as_str(), DocumentType::CHAT);
}

#[test]
fn every_event_type_has_samples_that_mean_what_they_meant() {
    let read = |name: &str| {
        let path = schemas().join("samples").join(name);
        Event::from_json(&fs::read(path).unwrap()).unwrap()
    };
    let turn = read("message_recorded/v1/user_turn.json");
    assert_eq!(
        turn.about(),
        "conversations/8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4"
    );
    assert_eq!(
        (turn.scope().kind(), turn.type_token()),
        ("user", "message-recorded")
    );
    let EventBody::TranscriptIngested(data) = read("transcript_ingested/v1/turns.json").body else {
        panic!("another event")
    };
    assert!(
        matches!(&data.transcript, Transcript::Turns(turns) if turns.len() == 2 && turns[0].metadata["turn"] == 1)
    );
    let about = |name: &str| read(name).about();
    assert_eq!(about("memory_updated/v1/replace.json"), "documents/note-1");
    assert_eq!(about("memory_forgotten/v1/turn.json"), turn.about());
    assert_eq!(about("memory_moved/v1/turn.json"), turn.about());
    let undone = read("change_undone/v1/move.json");
    assert_eq!(undone.undoes(), Some(read("memory_moved/v1/turn.json").id));
    let received = read("memory_received/v1/promoted.json");
    assert_eq!(received.scope().kind(), "customer");
    let EventBody::MemoryReceived(data) = received.body else {
        panic!("another event")
    };
    assert_eq!(
        data.source().unwrap().about(),
        format!("documents/memory:{}", data.memory_id)
    );
    assert_eq!(data.origins[0].scope, *undone.scope());
    let EventBody::MemoriesEnriched(data) = read("memories_enriched/v1/two.json").body else {
        panic!("another event")
    };
    assert_eq!(data.memories[0].vector.0[..3], [1, -128, 127]);
    assert_eq!(about("scope_erased/v1/user.json"), "scope");
    assert_eq!(about("scope_erased/v1/conversation.json"), turn.about());
    assert_eq!(
        about("conversation_compacted/v1/balanced.json"),
        turn.about()
    );
}

#[test]
fn damaged_and_foreign_events_are_told_apart() {
    let path = schemas().join("samples/memory_ingested/v1/user_text.json");
    let text = fs::read_to_string(path).unwrap();
    let error = |text: &str| Event::from_json(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(error("{"), "malformed at envelope");
    assert_eq!(
        error(&text.replace("\"scope\"", "\"skope\"")),
        "malformed at synap.memory.ingested.v1"
    );
    assert_eq!(
        error(&text.replace("ingested.v1", "ingested.v2")),
        "event type \"synap.memory.ingested.v2\" is unknown to this version of synap"
    );
    assert_eq!(
        error(&text.replace("documents/note-1", "documents/note-2")),
        "envelope attribute subject contradicts the data"
    );
}

/// `sha256sum --check FROZEN` holds in `schemas/`, and every released file is in it.
#[test]
fn released_files_are_frozen() {
    let path = schemas().join("FROZEN");
    let mut frozen: BTreeMap<String, String> = fs::read_to_string(&path)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            line.split_once("  ")
                .map(|(hash, name)| (name.to_owned(), hash.to_owned()))
        })
        .collect();
    for folder in ["events", "samples"] {
        for file in files_below(&schemas().join(folder)) {
            let name = file
                .strip_prefix(schemas())
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let hash = HEXLOWER.encode(&Sha256::digest(fs::read(&file).unwrap()));
            if env::var_os("UPDATE_GOLDEN").is_some() {
                frozen.entry(name.clone()).or_insert_with(|| hash.clone());
            }
            assert_eq!(
                frozen.get(&name),
                Some(&hash),
                "{name} was released: add a version instead of changing it"
            );
        }
    }
    let lines: Vec<String> = frozen
        .iter()
        .map(|(name, hash)| format!("{hash}  {name}"))
        .collect();
    let text = lines.join("\n") + "\n";
    check_golden(&path, &text);
    for name in frozen.keys() {
        assert!(
            schemas().join(name).exists(),
            "{name} was released and is gone"
        );
    }
}

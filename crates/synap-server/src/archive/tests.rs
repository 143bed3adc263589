//! Lines and files that are not whole.

use super::reader::Reader;
use super::*;
use serde_json::json;

const HEADER: &str = r#"{"synap_export":1,"client":"app","scope":"client","scope_path":{},"partitions":1,"last_seq":{"00":2},"event_types":["synap.memory.ingested.v1"]}"#;

fn event(seq: u64, client: &str, customer: &str) -> String {
    let id = "0c0ffee0-0000-8000-8000-00000000000a";
    let event = json!({"specversion": "1.0", "id": id, "source": format!("/synap/clients/{client}"),
        "type": "synap.memory.ingested.v1", "subject": "documents/d", "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json", "data": {"ingestion_id": id, "scope": {"client": client,
        "path": [{"level": "customer", "id": "acme"}]}, "document_id": "d", "document_type": "document",
        "content": {"format": "text", "value": "A note."}, "metadata": {}, "author": {"instance_id": "i", "key_id": "k"}}});
    let event = event.to_string();
    let digest = payload_digest(event.as_bytes());
    let subject = format!("synap.v1.events.00.{client}.{customer}.-.memory-ingested");
    format!(
        r#"{{"partition":"00","seq":{seq},"subject":"{subject}","digest":"{digest}","event":{event}}}"#
    )
}

fn end(lines: &[&str], events: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        hasher.update(line.as_bytes()).update(b"\n");
    }
    json!({"end": {"events": events, "left_out": 0, "blake3": hasher.finalize().to_string()}})
        .to_string()
}

fn file() -> Vec<String> {
    let (one, two) = (event(1, "app", "acme"), event(2, "app", "acme"));
    let end = end(&[HEADER, &one, &two], 2);
    vec![HEADER.to_owned(), one, two, end]
}

/// Events before the end or the first problem, and that problem.
fn read_all(text: &[u8]) -> (usize, Option<String>) {
    let mut events = 0;
    let mut reader = match Reader::open(text) {
        Ok(reader) => reader,
        Err(e) => return (0, Some(format!("{e:#}"))),
    };
    loop {
        match reader.next() {
            Ok(Some(_)) => events += 1,
            Ok(None) => return (events, None),
            Err(e) => return (events, Some(format!("{e:#}"))),
        }
    }
}

#[track_caller]
fn check(lines: &[String], events: usize, problem: &str) {
    let found = read_all((lines.join("\n") + "\n").as_bytes());
    assert_eq!(found, (events, Some(problem.to_owned())));
}

#[test]
fn a_whole_file_is_read_to_its_end_compressed_or_not() {
    let text = file().join("\n") + "\n";
    assert_eq!(read_all(text.as_bytes()), (2, None));
    let compressed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    assert_eq!(read_all(&compressed), (2, None));
}

#[test]
fn a_file_that_is_cut_anywhere_is_not_whole() {
    let text = file().join("\n") + "\n";
    let first_two = text.find("\"seq\":2").unwrap();
    for cut in 0..text.len() {
        let (events, problem) = read_all(&text.as_bytes()[..cut]);
        assert!(problem.is_some(), "cut at {cut}");
        assert!(events <= 1 || cut > first_two, "cut at {cut}");
    }
    let compressed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    for cut in 0..compressed.len() {
        assert!(read_all(&compressed[..cut]).1.is_some(), "cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let text = (file().join("\n") + "\n").into_bytes();
    for at in 0..text.len() {
        let mut flipped = text.clone();
        flipped[at] ^= 0x01;
        assert!(read_all(&flipped).1.is_some(), "byte {at}");
    }
}

#[test]
fn problems_name_their_line() {
    let whole = file();
    let with = |at: usize, line: &str| {
        let mut lines = whole.clone();
        lines[at] = line.to_owned();
        lines
    };
    check(
        &with(2, &whole[2].replace("A note.", "A lie.")),
        1,
        "line 3: the event does not match its digest: it was changed",
    );
    check(
        &with(2, &event(2, "other", "acme")),
        1,
        "line 3: the event is of client other, the export of client app",
    );
    check(
        &with(2, &event(2, "app", "zeta")),
        1,
        "line 3: the event's subject names another scope",
    );
    check(
        &with(2, &whole[1]),
        1,
        "line 3: event 1 of partition 00 stands after event 1",
    );
    check(
        &with(1, "{}"),
        0,
        "line 2: is neither an event nor the end of an export",
    );
    check(&with(1, "{"), 0, "line 2: is malformed at column 1");
    check(&whole[..3], 2, "line 4 is missing: the file was cut short");
    check(
        &[whole.clone(), vec![whole[3].clone()]].concat(),
        2,
        "line 5: the file goes on after its end",
    );
    check(
        &[whole[0].clone(), whole[1].clone(), whole[3].clone()],
        1,
        "line 3: it tells of 2 events, the file has 1",
    );
    let cheat = whole[1].replace("\"seq\":1,", "\"seq\": 1,");
    check(
        &with(1, &cheat),
        2,
        "line 4: the hash of all lines is another: the file was changed",
    );
    check(
        &with(
            0,
            &HEADER.replace("\"synap_export\":1", "\"synap_export\":7"),
        ),
        0,
        "line 1: the export has format 7, this version of synap reads format 1",
    );
    check(
        &with(0, "[]"),
        0,
        "line 1: this is not the first line of a synap export",
    );
}

#[test]
fn types_that_are_unknown_are_named() {
    let header = |types| Header {
        event_types: types,
        ..Header::read(HEADER.as_bytes()).unwrap()
    };
    assert_eq!(header(event_types()).unknown_type(), None);
    let newer = "synap.memory.ingested.v9".to_owned();
    let types = [event_types(), vec![newer.clone()]].concat();
    assert_eq!(header(types).unknown_type(), Some(newer.as_str()));
}

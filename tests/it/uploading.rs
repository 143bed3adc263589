//! Files and texts that are uploaded become memories like any other; what cannot be read is refused, and hurts nobody.

mod pdf;

use crate::support::process::{children, program};
use crate::support::{Door as _, Http, Reply, Server, contents, ids, items, until};
use serde_json::{Value, json};
use std::thread;

const PATH: &str = "/api/v1/memories/upload";
const URLENCODED: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const MULTIPART: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=zz");

/// A part with a field.
fn field(name: &str, value: &str) -> Vec<u8> {
    format!("--zz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        .into_bytes()
}

/// A part with a file, as clients send one whose type they do not know.
fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--zz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

fn send(http: &Http, headers: &[(&str, &str)], parts: &[Vec<u8>]) -> Reply {
    let headers = [&[MULTIPART], headers].concat();
    http.send(
        "POST",
        PATH,
        &headers,
        &[parts.concat(), b"--zz--\r\n".to_vec()].concat(),
    )
}

/// Uploads a file of one of acme's users.
fn upload(http: &Http, user: &str, name: &str, bytes: &[u8]) -> Reply {
    let parts = [
        field("user_id", user),
        field("customer_id", "acme"),
        field("relationship_type", "b2b"),
        field("mode", "long-range"),
        file(name, bytes),
    ];
    send(http, &[], &parts)
}

/// What a user of acme is told about `query` once `receipt` is applied.
fn told(http: &Http, user: &str, query: &str) -> Vec<Value> {
    let more = json!({"response_shape": "ranked", "search_query": [query], "max_results": 50});
    items(&http.fetch(&ids(Some("acme"), Some(user), &more)).ok())
}

fn applied(http: &Http, receipt: &Value) {
    let id = receipt["ingestion_id"].as_str().expect("an id");
    until("it is applied", || {
        http.status(id).ok()["status"] == "completed"
    });
}

#[track_caller]
fn refused(reply: &Reply, status: u16, message: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.json()["message"], message);
}

const MAIL: &str = "From: Zoe <zoe@acme.example>\r\nTo: al@acme.example\r\nSubject: The greenhouse\r\n\
    Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <html><body><p>The greenhouse is watered on <b>Thursdays</b>.</p></body></html>\r\n";

/// A file, what to ask for, and what of it is to be told.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    query: &'static str,
    expected: &'static str,
}

fn sample(
    name: &'static str,
    bytes: impl Into<Vec<u8>>,
    query: &'static str,
    expected: &'static str,
) -> Sample {
    Sample {
        name,
        bytes: bytes.into(),
        query,
        expected,
    }
}

fn samples() -> Vec<Sample> {
    let utf16 = "\u{feff}The lighthouse opens in Zürich.".encode_utf16();
    let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
    let page = "<!DOCTYPE html><html><head><script>var secret = 'orchard';</script></head><body><h2>Orchard</h2>\
        <ul><li>The orchard is picked in September.</li></ul></body></html>";
    vec![
        sample(
            "chess.txt",
            "Alice plays chess in Lisbon.",
            "chess",
            "Alice plays chess in Lisbon.",
        ),
        sample(
            "old.txt",
            b"The caf\xe9 closes at noon.",
            "café",
            "The café closes at noon.",
        ),
        sample(
            "plan.md",
            "# Plan\n\n- The bridge is painted in May.\n",
            "bridge",
            "The bridge is painted in May.",
        ),
        sample(
            "wide.txt",
            utf16,
            "lighthouse",
            "The lighthouse opens in Zürich.",
        ),
        sample(
            "page.html",
            page,
            "orchard",
            "The orchard is picked in September.",
        ),
        sample(
            "mail.eml",
            MAIL,
            "greenhouse watered",
            "The greenhouse is watered on",
        ),
        sample(
            "facts.json",
            r#"{"tunnel": "The tunnel is 4 km long."}"#,
            "tunnel",
            "The tunnel is 4 km long.",
        ),
        sample(
            "rows.csv",
            "name,role\nGrace,pilot\n",
            "Grace pilot",
            "Grace,pilot",
        ),
    ]
}

#[test]
fn every_kind_of_file_becomes_memories_of_its_own_scope() {
    let server = Server::fresh();
    let http = server.http();
    let mut last = Value::Null;
    for Sample { name, bytes, .. } in samples() {
        last = upload(&http, "al", name, &bytes).ok();
        assert_eq!(
            (&last["document_id"], &last["scope"]),
            (&json!(name), &json!("user"))
        );
        assert!(
            last["status"] == "queued" && last["queued_at"].is_string(),
            "{last}"
        );
    }
    applied(&http, &last);
    for Sample {
        name,
        query,
        expected,
        ..
    } in samples()
    {
        let found = told(&http, "al", query);
        let said = |item: &Value| item["content"].as_str().expect("content").to_owned();
        let all: Vec<String> = found.iter().map(said).collect();
        assert!(
            all.iter().any(|text| text.contains(expected)),
            "{name}: {all:?}"
        );
        assert!(!all.concat().contains("secret"), "scripts are not text");
        assert_eq!(
            told(&http, "bo", query),
            [] as [Value; 0],
            "{name} is not bo's"
        );
    }
    http.assert_verified();
}

#[test]
fn pages_of_a_pdf_are_read_compressed_or_not() {
    let server = Server::fresh();
    let http = server.http();
    let plain = pdf::file(&[pdf::page(&[
        "The quarry closes on Friday.",
        "Its gate is green.",
    ])]);
    let packed = pdf::file(&[pdf::packed(
        b"BT /F1 12 Tf 72 700 Td (The harbour is dredged.) Tj ",
        *b"(!)Tj ",
        1,
    )]);
    let receipt = upload(&http, "al", "quarry.pdf", &plain).ok();
    applied(&http, &receipt);
    let receipt = upload(&http, "al", "harbour.pdf", &packed).ok();
    applied(&http, &receipt);
    for (query, expected) in [
        ("quarry", "The quarry closes on Friday."),
        ("harbour", "The harbour is dredged."),
    ] {
        let found = told(&http, "al", query);
        assert!(
            found[0]["content"]
                .as_str()
                .expect("content")
                .contains(expected),
            "{found:?}"
        );
    }
    let scanned = upload(&http, "al", "scan.pdf", &pdf::file(&[pdf::page(&[])]));
    refused(
        &scanned,
        400,
        "file has no text in it; scanned pages must go through text recognition first",
    );
}

#[test]
fn a_text_alone_comes_urlencoded_and_gets_an_id() {
    let server = Server::fresh();
    let http = server.http();
    let body = b"user_id=alice&relationship_type=b2b&mode=long-range&customer_id=acme&metadata=%7B%22src%22%3A+%22t%22%7D\
        &text=Alice+owns+a+bike.";
    let receipt = http.send("POST", PATH, &[URLENCODED], body).ok();
    assert_ne!(receipt["document_id"], "", "{receipt}");
    applied(&http, &receipt);
    let found = told(&http, "alice", "bike");
    assert_eq!(found[0]["content"], "Alice owns a bike.");
    assert_eq!(found[0]["metadata"]["src"], "t", "{found:?}");
    let stray = http.send("POST", PATH, &[URLENCODED], b"user_id=alice&text=A+note.");
    refused(&stray, 400, "customer_id is required with user_id");
}

#[test]
fn a_name_again_is_a_new_version_in_its_scope_and_another_document_elsewhere() {
    let server = Server::fresh();
    let http = server.http();
    for (user, text) in [
        ("al", "The key is red."),
        ("bo", "The key is blue."),
        ("al", "The key is green."),
    ] {
        let receipt = upload(&http, user, "key.txt", text.as_bytes()).ok();
        assert_eq!(receipt["duplicate"], false);
        applied(&http, &receipt);
    }
    let again = upload(&http, "al", "key.txt", b"The key is green.").ok();
    assert_eq!(
        again["duplicate"], true,
        "the same file twice is stored once"
    );
    for (user, expected) in [("al", "The key is green."), ("bo", "The key is blue.")] {
        let more = json!({"response_shape": "ranked"});
        let all = contents(&http.fetch(&ids(Some("acme"), Some(user), &more)).ok());
        assert_eq!(all, [expected]);
    }
}

#[test]
fn a_retried_upload_is_one_write() {
    let server = Server::fresh();
    let http = server.http();
    for header in ["X-Correlation-ID", "Idempotency-Key"] {
        let parts = [
            field("customer_id", "acme"),
            file(&format!("{header}.eml"), MAIL.as_bytes()),
        ];
        let key = [(header, "syn_inst_0_1795355172608_52fb74")];
        let first = send(&http, &key, &parts).ok();
        let before = http.log_seqs();
        let again = send(&http, &key, &parts).ok();
        assert_eq!(again["ingestion_id"], first["ingestion_id"]);
        // The key decides, not the content: it is the same call again.
        let changed = [field("customer_id", "acme"), file("a.txt", b"Changed.")];
        let changed = send(&http, &key, &changed).ok();
        assert_eq!(changed["ingestion_id"], first["ingestion_id"]);
        assert_eq!(http.log_seqs(), before, "nothing is appended");
    }
    // A correlation id names one call: at another route it is another call.
    let headers = [("X-Correlation-ID", "syn_inst_0_1795355172608_52fb74")];
    let body = br#"{"document": "Something else.", "customer_id": "acme"}"#;
    let other = http
        .send("POST", "/api/v1/memories/create", &headers, body)
        .ok();
    assert_eq!(other["duplicate"], false);
}

#[test]
fn what_is_no_upload_is_refused_by_name_and_stores_nothing() {
    let server = Server::fresh();
    let http = server.http();
    let foreign = "file is of a kind that is not read; \
        read are plain text, Markdown, CSV, JSON, HTML, PDF and e-mail (.eml)";
    for (name, bytes) in [
        ("chart.png", &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..]),
        ("report.docx", b"PK\x03\x04\x14\0"),
        ("renamed.txt", b"PK\x03\x04\x14\0"),
        ("call.mp3", b"ID3\x04\0"),
        ("tool.exe", b"MZ\x90\0\x03"),
        ("nameless", b"\0\x01\x02\x03"),
    ] {
        let reply = upload(&http, "al", name, bytes);
        refused(&reply, 415, foreign);
        assert_eq!(reply.code(), "UNSUPPORTED_MEDIA_TYPE");
    }
    refused(&upload(&http, "al", "a.txt", b""), 400, "file is empty");
    refused(
        &upload(&http, "al", "a.pdf", b"not one"),
        400,
        "file could not be read as PDF",
    );
    let both = [file("a.txt", b"A note."), field("text", "A note.")];
    refused(
        &send(&http, &[], &both),
        400,
        "file and text were both given: send one of them",
    );
    let neither = "file or text is required, and must not be empty; given: user_id";
    refused(&send(&http, &[], &[field("user_id", "al")]), 400, neither);
    let many = vec![field("x", "y"); 10_000];
    refused(&send(&http, &[], &many), 400, "body has over 64 parts");
    let unbounded = [("Content-Type", "multipart/form-data")];
    let reply = http.send("POST", PATH, &unbounded, b"--zz--\r\n");
    refused(
        &reply,
        400,
        "Content-Type must name a boundary of 1 to 70 characters for its parts",
    );
    let cut = [
        field("customer_id", "acme"),
        file("a.txt", b"A note that goes on"),
    ]
    .concat();
    let reply = http.send("POST", PATH, &[MULTIPART], &cut[..cut.len() - 6]);
    refused(
        &reply,
        400,
        "body is malformed multipart/form-data: a part is cut short",
    );
    let scope = [
        field("customer_id", "acme"),
        field("scope", "[]"),
        field("text", "A note."),
    ];
    refused(
        &send(&http, &[], &scope),
        400,
        "scope must be an object, not a list",
    );
    assert_eq!(http.log_seqs(), [0, 0]);
}

#[test]
fn hostile_files_are_refused_and_the_server_goes_on() {
    let server = Server::fresh();
    let http = server.http();
    let nested = pdf::file(&[pdf::stream("", "[".repeat(2_000_000).as_bytes())]);
    let hostile = [
        // 100 KB that are 15 MB of instructions, and 2 GB in the parser's memory.
        (
            "bomb.pdf",
            pdf::file(&[pdf::packed(b"BT /F1 9 Tf ", *b"(a)Tj ", 57_000)]),
        ),
        ("cut.pdf", nested.get(..1_000).expect("long").to_vec()),
        ("nested.pdf", nested),
        (
            "nested.html",
            format!("<html>{}A.", "<div>".repeat(200_000)).into_bytes(),
        ),
    ];
    thread::scope(|scope| {
        for (name, bytes) in &hostile {
            let http = http.clone();
            scope.spawn(move || {
                let reply = upload(&http, "al", name, bytes);
                let kind = if name.ends_with("pdf") { "PDF" } else { "HTML" };
                refused(&reply, 400, &format!("file could not be read as {kind}"));
            });
        }
        let receipt = upload(&http, "bo", "note.txt", b"The server goes on.").ok();
        applied(&http, &receipt);
    });
    assert_eq!(told(&http, "al", "A"), [] as [Value; 0]);
    let readers = children(server.pid()).into_iter();
    let left = readers.filter(|pid| program(*pid) != "nats-server");
    assert_eq!(left.count(), 0, "no process that reads is left");
    let mail = upload(&http, "al", "mail.eml", MAIL.as_bytes());
    assert_eq!(mail.status, 200, "files are still read");
}

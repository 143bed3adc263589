//! Forms and files as callers send them, without the formats that take a process of their own.

use super::*;
use axum::http::HeaderValue;

const BOUNDARY: &str = "multipart/form-data; boundary=b";
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// A multipart body: the headers of each part after its name, and its content.
fn parts(parts: &[(&str, &str)]) -> String {
    let part = |(headers, content): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name={headers}\r\n\r\n{content}\r\n")
    };
    let all: String = parts.iter().map(part).collect();
    format!("{all}--b--\r\n")
}

fn read(content_type: &str, body: &[u8]) -> Result<Value, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(content_type).unwrap(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let reader = Reader::new().unwrap();
    let read = document(&headers, body.to_vec().into(), &reader);
    runtime.block_on(read).map(Value::Object)
}

#[track_caller]
fn check(content_type: &str, body: impl AsRef<[u8]>, expected: &Value) {
    assert_eq!(read(content_type, body.as_ref()).unwrap(), *expected);
}

#[track_caller]
fn refused(content_type: &str, body: impl AsRef<[u8]>, message: &str) {
    let refusal = read(content_type, body.as_ref()).unwrap_err();
    assert_eq!(
        (refusal.code.status(), refusal.message.as_str()),
        (400, message)
    );
}

#[test]
fn a_text_comes_urlencoded_as_the_vendor_sends_it() {
    let body = "user_id=alice&relationship_type=b2b&mode=long-range&customer_id=&metadata=%7B%22src%22%3A+%22t%22%7D\
        &text=Alice+owns+a+b%C3%ADke%26more.";
    let expected = serde_json::json!({"user_id": "alice", "mode": "long-range", "metadata": {"src": "t"},
        "document": "Alice owns a bíke&more.", "document_type": "document"});
    check(URLENCODED, body, &expected);
    let parts = parts(&[
        ("text", "A note."),
        ("document_type", "email"),
        ("scope", "{\"team\": \"x\"}"),
    ]);
    let expected = serde_json::json!({"document": "A note.", "document_type": "email", "scope": {"team": "x"}});
    check("Multipart/Form-Data; boundary=\"b\"", parts, &expected);
}

#[test]
fn a_file_gives_its_base_name_as_the_id() {
    for (name, id) in [
        ("\"note.txt\"", "note.txt"),
        ("\"C:\\notes\\plan.md\"", "plan.md"),
        ("\"/home/zoë/plän.md\"", "plän.md"),
    ] {
        let body = parts(&[(&format!("file; filename={name}"), "Alice plays chess.")]);
        let expected = serde_json::json!({"document": "Alice plays chess.", "document_type": "document", "document_id": id});
        check(BOUNDARY, body, &expected);
    }
    let nameless = parts(&[("file", "A note.")]);
    check(
        BOUNDARY,
        nameless,
        &serde_json::json!({"document": "A note.", "document_type": "document"}),
    );
    let own = parts(&[
        ("document_id", "mine"),
        ("file; filename=a.txt", "A note."),
        ("text", ""),
    ]);
    let expected = serde_json::json!({"document": "A note.", "document_type": "document", "document_id": "mine"});
    check(BOUNDARY, own, &expected);
}

#[test]
fn files_of_json_and_of_other_encodings_are_read() {
    let json = parts(&[(
        "file; filename=a.json",
        "\u{feff}[{\"role\": \"user\", \"content\": \"Hi\"}]",
    )]);
    let expected = serde_json::json!({"document": [{"role": "user", "content": "Hi"}], "document_type": "document",
        "document_id": "a.json"});
    check(BOUNDARY, json, &expected);
    let mut utf16 = b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n\xff\xfe".to_vec();
    utf16.extend("Zoë sings.".encode_utf16().flat_map(u16::to_le_bytes));
    utf16.extend(b"\r\n--b--");
    check(
        BOUNDARY,
        utf16,
        &serde_json::json!({"document": "Zoë sings.", "document_type": "document"}),
    );
}

#[test]
fn what_a_form_lacks_or_has_twice_is_named() {
    let nothing = "file or text is required, and must not be empty; given: ";
    refused(URLENCODED, "", &format!("{nothing}nothing"));
    refused(
        URLENCODED,
        "text=&texte=A",
        &format!("{nothing}text, texte"),
    );
    refused(
        BOUNDARY,
        parts(&[("file; filename=\"\"", "")]),
        &format!("{nothing}nothing"),
    );
    let both = parts(&[("file; filename=a.txt", "A."), ("text", "B.")]);
    refused(
        BOUNDARY,
        both,
        "file and text were both given: send one of them",
    );
    let twice = parts(&[("file", "A."), ("file", "B.")]);
    refused(BOUNDARY, twice, "file is given twice");
    refused(
        URLENCODED,
        "text=A.&user_id=&user_id=al",
        "user_id is given twice",
    );
    refused(
        URLENCODED,
        "file=A.",
        "file must be a part of a multipart/form-data body",
    );
    refused(
        BOUNDARY,
        parts(&[("file; filename=a.txt", "")]),
        "file is empty",
    );
    refused(
        BOUNDARY,
        parts(&[("file; filename=a.txt", " \r\n")]),
        "file has no text in it",
    );
    let long = format!("text={}", "A".repeat(1024 * 1024 + 1));
    refused(
        URLENCODED,
        long,
        "text has 1048577 bytes of text, the limit is 1048576",
    );
}

#[test]
fn fields_that_are_no_text_or_no_json_are_named() {
    refused(URLENCODED, "text=%ff", "text is not UTF-8");
    refused(URLENCODED, "user_id=%C3&text=A.", "user_id is not UTF-8");
    refused(
        URLENCODED,
        "text=A.&metadata=%7B",
        "metadata is not JSON: it ends too early at line 1 column 1",
    );
    refused(
        URLENCODED,
        "text=A.&scope=%7B%22a%22:1,%22a%22:2%7D",
        "scope is ambiguous: an object names a field twice at line 1 column 13",
    );
    let deep = format!("text=A.&metadata={}", "[".repeat(100));
    refused(
        URLENCODED,
        deep,
        "metadata has 100 levels of nesting, the limit is 32",
    );
    let json = parts(&[("file; filename=a.json", "{\"secret\"")]);
    refused(
        BOUNDARY,
        json,
        "file is not JSON: it ends too early at line 1 column 9",
    );
    let scalar = parts(&[("file; filename=a.json", "7")]);
    refused(
        BOUNDARY,
        scalar,
        "file must hold an object or a list, not a number",
    );
    let name = format!("file; filename={}.txt", "n".repeat(253));
    refused(
        BOUNDARY,
        parts(&[(&name, "A.")]),
        "filename has 257 bytes, the limit is 256",
    );
}

#[test]
fn forms_that_are_broken_are_refused() {
    let boundary = "Content-Type must name a boundary of 1 to 70 characters for its parts";
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; charset=b",
        &format!("multipart/form-data; boundary={}", "b".repeat(71)),
    ] {
        refused(content_type, parts(&[("text", "A.")]), boundary);
    }
    let early = "body is malformed multipart/form-data: it ends too early, or without its boundary";
    let cut = "body is malformed multipart/form-data: a part is cut short";
    refused(BOUNDARY, "", early);
    refused(BOUNDARY, "{\"text\": \"A.\"}", early);
    refused(
        BOUNDARY,
        "--b\r\nContent-Disposition: form-data; name=text",
        early,
    );
    refused(
        BOUNDARY,
        "--b\r\nContent-Disposition: form-data; name=text\r\n\r\nA.",
        cut,
    );
    refused(
        BOUNDARY,
        "--b\r\nno header\r\n\r\nA.\r\n--b--",
        "body is malformed multipart/form-data: the headers of a part are broken, or over 32",
    );
    let headers = "X-A: b\r\n".repeat(10_000);
    refused(
        BOUNDARY,
        format!("--b\r\n{headers}\r\nA.\r\n--b--"),
        "body is malformed multipart/form-data: the headers of a part are broken, or over 32",
    );
    let many = vec![("x", "y"); 10_000];
    refused(BOUNDARY, parts(&many), "body has over 64 parts");
    refused(URLENCODED, "x=y&".repeat(10_000), "body has over 64 parts");
    assert!(read(BOUNDARY, parts(&[("text", "A.")]).as_bytes()).is_ok());
}

#[test]
fn other_bodies_and_files_are_told_to_be_of_the_wrong_kind() {
    let image = parts(&[("file; filename=a.png", "\u{89}PNG")]);
    for (content_type, body) in [
        ("application/json", "{\"text\": \"A.\"}"),
        ("", "text=A."),
        (BOUNDARY, &image),
    ] {
        let refusal = read(content_type, body.as_bytes()).unwrap_err();
        assert_eq!(
            refusal.code,
            synap_types::ErrorCode::UnsupportedMediaType,
            "{content_type}"
        );
    }
}

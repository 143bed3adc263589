//! What an uploaded file is: by what is in it where that is certain, else by its name, else by its declared type, else by
//! a second look at what is in it.

use crate::upload::charset::is_binary;
use crate::upload::extract::Format;
use crate::upload::form::{File, essence};
use serde::de::IgnoredAny;
use synap_types::{ApiError, ErrorCode};

/// First bytes of what is not read: archives and office files, images, sound, programs.
const FOREIGN: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
    b"%!PS",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"II*\0",
    b"MM\0*",
    b"ID3",
    b"OggS",
    b"fLaC",
    b"\x1a\x45\xdf\xa3",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x7fELF",
    b"MZ\x90",
];
/// Names of what is not read: even if it looks like a text, it is not meant as one.
const FOREIGN_NAMES: &[&str] = &[
    "7z", "avi", "bin", "bmp", "bz2", "dll", "doc", "docx", "epub", "exe", "flac", "gif", "gz",
    "heic", "ico", "iso", "jar", "jpeg", "jpg", "m4a", "mkv", "mov", "mp3", "mp4", "mpeg", "msg",
    "odp", "ods", "odt", "ogg", "png", "ppt", "pptx", "ps", "psd", "rar", "rtf", "so", "svg",
    "tar", "tif", "tiff", "wasm", "wav", "webm", "webp", "xls", "xlsx", "xz", "zip", "zst",
];
/// Headers of which one opens an e-mail that was saved.
const FIRST_HEADERS: &[&str] = &[
    "bcc",
    "cc",
    "date",
    "delivered-to",
    "dkim-signature",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "subject",
    "to",
    "x-received",
];
const PDF: &[u8] = b"%PDF-";

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Characters: plain text, Markdown, CSV.
    Text,
    /// A JSON document.
    Json,
    /// By a parser, in a process of its own.
    Parsed(Format),
}

impl Kind {
    /// The document's type where the caller names none.
    pub(super) const fn document_type(self) -> &'static str {
        match self {
            Self::Parsed(Format::Pdf) => "pdf",
            Self::Parsed(Format::Email) => "email",
            Self::Text | Self::Json | Self::Parsed(Format::Html) => "document",
        }
    }
}

/// Decides, or refuses what is not read.
pub(super) fn of(file: &File) -> Result<Kind, ApiError> {
    let start = file.bytes.trim_ascii_start();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let start = start.trim_ascii_start();
    if start.starts_with(PDF) {
        return Ok(Kind::Parsed(Format::Pdf));
    }
    if FOREIGN.iter().any(|magic| file.bytes.starts_with(magic)) {
        return Err(foreign());
    }
    if is_page(start) {
        return Ok(Kind::Parsed(Format::Html));
    }
    let declared = match by_name(file).or_else(|| by_type(file)) {
        Some(declared) => declared?,
        None => by_look(start),
    };
    if declared == Kind::Text && is_binary(&file.bytes) {
        return Err(foreign());
    }
    Ok(declared)
}

fn foreign() -> ApiError {
    let mut refusal = ApiError::new(
        ErrorCode::UnsupportedMediaType,
        "file is of a kind that is not read; read are plain text, Markdown, CSV, JSON, HTML, PDF and e-mail (.eml)",
    );
    let details = &mut refusal.details;
    details.insert("field".to_owned(), "file".into());
    refusal
}

fn is_page(start: &[u8]) -> bool {
    [&b"<!doctype html"[..], b"<html"].iter().any(|tag| {
        let found = start.get(..tag.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(tag))
    })
}

/// `None` if the name says nothing.
fn by_name(file: &File) -> Option<Result<Kind, ApiError>> {
    let (_, extension) = file.base_name()?.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    match extension.as_str() {
        "txt" | "text" | "md" | "markdown" | "mdown" | "csv" | "tsv" | "log" | "rst" | "org"
        | "jsonl" => Some(Ok(Kind::Text)),
        "json" => Some(Ok(Kind::Json)),
        "html" | "htm" | "xhtml" => Some(Ok(Kind::Parsed(Format::Html))),
        "pdf" => Some(Ok(Kind::Parsed(Format::Pdf))),
        "eml" => Some(Ok(Kind::Parsed(Format::Email))),
        other if FOREIGN_NAMES.contains(&other) => Some(Err(foreign())),
        _ => None,
    }
}

/// `None` if the declared type says nothing, as `application/octet-stream` does.
fn by_type(file: &File) -> Option<Result<Kind, ApiError>> {
    let essence = essence(file.content_type.as_deref()?);
    match essence.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Ok(Kind::Parsed(Format::Html))),
        "application/pdf" => Some(Ok(Kind::Parsed(Format::Pdf))),
        "message/rfc822" => Some(Ok(Kind::Parsed(Format::Email))),
        "application/json" => Some(Ok(Kind::Json)),
        // Clients without a better word say so of anything.
        "text/plain" => None,
        other if other.starts_with("text/") => Some(Ok(Kind::Text)),
        other => {
            let foreigners = ["image/", "audio/", "video/", "font/", "application/zip"];
            let is_foreign = foreigners.iter().any(|prefix| other.starts_with(prefix));
            is_foreign.then(|| Err(foreign()))
        }
    }
}

fn by_look(start: &[u8]) -> Kind {
    let opens_json = start.starts_with(b"{") || start.starts_with(b"[");
    if opens_json && serde_json::from_slice::<IgnoredAny>(start).is_ok() {
        Kind::Json
    } else if is_email(start) {
        Kind::Parsed(Format::Email)
    } else {
        Kind::Text
    }
}

/// Whether there is a block of headers of which the first is an e-mail's, with a sender and a date or a message id.
fn is_email(start: &[u8]) -> bool {
    let mut seen = Vec::new();
    for line in start.split(|byte| *byte == b'\n').take(200) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let name = line.get(..colon).unwrap_or_default();
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || !name.iter().all(token) {
            return false;
        }
        seen.push(String::from_utf8_lossy(name).to_ascii_lowercase());
    }
    let has = |name: &str| seen.iter().any(|seen| seen == name);
    let opens = seen
        .first()
        .is_some_and(|first| FIRST_HEADERS.contains(&first.as_str()));
    opens && has("from") && (has("date") || has("message-id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, content_type: &str, bytes: &[u8], expected: Option<Kind>) {
        let file = File {
            name: Some(name.to_owned()),
            content_type: Some(content_type.to_owned()),
            bytes: bytes.to_vec().into(),
        };
        match (of(&file), expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected, "{name} {content_type}"),
            (Err(refusal), None) => assert_eq!(refusal.code.status(), 415),
            (found, _) => panic!("{name} {content_type}: {found:?}, expected {expected:?}"),
        }
    }

    const HTML: Option<Kind> = Some(Kind::Parsed(Format::Html));
    const EMAIL: Option<Kind> = Some(Kind::Parsed(Format::Email));
    const IS_PDF: Option<Kind> = Some(Kind::Parsed(Format::Pdf));
    const ANY: &str = "application/octet-stream";

    #[test]
    fn what_is_in_the_file_wins_where_it_is_certain() {
        check("a.txt", "text/plain", b"%PDF-1.7\n", IS_PDF);
        check(
            "a.md",
            "text/plain",
            b"It starts with %PDF-1.7.",
            Some(Kind::Text),
        );
        check("a.pdf", ANY, b"<!DOCTYPE HTML><p>", HTML);
        check("a", ANY, b"\xef\xbb\xbf\n<html lang=en>", HTML);
        check("a.txt", "text/plain", b"\x89PNG\r\n\x1a\n", None);
        check("a.pdf", "application/pdf", b"PK\x03\x04", None);
        check("a.txt", "text/plain", b"text\0with NUL", None);
        check("a", ANY, &[1, 2, 3, 4, 5], None);
    }

    #[test]
    fn else_the_name_then_the_type_then_the_look_decide() {
        check("a.MD", "text/html", b"# A", Some(Kind::Text));
        check("a.htm", ANY, b"<p>A", HTML);
        check("a.eml", ANY, b"From: a", EMAIL);
        check("a.json", ANY, b"not json", Some(Kind::Json));
        check("a.json.txt", ANY, b"{}", Some(Kind::Text));
        check("a.png", ANY, b"not really", None);
        check("a.docx", "text/plain", b"not really", None);
        check("a", "text/html; charset=utf-8", b"A", HTML);
        check("a.xyz", "message/rfc822", b"A: b", EMAIL);
        check("a", "image/svg+xml", b"<svg/>", None);
        check("a", "text/csv", b"[1]", Some(Kind::Text));
        check("a", "text/plain", b"[1, {\"a\": 2}]", Some(Kind::Json));
        check("a", ANY, b"[a](b) is a link.", Some(Kind::Text));
        let mail = b"Subject: Hi\r\n there\r\nFrom: a@b\r\nDate: x\r\n\r\nText";
        check("a", ANY, mail, EMAIL);
        check(
            "a",
            ANY,
            b"Subject: Hi\nFrom: me\n\nA note.",
            Some(Kind::Text),
        );
        check("a", ANY, b"User: Hi\nFrom: x\nDate: y\n", Some(Kind::Text));
    }
}

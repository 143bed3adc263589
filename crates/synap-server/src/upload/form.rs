//! The form of an upload: `multipart/form-data`, or `application/x-www-form-urlencoded` when it has a text and no file.
//! The whole body is in memory and bounded before it comes here.

use bytes::Bytes;
use futures::FutureExt as _;
use futures::stream;
use multer::{Field, Multipart};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};
use std::convert::Infallible;
use synap_types::json::parse_value;
use synap_types::limits::{METADATA_BYTES_MAX, UPLOAD_PARTS_MAX};
use synap_types::{ApiError, ErrorCode};

/// Fields that a create has as well, and as which they are handed on. An empty one counts as absent.
const TEXTS: &[&str] = &[
    "user_id",
    "customer_id",
    "mode",
    "document_type",
    "document_id",
    "document_created_at",
    "on_conflict",
    "idempotency_key",
];
/// The same, as JSON in a string.
const JSONS: &[&str] = &["scope", "metadata"];
/// JSON in a string may be indented, and is counted compact later.
const JSON_BYTES_MAX: usize = 4 * METADATA_BYTES_MAX;
/// RFC 2046.
const BOUNDARY_BYTES_MAX: usize = 70;

/// What a form holds.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// The fields that a create knows.
    pub(super) fields: Map<String, Value>,
    /// The field `text`.
    pub(super) text: Option<String>,
    /// The part `file`.
    pub(super) file: Option<File>,
    /// Names of parts that came, for refusals.
    pub(super) given: Vec<String>,
}

/// An uploaded file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// Its name, as the caller's machine knows it.
    pub(super) name: Option<String>,
    /// Its type, as the caller declares it.
    pub(super) content_type: Option<String>,
    /// What is in it.
    pub(super) bytes: Bytes,
}

impl File {
    /// The name without folders of either kind of machine.
    pub(super) fn base_name(&self) -> Option<&str> {
        let name = self.name.as_deref()?;
        name.rsplit(['/', '\\'])
            .next()
            .filter(|base| !base.is_empty())
    }

    /// The encoding that the content type declares.
    pub(super) fn charset(&self) -> Option<&str> {
        parameter(self.content_type.as_deref()?, "charset")
    }
}

/// `text/html; charset=x` without what follows the semicolon, in lower case.
pub(super) fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn parameter<'a>(content_type: &'a str, wanted: &str) -> Option<&'a str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let found = name.trim().eq_ignore_ascii_case(wanted);
        found.then(|| value.trim().trim_matches('"'))
    })
}

/// Reads a form.
pub(super) fn read(content_type: &str, body: Bytes) -> Result<Form, ApiError> {
    match essence(content_type).as_str() {
        "multipart/form-data" => multipart(content_type, body),
        "application/x-www-form-urlencoded" => urlencoded(&body),
        _ => Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "an upload is multipart/form-data, or application/x-www-form-urlencoded with a text",
        )),
    }
}

fn urlencoded(body: &[u8]) -> Result<Form, ApiError> {
    let mut form = Form::default();
    let pairs = body
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty());
    for (at, pair) in pairs.enumerate() {
        counted(at)?;
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decoded(halves.next().unwrap_or_default());
        let name = utf8("body", name)?;
        let value = decoded(halves.next().unwrap_or_default());
        if name == "file" {
            return Err(ApiError::invalid(
                "file",
                "must be a part of a multipart/form-data body",
            ));
        }
        form.take(&name, value)?;
    }
    Ok(form)
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).collect()
}

fn multipart(content_type: &str, body: Bytes) -> Result<Form, ApiError> {
    let boundary = multer::parse_boundary(content_type)
        .ok()
        .filter(|boundary| (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()))
        .ok_or_else(|| {
            let problem = format!(
                "must name a boundary of 1 to {BOUNDARY_BYTES_MAX} characters for its parts"
            );
            ApiError::invalid("Content-Type", problem)
        })?;
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    let parts = parts(Multipart::new(body, boundary));
    // Everything is there already: what would wait would wait for ever.
    parts
        .now_or_never()
        .unwrap_or_else(|| Err(malformed("a part does not end")))
}

async fn parts(mut parts: Multipart<'_>) -> Result<Form, ApiError> {
    let mut form = Form::default();
    let mut at = 0;
    while let Some(part) = parts.next_field().await.map_err(|e| broken(&e))? {
        counted(at)?;
        at += 1;
        form.part(part).await?;
    }
    Ok(form)
}

fn counted(at: usize) -> Result<(), ApiError> {
    if at < UPLOAD_PARTS_MAX {
        return Ok(());
    }
    let mut refusal = ApiError::invalid("body", format!("has over {UPLOAD_PARTS_MAX} parts"));
    let details = &mut refusal.details;
    details.insert("limit".to_owned(), UPLOAD_PARTS_MAX.into());
    Err(refusal)
}

impl Form {
    async fn part(&mut self, part: Field<'_>) -> Result<(), ApiError> {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(ToOwned::to_owned);
        let content_type = part.content_type().map(ToString::to_string);
        let bytes = part.bytes().await.map_err(|e| broken(&e))?;
        if name != "file" {
            return self.take(&name, bytes.into());
        }
        // What a browser sends for a file that was not chosen.
        if bytes.is_empty() && file_name.as_deref().unwrap_or_default().is_empty() {
            return Ok(());
        }
        self.note(&name);
        let file = File {
            name: file_name,
            content_type,
            bytes,
        };
        if self.file.replace(file).is_some() {
            return Err(twice("file"));
        }
        Ok(())
    }

    fn take(&mut self, name: &str, value: Vec<u8>) -> Result<(), ApiError> {
        self.note(name);
        let (is_text, is_json) = (TEXTS.contains(&name), JSONS.contains(&name));
        if !is_text && !is_json && name != "text" {
            return Ok(());
        }
        // Two values are ambiguous, even if one of them is empty.
        if self.given.iter().filter(|given| *given == name).count() > 1 {
            return Err(twice(name));
        }
        if value.is_empty() {
            return Ok(());
        }
        if is_json && value.len() > JSON_BYTES_MAX {
            return Err(ApiError::over_limit(
                name,
                "bytes",
                value.len(),
                JSON_BYTES_MAX,
            ));
        }
        if is_json {
            self.fields
                .insert(name.to_owned(), parse_value(name, &value)?);
        } else if is_text {
            let value = utf8(name, value)?;
            self.fields.insert(name.to_owned(), value.into());
        } else {
            self.text = Some(utf8(name, value)?);
        }
        Ok(())
    }

    fn note(&mut self, name: &str) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        self.given.push(shown);
    }
}

fn utf8(field: &str, bytes: Vec<u8>) -> Result<String, ApiError> {
    String::from_utf8(bytes).map_err(|_| ApiError::invalid(field, "is not UTF-8"))
}

fn twice(field: &str) -> ApiError {
    ApiError::invalid(field, "is given twice")
}

fn malformed(why: &str) -> ApiError {
    ApiError::invalid("body", format!("is malformed multipart/form-data: {why}"))
}

/// Without the text that was found: it may be anybody's.
fn broken(error: &multer::Error) -> ApiError {
    use multer::Error as E;
    let is_about_headers = matches!(
        error,
        E::IncompleteHeaders
            | E::ReadHeaderFailed(_)
            | E::DecodeHeaderName { .. }
            | E::DecodeHeaderValue { .. }
    );
    malformed(if is_about_headers {
        "the headers of a part are broken, or over 32"
    } else if matches!(error, E::IncompleteFieldData { .. }) {
        "a part is cut short"
    } else {
        "it ends too early, or without its boundary"
    })
}

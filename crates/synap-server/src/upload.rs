//! Uploads: a form with a text or a file becomes the body of a create. What a file is, is decided here; files whose
//! format takes a parser are read in a process of their own ([`reader`]), so that a hostile one hurts nobody.

mod charset;
mod extract;
mod form;
mod kind;
mod reader;

pub(crate) use extract::{Format, extract};
pub(crate) use reader::Reader;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use extract::Extracted;
use form::{File, Form};
use kind::Kind;
use serde_json::{Map, Value};
use synap_types::ApiError;
use synap_types::json::{kind as name_of, parse_id, parse_value};
use synap_types::limits::DOCUMENT_BYTES_MAX;

/// Names of parts that a refusal repeats.
const GIVEN_MAX: usize = 8;

/// The create body that an upload means.
///
/// The document's id is the field `document_id`, else the base name of the file: the same name with other content, in the
/// same scope, is a new version of that document. A text without an id gets one from the server.
pub(crate) async fn document(
    headers: &HeaderMap,
    body: Bytes,
    reader: &Reader,
) -> Result<Map<String, Value>, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let Form {
        fields,
        text,
        file,
        given,
    } = form::read(content_type.unwrap_or_default(), body)?;
    let document = match (file, text) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                "file",
                "and text were both given: send one of them",
            ));
        }
        (None, None) => return Err(ApiError::invalid("file", nothing(&given))),
        (Some(file), None) => of_file(&file, reader).await?,
        (None, Some(text)) => Document::new(Value::String(bounded("text", text)?), "document"),
    };
    Ok(document.under(fields))
}

/// How to say that there is neither a file nor a text: the names that did come help to find a misspelt one.
fn nothing(given: &[String]) -> String {
    let shown = given.get(..GIVEN_MAX).unwrap_or(given).join(", ");
    let shown = if given.is_empty() { "nothing" } else { &shown };
    format!("or text is required, and must not be empty; given: {shown}")
}

/// A document with what its file says about it.
#[derive(Debug)]
struct Document {
    content: Value,
    type_name: &'static str,
    id: Option<String>,
    written_at: Option<String>,
}

impl Document {
    const fn new(content: Value, type_name: &'static str) -> Self {
        Self {
            content,
            type_name,
            id: None,
            written_at: None,
        }
    }

    /// As the body of a create. What the caller said wins over what the file says.
    fn under(self, mut fields: Map<String, Value>) -> Map<String, Value> {
        let found = [
            ("document_type", Some(self.type_name.to_owned())),
            ("document_id", self.id),
            ("document_created_at", self.written_at),
        ];
        for (name, value) in found {
            if let Some(value) = value.filter(|_| !fields.contains_key(name)) {
                fields.insert(name.to_owned(), value.into());
            }
        }
        fields.insert("document".to_owned(), self.content);
        fields
    }
}

async fn of_file(file: &File, reader: &Reader) -> Result<Document, ApiError> {
    if file.bytes.is_empty() {
        return Err(ApiError::invalid("file", "is empty"));
    }
    let kind = kind::of(file)?;
    let mut document = match kind {
        Kind::Text => {
            let text = bounded("file", charset::decode(&file.bytes, file.charset()))?;
            Document::new(Value::String(text), kind.document_type())
        }
        Kind::Json => Document::new(json(file)?, kind.document_type()),
        Kind::Parsed(format) => {
            let bytes = match format {
                // The parser of HTML wants characters; which bytes they are, only the form may know.
                Format::Html => charset::decode_html(&file.bytes, file.charset()).into(),
                Format::Pdf | Format::Email => file.bytes.clone(),
            };
            let Extracted { text, written_at } = reader.read(format, &bytes).await?;
            let mut document = Document::new(Value::String(text), kind.document_type());
            document.written_at = written_at.map(|at| at.to_string());
            document
        }
    };
    if let Some(name) = file.base_name() {
        parse_id("filename", name)?;
        document.id = Some(name.to_owned());
    }
    Ok(document)
}

fn json(file: &File) -> Result<Value, ApiError> {
    let text = charset::decode(&file.bytes, file.charset());
    let value = parse_value("file", text.as_bytes())?;
    if value.is_object() || value.is_array() {
        return Ok(value);
    }
    let found = name_of(&value);
    Err(ApiError::invalid(
        "file",
        format!("must hold an object or a list, not {found}"),
    ))
}

/// A text that is none or too long is refused here, where the field has the name that the caller knows.
fn bounded(field: &str, text: String) -> Result<String, ApiError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(too_long(field, text.len()));
    }
    if is_blank(&text) {
        return Err(ApiError::invalid(field, "has no text in it"));
    }
    Ok(text)
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control())
}

fn too_long(field: &str, bytes: usize) -> ApiError {
    ApiError::over_limit(field, "bytes of text", bytes, DOCUMENT_BYTES_MAX)
}

#[cfg(test)]
mod tests;

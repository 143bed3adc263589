//! Requests as JSON: a bounded parser, and a reader of fields whose refusals name the field, the limit and the value.

mod unique;

use self::unique::{REPEATED, Unique};
use crate::limits::{BODY_BYTES_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX, METADATA_BYTES_MAX};
use crate::{ApiError, Id, IdError, LevelName, ScopeIds};
use serde_json::error::Category;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Reads a JSON object of at most [`BODY_BYTES_MAX`] bytes, [`JSON_DEPTH_MAX`] levels and [`JSON_VALUES_MAX`] values, in
/// which every object names each field once.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let value = parse_value("body", bytes)?;
    let Value::Object(fields) = value else {
        return Err(ApiError::invalid(
            "body",
            format!("must be a JSON object, not {}", kind(&value)),
        ));
    };
    Ok(fields)
}

/// Reads any JSON value within the limits of [`parse_object`]; refusals name `field`.
pub fn parse_value(field: &str, bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(ApiError::over_limit(
            field,
            "bytes",
            bytes.len(),
            BODY_BYTES_MAX,
        ));
    }
    let (depth, values) = extent(bytes);
    for (unit, found, limit) in [
        ("levels of nesting", depth, JSON_DEPTH_MAX),
        ("values", values, JSON_VALUES_MAX),
    ] {
        if found > limit {
            return Err(ApiError::over_limit(field, unit, found, limit));
        }
    }
    match serde_json::from_slice(bytes) {
        Ok(Unique(value)) => Ok(value),
        Err(e) => Err(ApiError::invalid(
            field,
            format!(
                "{} at line {} column {}",
                category(&e),
                e.line(),
                e.column()
            ),
        )),
    }
}

/// Deepest nesting of brackets outside strings, and a bound of the number of values.
fn extent(bytes: &[u8]) -> (usize, usize) {
    let (mut now, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    let mut values = 0;
    for byte in bytes {
        match (byte, in_string) {
            _ if escaped => escaped = false,
            (b'\\', true) => escaped = true,
            (b'"', _) => in_string = !in_string,
            (b'{' | b'[', false) => {
                (now, values) = (now + 1, values + 1);
                deepest = deepest.max(now);
            }
            (b'}' | b']', false) => now = now.saturating_sub(1),
            (b',', false) => values += 1,
            _ => {}
        }
    }
    (deepest, values)
}

/// What `serde_json` found wrong, without the text that it found.
fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Data => REPEATED,
        Category::Eof => "is not JSON: it ends too early",
        Category::Syntax | Category::Io => "is not JSON: malformed",
    }
}

/// What a value is, for messages.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Takes fields out of an object one by one; what is left over was not known. `null` counts as absent.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// A reader of `fields`.
    pub const fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Whether the field is there, and not `null`.
    pub fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    /// The field as it stands.
    pub fn value(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    /// A string of up to `bytes_max` bytes.
    pub fn string(&mut self, field: &str, bytes_max: usize) -> Result<Option<String>, ApiError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= bytes_max => Ok(Some(text)),
            Some(Value::String(text)) => {
                Err(ApiError::over_limit(field, "bytes", text.len(), bytes_max))
            }
            Some(other) => Err(ApiError::invalid(
                field,
                format!("must be a string, not {}", kind(&other)),
            )),
        }
    }

    /// A string that parses as `T`; an empty one counts as absent.
    pub fn parsed<T>(&mut self, field: &str) -> Result<Option<T>, ApiError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.string(field, BODY_BYTES_MAX)?
            .filter(|text| !text.is_empty())
            .map(|text| {
                text.parse()
                    .map_err(|problem| ApiError::invalid(field, problem))
            })
            .transpose()
    }

    /// An id; an empty string counts as absent.
    pub fn id<T: From<Id>>(&mut self, field: &str) -> Result<Option<T>, ApiError> {
        let text = self
            .string(field, BODY_BYTES_MAX)?
            .filter(|text| !text.is_empty());
        text.map(|text| parse_id(field, &text).map(T::from))
            .transpose()
    }

    /// A whole number from `min` to `max`.
    pub fn number(
        &mut self,
        field: &str,
        min: usize,
        max: usize,
    ) -> Result<Option<usize>, ApiError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|n| usize::try_from(n).ok());
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => {
                let found = if value.is_number() {
                    value.to_string()
                } else {
                    kind(&value).to_owned()
                };
                let mut refusal = ApiError::invalid(
                    field,
                    format!("must be a whole number from {min} to {max}, not {found}"),
                );
                refusal.details.insert("limit".to_owned(), max.into());
                refusal.details.insert("value".to_owned(), found.into());
                Err(refusal)
            }
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, field: &str) -> Result<bool, ApiError> {
        match self.value(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(ApiError::invalid(
                field,
                format!("must be true or false, not {}", kind(&other)),
            )),
        }
    }

    /// A number from 0 to 1.
    pub fn share(&mut self, field: &str) -> Result<Option<f32>, ApiError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        match value.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a share needs no more digits"
            )]
            Some(share) if (0.0..=1.0).contains(&share) => Ok(Some(share as f32)),
            _ => {
                let found = if value.is_number() {
                    value.to_string()
                } else {
                    kind(&value).to_owned()
                };
                let problem = format!("must be a number from 0 to 1, not {found}");
                Err(ApiError::invalid(field, problem))
            }
        }
    }

    /// An object.
    pub fn object(&mut self, field: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(other) => Err(ApiError::invalid(
                field,
                format!("must be an object, not {}", kind(&other)),
            )),
        }
    }

    /// An object of at most `bytes_max` bytes as compact JSON; absent, an empty one.
    pub fn bounded_object(
        &mut self,
        field: &str,
        bytes_max: usize,
    ) -> Result<Map<String, Value>, ApiError> {
        let fields = self.object(field)?.unwrap_or_default();
        let bytes = serde_json::to_string(&fields).map_or(0, |json| json.len());
        if bytes > bytes_max {
            return Err(ApiError::over_limit(field, "bytes", bytes, bytes_max));
        }
        Ok(fields)
    }

    /// The caller's own data: `metadata`, within [`METADATA_BYTES_MAX`].
    pub fn metadata(&mut self) -> Result<Map<String, Value>, ApiError> {
        self.bounded_object("metadata", METADATA_BYTES_MAX)
    }

    /// A list of up to `items_max` strings; one string counts as a list of one.
    pub fn strings(
        &mut self,
        field: &str,
        items_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<String>, ApiError> {
        let items = match self.value(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(one @ Value::String(_)) => vec![one],
            Some(other) => {
                return Err(ApiError::invalid(
                    field,
                    format!("must be a list of strings, not {}", kind(&other)),
                ));
            }
        };
        if items.len() > items_max {
            return Err(ApiError::over_limit(
                field,
                "entries",
                items.len(),
                items_max,
            ));
        }
        let string = |(at, item): (usize, Value)| {
            let field = format!("{field}[{at}]");
            let Value::String(text) = item else {
                return Err(ApiError::invalid(
                    field,
                    format!("must be a string, not {}", kind(&item)),
                ));
            };
            if text.len() > bytes_max {
                return Err(ApiError::over_limit(field, "bytes", text.len(), bytes_max));
            }
            Ok(text)
        };
        items.into_iter().enumerate().map(string).collect()
    }

    /// `customer_id`, `user_id` and `scope`.
    pub fn scope_ids(&mut self) -> Result<ScopeIds, ApiError> {
        let mut scope = BTreeMap::new();
        for (name, id) in self.object("scope")?.unwrap_or_default() {
            let field = format!("scope.{name}");
            let problem = |e| ApiError::invalid("scope", format!("names no level: {e}"));
            let level: LevelName = name.parse().map_err(problem)?;
            if id.is_null() || id.as_str() == Some("") {
                continue;
            }
            let Value::String(text) = id else {
                return Err(ApiError::invalid(
                    field,
                    format!("must be a string, not {}", kind(&id)),
                ));
            };
            scope.insert(level, parse_id(&field, &text)?);
        }
        Ok(ScopeIds {
            customer_id: self.id("customer_id")?,
            user_id: self.id("user_id")?,
            scope,
        })
    }

    /// Refuses fields that nobody took.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((field, _)) => {
                let shown: String = field.chars().filter(|c| !c.is_control()).take(64).collect();
                Err(ApiError::invalid(shown, "is not a known field"))
            }
        }
    }
}

/// An id whose refusal names `field`, and the limit where that is what it broke.
pub fn parse_id(field: &str, text: &str) -> Result<Id, ApiError> {
    text.parse().map_err(|problem| match problem {
        IdError::TooLong { bytes } => {
            ApiError::over_limit(field, "bytes", bytes, crate::limits::ID_BYTES_MAX)
        }
        IdError::Empty | IdError::Control { .. } => ApiError::invalid(field, problem),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(parse_object(body.as_bytes()).unwrap_err().message, expected);
    }

    #[test]
    fn bodies_that_are_no_bounded_objects_are_refused() {
        check("[1]", "body must be a JSON object, not a list");
        check(
            "{\"a\":",
            "body is not JSON: it ends too early at line 1 column 5",
        );
        check("{secret}", "body is not JSON: malformed at line 1 column 2");
        check(
            r#"{"customer_id":"acme","customer_id":""}"#,
            "body is ambiguous: an object names a field twice at line 1 column 39",
        );
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        check(&deep, "body has 33 levels of nesting, the limit is 32");
        let wide = format!("{{\"a\":[{}0]}}", "0,".repeat(200_000));
        check(&wide, "body has 200002 values, the limit is 200000");
        let quoted = format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(100));
        assert!(parse_object(quoted.as_bytes()).is_ok());
    }

    #[test]
    fn refusals_name_field_limit_and_value() {
        let body = format!("{{\"user_id\":\"{}\"}}", "u".repeat(257));
        let refusal = Fields::new(parse_object(body.as_bytes()).unwrap())
            .scope_ids()
            .unwrap_err();
        assert_eq!(refusal.message, "user_id has 257 bytes, the limit is 256");
        assert_eq!(refusal.details["value"], 257);
        let mut fields = Fields::new(parse_object(br#"{"n":0,"b":1,"x":[2]}"#).unwrap());
        assert_eq!(
            fields.number("n", 1, 9).unwrap_err().message,
            "n must be a whole number from 1 to 9, not 0"
        );
        assert_eq!(
            fields.flag("b").unwrap_err().message,
            "b must be true or false, not a number"
        );
        assert_eq!(
            fields.strings("x", 9, 9).unwrap_err().message,
            "x[0] must be a string, not a number"
        );
    }

    #[test]
    fn empty_ids_are_absent() {
        let body = br#"{"user_id":"","customer_id":null,"scope":{"team":""}}"#;
        let ids = Fields::new(parse_object(body).unwrap())
            .scope_ids()
            .unwrap();
        assert_eq!(ids, ScopeIds::default());
    }
}

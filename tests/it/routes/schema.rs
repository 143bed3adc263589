//! Holds a value against a schema of the document: as much of JSON Schema as the document uses, and no more.

use serde_json::{Map, Value};
use synap_types::Timestamp;

/// Keywords that are looked at here, or that say nothing about a value.
const KNOWN: &[&str] = &[
    "$ref",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "properties",
    "required",
    "type",
];

/// What of `value` is not as `schema` has it, with the place.
pub(super) fn problems(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look(document, schema, value, "", &mut found);
    found
}

fn look(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        return found.push(format!("{at}: no schema but {schema}"));
    };
    if let Some(name) = keywords.get("$ref") {
        let pointer = name.as_str().and_then(|name| name.strip_prefix('#'));
        return match pointer.and_then(|pointer| document.pointer(pointer)) {
            Some(schema) => look(document, schema, value, at, found),
            None => found.push(format!("{at}: {name} is nowhere")),
        };
    }
    for keyword in keywords.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
        found.push(format!(
            "{at}: the keyword {keyword} is not understood here"
        ));
    }
    if let Some(choices) = keywords.get("anyOf").and_then(Value::as_array) {
        let fits = |choice| problems(document, choice, value).is_empty();
        if !choices.iter().any(fits) {
            found.push(format!("{at}: {value} is none of what it may be"));
        }
    }
    if !of_type(keywords, value) {
        return found.push(format!("{at}: {value} is not of type {}", schema["type"]));
    }
    if let Some(choices) = keywords.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if !within(keywords, value) {
        found.push(format!(
            "{at}: {value} is not within the limits of {schema}"
        ));
    }
    if !formatted(keywords, value) {
        found.push(format!("{at}: {value} is no {}", schema["format"]));
    }
    if let (Some(items), Some(entries)) = (keywords.get("items"), value.as_array()) {
        for (entry, nth) in entries.iter().zip(0..) {
            look(document, items, entry, &format!("{at}/{nth}"), found);
        }
    }
    if let Some(fields) = value.as_object() {
        look_into(document, keywords, fields, at, found);
    }
}

fn look_into(
    document: &Value,
    keywords: &Map<String, Value>,
    fields: &Map<String, Value>,
    at: &str,
    found: &mut Vec<String>,
) {
    let required = keywords.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    let properties = keywords.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        if let Some(value) = fields.get(name) {
            look(document, schema, value, &format!("{at}/{name}"), found);
        }
    }
}

fn of_type(keywords: &Map<String, Value>, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match keywords.get("type") {
        None => true,
        Some(Value::String(name)) => is(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is),
        Some(_) => false,
    }
}

fn within(keywords: &Map<String, Value>, value: &Value) -> bool {
    let measure = |low: &str, high: &str, size: f64| {
        let limit = |name: &str| keywords.get(name).and_then(Value::as_f64);
        limit(low).is_none_or(|least| size >= least) && limit(high).is_none_or(|most| size <= most)
    };
    let size = |count: usize| f64::from(u32::try_from(count).expect("not that many"));
    match value {
        Value::Number(number) => measure("minimum", "maximum", number.as_f64().expect("a number")),
        Value::String(text) => measure("minLength", "maxLength", size(text.chars().count())),
        Value::Array(items) => measure("minItems", "maxItems", size(items.len())),
        Value::Null | Value::Bool(_) | Value::Object(_) => true,
    }
}

fn formatted(keywords: &Map<String, Value>, value: &Value) -> bool {
    let (Some(format), Some(text)) = (keywords.get("format"), value.as_str()) else {
        return true;
    };
    match format.as_str() {
        Some("date-time") => text.ends_with('Z') && text.parse::<Timestamp>().is_ok(),
        Some("uuid") => text.len() == 36 && text.parse::<synap_types::MemoryId>().is_ok(),
        Some("binary") => true,
        Some(_) | None => false,
    }
}

//! The bodies that are refused, and the words of each refusal.

use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// A refused body, what the refusal says, and its `field`, `limit` and `value` where it has them.
pub(super) struct Row {
    pub(super) body: Value,
    pub(super) message: String,
    pub(super) details: Value,
}

/// A field is wrong. The message begins with it.
pub(super) fn wrong(body: Value, message: &str) -> Row {
    let (field, _) = message.split_once(' ').expect("words");
    Row {
        body,
        message: message.to_owned(),
        details: json!({ "field": field }),
    }
}

/// A field is over its limit.
fn over(body: Value, field: &str, unit: &str, value: usize, limit: usize) -> Row {
    Row {
        body,
        message: format!("{field} has {value} {unit}, the limit is {limit}"),
        details: json!({"field": field, "limit": limit, "value": value}),
    }
}

/// A field is no number from `min` to `max`.
fn no_number(body: Value, field: &str, (min, max): (usize, usize), found: &str) -> Row {
    Row {
        body,
        message: format!("{field} must be a whole number from {min} to {max}, not {found}"),
        details: json!({"field": field, "limit": max, "value": found}),
    }
}

/// With ids that are refused wherever ids go.
pub(super) fn bad_ids() -> Vec<Row> {
    let mut rows = contradictory_ids();
    rows.extend(unfit_ids("customer_id"));
    rows.extend(unfit_ids("user_id"));
    rows
}

/// Ids that contradict each other, or that the instance has no place for.
fn contradictory_ids() -> Vec<Row> {
    let lonely = "customer_id is required with user_id";
    vec![
        wrong(json!({"user_id": "al"}), lonely),
        wrong(json!({"user_id": "al", "customer_id": ""}), lonely),
        wrong(json!({"user_id": "al", "customer_id": null}), lonely),
        wrong(
            json!({"customer_id": "acme", "scope": {"customer": "zeta"}}),
            "customer_id contradicts scope.customer",
        ),
        wrong(
            json!({"customer_id": "acme", "scope": {"team": "red"}}),
            "scope.team is not accepted: this instance's levels are customer, user",
        ),
        wrong(
            json!({"scope": "acme"}),
            "scope must be an object, not a string",
        ),
        wrong(
            json!({"scope": {"customer": 7}}),
            "scope.customer must be a string, not a number",
        ),
        wrong(
            json!({"scope": {"Customer": "acme"}}),
            "scope names no level: a level's name is a lower-case letter and up to 31 lower-case letters, digits and _",
        ),
    ]
}

/// Ids that are none.
fn unfit_ids(name: &str) -> Vec<Row> {
    let with = |id: Value| {
        let mut body = json!({"customer_id": "acme"});
        body[name] = id;
        body
    };
    let control = |id: &str, code: &str, at: usize| {
        let message = format!("{name} holds the control character U+{code} at byte {at}");
        wrong(with(id.into()), &message)
    };
    let other = |id: Value, kind: &str| {
        let message = format!("{name} must be a string, not {kind}");
        wrong(with(id), &message)
    };
    vec![
        over(with("i".repeat(257).into()), name, "bytes", 257, 256),
        over(with("é".repeat(129).into()), name, "bytes", 258, 256),
        control("a\u{0}b", "0000", 1),
        control("line\nbreak", "000A", 4),
        control("\u{7f}", "007F", 0),
        control("\u{85}", "0085", 0),
        other(7.into(), "a number"),
        other(json!(["a"]), "a list"),
        other(json!({}), "an object"),
        other(true.into(), "a boolean"),
    ]
}

pub(super) fn bad_documents() -> Vec<Row> {
    let with = |name: &str, value: Value| {
        let mut body = json!({"document": "A note.", "customer_id": "acme"});
        body[name] = value;
        body
    };
    let document = |value: Value| with("document", value);
    let empty = |value: Value| wrong(document(value), "document must not be empty");
    let (large, wide) = ("d".repeat(MIB + 1), "é".repeat(MIB / 2 + 1));
    let (long, meta) = ("d".repeat(257), json!({"a": "m".repeat(64 * 1024)}));
    vec![
        wrong(json!({"customer_id": "acme"}), "document is required"),
        wrong(document(Value::Null), "document is required"),
        empty("".into()),
        empty(" \t\r\n ".into()),
        empty("\u{a0}\u{2003}\u{0}\u{7}".into()),
        empty(json!({})),
        empty(json!([])),
        wrong(
            document(7.into()),
            "document must be a string or an object, not a number",
        ),
        over(document(large.into()), "document", "bytes", MIB + 1, MIB),
        over(document(wide.into()), "document", "bytes", MIB + 2, MIB),
        wrong(
            with("document_type", 1.into()),
            "document_type must be a string, not a number",
        ),
        over(
            with("document_id", long.as_str().into()),
            "document_id",
            "bytes",
            257,
            256,
        ),
        wrong(
            with("document_id", "\u{1b}[31m".into()),
            "document_id holds the control character U+001B at byte 0",
        ),
        wrong(
            with("metadata", "text".into()),
            "metadata must be an object, not a string",
        ),
        over(with("metadata", meta), "metadata", "bytes", 65_544, 65_536),
        wrong(
            with("on_conflict", "merge".into()),
            "on_conflict must be replace or reject",
        ),
        over(
            with("idempotency_key", long.into()),
            "idempotency_key",
            "bytes",
            257,
            256,
        ),
    ]
}

pub(super) fn bad_fetches() -> Vec<Row> {
    let mut rows = bad_numbers();
    rows.extend(bad_queries());
    rows.extend(bad_choices());
    rows
}

fn fetch_with(name: &str, value: Value) -> Value {
    let mut body = json!({"customer_id": "acme"});
    body[name] = value;
    body
}

fn bad_numbers() -> Vec<Row> {
    let number = |name: &str, range, given: Value, found: &str| {
        no_number(fetch_with(name, given), name, range, found)
    };
    let (results, tokens) = ((1, 1_000), (1, 1_000_000));
    vec![
        number("max_results", results, 0.into(), "0"),
        number("max_results", results, 1_001.into(), "1001"),
        number("max_results", results, (-1).into(), "-1"),
        number("max_results", results, json!(1.5), "1.5"),
        number("max_results", results, "10".into(), "a string"),
        number("max_tokens", tokens, 0.into(), "0"),
        number("max_tokens", tokens, 1_000_001.into(), "1000001"),
        number("wait_ms", (0, 30_000), 30_001.into(), "30001"),
    ]
}

fn bad_queries() -> Vec<Row> {
    let query = |value: Value| fetch_with("search_query", value);
    vec![
        wrong(
            query(json!({})),
            "search_query must be a list of strings, not an object",
        ),
        wrong(
            query(json!(["a", 2])),
            "search_query[1] must be a string, not a number",
        ),
        over(
            query(vec!["q"; 17].into()),
            "search_query",
            "entries",
            17,
            16,
        ),
        over(
            query("q".repeat(65_537).into()),
            "search_query[0]",
            "bytes",
            65_537,
            65_536,
        ),
    ]
}

fn bad_choices() -> Vec<Row> {
    let types = "all, facts, preferences, episodes, emotions, temporal_events";
    let types = format!("types[1] must be one of {types}");
    [
        ("types", json!(["facts", "rumours"]), types.as_str()),
        ("mode", "slow".into(), "mode must be fast or accurate"),
        (
            "response_shape",
            "flat".into(),
            "response_shape must be by_type or ranked",
        ),
        (
            "if_stale",
            "wait".into(),
            "if_stale must be answer or refuse",
        ),
        (
            "explain",
            "yes".into(),
            "explain must be true or false, not a string",
        ),
        (
            "position",
            "abc".into(),
            "position is not a position token from a receipt",
        ),
        (
            "position",
            3.into(),
            "position must be a string, not a number",
        ),
    ]
    .map(|(name, value, message)| wrong(fetch_with(name, value), message))
    .into_iter()
    .collect()
}

/// Bodies that are no bounded JSON objects.
pub(super) fn bad_bytes() -> Vec<(Vec<u8>, &'static str)> {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"document\":\"x\",\"metadata\":{{\"a\":{open}{close}}}}}").into_bytes()
    };
    [
        (b"[1]".to_vec(), "must be a JSON object, not a list"),
        (b"\"text\"".to_vec(), "must be a JSON object, not a string"),
        (
            b"{".to_vec(),
            "is not JSON: it ends too early at line 1 column 1",
        ),
        (
            b"{\"a\":1,}".to_vec(),
            "is not JSON: malformed at line 1 column 8",
        ),
        (
            b"{\"document\":\"\xff\xfe\"}".to_vec(),
            "is not JSON: malformed at line 1 column 14",
        ),
        (
            b"{\"a\":1}{\"b\":2}".to_vec(),
            "is not JSON: malformed at line 1 column 8",
        ),
        (nested(31), "has 33 levels of nesting, the limit is 32"),
        (
            nested(100_000),
            "has 100002 levels of nesting, the limit is 32",
        ),
    ]
    .into()
}

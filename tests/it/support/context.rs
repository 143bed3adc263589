//! Bodies and answers: whose memory is asked for, and what came.

use serde_json::{Value, json};

/// `customer_id` and `user_id`, where they are given, with other fields.
pub(crate) fn ids(customer: Option<&str>, user: Option<&str>, more: &Value) -> Value {
    let mut body = json!({});
    for (name, id) in [("customer_id", customer), ("user_id", user)] {
        if let Some(id) = id {
            body[name] = id.into();
        }
    }
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

/// The ranked items of an answer; every one says its scope.
#[track_caller]
pub(crate) fn items(answer: &Value) -> Vec<Value> {
    let items = answer["context"]["items"]
        .as_array()
        .expect("a ranked answer");
    for item in items {
        assert!(item["scope"].is_string(), "{item}");
        assert!(item["scope_path"].is_object(), "{item}");
    }
    items.clone()
}

/// The texts of the items.
#[track_caller]
pub(crate) fn contents(answer: &Value) -> Vec<String> {
    let content = |item: &Value| item["content"].as_str().expect("content").to_owned();
    items(answer).iter().map(content).collect()
}

/// The kinds of scopes of the items, in order, each once.
#[track_caller]
pub(crate) fn scopes(answer: &Value) -> Vec<String> {
    let kind = |item: &Value| item["scope"].as_str().expect("a scope").to_owned();
    let mut kinds: Vec<String> = items(answer).iter().map(kind).collect();
    kinds.dedup();
    kinds
}

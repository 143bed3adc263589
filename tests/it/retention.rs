//! What is older than its scope's rule says is erased; what a rule keeps, and what is used, stays.

use crate::support::{Door as _, Home, Http, contents, ids, until};
use serde_json::{Value, json};
use std::time::Duration;

const CONVERSATION: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";

fn whose(customer: &str, more: &Value) -> Value {
    ids(Some(customer), Some("al"), more)
}

fn told(http: &Http, customer: &str) -> Vec<String> {
    let more = json!({"response_shape": "ranked", "max_results": 100});
    let mut told = contents(&http.fetch(&whose(customer, &more)).ok());
    told.sort();
    told
}

fn store(http: &Http, customer: &str, document: &str, text: &str) {
    let more = json!({"document": text, "document_id": document, "document_type": "document"});
    http.store(&whose(customer, &more));
}

fn say(http: &Http, customer: &str, text: &str) {
    let turn = json!({"conversation_id": CONVERSATION, "role": "user", "content": text});
    http.post("/v1/conversations/messages", &whose(customer, &turn))
        .ok();
}

#[test]
fn what_is_too_old_is_erased_and_what_a_rule_keeps_or_somebody_uses_stays() {
    let home = Home::new();
    let rules = "[retention]\nmax_age = '3s'\n[[retention.scopes]]\ncustomer_id = 'kept'\nmax_age = 'never'\n";
    let server = home.serve().config(rules).start();
    let http = server.http();
    for customer in ["old", "kept"] {
        store(&http, customer, "plan", "The plan of the lion is green.");
        store(&http, customer, "used", "The menu of the lion has soup.");
        say(&http, customer, "I live in Lisbon with a lion.");
    }
    let all = told(&http, "kept");
    assert_eq!(all.len(), 3);
    assert_eq!(told(&http, "old"), all);
    let mut version = 0;
    until("only what is used is left", || {
        version += 1;
        store(
            &http,
            "old",
            "used",
            &format!("The menu has soup number {version}."),
        );
        crate::support::wait::pass(Duration::from_millis(100));
        told(&http, "old") == [format!("The menu has soup number {version}.")]
    });
    assert_eq!(told(&http, "kept"), all);
    let events = "/v1/scopes/user/events?customer_id=old&user_id=al&limit=1000";
    until("its bytes are gone, too", || {
        let events = http.get(events).ok()["events"].clone();
        let events = events.as_array().expect("events").clone();
        let about = |event: &Value| event["about"].as_str().unwrap_or_default().to_owned();
        let stored = ["memory.ingested", "message.recorded"];
        let left = events
            .iter()
            .filter(|event| stored.contains(&event["type"].as_str().unwrap_or_default()));
        left.map(about).all(|about| about == "documents/used")
    });
    let events = http.get(events).ok()["events"].clone();
    let by = |event: &Value| event["by"] == "retention";
    let deleted = events
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| by(event));
    assert_eq!(deleted.count(), 2, "{events}");
    http.assert_verified();
    // And again: what is stored anew grows old anew.
    store(&http, "old", "plan", "The plan of the lion is green.");
    until("it is gone again, as is what nobody uses any more", || {
        told(&http, "old").is_empty()
    });
    http.assert_verified();
}

#[test]
fn rules_that_say_nothing_are_refused_at_the_start() {
    for (rules, said) in [
        (
            "[retention]\nmax_age = '3 days'\n",
            "max_age is a whole number with d, h, m or s",
        ),
        (
            "[retention]\nmax_age = '3d'\n[[retention.scopes]]\nmax_age = '1d'\n",
            "two rules",
        ),
        (
            "[[retention.scopes]]\nuser_id = 'al'\nmax_age = '1d'\n",
            "customer_id",
        ),
    ] {
        let refused = Home::new().serve().config(rules).refused();
        assert!(refused.contains(said), "{refused}");
    }
}

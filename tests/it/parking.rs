//! A turn that cannot be read is set aside and listed; later turns of its conversation wait behind it, all others go on,
//! and deleting the conversation ends the waiting.

use crate::support::{Door as _, Server, contents, ids, until};
use async_nats::HeaderMap;
use serde_json::{Value, json};
use synap_types::Hash128;

const ID: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
const OTHER: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa5";

fn alice(more: &Value) -> Value {
    ids(Some("acme"), Some("alice"), more)
}

#[test]
fn a_malformed_turn_holds_up_its_own_conversation_only_and_until_it_is_deleted() {
    let server = Server::fresh();
    let http = server.http();
    let record = |conversation: &str, text: &str| {
        let turn = json!({"conversation_id": conversation, "role": "user", "content": text});
        http.post("/v1/conversations/messages", &alice(&turn)).ok()
    };
    let total = |conversation: &str| {
        let path =
            format!("/v1/conversations/{conversation}/messages?user_id=alice&customer_id=acme");
        let reply = http.get(&path);
        (reply.status == 200).then(|| reply.ok()["total"].clone())
    };
    let parked = || http.get("/v1/admin/parked").ok()["parked"].clone();
    record(ID, "I keep bees.");
    // The same turn as an event of another id, which says of itself what no turn is.
    let nats = server.nats();
    let event = nats.events().pop().expect("an event");
    let text = String::from_utf8(event.payload.to_vec()).expect("text");
    let envelope: Value = serde_json::from_str(&text).expect("JSON");
    let id = envelope["id"].as_str().expect("an id");
    let broken = text
        .replace(id, OTHER)
        .replace("\"role\":\"user\"", "\"role\":\"bee\"");
    let mut headers = HeaderMap::new();
    let digest = Hash128::of("synap.digest.v1", [broken.as_bytes()]);
    headers.insert(synap_nats::DIGEST, digest.to_string());
    nats.publish(&event.subject, headers, broken.as_bytes());
    until("it is parked", || parked()[0]["seq"] == 2);
    record(ID, "I keep geese.");
    record(OTHER, "I keep goats.");
    assert_eq!([total(ID), total(OTHER)], [Some(json!(1)), Some(json!(1))]);
    let listed = parked();
    assert_eq!(listed.as_array().expect("a list").len(), 2);
    assert_eq!(listed[1]["behind"], 2, "{listed}");
    assert_eq!(http.admin_status()["partitions"][0]["parked"], 2);
    assert!(!listed.to_string().contains("bees"), "no text: {listed}");
    let delete = json!({"scope": "conversation", "conversation_id": ID, "confirm": ID});
    assert_eq!(
        http.post("/v1/data/delete", &alice(&delete)).ok()["found"],
        true
    );
    assert_eq!(total(ID), None);
    record(ID, "I keep ducks.");
    assert_eq!(total(ID), Some(json!(1)));
    let more = json!({"response_shape": "ranked", "max_results": 100});
    let mut told = contents(&http.fetch(&alice(&more)).ok());
    told.sort();
    assert_eq!(told, ["User: I keep ducks.", "User: I keep goats."]);
    until("what was set aside is erased as well", || {
        parked().as_array().is_some_and(Vec::is_empty)
    });
    http.assert_verified();
    http.job("rebuild");
    http.assert_verified();
    assert_eq!(parked(), json!([]));
}

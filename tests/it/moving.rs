//! Memories are moved along their chain and never across customers, and changes of memories are undone.

use crate::support::{
    Cli, Door as _, Home, Http, Random, Reply, Server, contents, ids, items, until,
};
use serde_json::{Value, json};
use std::time::Duration;

const LISBON: &str = "The office is in Lisbon.";
/// Memories that are moved while the server is killed, and how often it is.
const MOVES: usize = 12;
const KILLS: usize = 6;
const LIFE_MS_MAX: u64 = 60;

fn of(customer: Option<&str>, user: Option<&str>) -> Value {
    ids(customer, user, &json!({}))
}

fn alice() -> Value {
    of(Some("acme"), Some("alice"))
}

fn acme() -> Value {
    of(Some("acme"), None)
}

/// Stores a text; answers the id of its memory.
fn stored(http: &Http, whose: &Value, document: &str, text: &str) -> String {
    let mut body = whose.clone();
    (body["document"], body["document_id"]) = (text.into(), document.into());
    body["document_type"] = "document".into();
    http.store(&body);
    until("it is told", || {
        told(http, whose).contains(&text.to_owned())
    });
    id_of(http, whose, text)
}

fn listed(http: &Http, whose: &Value) -> Value {
    let mut body = whose.clone();
    body["response_shape"] = "ranked".into();
    body["max_results"] = 50.into();
    http.fetch(&body).ok()
}

fn told(http: &Http, whose: &Value) -> Vec<String> {
    let mut told = contents(&listed(http, whose));
    told.sort();
    told
}

fn id_of(http: &Http, whose: &Value, text: &str) -> String {
    let all = items(&listed(http, whose));
    let item = all.iter().find(|item| item["content"] == text);
    item.expect("it is told")["id"].as_str().unwrap().to_owned()
}

fn promote(http: &Http, id: &str, body: &Value) -> Reply {
    http.post(&format!("/v1/memories/{id}/promote"), body)
}

fn demote(http: &Http, id: &str, body: &Value) -> Reply {
    http.post(&format!("/v1/memories/{id}/demote"), body)
}

fn undo(http: &Http, event: &Value) -> Reply {
    let event = event.as_str().expect("an event");
    http.post(&format!("/v1/events/{event}/undo"), &json!({}))
}

fn history(http: &Http, id: &str) -> Value {
    http.get(&format!("/v1/memories/{id}/history")).ok()
}

fn everybody() -> [Value; 4] {
    [
        of(Some("acme"), Some("bob")),
        acme(),
        of(Some("globex"), Some("carol")),
        of(None, None),
    ]
}

/// How many of [`everybody`] are told the text.
fn seen_by(http: &Http, text: &str) -> [bool; 4] {
    everybody().map(|whose| told(http, &whose).contains(&text.to_owned()))
}

#[test]
fn a_promoted_memory_is_told_where_it_was_moved_and_moved_back_by_undoing_it() {
    let server = Server::fresh();
    let http = server.http();
    let first = stored(&http, &alice(), "home", LISBON);
    assert_eq!(seen_by(&http, LISBON), [false; 4]);
    let moved = promote(&http, &first, &json!({"to": "customer"})).ok();
    assert_eq!(moved["scope_path"], json!({"customer": "acme"}));
    assert_eq!(moved["moved_from"]["memory_id"], first.as_str());
    assert_eq!(seen_by(&http, LISBON), [true, true, false, false]);
    assert_eq!(told(&http, &alice()), [LISBON], "once");
    // Twice is once; and what is told at the customer says nothing of the user.
    assert_eq!(
        promote(&http, &first, &json!({"to": "customer"})).ok(),
        moved
    );
    let copy = moved["memory_id"].as_str().unwrap();
    let shown = http.get(&format!("/api/v1/memories/{copy}")).ok();
    assert!(!shown.to_string().contains("alice"), "{shown}");
    let origin = history(&http, &first);
    assert_eq!(origin["versions"][0]["ended"]["how"], "moved");
    assert_eq!(origin["moved_to"]["memory_id"], copy);
    assert_eq!(
        history(&http, copy)["moved_from"]["memory_id"],
        first.as_str()
    );
    http.send("DELETE", &format!("/api/v1/memories/{first}"), &[], b"")
        .refused(404);
    // The document again, in another version, does not bring it back.
    stored(&http, &alice(), "home", "The roof is green.");

    let server_wide = json!({"to": "client", "confirm": true});
    let wide = promote(&http, copy, &server_wide).ok();
    assert_eq!(seen_by(&http, LISBON), [true; 4]);
    let undone = undo(&http, &wide["event_id"]).ok();
    assert_eq!(seen_by(&http, LISBON), [true, true, false, false]);
    assert_eq!(undo(&http, &wide["event_id"]).ok(), undone, "twice is once");
    undo(&http, &undone["event_id"]).ok();
    assert_eq!(seen_by(&http, LISBON), [true; 4]);
    server.http().assert_verified();
}

#[test]
fn a_memory_is_moved_on_its_own_chain_only() {
    let server = Server::fresh();
    let http = server.http();
    let first = stored(&http, &alice(), "home", LISBON);
    let before = http.log_seqs();
    for (reply, field) in [
        (promote(&http, &first, &json!({"to": "client"})), "confirm"),
        (promote(&http, &first, &json!({"to": "user"})), "to"),
        (promote(&http, &first, &json!({"to": "planet"})), "to"),
        (promote(&http, &first, &json!({})), "to"),
        (
            promote(
                &http,
                &first,
                &json!({"to": "customer", "customer_id": "globex"}),
            ),
            "to",
        ),
        (
            demote(&http, &first, &json!({"to": "user", "user_id": "bob"})),
            "to",
        ),
    ] {
        assert_eq!(
            reply.refused(400)["details"]["field"],
            field,
            "{}",
            reply.text()
        );
    }
    let unknown = "5f4dcc3b-5aa7-55d6-8e83-27deb882cf99";
    for id in [unknown, "nobody"] {
        promote(&http, id, &json!({"to": "customer"})).refused(404);
        undo(&http, &id.into()).refused(404);
    }
    let stranger = http.with_key(Some("somebody-elses-key"));
    promote(&stranger, &first, &json!({"to": "customer"})).refused(401);
    let shared = stored(&http, &acme(), "plan", "The roof is green.");
    let other = demote(
        &http,
        &shared,
        &json!({"to": "user", "user_id": "carol", "customer_id": "globex"}),
    );
    other.refused(400);
    assert_eq!(
        http.log_seqs(),
        [before[0] + 1, before[1]],
        "nothing was moved"
    );

    let moved = demote(&http, &shared, &json!({"to": "user", "user_id": "bob"})).ok();
    assert_eq!(
        moved["scope_path"],
        json!({"customer": "acme", "user": "bob"})
    );
    assert_eq!(
        seen_by(&http, "The roof is green."),
        [true, false, false, false]
    );
    assert!(!told(&http, &alice()).contains(&"The roof is green.".to_owned()));
}

#[test]
fn an_update_and_a_forgetting_are_undone_and_the_history_keeps_both() {
    let server = Server::fresh();
    let (http, cli) = (server.http(), Cli::of(&server));
    let first = stored(&http, &alice(), "home", LISBON);
    let path = format!("/api/v1/memories/{first}");
    let porto = json!({"document": "The office is in Porto.", "merge_strategy": "replace"});
    let updated = http
        .send("PATCH", &path, &[], porto.to_string().as_bytes())
        .ok();
    let undone = undo(&http, &updated["event_id"]).ok();
    assert_eq!(told(&http, &alice()), [LISBON]);
    let versions = history(&http, &first)["versions"].clone();
    assert_eq!(versions.as_array().unwrap().len(), 3, "{versions}");
    assert_eq!(versions[1]["ended"]["how"], "undone");
    assert_eq!(versions[2]["created"]["undoes"], updated["event_id"]);
    assert!(
        versions[2]["created"]["by"]
            .as_str()
            .unwrap()
            .starts_with("key_")
    );

    let forgotten = http.send("DELETE", &path, &[], b"").ok();
    assert!(told(&http, &alice()).is_empty());
    // Not the last change any more.
    let refusal = undo(&http, &undone["event_id"]).refused(409);
    let last = forgotten["event_id"].as_str().unwrap();
    assert!(
        refusal["message"].as_str().unwrap().contains(last),
        "{refusal}"
    );
    let printed = cli.run(["undo", last]).ok();
    assert!(printed.stdout.contains("is told"), "{printed:?}");
    assert_eq!(told(&http, &alice()), [LISBON]);
    // Forgotten once more: a change of its own, and not the one that was undone.
    let again = http.send("DELETE", &path, &[], b"").ok();
    assert_ne!(again["event_id"], forgotten["event_id"]);
    assert!(told(&http, &alice()).is_empty());
    let traced = cli.run(["trace", &first]).ok();
    assert!(
        traced.stdout.contains(&format!("undoes {last}")),
        "{traced:?}"
    );
    server.http().assert_verified();
}

#[test]
fn what_is_no_change_or_was_erased_cannot_be_undone() {
    let server = Server::fresh();
    let http = server.http();
    let first = stored(&http, &alice(), "home", LISBON);
    let made = history(&http, &first)["versions"][0]["created"]["event_id"].clone();
    let refusal = undo(&http, &made).refused(409);
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .contains("nothing was there before this ingestion"),
        "{refusal}"
    );
    let path = format!("/api/v1/memories/{first}");
    let forgotten = http.send("DELETE", &path, &[], b"").ok();
    stored(&http, &alice(), "home", "The roof is green.");
    let refusal = undo(&http, &forgotten["event_id"]).refused(409);
    assert!(
        refusal["message"].as_str().unwrap().contains("replaced"),
        "{refusal}"
    );
    let deletion = json!({"scope": "user", "confirm": "alice"});
    let deleted = http
        .post(
            "/v1/data/delete",
            &ids(Some("acme"), Some("alice"), &deletion),
        )
        .ok();
    let refusal = undo(&http, &deleted["deletion_id"]).refused(409);
    assert!(
        refusal["message"].as_str().unwrap().contains("an erasure"),
        "{refusal}"
    );
    undo(&http, &forgotten["event_id"]).refused(404);
}

#[test]
fn what_was_moved_elsewhere_is_erased_with_what_it_came_from() {
    let home = Home::new();
    let server = home.start();
    let http = server.http();
    let text = "Here sings the canary of the golden lion at noon.";
    let first = stored(&http, &alice(), "home", text);
    stored(&http, &acme(), "plan", "The roof is green.");
    let moved = promote(&http, &first, &json!({"to": "customer"})).ok();
    let copy = moved["memory_id"].as_str().unwrap();
    promote(&http, copy, &json!({"to": "client", "confirm": true})).ok();
    assert_eq!(seen_by(&http, text), [true; 4]);
    let asked = |more: Value| ids(Some("acme"), Some("alice"), &more);
    let dry = asked(json!({"scope": "user", "dry_run": true}));
    assert_eq!(
        http.post("/v1/data/delete", &dry).ok()["counts"]["copies"],
        2
    );
    let deletion = asked(json!({"scope": "user", "confirm": "alice"}));
    let deleted = http.post("/v1/data/delete", &deletion).ok();
    assert_eq!(deleted["counts"]["copies"], 2, "{deleted}");
    assert_eq!(seen_by(&http, text), [false; 4]);
    let path = format!(
        "/v1/data/delete/{}",
        deleted["deletion_id"].as_str().unwrap()
    );
    until("the bytes are gone", || {
        http.get(&path).ok()["completed_at"].is_string()
    });
    let receipt = http.get(&path).ok();
    assert_eq!(
        (&receipt["status"], &receipt["searched"]["found"]),
        (&json!("complete"), &json!(0))
    );
    assert_eq!(told(&http, &acme()), ["The roof is green."]);
    http.assert_verified();
}

/// Promotes all of them, until the server is gone.
fn promote_all(http: &Http, memories: &[String]) {
    let body = json!({"to": "client", "confirm": true}).to_string();
    for id in memories {
        let path = format!("/v1/memories/{id}/promote");
        if http.try_send("POST", &path, &[], body.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn a_kill_between_the_halves_of_a_move_loses_nothing_and_the_same_call_finishes_it() {
    let home = Home::new();
    let mut server = home.start();
    let text = |number: usize| format!("Room number {number} has {} windows.", number + 100);
    let http = server.http();
    let memories: Vec<String> = (0..MOVES)
        .map(|number| stored(&http, &alice(), &format!("room-{number}"), &text(number)))
        .collect();
    let mut random = Random::new(7);
    for _ in 0..KILLS {
        let (http, ids) = (server.http(), memories.clone());
        let moving = std::thread::spawn(move || promote_all(&http, &ids));
        crate::support::wait::pass(Duration::from_millis(random.below(LIFE_MS_MAX)));
        server.kill();
        moving.join().expect("it ends");
        server = home.start();
        let all = told(&server.http(), &alice());
        for number in 0..MOVES {
            assert!(all.contains(&text(number)), "{number} is lost: {all:?}");
        }
    }
    let http = server.http();
    for id in &memories {
        promote(&http, id, &json!({"to": "client", "confirm": true})).ok();
    }
    let mut expected: Vec<String> = (0..MOVES).map(text).collect();
    expected.sort();
    assert_eq!(told(&http, &of(Some("globex"), None)), expected);
    for id in &memories {
        assert_eq!(history(&http, id)["is_told"], false);
    }
    http.assert_verified();
}

#[test]
fn a_version_of_a_document_is_undone_by_storing_what_it_said_before() {
    let server = Server::fresh();
    let http = server.http();
    let store = |text: &str| {
        let mut body = alice();
        (body["document"], body["document_id"]) = (text.into(), "home".into());
        http.store(&body)["ingestion_id"].clone()
    };
    let first = store("The roof is red.");
    let second = store("The roof is green.");
    let refused = undo(&http, &first).refused(409);
    assert!(
        refused.to_string().contains("not the last version"),
        "{refused}"
    );
    let undone = undo(&http, &second).ok();
    assert_eq!(told(&http, &alice()), ["The roof is red."]);
    assert_eq!(undone["memories"][0]["is_told"], true, "{undone}");
    assert_eq!(undo(&http, &second).ok(), undone, "twice is once");
    undo(&http, &undone["event_id"]).ok();
    assert_eq!(told(&http, &alice()), ["The roof is green."]);
    http.assert_verified();
    let mut other = of(Some("acme"), Some("bob"));
    (other["document"], other["document_id"]) = ("Bob is here.".into(), "home".into());
    let alone = http.store(&other)["ingestion_id"].clone();
    let refused = undo(&http, &alone).refused(409);
    assert!(
        refused.to_string().contains("nothing was there before"),
        "{refused}"
    );
}

//! What belongs to somebody is nothing to everybody else: by every route, with every foreign identity, in every spelling
//! of an id, the answer is that of an id that nobody has.

use crate::support::{Door as _, Home, Http, KEY, Reply, contents, ids};
use serde_json::{Value, json};

const KEY_B2C: &str = "it-key-of-a-consumer-app";
const KEY_OTHER: &str = "it-key-of-another-business-app";
const INSTANCES: &str = r#"
[[instances]]
client_id = "client_b2c"
instance_id = "inst_b2c"
isolation = "equals_customer"
api_keys = ["it-key-of-a-consumer-app"]

[[instances]]
client_id = "client_other"
instance_id = "inst_other"
isolation = "strict"
api_keys = ["it-key-of-another-business-app"]
"#;

/// A conversation that everybody has, a name that everybody uses, and a UUID that nobody has.
const ID: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
const NAME: &str = "call:+15550001";
const NOBODYS: &str = "5e9a4b52-6a0f-8c3d-9a51-3f1d2b7c9e10";

/// One user, the key of its application, and the word that nobody else may ever read.
#[derive(Debug, Clone)]
struct Owner {
    key: &'static str,
    customer: Option<&'static str>,
    user: &'static str,
    canary: String,
    /// Ids of what was stored.
    ingestion: String,
    transcript: String,
    memory: String,
    conversation: String,
    deletion: String,
}

impl Owner {
    fn http(&self, any: &Http) -> Http {
        any.with_key(Some(self.key))
    }

    fn body(&self, more: &Value) -> Value {
        ids(self.customer, Some(self.user), more)
    }

    fn query(&self) -> String {
        let customer = self.customer.map(|id| format!("&customer_id={id}"));
        let query = format!("?user_id={}{}", self.user, customer.unwrap_or_default());
        query.replace(' ', "%20")
    }

    /// Stores a document, a conversation by id, one by name, a summary, and a conversation that is deleted again.
    fn store(
        any: &Http,
        key: &'static str,
        customer: Option<&'static str>,
        user: &'static str,
    ) -> Self {
        // One word of letters: of a word with digits, its parts are words, too.
        let kind = match key {
            KEY => "one",
            KEY_OTHER => "two",
            _ => "three",
        };
        let canary = format!("canary{kind}x{}x{user}end", customer.unwrap_or_default());
        let mut owner = Self {
            key,
            customer,
            user,
            canary,
            ingestion: String::new(),
            transcript: String::new(),
            memory: String::new(),
            conversation: String::new(),
            deletion: String::new(),
        };
        let http = owner.http(any);
        let send = |path: &str, more: Value| http.post(path, &owner.body(&more)).ok();
        let text = |what: &str| format!("My {what} is called {}.", owner.canary);
        let id = |value: &Value| value.as_str().expect("an id").to_owned();
        let document =
            json!({"document": text("boat"), "document_type": "document", "document_id": "boat"});
        let document = send("/api/v1/memories/create", document);
        let turn = |conversation: &str, what: &str| json!({"conversation_id": conversation, "role": "user", "content": text(what)});
        send("/v1/conversations/messages", turn(ID, "dog"));
        let said = json!({"conversation_id": ID, "role": "user", "content": format!("My name is {}.", owner.canary)});
        send("/v1/conversations/messages", said);
        let call = json!({"conversation_id": NAME, "transcript": format!("User: {}", text("cat"))});
        let call = send("/v1/conversations/ingest", call);
        send(
            "/v1/conversations/compact",
            json!({"conversation_id": ID, "force": true}),
        );
        send("/v1/conversations/messages", turn("gone", "ghost"));
        let gone = json!({"scope": "conversation", "conversation_id": "gone", "confirm": "gone"});
        let gone = send("/v1/data/delete", gone);
        let status = http.status(&id(&document["ingestion_id"]));
        let memory = id(&status.ok()["memory_ids"][0]);
        let (ingestion, transcript) = (id(&document["ingestion_id"]), id(&call["ingestion_id"]));
        let (conversation, deletion) = (id(&call["conversation_id"]), id(&gone["deletion_id"]));
        owner = Self {
            ingestion,
            transcript,
            memory,
            conversation,
            deletion,
            ..owner
        };
        owner
    }

    /// Everything of it is still there.
    #[track_caller]
    fn is_whole(&self, any: &Http) {
        let http = self.http(any);
        let more = json!({"response_shape": "ranked", "max_results": 1_000});
        let found = contents(&http.fetch(&self.body(&more)).ok());
        assert_eq!(found.len(), 4, "{self:?}: {found:?}");
        assert!(
            found.iter().all(|text| text.contains(&self.canary)),
            "{found:?}"
        );
        for (conversation, turns) in [(ID, 2), (NAME, 1)] {
            let path = format!("/v1/conversations/{conversation}/messages{}", self.query());
            assert_eq!(http.get(&path).ok()["total"], turns);
        }
        assert_eq!(
            http.get(&format!("/api/v1/memories/{}", self.memory))
                .status,
            200
        );
        assert_eq!(
            http.get(&format!("/v1/data/delete/{}", self.deletion))
                .status,
            200
        );
        for id in [&self.ingestion, &self.transcript] {
            assert_eq!(http.status(id).ok()["status"], "completed");
        }
    }
}

/// One id in the spellings that parsers of UUIDs take, or might.
fn spellings(id: &str) -> Vec<String> {
    let plain = id.replace('-', "");
    vec![
        id.to_owned(),
        id.to_uppercase(),
        plain,
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("%20{id}"),
        format!("{id}%00"),
        format!("{id}%2F..%2F{id}"),
    ]
}

/// The two answers are of one kind: equal but for the id that was asked for.
#[track_caller]
fn same(found: &Reply, id: &str, unknown: &Reply, other: &str, what: &str) {
    assert_eq!(found.status, unknown.status, "{what}");
    let (found, unknown) = (found.text(), unknown.text());
    assert_eq!(
        found.replace(id, "?"),
        unknown.replace(other, "?"),
        "{what}"
    );
}

/// What is asked for by an id alone.
fn by_id(http: &Http, foreign: &Owner) {
    let calls: [(&str, &str, &[u8]); 5] = [
        ("GET", "/api/v1/memories/", b""),
        (
            "PATCH",
            "/api/v1/memories/",
            br#"{"document":"planted","merge_strategy":"replace"}"#,
        ),
        ("DELETE", "/api/v1/memories/", b""),
        ("GET", "/api/v1/memories/status/", b""),
        ("GET", "/v1/data/delete/", b""),
    ];
    let all = [
        &foreign.memory,
        &foreign.ingestion,
        &foreign.transcript,
        &foreign.deletion,
        &foreign.conversation,
    ];
    for (method, path, body) in calls {
        let unknown = http.send(method, &format!("{path}{NOBODYS}"), &[], body);
        assert_eq!(unknown.status, 404, "{method} {path}");
        for id in all {
            for spelling in spellings(id) {
                let path = format!("{path}{spelling}");
                assert_eq!(
                    http.send(method, &path, &[], body),
                    unknown,
                    "{method} {path}"
                );
            }
        }
    }
}

/// What is asked for by the id of a conversation alone.
fn by_conversation(http: &Http, foreign: &Owner) {
    for what in [
        "messages",
        "compacted",
        "compaction/status",
        "context-for-prompt",
    ] {
        let ask = |id: &str| http.get(&format!("/v1/conversations/{id}/{what}"));
        let unknown = ask(NOBODYS);
        // A control character is refused, whoever has the rest of the id.
        let accepted = spellings(&foreign.conversation).into_iter();
        for spelling in accepted.filter(|spelling| !spelling.ends_with("%00")) {
            assert_eq!(ask(&spelling), unknown, "{what} of {spelling}");
        }
        assert!([404, 200].contains(&unknown.status), "{what}");
    }
    let fetch = |id: &str| {
        let body = json!({"conversation_id": id, "search_query": [foreign.canary], "response_shape": "ranked"});
        http.post("/v1/context/conversation/fetch", &body)
    };
    let compact = |id: &str| {
        let body = json!({"conversation_id": id, "force": true});
        http.post("/v1/conversations/compact", &body)
    };
    let delete = |id: &str| {
        let body = json!({"scope": "conversation", "conversation_id": id, "confirm": id});
        let answer = http.post("/v1/data/delete", &body).ok();
        assert_eq!(answer["found"], false, "{id}");
    };
    let id = &foreign.conversation;
    for spelling in [
        id.clone(),
        id.to_uppercase(),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
    ] {
        let fetched = fetch(&spelling);
        assert_eq!(contents(&fetched.ok()), [""; 0], "{spelling}");
        same(
            &fetched,
            &spelling,
            &fetch(NOBODYS),
            NOBODYS,
            "conversation fetch",
        );
        same(
            &compact(&spelling),
            &spelling,
            &compact(NOBODYS),
            NOBODYS,
            "compact",
        );
        delete(&spelling);
    }
}

/// What is asked for with an identity: everything that `me` can ask, in its own name, about the names of `foreign`.
fn by_name(http: &Http, me: &Owner, foreign: &Owner) {
    let canary = &foreign.canary;
    let clean = |reply: &Reply, what: &str| {
        assert!(reply.status < 500, "{what}: {}", reply.text());
        assert!(
            !reply.text().contains(canary.as_str()),
            "{what}: {}",
            reply.text()
        );
    };
    for (customer, user, level) in [
        (me.customer, Some(me.user), "user"),
        (me.customer, Some(me.user), "conversation"),
        (me.customer, None, "customer"),
        (None, None, "client"),
        (foreign.customer, Some(me.user), "user"),
        (me.customer, Some("nobody"), "user"),
        (me.customer, None, "user"),
        (None, Some(foreign.user), "user"),
    ] {
        let is_theirs = me.key == foreign.key
            && (user == Some(foreign.user) && [foreign.customer, None].contains(&customer));
        if is_theirs {
            continue;
        }
        for shape in ["ranked", "by_type"] {
            for conversation in [ID, NAME, "gone", &foreign.conversation] {
                let more = json!({"search_query": [canary, "dog", "name"], "conversation_id": conversation, "response_shape": shape,
                    "max_results": 100});
                let reply = http.post(
                    &format!("/v1/context/{level}/fetch"),
                    &ids(customer, user, &more),
                );
                let text = reply.text().replace(&format!("\"{canary}\""), "");
                assert!(
                    reply.status < 500 && !text.contains(canary.as_str()),
                    "{level} {customer:?} {user:?}: {text}"
                );
            }
        }
        let mode = json!({"context_mode": "conversation-summary", "include_profile": true, "last_n_conversations": 9});
        clean(
            &http.post("/v1/context/user/fetch", &ids(customer, user, &mode)),
            "summary mode",
        );
    }
    for conversation in [ID, NAME, &foreign.conversation] {
        for what in [
            "messages",
            "compacted",
            "compaction/status",
            "context-for-prompt",
        ] {
            let path = format!("/v1/conversations/{conversation}/{what}{}", me.query());
            clean(&http.get(&path), &path);
        }
    }
    let customer = me
        .customer
        .map(|id| format!("?customer_id={id}"))
        .unwrap_or_default();
    clean(
        &http.get(&format!("/v1/users/{}/profile{customer}", me.user)),
        "profile",
    );
    let preview = me.body(&json!({"description": canary, "mode": "direct"}));
    let forgotten = http.post("/api/v1/memories/forget", &preview).ok();
    assert_eq!(forgotten["status"], "nothing_matches", "{forgotten}");
}

#[test]
fn nothing_of_anybody_is_reached_with_the_identity_of_another() {
    let home = Home::new();
    let server = home
        .serve()
        .args(["--partitions", "3"])
        .config(INSTANCES)
        .start();
    let http = server.http();
    let owners: Vec<Owner> = [
        (KEY, Some("acme"), "alice"),
        (KEY, Some("acme"), "bob"),
        (KEY, Some("zeta"), "alice"),
        (KEY_OTHER, Some("acme"), "alice"),
        (KEY_B2C, None, "alice"),
        (KEY_B2C, None, "acme"),
    ]
    .into_iter()
    .map(|(key, customer, user)| Owner::store(&http, key, customer, user))
    .collect();
    for owner in &owners {
        owner.is_whole(&http);
    }
    for me in &owners {
        for foreign in &owners {
            let same_user =
                me.key == foreign.key && me.customer == foreign.customer && me.user == foreign.user;
            if me.key != foreign.key {
                by_id(&me.http(&http), foreign);
                by_conversation(&me.http(&http), foreign);
            }
            if !same_user {
                by_name(&me.http(&http), me, foreign);
            }
        }
    }
    for owner in &owners {
        owner.is_whole(&http);
    }
    http.assert_verified();
}

/// Erasing one of them leaves all of the others whole; names that look alike are not alike.
#[test]
fn erasing_somebody_leaves_everybody_else_whole() {
    let home = Home::new();
    let server = home.serve().config(INSTANCES).start();
    let http = server.http();
    let mut owners: Vec<Owner> = [
        (KEY, Some("acme"), "alice"),
        (KEY, Some("acme"), "Alice"),
        (KEY, Some("acme"), "alice "),
        (KEY, Some("Acme"), "alice"),
        (KEY, Some("alice"), "acme"),
        (KEY_OTHER, Some("acme"), "alice"),
        (KEY_B2C, None, "alice"),
        (KEY_B2C, None, "acme"),
    ]
    .into_iter()
    .map(|(key, customer, user)| Owner::store(&http, key, customer, user))
    .collect();
    let delete = |owner: &Owner, body: &Value| {
        let done = owner.http(&http).post("/v1/data/delete", body).ok();
        assert_eq!(done["found"], true);
    };
    let user = owners.remove(0);
    delete(
        &user,
        &user.body(&json!({"scope": "user", "confirm": "alice"})),
    );
    for owner in &owners {
        owner.is_whole(&http);
    }
    let user = owners.remove(owners.len() - 1);
    delete(
        &user,
        &user.body(&json!({"scope": "user", "confirm": "acme"})),
    );
    for owner in &owners {
        owner.is_whole(&http);
    }
    let body = json!({"scope": "customer", "customer_id": "acme", "confirm": "acme"});
    delete(&user_of(KEY, &owners), &body);
    owners.retain(|owner| owner.key != KEY || owner.customer != Some("acme"));
    assert_eq!(owners.len(), 4);
    for owner in &owners {
        owner.is_whole(&http);
    }
    http.assert_verified();
    http.job("rebuild");
    http.assert_verified();
    for owner in &owners {
        owner.is_whole(&http);
    }
}

fn user_of(key: &str, owners: &[Owner]) -> Owner {
    let found = owners.iter().find(|owner| owner.key == key);
    found.expect("somebody").clone()
}

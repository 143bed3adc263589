//! The seed scenario: who is told what, over HTTP and over NATS.

use crate::support::{Door, Server, contents, ids, items, scopes, until};
use serde_json::{Value, json};

const HANDBOOK: &str = "# Acme Corp Engineering Handbook\n\n\
    ## Development Standards\n\n\
    - All services run on Python 3.11 or later.\n\
    - PostgreSQL is the primary database.\n\
    - Every pull request (PR) requires two code review approvals.\n\
    - CI must pass before merge.\n\n\
    ## Deployment Process\n\n\
    - Deployments to staging: any time.\n\
    - Deployments to production: Tuesdays and Thursdays, 10am-2pm PT.\n\
    - Hotfix deployments require approval by the VP Engineering.\n\
    - Automatic rollback if the error rate exceeds 1%.\n\n\
    ## Team Structure\n\n\
    - Platform Team: 8 engineers; infrastructure, CI/CD and observability.\n\
    - Product Team: 12 engineers.\n\
    - Data Team: 5 engineers.\n";

const ACME: Option<&str> = Some("acme_corp");
const ALICE: Option<&str> = Some("user_alice");

const SEED: &[(Option<&str>, Option<&str>, &str)] = &[
    (ACME, None, HANDBOOK),
    (
        ACME,
        None,
        "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2.",
    ),
    (
        ACME,
        None,
        "Acme Corp uses Slack for internal communication",
    ),
    (ACME, None, "Acme Corp's fiscal year runs April to March"),
    (
        ACME,
        None,
        "Engineering team OKRs for Q2: migrate to microservices",
    ),
    (
        ACME,
        ALICE,
        "Alice deployed the billing service last Tuesday",
    ),
    (None, None, "Blue-green deployment support available"),
    (None, None, "Our API supports pagination via cursor"),
];

const DEPLOY: &str = "when can I deploy to production";
const PROJECTS: &str = "current engineering projects";
const PRIORITIES: &str = "team priorities this quarter";
const FISCAL: &str = "When does our fiscal year end?";
const ABOUT_ALICE: &str = "what did Alice deploy last Tuesday";

const BILLING: &str = "billing service";
const WINDOW: &str = "Tuesdays and Thursdays, 10am-2pm PT";
const BLUE_GREEN: &str = "Blue-green deployment support";
const OAUTH: &str = "OAuth 2.1";

/// Stores the seed; receipts echo the scope.
fn store(door: &dyn Door) {
    let mut receipts = Vec::new();
    for (customer, user, text) in SEED {
        let more = json!({"document": text, "document_type": "document"});
        let receipt = door.ingest(&ids(*customer, *user, &more)).ok();
        let (scope, path) = match (customer, user) {
            (Some(customer), Some(user)) => ("user", json!({"customer": customer, "user": user})),
            (Some(customer), None) => ("customer", json!({"customer": customer})),
            (None, _) => ("client", json!({})),
        };
        assert_eq!(receipt["scope"], scope, "{receipt}");
        assert_eq!(receipt["scope_path"], path, "{receipt}");
        assert_eq!(receipt["durability"], "power-safe", "{receipt}");
        receipts.push(receipt);
    }
    for receipt in receipts {
        let id = receipt["ingestion_id"].as_str().expect("an id");
        until("the document can be fetched", || {
            door.status(id).ok()["status"] == "completed"
        });
    }
}

/// Asks, and checks what holds for every answer.
#[track_caller]
fn ask(door: &dyn Door, customer: Option<&str>, user: Option<&str>, more: &Value) -> Value {
    let mut body = ids(customer, user, more);
    body["response_shape"] = "ranked".into();
    let answer = door.fetch(&body).ok();
    assert_eq!(answer["stale"], false);
    let order = ["user", "customer", "client"];
    let mut places = Vec::new();
    for (at, item) in items(&answer).iter().enumerate() {
        let path = match item["scope"].as_str() {
            Some("user") => json!({"customer": customer, "user": user}),
            Some("customer") => json!({"customer": customer}),
            _ => json!({}),
        };
        assert_eq!(item["scope_path"], path, "{item}");
        assert_eq!(item["rank"], at + 1, "{item}");
        places.push(order.iter().position(|kind| item["scope"] == *kind));
    }
    assert!(places.is_sorted(), "narrowest first: {places:?}");
    answer
}

fn query(text: &str) -> Value {
    json!({"search_query": [text]})
}

fn place(answer: &Value, text: &str) -> Option<usize> {
    contents(answer)
        .iter()
        .position(|content| content.contains(text))
}

fn everyone_is_told_what_is_theirs(door: &dyn Door) {
    store(door);

    let alice = ask(door, ACME, ALICE, &query(DEPLOY));
    let order = [BILLING, WINDOW, BLUE_GREEN].map(|text| place(&alice, text));
    assert!(
        order.iter().all(Option::is_some) && order.is_sorted(),
        "{order:?} of {:?}",
        contents(&alice)
    );
    assert_eq!(place(&alice, BILLING), Some(0), "her own comes first");

    for (user, question, wanted) in [
        ("user_bob", PROJECTS, OAUTH),
        ("user_carol", PRIORITIES, OAUTH),
        ("user_bob", FISCAL, "April to March"),
    ] {
        let told = ask(door, ACME, Some(user), &query(question));
        assert!(
            place(&told, wanted).is_some(),
            "{user}: {:?}",
            contents(&told)
        );
    }
    for user in ["user_bob", "user_carol"] {
        for question in [DEPLOY, PROJECTS, PRIORITIES, FISCAL, ABOUT_ALICE, ""] {
            let told = ask(door, ACME, Some(user), &wide(question));
            assert_eq!(place(&told, BILLING), None, "{user} asks {question:?}");
            assert!(!scopes(&told).contains(&"user".to_owned()));
        }
    }

    for question in [ABOUT_ALICE, ""] {
        let told = ask(door, ACME, None, &wide(question));
        assert_eq!(scopes(&told), ["customer", "client"]);
        assert_eq!(place(&told, BILLING), None);
    }
    outsiders_get_the_clients_items_alone(door);
    budgets_keep_the_narrower_scope(door);
}

/// As much as there is, whether it has to do with the question or not.
fn wide(question: &str) -> Value {
    json!({"search_query": [question], "max_results": 100, "min_relevance": 0})
}

fn outsiders_get_the_clients_items_alone(door: &dyn Door) {
    let questions = [
        DEPLOY,
        PROJECTS,
        FISCAL,
        ABOUT_ALICE,
        "acme_corp",
        "user_alice",
        "",
    ];
    for (customer, user) in [
        ("globex", ALICE),
        ("globex", None),
        ("acme", ALICE),
        ("acme_corp ", ALICE),
        ("ACME_CORP", ALICE),
        ("acme_corp/user_alice", ALICE),
    ] {
        for question in questions {
            let told = ask(door, Some(customer), user, &wide(question));
            assert_eq!(scopes(&told), ["client"], "{customer} asks {question:?}");
        }
    }
    let told = ask(door, Some("globex"), ALICE, &query(DEPLOY));
    assert!(place(&told, BLUE_GREEN).is_some());
    let known: Vec<Value> = told["scopes"].as_array().expect("scopes").clone();
    let known: Vec<&Value> = known.iter().map(|scope| &scope["scope_known"]).collect();
    assert_eq!(
        known,
        [false, false, true],
        "a wrong id is not an empty scope"
    );
}

fn budgets_keep_the_narrower_scope(door: &dyn Door) {
    let roomy = ask(
        door,
        ACME,
        Some("user_bob"),
        &json!({"search_query": [DEPLOY], "max_tokens": 2_000}),
    );
    assert_eq!(scopes(&roomy), ["customer", "client"]);

    let alice = ask(door, ACME, ALICE, &query(DEPLOY));
    let tokens = |kind: &str| {
        let items = items(&alice);
        let first = items
            .iter()
            .find(|item| item["scope"] == kind)
            .expect("one");
        first["tokens"].as_u64().expect("a number")
    };
    let (own, shared) = (tokens("user"), tokens("customer"));
    for (budget, kept) in [(own, &["user"][..]), (own + shared, &["user", "customer"])] {
        let body = json!({"search_query": [DEPLOY], "max_tokens": budget});
        let told = ask(door, ACME, ALICE, &body);
        assert_eq!(scopes(&told), kept, "{budget} tokens");
        assert!(told["tokens"].as_u64().expect("a number") <= budget);
    }
    let one = ask(
        door,
        ACME,
        ALICE,
        &json!({"search_query": [DEPLOY], "max_results": 1}),
    );
    assert_eq!(scopes(&one), ["user"]);
}

#[test]
fn everyone_is_told_what_is_theirs_over_http() {
    everyone_is_told_what_is_theirs(&Server::fresh().http());
}

#[test]
fn everyone_is_told_what_is_theirs_over_nats() {
    let server = Server::fresh();
    everyone_is_told_what_is_theirs(&server.nats());
}

#[test]
fn both_doors_give_the_same_answer_to_the_same_question() {
    let server = Server::fresh();
    let (http, nats) = (server.http(), server.nats());
    store(&nats);
    for (customer, user) in [(ACME, ALICE), (ACME, None), (None, None)] {
        let body = ids(customer, user, &query(DEPLOY));
        assert_eq!(http.fetch(&body), nats.fetch(&body), "{body}");
    }
}

//! The seed scenario: a customer's handbook, notes of the customer, of one user and of the application.

use crate::world::{World, everything, request, scope, told};
use synap_types::{FetchResponse, Scope, TypeFilter};

const HANDBOOK: &str = "# Engineering Handbook

## Development Standards

- All services are written in Python 3.11 or later
- PostgreSQL is the primary database
- Every PR requires two code review approvals
- CI must pass before merge

## Deployment Process

- Deployments to staging: any time
- Deployments to production: Tuesdays and Thursdays, 10am-2pm PT
- Hotfix deployments require VP Engineering approval
- Automatic rollback if the error rate exceeds 1%

## Team Structure

- Platform Team: 8 engineers, infrastructure, CI/CD, observability
- Product Team: 12 engineers
- Data Team: 5 engineers
";

const DEPLOY: &str = "when can I deploy to production";
const OWN: &str = "Alice deployed the billing service last Tuesday";
const WINDOW: &str =
    "Deployment Process: Deployments to production: Tuesdays and Thursdays, 10am-2pm PT";
const BLUE_GREEN: &str = "Blue-green deployment support available";

fn user(name: &str) -> Scope {
    scope(&["acme_corp", name])
}

fn seed() -> World {
    let (mut world, acme) = (World::default(), scope(&["acme_corp"]));
    world.add(&acme, "handbook", HANDBOOK);
    for (number, note) in [
        "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2.",
        "Acme Corp uses Slack for internal communication",
        "Acme Corp's fiscal year runs April to March",
        "Engineering team OKRs for Q2: migrate to microservices",
    ]
    .iter()
    .enumerate()
    {
        world.add(&acme, &format!("note-{number}"), note);
    }
    world.add(&user("user_alice"), "diary", OWN);
    world.add(&scope(&[]), "blue-green", BLUE_GREEN);
    world.add(&scope(&[]), "api", "Our API supports pagination via cursor");
    world
}

fn ask(scope: &Scope, query: &str) -> FetchResponse {
    seed().ask(&request(scope, &[query]))
}

#[track_caller]
fn check_first(scope: &Scope, query: &str, expected: &str) {
    let answer = ask(scope, query);
    let best = answer
        .items
        .iter()
        .max_by(|a, b| a.rank_score.total_cmp(&b.rank_score))
        .unwrap();
    assert!(best.content.contains(expected), "{:#?}", told(&answer));
}

#[test]
fn alice_is_told_her_own_then_the_window_then_the_client_s_note() {
    let answer = ask(&user("user_alice"), DEPLOY);
    let told = told(&answer);
    assert_eq!(told[0], ("user", OWN), "{told:#?}");
    assert_eq!(told[1], ("customer", WINDOW), "{told:#?}");
    let client = told.iter().find(|(scope, _)| *scope == "client");
    assert_eq!(client, Some(&("client", BLUE_GREEN)), "{told:#?}");
    let order: Vec<_> = told.iter().map(|(scope, _)| *scope).collect();
    let mut sorted = order.clone();
    sorted.sort_by_key(|scope| {
        ["user", "customer", "client"]
            .iter()
            .position(|s| s == scope)
    });
    assert_eq!(order, sorted, "narrowest first");
}

#[test]
fn three_results_are_one_of_each_scope() {
    let mut asked = request(&user("user_alice"), &[DEPLOY]);
    asked.max_results = 3;
    let expected = [("user", OWN), ("customer", WINDOW), ("client", BLUE_GREEN)];
    assert_eq!(told(&seed().ask(&asked)), expected);
}

#[test]
fn a_tight_budget_keeps_the_narrower_scope() {
    let world = seed();
    for (tokens, expected) in [
        (12, vec![("user", OWN)]),
        (33, vec![("user", OWN), ("customer", WINDOW)]),
        (
            43,
            vec![("user", OWN), ("customer", WINDOW), ("client", BLUE_GREEN)],
        ),
    ] {
        let mut asked = request(&user("user_alice"), &[DEPLOY]);
        asked.max_tokens = Some(tokens);
        let answer = world.ask(&asked);
        assert!(answer.tokens <= tokens);
        assert_eq!(told(&answer), expected, "{tokens} tokens");
    }
}

#[test]
fn customer_and_client_items_both_come_back() {
    for reader in [user("user_bob"), scope(&["acme_corp"])] {
        let mut asked = request(&reader, &[DEPLOY]);
        asked.max_results = 2;
        let answer = seed().ask(&asked);
        assert_eq!(
            told(&answer),
            [("customer", WINDOW), ("client", BLUE_GREEN)]
        );
    }
}

#[test]
fn bob_and_carol_see_oauth_and_nothing_of_alice() {
    for (name, query) in [
        ("user_bob", "current engineering projects"),
        ("user_carol", "team priorities this quarter"),
    ] {
        let answer = ask(&user(name), query);
        let texts: Vec<_> = told(&answer).into_iter().map(|(_, text)| text).collect();
        assert!(
            texts.iter().any(|text| text.contains("OAuth 2.1")),
            "{texts:#?}"
        );
        assert!(
            !texts.iter().any(|text| text.contains("Alice")),
            "{texts:#?}"
        );
    }
}

#[test]
fn the_fiscal_year_is_found() {
    check_first(
        &user("user_bob"),
        "When does our fiscal year end?",
        "April to March",
    );
    check_first(
        &scope(&["acme_corp"]),
        "what is the main database",
        "PostgreSQL",
    );
    check_first(
        &user("user_carol"),
        "how many approvals does a PR need",
        "two code review",
    );
    check_first(&user("user_carol"), "API pagination", "cursor");
}

#[test]
fn an_outsider_of_the_same_name_is_told_the_client_s_items_alone() {
    let (world, outsider) = (seed(), scope(&["other_corp", "user_alice"]));
    for queries in [
        &[][..],
        &[DEPLOY],
        &["billing service last Tuesday"],
        &[
            "OAuth 2.1",
            "fiscal year",
            "Alice",
            "acme_corp",
            "user_alice",
        ],
    ] {
        let mut asked = everything(&outsider, queries);
        asked.max_results = 1_000;
        let answer = world.ask(&asked);
        assert_eq!(answer.items.len(), 2, "{queries:?}");
        assert!(answer.items.iter().all(|item| item.scope == "client"));
        let known: Vec<_> = answer
            .scopes
            .iter()
            .map(|scope| scope.scope_known)
            .collect();
        assert_eq!(known, [false, false, true]);
    }
}

#[test]
fn the_customer_is_told_no_user_s_memory() {
    for queries in [&[][..], &[DEPLOY], &["Alice billing service last Tuesday"]] {
        let mut asked = everything(&scope(&["acme_corp"]), queries);
        asked.max_results = 1_000;
        let answer = seed().ask(&asked);
        assert!(answer.items.len() > 10);
        assert!(
            told(&answer)
                .iter()
                .all(|(scope, text)| *scope != "user" && *text != OWN)
        );
    }
}

#[test]
fn every_item_says_its_scope() {
    for item in ask(&user("user_alice"), DEPLOY).items {
        let path = serde_json::Value::Object(item.scope_path).to_string();
        let expected = match item.scope.as_str() {
            "user" => r#"{"customer":"acme_corp","user":"user_alice"}"#,
            "customer" => r#"{"customer":"acme_corp"}"#,
            _ => "{}",
        };
        assert_eq!(path, expected);
    }
}

#[test]
fn types_are_filtered() {
    let (mut world, dana) = (World::default(), user("dana"));
    let chat = "User: I prefer dark mode.\nUser: The office is in Porto.";
    world.add_as("ai-chat-conversation", &dana, "chat", chat);
    for (name, queries) in [("preferences", &[][..]), ("preference", &["office mode"])] {
        let mut asked = request(&dana, queries);
        asked.types = TypeFilter::parse(&[name.to_owned()]).unwrap();
        assert_eq!(
            told(&world.ask(&asked)),
            [("user", "User: I prefer dark mode.")]
        );
    }
}

#[test]
fn the_type_that_is_asked_for_comes_first() {
    let (mut world, acme) = (World::default(), scope(&["acme_corp"]));
    world.add(&acme, "bike", "Dana rides her bicycle to work every day.");
    world.add(&acme, "wish", "Dana prefers her bicycle to any bus.");
    let first = |query: &str| {
        let answer = world.ask(&request(&acme, &[query]));
        let signals = &answer.items[0].explain.as_ref().unwrap().signals;
        (told(&answer)[0].1.to_owned(), signals["type_asked"].clone())
    };
    let (told, weight) = first("What does Dana rather take, bicycle or car?");
    assert_eq!(told, "Dana prefers her bicycle to any bus.");
    assert!(weight.as_f64().unwrap() > 0.0);
    let (_, weight) = first("Does Dana have a bicycle?");
    assert!(
        weight.as_f64().is_none_or(|weight| weight == 0.0),
        "{weight}"
    );
}

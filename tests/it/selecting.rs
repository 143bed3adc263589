//! What a fetch leaves out and what it tells in its place: floor, contradictions, prompts, over HTTP, NATS and the command.

use crate::support::{Cli, Door, Http, Server, contents, ids, items};
use serde_json::{Value, json};

const EMAIL: &str = "I prefer email for updates.";
const SLACK: &str = "I prefer Slack for updates.";

fn al(more: &Value) -> Value {
    ids(Some("acme"), Some("al"), more)
}

/// Stores a text of a user, and waits until it can be read.
fn store(http: &Http, whose: &Value, text: &str) {
    let mut body = whose.clone();
    body["document"] = text.into();
    body["document_type"] = "document".into();
    let position = http.store(&body)["position"].clone();
    let mut asked = whose.clone();
    asked["position"] = position;
    asked["if_stale"] = "refuse".into();
    http.fetch(&asked).ok();
}

fn ask(door: &dyn Door, more: &Value) -> Value {
    let mut body = al(more);
    body["response_shape"] = "ranked".into();
    door.fetch(&body).ok()
}

fn selects(door: &dyn Door) {
    let query = json!(["prefer updates"]);
    let told = ask(door, &json!({"search_query": query, "explain": true}));
    assert_eq!(contents(&told), [SLACK]);
    let item = &items(&told)[0];
    assert_eq!(item["shadows"][0]["reason"], "contradiction");
    assert_eq!(told["left_out"]["memories"][0]["by"], item["id"]);
    assert_eq!(told["left_out"]["count"], 1);

    let both = ask(
        door,
        &json!({"search_query": query, "include_shadowed": true}),
    );
    let shadowed: Vec<Value> = items(&both)
        .into_iter()
        .filter(|item| item.get("shadowed_by").is_some())
        .collect();
    assert_eq!(contents(&both).len(), 2);
    assert_eq!(shadowed[0]["content"], EMAIL);
    assert_eq!(shadowed[0]["shadowed_by"], item["id"]);

    let strange = json!({"search_query": ["submarine periscope"], "include_prompt": true});
    let nothing = ask(door, &strange);
    assert_eq!(items(&nothing).len(), 0);
    assert_eq!(nothing["prompt"], "");
    let filled = ask(
        door,
        &json!({"search_query": ["submarine periscope"], "min_relevance": 0}),
    );
    assert_eq!(contents(&filled), [SLACK]);

    let told = ask(
        door,
        &json!({"search_query": query, "include_prompt": true, "max_tokens": 60}),
    );
    let prompt = told["prompt"].as_str().expect("a prompt");
    assert!(
        prompt.contains("## user al, customer acme\n- [preference] I prefer Slack for updates.\n"),
        "{prompt}"
    );
    assert!(told["prompt_tokens"].as_u64().expect("a count") <= 60);

    let refusal = door.fetch(&al(&json!({"min_relevance": 2}))).refused(400);
    assert_eq!(refusal["details"]["field"], "min_relevance");
}

#[test]
fn fetches_leave_out_what_is_not_relevant_or_overruled() {
    let server = Server::fresh();
    let http = server.http();
    for text in [EMAIL, SLACK] {
        store(&http, &al(&json!({})), text);
    }
    selects(&http);
    selects(&server.nats());
    let cli = Cli::of(&server);
    let whose = [
        "fetch",
        "--customer",
        "acme",
        "--user",
        "al",
        "-q",
        "prefer updates",
    ];
    let printed = cli.run(whose.into_iter().chain(["--prompt"])).ok();
    assert!(printed.stdout.starts_with("<memory_data>\n"), "{printed:?}");
    let printed = cli
        .run(
            whose
                .into_iter()
                .chain(["--include-shadowed", "--min-relevance", "0"]),
        )
        .ok();
    assert!(
        printed.stdout.contains(EMAIL) && printed.stdout.contains("contradicted by"),
        "{printed:?}"
    );
}

#[test]
fn a_document_is_found_by_what_its_id_calls_it_until_it_is_gone() {
    const ADVICE: &str = "Mostly listen, and take notes.";
    let server = Server::fresh();
    let http = server.http();
    let named = json!({"document_id": "people/one-on-ones.md#2"});
    store(&http, &al(&named), ADVICE);
    store(
        &http,
        &al(&json!({"document_id": "people/meetings.md"})),
        EMAIL,
    );
    let one_on_ones = json!({"search_query": ["one-on-ones"]});
    assert_eq!(contents(&ask(&http, &one_on_ones)), [ADVICE]);
    store(&http, &al(&named), SLACK);
    assert_eq!(contents(&ask(&http, &one_on_ones)), [SLACK]);
}

#[test]
fn a_conversation_s_block_holds_its_summary_and_what_a_query_finds_elsewhere() {
    let server = Server::fresh();
    let http = server.http();
    store(
        &http,
        &ids(Some("acme"), None, &json!({})),
        "Acme ships parcels on Tuesdays.",
    );
    let id = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
    for (role, content) in [
        (
            "user",
            "My parcels weigh nineteen kilograms, and I decided to ship them in oak boxes.",
        ),
        ("assistant", "We will ship the parcels in oak boxes."),
    ] {
        let turn = al(&json!({"conversation_id": id, "role": role, "content": content}));
        http.post("/v1/conversations/messages", &turn).ok();
    }
    let prompt = |query: &str| {
        let path =
            format!("/v1/conversations/{id}/context-for-prompt?user_id=al&customer_id=acme{query}");
        http.get(&path).ok()
    };
    let asked = prompt("&search_query=when%20are%20parcels%20shipped");
    assert!(
        asked.get("context_block").is_none_or(Value::is_null),
        "nothing stands in place of the turns"
    );
    let text = asked["formatted_context"].as_str().expect("a text");
    assert!(
        text.starts_with("<memory_data>\n") && text.contains("on Tuesdays."),
        "{text}"
    );

    let body = al(&json!({"conversation_id": id, "strategy": "conservative"}));
    http.post("/v1/conversations/compact", &body).ok();
    let plain = prompt("")["context_block"].clone();
    let plain = plain.as_str().expect("a block").to_owned();
    assert!(plain.starts_with("## Conversation so far (compacted") && !plain.contains("Tuesdays"));
    let asked = prompt("&search_query=when%20are%20parcels%20shipped");
    let block = asked["context_block"].as_str().expect("a block");
    assert!(block.ends_with("</memory_data>"), "{block}");
    let memories = block.strip_prefix(&plain).expect("the summary comes first");
    assert!(
        memories.contains("Acme ships parcels on Tuesdays."),
        "{block}"
    );
    assert!(
        !memories.contains("oak boxes"),
        "what was said in it is not told twice"
    );
    assert!(
        asked["formatted_context"]
            .as_str()
            .expect("a text")
            .starts_with(block)
    );
    let tight = prompt("&search_query=when%20are%20parcels%20shipped&max_tokens=20");
    assert_eq!(tight["context_block"], plain, "no room for memories");
}

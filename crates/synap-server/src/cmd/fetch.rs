//! `synap fetch`

use crate::cli::FetchArgs;
use crate::cmd::say;
use crate::remote::Remote;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Asks for context and prints it scope by scope.
pub(crate) fn run(args: &FetchArgs) -> anyhow::Result<ExitCode> {
    let mut body = Map::new();
    let mut set =
        |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
    set("customer_id", args.whose.customer.clone().map(Value::from));
    set("user_id", args.whose.user.clone().map(Value::from));
    set(
        "search_query",
        (!args.queries.is_empty()).then(|| args.queries.clone().into()),
    );
    set("max_results", args.max_results.map(Value::from));
    set("max_tokens", args.max_tokens.map(Value::from));
    set("min_relevance", args.min_relevance.map(Value::from));
    let flag = |given: bool| given.then_some(Value::Bool(true));
    set("include_shadowed", flag(args.include_shadowed));
    set("include_prompt", flag(args.prompt));
    set("generation", args.generation.clone().map(Value::from));
    set("position", args.position.clone().map(Value::from));
    set("as_of", args.as_of.clone().map(Value::from));
    set("explain", flag(args.explain));
    set("response_shape", Some(json!("ranked")));
    let level = match (&args.whose.user, &args.whose.customer) {
        (Some(_), _) => "user",
        (None, Some(_)) => "customer",
        (None, None) => "client",
    };
    let answer =
        Remote::new(&args.server).post(&format!("/v1/context/{level}/fetch"), &body.into())?;
    if args.json {
        say(&serde_json::to_string(&answer)?);
    } else if args.prompt {
        say(text(&answer, "prompt").trim_end());
    } else {
        print(&answer);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(answer: &Value) {
    let items: Vec<&Value> = answer
        .pointer("/context/items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    for scope in answer
        .get("scopes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let kind = text(scope, "scope");
        let path = scope
            .get("scope_path")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let path: Vec<&str> = path.filter_map(|(_, id)| id.as_str()).collect();
        let note = if scope.get("scope_known") == Some(&Value::Bool(true)) {
            ""
        } else {
            "  (nothing was ever stored here)"
        };
        say(&format!(
            "{} {}{note}",
            kind.to_uppercase(),
            path.join(" / ")
        ));
        for item in items.iter().filter(|item| text(item, "scope") == kind) {
            let score = item
                .get("rank_score")
                .and_then(Value::as_f64)
                .unwrap_or_default();
            say(&format!(
                "  {:>2}. {}  [{}, {score:.2}]",
                number(item, "rank"),
                text(item, "content"),
                text(item, "memory_type")
            ));
            if let Some(by) = item.get("shadowed_by") {
                say(&format!("      contradicted by {by}"));
            }
            if let Some(explain) = item.get("explain") {
                say(&format!("      {explain}"));
            }
        }
    }
    if let Some(left_out) = answer.get("left_out") {
        say(&format!("left out: {left_out}"));
    }
    let stale = if answer.get("stale") == Some(&Value::Bool(true)) {
        "; STALE: the read model is behind"
    } else {
        ""
    };
    say(&format!(
        "{} items, about {} tokens{stale}",
        items.len(),
        number(answer, "tokens")
    ));
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("?")
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

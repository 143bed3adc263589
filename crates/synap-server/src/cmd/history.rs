//! `synap history` and `synap trace`: what happened in a scope, and to a memory.

use crate::cli::{HistoryArgs, TraceArgs, WhoseArgs};
use crate::cmd::say;
use crate::remote::Remote;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::process::ExitCode;

/// Longest wait of one look for the next event, in milliseconds; below the client's own patience.
const LOOK_MS: u64 = 20_000;
/// Events of one page.
const PAGE: usize = 500;

/// Prints the events of a scope, oldest first; with `--follow`, those that come as well.
pub(crate) fn run(args: &HistoryArgs) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    let (mut after, mut left) = (args.after.clone(), args.limit);
    loop {
        let page = left.map_or(PAGE, |left| left.min(PAGE));
        let wait = if args.follow { LOOK_MS } else { 0 };
        let mut path = format!(
            "/v1/scopes/{}/events?limit={page}&wait_ms={wait}",
            level(&args.whose)
        );
        let given = [
            ("customer_id", &args.whose.customer),
            ("user_id", &args.whose.user),
            ("after", &after),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
                path = format!("{path}&{name}={value}");
            }
        }
        let told = remote.get(&path)?;
        let events = list(&told, "events");
        for event in events {
            say(&if args.json {
                event.to_string()
            } else {
                line(event)
            });
        }
        left = left.map(|left| left.saturating_sub(events.len()));
        after = told.get("next").and_then(Value::as_str).map(str::to_owned);
        let more = told.get("more") == Some(&Value::Bool(true));
        if left == Some(0) || !(more || args.follow) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Prints where a memory comes from, and what became of it.
pub(crate) fn trace(args: &TraceArgs) -> anyhow::Result<ExitCode> {
    let id = utf8_percent_encode(&args.memory_id, NON_ALPHANUMERIC);
    let told = Remote::new(&args.server).get(&format!("/v1/memories/{id}/history"))?;
    if args.json {
        say(&told.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let state = if told.get("is_told") == Some(&Value::Bool(true)) {
        "is told"
    } else {
        "is not told any more"
    };
    say(&format!(
        "{} {}   {state}",
        text(&told, "scope").to_uppercase(),
        path(&told)
    ));
    for (name, label) in [("moved_from", "moved from"), ("moved_to", "moved to")] {
        if let Some(place) = told.get(name) {
            say(&format!("   {label} {}", placed(place)));
        }
    }
    for version in list(&told, "versions") {
        say(&format!(
            "{}. {}  [{}]",
            version.get("version").unwrap_or(&Value::Null),
            text(version, "content"),
            text(version, "memory_type")
        ));
        let span = list(version, "span");
        let at = |place: usize| span.get(place).and_then(Value::as_u64).unwrap_or_default();
        say(&format!(
            "   from {}, bytes {} to {}",
            text(version, "source"),
            at(0),
            at(1)
        ));
        for (name, label) in [("created", "made"), ("ended", "ended")] {
            if let Some(event) = version.get(name) {
                let how = event.get("how").and_then(Value::as_str);
                let how = how.map_or_else(String::new, |how| format!(" ({how})"));
                say(&format!("   {label}{how}: {}", line(event)));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A memory and whose it is: `customer acme, memory 8e87…`.
pub(crate) fn placed(place: &Value) -> String {
    let whose = format!("{} {}", text(place, "scope"), path(place));
    format!("{}, memory {}", whose.trim_end(), text(place, "memory_id"))
}

/// The ids of a scope, the narrowest last.
fn path(told: &Value) -> String {
    let path = told.get("scope_path").and_then(Value::as_object);
    let ids = path.into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(|(_, id)| id.as_str()).collect();
    ids.join(" / ")
}

fn level(whose: &WhoseArgs) -> &'static str {
    match (&whose.user, &whose.customer) {
        (Some(_), _) => "user",
        (None, Some(_)) => "customer",
        (None, None) => "client",
    }
}

fn line(event: &Value) -> String {
    let undoes = event.get("undoes").and_then(Value::as_str);
    let undoes = undoes.map_or_else(String::new, |undone| format!("  undoes {undone}"));
    format!(
        "{}  seq {}  {}  {}  by {}  {}{undoes}",
        text(event, "time"),
        event.get("seq").unwrap_or(&Value::Null),
        text(event, "type"),
        text(event, "about"),
        event.get("by").and_then(Value::as_str).unwrap_or("synap"),
        text(event, "event_id")
    )
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("?")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

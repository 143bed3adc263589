//! `synap promote`, `synap demote` and `synap undo`.

use crate::cli::{DemoteArgs, PromoteArgs, ServerArgs, UndoArgs};
use crate::cmd::history::placed;
use crate::cmd::say;
use crate::remote::Remote;
use anyhow::bail;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::process::ExitCode;

/// Moves a memory to a wider scope, and prints where it is.
pub(crate) fn promote(args: &PromoteArgs) -> anyhow::Result<ExitCode> {
    if args.to == "client" && !args.yes {
        bail!("every customer and every user is told it then: give --yes");
    }
    let mut body = body(&args.to, args.customer.as_deref(), args.user.as_deref());
    body.insert("confirm".to_owned(), args.yes.into());
    moved(&args.server, &args.memory_id, "promote", body, args.json)
}

/// Moves a memory to a narrower scope, and prints where it is.
pub(crate) fn demote(args: &DemoteArgs) -> anyhow::Result<ExitCode> {
    let body = body(&args.to, args.customer.as_deref(), args.user.as_deref());
    moved(&args.server, &args.memory_id, "demote", body, args.json)
}

fn body(to: &str, customer: Option<&str>, user: Option<&str>) -> Map<String, Value> {
    let ids = [("customer_id", customer), ("user_id", user)].into_iter();
    let mut body: Map<String, Value> = ids
        .filter_map(|(name, id)| Some((name.to_owned(), id?.into())))
        .collect();
    body.insert("to".to_owned(), to.into());
    body
}

fn moved(
    server: &ServerArgs,
    id: &str,
    way: &str,
    body: Map<String, Value>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    let told = Remote::new(server).post(&format!("/v1/memories/{id}/{way}"), &body.into())?;
    if json {
        say(&told.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say(&placed(&told));
    let event = told.get("event_id").and_then(Value::as_str).unwrap_or("?");
    say(&format!(
        "  event {event}: synap undo {event} moves it back"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Undoes a change, and prints which memory is as it was.
pub(crate) fn undo(args: &UndoArgs) -> anyhow::Result<ExitCode> {
    let id = utf8_percent_encode(&args.event_id, NON_ALPHANUMERIC);
    let empty = Value::Object(Map::new());
    let told = Remote::new(&args.server).post(&format!("/v1/events/{id}/undo"), &empty)?;
    if args.json {
        say(&told.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let memories = told.get("memories").and_then(Value::as_array);
    for memory in memories.into_iter().flatten() {
        let state = if memory.get("is_told") == Some(&Value::Bool(true)) {
            "is told"
        } else {
            "is not told any more"
        };
        say(&format!("{}: {state}", placed(memory)));
    }
    let event = told.get("event_id").and_then(Value::as_str).unwrap_or("?");
    say(&format!("  event {event}"));
    Ok(ExitCode::SUCCESS)
}

//! `synap generations`: what there is beside the live rows.

use crate::cli::{GenerationsArgs, GenerationsWhat};
use crate::cmd::{bytes, say};
use crate::remote::Remote;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Lists the generations, or removes one.
pub(crate) fn run(args: &GenerationsArgs) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    if let Some(GenerationsWhat::Remove { name }) = &args.what {
        let answer = remote.post("/v1/admin/generations/remove", &json!({ "name": name }))?;
        let line = if args.json {
            answer.to_string()
        } else {
            format!("generation {name} is removed")
        };
        say(&line);
        return Ok(ExitCode::SUCCESS);
    }
    let answer = remote.get("/v1/admin/generations")?;
    if args.json {
        say(&answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say("PARTITION  GENERATION                STATE        APPLIED   ROWS       SETTINGS");
    for partition in list(&answer, "partitions") {
        let at = text(partition, "partition");
        let numbered =
            |number: &Value, state: &str| line(at, &number.to_string(), state, &Value::Null);
        let live = partition.get("live").unwrap_or(&Value::Null);
        say(&numbered(live, "live"));
        let previous = partition.get("previous").filter(|number| !number.is_null());
        if let Some(number) = previous {
            say(&numbered(number, "previous"));
        }
        for number in list(partition, "filling") {
            say(&numbered(number, "filling"));
        }
        for named in list(partition, "named") {
            say(&line(at, text(named, "name"), text(named, "state"), named));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(partition: &str, name: &str, state: &str, named: &Value) -> String {
    let number = |field: &str| named.get(field).and_then(Value::as_u64);
    let applied = number("applied_seq").map_or_else(String::new, |seq| seq.to_string());
    let size = number("disk_bytes").map_or_else(String::new, bytes);
    let set = named
        .get("set")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let set = set.map(|(name, weight)| format!("ranking.{name}={weight}"));
    let extractor = named.get("extractor").and_then(Value::as_str);
    let extractor = extractor.map(|name| format!("extractor={name}"));
    let set: Vec<String> = set.chain(extractor).collect();
    let line = format!(
        "{partition:<9}  {name:<24}  {state:<11}  {applied:<8}  {size:<9}  {}",
        set.join(" ")
    );
    line.trim_end().to_owned()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("?")
}

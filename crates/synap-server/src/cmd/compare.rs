//! `synap compare`: the same queries asked of two generations, and what became of each item.

use crate::cli::CompareArgs;
use crate::cmd::say;
use crate::remote::Remote;
use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// One query, and whose memory it is asked of.
#[derive(Debug, PartialEq)]
struct Question {
    query: String,
    customer: Option<String>,
    user: Option<String>,
}

/// One item of an answer.
#[derive(Debug, Clone)]
struct Item {
    id: String,
    rank: usize,
    content: String,
}

/// What became of the items from A to B.
#[derive(Debug, Default)]
struct Change {
    won: Vec<Item>,
    lost: Vec<Item>,
    /// The item as B has it, and its rank in A.
    moved: Vec<(Item, usize)>,
    same: usize,
}

/// Asks both and prints what differs.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.queries)
        .with_context(|| format!("cannot read {}", args.queries.display()))?;
    let mut questions = Vec::new();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let question = question(line, args);
        questions
            .push(question.with_context(|| format!("{} line {}", args.queries.display(), at + 1))?);
    }
    if questions.is_empty() {
        bail!("there is no query in {}", args.queries.display());
    }
    let remote = Remote::new(&args.server);
    let (mut shown, mut changed, mut sum) = (Vec::new(), 0, [0; 4]);
    for question in &questions {
        let (a, b) = (
            ask(&remote, args, question, &args.a)?,
            ask(&remote, args, question, &args.b)?,
        );
        let change = change(&a, &b);
        let counts = [
            change.won.len(),
            change.lost.len(),
            change.moved.len(),
            change.same,
        ];
        sum.iter_mut()
            .zip(counts)
            .for_each(|(sum, count)| *sum += count);
        changed += usize::from(!change.is_none());
        if args.json {
            shown.push(change.to_json(question));
        } else {
            print(question, args, (a.len(), b.len()), &change);
        }
    }
    let [won, lost, moved, same] = sum;
    if args.json {
        let summary = json!({"queries": questions.len(), "changed": changed, "won": won, "lost": lost,
            "moved": moved, "same": same});
        say(&json!({"a": args.a, "b": args.b, "queries": shown, "summary": summary}).to_string());
    } else {
        say(&format!(
            "{} queries, {changed} of them answered otherwise by {} than by {}: {won} items won, {lost} lost, {moved} moved, {same} the same",
            questions.len(),
            args.b,
            args.a
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A line of the file: a query, or an object with one.
fn question(line: &str, args: &CompareArgs) -> anyhow::Result<Question> {
    let whose = &args.whose;
    if !line.trim_start().starts_with('{') {
        return Ok(Question {
            query: line.trim().to_owned(),
            customer: whose.customer.clone(),
            user: whose.user.clone(),
        });
    }
    let mut fields: Map<String, Value> = serde_json::from_str(line).context("is not JSON")?;
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => bail!("{name} must be a string"),
    };
    let (query, customer, user) = (text("query")?, text("customer_id")?, text("user_id")?);
    if let Some(unknown) = fields.keys().next() {
        bail!("unknown field {unknown:?}: there are query, customer_id and user_id");
    }
    Ok(Question {
        query: query.context("has no query")?,
        customer: customer.or_else(|| whose.customer.clone()),
        user: user.or_else(|| whose.user.clone()),
    })
}

fn ask(
    remote: &Remote,
    args: &CompareArgs,
    question: &Question,
    generation: &str,
) -> anyhow::Result<Vec<Item>> {
    let level = match (&question.user, &question.customer) {
        (Some(_), _) => "user",
        (None, Some(_)) => "customer",
        (None, None) => "client",
    };
    let body = json!({"customer_id": question.customer, "user_id": question.user, "search_query": [question.query],
        "max_results": args.max_results, "response_shape": "ranked", "generation": generation});
    let answer = remote.post(&format!("/v1/context/{level}/fetch"), &body)?;
    let items = answer.pointer("/context/items").and_then(Value::as_array);
    let items = items.context("the answer has no items")?.iter().enumerate();
    let text = |item: &Value, name: &str| item.get(name)?.as_str().map(str::to_owned);
    let item = |(at, item): (usize, &Value)| {
        Some(Item {
            id: text(item, "id")?,
            rank: at + 1,
            content: text(item, "content")?,
        })
    };
    items
        .map(item)
        .collect::<Option<_>>()
        .context("an item has no id")
}

fn change(a: &[Item], b: &[Item]) -> Change {
    let before: BTreeMap<&str, usize> =
        a.iter().map(|item| (item.id.as_str(), item.rank)).collect();
    let mut change = Change::default();
    for item in b {
        match before.get(item.id.as_str()) {
            None => change.won.push(item.clone()),
            Some(rank) if *rank == item.rank => change.same += 1,
            Some(rank) => change.moved.push((item.clone(), *rank)),
        }
    }
    let stays = |item: &&Item| b.iter().any(|other| other.id == item.id);
    change
        .lost
        .extend(a.iter().filter(|item| !stays(item)).cloned());
    change
}

impl Change {
    const fn is_none(&self) -> bool {
        self.won.is_empty() && self.lost.is_empty() && self.moved.is_empty()
    }

    fn to_json(&self, question: &Question) -> Value {
        let item = |item: &Item| json!({"id": item.id, "rank": item.rank, "content": item.content});
        let won: Vec<Value> = self.won.iter().map(item).collect();
        let lost: Vec<Value> = self.lost.iter().map(item).collect();
        let moved = self.moved.iter().map(|(item, before)| {
            json!({"id": item.id, "rank": item.rank, "rank_before": before, "content": item.content})
        });
        let moved: Vec<Value> = moved.collect();
        json!({"query": question.query, "customer_id": question.customer, "user_id": question.user,
            "won": won, "lost": lost, "moved": moved, "same": self.same})
    }
}

fn print(question: &Question, args: &CompareArgs, (a, b): (usize, usize), change: &Change) {
    let Question { query, .. } = question;
    if change.is_none() {
        say(&format!("= {query}  ({a} items)"));
        return;
    }
    say(&format!(
        "~ {query}  ({}: {a} items, {}: {b})",
        args.a, args.b
    ));
    for item in &change.won {
        say(&format!(
            "    won    {:>9}  {}",
            format!("→ {}", item.rank),
            item.content
        ));
    }
    for item in &change.lost {
        say(&format!(
            "    lost   {:>9}  {}",
            format!("{} →", item.rank),
            item.content
        ));
    }
    for (item, before) in &change.moved {
        say(&format!(
            "    moved  {:>9}  {}",
            format!("{before} → {}", item.rank),
            item.content
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(ids: &[&str]) -> Vec<Item> {
        let item = |(at, id): (usize, &&str)| Item {
            id: (*id).to_owned(),
            rank: at + 1,
            content: String::new(),
        };
        ids.iter().enumerate().map(item).collect()
    }

    #[test]
    fn what_became_of_each_item_is_told() {
        let change = change(&items(&["a", "b", "c", "d"]), &items(&["a", "c", "b", "e"]));
        let names = |items: &[Item]| items.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&change.won), names(&change.lost)),
            (vec!["e".to_owned()], vec!["d".to_owned()])
        );
        let moved = change
            .moved
            .iter()
            .map(|(item, before)| (item.id.as_str(), *before, item.rank));
        assert_eq!(moved.collect::<Vec<_>>(), [("c", 3, 2), ("b", 2, 3)]);
        assert_eq!((change.same, change.is_none()), (1, false));
    }
}

//! `synap eval`: how well memories are found again, over sets of texts and questions.

mod crowding;
mod data;
mod metrics;
mod misses;
mod target;
mod vectors;

use crate::cli::EvalArgs;
use crate::cmd::{exit, say};
use anyhow::Context as _;
use data::{Question, Set, SetScope};
use indicatif::{ProgressBar, ProgressStyle};
use metrics::{Found, Summary};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;
use synap_query::Ranking;
use target::Target;

/// Evaluates every set and prints a table; fails if anything of another scope came back, or a floor was not reached.
pub(crate) fn run(args: &EvalArgs) -> anyhow::Result<ExitCode> {
    let mut ranking = Ranking::default();
    for (name, value) in &args.set {
        ranking.set(name, *value)?;
    }
    for name in &args.without {
        ranking.without(name)?;
    }
    let mut sets = Vec::new();
    for path in &args.data {
        sets.push(Set::read(path)?);
    }
    if let Some(turns) = args.crowding {
        anyhow::ensure!(
            !args.remote,
            "--crowding stores texts for everyone, so it goes without --remote"
        );
        sets.extend(crowding::sets(turns));
    }
    anyhow::ensure!(!sets.is_empty(), "name a file with DATA, or --crowding");
    let (mut results, mut failed) = (Map::new(), 0);
    for set in &mut sets {
        set.scopes.truncate(args.max_scopes.unwrap_or(usize::MAX));
        let evaluated = evaluate(args, set, ranking)?;
        failed += usize::from(evaluated.leaks > 0);
        print(args, set, &evaluated);
        for (name, floor) in &args.floor {
            let reached = evaluated.all.of(name);
            let reached = reached.with_context(|| {
                format!(
                    "there is no figure {name:?}, the figures are {}",
                    metrics::NAMES.join(", ")
                )
            })?;
            if reached < *floor {
                say(&format!("  {name} {reached:.3} is below the floor {floor}"));
                failed += 1;
            }
        }
        results.insert(set.name.clone(), evaluated.to_json());
    }
    if let Some(path) = &args.json {
        // As the table has one block for each set, so has the file; a single set stands for itself.
        let result = match results.len() {
            1 => results
                .into_iter()
                .next()
                .map_or(Value::Null, |(_, one)| one),
            _ => results.into(),
        };
        let text = serde_json::to_string_pretty(&result)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(exit(failed))
}

/// What came out for one set.
struct Evaluated {
    documents: usize,
    all: Summary,
    by_category: BTreeMap<String, Summary>,
    /// Milliseconds of each fetch, in ascending order.
    times_ms: Vec<f64>,
    documents_per_s: f64,
    leaks: usize,
    /// What is to be read about questions whose answers were not found, if that is asked for.
    misses: Vec<String>,
}

impl Evaluated {
    fn time(&self, percent: usize) -> f64 {
        let at = self.times_ms.len() * percent / 100;
        self.times_ms.get(at).copied().unwrap_or_default()
    }

    fn to_json(&self) -> Value {
        let mut result = self.all.to_json();
        let mut set = |name: &str, value: Value| drop(result.insert(name.to_owned(), value));
        set("p50_ms", self.time(50).into());
        set("p99_ms", self.time(99).into());
        set("ingest_docs_per_s", self.documents_per_s.into());
        set("leaks", self.leaks.into());
        let categories = self.by_category.iter();
        let categories = categories.map(|(name, summary)| (name.clone(), summary.to_json().into()));
        set("by_category", Value::Object(categories.collect()));
        result.into()
    }
}

fn evaluate(args: &EvalArgs, set: &Set, ranking: Ranking) -> anyhow::Result<Evaluated> {
    let mut target = Target::open(args, ranking)?;
    let documents = set.scopes.iter().map(|scope| scope.docs.len()).sum();
    let style = "{msg} [{bar:40}] {human_pos}/{human_len}  {per_sec}  {eta} left";
    let bar = |length: usize, what: &str| -> anyhow::Result<ProgressBar> {
        let bar = ProgressBar::new(length as u64).with_style(ProgressStyle::with_template(style)?);
        Ok(bar.with_message(format!("{}: {what}", set.name)))
    };
    let progress = bar(documents, "texts")?;
    let started = now();
    for scope in &set.scopes {
        target.ingest(scope, &progress)?;
    }
    let took_s = started.elapsed().as_secs_f64();
    progress.finish_and_clear();
    target.encode()?;
    let asked = set.scopes.iter().map(|scope| scope.queries.len()).sum();
    let progress = bar(asked, "questions")?;
    let mut evaluated = Evaluated {
        documents,
        all: Summary::default(),
        by_category: BTreeMap::new(),
        times_ms: Vec::with_capacity(asked),
        documents_per_s: metrics::float(documents) / took_s.max(1e-9),
        leaks: 0,
        misses: Vec::new(),
    };
    for scope in &set.scopes {
        for question in &scope.queries {
            let (seen, time_ms, leaks) = ask(&target, scope, question)?;
            let found = Found::of(&question.gold, &seen);
            evaluated.times_ms.push(time_ms);
            evaluated.leaks += leaks;
            if args.misses {
                let missed = misses::told(scope, question, &seen);
                evaluated.misses.extend(missed);
            }
            evaluated.all.add(&found);
            let category = question.cat.clone().unwrap_or_default();
            evaluated
                .by_category
                .entry(category)
                .or_default()
                .add(&found);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    evaluated.times_ms.sort_by(f64::total_cmp);
    Ok(evaluated)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it measures how long answers take"
)]
fn now() -> Instant {
    Instant::now()
}

/// One question: ids of the texts that were found, best first; how long it took; how many items were another scope's.
fn ask(
    target: &Target<'_>,
    scope: &SetScope,
    question: &Question,
) -> anyhow::Result<(Vec<String>, f64, usize)> {
    let started = now();
    let items = target.ask(scope, question)?;
    let time_ms = 1_000.0 * started.elapsed().as_secs_f64();
    let own = format!("{}/", scope.id);
    let (mut seen, mut leaks) = (Vec::new(), 0);
    for item in &items {
        leaks += usize::from(!item.starts_with(&own));
        let id = item.strip_prefix(&own).unwrap_or(item).to_owned();
        if !seen.contains(&id) {
            seen.push(id);
        }
    }
    Ok((seen, time_ms, leaks))
}

fn print(args: &EvalArgs, set: &Set, evaluated: &Evaluated) {
    say(&format!(
        "{} mode={} scopes={} docs={} queries={}",
        set.name,
        args.mode,
        set.scopes.len(),
        evaluated.documents,
        evaluated.times_ms.len()
    ));
    say(&format!("  {:14} {}", "all", evaluated.all.line()));
    if args.by.is_some() {
        for (name, summary) in &evaluated.by_category {
            say(&format!(
                "  {name:14} {}  ({})",
                summary.line(),
                summary.count()
            ));
        }
    }
    for missed in &evaluated.misses {
        say(missed);
    }
    say(&format!(
        "  fetch p50 {:.2} ms  p99 {:.2} ms   ingest {:.0} docs/s until searchable   LEAKS {}",
        evaluated.time(50),
        evaluated.time(99),
        evaluated.documents_per_s,
        evaluated.leaks
    ));
}

/// `name=value` of `--set`.
pub(crate) fn named_value(text: &str) -> Result<(String, f32), String> {
    named(text)
}

/// `name=value` of `--floor`.
pub(crate) fn named_floor(text: &str) -> Result<(String, f64), String> {
    named(text)
}

fn named<T: FromStr>(text: &str) -> Result<(String, T), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    let name = name.strip_prefix("ranking.").unwrap_or(name);
    let value = value
        .parse()
        .map_err(|_| format!("{value:?} is not a number"))?;
    Ok((name.to_owned(), value))
}

/// The body of a question.
fn body(args: &EvalArgs, question: &Question) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("search_query".to_owned(), json!([question.text]));
    body.insert("max_results".to_owned(), args.limit.into());
    body.insert("mode".to_owned(), args.mode.clone().into());
    body.insert("response_shape".to_owned(), "ranked".into());
    body
}

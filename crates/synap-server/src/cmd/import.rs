//! `synap import mem0`: reads what mem0 exported, and stores it through the server's front door. `synap import events` is
//! in a file of its own.

pub(crate) mod events;
pub(crate) mod mem0;
pub(crate) mod read;
mod report;

use self::mem0::{Customer, Mapping, Problem, WithoutUser};
use self::read::{Exported, Found};
use self::report::Report;
use crate::cli::ImportMem0Args;
use crate::cmd::batches::{self, Batches, Outcome};
use crate::cmd::{complain, exit, say};
use crate::remote::Remote;
use anyhow::{Context as _, bail};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::Value;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Documents of one request.
const REQUEST_DOCUMENTS: usize = 500;

/// An import under way.
struct Import<'a> {
    args: &'a ImportMem0Args,
    bar: ProgressBar,
    report: RefCell<Report>,
    pending: RefCell<Vec<String>>,
}

/// Stores the memories of every file; fails if one was malformed or refused.
pub(crate) fn mem0(args: &ImportMem0Args) -> anyhow::Result<ExitCode> {
    let customer = match (&args.customer, &args.customer_from) {
        (Some(id), _) => Customer::Fixed(id.clone()),
        (None, Some(path)) => Customer::Field(path.clone()),
        (None, None) => Customer::Absent,
    };
    if customer == Customer::Absent && args.without_user == WithoutUser::Customer {
        bail!("--without-user customer needs --customer or --customer-from");
    }
    let bytes = bytes(&args.paths)?;
    let remote = Remote::new(&args.server);
    if !args.dry_run {
        check_instance(&remote, &customer, args.without_user)?;
    }
    let import = Import {
        args,
        bar: bar(bytes)?,
        report: RefCell::default(),
        pending: RefCell::default(),
    };
    let mut mapping = Mapping::new(customer, args.without_user);
    let mut batches = Batches::new(&remote, REQUEST_DOCUMENTS, |name: &String, outcome| {
        import.told(name, outcome);
    });
    for path in &args.paths {
        let name = path.to_string_lossy();
        import.read(&name, open(path)?, &mut mapping, &mut batches)?;
        if import.is_over() {
            break;
        }
    }
    batches.send()?;
    import.bar.finish_and_clear();
    if args.wait {
        batches::wait(&remote, &import.pending.borrow())?;
    }
    let mut report = import.report.into_inner();
    for (field, count) in mapping.not_mapped {
        *report.not_mapped.entry(field).or_default() += count;
    }
    report.without_effect = mapping.without_effect;
    report.dry_run = args.dry_run;
    (report.failed, report.skipped) = (report.failures.count(), report.skips.count());
    if args.json {
        say(&serde_json::to_string(&report)?);
    } else {
        report.print();
    }
    Ok(exit(report.failed))
}

impl Import<'_> {
    /// Reads a file and sends what it holds.
    fn read<F: FnMut(&String, Outcome)>(
        &self,
        file: &str,
        input: Box<dyn BufRead>,
        mapping: &mut Mapping,
        batches: &mut Batches<'_, String, F>,
    ) -> anyhow::Result<()> {
        let mut exported = Exported::new(input);
        let before = self.bar.position();
        let next = |exported: &mut Exported<_>| {
            exported
                .next()
                .with_context(|| format!("cannot read {file}"))
        };
        while !self.is_over() {
            let Some((place, found)) = next(&mut exported)? else {
                break;
            };
            let place = format!("{file}:{place}");
            self.bar.set_position(before + exported.bytes());
            self.show();
            if let Some((name, document)) = self.map(&place, found, mapping) {
                if self.args.dry_run {
                    self.report.borrow_mut().to_send += 1;
                } else {
                    batches.push(name, document)?;
                }
            }
        }
        let mut report = self.report.borrow_mut();
        if exported.relations() > 0 {
            *report.not_mapped.entry("relations".to_owned()).or_default() += exported.relations();
        }
        if exported.has_next_page() {
            let warning =
                format!("{file} ends with a page that has a next one: the export is not complete");
            report.warnings.push(warning);
        }
        Ok(())
    }

    /// The document of what was found, and a name for it; else it is counted.
    fn map(&self, place: &str, found: Found, mapping: &mut Mapping) -> Option<(String, Value)> {
        self.report.borrow_mut().read += 1;
        let memory = match found {
            Ok(memory) => memory,
            Err(problem) => {
                self.failed(place, place, &problem);
                return None;
            }
        };
        let id = memory.get("id").and_then(Value::as_str);
        let name = id.map_or_else(|| place.to_owned(), str::to_owned);
        match mapping.document(memory) {
            Ok(document) => return Some((name, document)),
            Err(Problem::Malformed(problem)) => self.failed(place, &name, &problem),
            Err(Problem::Skipped(reason)) => self.report.borrow_mut().skips.add(&reason, &name),
        }
        None
    }

    fn failed(&self, place: &str, name: &str, problem: &str) {
        self.report.borrow_mut().failures.add(problem, name);
        self.bar
            .suspend(|| complain(&format!("{place}: {problem}")));
    }

    fn told(&self, name: &str, outcome: Outcome) {
        match outcome {
            Outcome::Refused(refusal) => self.failed(name, name, &refusal),
            Outcome::Stored(receipt) => {
                self.report.borrow_mut().stored += 1;
                self.watch(&receipt);
            }
            Outcome::Unchanged(receipt) => {
                self.report.borrow_mut().unchanged += 1;
                self.watch(&receipt);
            }
        }
    }

    fn watch(&self, receipt: &Value) {
        if self.args.wait {
            self.pending.borrow_mut().extend(batches::pending(receipt));
        }
    }

    /// Whether `--strict` ends it.
    fn is_over(&self) -> bool {
        self.args.strict && self.report.borrow().failures.count() > 0
    }

    fn show(&self) {
        let read = self.report.borrow().read as u64;
        let per_second = u128::from(read) * 1_000 / self.bar.elapsed().as_millis().max(1);
        let per_second = HumanCount(u64::try_from(per_second).unwrap_or(u64::MAX));
        self.bar
            .set_message(format!("{} memories  {per_second}/s", HumanCount(read)));
    }
}

/// Refuses what the server would refuse of every single memory.
fn check_instance(
    remote: &Remote,
    customer: &Customer,
    without_user: WithoutUser,
) -> anyhow::Result<()> {
    let instance = remote.get("/api/v1/auth/whoami")?;
    let isolation = instance
        .get("user_context_isolation")
        .and_then(Value::as_str);
    match (isolation, customer) {
        (Some("strict"), Customer::Absent) if without_user != WithoutUser::Client => bail!(
            "this instance is strict: users belong to a customer, so give --customer or --customer-from"
        ),
        (Some("equals_customer"), Customer::Fixed(_) | Customer::Field(_)) => {
            bail!(
                "this instance has users and no customers: leave out --customer and --customer-from"
            )
        }
        _ => Ok(()),
    }
}

/// The bytes of all files, which must be there; `None` if one is standard input.
pub(super) fn bytes(paths: &[PathBuf]) -> anyhow::Result<Option<u64>> {
    let mut bytes = Some(0);
    for path in paths {
        if path == Path::new("-") {
            bytes = None;
            continue;
        }
        let found = path
            .metadata()
            .with_context(|| format!("cannot read {}", path.display()))?;
        if found.is_dir() {
            bail!("{} is a folder", path.display());
        }
        bytes = bytes.map(|sum| sum + found.len());
    }
    Ok(bytes)
}

pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

pub(super) fn bar(bytes: Option<u64>) -> anyhow::Result<ProgressBar> {
    Ok(match bytes {
        Some(bytes) => ProgressBar::new(bytes).with_style(ProgressStyle::with_template(
            "import [{bar:40}] {bytes}/{total_bytes}  {msg}  {eta} left",
        )?),
        None => ProgressBar::new_spinner().with_style(ProgressStyle::with_template(
            "import {spinner} {bytes}  {msg}",
        )?),
    })
}

//! Feeds every reader of texts what nobody would write, and holds what comes out against what is promised. Without
//! instrumentation: texts come from fragments of each format, nested, repeated and cut, and from changed bytes.
//!
//! `cargo run -p synap-text --example fuzz -- [--seconds N] [--target NAME] [--seed S] [--once]`
//!
//! `--seconds`: for all targets together, 10 by default. `--once`: only the text of this seed, which is shown. A failure prints the target
//! and the seed that repeat it, and ends the program with exit code 1. At the end it tells the slowest texts, and those
//! whose time grew most when they became four times as long; a reader of linear time stays near 4.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people, which measures"
)]

mod check;
mod generate;

use generate::{Random, TARGETS, Target};
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One of so many texts is also read when it is four times as long.
const GROWTH_EVERY: u64 = 16;
/// Shorter times are noise.
const GROWTH_MIN: Duration = Duration::from_millis(8);
/// Twice of what is linear, in hundredths.
const GROWTH_SUSPECT: u128 = 800;
/// A time that is measured again.
const SLOW: Duration = Duration::from_millis(500);
/// Times that are told of each list.
const SHOWN_MAX: usize = 5;

#[derive(Debug, Clone)]
struct Options {
    seconds: u64,
    target: Option<String>,
    seed: u64,
    once: bool,
}

impl Options {
    fn read() -> Option<Self> {
        let mut options = Self {
            seconds: 10,
            target: None,
            seed: 1,
            once: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seconds" => options.seconds = arguments.next()?.parse().ok()?,
                "--seed" => options.seed = arguments.next()?.parse().ok()?,
                "--target" => options.target = Some(arguments.next()?),
                "--once" => options.once = true,
                _ => return None,
            }
        }
        Some(options)
    }

    fn targets(&self) -> Vec<&'static Target> {
        let asked = |target: &&Target| {
            self.target
                .as_deref()
                .is_none_or(|name| name == target.name)
        };
        TARGETS.iter().filter(asked).collect()
    }
}

/// How long texts took.
#[derive(Debug, Default)]
struct Times {
    slowest: Vec<(u128, String)>,
    grown: Vec<(u128, String)>,
}

impl Times {
    fn add(list: &mut Vec<(u128, String)>, value: u128, what: String) {
        list.push((value, what));
        list.sort_by_key(|(value, _)| u128::MAX - value);
        list.truncate(SHOWN_MAX);
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::read() else {
        println!("see the head of this file for its options");
        return ExitCode::from(2);
    };
    let targets = options.targets();
    if targets.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        println!("no such target; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let budget = Duration::from_secs(options.seconds) / u32::try_from(targets.len()).unwrap_or(1);
    let mut times = Times::default();
    for target in targets {
        let started = Instant::now();
        let (mut seed, mut bytes) = (options.seed, 0);
        while started.elapsed() < budget || seed == options.seed {
            let text = generate::text(target, &mut Random::new(seed));
            bytes += text.len();
            if options.once {
                println!("{text:?}");
            }
            if let Err(reason) = run(target, &text, seed, &mut times) {
                let head: String = text.chars().take(300).collect();
                println!("FAILED: {reason}\n{head:?}");
                println!("repeat with --target {} --seed {seed} --once", target.name);
                return ExitCode::FAILURE;
            }
            seed += 1;
            if options.once {
                break;
            }
        }
        let runs = seed - options.seed;
        println!(
            "{:<12} {runs:>7} texts  {:>6} KiB",
            target.name,
            bytes / 1024
        );
    }
    for (took, what) in &times.slowest {
        println!("slow   {:>6} ms  {what}", took / 1_000);
    }
    for (growth, what) in &times.grown {
        println!("grows  {:>4}.{:02} x  {what}", growth / 100, growth % 100);
    }
    ExitCode::SUCCESS
}

/// Reads a text and checks what comes of it.
fn run(target: &'static Target, text: &str, seed: u64, times: &mut Times) -> Result<(), String> {
    let mut took = timed(target, text)?;
    if took >= SLOW {
        took = took.min(timed(target, text)?);
    }
    let what = |bytes: usize| format!("{} --seed {seed}, {bytes} bytes", target.name);
    Times::add(&mut times.slowest, took.as_micros(), what(text.len()));
    if seed.is_multiple_of(GROWTH_EVERY) && took >= GROWTH_MIN {
        let long = text.repeat(4);
        let longer = timed(target, &long)?;
        let mut growth = grown(took, longer);
        if growth > GROWTH_SUSPECT {
            // Other programs run, too: what is slow is slow again.
            growth = growth.min(grown(timed(target, text)?, timed(target, &long)?));
        }
        Times::add(&mut times.grown, growth, what(long.len()));
    }
    Ok(())
}

/// How many times as long, in hundredths.
fn grown(short: Duration, long: Duration) -> u128 {
    long.as_micros() * 100 / short.as_micros().max(1)
}

fn timed(target: &'static Target, text: &str) -> Result<Duration, String> {
    let started = Instant::now();
    let found = catch_unwind(|| check::text(target, text));
    let took = started.elapsed();
    found.unwrap_or_else(|_| Err("it panicked".to_owned()))?;
    Ok(took)
}

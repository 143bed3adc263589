//! Prints how long the encoder takes for a query, a memory and a section, on one thread, and how much memory it holds.
//!
//!     cargo run --release -p synap-models --example encode_time -- FOLDER
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, and says what"
)]

use std::path::PathBuf;
use std::time::Instant;
use std::{env, error, fs};
use synap_models::Encoder;

const ROUNDS: u32 = 50;

fn main() -> Result<(), Box<dyn error::Error>> {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_default());
    let began = Instant::now();
    let encoder = Encoder::open(&folder)?.ok_or("no model in the folder")?;
    println!("open: {} ms", began.elapsed().as_millis());
    let sentence = "The plan of the platform team for the second quarter was changed on Monday. ";
    for (name, text) in [
        (
            "query",
            "Who changed the plan of the platform team?".to_owned(),
        ),
        ("memory of 152 characters", sentence.repeat(2)),
        ("section of 912 characters", sentence.repeat(12)),
    ] {
        let began = Instant::now();
        for _ in 0..ROUNDS {
            let _vectors = encoder.encode(&[&text]);
        }
        let each = began.elapsed() / ROUNDS;
        println!("{name}: {:.1} ms", each.as_secs_f64() * 1000.0);
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find(|line| line.starts_with("VmRSS"));
    println!("{}", resident.unwrap_or_default());
    Ok(())
}

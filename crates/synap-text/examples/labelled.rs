//! Prints how well the rules agree with the labelled sentences under `tests/labelled/`, per half: precision, recall and F1 of
//! each type, exactness of dates and of the times that queries name. With `--misses`, also the sentences of `dev` that are
//! read otherwise; those of `test` are not to be looked at while rules are changed.
#![expect(clippy::print_stdout, reason = "its job")]

#[path = "../tests/labelled/measure.rs"]
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken table of labels is for its writer"
)]
mod measure;

use measure::{HALVES, Share, dates, query_times, types};

fn main() {
    let misses = std::env::args().any(|arg| arg == "--misses");
    for half in HALVES {
        let (share, counts) = types(half);
        println!("{half}");
        println!("  {:<15} precision  recall      F1   labelled", "type");
        for (kind, counts) in counts {
            let (precision, recall, f1) = counts.scores();
            println!(
                "  {kind:<15}    {precision:6.1}  {recall:6.1}  {f1:6.1}   {:8}",
                counts.labelled
            );
        }
        let shares = [
            ("types", share),
            ("dates", dates(half)),
            ("query times", query_times(half)),
        ];
        for (name, share) in shares {
            println!("  {name:<15} {share}");
            if misses && half == "dev" {
                told(&share);
            }
        }
    }
}

fn told(share: &Share) {
    for miss in &share.misses {
        println!(
            "    {}\n      label {}\n      found {}",
            miss.sentence, miss.expected, miss.found
        );
    }
}

//! Floors for typing and dates over labelled sentences, a little below what is reached. `test` is the half that no rule was
//! written for. `cargo run -p synap-text --example labelled` prints the figures and the misses.

#[cfg(test)]
#[path = "labelled/measure.rs"]
mod measure;

use measure::{Share, dates, query_times, types};

#[track_caller]
fn check(found: &Share, floor: f64) {
    let misses = found.misses.iter();
    let misses: Vec<String> = misses
        .map(|miss| format!("{}: {}, not {}", miss.sentence, miss.found, miss.expected))
        .collect();
    assert!(
        found.percent() >= floor,
        "{found}, not {floor} %: {misses:#?}"
    );
}

#[test]
fn types_are_as_labelled() {
    check(&types("dev").0, 97.0);
    check(&types("test").0, 85.0);
}

#[test]
fn each_type_is_found_and_is_right_where_it_is_found() {
    for half in measure::HALVES {
        for (kind, counts) in types(half).1 {
            let (.., f1) = counts.scores();
            assert!(f1 >= 78.0, "{kind} in {half}: {f1:.1} %");
        }
    }
}

#[test]
fn dates_are_as_labelled() {
    check(&dates("dev"), 98.0);
    check(&dates("test"), 94.0);
}

#[test]
fn queries_are_read_as_labelled() {
    check(&query_times("dev"), 95.0);
    check(&query_times("test"), 95.0);
}

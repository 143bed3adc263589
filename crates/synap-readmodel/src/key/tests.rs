//! The format as bytes, and that no scope reads another.

use super::*;
use proptest::prelude::*;
use synap_types::{Scope, ScopeLevel};

fn scope(ids: &[&str]) -> Scope {
    let names = ["customer", "user"];
    let level = |(name, id): (&&str, &&str)| ScopeLevel {
        level: name.parse().unwrap(),
        id: id.parse().unwrap(),
    };
    Scope::new(
        "app".parse().unwrap(),
        names.iter().zip(ids).map(level).collect(),
    )
    .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Pins the format: a change here is a change of every store on disk.
#[test]
fn bytes_are_what_the_drawing_says() {
    let acme = scope(&["acme"]).hash();
    let hash = acme.to_string();
    assert_eq!(hash, "639d6339906e15fe12d04e8ecd8a72ec");
    let zeros = "00".repeat(16);
    assert_eq!(hex(checkpoint().key().bytes()), format!("01{zeros}"));
    assert_eq!(
        hex(parked(Seq::new(258)).key().bytes()),
        format!("02{zeros}0000000000000102")
    );
    assert_eq!(hex(stats(&acme).key().bytes()), format!("14{hash}"));
    assert_eq!(
        hex(memory(&acme, 1).key().bytes()),
        format!("20{hash}fffffffe")
    );
    assert_eq!(
        hex(posting_chunk(&acme, "ci", 2).bytes()),
        format!("30{hash}63690000000002")
    );
    assert_eq!(
        hex(postings(&acme, "ci").bytes()),
        format!("30{hash}636900")
    );
    assert_eq!(
        hex(summary(&acme, "ci", 2).bytes()),
        format!("31{hash}63690000000002")
    );
    assert_eq!(
        hex(summaries(&acme, "ci").bytes()),
        format!("31{hash}636900")
    );
    assert_eq!(chunk_of(&[0, 0, 1, 2]), 258);
}

#[test]
fn an_upper_bound_ends_exactly_the_prefix() {
    let all_ff = Prefix(Key::new(
        Kind::Memory,
        &Hash128::from_bytes([0xff; 16]),
        &[],
    ));
    assert_eq!(all_ff.end(), [0x21]);
    let mut bytes = [7; 16];
    bytes[15] = 0xff;
    let one_ff = Prefix(Key::new(Kind::Memory, &Hash128::from_bytes(bytes), &[]));
    assert_eq!(hex(&one_ff.end()), format!("20{}08", "07".repeat(14)));
}

fn ids() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(
        prop_oneof!["[ab]{1,3}", "[ab./|:*> -]{1,6}", "\\PC{1,40}"],
        0..3,
    )
}

proptest! {
    /// Whatever the ids: equal scopes, equal prefixes; other scopes, disjoint ranges; bounded length.
    #[test]
    fn no_scope_reads_another(a in ids(), b in ids(), term in "[a-z]{1,9}", ordinal: u32) {
        let make = |ids: &[String]| scope(&ids.iter().map(String::as_str).collect::<Vec<_>>()).hash();
        let (one, other) = (make(&a), make(&b));
        prop_assert_eq!(a == b, one == other);
        prop_assume!(a != b);
        for (prefix, key) in [
            (memories(&one), memory(&other, ordinal).into_key()),
            (postings(&one, &term), posting_chunk(&other, &term, ordinal)),
            (summaries(&one, &term), summary(&other, &term, ordinal)),
        ] {
            let inside = key.bytes() >= prefix.bytes() && key.bytes() < prefix.end().as_slice();
            prop_assert!(!inside);
            prop_assert!(key.bytes().len() <= PREFIX_BYTES + term.len() + 5);
        }
    }

    #[test]
    fn newer_memories_come_first(a: u32, b: u32) {
        let hash = scope(&["acme"]).hash();
        let (one, other) = (memory(&hash, a).into_key(), memory(&hash, b).into_key());
        prop_assert_eq!(a.cmp(&b), other.bytes().cmp(one.bytes()));
    }

    #[test]
    fn terms_do_not_read_each_other(a in "[a-b]{1,4}", b in "[a-b]{1,4}", chunk: u32) {
        prop_assume!(a != b);
        let hash = scope(&["acme"]).hash();
        let (prefix, key) = (postings(&hash, &a), posting_chunk(&hash, &b, chunk));
        prop_assert!(key.bytes() < prefix.bytes() || key.bytes() >= prefix.end().as_slice());
    }
}

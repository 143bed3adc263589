//! Which licences come in with the packages that the workspace uses. `deny.toml` has the same list.

use std::{fs, iter::Peekable, str::SplitWhitespace};

use super::{assert_none, list, metadata, root, text};

const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// True if the SPDX expression can be met with allowed licences. `/` is an old way to write `OR`; an exception
/// (`WITH`) only gives more rights, so it is passed over.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words).is_some_and(|allowed| allowed && words.next().is_none())
}

type Words<'a> = Peekable<SplitWhitespace<'a>>;

/// `None`, here and below, if this is no expression.
fn any_of(words: &mut Words<'_>) -> Option<bool> {
    let mut allowed = all_of(words)?;
    while words.next_if_eq(&"OR").is_some() {
        allowed |= all_of(words)?;
    }
    Some(allowed)
}

fn all_of(words: &mut Words<'_>) -> Option<bool> {
    let mut allowed = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words)?;
    }
    Some(allowed)
}

fn one(words: &mut Words<'_>) -> Option<bool> {
    let allowed = if words.next_if_eq(&"(").is_some() {
        let allowed = any_of(words)?;
        words.next_if_eq(&")")?;
        allowed
    } else {
        ALLOWED.contains(&words.next()?)
    };
    if words.next_if_eq(&"WITH").is_some() {
        words.next()?;
    }
    Some(allowed)
}

#[test]
fn every_package_has_an_allowed_licence() {
    let metadata = metadata();
    let packages = list(&metadata, "packages");
    assert!(packages.len() > 100, "the packages are there");
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !is_allowed(text(package, "license")))
        .map(|package| {
            format!(
                "{} {}: {:?}",
                text(package, "name"),
                text(package, "version"),
                text(package, "license")
            )
        })
        .collect();
    assert_none(&refused);
}

#[test]
fn deny_toml_has_the_same_list() {
    let deny = fs::read_to_string(root().join("deny.toml")).expect("deny.toml is in the root");
    let (_, after) = deny
        .split_once("\n[licenses]\n")
        .expect("a table of licences");
    let (_, after) = after.split_once("allow = [").expect("a list");
    let (inside, _) = after.split_once(']').expect("that ends");
    let listed: Vec<&str> = inside.split('"').skip(1).step_by(2).collect();
    assert_eq!(listed, ALLOWED);
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT OR",
        "(MIT",
        "MIT)",
        "MIT ISC",
        "(MIT OR ISC) AND AGPL-3.0",
    ] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

//! Dependencies have one version, in the root, and somebody uses them. Read from the text of the manifests, because
//! `cargo metadata` does not say where a version came from.

use super::{File, assert_none, files};

/// A dependency as a manifest writes it.
#[derive(Debug, PartialEq)]
struct Entry {
    name: String,
    for_tests: bool,
    inherited: bool,
}

/// The entries of the tables whose name ends with `dependencies`.
fn entries(manifest: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut table = "";
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            table = header;
            // `[dependencies.name]`: one table for one dependency.
            if let Some((_, name)) = header.split_once("dependencies.") {
                found.push(Entry {
                    name: name.to_owned(),
                    for_tests: false,
                    inherited: false,
                });
            }
        } else if table.ends_with("dependencies")
            && let Some((key, value)) = line.split_once('=')
            && key.starts_with(|first: char| first.is_ascii_alphanumeric())
        {
            let key = key.trim();
            let (name, dotted) = key.split_once('.').unwrap_or((key, ""));
            found.push(Entry {
                name: name.to_owned(),
                for_tests: table.ends_with("dev-dependencies"),
                inherited: (dotted == "workspace" && value.trim() == "true")
                    || value.contains("workspace = true"),
            });
        }
    }
    found
}

/// The manifest of the root, and those of the members.
fn manifests() -> (File, Vec<File>) {
    let (mut root, members): (Vec<File>, Vec<File>) = files(&["toml"])
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
        .partition(|file| file.path == "Cargo.toml");
    assert!(members.len() > 5, "the members are there");
    (root.pop().expect("the root has a manifest"), members)
}

fn versions_of_their_own(members: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        for entry in entries(&member.text)
            .iter()
            .filter(|entry| !entry.inherited)
        {
            found.push(format!(
                "{}: {} is not `workspace = true`",
                member.path, entry.name
            ));
        }
    }
    found
}

fn listed_but_named_by_no_member(root: &File, members: &[File]) -> Vec<String> {
    let used: Vec<Entry> = members
        .iter()
        .flat_map(|member| entries(&member.text))
        .collect();
    entries(&root.text)
        .into_iter()
        .filter(|entry| !used.iter().any(|other| other.name == entry.name))
        .map(|entry| format!("Cargo.toml: no member names {}", entry.name))
        .collect()
}

/// Dependencies whose name the code does not contain. What only tests use is looked for in all files of the member.
fn named_but_not_used(members: &[File], sources: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let folder = member.path.trim_end_matches("Cargo.toml");
        for entry in entries(&member.text) {
            let word = entry.name.replace('-', "_");
            let used = sources
                .iter()
                .filter_map(|file| {
                    file.path
                        .strip_prefix(folder)
                        .map(|below| (below, &file.text))
                })
                .filter(|(below, _)| {
                    entry.for_tests || below.starts_with("src/") || *below == "build.rs"
                })
                .any(|(_, text)| contains_word(text, &word));
            if !used {
                found.push(format!("{}: {} is not used", member.path, entry.name));
            }
        }
    }
    found
}

/// True if the word occurs outside of comments, and not as a part of a longer word.
fn contains_word(text: &str, word: &str) -> bool {
    text.lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .any(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|part| part == word)
        })
}

#[test]
fn every_version_stands_in_the_root() {
    assert_none(&versions_of_their_own(&manifests().1));
}

#[test]
fn every_listed_dependency_is_named_by_a_member() {
    let (root, members) = manifests();
    assert_none(&listed_but_named_by_no_member(&root, &members));
}

#[test]
fn every_named_dependency_is_used() {
    assert_none(&named_but_not_used(&manifests().1, &files(&["rs"])));
}

#[test]
fn all_ways_to_write_a_dependency_are_read() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { workspace = true, features = [\n \"c\",\n] }\n\
                    # d = \"1\"\ne = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nf = { path = \"f\" }\n[dependencies.g]\nversion = \"1\"\n";
    let got: Vec<(String, bool, bool)> = entries(manifest)
        .into_iter()
        .map(|entry| (entry.name, entry.for_tests, entry.inherited))
        .collect();
    let want = [
        ("a", false, true),
        ("b", false, true),
        ("e", false, false),
        ("f", true, false),
        ("g", false, false),
    ];
    assert_eq!(
        got,
        want.map(|(name, for_tests, inherited)| (name.to_owned(), for_tests, inherited))
    );
}

#[test]
fn a_dependency_that_breaks_a_rule_is_found() {
    let root = File::new(
        "Cargo.toml",
        "[workspace.dependencies]\na-b = \"1\"\nunused = \"1\"\n",
    );
    let member = File::new(
        "crates/x/Cargo.toml",
        "[dependencies]\na-b.workspace = true\nown = \"1\"\n",
    );
    let uses = File::new("crates/x/src/lib.rs", "pub use a_b::C;\n// own::D\n");
    let members = [member];
    assert_eq!(
        versions_of_their_own(&members),
        ["crates/x/Cargo.toml: own is not `workspace = true`"]
    );
    assert_eq!(
        listed_but_named_by_no_member(&root, &members),
        ["Cargo.toml: no member names unused"]
    );
    assert_eq!(
        named_but_not_used(&members, &[uses]),
        ["crates/x/Cargo.toml: own is not used"]
    );
}

//! What a source file looks like: it opens with its purpose, is short, is compiled, and has nothing left to do.

use super::{File, assert_none, files};

const LINES_MAX: usize = 600;

/// Split, so that this file passes.
const LEFTOVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("#[", "ignore"),
];

fn is_generated(file: &File) -> bool {
    file.path.split('/').any(|part| part == "generated")
}

fn without_purpose(file: &File) -> Option<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let says = first
        .strip_prefix("//! ")
        .is_some_and(|rest| !rest.trim().is_empty());
    (!says).then(|| format!("{} does not open with `//! `, its purpose", file.path))
}

fn too_long(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX && !is_generated(file))
        .then(|| format!("{} has {lines} lines, at most {LINES_MAX}", file.path))
}

fn called_mod(file: &File) -> Option<String> {
    file.path
        .ends_with("/mod.rs")
        .then(|| format!("{}: name the file after its module", file.path))
}

fn lines_where(file: &File, what: &str, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    let numbered = file.text.lines().enumerate();
    numbered
        .filter(|(_, line)| is_bad(line))
        .map(|(at, _)| format!("{}:{}: {what}", file.path, at + 1))
        .collect()
}

fn leftovers(file: &File) -> Vec<String> {
    LEFTOVERS
        .iter()
        .flat_map(|word| lines_where(file, word, |line| line.contains(word)))
        .collect()
}

fn trailing_space(file: &File) -> Vec<String> {
    lines_where(file, "space at the end of the line", |line| {
        line.ends_with([' ', '\t', '\r'])
    })
}

/// Files that no other file declares as a module: cargo does not compile them, and says nothing.
fn not_wired(sources: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources {
        let Some((folder, stem)) = file
            .path
            .strip_suffix(".rs")
            .and_then(|path| path.rsplit_once('/'))
        else {
            continue;
        };
        let is_module = folder.split('/').any(|part| part == "src" || part == "it");
        if !is_module || matches!(stem, "lib" | "main") || folder.ends_with("/src/bin") {
            continue;
        }
        let parents = [
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
            format!("{folder}.rs"),
        ];
        let declares = |parent: &File| {
            parents.contains(&parent.path)
                && parent.text.lines().any(|line| {
                    let line = line.trim();
                    line.strip_suffix(';')
                        .and_then(|line| line.rsplit_once("mod "))
                        .is_some_and(|(_, name)| name == stem)
                        && !line.starts_with("//")
                })
        };
        if !sources.iter().any(declares) {
            found.push(format!("{}: no parent says `mod {stem};`", file.path));
        }
    }
    found
}

/// Statements of a `lib.rs` that are neither modules nor re-exports.
fn more_than_exports(file: &File) -> Vec<String> {
    let code: String = file
        .text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code).trim())
        .flat_map(|line| [line, " "])
        .collect();
    let mut rest = code.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        if rest.starts_with('#') {
            rest = after_attribute(rest);
            continue;
        }
        let (statement, after) = rest.split_once(';').unwrap_or((rest, ""));
        let is_module = statement.rsplit_once("mod ").is_some_and(|(before, name)| {
            (before.is_empty() || before.starts_with("pub"))
                && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        });
        if !is_module
            && !statement.starts_with("pub use ")
            && !statement.starts_with("pub(crate) use ")
        {
            found.push(format!(
                "{}: `{}` is neither a module nor a re-export",
                file.path,
                statement.trim()
            ));
        }
        rest = after.trim_start();
    }
    found
}

/// What follows the attribute that the code starts with.
fn after_attribute(code: &str) -> &str {
    let mut depth = 0_u32;
    for (at, c) in code.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return code.get(at + 1..).unwrap_or_default().trim_start(),
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    ""
}

#[test]
fn every_source_file_opens_with_its_purpose() {
    assert_none(
        &files(&["rs"])
            .iter()
            .filter_map(without_purpose)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_source_file_is_too_long() {
    assert_none(
        &files(&["rs"])
            .iter()
            .filter_map(too_long)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_source_file_is_called_mod() {
    assert_none(
        &files(&["rs"])
            .iter()
            .filter_map(called_mod)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_to_do() {
    assert_none(
        &files(&["rs"])
            .iter()
            .flat_map(leftovers)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_line_ends_with_space() {
    assert_none(
        &files(&["md", "py", "rs", "sh", "toml"])
            .iter()
            .flat_map(trailing_space)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_source_file_is_wired() {
    assert_none(&not_wired(&files(&["rs"])));
}

#[test]
fn library_roots_hold_docs_and_exports_only() {
    let roots = files(&["rs"])
        .into_iter()
        .filter(|file| file.path.ends_with("/src/lib.rs"));
    assert_none(
        &roots
            .flat_map(|file| more_than_exports(&file))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_file_that_breaks_a_rule_is_found() {
    assert!(without_purpose(&File::new("a.rs", "//! Adds.\nuse b;\n")).is_none());
    assert!(without_purpose(&File::new("a.rs", "use b;\n")).is_some());
    assert!(without_purpose(&File::new("a.rs", "//! \n")).is_some());
    assert!(too_long(&File::new("a.rs", &"x\n".repeat(LINES_MAX))).is_none());
    assert!(too_long(&File::new("a.rs", &"x\n".repeat(LINES_MAX + 1))).is_some());
    assert!(too_long(&File::new("a/generated/b.rs", &"x\n".repeat(LINES_MAX + 1))).is_none());
    assert!(called_mod(&File::new("src/a/mod.rs", "")).is_some());
    for word in LEFTOVERS {
        assert_eq!(
            leftovers(&File::new("a.rs", &format!("fine\n// {word} later\n"))),
            [format!("a.rs:2: {word}")]
        );
    }
    assert_eq!(
        trailing_space(&File::new("a.md", "a \nb\n")),
        ["a.md:1: space at the end of the line"]
    );
}

#[test]
fn a_file_that_is_not_wired_is_found() {
    let main = File::new(
        "tests/it/main.rs",
        "//! Tests.\nmod wired;\n// mod commented;\n",
    );
    let wired = File::new("tests/it/wired.rs", "pub(crate) mod deep;\n");
    let deep = File::new("tests/it/wired/deep.rs", "");
    let loose = File::new("tests/it/loose.rs", "");
    let commented = File::new("tests/it/commented.rs", "");
    let found = not_wired(&[main, wired, deep, loose, commented]);
    assert_eq!(
        found,
        [
            "tests/it/loose.rs: no parent says `mod loose;`",
            "tests/it/commented.rs: no parent says `mod commented;`"
        ]
    );
}

#[test]
fn a_library_root_with_code_is_found() {
    let check = |text: &str| more_than_exports(&File::new("src/lib.rs", text)).len();
    let exports = "//! Docs.\n#![forbid(unsafe_code)]\n\n#[cfg(test)]\nmod tests;\npub mod a;\npub use a::{\n    B,\n    C,\n};\n";
    assert_eq!(check(exports), 0);
    assert_eq!(check("pub struct A;\n"), 1);
    assert_eq!(check("mod a;\nmod b { const C: u8 = 1; }\n"), 2);
    assert_eq!(check("#[derive(Debug)]\npub fn a() {}\n"), 1);
}

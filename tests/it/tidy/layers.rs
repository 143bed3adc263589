//! Who may depend on whom: layers, crates with one owner, and crates that stay free of a runtime.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{assert_none, list, metadata, text};

/// A crate depends on crates of lower layers only.
const LAYERS: &[(&str, u8)] = &[
    ("synap-types", 1),
    ("synap-log", 2),
    ("synap-readmodel", 2),
    ("synap-proto", 2),
    ("synap-text", 2),
    ("synap-models", 3),
    ("synap-nats", 3),
    ("synap-projection", 3),
    ("synap-query", 3),
    ("synap-rocksdb", 3),
    ("synap-server", 4),
    ("synap-it", 5),
];

/// A library and the crates that know it; generated code names what it was generated for.
const OWNERS: &[(&str, &[&str])] = &[
    ("anyhow", &["synap-server"]),
    ("async-nats", &["synap-nats"]),
    ("axum", &["synap-server"]),
    ("clap", &["synap-server"]),
    ("rocksdb", &["synap-rocksdb"]),
    ("tonic", &["synap-server", "synap-proto"]),
];

/// Crates that run anywhere: no runtime among what they link, at any depth.
const PURE: &[&str] = &[
    "synap-log",
    "synap-query",
    "synap-readmodel",
    "synap-text",
    "synap-types",
];

const RUNTIMES: &[&str] = &["async-std", "smol", "tokio", "tokio-util"];

/// A crate of the workspace and what its manifest names, for building or for tests.
struct Member {
    name: String,
    dependencies: Vec<String>,
}

fn members(metadata: &Value) -> Vec<Member> {
    let ids: BTreeSet<&str> = list(metadata, "workspace_members")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    list(metadata, "packages")
        .iter()
        .filter(|package| ids.contains(text(package, "id")))
        .map(|package| Member {
            name: text(package, "name").to_owned(),
            dependencies: list(package, "dependencies")
                .iter()
                .map(|d| text(d, "name").to_owned())
                .collect(),
        })
        .collect()
}

fn layer(name: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, layer)| *layer)
}

fn upward_edges(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let Some(own) = layer(&member.name) else {
            found.push(format!(
                "{} has no layer: give it one in LAYERS and in ARCHITECTURE.md",
                member.name
            ));
            continue;
        };
        for dependency in &member.dependencies {
            if let Some(other) = layer(dependency)
                && other >= own
                && *dependency != member.name
            {
                found.push(format!(
                    "{} (layer {own}) depends on {dependency} (layer {other})",
                    member.name
                ));
            }
        }
    }
    found
}

fn strangers(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        for (library, owners) in OWNERS {
            // Tests may act as a foreign client.
            let excused = member.name == "synap-it" && matches!(*library, "async-nats" | "tonic");
            let is_owner = owners.contains(&member.name.as_str());
            let names_it = member.dependencies.iter().any(|d| d == library);
            if names_it && !is_owner && !excused {
                found.push(format!(
                    "{} names {library}, which belongs to {}",
                    member.name,
                    owners.join(" and ")
                ));
            }
        }
    }
    found
}

/// The names that each package links, without those that only its build script or its tests use.
fn linked(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let names: BTreeMap<&str, &str> = list(metadata, "packages")
        .iter()
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let name = |id: &str| {
        names
            .get(id)
            .map_or_else(String::new, |name| (*name).to_owned())
    };
    let nodes = metadata
        .get("resolve")
        .map_or(&[][..], |resolve| list(resolve, "nodes"));
    let mut graph: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in nodes {
        let normal = list(node, "deps").iter().filter(|dependency| {
            list(dependency, "dep_kinds")
                .iter()
                .any(|kind| kind.get("kind").is_some_and(Value::is_null))
        });
        graph
            .entry(name(text(node, "id")))
            .or_default()
            .extend(normal.map(|dependency| name(text(dependency, "pkg"))));
    }
    graph
}

fn runtimes_linked(graph: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for start in PURE {
        let mut seen = BTreeSet::new();
        let mut paths = vec![vec![*start]];
        while let Some(path) = paths.pop() {
            let Some(last) = path.last().copied().filter(|last| seen.insert(*last)) else {
                continue;
            };
            if RUNTIMES.contains(&last) {
                found.push(path.join(" → "));
                continue;
            }
            for next in graph.get(last).map_or(&[][..], Vec::as_slice) {
                paths.push(path.iter().copied().chain([next.as_str()]).collect());
            }
        }
    }
    found
}

#[test]
fn crates_depend_on_lower_layers_only() {
    let members = members(&metadata());
    assert_eq!(
        members.len(),
        LAYERS.len(),
        "every crate has a layer, every layer its crates"
    );
    assert_none(&upward_edges(&members));
}

#[test]
fn libraries_with_an_owner_are_named_by_it_alone() {
    assert_none(&strangers(&members(&metadata())));
}

#[test]
fn pure_crates_link_no_runtime() {
    let graph = linked(&metadata());
    for start in PURE {
        assert!(graph.contains_key(*start), "{start} is in the graph");
    }
    assert_none(&runtimes_linked(&graph));
}

fn member(name: &str, dependencies: &[&str]) -> Member {
    Member {
        name: name.to_owned(),
        dependencies: dependencies.iter().map(|d| (*d).to_owned()).collect(),
    }
}

#[test]
fn an_edge_upward_or_sideways_is_found() {
    assert_none(&upward_edges(&[member(
        "synap-query",
        &["synap-text", "serde"],
    )]));
    assert_eq!(
        upward_edges(&[member("synap-text", &["synap-query"])]).len(),
        1
    );
    assert_eq!(
        upward_edges(&[member("synap-nats", &["synap-projection"])]).len(),
        1
    );
    assert_eq!(upward_edges(&[member("synap-new", &[])]).len(), 1);
}

#[test]
fn a_stranger_to_a_library_is_found() {
    assert_none(&strangers(&[
        member("synap-nats", &["async-nats"]),
        member("synap-it", &["async-nats"]),
    ]));
    assert_eq!(
        strangers(&[
            member("synap-query", &["rocksdb"]),
            member("synap-nats", &["anyhow"])
        ])
        .len(),
        2
    );
}

#[test]
fn a_runtime_at_any_depth_is_found() {
    let edge = |from: &str, to: &str| (from.to_owned(), vec![to.to_owned()]);
    let graph = BTreeMap::from([edge("synap-text", "innocent"), edge("innocent", "tokio")]);
    assert_eq!(runtimes_linked(&graph), ["synap-text → innocent → tokio"]);
}

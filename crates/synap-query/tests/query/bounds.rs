//! What a fetch reads is bounded, however much a scope holds.

use crate::world::{World, ids, request, scope};
use std::cell::Cell;
use std::ops::ControlFlow;
use synap_query::{ScopeView, fetch};
use synap_readmodel::{
    Item, Key, MemoryRow, Prefix, ReadStore as _, Snapshot, SnapshotExt as _, StoreError, Table,
    Visit, WriteSet, key,
};
use synap_types::FetchRequest;

/// More than a fetch looks at.
const MANY: u32 = 10_000;
/// Twice, since matches and newest memories are two passes; and a few point reads.
const ROWS_MAX: u64 = 2 * 4_096 + 16;

/// A snapshot that counts the memories that are read.
struct Counting<S> {
    rows: S,
    read: Cell<u64>,
}

impl<S: Snapshot> Counting<S> {
    fn count(&self, table: Table) {
        if table == Table::Memories {
            self.read.set(self.read.get() + 1);
        }
    }
}

impl<S: Snapshot> Snapshot for Counting<S> {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.count(key.table());
        self.rows.get(key)
    }

    fn scan_from(&self, prefix: &Prefix, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.rows
            .scan_from(prefix, from, &mut |rest, value| -> ControlFlow<()> {
                self.count(prefix.table());
                visit(rest, value)
            })
    }

    fn last_at(&self, prefix: &Prefix, at: &[u8]) -> Result<Option<Item>, StoreError> {
        self.rows.last_at(prefix, at)
    }

    fn scan_table(&self, _: Table, _: Visit<'_>) -> Result<(), StoreError> {
        panic!("a query never scans a table");
    }
}

/// A scope with many memories that match "deploy".
fn large() -> World {
    let mut world = World::default();
    let lines: Vec<String> = (0..MANY)
        .map(|number| format!("- Deploy word{number}\n"))
        .collect();
    for (number, part) in lines.chunks(1_000).enumerate() {
        world.add(&scope(&[]), &format!("doc-{number}"), &part.concat());
    }
    world
}

/// Asks; answers how many memories came and how many were read.
fn ask(world: &World, request: &FetchRequest) -> (usize, u64) {
    let rows = Counting {
        rows: world.store.snapshot(),
        read: Cell::new(0),
    };
    let views = [ScopeView::new(scope(&[]), &rows).unwrap()];
    let answer = fetch(
        request,
        &views,
        synap_query::Means::of(&synap_query::Ranking::default()),
        false,
    )
    .unwrap();
    assert!(answer.scopes[0].candidates == 0 || answer.scopes[0].candidates == MANY as usize);
    (answer.items.len(), rows.read.get())
}

/// Ends all memories of the world's scope, or gives them another type.
fn change(world: &World, change: impl Fn(&mut MemoryRow)) {
    let (mut writes, client) = (WriteSet::default(), scope(&[]).hash());
    for ordinal in 0..MANY {
        let mut row = world
            .store
            .snapshot()
            .row(&key::memory(&client, ordinal))
            .unwrap()
            .unwrap();
        change(&mut row);
        writes.put(key::memory(&client, ordinal), &row);
    }
    world.store.commit(&writes).unwrap();
}

#[test]
fn a_fetch_reads_what_it_needs() {
    let world = large();
    assert_eq!(ask(&world, &request(&scope(&[]), &["deploy"])), (10, 208));
    assert_eq!(ask(&world, &request(&scope(&[]), &[])), (10, 20));
    let all = FetchRequest {
        max_results: 1_000,
        ..request(&scope(&[]), &["deploy"])
    };
    assert_eq!(ask(&world, &all), (1_000, 4_096));
}

#[test]
fn a_scope_of_superseded_memories_is_not_searched_to_its_end() {
    let world = large();
    change(&world, |row| row.ended_seq = Some(9));
    for queries in [&["deploy"][..], &[]] {
        let (items, read) = ask(&world, &request(&scope(&[]), queries));
        assert_eq!(items, 0);
        assert!(read <= ROWS_MAX, "{read}");
    }
}

#[test]
fn a_scope_of_other_types_is_not_searched_to_its_end() {
    let world = large();
    let asked = FetchRequest {
        types: synap_types::TypeFilter::parse(&["emotions".to_owned()]).unwrap(),
        ..request(&scope(&[]), &["deploy"])
    };
    let (items, read) = ask(&world, &asked);
    assert_eq!(items, 0);
    assert!(read <= ROWS_MAX, "{read}");
}

/// Of equals, the newest: so a document that came again a thousand times does not hide behind its past.
#[test]
fn the_newest_of_equal_matches_is_looked_at_first() {
    let (mut world, client) = (World::default(), scope(&[]));
    let rows: Vec<_> = (0..200)
        .map(|number| {
            world
                .add(&client, &format!("doc-{number}"), "Deploys run on Tuesdays")
                .remove(0)
        })
        .collect();
    let answer = world.ask(&request(&client, &["deploys"]));
    assert_eq!(ids(&answer), [rows[199].id]);
    assert_eq!(answer.items[0].explain.as_ref().unwrap().folded.len(), 25);
}

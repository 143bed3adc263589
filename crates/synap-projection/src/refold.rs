//! Rows forget what the log has erased: the scope's rows are folded anew from the events that are left.
//!
//! Rows of a scope depend on the events of that scope and on the erasures of the scopes around it, and on nothing else. So
//! after events were taken out, the rows of their scope are those of a fold over what is left of it, byte for byte those
//! of a rebuild, and no other scope is touched. How many of the log's erasures a store takes into account stands in it
//! ([`ErasuresRow`]): whoever opens an older store, such as a backup, catches up before anything is read from it.

use crate::FoldError;
use crate::extract::extractor_of;
use crate::turn::scattered;
use futures::TryStreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use synap_log::{Erasure, EventLog, Gaps, Recorded};
use synap_readmodel::{
    ConversationRow, ErasuresRow, HistoryRow, Key, Kind, MemoryRow, MemoryStore, ParkedRow,
    ReadStore, Row, SeenRow, Snapshot, SnapshotExt as _, StatsRow, StoreError, Table, TombstoneRow,
    WriteSet, codec, key, owner,
};
use synap_types::{EventSubject, Hash128, IngestionId, Partition, Scope, Seq};

/// Events of one batch.
const BATCH_EVENTS_MAX: usize = 500;

/// Brings `store` up with the log's erasures. Answers the gaps that they explain.
///
/// An empty store has nothing to forget. What other scopes hold is not touched.
pub(crate) async fn settle<L: EventLog, S: ReadStore>(
    log: &L,
    store: &Arc<S>,
    partition: Partition,
) -> Result<Gaps, FoldError> {
    let erasures = log.erasures(partition).await?;
    let (count, applied) = {
        let rows = store.snapshot();
        let count = rows.row(&key::erasures())?.map_or(0, |row| row.count);
        let checkpoint = rows.row(&key::checkpoint())?;
        (count, checkpoint.map(|row| Seq::new(row.seq)))
    };
    let known = usize::try_from(count).unwrap_or(usize::MAX);
    let new = erasures.get(known..).unwrap_or_default();
    if let Some(applied) = applied {
        let mut scopes: BTreeMap<&Scope, Vec<&Erasure>> = BTreeMap::new();
        for erasure in new {
            scopes.entry(&erasure.scope).or_default().push(erasure);
        }
        let gone = seen(&erasures);
        for (scope, erasures) in scopes {
            refold(log, store, partition, (scope, &erasures), &gone, applied).await?;
        }
    }
    if !new.is_empty() {
        let mut writes = seen(new);
        let count = erasures.len() as u64;
        writes.put(key::erasures(), &ErasuresRow { count });
        store.commit(&writes)?;
    }
    Ok(Gaps::of(&erasures))
}

/// That these events were applied, so that none of them ever is again: an old export, or a late retry, brings nothing back.
fn seen(erasures: &[Erasure]) -> WriteSet {
    let mut writes = WriteSet::default();
    for event in erasures.iter().flat_map(|erasure| &erasure.events) {
        if let Some((scope, id)) = event.id {
            let row = SeenRow {
                seq: event.seq.get(),
                document_id: None,
                turn: None,
                erased: true,
            };
            writes.put(key::seen(&scope, id), &row);
        }
    }
    writes
}

/// Puts the rows that the events of `scope`, and of what lies below it, give now in the place of those that are there.
async fn refold<L: EventLog, S: ReadStore>(
    log: &L,
    store: &Arc<S>,
    partition: Partition,
    (scope, erasures): (&Scope, &[&Erasure]),
    gone: &WriteSet,
    applied: Seq,
) -> Result<(), FoldError> {
    let extractor = extractor_of(&store.snapshot())?;
    let scratch = MemoryStore::default();
    scratch.commit(gone)?;
    let below = erasures.iter().any(|erasure| erasure.below);
    let mut family = Family::new(scope);
    let mut events = log.select(partition, filters(partition, scope, below));
    let mut batch: Vec<Recorded> = Vec::new();
    loop {
        let event = events.try_next().await?;
        let is_over = event.as_ref().is_none_or(|event| event.seq > applied);
        if let Some(event) = event.filter(|_| !is_over) {
            batch.push(event);
        }
        if is_over || batch.len() >= BATCH_EVENTS_MAX {
            let writes = scattered(partition, extractor, &scratch.snapshot(), &batch)?;
            scratch.commit(&writes.map_err(FoldError::from)?)?;
            batch.clear();
        }
        if is_over {
            break;
        }
    }
    let erased = erasures.iter().flat_map(|erasure| erasure.seqs());
    let writes = {
        let (old, new) = (store.snapshot(), scratch.snapshot());
        if below {
            family.find(&old)?;
            family.find(&new)?;
        }
        exchange(&family, &old, &new, erased)?
    };
    store.commit(&writes)?;
    Ok(())
}

/// The subjects of the events on which rows of `scope` depend, and rows below it if those are meant as well.
fn filters(partition: Partition, scope: &Scope, below: bool) -> Vec<String> {
    let own = if below {
        EventSubject::filter_below(partition, scope)
    } else {
        EventSubject::filter_of(partition, scope)
    };
    let mut filters = vec![own];
    filters.extend(
        scope
            .chain()
            .skip(1)
            .filter(|around| !around.path().is_empty())
            .map(
                // An erasure of a scope around hides what was there before.
                |around| EventSubject::new(partition, &around, "scope-erased").to_string(),
            ),
    );
    filters
}

/// A scope, and what is known to lie below it.
struct Family<'a> {
    scope: &'a Scope,
    hashes: BTreeMap<Hash128, Scope>,
    client: Hash128,
}

impl<'a> Family<'a> {
    fn new(scope: &'a Scope) -> Self {
        Self {
            scope,
            hashes: BTreeMap::from([(scope.hash(), scope.clone())]),
            client: Scope::of_client(scope.client().clone()).hash(),
        }
    }

    fn has(&self, scope: &Scope) -> bool {
        self.hashes.contains_key(&scope.hash())
    }

    /// Adds the scopes below that `rows` know.
    fn find(&mut self, rows: &impl Snapshot) -> Result<(), StoreError> {
        scan(rows, &key::all_stats(), |_, row: StatsRow| {
            if row.scope.sees(self.scope) {
                self.hashes.insert(row.scope.hash(), row.scope);
            }
        })
    }
}

/// What turns the `old` rows of a family into the `new` ones.
fn exchange(
    family: &Family<'_>,
    old: &impl Snapshot,
    new: &impl Snapshot,
    erased: impl Iterator<Item = Seq>,
) -> Result<WriteSet, StoreError> {
    let mut writes = WriteSet::default();
    let mut seqs: BTreeSet<Seq> = erased.collect();
    for scope in family.hashes.values() {
        let hash = scope.hash();
        drop_index_rows(family, scope, old, &mut seqs, &mut writes)?;
        for kind in Kind::ALL {
            if !kind.is_index() && kind.table() != Table::Meta {
                writes.clear(key::all_of(kind, &hash));
            }
        }
    }
    scan(old, &key::all_parked(), |rest, row: ParkedRow| {
        let subject = row.subject.parse::<EventSubject>();
        let is_own =
            subject.is_ok_and(|subject| family.hashes.values().any(|scope| subject.is_of(scope)));
        if is_own {
            seqs.insert(seq_of(rest));
            if let Some(ingestion) = row.ingestion {
                writes.delete(key::ingestion(&family.client, ingestion));
            }
        }
    })?;
    for seq in seqs {
        writes.delete(key::parked(seq));
        writes.delete(key::fresh(seq));
        writes.delete(key::pending_erasure(seq));
    }
    for table in Table::ALL {
        new.scan_table(table, &mut |bytes, value| {
            if is_of(family, bytes, value) {
                writes.put_stored(Key::stored(table, bytes), value.to_vec());
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(writes)
}

/// Removes what stands outside the scope's own keys: rows by id below the client's scope, and rows by seq.
fn drop_index_rows(
    family: &Family<'_>,
    scope: &Scope,
    old: &impl Snapshot,
    seqs: &mut BTreeSet<Seq>,
    writes: &mut WriteSet,
) -> Result<(), StoreError> {
    let (hash, client) = (scope.hash(), &family.client);
    scan(old, &key::memories(&hash), |_, row: MemoryRow| {
        writes.delete(key::memory_index(client, row.id));
        writes.delete(key::received(client, row.id));
    })?;
    scan(
        old,
        &key::conversations(&hash),
        |_, row: ConversationRow| {
            writes.delete(key::conversation_index(client, row.id, &hash));
        },
    )?;
    scan(
        old,
        &key::all_of(Kind::Tombstone, &hash),
        |_, row: TombstoneRow| {
            if let Some(request) = row.request {
                writes.delete(key::forgetting(client, request));
            }
        },
    )?;
    scan(old, &key::histories(&hash), |rest, row: HistoryRow| {
        let event = row.event_id.uuid();
        writes.delete(key::ingestion(client, IngestionId::new(event)));
        writes.delete(key::deletion(client, row.event_id));
        writes.delete(key::change(client, row.event_id));
        seqs.insert(seq_of(rest));
    })
}

/// Whether a row of the scratch store belongs to the family. That store holds a trace of the scopes around it as well.
fn is_of(family: &Family<'_>, bytes: &[u8], value: &[u8]) -> bool {
    let Some(kind) = Kind::of(bytes) else {
        return false;
    };
    if matches!(kind, Kind::Checkpoint | Kind::Erasures | Kind::Extractor) {
        false
    } else if kind == Kind::Parked {
        // Of the scopes around it only deletions were folded, and none of those is ever parked.
        true
    } else if kind.is_index() || matches!(kind, Kind::Fresh | Kind::PendingErasure) {
        owner(bytes, value).is_some_and(|owner| family.has(&owner))
    } else {
        let hash = key::scope_of(bytes);
        hash.is_some_and(|hash| family.hashes.contains_key(&hash))
    }
}

fn seq_of(rest: &[u8]) -> Seq {
    Seq::new(rest.try_into().map_or(0, u64::from_be_bytes))
}

/// Shows every row of a prefix. One that cannot be read is an error.
fn scan<R: Row>(
    rows: &impl Snapshot,
    prefix: &synap_readmodel::Prefix,
    mut visit: impl FnMut(&[u8], R),
) -> Result<(), StoreError> {
    let mut failed = None;
    rows.scan(prefix, &mut |rest, value| match codec::decode(value) {
        Ok(row) => {
            visit(rest, row);
            ControlFlow::Continue(())
        }
        Err(source) => {
            let key = Key::stored(prefix.table(), &prefix.with(rest));
            failed = Some(StoreError::Row { key, source });
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(()), Err)
}

//! What happened: the versions of a memory, and the events of a scope.

use crate::lookup::by_id;
use crate::{FetchError, ScopeView};
use std::ops::ControlFlow;
use synap_readmodel::{HistoryRow, MemoryRow, Snapshot, key};
use synap_types::{ClientId, MemoryId, Seq};

/// Versions of one memory that are told; older ones are not.
const VERSIONS_MAX: usize = 1_000;

/// An event, and its place in its partition's log.
pub type Event = (Seq, HistoryRow);

/// One version of a memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// What it said.
    pub row: MemoryRow,
    /// What made it. None if it is older than the history of its scope.
    pub made: Option<Event>,
    /// What ended it, if something did.
    pub ended: Option<Event>,
}

/// All versions of the memory of this id, oldest first, if this partition has it and it belongs to `client`. Nothing that
/// was erased is among them.
pub fn versions(
    snapshot: &impl Snapshot,
    client: &ClientId,
    id: MemoryId,
) -> Result<Option<Vec<Version>>, FetchError> {
    let Some(index) = by_id(snapshot, client, |own| key::memory_index(own, id))? else {
        return Ok(None);
    };
    let view = ScopeView::new(index.scope, snapshot)?;
    let (mut found, mut next) = (Vec::new(), Some(index.ordinal));
    while let Some(ordinal) = next.filter(|_| found.len() < VERSIONS_MAX) {
        let row = view.memory(ordinal)?;
        let Some(row) = row.filter(|row| row.id == id && view.holds(row.created_seq)) else {
            break;
        };
        next = row.previous.filter(|previous| *previous < ordinal);
        let event = |seq: u64| view.event(Seq::new(seq));
        found.push(Version {
            made: event(row.created_seq)?,
            ended: row.ended_seq.map(event).transpose()?.flatten(),
            row,
        });
    }
    found.reverse();
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// Events of a scope after `after`, oldest first, at most `most`. What was erased is not among them.
pub fn events<S: Snapshot>(
    view: &ScopeView<'_, S>,
    after: Seq,
    most: usize,
) -> Result<Vec<Event>, FetchError> {
    let mut found = Vec::new();
    let histories = key::histories(view.hash());
    let from = after.next().get().to_be_bytes();
    view.snapshot
        .scan_from(&histories, &from, &mut |rest, value| {
            found.push(view.history(rest, value));
            if found.len() < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
    found.into_iter().collect()
}

impl<S: Snapshot> ScopeView<'_, S> {
    /// The event of the scope at `seq`.
    fn event(&self, seq: Seq) -> Result<Option<Event>, FetchError> {
        let found = self.history_at(seq)?;
        Ok(found.filter(|(at, _)| *at == seq))
    }
}

//! Conversations as they can be read: whose they are, their turns, their summaries.

use crate::{FetchError, ScopeView};
use std::cmp::Reverse;
use std::ops::ControlFlow;
use synap_readmodel::{
    CompactionRow, ConversationIndexRow, ConversationRow, Key, Snapshot, SnapshotExt as _,
    StoreError, TurnRow, codec, key,
};
use synap_types::{ClientId, ConversationId, Scope};

/// Users of one conversation id that are looked at: callers mean one.
const OWNERS_MAX: usize = 16;
/// Conversations of one user that are looked at for the newest ones.
const LOOKED_AT_MAX: usize = 10_000;

/// The users of `client` that have a conversation of this id in `snapshot`. More than one only if callers use an id twice.
pub fn conversation_owners(
    snapshot: &impl Snapshot,
    client: &ClientId,
    id: ConversationId,
) -> Result<Vec<Scope>, FetchError> {
    let own = Scope::of_client(client.clone()).hash();
    let mut scopes = Vec::new();
    snapshot.scan(&key::conversation_owners(&own, id), &mut |rest, value| {
        scopes.push((rest.to_vec(), codec::decode::<ConversationIndexRow>(value)));
        if scopes.len() < OWNERS_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    let mut owners = Vec::new();
    for (rest, row) in scopes {
        let row = row.map_err(|source| {
            let prefix = key::conversation_owners(&own, id);
            let key = Key::stored(prefix.table(), &prefix.with(&rest));
            StoreError::Row { key, source }
        })?;
        let scope = row.scope;
        if scope.client() != client {
            return Err(FetchError::ForeignRow);
        }
        let view = ScopeView::new(scope, snapshot)?;
        if conversation(&view, id)?.is_some() {
            owners.push(view.scope);
        }
    }
    Ok(owners)
}

/// One conversation of the user whose scope `view` shows.
pub fn conversation<S: Snapshot>(
    view: &ScopeView<'_, S>,
    id: ConversationId,
) -> Result<Option<ConversationRow>, FetchError> {
    let row = view.snapshot.row(&key::conversation(view.hash(), id))?;
    match row {
        Some(row) if row.scope != view.scope => Err(FetchError::ForeignRow),
        row => Ok(row.filter(|row| view.holds(row.created_seq))),
    }
}

/// Up to `most` turns of a conversation, in order, from number `start` on.
pub fn turns<S: Snapshot>(
    view: &ScopeView<'_, S>,
    conversation: &ConversationRow,
    start: u32,
    most: usize,
) -> Result<Vec<(u32, TurnRow)>, FetchError> {
    let mut found = Vec::new();
    for number in (start.max(1)..=conversation.turns).take(most) {
        let row = view
            .snapshot
            .row(&key::turn(view.hash(), conversation.id, number))?;
        match row {
            Some(row) if row.scope != view.scope => return Err(FetchError::ForeignRow),
            Some(row) => found.push((number, row)),
            None => {}
        }
    }
    Ok(found)
}

/// The last summary of a conversation, or the one of this version.
pub fn compaction<S: Snapshot>(
    view: &ScopeView<'_, S>,
    conversation: &ConversationRow,
    version: Option<u32>,
) -> Result<Option<CompactionRow>, FetchError> {
    let version = version.unwrap_or(conversation.compactions);
    if version == 0 || version > conversation.compactions {
        return Ok(None);
    }
    let at = key::compaction(view.hash(), conversation.id, version);
    match view.snapshot.row(&at)? {
        Some(row) if row.scope != view.scope => Err(FetchError::ForeignRow),
        row => Ok(row),
    }
}

/// The `most` conversations of a user in which something was said last, newest first.
pub fn conversations<S: Snapshot>(
    view: &ScopeView<'_, S>,
    most: usize,
) -> Result<Vec<ConversationRow>, FetchError> {
    let (mut found, mut failed, mut looked_at) = (Vec::new(), None, 0);
    let mut visit = |_: &[u8], value: &[u8]| {
        looked_at += 1;
        match codec::decode::<ConversationRow>(value) {
            Ok(row) if row.scope != view.scope => failed = Some(FetchError::ForeignRow),
            Ok(row) if view.holds(row.created_seq) => found.push(row),
            Ok(_) => {}
            Err(e) => failed = Some(StoreError::Io(e.into()).into()),
        }
        if failed.is_some() || looked_at >= LOOKED_AT_MAX {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    view.snapshot
        .scan(&key::conversations(view.hash()), &mut visit)?;
    if let Some(e) = failed {
        return Err(e);
    }
    found.sort_by_key(|row| Reverse((row.last_at, row.seq)));
    found.truncate(most);
    Ok(found)
}

//! Past states: from a time or a position to the last event of each scope that is seen.
//!
//! A scope is seen as of one of its events: memories that came later or had ended by then are not told, and what a fetch
//! counts are the scope's numbers of that event, which its history keeps. So an answer is the one of then, under today's
//! ranking, and costs a fetch and some twenty point reads for each scope. What was erased since is not told.

use crate::{FetchError, ScopeView};
use std::ops::ControlFlow;
use synap_readmodel::{Snapshot, key};
use synap_types::{AsOf, Partition, Seq, Timestamp};

/// Why there is no such past state. Reads well after "`as_of` ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AsOfError {
    /// Nobody knows yet.
    #[error("is in the future: {asked} is after {now}")]
    Future {
        /// What was asked for.
        asked: Timestamp,
        /// When it was asked.
        now: Timestamp,
    },
    /// There was nothing yet, or it was erased since.
    #[error(
        "is before everything that these scopes hold: {asked} is before {first}; ask for {first} to {now}"
    )]
    BeforeFirst {
        /// What was asked for.
        asked: Timestamp,
        /// When the first event was accepted.
        first: Timestamp,
        /// When it was asked.
        now: Timestamp,
    },
    /// The log does not go as far.
    #[error("is beyond the log: it ends at event {last}")]
    Beyond {
        /// Its last event.
        last: Seq,
    },
    /// Nothing is known at that place any more.
    #[error("is a position of which nothing is known any more: it was erased")]
    Gone,
}

/// The views, each as of the last of its events that `asked` includes. `views` come with their partitions.
pub fn as_of<S: Snapshot>(
    asked: AsOf,
    now: Timestamp,
    views: Vec<(Partition, ScopeView<'_, S>)>,
) -> Result<Vec<ScopeView<'_, S>>, FetchError> {
    let (anchor, time) = match asked {
        AsOf::Time(time) if time > now => {
            return Err(AsOfError::Future { asked: time, now }.into());
        }
        AsOf::Time(time) => (None, time),
        AsOf::Position(position) => {
            let own = views
                .iter()
                .find(|(_, view)| *view.hash() == position.scope);
            let (_, view) = own.ok_or(AsOfError::Gone)?;
            let seq = position.seq;
            if seq > view.applied {
                return Err(AsOfError::Beyond { last: view.applied }.into());
            }
            let (_, row) = view.history_at(seq)?.ok_or(AsOfError::Gone)?;
            let anchor = Some((position.partition, seq));
            (anchor, Timestamp::from_micros(row.latest))
        }
    };
    let mut first: Option<Timestamp> = None;
    let mut seen = Vec::with_capacity(views.len());
    for (partition, view) in views {
        let begin = view.first_event()?;
        first = [first, begin].into_iter().flatten().min();
        let until = match anchor {
            Some((own, seq)) if own == partition => seq,
            _ => last_at(&view, time)?,
        };
        seen.push(view.up_to(until));
    }
    match first {
        Some(first) if time < first => Err(AsOfError::BeforeFirst {
            asked: time,
            first,
            now,
        }
        .into()),
        _ => Ok(seen),
    }
}

/// The place up to which every event of the scope was accepted at `time` or before.
fn last_at<S: Snapshot>(view: &ScopeView<'_, S>, time: Timestamp) -> Result<Seq, FetchError> {
    let is_past = |latest: i64| latest <= time.micros();
    let Some((last, row)) = view.history_at(view.applied)? else {
        return Ok(view.applied);
    };
    if is_past(row.latest) {
        return Ok(view.applied);
    }
    // Up to `known` all are past; the event at `later` is not.
    let (mut known, mut later) = (0, last.get());
    while known + 1 < later {
        let middle = known.midpoint(later);
        match view.history_at(Seq::new(middle))? {
            Some((seq, row)) if !is_past(row.latest) => later = seq.get(),
            _ => known = middle,
        }
    }
    Ok(Seq::new(known))
}

impl<S: Snapshot> ScopeView<'_, S> {
    /// When the scope's first event was accepted.
    fn first_event(&self) -> Result<Option<Timestamp>, FetchError> {
        let mut first = None;
        let histories = key::histories(self.hash());
        self.snapshot.scan(&histories, &mut |rest, value| {
            first = Some(self.history(rest, value));
            ControlFlow::Break(())
        })?;
        let first = first.transpose()?;
        Ok(first.map(|(_, row)| Timestamp::from_micros(row.latest)))
    }
}

//! What of one scope takes part in a fetch: all of a small one, a window of a large one.

use crate::cache::Kept;
use crate::passages::Passages;
use crate::signal::Query;
use crate::signal::bm25::{ChainStats, Postings};
use crate::signal::window::{ScopeTerms, WHOLE_ORDINALS_MAX, window};
use crate::view::Glance;
use crate::{FetchError, QueryVectors, ScopeView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use synap_readmodel::Snapshot;

/// What takes part of one scope.
#[derive(Debug, Default)]
pub(super) struct ScopePart {
    pub(super) passages: Arc<Passages>,
    pub(super) postings: Postings,
    /// Memories that had to be read for that, by ordinal.
    pub(super) rows: BTreeMap<u32, Option<Glance>>,
    /// What is kept of the scope, where it takes part as a whole.
    pub(super) kept: Option<Arc<Kept>>,
    /// Per query the passages that may be nearest to it in meaning, by their first ordinals.
    pub(super) near: Vec<BTreeSet<u32>>,
}

impl ScopePart {
    pub(super) fn read<S: Snapshot>(
        view: &ScopeView<'_, S>,
        queries: &[Query],
        vectors: Option<&QueryVectors>,
    ) -> Result<Self, FetchError> {
        let Some(totals) = view.totals()? else {
            return Ok(Self::default());
        };
        let terms = || queries.iter().flat_map(Query::forms);
        let is_whole = totals.next_ordinal - totals.first_ordinal <= WHOLE_ORDINALS_MAX;
        // Where a fetch has no time for a model, it has none for a scan of all vectors of a large scope.
        let vectors = vectors.filter(|vectors| is_whole || !vectors.is_looked_up());
        let kept = if is_whole {
            view.kept(|| Passages::all(view))?
        } else {
            None
        };
        let near = vectors.map_or_else(
            || Ok(Vec::new()),
            |vectors| {
                let of_query = |number| vectors.nearest(view, kept.as_deref(), number);
                (0..queries.len()).map(of_query).collect()
            },
        );
        let near: Vec<BTreeSet<u32>> = near?;
        if is_whole {
            let passages = match &kept {
                Some(kept) => Arc::clone(&kept.passages),
                None => Arc::new(Passages::all(view)?),
            };
            let postings = Postings::of_all(view, &passages, &totals, terms(), kept.as_deref())?;
            view.trim_cache();
            return Ok(Self {
                passages,
                postings,
                rows: BTreeMap::new(),
                kept,
                near,
            });
        }
        let mut known = ScopeTerms::new(Some(&totals));
        let mut ordinals = BTreeSet::new();
        for query in queries {
            let own = ChainStats::of(&totals);
            ordinals.extend(window(view, &mut known, own, query)?);
        }
        ordinals.extend(near.iter().flatten());
        let ordinals: Vec<u32> = ordinals.into_iter().collect();
        let passages = Arc::new(Passages::near(view, &ordinals)?);
        let (mut rows, mut hashes) = (BTreeMap::new(), Vec::new());
        for place in ordinals.iter().filter_map(|at| passages.place_from(0, *at)) {
            let Some(passage) = passages.get(place).filter(|_| passages.is_alive(place)) else {
                continue;
            };
            let end = passage.ordinal.saturating_add(passage.memories.into());
            let mut sequence = Vec::new();
            let ordinals: Vec<u32> = (passage.ordinal..end).collect();
            let glances = view.glances(&ordinals)?;
            for (ordinal, glance) in ordinals.into_iter().zip(glances) {
                sequence.extend(glance.iter().flat_map(|glance| &glance.head.sequence));
                rows.insert(ordinal, glance);
            }
            hashes.push((place, sequence));
        }
        let postings = Postings::of_some(&hashes, terms(), |term| known.frequency(term));
        Ok(Self {
            passages,
            postings,
            rows,
            kept,
            near,
        })
    }
}

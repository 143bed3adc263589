//! Which passages of a large scope are looked at at all: the best by BM25 alone, found without reading all postings.
//!
//! In a scope of up to [`WHOLE_ORDINALS_MAX`] ordinals every passage takes part. In a larger one the passages that score
//! best by the sum of the query's words do, each word by its rarity in the scope; their neighbours and threads are seen as
//! far as they are among them.

mod top;

use super::Query;
use super::bm25::{B, ChainStats, K1, idf};
use crate::{FetchError, ScopeView};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use synap_readmodel::{CHUNK_ORDINALS, Ended, Posting, Snapshot, Summary, Totals, key};
use top::List;

/// Ordinals of a scope up to which every passage takes part in every fetch. Reading them costs about a millisecond.
pub(crate) const WHOLE_ORDINALS_MAX: u32 = 8 * CHUNK_ORDINALS;

/// Passages of a larger scope that take part for one query.
const WINDOW: usize = 512;

/// Chunks of a scope up to which each summary is asked for by its key; a scan costs more than that many point reads.
const POINT_READS_MAX: u32 = 8;

/// Postings that a fetch holds of one scope: a million of them, and what is scanned for nothing at most if few are needed.
/// Of longer lists it reads the chunks that can matter, one by one.
const WHOLE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A word to be looked for, and how much it counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightedTerm {
    /// As in the postings.
    pub(crate) term: String,
    /// 1 for a word of the query, less for a related one.
    pub(crate) weight: f32,
}

/// The passages of one large scope that take part for a query, by their first ordinals, in order.
pub(crate) fn window<S: Snapshot>(
    view: &ScopeView<'_, S>,
    terms: &mut ScopeTerms,
    stats: ChainStats,
    query: &Query,
) -> Result<Vec<u32>, FetchError> {
    let words = query.words.iter().flat_map(|word| &word.forms);
    let words: Vec<WeightedTerm> = words
        .map(|(term, weight)| WeightedTerm {
            term: term.clone(),
            weight: *weight,
        })
        .collect();
    let views = std::slice::from_ref(view);
    let found = score(views, std::slice::from_mut(terms), stats, &words, WINDOW)?;
    let ordinals = found.into_iter().flatten().map(|(ordinal, _)| ordinal);
    Ok(ordinals.collect())
}

/// What the terms of one scope are known by without their postings: read once per term however many queries use it.
#[derive(Debug, Default)]
pub(crate) struct ScopeTerms {
    /// Ordinals that are there: from this one, up to before that one.
    ordinals: (u32, u32),
    /// By term, then by chunk.
    summaries: BTreeMap<String, Vec<(u32, Summary)>>,
    /// Postings that were read at once.
    whole: BTreeMap<String, Whole>,
    /// Bytes that may be added to those.
    room_bytes: usize,
}

/// All postings of one term.
#[derive(Debug, Default)]
struct Whole {
    bytes: Vec<u8>,
    /// Chunks, and where each begins.
    starts: Vec<(u32, usize)>,
}

impl Whole {
    fn chunk(&self, number: u32) -> &[u8] {
        let at = self
            .starts
            .binary_search_by_key(&number, |(chunk, _)| *chunk);
        let range = at.ok().and_then(|at| {
            let start = self.starts.get(at)?.1;
            Some(
                start
                    ..self
                        .starts
                        .get(at + 1)
                        .map_or(self.bytes.len(), |next| next.1),
            )
        });
        range
            .and_then(|range| self.bytes.get(range))
            .unwrap_or_default()
    }
}

impl ScopeTerms {
    /// Of a scope with these statistics.
    pub(crate) fn new(totals: Option<&Totals>) -> Self {
        Self {
            ordinals: totals.map_or((0, 0), |row| (row.first_ordinal, row.next_ordinal)),
            room_bytes: WHOLE_BYTES_MAX,
            ..Self::default()
        }
    }

    fn load<S: Snapshot>(
        &mut self,
        view: &ScopeView<'_, S>,
        terms: &[WeightedTerm],
    ) -> Result<(), FetchError> {
        let (from, to) = self.ordinals;
        if from >= to {
            return Ok(());
        }
        let chunks = from / CHUNK_ORDINALS..(to - 1) / CHUNK_ORDINALS + 1;
        let chunks_end = chunks.end;
        let mut unknown: Vec<&str> = terms.iter().map(|term| &*term.term).collect();
        unknown.retain(|term| !self.summaries.contains_key(*term));
        let mut found = if chunks.end - chunks.start <= POINT_READS_MAX {
            by_key(view, &unknown, chunks)?
        } else {
            let scans = unknown.iter().map(|term| by_scan(view, term, chunks.start));
            scans.collect::<Result<Vec<_>, _>>()?
        };
        for (term, summaries) in unknown.into_iter().zip(&mut found) {
            summaries.retain(|(chunk, _)| *chunk < chunks_end);
            for (chunk, summary) in summaries.iter_mut() {
                let start = *chunk * CHUNK_ORDINALS;
                let is_cut = start < from || to - start < CHUNK_ORDINALS;
                if view.is_past() && (is_cut || summary.ended > 0) || start < from {
                    *summary = recounted(view, term, (*chunk, *summary), (from, to))?;
                }
            }
            self.summaries
                .insert(term.to_owned(), std::mem::take(summaries));
        }
        Ok(())
    }

    /// Reads all postings of a term if there is room for them: a scan costs a tenth of point reads of all its chunks.
    fn read_whole<S: Snapshot>(
        &mut self,
        view: &ScopeView<'_, S>,
        term: &str,
    ) -> Result<(), FetchError> {
        let summaries = self.of(term).iter();
        let bytes: usize = summaries
            .map(|(_, summary)| 4 * usize::from(summary.entries))
            .sum();
        if bytes == 0 || bytes > self.room_bytes || self.whole.contains_key(term) {
            return Ok(());
        }
        let mut whole = Whole::default();
        let postings = key::postings(view.hash(), term);
        view.snapshot.scan(&postings, &mut |rest, value| {
            whole.starts.push((key::chunk_of(rest), whole.bytes.len()));
            whole.bytes.extend_from_slice(value);
            ControlFlow::Continue(())
        })?;
        self.room_bytes = self.room_bytes.saturating_sub(bytes);
        self.whole.insert(term.to_owned(), whole);
        Ok(())
    }

    fn of(&self, term: &str) -> &[(u32, Summary)] {
        self.summaries.get(term).map_or(&[], Vec::as_slice)
    }

    /// Passages of the scope that have the term and can be told.
    pub(crate) fn frequency(&self, term: &str) -> u64 {
        let summaries = self.of(term).iter();
        summaries
            .map(|(_, summary)| u64::from(summary.live()))
            .sum()
    }
}

/// Per term its summaries in `chunks`, which are few.
fn by_key<S: Snapshot>(
    view: &ScopeView<'_, S>,
    terms: &[&str],
    chunks: std::ops::Range<u32>,
) -> Result<Vec<Vec<(u32, Summary)>>, FetchError> {
    let of_term = |term| {
        chunks
            .clone()
            .map(move |chunk| key::summary(view.hash(), term, chunk))
    };
    let keys: Vec<_> = terms.iter().flat_map(|term| of_term(term)).collect();
    let mut values = view.snapshot.get_many(&keys)?.into_iter();
    let mut found = Vec::with_capacity(terms.len());
    for _ in terms {
        let of_term = chunks.clone().zip(&mut values);
        let known = of_term.filter_map(|(chunk, value)| Some((chunk, Summary::read(&value?))));
        found.push(known.collect());
    }
    Ok(found)
}

/// A term's summaries from the chunk `first` on.
fn by_scan<S: Snapshot>(
    view: &ScopeView<'_, S>,
    term: &str,
    first: u32,
) -> Result<Vec<(u32, Summary)>, FetchError> {
    let mut found = Vec::new();
    let summaries = key::summaries(view.hash(), term);
    view.snapshot.scan(&summaries, &mut |rest, value| {
        let chunk = key::chunk_of(rest);
        if chunk >= first {
            found.push((chunk, Summary::read(value)));
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// The summary of a chunk of which some passages do not count, being older than the scope's last erasure or younger than
/// what is asked for, or of which some had not ended yet then.
fn recounted<S: Snapshot>(
    view: &ScopeView<'_, S>,
    term: &str,
    (chunk, summary): (u32, Summary),
    (from, to): (u32, u32),
) -> Result<Summary, FetchError> {
    let at = key::posting_chunk(view.hash(), term, chunk);
    let value = view.snapshot.get(&at)?.unwrap_or_default();
    let gone = if summary.ended > 0 {
        ended(view, chunk)?
    } else {
        BTreeSet::new()
    };
    let counts = |posting: &Posting| (from..to).contains(&posting.ordinal);
    let (gone, there): (Vec<Posting>, Vec<Posting>) = Posting::read(chunk, &value)
        .filter(counts)
        .partition(|posting| gone.contains(&posting.ordinal));
    let saturating = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    Ok(Summary {
        entries: saturating(there.len() + gone.len()),
        ended: saturating(gone.len()),
        ..summary
    })
}

/// The passages of a chunk that have ended, as far as `view` sees it.
fn ended<S: Snapshot>(view: &ScopeView<'_, S>, chunk: u32) -> Result<BTreeSet<u32>, FetchError> {
    let value = view
        .snapshot
        .get(&key::ended_chunk(view.hash(), chunk))?
        .unwrap_or_default();
    let gone = Ended::read(&value).filter(|entry| !view.is_live(Some(entry.seq)));
    Ok(gone.map(|entry| entry.ordinal).collect())
}

/// Scores of one query in every scope of the chain: per scope, ordinal and score of passages that match, by ordinal.
///
/// Of a scope with more matches than `most` it tells the best `most`, of equals the newest; those exactly, and no others.
fn score<S: Snapshot>(
    views: &[ScopeView<'_, S>],
    scopes: &mut [ScopeTerms],
    stats: ChainStats,
    terms: &[WeightedTerm],
    most: usize,
) -> Result<Vec<Vec<(u32, f32)>>, FetchError> {
    for (view, scope) in views.iter().zip(&mut *scopes) {
        scope.load(view, terms)?;
    }
    let weight = |term: &WeightedTerm| {
        let frequency = scopes.iter().map(|scope| scope.frequency(&term.term));
        term.weight * idf(stats.passages, frequency.sum())
    };
    let mut weighted: Vec<(&str, f32)> = terms
        .iter()
        .map(|term| (&*term.term, weight(term)))
        .collect();
    // One order for all: what is added in another is another sum.
    weighted.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (view, scope) in views.iter().zip(&mut *scopes) {
        for (term, _) in &weighted {
            scope.read_whole(view, term)?;
        }
    }
    let saturation = Saturation::new(stats);
    let in_scope = |(view, scope): (&ScopeView<'_, S>, &ScopeTerms)| {
        let lists = weighted.iter().map(|(term, weight)| List {
            term,
            weight: *weight,
            summaries: scope.of(term),
            whole: scope.whole.get(*term),
        });
        let lists: Vec<List<'_>> = lists.filter(|list| !list.summaries.is_empty()).collect();
        top::best(view, &lists, scope.ordinals, saturation, most)
    };
    views.iter().zip(&*scopes).map(in_scope).collect()
}

/// What frequency and length make of a term's weight.
#[derive(Debug, Clone, Copy)]
struct Saturation {
    base: f32,
    per_term: f32,
}

impl Saturation {
    fn new(stats: ChainStats) -> Self {
        let average = stats.average();
        Self {
            base: K1 * (1.0 - B),
            per_term: K1 * B / average,
        }
    }

    /// Of a term that occurs `tf` times among `terms`.
    fn of(self, tf: u16, terms: u16) -> f32 {
        let (tf, terms) = (f32::from(tf), f32::from(terms));
        tf * (K1 + 1.0) / (tf + self.base + self.per_term * terms)
    }

    /// At least that of every memory of a chunk, to the last bit.
    fn bound(self, summary: Summary) -> f32 {
        let once = self.of(1, summary.once);
        if summary.tf > 1 {
            // Rounding is monotonous in the length, not in the frequency.
            once.max(self.of(summary.tf, summary.often) * top::SLACK)
        } else {
            once
        }
    }
}

#[cfg(test)]
mod tests;

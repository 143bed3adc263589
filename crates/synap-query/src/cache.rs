//! What fetches read of a scope again and again, kept as long as the store does not change.
//!
//! An entry is of one version of a store ([`Snapshot::version`]): whatever is written, anywhere in the store, ends it. So a
//! fetch never sees what its snapshot does not have. It holds no text: places of passages, and of the terms that were asked
//! for.
//!
//! [`Snapshot::version`]: synap_readmodel::Snapshot::version

use crate::passages::Passages;
use crate::signal::bm25::Hit;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synap_types::{Hash128, Scope};

/// What the entries of one cache take together, in bytes.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Entries of one cache.
const SCOPES_MAX: usize = 1_024;

/// Entries of the scopes of one store. Whoever serves a store keeps one for it.
#[derive(Debug, Default)]
pub struct ScopeCache {
    entries: Mutex<HashMap<Hash128, Arc<Kept>>>,
    /// Counts uses, to tell which entry was not used for longest.
    uses: AtomicU64,
}

/// What is kept of one scope.
#[derive(Debug)]
pub(crate) struct Kept {
    scope: Scope,
    version: u64,
    pub(crate) passages: Arc<Passages>,
    /// Where terms occur, also those that occur nowhere.
    terms: Mutex<BTreeMap<String, Arc<[Hit]>>>,
    bytes: AtomicUsize,
    used: AtomicU64,
}

impl ScopeCache {
    /// The entry of a scope in this version of the store. `read` makes the passages where there is none.
    pub(crate) fn of<E>(
        &self,
        (scope, hash): (&Scope, &Hash128),
        version: u64,
        read: impl FnOnce() -> Result<Passages, E>,
    ) -> Result<Arc<Kept>, E> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let known = self.entries().get(hash).map(Arc::clone);
        // The full path is compared, as everywhere.
        if let Some(kept) = known.filter(|kept| kept.version == version && kept.scope == *scope) {
            kept.used.store(used, Ordering::Relaxed);
            return Ok(kept);
        }
        let passages = Arc::new(read()?);
        let kept = Arc::new(Kept {
            scope: scope.clone(),
            version,
            bytes: AtomicUsize::new(passages.bytes()),
            passages,
            terms: Mutex::default(),
            used: AtomicU64::new(used),
        });
        self.entries().insert(*hash, Arc::clone(&kept));
        Ok(kept)
    }

    /// Drops what was not used for longest until the rest is within the limits.
    pub(crate) fn trim(&self) {
        let mut entries = self.entries();
        let bytes = |kept: &Arc<Kept>| kept.bytes.load(Ordering::Relaxed);
        let mut all: usize = entries.values().map(bytes).sum();
        while all > BYTES_MAX || entries.len() > SCOPES_MAX {
            let oldest = entries
                .iter()
                .min_by_key(|(_, kept)| kept.used.load(Ordering::Relaxed));
            let Some(oldest) = oldest.map(|(hash, _)| *hash) else {
                return;
            };
            let gone = entries.remove(&oldest);
            all = all.saturating_sub(gone.as_ref().map_or(0, bytes));
        }
    }

    /// Forgets everything: after an erasure, nothing of what was there is to stay in memory.
    pub fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Hash128, Arc<Kept>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Where a term occurs, if that was asked before.
    pub(crate) fn term(&self, term: &str) -> Option<Arc<[Hit]>> {
        self.terms().get(term).map(Arc::clone)
    }

    pub(crate) fn keep(&self, term: &str, hits: Arc<[Hit]>) {
        /// A node of the map, beside the term and the hits.
        const NODE_BYTES: usize = 96;
        let bytes = NODE_BYTES + term.len() + size_of_val(&*hits);
        if self.terms().insert(term.to_owned(), hits).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn terms(&self) -> MutexGuard<'_, BTreeMap<String, Arc<[Hit]>>> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use synap_types::ScopeLevel;

    fn scope(customer: &str) -> Scope {
        let level = ScopeLevel {
            level: "customer".parse().unwrap(),
            id: customer.parse().unwrap(),
        };
        Scope::new("app".parse().unwrap(), vec![level]).unwrap()
    }

    /// The entry, and whether it had to be made.
    fn kept(cache: &ScopeCache, scope: &Scope, version: u64) -> (Arc<Kept>, bool) {
        let mut is_made = false;
        let read = || {
            is_made = true;
            Ok::<_, Infallible>(Passages::default())
        };
        let Ok(kept) = cache.of((scope, &scope.hash()), version, read);
        (kept, is_made)
    }

    #[test]
    fn an_entry_is_of_one_scope_in_one_version() {
        let (cache, acme) = (ScopeCache::default(), scope("acme"));
        let (first, is_made) = kept(&cache, &acme, 7);
        assert!(is_made);
        first.keep("lift", Arc::new([]));
        let (again, is_made) = kept(&cache, &acme, 7);
        assert!(!is_made && again.term("lift").is_some() && again.term("cat").is_none());
        let (later, is_made) = kept(&cache, &acme, 8);
        assert!(is_made && later.term("lift").is_none());
        assert!(kept(&cache, &scope("other"), 8).1);
        // Another scope under the same hash is another scope.
        let read = || Ok::<_, Infallible>(Passages::default());
        let Ok(foreign) = cache.of((&scope("mallory"), &acme.hash()), 8, read);
        assert_eq!(foreign.scope, scope("mallory"));
        cache.clear();
        assert!(kept(&cache, &acme, 8).1);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let cache = ScopeCache::default();
        let (old, used, new) = (scope("old"), scope("used"), scope("new"));
        for scope in [&old, &used, &new] {
            let (kept, _) = kept(&cache, scope, 1);
            kept.bytes.store(BYTES_MAX / 3, Ordering::Relaxed);
        }
        cache.trim();
        kept(&cache, &old, 1).0.keep("lift", Arc::new([]));
        cache.trim();
        assert!(kept(&cache, &used, 1).1, "it was not used since");
        assert!(!kept(&cache, &old, 1).1 && !kept(&cache, &new, 1).1);
    }
}

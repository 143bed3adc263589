//! What fetches read of a scope again and again, kept as long as the store does not change.
//!
//! An entry is of one version of a store ([`Snapshot::version`]): whatever is written, anywhere in the store, ends it. So a
//! fetch never sees what its snapshot does not have. It holds no text: places of passages, of the terms that were asked
//! for, and vectors.
//!
//! [`Snapshot::version`]: synap_readmodel::Snapshot::version

use crate::passages::Passages;
use crate::signal::bm25::Hit;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synap_readmodel::{Sketch, Vector};
use synap_types::{Hash128, Scope};

/// What the entries of one cache take together, in bytes.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// A node of a map, beside what it is of.
const NODE_BYTES: usize = 96;
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
    vectors: Mutex<KeptVectors>,
    bytes: AtomicUsize,
    used: AtomicU64,
}

/// What is kept of the vectors of one model; those of another take their place.
#[derive(Debug, Default)]
struct KeptVectors {
    model: Option<Hash128>,
    sketches: Option<Arc<[Sketch]>>,
    /// By number, also those that hold nothing.
    blocks: BTreeMap<u32, Arc<[Vector]>>,
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
            vectors: Mutex::default(),
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
        let bytes = NODE_BYTES + term.len() + size_of_val(&*hits);
        if self.terms().insert(term.to_owned(), hits).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// All sketches of the model's vectors, if they were asked for before.
    pub(crate) fn sketches(&self, model: &Hash128) -> Option<Arc<[Sketch]>> {
        self.vectors(model).sketches.clone()
    }

    pub(crate) fn keep_sketches(&self, model: &Hash128, sketches: Arc<[Sketch]>) {
        let bytes = size_of_val(&*sketches);
        if self.vectors(model).sketches.replace(sketches).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// A block of the model's vectors, if it was asked for before.
    pub(crate) fn block(&self, model: &Hash128, number: u32) -> Option<Arc<[Vector]>> {
        self.vectors(model).blocks.get(&number).map(Arc::clone)
    }

    pub(crate) fn keep_block(&self, model: &Hash128, number: u32, block: Arc<[Vector]>) {
        let bytes = NODE_BYTES + size_of_val(&*block);
        if self.vectors(model).blocks.insert(number, block).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn vectors(&self, model: &Hash128) -> MutexGuard<'_, KeptVectors> {
        let vectors = self.vectors.lock();
        let mut vectors = vectors.unwrap_or_else(PoisonError::into_inner);
        if vectors.model.as_ref() != Some(model) {
            *vectors = KeptVectors {
                model: Some(*model),
                ..KeptVectors::default()
            };
        }
        vectors
    }

    fn terms(&self) -> MutexGuard<'_, BTreeMap<String, Arc<[Hit]>>> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use synap_readmodel::VECTOR_BYTES;
    use synap_types::{HASH_BYTES, ScopeLevel};

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
    fn vectors_are_of_one_model_and_count() {
        let cache = ScopeCache::default();
        let (kept, _) = kept(&cache, &scope("acme"), 1);
        let model = |byte| Hash128::from_bytes([byte; HASH_BYTES]);
        let (one, other) = (model(1), model(2));
        let vector = Vector {
            ordinal: 3,
            numbers: [1; VECTOR_BYTES],
        };
        kept.keep_block(&one, 0, Arc::new([vector]));
        kept.keep_sketches(&one, Arc::new([vector.sketch()]));
        assert!(kept.bytes.load(Ordering::Relaxed) > VECTOR_BYTES);
        assert!(kept.block(&one, 0).is_some() && kept.block(&one, 1).is_none());
        assert!(kept.sketches(&one).is_some());
        assert!(kept.sketches(&other).is_none() && kept.block(&other, 0).is_none());
        assert!(kept.block(&one, 0).is_none(), "the other took its place");
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

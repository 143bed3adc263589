//! The models of this process: what was loaded, the vectors of queries within a time budget, and how far the enrichment is.

use crate::config::ModelSettings;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;
use synap_models::{Encoder, TokenCounter, look_up};
use synap_query::{QueryVectors, Tokenizer, Tokens};
use synap_text::query_terms;
use synap_types::{Partition, Seq};
use tokio::sync::Semaphore;
use tracing::{info, warn};

/// Fetches whose queries are encoded at once; others wait, as long as their budget lets them.
const ENCODINGS_MAX: usize = 2;

/// Everything that a model is asked for goes through here.
#[derive(Debug)]
pub(crate) struct Models {
    encoder: Option<Arc<Encoder>>,
    tokenizer: Option<Vocabulary>,
    budget: Duration,
    permits: Arc<Semaphore>,
    /// Fetches that wait for a vector: the enrichment gives way to them.
    asking: AtomicUsize,
    /// Fetches since the start, and how many the enrichment knows of.
    fetches: AtomicU64,
    fetches_known: AtomicU64,
    /// Memories that this process has encoded.
    done: AtomicU64,
    /// Per partition the last event that the enrichment is through with.
    through: Mutex<BTreeMap<Partition, Seq>>,
}

/// The vectors of queries without a model, if there are any. Whether one is loaded does not matter; what matters is whether
/// one has seen the memories.
pub(crate) fn looked_up(queries: &[String]) -> Option<QueryVectors> {
    let vectors: Vec<_> = queries
        .iter()
        .map(|query| look_up(&query_terms(query)))
        .collect();
    let any = vectors.iter().any(Option::is_some);
    any.then(|| QueryVectors::looked_up(Encoder::NAME, Encoder::HASH, vectors))
}

/// The vocabulary of the language model that is prompted.
#[derive(Debug)]
struct Vocabulary(TokenCounter);

impl Tokenizer for Vocabulary {
    fn tokens(&self, text: &str) -> usize {
        self.0.count(text)
    }
}

/// Counts a fetch that waits, until it does not.
struct Asking<'a>(&'a AtomicUsize);

impl<'a> Asking<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Models {
    /// Loads what is in the folder. What is not there, or is not what it should be, is absent: nothing fails for it. A
    /// tokenizer was asked for by name, so it has to be there.
    pub(crate) fn load(settings: &ModelSettings) -> anyhow::Result<Self> {
        let tokenizer = settings.tokenizer.as_deref().map(TokenCounter::open);
        let tokenizer = tokenizer.transpose().context("in --tokenizer")?;
        let encoder = match Encoder::open(&settings.dir) {
            Ok(Some(encoder)) => {
                info!(model = Encoder::NAME, hash = Encoder::HASH, "model loaded");
                Some(Arc::new(encoder))
            }
            Ok(None) => None,
            Err(e) => {
                let source = std::error::Error::source(&e);
                warn!(error = %e, ?source, "the model is not used; accurate fetches are answered as fast ones");
                None
            }
        };
        Ok(Self {
            encoder,
            tokenizer: tokenizer.map(Vocabulary),
            budget: Duration::from_millis(settings.accurate_ms),
            permits: Arc::new(Semaphore::new(ENCODINGS_MAX)),
            asking: AtomicUsize::new(0),
            fetches: AtomicU64::new(0),
            fetches_known: AtomicU64::new(0),
            done: AtomicU64::new(0),
            through: Mutex::default(),
        })
    }

    /// How tokens are counted.
    pub(crate) fn tokens(&self) -> Tokens<'_> {
        let tokenizer = self.tokenizer.as_ref();
        Tokens::by(tokenizer.map(|vocabulary| vocabulary as &dyn Tokenizer))
    }

    /// The encoder, if there is one.
    pub(crate) const fn encoder(&self) -> Option<&Arc<Encoder>> {
        self.encoder.as_ref()
    }

    /// The vectors of queries by the model, or why there are none.
    pub(crate) async fn vectors(&self, queries: &[String]) -> Result<QueryVectors, &'static str> {
        let encoder = self
            .encoder
            .as_ref()
            .ok_or("no model is loaded: answered as in fast mode")?;
        let _asking = Asking::new(&self.asking);
        let late = "the model took too long: answered as in fast mode";
        let (encoder, permits) = (Arc::clone(encoder), Arc::clone(&self.permits));
        let queries = queries.to_vec();
        let vectors = async move {
            let permit = permits.acquire_owned().await.ok()?;
            let work = tokio::task::spawn_blocking(move || {
                // It goes with the work: a fetch that no longer waits does not make room for another.
                let _permit = permit;
                let texts: Vec<&str> = queries.iter().map(String::as_str).collect();
                let vectors = encoder.encode(&texts).into_iter().map(Some).collect();
                QueryVectors::new(Encoder::NAME, Encoder::HASH, vectors)
            });
            work.await.ok()
        };
        let in_time = tokio::time::timeout(self.budget, vectors).await;
        in_time
            .map_err(|_| late)?
            .ok_or("the model failed: answered as in fast mode")
    }

    /// There was a fetch, whether it asks a model or not.
    pub(crate) fn note_fetch(&self) {
        self.fetches.fetch_add(1, Ordering::Relaxed);
    }

    /// How many memories the enrichment may encode at once now: as many as there are cores, or one if there was a fetch
    /// since this was asked last.
    pub(crate) fn encodings_at_once(&self) -> usize {
        let fetches = self.fetches.load(Ordering::Relaxed);
        if self.fetches_known.swap(fetches, Ordering::Relaxed) == fetches {
            available_parallelism().map_or(1, NonZeroUsize::get)
        } else {
            1
        }
    }

    /// Whether a fetch waits for a vector.
    pub(crate) fn is_asked(&self) -> bool {
        self.asking.load(Ordering::Relaxed) > 0
    }

    /// So many memories were encoded and recorded.
    pub(crate) fn note_done(&self, memories: usize) {
        self.done.fetch_add(memories as u64, Ordering::Relaxed);
    }

    /// The enrichment is through with everything up to `seq`.
    pub(crate) fn note_through(&self, partition: Partition, seq: Seq) {
        let mut through = self.through.lock().unwrap_or_else(PoisonError::into_inner);
        through.insert(partition, seq);
    }

    /// For `/health`: the model, and the events that the enrichment has not looked at among those that are applied.
    pub(crate) fn show(&self, applied: impl Iterator<Item = (Partition, Seq)>) -> Value {
        if self.encoder.is_none() {
            return json!({"state": "absent"});
        }
        let through = self.through.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = |(partition, applied): (Partition, Seq)| {
            let seq = through.get(&partition).map_or(0, |seq| seq.get());
            applied.get().saturating_sub(seq)
        };
        let pending: u64 = applied.map(behind).sum();
        json!({"state": "loaded", "name": Encoder::NAME, "hash": Encoder::HASH, "pending": pending,
            "done": self.done.load(Ordering::Relaxed)})
    }
}

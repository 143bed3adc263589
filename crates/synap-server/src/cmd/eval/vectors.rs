//! A model for evaluations in this process, and a file that keeps what it computed of texts: encoding takes longer than
//! everything else, and weights are tried on the same texts again and again.

use anyhow::Context as _;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use synap_models::{Encoder, quantised};
use synap_query::QueryVectors;
use synap_types::{MemoryVector, QuantisedVector};

/// What a model says of texts.
pub(super) struct Vectors {
    encoder: Encoder,
    /// By the hash of a text.
    known: BTreeMap<String, QuantisedVector>,
    file: Option<PathBuf>,
    is_changed: bool,
}

impl Vectors {
    /// The model in `folder`, with what `file` has of it, if there is one.
    pub(super) fn open(folder: &Path, file: Option<PathBuf>) -> anyhow::Result<Self> {
        let encoder = Encoder::open(folder)?;
        let encoder =
            encoder.with_context(|| format!("there are no model files in {}", folder.display()))?;
        let known = match file.as_deref().map(fs::read) {
            Some(Ok(bytes)) => serde_json::from_slice(&bytes)
                .context("the file of --vectors holds something else")?,
            Some(Err(e)) if e.kind() != ErrorKind::NotFound => {
                return Err(e).context("the file of --vectors cannot be read");
            }
            _ => BTreeMap::new(),
        };
        Ok(Self {
            encoder,
            known,
            file,
            is_changed: false,
        })
    }

    /// The vectors of stored texts, in their order. What is not known yet is computed on all cores.
    pub(super) fn of(&mut self, texts: &[&str]) -> Vec<Vec<i8>> {
        let hashes: Vec<String> = texts
            .iter()
            .map(|text| MemoryVector::text_hash(text))
            .collect();
        let missing: BTreeMap<&String, &str> = hashes
            .iter()
            .zip(texts.iter().copied())
            .filter(|(hash, _)| !self.known.contains_key(*hash))
            .collect();
        let unknown: Vec<&str> = missing.values().copied().collect();
        let new = encoded(&self.encoder, &unknown);
        let new: Vec<_> = missing.into_keys().cloned().zip(new).collect();
        self.is_changed |= !new.is_empty();
        self.known.extend(new);
        let known = hashes.iter().filter_map(|hash| self.known.get(hash));
        known.map(|known| known.0.clone()).collect()
    }

    /// The vector of a query.
    pub(super) fn of_query(&self, query: &str) -> QueryVectors {
        let vectors = self.encoder.encode(&[query]).into_iter().map(Some);
        QueryVectors::new(Encoder::NAME, Encoder::HASH, vectors.collect())
    }

    /// Writes the file, if there is one and anything is new.
    pub(super) fn save(&mut self) -> anyhow::Result<()> {
        if let Some(file) = self.file.as_deref().filter(|_| self.is_changed) {
            let bytes = serde_json::to_vec(&self.known)?;
            fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
            self.is_changed = false;
        }
        Ok(())
    }
}

fn encoded(encoder: &Encoder, texts: &[&str]) -> Vec<QuantisedVector> {
    let encode = |part: &[&str]| encoder.encode(part);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let vectors: Vec<Vec<f32>> = thread::scope(|scope| {
        let parts = texts.chunks(texts.len().div_ceil(cores).max(1));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(move || encode(part)))
            .collect();
        let done = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default());
        done.flatten().collect()
    });
    let quantised = vectors
        .iter()
        .map(|vector| QuantisedVector(quantised(vector)));
    quantised.collect()
}

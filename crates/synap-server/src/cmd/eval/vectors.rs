//! A model for evaluations in this process, and a file that keeps what it computed of texts: encoding takes longer than
//! everything else, and weights are tried on the same texts again and again.

use anyhow::Context as _;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
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

    /// The vector of a stored text.
    pub(super) fn of(&mut self, text: &str) -> Vec<i8> {
        let hash = MemoryVector::text_hash(text);
        if let Some(known) = self.known.get(&hash) {
            return known.0.clone();
        }
        let vector = self.encoder.encode(&[text]).pop();
        let vector = quantised(&vector.unwrap_or_default());
        self.is_changed = true;
        self.known.insert(hash, QuantisedVector(vector.clone()));
        vector
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

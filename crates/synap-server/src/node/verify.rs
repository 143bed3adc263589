//! Verification: the log is folded into a scratch store and compared with the live rows.

use super::Node;
use anyhow::Context as _;
use std::sync::Arc;
use synap_log::EventLog;
use synap_projection::fold;
use synap_readmodel::{ReadStore as _, Sample, SnapshotExt as _, compare_of, digest_of, key};
use synap_rocksdb::RocksStore;
use synap_types::Seq;
use tokio::runtime::Handle;

/// Differences that a verification lists.
const DIFFERENCES_MAX: usize = 20;

/// What a verification found.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Verified {
    pub(crate) partition: String,
    pub(crate) applied_seq: u64,
    /// Rows that were compared.
    pub(crate) rows: u64,
    /// The share of all keys that they are of.
    pub(crate) sample: f64,
    pub(crate) live_digest: String,
    pub(crate) log_digest: String,
    pub(crate) equal: bool,
    pub(crate) differences: Vec<String>,
}

impl<L: EventLog> Node<L> {
    /// Folds the log into a scratch store and compares a sample of it with the live rows, byte for byte.
    pub(crate) async fn verify(
        self: &Arc<Self>,
        sample: Sample,
        report: impl FnMut(Seq, Seq) + Send + 'static,
    ) -> anyhow::Result<Verified> {
        let _one_at_a_time = self.work.lock().await;
        let this = Arc::clone(self);
        // One snapshot of the live rows is held all the while, and it borrows its store: so this has a thread of its own.
        let work = move |runtime: Handle| this.verify_blocking(&runtime, sample, report);
        let done = self.on_a_thread(work).await;
        if self.scratch.exists() {
            std::fs::remove_dir_all(&self.scratch).context("cannot remove the scratch store")?;
        }
        done
    }

    fn verify_blocking(
        &self,
        runtime: &Handle,
        sample: Sample,
        mut report: impl FnMut(Seq, Seq),
    ) -> anyhow::Result<Verified> {
        if self.scratch.exists() {
            std::fs::remove_dir_all(&self.scratch).context("cannot remove an old scratch store")?;
        }
        let live = self.live();
        anyhow::ensure!(
            !live.is_outdated(),
            "the live rows are of another version of the projection: they cannot be compared"
        );
        let rows = live.store.snapshot();
        let applied = rows
            .row(&key::checkpoint())?
            .map_or(Seq::ZERO, |row| Seq::new(row.seq));
        report(Seq::ZERO, applied);
        let scratch = Arc::new(RocksStore::open(&self.scratch, &self.options())?);
        let folding = fold(&*self.log, &scratch, self.partition, applied, |at, _| {
            report(at, applied);
        });
        runtime.block_on(self.unless_closing(folding))??;
        let folded = scratch.snapshot();
        let (live_digest, log_digest) = (digest_of(&rows, sample)?, digest_of(&folded, sample)?);
        let equal = live_digest == log_digest;
        let differences = if equal {
            Vec::new()
        } else {
            compare_of(&rows, &folded, sample, DIFFERENCES_MAX)?
        };
        Ok(Verified {
            partition: self.partition.token(),
            applied_seq: applied.get(),
            rows: live_digest.rows,
            sample: sample.share(),
            live_digest: live_digest.to_string(),
            log_digest: log_digest.to_string(),
            equal,
            differences: differences.iter().map(ToString::to_string).collect(),
        })
    }
}

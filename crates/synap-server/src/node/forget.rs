//! What was erased leaves this partition: its log, its rows, and the files under them.

use super::{LIVE, Node, OpenFor, start};
use anyhow::Context as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use synap_log::{Erasure, EventLog};
use synap_projection::Standing;
use synap_readmodel::{ReadStore as _, SnapshotExt as _, key};
use synap_rocksdb::RocksStore;

/// How long rows may take to be folded anew: a scope of a million memories takes minutes.
const SETTLE_WAIT: Duration = Duration::from_secs(60 * 60);
/// How often it is looked whether they are.
const LOOK: Duration = Duration::from_millis(10);

impl<L: EventLog> Node<L> {
    /// Takes events out of the log and out of every generation; when this returns, no file of the read model holds them.
    ///
    /// Fetches go on all the while. The generation before the live one goes as a whole, and with it the way back to it.
    pub(crate) async fn forget(&self, erasures: Vec<Erasure>) -> anyhow::Result<()> {
        let _one_at_a_time = self.work.lock().await;
        for erasure in erasures {
            let erased = self.log.erase(self.partition, erasure);
            erased.await.context("the log cannot be erased")?;
        }
        let wanted = self.log.erasures(self.partition).await?.len() as u64;
        let live = self.live();
        if !live.is_outdated() {
            // A projector begins with what was erased.
            self.switching.store(true, Ordering::SeqCst);
            live.stop().await;
            let again = start(
                &self.log,
                Arc::clone(&live.store),
                self.partition,
                OpenFor::Serving(live.number),
            );
            if let Ok(again) = &again {
                self.live.send_replace(Arc::clone(again));
            }
            self.switching.store(false, Ordering::SeqCst);
            again?;
            self.settled(&live.store, wanted).await?;
            self.live().cache.clear();
        }
        for number in self.generations.list()? {
            if number != live.number {
                self.generations.remove(number)?;
            }
        }
        let mut stores = vec![Arc::clone(&live.store)];
        stores.extend(self.restart_named(wanted).await?);
        let compacted = tokio::task::spawn_blocking(move || {
            stores.iter().try_for_each(|store| store.compact())
        });
        Ok(compacted.await.context("the compaction panicked")??)
    }

    /// Starts those with a name again, and waits until they have forgotten, too.
    async fn restart_named(&self, wanted: u64) -> anyhow::Result<Vec<Arc<RocksStore>>> {
        let mut stores = Vec::new();
        for name in self.generations.named()? {
            let Some(named) = self.named(&name) else {
                // Not filled yet: what was erased is not in the log any more.
                continue;
            };
            debug_assert_ne!(name, LIVE);
            named.live.stop().await;
            self.serve_again(&name, &named)?;
            self.settled(&named.live.store, wanted).await?;
            if let Some(again) = self.named(&name) {
                again.live.cache.clear();
            }
            stores.push(Arc::clone(&named.live.store));
        }
        Ok(stores)
    }

    /// Waits until `store` takes so many erasures into account.
    async fn settled(&self, store: &RocksStore, wanted: u64) -> anyhow::Result<()> {
        let look = async {
            loop {
                let known = store.snapshot().row(&key::erasures())?;
                if known.map_or(0, |row| row.count) >= wanted {
                    return anyhow::Ok(());
                }
                if let Standing::Halted(halt) = &self.live().progress.borrow().standing {
                    anyhow::bail!("{halt}");
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let done = self
            .unless_closing(tokio::time::timeout(SETTLE_WAIT, look))
            .await?;
        done.context("the rows took too long to be folded anew")?
    }
}

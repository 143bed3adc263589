//! Generations beside the live one, by name: rows of their own, kept up with the log, that answer under settings of their
//! own. Nothing of them is ever live.

use super::build::{New, projected_here, throttled};
use super::{Live, Node, OpenFor, projected_by, start};
use crate::jobs::JobPart;
use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use synap_log::EventLog;
use synap_projection::{PROJECTION_VERSION, Standing, cut_by};
use synap_query::Ranking;
use synap_readmodel::ReadStore as _;
use synap_rocksdb::RocksStore;
use synap_text::Extractor;
use synap_types::Seq;
use tokio::runtime::Handle;
use tracing::{info, warn};

/// Weights that differ from those of the server.
pub(crate) type Weights = BTreeMap<String, f32>;

/// How a named generation differs from the live one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Difference {
    pub(crate) weights: Weights,
    /// How texts are cut.
    pub(crate) extractor: Extractor,
}

/// What stands in the file beside the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    ranking: Weights,
    /// How the texts of its rows are cut, if not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extractor: Option<String>,
    /// Whether the rows have been filled once: their projector does the rest.
    filled: bool,
}

impl Settings {
    fn new(difference: &Difference, filled: bool) -> Self {
        let extractor = difference.extractor;
        Self {
            ranking: difference.weights.clone(),
            extractor: (extractor != Extractor::default()).then(|| extractor.to_string()),
            filled,
        }
    }

    fn extractor(&self) -> anyhow::Result<Extractor> {
        let Some(name) = &self.extractor else {
            return Ok(Extractor::default());
        };
        let known = name.parse::<Extractor>();
        known.map_err(|problem| anyhow!("its extractor {name:?} {problem}"))
    }
}

/// A generation that answers by its name.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) live: Arc<Live>,
    weights: Weights,
}

impl Named {
    /// The server's ranking with the changes of this generation.
    pub(crate) fn ranking(&self, mut ranking: Ranking) -> anyhow::Result<Ranking> {
        for (name, weight) in &self.weights {
            ranking.set(name, *weight)?;
        }
        Ok(ranking)
    }
}

/// Why a name cannot be had, or removed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The caller's fault.
    Invalid(String),
    /// It contradicts what is there.
    Conflict(String),
    /// Ours.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(e: anyhow::Error) -> Self {
        Self::Failed(e)
    }
}

impl<L: EventLog> Node<L> {
    /// The generation of this name, if it has rows to answer from.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Named>> {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        named.get(name).cloned()
    }

    /// Opens those that were filled before.
    pub(super) fn open_named(&self) -> anyhow::Result<()> {
        for name in self.generations.named()? {
            let Some(settings) = self.settings(&name)? else {
                continue;
            };
            if !settings.filled {
                continue;
            }
            let store = RocksStore::open(&self.generations.named_path(&name)?, &self.options());
            match store {
                Ok(store)
                    if matches!(projected_by(&store), Ok(Some(PROJECTION_VERSION) | None)) =>
                {
                    self.serve_named(&name, Arc::new(store), settings.ranking)?;
                }
                Ok(_) | Err(_) => {
                    warn!(partition = %self.partition, name, "the named generation cannot be used: the log fills it anew");
                }
            }
        }
        Ok(())
    }

    /// Names that have no rows to answer from yet.
    pub(crate) fn unfilled(&self) -> anyhow::Result<Vec<String>> {
        let names = self.generations.named()?.into_iter();
        Ok(names.filter(|name| self.named(name).is_none()).collect())
    }

    /// Notes what is to be filled under a name.
    pub(crate) fn define(&self, name: &str, difference: &Difference) -> Result<(), Refusal> {
        if name == LIVE || self.generations.named_path(name).is_err() {
            return Err(Refusal::Invalid(format!(
                "must be made of a to z, 0 to 9, - and _, up to 64 bytes, and not be {LIVE:?}"
            )));
        }
        let wanted = Settings::new(difference, false);
        match self.settings(name)? {
            Some(known)
                if Settings {
                    filled: false,
                    ..known.clone()
                } == wanted =>
            {
                Ok(())
            }
            Some(_) => Err(Refusal::Conflict(format!(
                "there is a generation {name:?} with other settings: remove it first"
            ))),
            None => Ok(self.write_settings(name, &wanted)?),
        }
    }

    /// Fills the rows of a name that was [defined](Self::define) from the log. Goes on where it was interrupted.
    pub(crate) async fn rebuild_named(
        self: &Arc<Self>,
        name: &str,
        part: &JobPart,
    ) -> anyhow::Result<Value> {
        let _one_at_a_time = self.work.lock().await;
        let (this, part, name) = (Arc::clone(self), part.clone(), name.to_owned());
        let work = move |runtime: Handle| this.rebuild_named_blocking(&runtime, &name, &part);
        self.on_a_thread(work).await
    }

    fn rebuild_named_blocking(
        &self,
        runtime: &Handle,
        name: &str,
        part: &JobPart,
    ) -> anyhow::Result<Value> {
        let settings = self.settings(name)?.context("it was removed")?;
        if let Some(named) = self.named(name) {
            let applied = named.live.progress.borrow().applied;
            part.report(applied, applied);
            return Ok(json!({"generation": name, "resumed_from": applied}));
        }
        let tail = runtime.block_on(self.tail())?;
        let path = self.generations.named_path(name)?;
        let opened = RocksStore::open(&path, &self.options()).ok();
        let begun = opened.and_then(|store| projected_here(store, &tail));
        let (store, from) = if let Some(begun) = begun {
            begun
        } else {
            self.generations.empty_named(name)?;
            std::fs::create_dir_all(&path)
                .with_context(|| format!("cannot make {}", path.display()))?;
            let store = RocksStore::open(&path, &self.options())?;
            (Arc::new(store), Seq::ZERO)
        };
        if from == Seq::ZERO && settings.extractor.is_some() {
            cut_by(&*store, settings.extractor()?)?;
        }
        let mut new = New {
            number: 0,
            store,
            applied: from,
        };
        part.report(from, tail.last);
        let mut throttle = throttled(self.closing.clone(), part);
        self.fill(runtime, part, &mut throttle, &mut new, tail.last)?;
        new.store.flush()?;
        self.serve_named(name, new.store, settings.ranking.clone())?;
        let settings = Settings {
            filled: true,
            ..settings
        };
        self.write_settings(name, &settings)?;
        info!(partition = %self.partition, name, "the named generation is filled");
        Ok(json!({"generation": name, "resumed_from": from}))
    }

    fn serve_named(
        &self,
        name: &str,
        store: Arc<RocksStore>,
        weights: Weights,
    ) -> anyhow::Result<()> {
        let live = start(&self.log, store, self.partition, OpenFor::Name)?;
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        named.insert(name.to_owned(), Arc::new(Named { live, weights }));
        Ok(())
    }

    /// Starts the projector of a name again.
    pub(super) fn serve_again(&self, name: &str, named: &Named) -> anyhow::Result<()> {
        let store = Arc::clone(&named.live.store);
        self.serve_named(name, store, named.weights.clone())
    }

    /// Removes a name; answers whether there was one.
    pub(crate) async fn remove_named(&self, name: &str) -> Result<bool, Refusal> {
        let Ok(Some(_)) = self.generations.named_settings(name) else {
            return Ok(false);
        };
        let Ok(_one_at_a_time) = self.work.try_lock() else {
            return Err(Refusal::Conflict(
                "a rebuild or a verification goes on: remove it when that is done".to_owned(),
            ));
        };
        let taken = {
            let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
            named.remove(name)
        };
        if let Some(named) = taken {
            named.live.stop().await;
        }
        self.generations
            .remove_named(name)
            .map_err(anyhow::Error::from)?;
        Ok(true)
    }

    /// Live, kept and unfinished generations, and those with a name.
    pub(crate) fn show_generations(&self) -> anyhow::Result<Value> {
        let mut names = Vec::new();
        for name in self.generations.named()? {
            let settings = self.settings(&name)?;
            let extractor = settings.as_ref().map(Settings::extractor).transpose()?;
            let extractor = extractor.unwrap_or_default().name();
            let weights = settings.map(|settings| settings.ranking);
            let shown = match self.named(&name) {
                Some(found) => {
                    let (store, progress) =
                        (&found.live.store, found.live.progress.borrow().clone());
                    let state = match progress.standing {
                        Standing::Following => "following",
                        Standing::Halted(_) => "halted",
                        Standing::CatchingUp | Standing::Retrying { .. } => "catching_up",
                    };
                    json!({"name": name, "set": weights, "extractor": extractor, "state": state, "applied_seq": progress.applied,
                        "disk_bytes": store.disk_bytes()})
                }
                None => {
                    json!({"name": name, "set": weights, "extractor": extractor, "state": "filling"})
                }
            };
            names.push(shown);
        }
        let filling = self.generations.filling()?;
        let filling: Vec<u32> = filling.iter().map(|filling| filling.number).collect();
        Ok(
            json!({"partition": self.partition.token(), "live": self.live().number,
            "previous": self.generations.previous()?, "filling": filling, "named": names}),
        )
    }

    pub(super) async fn stop_named(&self) {
        let taken = {
            let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *named)
        };
        for named in taken.values() {
            named.live.stop().await;
        }
    }

    fn settings(&self, name: &str) -> anyhow::Result<Option<Settings>> {
        let Some(text) = self.generations.named_settings(name)? else {
            return Ok(None);
        };
        match serde_json::from_str(&text) {
            Ok(settings) => Ok(Some(settings)),
            Err(e) => bail!("the settings of generation {name:?} cannot be read: {e}"),
        }
    }

    fn write_settings(&self, name: &str, settings: &Settings) -> anyhow::Result<()> {
        let text = serde_json::to_string(settings)?;
        Ok(self.generations.write_named(name, &text)?)
    }
}

/// What the generation without a name is called.
pub(crate) const LIVE: &str = "live";

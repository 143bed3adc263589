//! The read side: fetches and status questions, over the partitions that this process carries.

use crate::models::{Models, looked_up};
use crate::node::{LIVE, Live, Node};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use synap_log::{EventLog, Incarnation};
use synap_projection::{Standing, WaitError, wait_for};
use synap_query::{
    FetchError, IngestState, Means, Part, QueryVectors, Ranking, ScopeView, as_of,
    conversation_owners, fetch, ingest_state, ingestion_status,
};
use synap_readmodel::ReadStore;
use synap_rocksdb::RocksStore;
use synap_types::limits::{APPEND_TIMEOUT_MS, WAIT_MS_DEFAULT};
use synap_types::{
    ApiError, AsOf, ClientId, ConversationId, DocumentId, ErrorCode, EventId, FetchMode,
    FetchRequest, FetchResponse, Freshness, IngestStatus, IngestionId, Partition, PartitionCount,
    Scope, Seq,
};
use tracing::{debug, error};

/// Rows of one partition as they are at one moment.
pub(crate) type Rows<'a> = <RocksStore as ReadStore>::Snapshot<'a>;

/// Every partition of this process.
#[derive(Debug)]
pub(crate) struct Engine<L> {
    pub(crate) count: PartitionCount,
    pub(crate) nodes: BTreeMap<Partition, Arc<Node<L>>>,
    /// How fetches weigh what they find.
    pub(crate) ranking: Ranking,
    pub(crate) models: Arc<Models>,
}

pub(crate) fn unavailable(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Unavailable, message)
}

/// The cause of a failed read goes to the log; the caller learns that there was one. What the caller asked wrongly is
/// not a failure.
fn refusal(e: FetchError) -> ApiError {
    if !matches!(e, FetchError::AnswerTooLarge | FetchError::AsOf(_)) {
        error!(error = %e, source = ?std::error::Error::source(&e), "a read failed");
    }
    e.into()
}

/// Runs a read off the async threads: it may touch the disk.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(done) => done.map_err(refusal),
        Err(_) => Err(ApiError::new(
            ErrorCode::Internal,
            "the read ended without an answer",
        )),
    }
}

impl<L: EventLog> Engine<L> {
    pub(crate) fn node(&self, partition: Partition) -> Result<&Arc<Node<L>>, ApiError> {
        self.nodes
            .get(&partition)
            .ok_or_else(|| unavailable("the partition is not here"))
    }

    fn live(&self, partition: Partition) -> Result<Arc<Live>, ApiError> {
        self.node(partition).map(|node| node.live())
    }

    /// Answers a fetch from one snapshot per partition of its chain, of the generation of this name or the live one.
    pub(crate) async fn fetch(
        &self,
        request: FetchRequest,
        generation: Option<&str>,
    ) -> Result<FetchResponse, ApiError> {
        let partitions = self.count.partitions_of_chain(&request.scope);
        if let Some(as_of) = request.as_of {
            self.await_past(as_of, &partitions).await?;
        }
        let (named, ranking) = self.named(generation, &partitions)?;
        let mut stale = false;
        let mut reached = None;
        if let Some(freshness) = &request.freshness {
            let awaited = self.await_position(freshness, &request.scope, &named);
            reached = awaited.await?;
            stale = reached.is_none();
        }
        let live = |partition: &Partition| match &reached {
            // What was waited for is in this one, whichever is live by now.
            Some((at, live)) if at == partition => Ok(Arc::clone(live)),
            _ => match named.get(partition) {
                Some(live) => Ok(Arc::clone(live)),
                None => self.live(*partition),
            },
        };
        let lives = partitions.iter().map(live).collect::<Result<Vec<_>, _>>()?;
        stale |= lives.iter().any(|live| live.progress.borrow().is_behind());
        let count = self.count;
        let (vectors, fallback) = self.query_vectors(&request).await;
        let models = Arc::clone(&self.models);
        let answer = blocking(move || {
            let snapshots: Vec<_> = lives.iter().map(|live| live.store.snapshot()).collect();
            let mut views: Vec<(Partition, ScopeView<'_, _>)> = Vec::new();
            for scope in request.scope.chain() {
                let partition = count.partition_of(&scope);
                let at = partitions.iter().position(|known| *known == partition);
                let found = at.and_then(|at| snapshots.get(at).zip(lives.get(at)));
                let Some((snapshot, live)) = found else {
                    return Err(FetchError::ForeignRow);
                };
                let view = |scope| {
                    let view = ScopeView::new(scope, snapshot);
                    view.map(|view| view.cached(&live.cache))
                };
                match &request.conversation {
                    Some(first) if request.conversation_first && scope == request.scope => {
                        for part in [Part::Of(first.id), Part::Beside(first.id)] {
                            views.push((partition, view(scope.clone())?.part(part)));
                        }
                    }
                    _ => views.push((partition, view(scope)?)),
                }
            }
            let views = match (request.as_of, request.now) {
                (Some(asked), Some(now)) => as_of(asked, now, views)?,
                _ => views.into_iter().map(|(_, view)| view).collect(),
            };
            let means = Means {
                ranking: &ranking,
                vectors: vectors.as_ref(),
                tokens: models.tokens(),
            };
            fetch(&request, &views, means, stale)
        });
        let answer = answer.await?;
        Ok(FetchResponse { fallback, ..answer })
    }

    /// The rows and the ranking of a named generation; without a name none, and the server's ranking.
    fn named(
        &self,
        generation: Option<&str>,
        partitions: &[Partition],
    ) -> Result<(BTreeMap<Partition, Arc<Live>>, Ranking), ApiError> {
        let Some(name) = generation.filter(|name| *name != LIVE) else {
            return Ok((BTreeMap::new(), self.ranking));
        };
        let (mut lives, mut ranking) = (BTreeMap::new(), self.ranking);
        for partition in partitions {
            let Some(named) = self.node(*partition)?.named(name) else {
                return Err(ApiError::invalid(
                    "generation",
                    "is not the name of a generation that is filled: see synap generations",
                ));
            };
            ranking = named
                .ranking(self.ranking)
                .map_err(|e| ApiError::invalid("generation", format!("has other weights: {e}")))?;
            lives.insert(*partition, Arc::clone(&named.live));
        }
        Ok((lives, ranking))
    }

    /// The vectors of the queries, and why the mode could not have better ones.
    async fn query_vectors(
        &self,
        request: &FetchRequest,
    ) -> (Option<QueryVectors>, Option<&'static str>) {
        self.models.note_fetch();
        let fallback = match request.mode {
            FetchMode::Fast => None,
            FetchMode::Accurate => match self.models.vectors(&request.queries).await {
                Ok(vectors) => return (Some(vectors), None),
                Err(reason) => Some(reason),
            },
        };
        (looked_up(&request.queries), fallback)
    }

    /// Reads rows of one scope. What was acked before is in them, unless the log does not answer now.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        scope: Scope,
        read: impl FnOnce(&ScopeView<'_, Rows<'_>>) -> Result<T, FetchError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let partition = self.count.partition_of(&scope);
        self.catch_up_if_possible(partition).await;
        self.read_as_is(scope, read).await
    }

    /// Reads rows of one scope as they are.
    pub(crate) async fn read_as_is<T: Send + 'static>(
        &self,
        scope: Scope,
        read: impl FnOnce(&ScopeView<'_, Rows<'_>>) -> Result<T, FetchError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let live = self.live(self.count.partition_of(&scope))?;
        blocking(move || {
            let snapshot = live.store.snapshot();
            read(&ScopeView::new(scope, &snapshot)?)
        })
        .await
    }

    /// Asks every partition, and once more in rows that are up to date: what was acked is never "not found".
    pub(crate) async fn find<T: Send + 'static>(
        &self,
        read: impl Fn(&Rows<'_>) -> Result<Option<T>, FetchError> + Send + Sync + 'static,
    ) -> Result<Option<T>, ApiError> {
        let read = Arc::new(read);
        for caught_up in [false, true] {
            for (partition, node) in &self.nodes {
                if caught_up {
                    self.catch_up(*partition).await?;
                }
                let (live, read) = (node.live(), Arc::clone(&read));
                let found = blocking(move || read(&live.store.snapshot())).await?;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// The users of `client` that have a conversation of this id, in rows that are up to date.
    pub(crate) async fn conversation_owners(
        &self,
        client: &ClientId,
        id: ConversationId,
    ) -> Result<Vec<Scope>, ApiError> {
        let mut owners = Vec::new();
        for (partition, node) in &self.nodes {
            self.catch_up_if_possible(*partition).await;
            let (live, client) = (node.live(), client.clone());
            let read = move || conversation_owners(&live.store.snapshot(), &client, id);
            owners.extend(blocking(read).await?);
        }
        Ok(owners)
    }

    /// Reads something of every partition.
    pub(crate) async fn find_all<T: Send + 'static>(
        &self,
        read: impl Fn(&Rows<'_>) -> Result<Vec<T>, FetchError> + Send + Sync + 'static,
    ) -> Result<Vec<T>, ApiError> {
        let (read, mut found) = (Arc::new(read), Vec::new());
        for (partition, node) in &self.nodes {
            self.catch_up_if_possible(*partition).await;
            let (live, read) = (node.live(), Arc::clone(&read));
            found.extend(blocking(move || read(&live.store.snapshot())).await?);
        }
        Ok(found)
    }

    async fn catch_up_if_possible(&self, partition: Partition) {
        if let Err(e) = self.catch_up(partition).await {
            debug!(%partition, error = %e, "reading rows that may be behind the log");
        }
    }

    /// Waits until `seq` is applied, at most as long as a fetch waits by default. Answers whether it is.
    pub(crate) async fn applied(&self, partition: Partition, at: (u64, Seq)) -> bool {
        let Some(node) = self.nodes.get(&partition) else {
            return false;
        };
        let wait = Duration::from_millis(WAIT_MS_DEFAULT);
        let incarnation = Some(Incarnation(at.0));
        node.reach(incarnation, at.1, wait).await.is_ok()
    }

    /// Waits for a position; answers the generation that has it, or none if all are still behind it.
    async fn await_position(
        &self,
        freshness: &Freshness,
        scope: &Scope,
        named: &BTreeMap<Partition, Arc<Live>>,
    ) -> Result<Option<(Partition, Arc<Live>)>, ApiError> {
        let position = freshness.position;
        if !self
            .count
            .partitions_of_chain(scope)
            .contains(&position.partition)
        {
            return Err(ApiError::invalid(
                "position",
                "belongs to a log with another number of partitions",
            ));
        }
        let node = self.node(position.partition)?;
        let incarnation = Some(Incarnation(position.incarnation));
        let wait = Duration::from_millis(freshness.wait_ms);
        let waited = match named.get(&position.partition) {
            None => node.reach(incarnation, position.seq, wait).await,
            Some(live) => wait_for(&mut live.progress.clone(), incarnation, position.seq, wait)
                .await
                .map(|()| Arc::clone(live)),
        };
        match waited {
            Ok(live) => Ok(Some((position.partition, live))),
            Err(WaitError::OtherLog) => Err(ApiError::invalid("position", WaitError::OtherLog)),
            Err(WaitError::TimedOut { .. }) if freshness.or_stale => Ok(None),
            Err(e) => Err(ApiError::new(ErrorCode::NotYetApplied, e.to_string())),
        }
    }

    /// Waits for what a past state is made of: its position, or all that was acked before now.
    async fn await_past(&self, as_of: AsOf, partitions: &[Partition]) -> Result<(), ApiError> {
        let AsOf::Position(position) = as_of else {
            for partition in partitions {
                self.catch_up_if_possible(*partition).await;
            }
            return Ok(());
        };
        let live = partitions
            .iter()
            .find(|known| **known == position.partition);
        let Some(partition) = live else {
            let problem = "belongs to a log with another number of partitions";
            return Err(ApiError::invalid("as_of", problem));
        };
        let incarnation = Some(Incarnation(position.incarnation));
        let wait = Duration::from_millis(WAIT_MS_DEFAULT);
        let mut progress = self.live(*partition)?.progress.clone();
        match wait_for(&mut progress, incarnation, position.seq, wait).await {
            Err(WaitError::OtherLog) => Err(ApiError::invalid("as_of", WaitError::OtherLog)),
            // What there is says how far it goes.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Waits until something after `applied` is applied. Answers whether it is.
    pub(crate) async fn next_applied(
        &self,
        partition: Partition,
        applied: Seq,
        wait: Duration,
    ) -> bool {
        let Ok(live) = self.live(partition) else {
            return false;
        };
        wait_for(&mut live.progress.clone(), None, applied.next(), wait)
            .await
            .is_ok()
    }

    /// Waits until `partition` has applied all that its log held when this was called.
    pub(crate) async fn catch_up(&self, partition: Partition) -> Result<(), ApiError> {
        let node = self.node(partition)?;
        let answer =
            tokio::time::timeout(Duration::from_millis(APPEND_TIMEOUT_MS), node.tail()).await;
        let Ok(Ok(tail)) = answer else {
            return Err(unavailable("the log does not answer"));
        };
        let wait = Duration::from_millis(WAIT_MS_DEFAULT);
        let incarnation = Some(tail.incarnation);
        match node.reach(incarnation, tail.last, wait).await {
            Ok(_) => Ok(()),
            Err(e) => {
                let message = match e {
                    WaitError::TimedOut { .. } => "the read model is behind the log",
                    WaitError::OtherLog => "the read model was made from another log",
                };
                Err(ApiError::new(ErrorCode::NotYetApplied, message))
            }
        }
    }

    /// How far the rows of `partition` are: incarnation and seq.
    pub(crate) fn applied_at(&self, partition: Partition) -> (u64, Seq) {
        self.nodes.get(&partition).map_or((0, Seq::ZERO), |node| {
            let live = node.live();
            let progress = live.progress.borrow();
            (progress.incarnation.0, progress.applied)
        })
    }

    /// Whether the rows of `partition` are known to lack what its log holds, or lack `seq`.
    pub(crate) fn is_behind(&self, partition: Partition, seq: Seq) -> bool {
        self.nodes.get(&partition).is_none_or(|node| {
            let live = node.live();
            let progress = live.progress.borrow();
            progress.is_behind() || progress.applied < seq
        })
    }

    /// What an ingest would meet, as far as the rows are.
    pub(crate) async fn ingest_state(
        &self,
        scope: &Scope,
        event: Option<EventId>,
        document: Option<DocumentId>,
    ) -> Result<IngestState, ApiError> {
        let live = self.live(self.count.partition_of(scope))?;
        let scope = scope.clone();
        blocking(move || ingest_state(&live.store.snapshot(), &scope, event, document.as_ref()))
            .await
    }

    /// What became of an ingestion of `client`.
    pub(crate) async fn status(
        &self,
        client: &ClientId,
        ingestion: IngestionId,
    ) -> Result<IngestStatus, ApiError> {
        let client = client.clone();
        let found = self.find(move |rows| ingestion_status(rows, &client, ingestion));
        found.await?.ok_or_else(ApiError::not_found)
    }

    /// Refuses while the log and the rows of `partition` tell different stories: what would be acked now might never be
    /// applied, and a person has to decide which of the two counts.
    pub(crate) fn check_log(&self, partition: Partition) -> Result<(), ApiError> {
        let live = self.live(partition)?;
        let progress = live.progress.borrow();
        match &progress.standing {
            Standing::Halted(halt) if halt.is_of_another_log() => Err(unavailable(
                "not stored: the partition has halted; see synap status",
            )),
            Standing::Halted(_)
            | Standing::CatchingUp
            | Standing::Following
            | Standing::Retrying { .. } => Ok(()),
        }
    }

    /// Partitions that will not go on by themselves.
    pub(crate) fn halted(&self) -> usize {
        let halted = |node: &&Arc<Node<L>>| {
            matches!(node.live().progress.borrow().standing, Standing::Halted(_))
        };
        self.nodes.values().filter(halted).count()
    }
}

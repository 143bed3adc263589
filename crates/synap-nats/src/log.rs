//! The event log on JetStream: one stream and one appending task per partition.

use crate::append::Appender;
use crate::connect::{Connection, jetstream};
use crate::durability;
use crate::erase;
use crate::publish::Publisher;
use crate::read;
use crate::streams::{self, OpenError};
use async_nats::jetstream::Context;
use futures::{FutureExt as _, stream};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use synap_log::{
    AppendError, Appended, Durability, Erasure, EventLog, LogState, NewEvent, ReadError,
    RecordedStream,
};
use synap_types::limits::{GROUP_BYTES_MAX, GROUP_EVENTS_MAX};
use synap_types::{EventSubject, Partition, PartitionCount, Seq};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Room for an event's headers within the server's `max_payload`.
const HEADER_BYTES_MAX: usize = 1024;

/// From how many events on a group goes as an atomic batch: as many single syncs cost what one batch costs.
///
/// A batch costs the server about as much as 18 to 23 single syncs, however large it is (measured on two disks by
/// `examples/append_rates.rs`, which tries both ways side by side).
const BATCH_FROM: usize = 20;

/// How the log is opened.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Fixed when the log is made; another number refuses to open.
    pub partitions: PartitionCount,
    /// Copies of each stream in a cluster; 1 for a single server.
    pub replicas: usize,
    /// The operator's word that the server syncs before it acks. See [`EventLog::durability`].
    pub assume_sync_always: bool,
    /// The folder of the embedded server, where there is one: erasures that a kill cuts off are finished there.
    pub embedded: Option<PathBuf>,
    /// From how many events on a group goes as one atomic batch; `None` for the measured default.
    pub batch_from: Option<usize>,
}

impl LogOptions {
    /// One copy, nothing assumed.
    pub fn new(partitions: PartitionCount) -> Self {
        Self {
            partitions,
            replicas: 1,
            assume_sync_always: false,
            embedded: None,
            batch_from: None,
        }
    }
}

/// The event log on JetStream. Clones share it; [`JetStreamLog::close`] ends it.
#[derive(Debug, Clone)]
pub struct JetStreamLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connection: Connection,
    context: Context,
    partitions: PartitionCount,
    appenders: BTreeMap<Partition, Appender>,
    durability: Durability,
    embedded: Option<PathBuf>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl JetStreamLog {
    /// Opens the log: makes its streams, or checks that they are as they have to be.
    pub async fn open(connection: &Connection, options: LogOptions) -> Result<Self, OpenError> {
        let context = jetstream(connection.client());
        let opened = streams::open_log(&context, options.partitions, options.replicas).await?;
        let durability =
            durability::find_out(connection.client(), options.assume_sync_always).await;
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        let batch_from = options.batch_from.unwrap_or(BATCH_FROM);
        let appenders = opened.into_iter().map(|(partition, incarnation)| {
            let publisher = Publisher::new(
                connection.link().clone(),
                context.clone(),
                partition.stream_name(),
                incarnation,
                batch_from,
            );
            let appender = Appender::start(publisher, &tasks, closing.clone());
            (partition, appender)
        });
        Ok(Self(Arc::new(Shared {
            appenders: appenders.collect(),
            connection: connection.clone(),
            partitions: options.partitions,
            context,
            durability,
            embedded: options.embedded,
            tasks,
            closing,
        })))
    }

    /// How many numbered partitions it has.
    pub fn partitions(&self) -> PartitionCount {
        self.0.partitions
    }

    /// How many appends of `partition` wait for their turn.
    pub fn waiting(&self, partition: Partition) -> usize {
        self.0
            .appenders
            .get(&partition)
            .map_or(0, Appender::waiting)
    }

    /// Takes no more appends, and returns when all that were taken are answered.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn bytes_max(&self) -> usize {
        self.0
            .connection
            .client()
            .max_payload()
            .saturating_sub(HEADER_BYTES_MAX)
    }
}

impl EventLog for JetStreamLog {
    async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        let (bytes, bytes_max) = (event.payload.len(), self.bytes_max());
        if bytes > bytes_max {
            return Err(AppendError::TooLarge { bytes, bytes_max });
        }
        match self.0.appenders.get(&event.partition) {
            Some(appender) => appender.append(event).await,
            None => Err(AppendError::Unavailable(
                no_partition(event.partition).into(),
            )),
        }
    }

    /// Up to 1,000 events together, as an atomic batch, which keeps their order; where one is refused, such as for an event
    /// that is there already, one after the other.
    async fn append_in_order(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, AppendError> {
        let mut appended = Vec::with_capacity(events.len());
        let mut events = events.into_iter().peekable();
        while let Some(first) = events.next() {
            let partition = first.partition;
            let (mut bytes, mut row) = (first.payload.len(), vec![first]);
            while row.len() < GROUP_EVENTS_MAX
                && let Some(next) = events.next_if(|next| {
                    next.partition == partition && bytes + next.payload.len() <= GROUP_BYTES_MAX
                })
            {
                bytes += next.payload.len();
                row.push(next);
            }
            let together = match self.0.appenders.get(&partition) {
                Some(queue) if row.len() > 1 => queue.append_row(row.clone()).await?,
                Some(_) | None => None,
            };
            if let Some(places) = together {
                appended.extend(places);
                continue;
            }
            for event in row {
                appended.push(self.append(event).await?);
            }
        }
        Ok(appended)
    }

    fn read(&self, partition: Partition, from: Seq) -> RecordedStream {
        if !self.0.appenders.contains_key(&partition) {
            let error = ReadError::Unavailable(no_partition(partition).into());
            return Box::pin(stream::once(async { Err(error) }));
        }
        read::stream(
            self.0.connection.link().clone(),
            self.0.context.clone(),
            partition.stream_name(),
            from,
        )
    }

    async fn state(&self, partition: Partition) -> Result<LogState, ReadError> {
        if !self.0.connection.is_up() {
            let error = "there is no connection to the NATS server";
            return Err(ReadError::Unavailable(error.into()));
        }
        let found = streams::state(&self.0.context, &partition.stream_name())
            .boxed()
            .await;
        let (incarnation, state) = found.map_err(|error| ReadError::Unavailable(error.into()))?;
        let last = Seq::new(state.last_sequence);
        Ok(LogState {
            incarnation,
            first: if state.messages == 0 {
                last.next()
            } else {
                Seq::new(state.first_sequence)
            },
            last,
            bytes: state.bytes,
        })
    }

    fn select(&self, partition: Partition, filters: Vec<String>) -> RecordedStream {
        read::select(
            self.0.connection.link().clone(),
            self.0.context.clone(),
            partition.stream_name(),
            filters,
        )
    }

    async fn erase(&self, partition: Partition, erasure: Erasure) -> Result<(), AppendError> {
        erase::erase(
            &self.0.context,
            self.0.embedded.as_deref(),
            partition,
            &erasure,
        )
        .boxed()
        .await
    }

    async fn erasures(&self, partition: Partition) -> Result<Vec<Erasure>, ReadError> {
        let link = self.0.connection.link().clone();
        erase::erasures(link, &self.0.context, partition)
            .boxed()
            .await
    }

    async fn newest(&self, partition: Partition) -> Result<Seq, ReadError> {
        let filter = EventSubject::filter(partition);
        let newest = streams::newest(&self.0.context, &partition.stream_name(), &filter)
            .boxed()
            .await;
        newest.map_err(|error| ReadError::Unavailable(error.into()))
    }

    fn durability(&self) -> Durability {
        self.0.durability
    }
}

fn no_partition(partition: Partition) -> String {
    format!("the log has no partition {partition}")
}

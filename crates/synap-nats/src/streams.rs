//! The streams that synap keeps its log and its inbox in: how they are made, and that they still are as they were made.
//!
//! ```text
//! SYNAP_EVENTS_00 …      synap.v1.events.00.>       the log; kept for ever; refuses when full
//! SYNAP_EVENTS_SHARED    synap.v1.events.shared.>   the same for clients' own scopes; made last
//! SYNAP_ERASURES         synap.v1.erasures.*        what was taken out of the log, and where
//! SYNAP_INBOX            synap.v1.inbox             work queue: a message goes when it is drained
//! SYNAP_REJECTED         synap.v1.rejected          what the inbox refused; kept for 30 days
//! SYNAP_AUDIT            synap.v1.audit             a sample of fetches; kept as long as is asked for; only if it is
//! ```
//!
//! S2 compression stays off: nats-server 2.15.1 never becomes ready when a bit of a compressed block flips.

use crate::verify::{Difference, differences};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, LastRawMessageErrorKind, RetentionPolicy, State, StorageType,
};
use async_nats::jetstream::{Context, ErrorCode};
use std::collections::HashMap;
use std::time::Duration;
use synap_log::Incarnation;
use synap_types::{EventSubject, Partition, PartitionCount, Seq, names};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Metadata: how many numbered partitions the log has.
const PARTITIONS_KEY: &str = "synap.partitions";
/// Metadata: the format of subjects, headers and payloads.
pub(crate) const FORMAT_KEY: &str = "synap.format";
const FORMAT: &str = "1";
/// For how long the server knows an id.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(2 * 60);
/// The same for rejected messages: the inbox may deliver one again much later.
const REJECTED_DUPLICATE_WINDOW: Duration = Duration::from_secs(60 * 60);
/// How long a rejected message is kept.
const REJECTED_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Why a stream cannot be used. Reads well after "could not open the log: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The log was made with another number of partitions.
    #[error(
        "the log has {found} partitions, {wanted} were asked for; export and import moves a log"
    )]
    Partitions {
        /// As stored.
        found: String,
        /// As asked for.
        wanted: u8,
    },
    /// A stream's settings are not safe.
    #[error("stream {stream} is not as synap needs it: {differences}")]
    Differs {
        /// Which.
        stream: String,
        /// Each setting, as found and as wanted.
        differences: String,
    },
    /// The log was complete, and now a part of it is gone.
    #[error("stream {stream} is missing from a log that was complete; restore it from a backup")]
    Missing {
        /// Which.
        stream: String,
    },
    /// `JetStream` does not answer, or refuses.
    #[error("stream {stream} cannot be opened")]
    Unavailable {
        /// Which.
        stream: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    fn unavailable(
        stream: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable {
            stream: stream.to_owned(),
            source: source.into(),
        }
    }
}

/// Opens the streams of the log and makes those that are missing. Returns each partition's incarnation.
pub(crate) async fn open_log(
    context: &Context,
    partitions: PartitionCount,
    replicas: usize,
) -> Result<Vec<(Partition, Incarnation)>, OpenError> {
    let mut found = Vec::new();
    for partition in partitions.all() {
        let info = info(context, &partition.stream_name()).await?;
        if let Some(info) = &info {
            check_partitions(info, partitions)?;
        }
        found.push((partition, info));
    }
    // SHARED is made last, so where it is, all others have been.
    let complete = matches!(found.last(), Some((Partition::Shared, Some(_))));
    open(context, erasures_config(replicas)).await?;
    let mut opened = Vec::new();
    for (partition, info) in found {
        let wanted = event_config(partition, partitions, replicas);
        let info = match info {
            Some(info) => {
                check(&info, &wanted)?;
                info
            }
            None if complete => {
                return Err(OpenError::Missing {
                    stream: wanted.name,
                });
            }
            None => create(context, &wanted).await?,
        };
        opened.push((partition, incarnation(&info)));
    }
    Ok(opened)
}

/// Opens the inbox and what it rejects. Returns the inbox's incarnation.
pub(crate) async fn open_inbox(
    context: &Context,
    replicas: usize,
) -> Result<Incarnation, OpenError> {
    open(context, rejected_config(replicas)).await?;
    open(context, inbox_config(replicas)).await
}

/// Makes the audit stream, or changes for how long it keeps records.
pub(crate) async fn open_audit(
    context: &Context,
    replicas: usize,
    max_age: Duration,
) -> Result<(), OpenError> {
    let wanted = audit_config(replicas, max_age);
    let is_there = info(context, names::AUDIT_STREAM).await?.is_some();
    if is_there {
        let updated = context.update_stream(&wanted).await;
        updated.map_err(|error| OpenError::unavailable(names::AUDIT_STREAM, error))?;
    } else {
        open(context, wanted).await?;
    }
    Ok(())
}

/// What the server says of a stream now.
pub(crate) async fn state(
    context: &Context,
    stream: &str,
) -> Result<(Incarnation, State), OpenError> {
    match info(context, stream).await? {
        Some(info) => Ok((incarnation(&info), info.state)),
        None => Err(OpenError::Missing {
            stream: stream.to_owned(),
        }),
    }
}

/// Seq of the newest message of `stream` that is still there; zero if there is none. `filter` is the stream's subject.
pub(crate) async fn newest(
    context: &Context,
    stream: &str,
    filter: &str,
) -> Result<Seq, OpenError> {
    let unavailable = |error: Cause| OpenError::unavailable(stream, error);
    let found = context.get_stream_no_info(stream).await;
    let found = found.map_err(|error| unavailable(error.into()))?;
    match found.get_last_raw_message_by_subject(filter).await {
        Ok(message) => Ok(Seq::new(message.sequence)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(Seq::ZERO),
        Err(error) => Err(unavailable(error.into())),
    }
}

async fn open(context: &Context, wanted: Config) -> Result<Incarnation, OpenError> {
    let info = match info(context, &wanted.name).await? {
        Some(info) => {
            check(&info, &wanted)?;
            info
        }
        None => create(context, &wanted).await?,
    };
    Ok(incarnation(&info))
}

async fn info(context: &Context, stream: &str) -> Result<Option<Info>, OpenError> {
    match context.get_stream(stream).await {
        Ok(found) => Ok(Some(found.cached_info().clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(cause)
                if cause.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            GetStreamErrorKind::EmptyName
            | GetStreamErrorKind::InvalidStreamName
            | GetStreamErrorKind::Request
            | GetStreamErrorKind::JetStream(_) => Err(OpenError::unavailable(stream, error)),
        },
    }
}

async fn create(context: &Context, wanted: &Config) -> Result<Info, OpenError> {
    let created = context
        .create_stream(wanted)
        .await
        .map_err(|error| OpenError::unavailable(&wanted.name, error))?;
    let info = created.cached_info().clone();
    // The server may have had its own idea of a setting.
    check(&info, wanted)?;
    tracing::info!(stream = wanted.name, "stream made");
    Ok(info)
}

fn check(info: &Info, wanted: &Config) -> Result<(), OpenError> {
    let found = differences(&info.config, wanted);
    if found.is_empty() {
        return Ok(());
    }
    let found: Vec<String> = found.iter().map(Difference::to_string).collect();
    Err(OpenError::Differs {
        stream: wanted.name.clone(),
        differences: found.join("; "),
    })
}

fn check_partitions(info: &Info, wanted: PartitionCount) -> Result<(), OpenError> {
    match info.config.metadata.get(PARTITIONS_KEY) {
        Some(found) if *found != wanted.get().to_string() => Err(OpenError::Partitions {
            found: found.clone(),
            wanted: wanted.get(),
        }),
        _ => Ok(()),
    }
}

/// When the stream was made, in nanoseconds: a stream that was deleted and made again has another.
fn incarnation(info: &Info) -> Incarnation {
    let nanos = u64::try_from(info.created.unix_timestamp_nanos()).unwrap_or(1);
    Incarnation(nanos.max(1))
}

fn event_config(partition: Partition, partitions: PartitionCount, replicas: usize) -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        allow_atomic_publish: true,
        metadata: metadata(&[(PARTITIONS_KEY, &partitions.get().to_string())]),
        ..config(
            partition.stream_name(),
            EventSubject::filter(partition),
            replicas,
        )
    }
}

fn erasures_config(replicas: usize) -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        ..config(
            names::ERASURES_STREAM.to_owned(),
            names::ERASURES.to_owned(),
            replicas,
        )
    }
}

fn inbox_config(replicas: usize) -> Config {
    Config {
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        ..config(
            names::INBOX_STREAM.to_owned(),
            names::INBOX.to_owned(),
            replicas,
        )
    }
}

fn rejected_config(replicas: usize) -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        duplicate_window: REJECTED_DUPLICATE_WINDOW,
        max_age: REJECTED_AGE_MAX,
        ..config(
            names::REJECTED_STREAM.to_owned(),
            names::REJECTED.to_owned(),
            replicas,
        )
    }
}

fn audit_config(replicas: usize, max_age: Duration) -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_age,
        ..config(
            names::AUDIT_STREAM.to_owned(),
            names::AUDIT.to_owned(),
            replicas,
        )
    }
}

/// What all have in common.
fn config(name: String, subject: String, replicas: usize) -> Config {
    Config {
        name,
        subjects: vec![subject],
        storage: StorageType::File,
        num_replicas: replicas,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        allow_direct: true,
        metadata: metadata(&[]),
        ..Config::default()
    }
}

fn metadata(more: &[(&str, &str)]) -> HashMap<String, String> {
    std::iter::once(&(FORMAT_KEY, FORMAT))
        .chain(more)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

//! Events are taken out of the log: recorded first, in a stream of its own that is kept for ever, then overwritten.
//!
//! A purge by subject would leave the bytes in the server's files; a deletion by seq overwrites them with noise
//! (nats-server `filestore.go`, `eraseMsg`).

use crate::link::Link;
use crate::read;
use crate::scrub::Mark;
use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::path::Path;
use synap_log::{AppendError, Erasure, ReadError};
use synap_types::{Partition, Seq, names};

use crate::headers;

/// Deletions that are under way at a time.
const AT_ONCE: usize = 64;
/// Events that one record holds: so many fit into one message.
const EVENTS_MAX: usize = 20_000;

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AppendError {
    AppendError::Unavailable(error.into())
}

/// Records the erasure, and overwrites its events.
pub(crate) async fn erase(
    context: &Context,
    embedded: Option<&Path>,
    partition: Partition,
    erasure: &Erasure,
) -> Result<(), AppendError> {
    for events in erasure.events.chunks(EVENTS_MAX) {
        let record = Erasure {
            events: events.to_vec(),
            scope: erasure.scope.clone(),
            ..*erasure
        };
        let payload = serde_json::to_vec(&record).map_err(unavailable)?;
        let mut headers = HeaderMap::new();
        headers.insert(headers::DIGEST, headers::digest(&payload));
        let published = context
            .publish_with_headers(names::erasures_of(partition), headers, payload.into())
            .await
            .map_err(unavailable)?;
        published.await.map_err(unavailable)?;
    }
    let name = partition.stream_name();
    let stream = context
        .get_stream_no_info(&name)
        .await
        .map_err(unavailable)?;
    let mark = embedded.map(|folder| Mark::set(folder, &name));
    let mark = mark.transpose().map_err(unavailable)?;
    stream::iter(erasure.seqs())
        .map(|seq| delete(&stream, seq))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    mark.map_or(Ok(()), Mark::clear).map_err(unavailable)
}

async fn delete<T>(stream: &Stream<T>, seq: Seq) -> Result<(), AppendError> {
    let Err(refusal) = stream.delete_message(seq.get()).await else {
        return Ok(());
    };
    // The server refuses to delete what is gone, with the code of any failure.
    match stream.get_raw_message(seq.get()).await {
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(()),
        Ok(_) | Err(_) => Err(unavailable(refusal)),
    }
}

/// What was recorded of `partition`, in order.
pub(crate) async fn erasures(
    link: Link,
    context: &Context,
    partition: Partition,
) -> Result<Vec<Erasure>, ReadError> {
    let stream = names::ERASURES_STREAM.to_owned();
    let records = read::select(
        link,
        context.clone(),
        stream,
        vec![names::erasures_of(partition)],
    );
    let parsed = records.and_then(|record| async move {
        serde_json::from_slice(&record.payload).map_err(|_| ReadError::Damaged { seq: record.seq })
    });
    parsed.try_collect().await
}

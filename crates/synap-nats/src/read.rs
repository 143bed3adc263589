//! Reads one partition's stream in order, for as long as the reader wants, over restarts of the server.
//!
//! Nothing is skipped here: a message that was lost between the server and us shows in the consumer's own numbering,
//! and reading goes on at the event after the last good one. So a gap in the seqs that come out is a gap in the stream.
//! A stream that was replaced, or that ends before the place where reading is to go on, is an error: its seqs
//! would be given to other events, and the reader would take those for the ones it missed.

use crate::headers;
use crate::link::Link;
use crate::pull::{Pull, PullError};
use crate::streams;
use async_nats::jetstream::{Context, Message};
use futures::TryFutureExt as _;
use futures::stream::{try_unfold, unfold};
use std::time::Duration;
use synap_log::{Incarnation, ReadError, Recorded, RecordedStream};
use synap_types::Seq;
use tokio::time::{Instant, sleep, timeout_at};

/// How long the log may be away before the reader is told. A restart of the embedded server takes a fraction.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two tries to go on.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Events of `stream` from `from` on. Ends after an error.
pub(crate) fn stream(link: Link, context: Context, stream: String, from: Seq) -> RecordedStream {
    let reader = Reader {
        link,
        context,
        stream,
        next: from.max(Seq::new(1)),
        incarnation: None,
        source: None,
    };
    Box::pin(unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(event) => Some((Ok(event), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    }))
}

struct Reader {
    link: Link,
    context: Context,
    stream: String,
    /// The event that is wanted next, or the first one after it that is still there.
    next: Seq,
    /// Which life of the stream the reader began with.
    incarnation: Option<Incarnation>,
    source: Option<Source>,
}

/// An open consumer.
struct Source {
    pull: Pull,
    /// Messages that it has delivered, by its own numbering.
    delivered: u64,
}

impl Reader {
    async fn next(&mut self) -> Result<Recorded, ReadError> {
        let mut give_up = None;
        loop {
            let cause: Cause = match self.delivery().await {
                Ok(message) => match self.accept(&message)? {
                    Some(event) => return Ok(event),
                    None => "a message was lost on the way".into(),
                },
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::ForNow(cause)) => cause,
            };
            self.source = None;
            tracing::debug!(stream = self.stream, seq = %self.next, %cause, "reading is resumed");
            let give_up = *give_up.get_or_insert_with(|| Instant::now() + PATIENCE);
            if timeout_at(give_up, self.link.up()).await.is_err() || Instant::now() >= give_up {
                return Err(ReadError::Unavailable(cause));
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// The next message of the open consumer, or of a new one.
    async fn delivery(&mut self) -> Result<Message, Failed> {
        if self.source.is_none() {
            self.source = Some(self.open().await?);
        }
        match &mut self.source {
            Some(source) => Ok(source.pull.next().await?),
            None => Err(Failed::ForNow("no consumer".into())),
        }
    }

    async fn open(&mut self) -> Result<Source, Failed> {
        let (incarnation, state) = streams::state(&self.context, &self.stream)
            .await
            .map_err(|error| Failed::ForNow(error.into()))?;
        let began = *self.incarnation.get_or_insert(incarnation);
        if began != incarnation {
            return Err(Failed::for_good("the stream was replaced by another"));
        }
        let (last, next) = (Seq::new(state.last_sequence), self.next);
        if next > last.next() {
            let text = format!("the stream ends at {last}, {next} is to be read");
            return Err(Failed::for_good(text));
        }
        let (link, context) = (self.link.clone(), self.context.clone());
        let pull = Pull::open(link, context, &self.stream, next, Vec::new()).await?;
        Ok(Source { pull, delivered: 0 })
    }

    /// The event in `message`; `None` when one before it did not arrive.
    fn accept(&mut self, message: &Message) -> Result<Option<Recorded>, ReadError> {
        let info = message.info().map_err(ReadError::Unavailable)?;
        let (seq, nth) = (Seq::new(info.stream_sequence), info.consumer_sequence);
        let Some(source) = &mut self.source else {
            return Ok(None);
        };
        if nth != source.delivered + 1 || seq < self.next {
            return Ok(None);
        }
        source.delivered = nth;
        let event = checked(message, seq)?;
        self.next = seq.next();
        Ok(Some(event))
    }
}

/// The event in `message`, if it is as it was appended.
fn checked(message: &Message, seq: Seq) -> Result<Recorded, ReadError> {
    let found = headers::find(message.headers.as_ref(), headers::DIGEST);
    if found.as_deref() != Some(headers::digest(&message.payload).as_str()) {
        return Err(ReadError::Damaged { seq });
    }
    Ok(Recorded {
        seq,
        subject: message.subject.to_string(),
        payload: message.payload.clone(),
    })
}

/// Events of `stream` under `filters` that are there now. Ends after them, or after an error.
pub(crate) fn select(
    link: Link,
    context: Context,
    stream: String,
    filters: Vec<String>,
) -> RecordedStream {
    let unavailable = |error: PullError| ReadError::Unavailable(error.into());
    let opened = async move {
        let opened = Pull::open(link, context, &stream, Seq::new(1), filters).await;
        opened.map(|pull| (pull, 0)).map_err(unavailable)
    };
    let events = opened.map_ok(move |state| {
        try_unfold(state, move |(mut pull, nth)| async move {
            if nth == pull.waiting() {
                return Ok(None);
            }
            let message = pull.next().await.map_err(unavailable)?;
            let info = message.info().map_err(ReadError::Unavailable)?;
            if info.consumer_sequence != nth + 1 {
                let lost = "a message was lost on the way";
                return Err(ReadError::Unavailable(lost.into()));
            }
            let event = checked(&message, Seq::new(info.stream_sequence))?;
            Ok(Some((event, (pull, nth + 1))))
        })
    });
    Box::pin(events.try_flatten_stream())
}

/// Why there is no message.
enum Failed {
    /// Trying again may help.
    ForNow(Cause),
    /// It does not.
    ForGood(ReadError),
}

impl Failed {
    fn for_good(text: impl Into<Cause>) -> Self {
        Self::ForGood(ReadError::Unavailable(text.into()))
    }
}

impl From<PullError> for Failed {
    fn from(error: PullError) -> Self {
        Self::ForNow(error.into())
    }
}

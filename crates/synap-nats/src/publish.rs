//! Gets groups of events into one stream: as an atomic batch when they are many, one by one when they are few.
//!
//! An append is answered with success only when JetStream's ack for it has come. What is unclear (the connection
//! broke, a batch was refused) is asked or sent again with the same message id: within two minutes the stream stores
//! an id once, and answers its place to the second try.

use crate::ack::{self, Ack, Nack};
use crate::group::{Entry, Failure, Outgoing, Row, Stored};
use crate::link::{Life, Link};
use crate::streams;
use crate::{atomic, headers, probe};
use async_nats::jetstream::Context;
use async_nats::{Client, HeaderMap, RequestErrorKind};
use futures::{StreamExt as _, stream};
use std::time::Duration;
use synap_log::{Appended, Incarnation};
use synap_types::Seq;
use tokio::time::{Instant, sleep, timeout_at};

/// Pause before the server is asked again that could not answer.
const RETRY_PAUSE: Duration = Duration::from_millis(30);
/// Times that a group is tried as a batch; then its events go one by one, and each learns its own reason.
const BATCH_TRIES: u32 = 2;

/// What appends to one stream.
#[derive(Debug)]
pub(crate) struct Publisher {
    link: Link,
    context: Context,
    stream: String,
    /// From how many events on a group goes as a batch.
    batch_from: usize,
    incarnation: Incarnation,
    /// The connection over which the incarnation was learned.
    life: Life,
}

impl Publisher {
    pub(crate) fn new(
        link: Link,
        context: Context,
        stream: String,
        incarnation: Incarnation,
        batch_from: usize,
    ) -> Self {
        Self {
            life: link.life(),
            link,
            context,
            stream,
            batch_from,
            incarnation,
        }
    }

    /// Appends `group` and answers every caller, each by its deadline.
    pub(crate) async fn append(&mut self, group: Vec<Entry>) {
        let Some(until) = group.iter().map(|entry| entry.deadline).max() else {
            return;
        };
        if timeout_at(until, self.ready()).await.is_err() {
            for entry in group {
                let overdue = entry.overdue();
                entry.answer(&Err(overdue));
            }
            return;
        }
        let mut rest = group;
        for _ in 0..BATCH_TRIES {
            if rest.len() < self.batch_from || Instant::now() >= until {
                break;
            }
            rest = self.batch(rest, until).await;
        }
        stream::iter(rest)
            .for_each_concurrent(None, |entry| self.single(entry))
            .await;
    }

    /// Waits for the connection. After a new one the stream may be another, with seqs of its own.
    async fn ready(&mut self) {
        loop {
            self.link.up().await;
            let life = self.link.life();
            if life == self.life {
                return;
            }
            match streams::state(&self.context, &self.stream).await {
                Ok((incarnation, _)) => {
                    self.incarnation = incarnation;
                    self.life = life;
                    return;
                }
                Err(error) => {
                    tracing::debug!(stream = self.stream, %error, "the stream does not answer yet");
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// One try as a batch. Returns those that are not answered yet.
    async fn batch(&self, mut group: Vec<Entry>, until: Instant) -> Vec<Entry> {
        for entry in &mut group {
            entry.sent = true;
        }
        let events: Vec<&Outgoing> = group.iter().map(|entry| &entry.event).collect();
        match timeout_at(until, self.send_batch(&events)).await {
            Ok(Ok(first)) => {
                let mut seq = first;
                for entry in group {
                    entry.answer(&Ok(self.stored(seq, false)));
                    seq = seq.next();
                }
                Vec::new()
            }
            Ok(Err(error)) => {
                let events = group.len();
                tracing::debug!(stream = self.stream, events, %error, "batch not acked");
                self.ask(group, until).await
            }
            Err(_) => group,
        }
    }

    async fn send_batch(&self, events: &[&Outgoing]) -> Result<Seq, Nack> {
        let life = self.link.life();
        tokio::select! {
            sent = atomic::publish(self.link.client(), &self.stream, events) => sent,
            () = self.link.renewed(life) => Err(Nack::NotNow("the connection broke".to_owned())),
        }
    }

    /// One try to append a row as a batch, which keeps its order.
    pub(crate) async fn append_row(&mut self, row: Row) {
        let until = row.deadline;
        let events: Vec<&Outgoing> = row.events.iter().collect();
        let sent = async {
            self.ready().await;
            self.send_batch(&events).await
        };
        let done = match timeout_at(until, sent).await {
            Ok(Ok(first)) => {
                let mut seq = first;
                let mut appended = Vec::with_capacity(events.len());
                for _ in &events {
                    appended.push(Appended {
                        seq,
                        incarnation: self.incarnation,
                        duplicate: false,
                    });
                    seq = seq.next();
                }
                Some(appended)
            }
            Ok(Err(error)) => {
                tracing::debug!(stream = self.stream, events = events.len(), %error, "row not acked");
                None
            }
            Err(_) => None,
        };
        // A caller that went away does not want to know.
        drop(row.answer.send(done));
    }

    /// Answers those that the stream has already. Returns the others.
    async fn ask(&self, group: Vec<Entry>, until: Instant) -> Vec<Entry> {
        let life = self.link.life();
        let asked = stream::iter(group).map(|entry| async {
            let place = async {
                tokio::select! {
                    place = probe::place(self.link.client(), &entry.event) => place,
                    () = self.link.renewed(life) => Err(Nack::NotNow("the connection broke".to_owned())),
                }
            };
            let place = timeout_at(until, place).await;
            (entry, place)
        });
        let mut others = Vec::new();
        let mut asked = asked.buffered(usize::MAX);
        while let Some((entry, place)) = asked.next().await {
            match place {
                Ok(Ok(Some(ack))) if ack.stream == self.stream => {
                    entry.answer(&Ok(self.stored(ack.seq, ack.duplicate)));
                }
                Ok(Ok(_) | Err(_)) | Err(_) => others.push(entry),
            }
        }
        others
    }

    /// Sends one event until it is acked, refused or overdue.
    async fn single(&self, mut entry: Entry) {
        let deadline = entry.deadline;
        if Instant::now() >= deadline {
            let overdue = entry.overdue();
            return entry.answer(&Err(overdue));
        }
        let mut refusal = None;
        let outcome = timeout_at(deadline, async {
            loop {
                self.link.up().await;
                let life = self.link.life();
                entry.sent = true;
                let answer = tokio::select! {
                    answer = request(self.link.client(), &entry.event, event_headers(&entry.event)) => answer,
                    () = self.link.renewed(life) => continue,
                };
                match self.verdict(answer) {
                    Ok(stored) => return Ok(stored),
                    Err(Nack::NotNow(why)) => refusal = Some(why),
                    Err(nack @ (Nack::Refused(_) | Nack::WrongLastId)) => {
                        return Err(Failure::Refused(nack.to_string()));
                    }
                }
                sleep(RETRY_PAUSE).await;
            }
        });
        let outcome = match outcome.await {
            Ok(outcome) => outcome,
            Err(_) => Err(refusal.map_or_else(|| entry.overdue(), Failure::Refused)),
        };
        entry.answer(&outcome);
    }

    fn verdict(&self, answer: Result<Ack, Nack>) -> Result<Stored, Nack> {
        let ack = answer?;
        if ack.stream == self.stream {
            return Ok(self.stored(ack.seq, ack.duplicate));
        }
        let other = ack.stream;
        Err(Nack::Refused(format!("stream {other} takes the subject")))
    }

    fn stored(&self, seq: Seq, duplicate: bool) -> Stored {
        Stored {
            seq,
            incarnation: self.incarnation,
            duplicate,
        }
    }
}

/// The headers that every event carries.
pub(crate) fn event_headers(event: &Outgoing) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(async_nats::header::NATS_MESSAGE_ID, event.id.to_string());
    headers.insert(headers::DIGEST, event.digest.as_str());
    headers
}

/// Publishes one event and reads the answer. Waits for ever: the caller bounds it.
pub(crate) async fn request(
    client: &Client,
    event: &Outgoing,
    headers: HeaderMap,
) -> Result<Ack, Nack> {
    let request = async_nats::Request::new()
        .headers(headers)
        .payload(event.payload.clone())
        .timeout(None);
    match client.send_request(event.subject.clone(), request).await {
        Ok(message) => ack::read(&message),
        Err(error) => Err(match error.kind() {
            RequestErrorKind::NoResponders => {
                Nack::NotNow("no stream takes the subject".to_owned())
            }
            RequestErrorKind::TimedOut => Nack::NotNow("no answer".to_owned()),
            RequestErrorKind::InvalidSubject
            | RequestErrorKind::MaxPayloadExceeded
            | RequestErrorKind::Other => Nack::Refused(error.to_string()),
        }),
    }
}

//! What the other side of a connection is to do next, and how long that may take.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};

/// What is to come next on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The rest of a request's head, which began then.
    Head(Instant),
    /// An answer of ours. A body that comes in slowly has a limit of its own.
    Answer,
    /// A request, since then.
    Request(Instant),
}

/// What is to come next, known to the connection and to what answers on it.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    next: Arc<Mutex<Next>>,
    head: Duration,
    idle: Duration,
}

impl Phase {
    /// A connection that has just been made: the head of its first request is due.
    pub(super) fn new(head: Duration, idle: Duration) -> Self {
        let next = Next::Head(Instant::now());
        Self {
            next: Arc::new(Mutex::new(next)),
            head,
            idle,
        }
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is there.
    pub(super) fn busy(&self) {
        *self.next() = Next::Answer;
    }

    /// The request is answered.
    pub(super) fn idle(&self) {
        *self.next() = Next::Request(Instant::now());
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        *self.next() == Next::Answer
    }

    /// Whether nothing was asked for this long.
    pub(super) fn has_idled(&self, long: Duration) -> bool {
        matches!(*self.next(), Next::Request(since) if since.elapsed() >= long)
    }

    fn bytes_came(&self) {
        let mut next = self.next();
        if let Next::Request(_) = *next {
            *next = Next::Head(Instant::now());
        }
    }

    /// Ends when what is due has not come in its time. It looks now and then, which costs requests nothing: it may take
    /// twice as long as the shorter of the two limits.
    pub(super) async fn expired(&self) {
        while !self.is_overdue() {
            sleep(self.head.min(self.idle)).await;
        }
    }

    fn is_overdue(&self) -> bool {
        match *self.next() {
            Next::Head(since) => since.elapsed() >= self.head,
            Next::Answer => false,
            Next::Request(since) => since.elapsed() >= self.idle,
        }
    }
}

/// A stream that tells its phase when bytes have come.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    phase: Phase,
}

impl<S> Watched<S> {
    pub(super) const fn new(stream: S, phase: Phase) -> Self {
        Self { stream, phase }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.phase.bytes_came();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

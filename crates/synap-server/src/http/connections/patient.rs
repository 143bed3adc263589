//! A connection that does not wait for ever. It knows what the other side is to do next, and how long that may take.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

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

    fn deadline(&self) -> Option<Instant> {
        match *self.next() {
            Next::Head(since) => Some(since + self.head),
            Next::Answer => None,
            Next::Request(since) => Some(since + self.idle),
        }
    }
}

/// A stream whose reading ends with [`io::ErrorKind::TimedOut`] when what is due does not come.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    phase: Phase,
    alarm: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, phase: Phase) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now()));
        Self {
            stream,
            phase,
            alarm,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            if buffer.filled().len() > before {
                self.phase.bytes_came();
            }
            return read;
        }
        let Some(deadline) = self.phase.deadline() else {
            return Poll::Pending;
        };
        if self.alarm.deadline() != deadline {
            self.alarm.as_mut().reset(deadline);
        }
        let rung = self.alarm.as_mut().poll(context);
        rung.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
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

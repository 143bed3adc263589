//! The body of an answer, which says when it has been taken: a long one is not over when its head is.

use super::phase::Phase;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that ends the answer when it is dropped.
#[derive(Debug)]
pub(super) struct Told {
    body: Body,
    phase: Phase,
}

impl Told {
    pub(super) const fn new(body: Body, phase: Phase) -> Self {
        Self { body, phase }
    }
}

impl hyper::body::Body for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.phase.idle();
    }
}

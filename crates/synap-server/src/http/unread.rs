//! Reads what an answer left unread of the request's body. A server that closes a connection while the caller still
//! writes resets it, and the answer is lost with it: a caller without a valid key would see a broken pipe, not a 401.

use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt as _;
use futures::stream::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most that is read for nothing. A caller that wants to send more is cut off.
const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest that is read for nothing.
const DISCARD_WITHIN: Duration = Duration::from_secs(5);

/// The body, for the handler and for [`discard`] after it.
type Shared = Arc<Mutex<BodyDataStream>>;

/// Answers, and reads the rest of the body before the answer goes out.
pub(crate) async fn discard(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Whoever asks before sending has sent nothing yet, and shall not.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let rest: Shared = Arc::new(Mutex::new(body.into_data_stream()));
    let body = Body::from_stream(chunks(Arc::clone(&rest)));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let emptied = async { !asks_first && empty(rest).await };
    let emptied = tokio::time::timeout(DISCARD_WITHIN, emptied).await;
    if !matches!(emptied, Ok(true)) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

fn chunks(body: Shared) -> impl futures::Stream<Item = Result<bytes::Bytes, axum::Error>> + Send {
    poll_fn(move |context| {
        let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    })
}

/// Whether the end was reached.
async fn empty(body: Shared) -> bool {
    let mut chunks = chunks(body);
    let mut bytes = 0_usize;
    while let Some(chunk) = chunks.next().await {
        bytes += chunk.map_or(DISCARD_BYTES_MAX, |chunk| chunk.len());
        if bytes >= DISCARD_BYTES_MAX {
            return false;
        }
    }
    true
}

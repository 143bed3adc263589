//! HTTP connections: so many at a time, each only as long as something comes of it. A request's head must come in within a
//! time; between requests a connection may idle for long, since clients keep theirs, but not while others wait for a place.

mod phase;
mod told;

use self::phase::{Phase, Watched};
use self::told::Told;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use synap_types::limits::{
    CONNECTIONS_MAX, HEAD_BYTES_MAX, HEAD_TIMEOUT_MS, HEADERS_MAX, IDLE_CROWDED_MS, IDLE_TIMEOUT_MS,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// Pause after an accept that failed for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many connections there may be, and how long one may keep its place.
#[derive(Debug, Clone, Copy)]
struct Patience {
    connections_max: usize,
    /// For the head of a request.
    head: Duration,
    /// Between requests.
    idle: Duration,
    /// Between requests, when others wait.
    crowded: Duration,
}

const PATIENCE: Patience = Patience {
    connections_max: CONNECTIONS_MAX,
    head: Duration::from_millis(HEAD_TIMEOUT_MS),
    idle: Duration::from_millis(IDLE_TIMEOUT_MS),
    crowded: Duration::from_millis(IDLE_CROWDED_MS),
};

/// Serves until `stop`; then what has begun is answered, and no more.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    House::new(router, PATIENCE, stop).run(listener).await;
}

/// What every connection needs.
#[derive(Debug, Clone)]
struct House {
    router: Router,
    patience: Patience,
    places: Arc<Semaphore>,
    /// Told to all connections while somebody waits for a place.
    crowded: Arc<Notify>,
    stop: CancellationToken,
}

impl House {
    fn new(router: Router, patience: Patience, stop: CancellationToken) -> Self {
        Self {
            router,
            patience,
            places: Arc::new(Semaphore::new(patience.connections_max)),
            crowded: Arc::new(Notify::new()),
            stop,
        }
    }

    async fn run(self, listener: TcpListener) {
        let tasks = TaskTracker::new();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                taken = self.take(&listener) => if let Some((stream, place)) = taken {
                    drop(tasks.spawn(self.clone().converse(stream, place)));
                },
            }
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }

    /// The next connection and its place.
    async fn take(&self, listener: &TcpListener) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(e) if is_of_one_connection(&e) => return None,
            Err(e) => {
                warn!(error = %e, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                return None;
            }
        };
        loop {
            let place = Arc::clone(&self.places).acquire_owned();
            match timeout(self.patience.crowded, place).await {
                Ok(place) => return Some((stream, place.ok()?)),
                Err(_) => self.crowded.notify_waiters(),
            }
        }
    }

    async fn converse(self, stream: TcpStream, _place: OwnedSemaphorePermit) {
        let phase = Phase::new(self.patience.head, self.patience.idle);
        let stream = Watched::new(stream, phase.clone());
        let (router, answering) = (TowerToHyperService::new(self.router), phase.clone());
        let service = service_fn(move |request| {
            answering.busy();
            let (answer, answering) = (router.call(request), answering.clone());
            async move {
                let answer = answer.await;
                answer.map(|answer| answer.map(|body| Told::new(body, answering)))
            }
        });
        let conversation = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_header_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let mut conversation = pin!(conversation);
        let mut expired = pin!(phase.expired());
        let mut stopped = pin!(self.stop.cancelled());
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = &mut conversation => {
                    if let Err(cause) = ended {
                        debug!(%cause, "a connection was cut off");
                    }
                    return;
                }
                () = &mut expired => {
                    debug!("a connection was closed for want of a request");
                    return;
                }
                () = self.crowded.notified(), if !stopping => {
                    if phase.has_idled(self.patience.crowded) {
                        return;
                    }
                }
                () = &mut stopped, if !stopping => {
                    if !phase.is_busy() {
                        return;
                    }
                    stopping = true;
                    conversation.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests;

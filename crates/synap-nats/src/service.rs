//! The NATS micro service `synap`: endpoints on queue group `q`, and `$SRV.PING`, `$SRV.INFO`, `$SRV.STATS`.
//!
//! A refusal carries the same JSON body as over HTTP, and the headers `Nats-Service-Error` (the message) and
//! `Nats-Service-Error-Code` (the HTTP status).

use crate::connect::Connection;
use crate::headers::{self, AUTHORIZATION, IDEMPOTENCY_KEY};
use crate::serve::{Operation, Request, RequestHandler};
use async_nats::service::endpoint::Endpoint;
use async_nats::service::{NATS_SERVICE_ERROR, NATS_SERVICE_ERROR_CODE, ServiceExt as _};
use async_nats::{Client, HeaderMap, HeaderValue, PublishErrorKind, service};
use bytes::Bytes;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use synap_types::{ApiError, ErrorCode, names};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Requests that are handled at the same time, over all endpoints.
const REQUESTS_MAX: usize = 256;
/// How long the server may take to hear that the service ends.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// The running service. [`Service::stop`] ends it.
#[derive(Debug)]
pub struct Service {
    registered: service::Service,
    client: Client,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

/// Why the service does not run. Reads well after "could not start the NATS service: ".
#[derive(Debug, thiserror::Error)]
#[error("it could not be registered")]
pub struct ServiceError(#[source] async_nats::Error);

impl Service {
    /// Registers the endpoints and serves until [`Service::stop`].
    pub async fn start<H: RequestHandler>(
        connection: &Connection,
        handler: Arc<H>,
    ) -> Result<Self, ServiceError> {
        let client = connection.client().clone();
        let service = client
            .service_builder()
            .description("Multi-tenant memory for AI agents: ingest documents, fetch context.")
            .start(names::SERVICE, env!("CARGO_PKG_VERSION"))
            .await
            .map_err(ServiceError)?;
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let turns = Arc::new(Semaphore::new(REQUESTS_MAX));
        for operation in Operation::ALL.iter().copied() {
            let endpoint = service
                .endpoint_builder()
                .name(operation.name())
                .add(operation.subject())
                .await
                .map_err(ServiceError)?;
            let worker = Worker {
                operation,
                handler: Arc::clone(&handler),
                client: client.clone(),
            };
            tasks.spawn(accept(
                endpoint,
                worker,
                Arc::clone(&turns),
                tasks.clone(),
                stopping.clone(),
            ));
        }
        Ok(Self {
            registered: service,
            client,
            tasks,
            stopping,
        })
    }

    /// Takes no more requests, and returns when all that were taken are answered.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.registered.stop().await {
            tracing::debug!(%error, "the service was stopped already");
        }
        if !matches!(timeout(STOP_WITHIN, self.client.flush()).await, Ok(Ok(()))) {
            tracing::debug!("the last answers were not sent");
        }
    }
}

async fn accept<H: RequestHandler>(
    mut endpoint: Endpoint,
    worker: Worker<H>,
    turns: Arc<Semaphore>,
    tasks: TaskTracker,
    stopping: CancellationToken,
) {
    let worker = Arc::new(worker);
    let mut give_up = None;
    loop {
        let next = tokio::select! {
            next = endpoint.next() => next,
            // Without a connection the end of the subscription would be waited for in vain.
            () = sleep_until(give_up.unwrap_or_else(Instant::now)), if give_up.is_some() => None,
            () = stopping.cancelled(), if give_up.is_none() => {
                // Nothing new comes in; what has come is still answered.
                give_up = Some(Instant::now() + STOP_WITHIN);
                if let Err(error) = endpoint.stop().await {
                    tracing::debug!(%error, "the endpoint was stopped already");
                }
                continue;
            }
        };
        let Some(request) = next else {
            break;
        };
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            break;
        };
        let worker = Arc::clone(&worker);
        tasks.spawn(async move {
            worker.serve(request).await;
            drop(turn);
        });
    }
}

struct Worker<H> {
    operation: Operation,
    handler: Arc<H>,
    client: Client,
}

impl<H: RequestHandler> Worker<H> {
    async fn serve(&self, mut request: service::Request) {
        // Nobody waits for an answer without a reply subject, and nobody could be told of a refusal.
        let answer = if request.message.reply.is_some() {
            self.answer(&request.message).await
        } else {
            return;
        };
        let sent = match answer {
            Ok(body) => self.send(&mut request, body).await,
            Err(refusal) => self.refuse(&mut request, &refusal).await,
        };
        if let Err(error) = sent {
            tracing::debug!(operation = self.operation.name(), %error, "answer not sent");
        }
    }

    async fn answer(&self, message: &async_nats::Message) -> Result<Bytes, ApiError> {
        let find = |name| headers::find(message.headers.as_ref(), name);
        let request = Request {
            operation: self.operation,
            authorization: find(AUTHORIZATION),
            idempotency_key: find(IDEMPOTENCY_KEY),
            payload: message.payload.clone(),
        };
        self.handler.call(request).await
    }

    async fn send(
        &self,
        request: &mut service::Request,
        body: Bytes,
    ) -> Result<(), async_nats::PublishError> {
        let bytes = body.len();
        match request.respond(Ok(body)).await {
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                let bytes_max = self.client.max_payload();
                let refusal = ApiError::new(
                    ErrorCode::Internal,
                    format!(
                        "the answer has {bytes} bytes, the NATS server takes {bytes_max}: ask for fewer results"
                    ),
                );
                self.refuse(request, &refusal).await
            }
            sent => sent,
        }
    }

    /// The library counts a refusal in `$SRV.STATS` only when it sends one itself, and then without a body. So the
    /// answer goes out from here, and the library's own to a subject that nobody listens to.
    async fn refuse(
        &self,
        request: &mut service::Request,
        refusal: &ApiError,
    ) -> Result<(), async_nats::PublishError> {
        let status = refusal.code.status();
        let message = headers::value(&refusal.message);
        let mut lines = HeaderMap::new();
        lines.insert(NATS_SERVICE_ERROR, message.clone());
        lines.insert(NATS_SERVICE_ERROR_CODE, HeaderValue::from(status));
        let nobody = self.client.new_inbox().into();
        if let Some(reply) = request.message.reply.replace(nobody) {
            let body = Bytes::from(refusal.to_json().to_string());
            self.client.publish_with_headers(reply, lines, body).await?;
        }
        let counted = service::error::Error {
            status: message.as_str().to_owned(),
            code: usize::from(status),
        };
        request.respond(Err(counted)).await
    }
}

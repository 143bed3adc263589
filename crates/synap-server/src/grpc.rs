//! The gRPC door, `synap.v1.SynapService`: clients stream the turns of their conversations to it.

mod session;

use crate::app::App;
use crate::identity::Identity;
use crate::metrics;
use session::Session;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_proto::synap_service_server::{SynapService, SynapServiceServer};
use synap_proto::{StreamEvent, StreamResponse, TelemetryAck, TelemetryEvent};
use synap_types::limits::{STREAM_MESSAGE_BYTES_MAX, STREAMS_PER_CONNECTION_MAX};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// How long a refusal waits: the vendor's client asks again at once, for ever.
const REFUSAL_DELAY: Duration = Duration::from_secs(1);
/// Refusals that wait at the same time; more are answered at once.
const REFUSALS_MAX: usize = 256;
/// Answers of one stream that wait for a slow reader. Then its events wait.
const ANSWERS_MAX: usize = 64;

/// Serves until `stop`, then until every stream has ended.
pub(crate) fn serve<L: EventLog>(
    app: Arc<App<L>>,
    listener: TcpListener,
    stop: CancellationToken,
) -> impl Future<Output = Result<(), tonic::transport::Error>> + Send {
    let door = GrpcDoor {
        app,
        stop: stop.clone(),
        refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
    };
    let service = SynapServiceServer::new(door)
        .max_decoding_message_size(STREAM_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(STREAM_MESSAGE_BYTES_MAX);
    Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .add_service(service)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled_owned())
}

/// What answers calls.
struct GrpcDoor<L> {
    app: Arc<App<L>>,
    stop: CancellationToken,
    refusals: Arc<Semaphore>,
}

impl<L: EventLog> GrpcDoor<L> {
    /// Whom the call's key stands for. Ids beside it say nothing: clients send them empty before they know them.
    async fn authenticate(&self, metadata: &MetadataMap) -> Result<Arc<Identity>, Status> {
        let header = metadata.get("authorization");
        let header = header.and_then(|value| value.to_str().ok());
        match self.app.operations.keys.authenticate(header) {
            Ok(identity) => Ok(identity),
            Err(refusal) => {
                metrics::stream_event("unauthenticated");
                if let Ok(_waiting) = self.refusals.try_acquire() {
                    tokio::time::sleep(REFUSAL_DELAY).await;
                }
                Err(Status::unauthenticated(refusal.message))
            }
        }
    }
}

#[tonic::async_trait]
impl<L: EventLog> SynapService for GrpcDoor<L> {
    type ListenStream = ReceiverStream<Result<StreamResponse, Status>>;

    async fn listen(
        &self,
        request: Request<Streaming<StreamEvent>>,
    ) -> Result<Response<Self::ListenStream>, Status> {
        let identity = self.authenticate(request.metadata()).await?;
        let (answers, stream) = mpsc::channel(ANSWERS_MAX);
        let session = Session::new(Arc::clone(&self.app), identity, answers);
        let run = session.run(request.into_inner(), self.stop.clone());
        drop(self.app.tasks.spawn(run));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn ingest_telemetry(
        &self,
        request: Request<Streaming<TelemetryEvent>>,
    ) -> Result<Response<TelemetryAck>, Status> {
        self.authenticate(request.metadata()).await?;
        let mut events = request.into_inner();
        let mut events_received = 0_i32;
        while events.message().await?.is_some() {
            events_received = events_received.saturating_add(1);
        }
        let status = "accepted".to_owned();
        Ok(Response::new(TelemetryAck {
            status,
            events_received,
        }))
    }
}

//! The micro service: found, asked, refused, counted, ended.

use crate::support::{Server, wait_until};
use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use synap_nats::{Operation, Request, RequestHandler, Service};
use synap_types::{ApiError, ErrorCode, names};
use tokio::time::{sleep, timeout};

/// Answers with what it was asked, and obeys the payload.
#[derive(Debug, Default)]
struct Echo {
    running: AtomicUsize,
    most: AtomicUsize,
}

impl RequestHandler for Echo {
    async fn call(&self, request: Request) -> Result<Bytes, ApiError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let answer = match &request.payload[..] {
            b"no" => Err(ApiError::invalid("document", "must not be\r\nempty")),
            b"large" => Ok(Bytes::from(vec![b'x'; 9 * 1024 * 1024])),
            b"slow" => {
                sleep(Duration::from_millis(300)).await;
                Ok(Bytes::from_static(b"slow"))
            }
            _ if request.authorization.is_none() => Err(ApiError::unauthorized()),
            _ => Ok(Bytes::from(request.operation.name())),
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

async fn start(server: &Server) -> (Service, Arc<Echo>, Client) {
    let echo = Arc::new(Echo::default());
    let service = Service::start(&server.connection, Arc::clone(&echo))
        .await
        .unwrap();
    (service, echo, server.stranger().await)
}

async fn ask(client: &Client, subject: &'static str, payload: &'static str) -> Message {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer k");
    let payload = Bytes::from_static(payload.as_bytes());
    client
        .request_with_headers(subject, headers, payload)
        .await
        .unwrap()
}

async fn json(client: &Client, subject: &'static str) -> Value {
    let message = client.request(subject, Bytes::new()).await.unwrap();
    serde_json::from_slice(&message.payload).unwrap()
}

#[tokio::test]
async fn every_operation_is_answered() {
    let server = Server::new().await;
    let (service, _, client) = start(&server).await;
    for operation in Operation::ALL.iter().copied() {
        let answer = ask(&client, operation.subject(), "x").await;
        assert_eq!(answer.payload, operation.name());
        assert!(answer.headers.is_none());
    }
    service.stop().await;
}

#[tokio::test]
async fn refusals_have_headers_and_the_body_of_http() {
    let server = Server::new().await;
    let (service, _, client) = start(&server).await;
    let answer = ask(&client, names::INGEST, "no").await;
    let headers = answer.headers.unwrap();
    assert_eq!(
        headers.get("Nats-Service-Error").unwrap().as_str(),
        "document must not be  empty"
    );
    assert_eq!(
        headers.get("Nats-Service-Error-Code").unwrap().as_str(),
        "400"
    );
    let body: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(body["code"], "INVALID_INPUT");
    assert_eq!(body["details"]["field"], "document");
    let answer = client.request(names::FETCH, Bytes::new()).await.unwrap();
    let headers = answer.headers.unwrap();
    assert_eq!(
        headers.get("Nats-Service-Error-Code").unwrap().as_str(),
        "401"
    );
    service.stop().await;
}

#[tokio::test]
async fn an_answer_over_the_servers_limit_is_a_refusal() {
    let server = Server::new().await;
    let (service, _, client) = start(&server).await;
    let answer = ask(&client, names::FETCH, "large").await;
    let body: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(body["code"], ErrorCode::Internal.name());
    service.stop().await;
}

#[tokio::test]
async fn the_service_is_found_and_counts() {
    let server = Server::new().await;
    let (service, _, client) = start(&server).await;
    let ping = json(&client, "$SRV.PING.synap").await;
    assert_eq!(ping["name"], "synap");
    assert_eq!(ping["version"], env!("CARGO_PKG_VERSION"));
    let info = json(&client, "$SRV.INFO.synap").await;
    let mut endpoints: Vec<(String, String)> = info["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["subject"].as_str().unwrap().to_owned(),
                e["queue_group"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    endpoints.sort();
    let mut expected: Vec<_> = Operation::ALL
        .iter()
        .map(|operation| (operation.subject().to_owned(), "q".to_owned()))
        .collect();
    expected.sort();
    assert_eq!(endpoints, expected);
    for subject in [names::FETCH, names::INGEST, names::STATUS] {
        assert!(endpoints.iter().any(|(known, _)| known == subject));
    }
    for payload in ["x", "no", "x"] {
        ask(&client, names::INGEST, payload).await;
    }
    wait_until("all are counted", async || {
        let stats = json(&client, "$SRV.STATS.synap").await;
        let endpoints = stats["endpoints"].as_array().unwrap();
        let ingest = endpoints.iter().find(|e| e["name"] == "ingest").unwrap();
        ingest["num_requests"] == 3 && ingest["num_errors"] == 1
    })
    .await;
    service.stop().await;
}

#[tokio::test]
async fn requests_are_handled_at_the_same_time_and_finished_when_it_stops() {
    let server = Server::new().await;
    let (service, echo, client) = start(&server).await;
    let mut answers = client.subscribe("answers").await.unwrap();
    for _ in 0..300 {
        client
            .publish_with_reply(names::FETCH, "answers", Bytes::from_static(b"slow"))
            .await
            .unwrap();
    }
    client.flush().await.unwrap();
    wait_until("many run", async || echo.most.load(Ordering::SeqCst) == 256).await;
    let first_come = timeout(Duration::from_secs(5), answers.next())
        .await
        .unwrap();
    assert_eq!(first_come.unwrap().payload, "slow");
    service.stop().await;
    assert_eq!(echo.running.load(Ordering::SeqCst), 0);
    assert_eq!(
        echo.most.load(Ordering::SeqCst),
        256,
        "and no more than that"
    );
    for _ in 1..300 {
        let answer = timeout(Duration::from_secs(5), answers.next())
            .await
            .unwrap();
        assert_eq!(answer.unwrap().payload, "slow");
    }
}

//! One caller each over HTTP and NATS, with one connection.

use crate::server::{KEY, Server};
use futures::StreamExt as _;
use serde_json::Value;

pub(crate) struct Http {
    agent: ureq::Agent,
    base: String,
}

impl Http {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            agent: ureq::Agent::new_with_defaults(),
            base: server.http.clone(),
        }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {KEY}"));
        request
            .send_json(body)
            .expect("an answer")
            .body_mut()
            .read_json()
            .expect("JSON")
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let request = self
            .agent
            .get(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {KEY}"));
        request
            .call()
            .expect("an answer")
            .body_mut()
            .read_json()
            .expect("JSON")
    }
}

pub(crate) struct Nats {
    client: async_nats::Client,
    url: String,
}

impl Nats {
    pub(crate) async fn new(server: &Server) -> Self {
        let client = async_nats::connect(&server.nats)
            .await
            .expect("NATS answers");
        Self {
            client,
            url: server.nats.clone(),
        }
    }

    pub(crate) async fn request_raw(&self, subject: &str, body: &Value) -> bytes::Bytes {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Authorization", format!("Bearer {KEY}"));
        let request =
            self.client
                .request_with_headers(subject.to_owned(), headers, body.to_string().into());
        request.await.expect("a reply").payload
    }

    pub(crate) async fn request(&self, subject: &str, body: &Value) -> Value {
        serde_json::from_slice(&self.request_raw(subject, body).await).expect("JSON")
    }

    /// Answers every request with `bytes` bytes, from a connection of its own; answers the subject.
    pub(crate) async fn serve_echo(&self, bytes: usize) -> String {
        let client = async_nats::connect(&self.url).await.expect("NATS answers");
        let mut requests = client
            .subscribe("bench.echo")
            .await
            .expect("a subscription");
        client.flush().await.expect("a flush");
        let reply = bytes::Bytes::from(vec![b'x'; bytes]);
        tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                if let Some(to) = request.reply {
                    client.publish(to, reply.clone()).await.expect("a publish");
                }
            }
        });
        "bench.echo".to_owned()
    }
}

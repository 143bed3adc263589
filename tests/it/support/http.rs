//! The HTTP door.

use crate::support::door::{Door, Reply};
use serde_json::Value;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client with one API key, or none.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    agent: Agent,
    base_url: String,
    key: Option<String>,
}

impl Http {
    pub(crate) fn new(base_url: &str, key: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.into(),
            base_url: base_url.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    /// The same server with another key.
    pub(crate) fn with_key(&self, key: Option<&str>) -> Self {
        Self::new(&self.base_url, key)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], &[])
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], body.to_string().as_bytes())
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let sent = self.try_send(method, path, headers, body);
        sent.unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// The same, for servers that may be down.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url));
        let typed = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case("Content-Type");
        if !headers.iter().any(typed) {
            request = request.header("Content-Type", "application/json");
        }
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = if body.is_empty() {
            self.agent.run(request.body(()).expect("a request"))?
        } else {
            self.agent.run(request.body(body).expect("a request"))?
        };
        read(response)
    }

    /// Ingests, waits until it can be read if the read model is not far behind, and answers the receipt.
    #[track_caller]
    pub(crate) fn store(&self, body: &Value) -> Value {
        let receipt = self.ingest(body).ok();
        // Asking waits for what the log held by then.
        self.status(receipt["ingestion_id"].as_str().expect("an id"));
        receipt
    }

    #[track_caller]
    pub(crate) fn admin_status(&self) -> Value {
        self.get("/v1/admin/status").ok()
    }

    /// Last seq of each partition's log, in the order of the status.
    #[track_caller]
    pub(crate) fn log_seqs(&self) -> Vec<u64> {
        let status = self.admin_status();
        let partitions = status["partitions"].as_array().expect("partitions");
        let seq = |partition: &Value| partition["log_seq"].as_u64().expect("a seq");
        partitions.iter().map(seq).collect()
    }

    /// Runs a job of the server over all partitions and answers its parts.
    #[track_caller]
    pub(crate) fn job(&self, kind: &str) -> Vec<Value> {
        let started = self
            .post(&format!("/v1/admin/{kind}"), &serde_json::json!({}))
            .ok();
        let path = format!("/v1/admin/jobs/{}", started["job"].as_str().expect("a job"));
        let done = super::value("the job ends", || {
            let shown = self.get(&path).ok();
            (shown["state"] != "running").then_some(shown)
        });
        assert_eq!(done["state"], "done", "{done}");
        done["partitions"].as_array().expect("parts").clone()
    }

    /// Folds the log again, and asserts that the read model is the same.
    #[track_caller]
    pub(crate) fn assert_verified(&self) {
        for part in self.job("verify") {
            assert_eq!(part["result"]["equal"], true, "{part}");
        }
    }
}

fn read(mut response: Response<ureq::Body>) -> Result<Reply, ureq::Error> {
    let status = response.status().as_u16();
    let bytes = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()?;
    Ok(Reply { status, bytes })
}

impl Door for Http {
    fn name(&self) -> &'static str {
        "HTTP"
    }

    fn ingest_bytes(&self, body: &[u8]) -> Reply {
        self.send("POST", "/api/v1/memories/create", &[], body)
    }

    fn fetch_bytes(&self, level: &str, body: &[u8]) -> Reply {
        self.send("POST", &format!("/v1/context/{level}/fetch"), &[], body)
    }

    fn status(&self, ingestion: &str) -> Reply {
        self.get(&format!("/api/v1/memories/status/{ingestion}"))
    }
}

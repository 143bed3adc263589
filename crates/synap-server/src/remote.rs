//! The client side of our own HTTP interface, for the commands.

use crate::cli::ServerArgs;
use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::time::Duration;
use ureq::Agent;

/// How long a command waits for one answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pauses before a command asks again when the server says "later".
pub(crate) const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// The server's refusal of a request.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The server's sentence.
    pub(crate) message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, message } = self;
        write!(f, "the server refuses ({status}): {message}")
    }
}

impl std::error::Error for Refused {}

/// A server to talk to.
#[derive(Debug)]
pub(crate) struct Remote {
    agent: Agent,
    base_url: String,
    api_key: Option<String>,
}

impl Remote {
    pub(crate) fn new(args: &ServerArgs) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.into(),
            base_url: args.base_url.trim_end_matches('/').to_owned(),
            api_key: args.api_key.clone(),
        }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.retry(path, || {
            let mut request = self.agent.get(format!("{}{path}", self.base_url));
            if let Some(key) = &self.api_key {
                request = request.header("Authorization", format!("Bearer {key}"));
            }
            request.call()
        })
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.retry(path, || {
            let mut request = self.agent.post(format!("{}{path}", self.base_url));
            if let Some(key) = &self.api_key {
                request = request.header("Authorization", format!("Bearer {key}"));
            }
            request.send_json(body)
        })
    }

    /// The body of an answer that may be long, as it comes.
    pub(crate) fn stream(&self, path: &str) -> anyhow::Result<impl Read + use<>> {
        let mut request = self.agent.get(format!("{}{path}", self.base_url));
        if let Some(key) = &self.api_key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let request = request.config().timeout_global(None);
        let response = request
            .timeout_recv_response(Some(TIMEOUT))
            .build()
            .call()
            .with_context(|| self.silence())?;
        if response.status().as_u16() == 200 {
            return Ok(response.into_body().into_reader());
        }
        let (status, message) = refusal(response);
        Err(Self::refused(path, status, message))
    }

    /// Sends lines of JSON, and waits for as long as the answer takes.
    pub(crate) fn post_lines(&self, path: &str, lines: &[u8]) -> anyhow::Result<Value> {
        self.retry(path, || {
            let mut request = self.agent.post(format!("{}{path}", self.base_url));
            if let Some(key) = &self.api_key {
                request = request.header("Authorization", format!("Bearer {key}"));
            }
            request
                .config()
                .timeout_global(None)
                .build()
                .content_type("application/x-ndjson")
                .send(lines)
        })
    }

    fn silence(&self) -> String {
        format!(
            "no answer from {}: is synap serve running there?",
            self.base_url
        )
    }

    fn refused(path: &str, status: u16, message: Option<String>) -> anyhow::Error {
        match (status, message) {
            (401, _) => {
                anyhow!("the server wants a valid API key: give --api-key or set SYNAP_API_KEY")
            }
            (404, _) if path.starts_with("/v1/admin") => {
                anyhow!("this key may not steer the server")
            }
            (_, Some(message)) => Refused { status, message }.into(),
            (_, None) => anyhow!("the server answers {status} to {path}"),
        }
    }

    /// Everything that the commands ask is safe to repeat: ingests are recognised by their content.
    fn retry(
        &self,
        path: &str,
        send: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Value> {
        for pause in PAUSES.map(Some).into_iter().chain([None]) {
            let mut response = send().with_context(|| self.silence())?;
            if response.status().as_u16() == 200 {
                let body = response.body_mut().with_config().limit(u64::MAX);
                return body.read_json().context("the server's answer is not JSON");
            }
            let (status, message) = refusal(response);
            match pause {
                Some(pause) if status == 503 => std::thread::sleep(pause),
                Some(_) | None => return Err(Self::refused(path, status, message)),
            }
        }
        bail!("the server stays unavailable")
    }
}

/// Status and sentence of a refusal.
fn refusal(mut response: ureq::http::Response<ureq::Body>) -> (u16, Option<String>) {
    let body = response.body_mut().read_json::<Value>().ok();
    let message = body.and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
    (response.status().as_u16(), message)
}

//! Connects to a NATS server: how it is named, how synap shows who it is, and how long it tries.
//!
//! The first connection is tried for a bounded time; a server that says no is asked once. Afterwards the connection
//! is renewed for ever.

use crate::binary::{SERVER_VERSION_MIN, ServerVersion};
use crate::link::Link;
use async_nats::connection::State;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, ServerAddr};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// One try to connect.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
/// First pause between two tries to reconnect; doubles up to [`RECONNECT_MAX`].
const RECONNECT_MIN: Duration = Duration::from_millis(10);
/// Longest pause between two tries to reconnect: what a recovered server waits for us at most.
const RECONNECT_MAX: Duration = Duration::from_millis(500);
/// A connection that is silent for two of these is given up.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Messages that one subscription buffers. Above it the client drops them, so pulls ask for fewer.
const SUBSCRIPTION_MESSAGES_MAX: usize = 8_192;
/// One question to JetStream's API.
pub(crate) const API_TIMEOUT: Duration = Duration::from_secs(5);

/// How synap shows who it is.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Not at all, or by the user and password in the URL.
    #[default]
    None,
    /// By name and password.
    User {
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// By a token.
    Token(String),
    /// By the seed of an nkey, `SU…`.
    NkeySeed(String),
    /// By a file of `nsc`, with a JWT and a seed.
    CredsFile(PathBuf),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::User { .. } => "User(…)",
            Self::Token(_) => "Token(…)",
            Self::NkeySeed(_) => "NkeySeed(…)",
            Self::CredsFile(_) => "CredsFile(…)",
        })
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Refuse a server that does not encrypt. A `tls://` URL says the same.
    pub required: bool,
    /// Certificates to trust, PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key to show, PEM.
    pub client_files: Option<(PathBuf, PathBuf)>,
}

/// All that [`connect`] needs to know.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectSettings {
    /// `nats://host:port`, or several with commas between.
    pub url: String,
    /// Who synap is.
    pub credentials: Credentials,
    /// How to encrypt.
    pub tls: Tls,
    /// Name that the server shows of this connection.
    pub name: String,
    /// First part of the subjects that answers come to, `_INBOX` unless given: what an account may subscribe to.
    pub inbox_prefix: Option<String>,
    /// How long the first connection is tried.
    pub within: Duration,
}

impl ConnectSettings {
    /// Without credentials and encryption, ten seconds.
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: Credentials::None,
            tls: Tls::default(),
            name: name.into(),
            inbox_prefix: None,
            within: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for ConnectSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectSettings")
            .field("url", &without_password(&self.url))
            .field("credentials", &self.credentials)
            .field("tls", &self.tls)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why there is no connection. Reads well after "could not connect to NATS: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No URL of a NATS server.
    #[error("{url:?} is no NATS URL such as nats://localhost:4222")]
    Url {
        /// What was given.
        url: String,
    },
    /// The credentials cannot be used.
    #[error("the {what} cannot be used")]
    Credentials {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server does not let us in.
    #[error("the server at {url} refuses the credentials")]
    Refused {
        /// Where.
        url: String,
    },
    /// Nothing answers.
    #[error("no server answers at {url}; tried for {within_s} s")]
    Unreachable {
        /// Where.
        url: String,
        /// How long.
        within_s: u64,
        /// The last try.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Too old for atomic batches.
    #[error("nats-server {found} at {url} is too old: synap needs {SERVER_VERSION_MIN} or later")]
    TooOld {
        /// Where.
        url: String,
        /// What it says.
        found: String,
    },
}

/// A connection that renews itself. Clones share it.
#[derive(Debug, Clone)]
pub struct Connection(Link);

impl Connection {
    pub(crate) fn link(&self) -> &Link {
        &self.0
    }

    pub(crate) fn client(&self) -> &Client {
        self.0.client()
    }

    /// Whether the server answers now, as far as the client knows.
    pub fn is_up(&self) -> bool {
        self.0.is_up()
    }

    /// Sends what is buffered and closes.
    pub async fn close(&self) {
        let client = self.client();
        if client.connection_state() != State::Connected {
            return;
        }
        if let Ok(Err(error)) = timeout(TRY_TIMEOUT, client.flush()).await {
            tracing::debug!(%error, "the connection was closed before all was sent");
        }
        if let Err(error) = client.drain().await {
            tracing::debug!(%error, "the connection was closed already");
        }
    }

    pub(crate) async fn has_jetstream(&self) -> bool {
        jetstream(self.client()).query_account().await.is_ok()
    }
}

/// JetStream's API with our timeout.
pub(crate) fn jetstream(client: &Client) -> async_nats::jetstream::Context {
    async_nats::jetstream::ContextBuilder::new()
        .timeout(API_TIMEOUT)
        .build(client.clone())
}

/// Connects, and checks that the server is new enough.
pub async fn connect(settings: &ConnectSettings) -> Result<Connection, ConnectError> {
    let url = without_password(&settings.url);
    let addresses = addresses(&settings.url)?;
    let options = options(settings).await?;
    let deadline = Instant::now() + settings.within;
    let mut pause = RECONNECT_MIN;
    let client = loop {
        let error = match options.clone().connect(addresses.as_slice()).await {
            Ok(client) => break client,
            Err(error) => error,
        };
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                return Err(ConnectError::Refused { url });
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Tls
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {}
        }
        if Instant::now() + pause >= deadline {
            return Err(ConnectError::Unreachable {
                url,
                within_s: settings.within.as_secs(),
                source: Box::new(error),
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(RECONNECT_MAX);
    };
    let found = client.server_info().version;
    if !found
        .parse()
        .is_ok_and(|version: ServerVersion| version >= SERVER_VERSION_MIN)
    {
        return Err(ConnectError::TooOld { url, found });
    }
    Ok(Connection(Link::new(client)))
}

fn addresses(url: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    url.split(',')
        .map(|one| one.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| ConnectError::Url {
            url: without_password(url),
        })
}

async fn options(settings: &ConnectSettings) -> Result<ConnectOptions, ConnectError> {
    let mut options = ConnectOptions::new()
        .name(&settings.name)
        .connection_timeout(TRY_TIMEOUT)
        .ping_interval(PING_EVERY)
        .subscription_capacity(SUBSCRIPTION_MESSAGES_MAX)
        .max_reconnects(None)
        .reconnect_delay_callback(reconnect_pause)
        .require_tls(settings.tls.required);
    if let Some(prefix) = &settings.inbox_prefix {
        options = options.custom_inbox_prefix(prefix);
    }
    if let Some(file) = &settings.tls.ca_file {
        options = options.add_root_certificates(file.clone());
    }
    if let Some((certificate, key)) = &settings.tls.client_files {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    let credentials = if settings.credentials == Credentials::None {
        in_url(&settings.url)?
    } else {
        settings.credentials.clone()
    };
    Ok(match &credentials {
        Credentials::None => options,
        Credentials::User { name, password } => {
            options.user_and_password(name.clone(), password.clone())
        }
        Credentials::Token(token) => options.token(token.clone()),
        Credentials::NkeySeed(seed) => options.nkey(seed.clone()),
        Credentials::CredsFile(file) => {
            options
                .credentials_file(file)
                .await
                .map_err(|source| ConnectError::Credentials {
                    what: "credentials file",
                    source,
                })?
        }
    })
}

/// `nats://user:password@host` or `nats://token@host`, of the first URL that has any. The client library reads the
/// address only.
fn in_url(url: &str) -> Result<Credentials, ConnectError> {
    let addresses = addresses(url)?;
    let Some(with) = addresses.iter().find(|one| one.has_user_pass()) else {
        return Ok(Credentials::None);
    };
    let name = percent_decoded(with.username().unwrap_or_default());
    Ok(match with.password() {
        Some(password) => Credentials::User {
            name,
            password: percent_decoded(password),
        },
        None => Credentials::Token(name),
    })
}

/// `%40` is `@`; a `%` without two digits stands for itself.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or_default()).to_digit(16);
        let mut ahead = rest.clone();
        let digits = (digit(ahead.next()), digit(ahead.next()));
        match digits {
            (Some(high), Some(low)) if byte == b'%' => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// None before the first try: most breaks are short.
fn reconnect_pause(tries: usize) -> Duration {
    if tries <= 1 {
        return Duration::ZERO;
    }
    let doublings = u32::try_from(tries - 2).unwrap_or(u32::MAX).min(16);
    (RECONNECT_MIN * 2_u32.pow(doublings)).min(RECONNECT_MAX)
}

/// The URL as it may be shown: `nats://user:secret@host` is `nats://…@host`.
fn without_password(url: &str) -> String {
    let shown = |one: &str| match (one.split_once("://"), one.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        (_, None) => one.to_owned(),
    };
    url.split(',').map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, expected) in [
            ("nats://localhost:4222", "nats://localhost:4222"),
            ("nats://a:b@c:1,tls://d@e", "nats://…@c:1,tls://…@e"),
            ("a:b@c", "…@c"),
        ] {
            assert_eq!(without_password(url), expected);
        }
        let mut settings = ConnectSettings::new("nats://u:hunter2@h", "n");
        settings.credentials = Credentials::Token("hunter2".to_owned());
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn credentials_are_read_from_the_url() {
        let user = |name: &str, password: &str| Credentials::User {
            name: name.to_owned(),
            password: password.to_owned(),
        };
        for (url, expected) in [
            ("nats://h:1", Credentials::None),
            ("nats://h:1,nats://a:b@i", user("a", "b")),
            ("nats://a:p%40%2fs%25@h", user("a", "p@/s%")),
            ("nats://t0ken@h", Credentials::Token("t0ken".to_owned())),
        ] {
            assert!(in_url(url).unwrap() == expected, "{url}");
        }
        assert!(in_url("http://[").is_err());
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pauses: Vec<u128> = [0, 1, 2, 3, 5, 9, 1000]
            .map(|tries| reconnect_pause(tries).as_millis())
            .to_vec();
        assert_eq!(pauses, [0, 0, 10, 20, 80, 500, 500]);
    }
}

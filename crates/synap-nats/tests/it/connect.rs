//! Connecting: who may, who may not, and what is said.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use synap_log::{Durability, EventLog as _};
use synap_nats::{
    ConnectError, ConnectSettings, Credentials, JetStreamLog, LogOptions, ServerSearch, Tls,
    connect,
};
use synap_types::PartitionCount;
use tempfile::TempDir;

/// A server of somebody else, with a configuration of its own.
struct External {
    child: Child,
    folder: TempDir,
    url: String,
}

impl Drop for External {
    fn drop(&mut self) {
        kill(
            Pid::from_raw(self.child.id().try_into().unwrap()),
            Signal::SIGKILL,
        )
        .unwrap();
        self.child.wait().unwrap();
    }
}

async fn external(config: &str) -> External {
    let binary = ServerSearch::from_env()
        .find()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let text = format!("listen: \"127.0.0.1:-1\"\nports_file_dir: \".\"\n{config}");
    fs::write(folder.path().join("c"), text).unwrap();
    let child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(binary.path)
        .args(["-c", "c", "-l", "log"])
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    let mut url = None;
    crate::support::wait_until("the server says its port", async || {
        url = read_url(folder.path());
        url.is_some()
    })
    .await;
    External {
        child,
        url: url.unwrap(),
        folder,
    }
}

fn read_url(folder: &Path) -> Option<String> {
    let files = fs::read_dir(folder).unwrap().filter_map(Result::ok);
    let file = files
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|e| e == "ports"))?;
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    Some(ports["nats"][0].as_str()?.to_owned())
}

fn settings(url: &str, credentials: Credentials) -> ConnectSettings {
    ConnectSettings {
        credentials,
        within: Duration::from_millis(300),
        ..ConnectSettings::new(url, "test")
    }
}

async fn check(config: &str, right: Credentials, wrong: Credentials) {
    let server = external(config).await;
    let connection = connect(&settings(&server.url, right)).await.unwrap();
    assert!(connection.is_up());
    connection.close().await;
    let refused = connect(&settings(&server.url, wrong)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("the server at {} refuses the credentials", server.url)
    );
    assert!(server.folder.path().exists());
}

#[tokio::test]
async fn users_and_tokens_are_let_in_and_others_are_not() {
    let user = |password: &str| Credentials::User {
        name: "synap".to_owned(),
        password: password.to_owned(),
    };
    check(
        "authorization { user: synap, password: right }",
        user("right"),
        user("wrong"),
    )
    .await;
    let token = |text: &str| Credentials::Token(text.to_owned());
    check(
        "authorization { token: right }",
        token("right"),
        token("wrong"),
    )
    .await;
}

#[tokio::test]
async fn an_nkey_is_let_in_and_another_is_not() {
    // From the documentation of NATS; they open nothing.
    let public = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    check(
        &format!("authorization {{ users: [{{nkey: {public}}}] }}"),
        Credentials::NkeySeed(seed.to_owned()),
        Credentials::None,
    )
    .await;
}

#[tokio::test]
async fn nobody_there_is_said_in_time_and_without_the_password() {
    // A port that nothing listens on: the system gave it out and it was closed.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("nats://me:hunter2@127.0.0.1:{port}");
    let error = connect(&settings(&url, Credentials::None))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .starts_with("no server answers at nats://…@127.0.0.1:"),
        "{error}"
    );
    let error = connect(&settings("http://[", Credentials::None))
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Url { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_encrypts_is_trusted_by_its_certificate() {
    let certs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/certs");
    let file = |name: &str| certs.join(name).display().to_string();
    let server = external(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}",
        file("server.pem"),
        file("server-key.pem")
    ))
    .await;
    let trusting = |ca_file: Option<PathBuf>| ConnectSettings {
        tls: Tls {
            required: true,
            ca_file,
            ..Tls::default()
        },
        ..settings(&server.url, Credentials::None)
    };
    let connection = connect(&trusting(Some(certs.join("ca.pem")))).await;
    assert!(connection.unwrap().is_up());
    let distrusted = connect(&trusting(Some(certs.join("server.pem")))).await;
    assert!(matches!(distrusted, Err(ConnectError::Unreachable { .. })));
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_refused_when_it_has_to() {
    let server = external("").await;
    let mut settings = settings(&server.url, Credentials::None);
    settings.tls.required = true;
    settings.tls.ca_file =
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/certs/ca.pem"));
    let refused = connect(&settings).await;
    assert!(matches!(refused, Err(ConnectError::Unreachable { .. })));
}

/// The account of the application may ask the system account's servers how they sync.
const ASKING: &str = r#"
accounts {
  SYS { users [{user: sys, password: sys}], exports [{service: "$SYS.REQ.SERVER.PING.JSZ"}] }
  APP {
    jetstream: enabled
    users [{user: app, password: app}]
    imports [{service: {account: SYS, subject: "$SYS.REQ.SERVER.PING.JSZ"}}]
  }
}
system_account: SYS
"#;

async fn durability(sync: &str, assume_sync_always: bool) -> Durability {
    let server = external(&format!(
        "{ASKING}\njetstream {{ store_dir: \"js\"{sync} }}"
    ))
    .await;
    let url = server.url.replace("nats://", "nats://app:app@");
    let connection = connect(&ConnectSettings::new(url, "test")).await.unwrap();
    let options = LogOptions {
        assume_sync_always,
        ..LogOptions::new(PartitionCount::ONE)
    };
    let log = JetStreamLog::open(&connection, options).await.unwrap();
    log.durability()
}

#[tokio::test]
async fn a_server_that_tells_is_believed() {
    assert_eq!(
        durability(", sync_interval: always", false).await,
        Durability::PowerSafe
    );
    assert_eq!(durability("", false).await, Durability::Relaxed);
    assert_eq!(durability("", true).await, Durability::Relaxed);
}

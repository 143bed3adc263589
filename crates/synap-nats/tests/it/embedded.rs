//! The embedded server: found, started once per folder, started again, ended.

use crate::support::{alive, options, start, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use synap_nats::{EmbeddedError, EmbeddedServer, Launcher, ServerSearch};

fn fake_server(folder: &Path, says: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join("nats-server");
    // Written under another name first: a file that is open for writing cannot be run.
    let fresh = folder.join("new");
    fs::write(&fresh, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&fresh, &file).unwrap();
    file
}

async fn refusal(search: ServerSearch) -> String {
    search.find().await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_server_that_is_too_old_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let old = fake_server(folder.path(), "nats-server: v2.9.10");
    let expected = format!(
        "{} is version 2.9.10, synap needs 2.12.0 or later: \
         run scripts/setup.sh or set SYNAP_NATS_SERVER",
        old.display()
    );
    let explicit = ServerSearch {
        explicit: Some(old),
        ..ServerSearch::from_env()
    };
    assert_eq!(refusal(explicit.clone()).await, expected);
    let mut start = options(&folder.path().join("data"));
    start.search = explicit;
    assert_eq!(
        EmbeddedServer::start(start).await.unwrap_err().to_string(),
        expected
    );
    let on_path = ServerSearch {
        path: Some(folder.path().into()),
        ..ServerSearch::default()
    };
    assert_eq!(refusal(on_path).await, expected);
}

#[tokio::test]
async fn an_old_server_on_path_is_passed_over_for_a_good_one_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    fake_server(&folder.path().join("bin"), "nats-server: v2.9.10");
    let cached = folder.path().join("cache/nats-server-2.15.1");
    let good = fake_server(&cached, "nats-server: v2.15.1");
    let search = ServerSearch {
        explicit: None,
        path: Some(folder.path().join("bin").into()),
        cache: Some(folder.path().join("cache")),
    };
    assert_eq!(search.find().await.unwrap().path, good);
}

#[tokio::test]
async fn a_missing_server_says_what_to_do() {
    let nowhere = ServerSearch::default();
    assert_eq!(
        refusal(nowhere).await,
        "none is on PATH or in synap's cache: run scripts/setup.sh or set SYNAP_NATS_SERVER"
    );
    let wrong = ServerSearch {
        explicit: Some("/no/such/nats-server".into()),
        ..ServerSearch::from_env()
    };
    assert_eq!(
        refusal(wrong).await,
        "/no/such/nats-server does not run as a nats-server: \
         run scripts/setup.sh or set SYNAP_NATS_SERVER"
    );
}

#[tokio::test]
async fn two_servers_never_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path()).await;
    let second = EmbeddedServer::start(options(folder.path())).await;
    let error = second.unwrap_err();
    assert!(matches!(error, EmbeddedError::InUse { .. }), "{error:?}");
    assert!(
        error.to_string().contains("in use by another synap"),
        "{error}"
    );
    first.shutdown().await;
    start(folder.path()).await.shutdown().await;
}

#[tokio::test]
async fn a_server_that_dies_comes_back_on_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let (url, pid) = (server.url(), server.pid().unwrap());
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
    wait_until("it runs again", async || {
        server.pid().is_some_and(|new| new != pid)
    })
    .await;
    wait_until("it answers on its port", async || {
        async_nats::connect(&url).await.is_ok()
    })
    .await;
    assert_eq!(server.url(), url);
}

#[tokio::test]
async fn shutdown_leaves_nothing_behind_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let pid = server.pid().unwrap();
    assert!(alive(pid));
    server.shutdown().await;
    assert!(!alive(pid));
    let dropped = start(folder.path()).await;
    let pid = dropped.pid().unwrap();
    drop(dropped);
    assert!(!alive(pid), "dropping ends it as well");
}

#[tokio::test]
async fn the_folder_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let nats = folder.path().join("a/nats");
    let server = start(&nats).await;
    let mode = fs::metadata(&nats).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_cannot_start_says_what_its_log_says() {
    let folder = tempfile::tempdir().unwrap();
    // The store is a file where a folder has to be.
    fs::write(folder.path().join("jetstream"), "x").unwrap();
    let mut options = options(folder.path());
    options.launcher = Launcher::Direct;
    let error = EmbeddedServer::start(options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("JetStream"), "{error}");
}

//! The child ends with its parent, even when the parent is killed: this test program starts itself twice, once as the
//! parent and once as the launcher that becomes nats-server.

use crate::support::{alive, options, start, wait_until};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};
use synap_nats::{EmbeddedServer, Launcher};

/// Names the folder to the test that plays the parent.
const FOLDER: &str = "SYNAP_NATS_TEST_FOLDER";

fn arguments(role: &str) -> Vec<OsString> {
    [
        &format!("parent::{role}"),
        "--exact",
        "--nocapture",
        "--test-threads=1",
    ]
    .map(OsString::from)
    .to_vec()
}

/// Plays the launcher when it is given the arguments of one; otherwise there is nothing to do.
#[test]
fn becomes_nats_server() {
    let mut words = env::args_os().skip_while(|word| word != "--");
    let launcher = words.next().is_some();
    assert!(!launcher, "{}", synap_nats::exec_child(words));
}

/// Plays the parent when it is told a folder; otherwise there is nothing to do.
#[test]
fn plays_the_parent() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let mut first = arguments("becomes_nats_server");
    first.push("--".into());
    let mut options = options(&folder.join("nats"));
    options.launcher = Launcher::Reexec {
        program: env::current_exe().unwrap(),
        arguments: first,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = EmbeddedServer::start(options).await.unwrap();
        let fresh = folder.join("new");
        fs::write(&fresh, server.pid().unwrap().to_string()).unwrap();
        fs::rename(fresh, folder.join("pid")).unwrap();
        std::future::pending::<()>().await;
    });
}

#[tokio::test]
async fn the_child_ends_when_the_parent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(env::current_exe().unwrap())
        .args(arguments("plays_the_parent"))
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let file = folder.path().join("pid");
    wait_until("the child runs", async || file.exists()).await;
    let pid: u32 = fs::read_to_string(file).unwrap().parse().unwrap();
    assert!(alive(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    // At once: the next synap does not have to wait until the old child is gone.
    let next = start(&folder.path().join("nats")).await;
    assert!(!alive(pid), "the lock outlives the child");
    next.shutdown().await;
}

//! The server is killed, stopped and restarted while it is used.

use crate::support::{HERE, Server, append_until_acked, wait_until};
use bytes::Bytes;
use futures::StreamExt as _;
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use synap_log::contract::event;
use synap_log::{AppendError, EventLog as _};
use synap_nats::{Inbox, InboxVerdict, Request, RequestHandler, Service};
use synap_types::{ApiError, Seq};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn no_acked_event_is_lost_when_the_server_is_killed() {
    let server = Server::new().await;
    let log = server.log().await;
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..40)
        .map(|writer| {
            let (log, done) = (log.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut acked = Vec::new();
                for n in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("w{writer}-{n}");
                    let seq = append_until_acked(&log, event(HERE, &name)).await.seq;
                    acked.push((name, seq));
                }
                acked
            })
        })
        .collect();
    let mut tail = log.read(HERE, Seq::new(1));
    for _ in 0..3 {
        sleep(Duration::from_millis(300)).await;
        let before = server.child.pid();
        server.signal(Signal::SIGKILL);
        wait_until("the server runs again", async || {
            server.child.pid().is_some_and(|pid| Some(pid) != before)
        })
        .await;
    }
    sleep(Duration::from_millis(300)).await;
    done.store(true, Ordering::Relaxed);
    let mut acked = BTreeMap::new();
    for writer in writers {
        for (name, seq) in writer.await.unwrap() {
            assert_eq!(acked.insert(seq, name), None, "a place is given once");
        }
    }
    assert!(acked.len() > 100, "only {} were acked", acked.len());
    let last = log.state(HERE).await.unwrap().last;
    // One reader over all three restarts: nothing is missing, nothing is there twice.
    for wanted in 1..=last.get() {
        let found = timeout(Duration::from_secs(10), tail.next()).await;
        let found = found.unwrap().unwrap().unwrap();
        assert_eq!(found.seq, Seq::new(wanted), "the reader skips nothing");
        if let Some(name) = acked.remove(&found.seq) {
            assert_eq!(found.payload, event(HERE, &name).payload);
        }
    }
    assert!(acked.is_empty(), "acked and lost: {acked:?}");
}

#[tokio::test]
async fn a_dead_server_is_said_within_a_second_and_recovered_from() {
    let server = Server::new().await;
    let log = server.log().await;
    log.append(event(HERE, "before")).await.unwrap();
    // Stopped, it neither answers nor closes the connection: the hardest way of being away.
    server.signal(Signal::SIGSTOP);
    for n in 0..3 {
        let asked = Instant::now();
        let answer = log.append(event(HERE, &format!("during{n}"))).await;
        let took = asked.elapsed();
        assert!(
            matches!(answer, Err(AppendError::TimedOut { .. })),
            "{answer:?}"
        );
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    server.signal(Signal::SIGCONT);
    append_until_acked(&log, event(HERE, "after")).await;
    for n in 0..3 {
        append_until_acked(&log, event(HERE, &format!("during{n}"))).await;
    }
    assert_eq!(
        log.state(HERE).await.unwrap().last,
        Seq::new(5),
        "each is there once"
    );
}

#[tokio::test]
async fn without_a_connection_an_append_is_refused_within_a_second() {
    let server = Server::new().await;
    let log = server.log().await;
    let Server {
        child, connection, ..
    } = server;
    child.shutdown().await;
    wait_until("the client notices", async || !connection.is_up()).await;
    let asked = Instant::now();
    let appends = (0..100).map(|n| log.append(event(HERE, &format!("{n}"))));
    let answers = futures::future::join_all(appends).await;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    for answer in answers {
        assert!(
            matches!(answer, Err(AppendError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert!(log.state(HERE).await.is_err());
}

#[tokio::test]
async fn a_full_queue_says_busy() {
    let server = Server::new().await;
    let log = server.log().await;
    server.signal(Signal::SIGSTOP);
    let appends = (0..12_000).map(|n| log.append(event(HERE, &format!("{n}"))));
    let answers = futures::future::join_all(appends).await;
    let busy = answers
        .iter()
        .filter(|answer| matches!(answer, Err(AppendError::Busy { .. })));
    assert!(busy.count() >= 900, "the queue is bounded");
    server.signal(Signal::SIGCONT);
    append_until_acked(&log, event(HERE, "after")).await;
}

#[tokio::test]
async fn an_idle_reader_sees_what_comes_after_a_restart() {
    let server = Server::new().await;
    let log = server.log().await;
    log.append(event(HERE, "a")).await.unwrap();
    let mut tail = log.read(HERE, Seq::new(1));
    assert_eq!(tail.next().await.unwrap().unwrap().seq, Seq::new(1));
    let waiting = tokio::spawn(async move { tail.next().await });
    sleep(Duration::from_millis(50)).await;
    server.signal(Signal::SIGKILL);
    append_until_acked(&log, event(HERE, "b")).await;
    let found = timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.unwrap().unwrap().seq, Seq::new(2));
}

/// Refuses everything.
struct Refusing;

impl RequestHandler for Refusing {
    async fn call(&self, _: Request) -> Result<Bytes, ApiError> {
        Err(ApiError::not_found())
    }
}

#[tokio::test]
async fn everything_ends_in_time_when_the_server_is_away() {
    let server = Server::new().await;
    let log = server.log().await;
    let service = Service::start(&server.connection, Arc::new(Refusing)).await;
    let service = service.unwrap();
    let inbox = Inbox::open(&server.connection, 1).await.unwrap();
    let stop = CancellationToken::new();
    let draining = tokio::spawn(inbox.run(|_| async { InboxVerdict::RetryLater }, stop.clone()));
    let Server {
        child, connection, ..
    } = server;
    child.shutdown().await;
    wait_until("the client notices", async || !connection.is_up()).await;
    let ends = async {
        stop.cancel();
        draining.await.unwrap();
        service.stop().await;
        log.close().await;
        connection.close().await;
    };
    timeout(Duration::from_secs(15), ends).await.unwrap();
}

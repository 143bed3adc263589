//! A projector at work: it follows, restarts from its checkpoint, and tells how far it is.

use crate::world::{
    HERE, LIFE, PATIENCE, Running, append, applied, digest_of, live_texts, log_of, log_with,
    numbered, scope,
};
use std::sync::{Arc, Mutex};
use synap_log::MemoryLog;
use synap_projection::{Projector, Standing, wait_for};
use synap_readmodel::{MemoryStore, ReadStore as _, SnapshotExt as _, key};
use synap_types::Seq;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn events_are_applied_as_they_come() {
    let (log, store) = (
        Arc::new(MemoryLog::default()),
        Arc::new(MemoryStore::default()),
    );
    let mut running = Running::start(&log, &store);
    let now = running
        .until(|now| now.standing == Standing::Following)
        .await;
    assert_eq!((now.applied, now.incarnation), (Seq::ZERO, LIFE));
    for number in 1..=5 {
        append(&*log, &numbered(number), None).await;
        running.until_applied(number).await;
        assert_eq!(
            live_texts(&store, &scope(&["acme"])).len() as u64,
            number,
            "visible as soon as it is told"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_projector_goes_on_from_its_checkpoint() {
    let (log, store) = (
        Arc::new(log_with(4).await),
        Arc::new(MemoryStore::default()),
    );
    let mut running = Running::start(&log, &store);
    running.until_applied(4).await;
    running.stop().await;
    for number in 5..=9 {
        append(&*log, &numbered(number), None).await;
    }
    let mut again = Running::start(&log, &store);
    let before = again.progress.borrow().clone();
    assert_eq!((before.applied, before.incarnation), (Seq::new(4), LIFE));
    assert!(before.is_behind());
    again.until_applied(9).await;
    again.until(|now| !now.is_behind()).await;
    again.stop().await;
    let events: Vec<_> = (1..=9).map(numbered).collect();
    assert_eq!(digest_of(&*store), digest_of(&applied(&log_of(&events))));
}

#[tokio::test]
async fn a_projector_that_is_aborted_harms_nothing() {
    let (log, store) = (
        Arc::new(log_with(300).await),
        Arc::new(MemoryStore::default()),
    );
    for _ in 0..5 {
        let (projector, _) = Projector::new(Arc::clone(&log), Arc::clone(&store), HERE).unwrap();
        let task = tokio::spawn(projector.run(CancellationToken::new()));
        tokio::task::yield_now().await;
        task.abort();
        drop(task.await);
    }
    let mut running = Running::start(&log, &store);
    running.until_applied(300).await;
    running.stop().await;
    let events: Vec<_> = (1..=300).map(numbered).collect();
    assert_eq!(digest_of(&*store), digest_of(&applied(&log_of(&events))));
}

#[tokio::test]
async fn waiters_wake_when_their_event_is_applied() {
    let (log, store) = (
        Arc::new(MemoryLog::default()),
        Arc::new(MemoryStore::default()),
    );
    let running = Running::start(&log, &store);
    let waits = [1, 2, 2, 3].map(|seq| {
        let (mut progress, store) = (running.progress.clone(), Arc::clone(&store));
        tokio::spawn(async move {
            let waited = wait_for(&mut progress, Some(LIFE), Seq::new(seq), PATIENCE).await;
            let checkpoint = store.snapshot().row(&key::checkpoint()).unwrap().unwrap();
            (waited, checkpoint.seq >= seq)
        })
    });
    for number in 1..=3 {
        append(&*log, &numbered(number), None).await;
    }
    for wait in waits {
        assert_eq!(wait.await.unwrap(), (Ok(()), true));
    }
    running.stop().await;
}

#[tokio::test]
async fn the_hook_hears_of_every_commit() {
    let (log, store) = (
        Arc::new(log_with(3).await),
        Arc::new(MemoryStore::default()),
    );
    let (projector, mut progress) = Projector::new(log, store, HERE).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let projector = projector.on_applied(Box::new(move |turn, events| {
        ear.lock().unwrap().push((turn.applied.get(), events));
    }));
    let cancel = CancellationToken::new();
    let task = tokio::spawn(projector.run(cancel.clone()));
    wait_for(&mut progress, Some(LIFE), Seq::new(3), PATIENCE)
        .await
        .unwrap();
    cancel.cancel();
    task.await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [(3, 3)]);
}

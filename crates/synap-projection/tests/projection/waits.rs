//! Nobody waits in vain.

use crate::world::PATIENCE;
use std::time::Duration;
use synap_log::Incarnation;
use synap_projection::{Halt, Progress, Standing, WaitError, wait_for};
use synap_types::Seq;
use tokio::sync::watch;

fn progress(incarnation: u64, applied: u64, standing: Standing) -> Progress {
    Progress {
        incarnation: Incarnation(incarnation),
        applied: Seq::new(applied),
        parked: 0,
        standing,
    }
}

/// Waits for event 5 of incarnation 1, with an hour's patience: what is decided is decided at once.
async fn check(now: Progress, expected: Result<(), WaitError>) {
    let (_sender, mut seen) = watch::channel(now.clone());
    let hour = Duration::from_secs(3_600);
    let waiting = wait_for(&mut seen, Some(Incarnation(1)), Seq::new(5), hour);
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert_eq!(waited, Ok(expected), "{now:?}");
}

fn not_there(applied: u64) -> Result<(), WaitError> {
    Err(WaitError::TimedOut {
        applied: Seq::new(applied),
        wanted: Seq::new(5),
    })
}

#[tokio::test]
async fn what_is_applied_needs_no_waiting() {
    check(progress(1, 5, Standing::Following), Ok(())).await;
    check(progress(1, 9, Standing::CatchingUp), Ok(())).await;
    check(progress(1, 5, Standing::Halted(Halt::OtherLog)), Ok(())).await;
}

#[tokio::test]
async fn a_position_of_another_log_fails_at_once() {
    for applied in [0, 4, 9] {
        let now = progress(2, applied, Standing::Following);
        check(now, Err(WaitError::OtherLog)).await;
    }
}

#[tokio::test]
async fn a_halted_partition_makes_nobody_wait() {
    let now = progress(1, 3, Standing::Halted(Halt::OtherLog));
    check(now, not_there(3)).await;
}

#[tokio::test]
async fn a_projector_that_has_ended_makes_nobody_wait() {
    let (sender, mut seen) = watch::channel(progress(1, 3, Standing::Following));
    drop(sender);
    let waited = wait_for(&mut seen, None, Seq::new(5), PATIENCE).await;
    assert_eq!(waited, not_there(3));
}

#[tokio::test]
async fn a_wait_ends_in_time_and_says_how_far_it_is() {
    let (sender, mut seen) = watch::channel(progress(1, 3, Standing::Following));
    let waited = wait_for(&mut seen, None, Seq::new(5), Duration::from_millis(1)).await;
    assert_eq!(waited, not_there(3));
    drop(sender);
}

#[tokio::test]
async fn an_incarnation_that_becomes_known_ends_the_wait() {
    let (sender, mut seen) = watch::channel(progress(0, 0, Standing::CatchingUp));
    let waiting = tokio::spawn(async move {
        wait_for(&mut seen, Some(Incarnation(1)), Seq::new(5), PATIENCE).await
    });
    tokio::task::yield_now().await;
    sender.send_modify(|now| now.incarnation = Incarnation(2));
    assert_eq!(waiting.await.unwrap(), Err(WaitError::OtherLog));
}

//! Waiting for a condition, with a deadline. The only file that sleeps, and only between two looks.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a condition may take that normally holds within a second: the machine may be busy.
const WITHIN: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "deadlines of tests are measured with the machine's clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until `holds`.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    value(what, || holds().then_some(()));
}

/// Waits until there is a value.
#[track_caller]
pub(crate) fn value<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = now() + WITHIN;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(now() < give_up, "not within {WITHIN:?}: {what}");
        sleep(LOOK_EVERY);
    }
}

/// Lets `pause` pass: for faults that come at random times, never to wait for something.
pub(crate) fn pass(pause: Duration) {
    sleep(pause);
}

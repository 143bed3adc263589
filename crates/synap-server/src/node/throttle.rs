//! Keeps background work from taking more than its share of the time.

use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Longest sleep without a look at whether the server ends.
const SLICE: Duration = Duration::from_millis(50);

/// Sleeps after each piece of work. For threads that may block.
pub(super) struct Throttle {
    share: Box<dyn Fn() -> f64 + Send>,
    closing: CancellationToken,
    since: Instant,
}

impl Throttle {
    /// `share` of one processor's time, more than 0, is asked for anew each time. 1 is as fast as it goes.
    pub(super) fn new(
        closing: CancellationToken,
        share: impl Fn() -> f64 + Send + 'static,
    ) -> Self {
        Self {
            share: Box::new(share),
            closing,
            since: Instant::now(),
        }
    }

    /// Rests for what threads worked since the last call, whether at once or one after the other.
    pub(super) fn after(&mut self, worked: Duration) {
        let took = self.since.elapsed();
        let mut rested = Duration::ZERO;
        // Whoever raises the share meanwhile shortens this rest as well.
        while !self.closing.is_cancelled() {
            let left = rest_for(worked, took, (self.share)()).saturating_sub(rested);
            if left.is_zero() {
                break;
            }
            let slice = left.min(SLICE);
            std::thread::sleep(slice);
            rested += slice;
        }
        self.since = Instant::now();
    }
}

/// The rest that makes `worked` the `share` of the time that it took and the rest.
fn rest_for(worked: Duration, took: Duration, share: f64) -> Duration {
    if share >= 1.0 {
        return Duration::ZERO;
    }
    worked.div_f64(share.max(0.001)).saturating_sub(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_rest_make_the_share() {
        let second = Duration::from_secs(1);
        assert_eq!(rest_for(second, second, 1.0), Duration::ZERO);
        assert_eq!(rest_for(second, second, 0.5), second);
        assert_eq!(rest_for(second, second, 0.2), 4 * second);
        assert_eq!(
            rest_for(second, second, 0.0),
            999 * second,
            "never for ever"
        );
        // Two threads worked at once.
        assert_eq!(rest_for(2 * second, second, 0.5), 3 * second);
        assert_eq!(rest_for(2 * second, second, 1.0), Duration::ZERO);
        // It had waited for something else.
        assert_eq!(rest_for(second, 5 * second, 0.5), Duration::ZERO);
    }

    #[test]
    fn whoever_ends_does_not_rest() {
        let closing = CancellationToken::new();
        closing.cancel();
        // A share of a thousandth: with any work before, the rest would be long.
        let mut throttle = Throttle::new(closing, || 0.001);
        throttle.after(Duration::from_secs(3_600));
    }
}

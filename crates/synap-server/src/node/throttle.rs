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
    /// `share` of the time, more than 0 and at most 1, is asked for anew each time.
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

    /// Rests for what was worked since the last call.
    pub(super) fn after_batch(&mut self) {
        let (worked, mut rested) = (self.since.elapsed(), Duration::ZERO);
        // Whoever raises the share meanwhile shortens this rest as well.
        while !self.closing.is_cancelled() {
            let left = rest_for(worked, (self.share)()).saturating_sub(rested);
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

/// The rest that makes `worked` the `share` of both together.
fn rest_for(worked: Duration, share: f64) -> Duration {
    let share = share.clamp(0.001, 1.0);
    worked.mul_f64((1.0 - share) / share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_rest_make_the_share() {
        let second = Duration::from_secs(1);
        assert_eq!(rest_for(second, 1.0), Duration::ZERO);
        assert_eq!(rest_for(second, 0.5), second);
        assert_eq!(rest_for(second, 0.2), 4 * second);
        assert_eq!(rest_for(second, 0.0), 999 * second, "never for ever");
    }

    #[test]
    fn whoever_ends_does_not_rest() {
        let closing = CancellationToken::new();
        closing.cancel();
        // A share of a thousandth: with any work before, the rest would be long.
        let mut throttle = Throttle::new(closing, || 0.001);
        throttle.since -= Duration::from_secs(3_600);
        throttle.after_batch();
    }
}

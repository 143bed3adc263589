//! Up to where a log was acked a while ago. It must not say anything of the last half minute.
//!
//! JetStream knows an event again for two minutes. Rows that are further behind than that may not be asked which version
//! of a document is the last: an id that was used under them would be stored again, and then skipped as seen.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use synap_types::{Partition, Seq};
use tokio::time::Instant;

/// How old a mark must be. Twice of it is well within JetStream's window.
const AGE: Duration = Duration::from_secs(30);

/// Per partition, two marks: the younger one takes the older one's place when it has the age.
#[derive(Debug, Default)]
pub(crate) struct Acked(Mutex<BTreeMap<Partition, Marks>>);

#[derive(Debug, Clone, Copy)]
struct Marks {
    old: Seq,
    young: (Seq, Instant),
}

impl Acked {
    /// `seq` was acked just now.
    pub(crate) fn note(&self, partition: Partition, seq: Seq, now: Instant) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks.entry(partition).or_insert(Marks {
            old: Seq::ZERO,
            young: (seq, now),
        });
        if now.duration_since(marks.young.1) >= AGE {
            (marks.old, marks.young) = (marks.young.0, (seq, now));
        }
    }

    /// What rows must hold that are not too far behind.
    pub(crate) fn long_ago(&self, partition: Partition, now: Instant) -> Seq {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.get(&partition).map_or(Seq::ZERO, |marks| {
            if now.duration_since(marks.young.1) >= AGE {
                marks.young.0
            } else {
                marks.old
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acked_half_a_minute_ago_is_long_ago() {
        let (acked, partition, start) = (Acked::default(), Partition::Shared, Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let long_ago = |seconds| acked.long_ago(partition, after(seconds)).get();
        assert_eq!(long_ago(0), 0);
        for second in 0..100 {
            acked.note(partition, Seq::new(second + 1), after(second));
            let behind = second + 1 - long_ago(second);
            assert!(
                second < 30 || (30..=60).contains(&behind),
                "{second}: {behind}"
            );
        }
        assert_eq!(
            long_ago(300),
            91,
            "the last mark, when nothing more is acked"
        );
        assert_eq!(
            acked.long_ago(Partition::Numbered(0), after(300)),
            Seq::ZERO
        );
    }
}

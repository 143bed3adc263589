//! Signals that do not depend on what a passage is about: who speaks, whether it asks or says when, its length and age.

use super::{Query, float};
use crate::Ranking;
use synap_readmodel::{Passage, PassageFlags};
use synap_text::Period;

/// From this many bytes on a passage is as long as any.
const LONG_BYTES: f32 = 200.0;

/// Whether the passage was said in the period.
fn is_in(passage: &Passage, period: Period) -> bool {
    let said = passage.said_at;
    said != 0 && (period.start.micros()..period.end.micros()).contains(&said)
}

/// The weighted traits of one passage, by name: only those that are so.
pub(crate) fn traits(
    query: &Query,
    passage: &Passage,
    newest: u32,
    ranking: &Ranking,
) -> impl Iterator<Item = (&'static str, f32)> {
    let has = |flag| passage.flags.has(flag);
    let is_named = passage
        .speaker
        .iter()
        .any(|word| *word != 0 && query.names.contains(word));
    let share = |so: bool| if so { 1.0 } else { 0.0 };
    let age = float(passage.ordinal.into()) / float(newest.max(1).into());
    [
        ("speaker", ranking.speaker * share(is_named)),
        (
            "of_self",
            ranking.of_self * share(is_named && has(PassageFlags::OF_SELF)),
        ),
        (
            "when",
            ranking.when * share(query.asks_when && has(PassageFlags::TIMED)),
        ),
        (
            "period",
            ranking.period * share(query.period.is_some_and(|period| is_in(passage, period))),
        ),
        (
            "question",
            ranking.question * share(has(PassageFlags::TURN | PassageFlags::ENDS_ASKING)),
        ),
        (
            "length",
            ranking.length * (f32::from(passage.text_bytes) / LONG_BYTES).min(1.0),
        ),
        ("recency", ranking.recency * age),
    ]
    .into_iter()
    .filter(|(_, weight)| *weight != 0.0)
}

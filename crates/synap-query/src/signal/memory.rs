//! Signals of a single memory beside its words: its type, the names in it, and how sure its type is. They decide among what
//! matches alike.

use super::Query;
use crate::Ranking;
use synap_readmodel::MemoryHead;
use synap_text::name_hashes;

/// What is so of one memory, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MemorySignals {
    /// It is of the type that the query asks for.
    type_asked: f32,
    /// It mentions a name that the query does.
    entity: f32,
    confidence: f32,
}

impl MemorySignals {
    pub(crate) fn of(head: &MemoryHead, query: &Query) -> Self {
        let share = |so: bool| if so { 1.0 } else { 0.0 };
        let mut words = head.entities.iter().flat_map(|name| name_hashes(name));
        let is_named = words.any(|word| word != 0 && query.names.contains(&word));
        Self {
            type_asked: share(query.type_asked == Some(head.kind)),
            entity: share(is_named),
            confidence: head.confidence.clamp(0.0, 1.0),
        }
    }

    /// By name, as they are weighed.
    pub(crate) fn weighed(
        self,
        ranking: &Ranking,
    ) -> impl Iterator<Item = (&'static str, f32)> + use<> {
        [
            ("type_asked", ranking.type_asked * self.type_asked),
            ("entity", ranking.entity * self.entity),
            ("confidence", ranking.confidence * self.confidence),
        ]
        .into_iter()
    }
}

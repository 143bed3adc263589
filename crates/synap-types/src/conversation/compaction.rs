//! How much of a conversation a compaction keeps, and asking for one.

use crate::conversation::ConversationName;
use crate::json::Fields;
use crate::limits::TOKENS_MAX;
use crate::{ApiError, CompactionStrategy, IdempotencyKey, ScopeIds};
use serde_json::{Map, Value};

/// Tokens up to which an adaptive compaction is conservative, and then balanced; longer conversations are cut hard.
const ADAPTIVE: [(usize, CompactionStrategy); 2] = [
    (500, CompactionStrategy::Conservative),
    (4_000, CompactionStrategy::Balanced),
];

impl CompactionStrategy {
    /// Reads every name that the vendor's clients use: `low`, `medium` and `high` are how much is taken away.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "conservative" | "low" => Some(Self::Conservative),
            "balanced" | "medium" => Some(Self::Balanced),
            "aggressive" | "high" => Some(Self::Aggressive),
            "adaptive" => Some(Self::Adaptive),
            _ => None,
        }
    }

    /// As on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conservative => "conservative",
            Self::Balanced => "balanced",
            Self::Aggressive => "aggressive",
            Self::Adaptive => "adaptive",
        }
    }

    /// Tokens that stay of `source` tokens.
    pub fn target(self, source: usize) -> usize {
        let percent = match self.decided(source) {
            Self::Conservative => 70,
            Self::Balanced => 40,
            Self::Aggressive | Self::Adaptive => 15,
        };
        (source * percent).div_ceil(100)
    }

    /// The strategy that an adaptive one comes down to for `source` tokens.
    fn decided(self, source: usize) -> Self {
        if self != Self::Adaptive {
            return self;
        }
        ADAPTIVE
            .iter()
            .find(|(most, _)| source <= *most)
            .map_or(Self::Aggressive, |(_, strategy)| *strategy)
    }
}

/// Asking for a compaction.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactRequest {
    /// Which conversation.
    pub conversation: ConversationName,
    /// Whose it is, as far as the caller said; the conversation tells the rest.
    pub ids: ScopeIds,
    /// How much stays.
    pub strategy: CompactionStrategy,
    /// How many tokens stay; outranks the strategy.
    pub target_tokens: Option<u32>,
    /// Even if nothing was said since the last one.
    pub force: bool,
    /// The caller's idempotency key.
    pub key: Option<IdempotencyKey>,
}

impl CompactRequest {
    /// Reads the body. Fields that are not known are ignored.
    pub fn parse(body: Map<String, Value>) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let ids = fields.scope_ids()?;
        let strategy = match fields.string("strategy", 64)?.as_deref() {
            None | Some("") => CompactionStrategy::default(),
            Some(name) => CompactionStrategy::parse(name).ok_or_else(|| {
                ApiError::invalid(
                    "strategy",
                    "must be conservative, balanced, aggressive or adaptive",
                )
            })?,
        };
        let target = fields.number("target_tokens", 1, TOKENS_MAX)?;
        Ok(Self {
            conversation: ConversationName::required(&mut fields)?,
            ids,
            strategy,
            target_tokens: target.and_then(|tokens| tokens.try_into().ok()),
            force: fields.flag("force")?,
            key: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_keep_their_share_and_adaptive_keeps_less_of_more() {
        let target = CompactionStrategy::target;
        assert_eq!(target(CompactionStrategy::Conservative, 1_000), 700);
        assert_eq!(target(CompactionStrategy::Balanced, 1_000), 400);
        assert_eq!(target(CompactionStrategy::Aggressive, 1_000), 150);
        let adaptive = [400, 1_000, 10_000].map(|n| target(CompactionStrategy::Adaptive, n));
        assert_eq!(adaptive, [280, 400, 1_500]);
    }
}

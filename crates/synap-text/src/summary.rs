//! A conversation made shorter without a language model: its most telling sentences, whole and in their order.
//!
//! ```text
//! turns ─► sentences (read, sorted into sections) ─► rank (weights of terms, greedy choice) ─► Summary
//!              └─ cue (phrases of decisions, greetings, …)
//! ```
//!
//! All weights are whole numbers, so that the choice is the same in every build.

mod cue;
mod rank;
mod sentences;

use synap_types::{Timestamp, TurnRole};

/// A turn to be summed up.
#[derive(Debug, Clone)]
pub struct SummaryTurn<'a> {
    /// Its number in the conversation; several entries may have the same.
    pub number: u32,
    /// Whose turn it was.
    pub role: TurnRole,
    /// Who said it, as it is shown.
    pub speaker: &'a str,
    /// What was said.
    pub content: &'a str,
    /// When it was said, if known.
    pub said_at: Option<Timestamp>,
}

/// What a sentence is to a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SummarySection {
    /// Something was agreed.
    Decision,
    /// Somebody likes, wants or avoids something.
    Preference,
    /// Something is so.
    Fact,
    /// Something happened, or will.
    Event,
    /// Questions, feelings, manners and code.
    Other,
}

impl SummarySection {
    /// All sections, as they are shown.
    pub const ALL: [Self; 5] = [
        Self::Decision,
        Self::Preference,
        Self::Fact,
        Self::Event,
        Self::Other,
    ];

    /// In small letters: "decision".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Preference => "preference",
            Self::Fact => "fact",
            Self::Event => "event",
            Self::Other => "other",
        }
    }
}

/// A sentence that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummarySentence {
    /// The number of its turn.
    pub turn: u32,
    /// Who said it.
    pub speaker: String,
    /// The sentence, with the headings or the name that it stands under.
    pub text: String,
    /// What it is.
    pub section: SummarySection,
}

/// A conversation made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// In the order of the conversation.
    pub sentences: Vec<SummarySentence>,
    /// Estimated tokens of `sentences`, each as "Speaker: text".
    pub tokens: usize,
    /// Estimated tokens of all turns, each as "Speaker: content".
    pub source_tokens: usize,
}

/// The most telling sentences of a conversation that take at most `target_tokens` together.
///
/// A sentence counts for the terms that the conversation returns to, relative to its length, and for being a decision, a
/// preference, an event or a number; it counts less the more of its terms were kept already. Repetitions are left out,
/// and greetings and bare consent as long as anything else was said. Sentences are never cut, apart from text without an
/// end of 1,500 bytes. A conversation that is not blank gives at least one sentence: where no telling one fits, the
/// shortest of the telling ones, and `tokens` is above the target.
///
/// Time grows with the text: each sentence is weighed again at most twice per term, of at most 40 terms; 5,000 turns of
/// 150 bytes take a fraction of a second.
pub fn summarise(turns: &[SummaryTurn<'_>], target_tokens: usize) -> Summary {
    let sentences = sentences::read(turns);
    let kept = rank::choose(&sentences, target_tokens);
    let mut summary = Summary {
        sentences: Vec::new(),
        tokens: 0,
        source_tokens: turns
            .iter()
            .filter(|turn| !turn.content.trim().is_empty())
            .map(|turn| sentences::tokens(turn.speaker, turn.content))
            .sum(),
    };
    for (sentence, kept) in sentences.into_iter().zip(kept) {
        if kept {
            summary.tokens += sentence.tokens;
            summary.sentences.push(SummarySentence {
                turn: sentence.turn,
                speaker: sentence.speaker.to_owned(),
                text: sentence.text,
                section: sentence.section,
            });
        }
    }
    summary
}

#[cfg(test)]
mod tests;

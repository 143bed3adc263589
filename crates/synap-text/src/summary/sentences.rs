//! The turns of a conversation as sentences that may be kept.

use super::cue::Plain;
use super::{SummarySection, SummaryTurn};
use crate::piece::{Form, Piece, collapse, join};
use crate::statement::marks;
use crate::{estimate_tokens, kind, markdown, terms};
use synap_types::{MemoryType, TurnRole};

/// Terms of a sentence that are looked at.
const TERMS_MAX: usize = 40;

/// A sentence that may be kept.
#[derive(Debug)]
pub(super) struct Sentence<'a> {
    pub(super) turn: u32,
    pub(super) speaker: &'a str,
    pub(super) text: String,
    pub(super) section: SummarySection,
    /// Estimated tokens of "Speaker: text".
    pub(super) tokens: usize,
    /// Its terms in order, each once, at most [`TERMS_MAX`].
    pub(super) terms: Vec<String>,
    /// There is a "not" in it.
    pub(super) denies: bool,
    /// By how many percent its weight is taken; 0 for what is kept only where nothing else was said.
    pub(super) percent: u64,
}

/// All sentences, in order.
pub(super) fn read<'a>(turns: &[SummaryTurn<'a>]) -> Vec<Sentence<'a>> {
    let last = turns.len().saturating_sub(2);
    let mut sentences = Vec::new();
    for (at, turn) in turns.iter().enumerate() {
        let mut pieces = markdown::pieces(turn.content);
        if pieces.is_empty() {
            pieces = marks(turn.content);
        }
        let place = if at < 2 || at >= last { 120 } else { 100 };
        sentences.extend(pieces.iter().map(|piece| {
            let sentence = sentence(turn, piece);
            let percent = sentence.percent * place / 100;
            Sentence {
                percent,
                ..sentence
            }
        }));
    }
    sentences
}

/// Estimated tokens of a sentence as it is shown.
pub(super) fn tokens(speaker: &str, text: &str) -> usize {
    if speaker.is_empty() {
        estimate_tokens(text)
    } else {
        estimate_tokens(&format!("{speaker}: {text}"))
    }
}

fn sentence<'a>(turn: &SummaryTurn<'a>, piece: &Piece) -> Sentence<'a> {
    let text = join(
        piece.context.as_deref().unwrap_or_default(),
        &collapse(&piece.body),
    );
    let mut terms = terms(&text);
    terms.truncate(TERMS_MAX);
    terms.sort_unstable();
    terms.dedup();
    let (section, percent) = weigh(turn, piece, &text, &terms);
    Sentence {
        turn: turn.number,
        speaker: turn.speaker,
        tokens: tokens(turn.speaker, &text),
        text,
        section,
        denies: Plain::new(&piece.body).denies(),
        terms,
        percent,
    }
}

/// What a sentence is, and the percentage that its weight is taken at.
fn weigh(
    turn: &SummaryTurn<'_>,
    piece: &Piece,
    text: &str,
    terms: &[String],
) -> (SummarySection, u64) {
    let plain = Plain::new(&piece.body);
    let telling = |word: &str| !crate::terms(word).is_empty();
    if terms.is_empty() || plain.is_filler(telling) {
        return (SummarySection::Other, 0);
    }
    if piece.form == Form::Code {
        return (SummarySection::Other, 25);
    }
    let said = match turn.role {
        TurnRole::User => 100,
        TurnRole::Assistant => 80,
    };
    let manners = turn.role == TurnRole::Assistant && plain.is_manners();
    if manners || text.ends_with(['?', '？', '؟']) {
        return (SummarySection::Other, said * 2 / 5);
    }
    let (section, bonus) = if plain.decides() {
        (SummarySection::Decision, 220)
    } else {
        let by = (turn.role == TurnRole::Assistant).then_some("assistant");
        match kind::of(&piece.body, piece.context.as_deref(), by).kind {
            MemoryType::Preference => (SummarySection::Preference, 160),
            MemoryType::Episode | MemoryType::TemporalEvent => (SummarySection::Event, 125),
            // "That fits.": true, but of what?
            MemoryType::Fact if terms.len() < 2 => (SummarySection::Fact, 20),
            MemoryType::Fact => (SummarySection::Fact, 100),
            MemoryType::Emotion => (SummarySection::Other, 90),
        }
    };
    let exact = if names_or_counts(&piece.body) {
        120
    } else {
        100
    };
    (section, said * bonus / 100 * exact / 100)
}

/// Whether there is a number, or a capital inside of the sentence.
fn names_or_counts(body: &str) -> bool {
    body.contains(|c: char| c.is_numeric())
        || body.split(' ').skip(1).any(|word| {
            word.starts_with(char::is_uppercase) && word.len() > 1 && !word.starts_with("I'")
        })
}

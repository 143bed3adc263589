//! A raw transcript into turns.

use crate::chat::{Reading, Spoken, said};
use crate::kind;
use synap_types::{Timestamp, TurnRole};

/// Labels that say no more than the role does.
const ROLE_WORDS: &[&str] = &["agent", "ai", "assistant", "bot", "human", "model", "user"];
/// A speaker whose name ends in this is an assistant, beside those that [`kind::is_assistant`] knows.
const AGENT: &str = "agent";

/// One turn of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptTurn {
    /// Whose turn it was.
    pub role: TurnRole,
    /// The speaker's name, where the label is more than the role's word.
    pub speaker: Option<String>,
    /// What was said, without the label, trimmed; never blank.
    pub content: String,
    /// When it was said, if the label has a whole time.
    pub said_at: Option<Timestamp>,
}

/// The turns of a transcript in order.
///
/// Names that end in "assistant", "AI", "agent", "bot", "system" or "model" are assistants, all other speakers users.
/// Text before the first speaker is a user's turn, and so is a text without speakers. Lines without a speaker belong to
/// the turn above them; labels without text give no turn, unless there is nothing else. A blank text has no turns.
pub fn transcript_turns(text: &str) -> Vec<TranscriptTurn> {
    let all = said(text, Reading::Transcript).unwrap_or_default();
    let mut turns: Vec<_> = all.iter().filter_map(turn).collect();
    if turns.is_empty() {
        turns.extend(user(text));
    }
    turns
}

/// Text that nobody is named for.
fn user(text: &str) -> Option<TranscriptTurn> {
    let content = text.trim();
    (!content.is_empty()).then(|| TranscriptTurn {
        role: TurnRole::User,
        speaker: None,
        content: content.to_owned(),
        said_at: None,
    })
}

fn turn(said: &Spoken) -> Option<TranscriptTurn> {
    let content = user(&said.words.text)?;
    let Some(speaker) = &said.speaker else {
        return Some(content);
    };
    let lower = speaker.to_lowercase();
    let last = lower.rsplit(' ').next().unwrap_or_default();
    let role = if last == AGENT || kind::is_assistant(last) {
        TurnRole::Assistant
    } else {
        TurnRole::User
    };
    let named = !ROLE_WORDS.contains(&lower.as_str());
    Some(TranscriptTurn {
        role,
        speaker: named.then(|| speaker.clone()),
        said_at: said.said_at,
        ..content
    })
}

#[cfg(test)]
mod tests {
    use super::TurnRole::{Assistant, User};
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(TurnRole, &str, &str)]) {
        let found = transcript_turns(text);
        let shown: Vec<(TurnRole, &str, &str)> = found
            .iter()
            .map(|turn| {
                (
                    turn.role,
                    turn.speaker.as_deref().unwrap_or_default(),
                    turn.content.as_str(),
                )
            })
            .collect();
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn role_words_start_turns() {
        check(
            "User: hi\nthere\n\nAssistant: hello\nHuman: bye\nAI: ok",
            &[
                (User, "", "hi\nthere"),
                (Assistant, "", "hello"),
                (User, "", "bye"),
                (Assistant, "", "ok"),
            ],
        );
        check(
            "**Human:** my order is late\nAgent: I look it up\nHuman: thanks",
            &[
                (User, "", "my order is late"),
                (Assistant, "", "I look it up"),
                (User, "", "thanks"),
            ],
        );
        check(
            "Customer: my order is late\nSupport Bot: it ships today",
            &[
                (User, "Customer", "my order is late"),
                (Assistant, "Support Bot", "it ships today"),
            ],
        );
        check(
            "Agent: Good morning.\nCustomer: Hi.",
            &[(Assistant, "", "Good morning."), (User, "Customer", "Hi.")],
        );
        check(
            "System: be brief\nUser: hi",
            &[(Assistant, "System", "be brief"), (User, "", "hi")],
        );
        check("Customer: hi", &[(User, "Customer", "hi")]);
    }

    #[test]
    fn names_start_turns_with_times() {
        let text =
            "[2026-01-02 10:00:00] Dana: hi\n[2026-01-02 10:01:00] Acme Agent: hello\nDana: bye";
        check(
            text,
            &[
                (User, "Dana", "hi"),
                (Assistant, "Acme Agent", "hello"),
                (User, "Dana", "bye"),
            ],
        );
        let at = |at: usize| {
            transcript_turns(text)[at]
                .said_at
                .map(|time| time.to_string())
        };
        assert_eq!(at(1).as_deref(), Some("2026-01-02T10:01:00Z"));
        assert_eq!(at(2), None);
    }

    #[test]
    fn text_without_speakers_is_one_turn_and_what_precedes_speakers_is_kept() {
        check(
            "I moved to Porto.\n\nNote: it rains.",
            &[(User, "", "I moved to Porto.\n\nNote: it rains.")],
        );
        check(
            "Call of Monday.\n\nUser: hi\nAssistant: Options:\nPros: fast\nCustomer: Dana",
            &[
                (User, "", "Call of Monday."),
                (User, "", "hi"),
                (Assistant, "", "Options:\nPros: fast\nCustomer: Dana"),
            ],
        );
    }

    #[test]
    fn empty_turns_say_nothing() {
        check("", &[]);
        check(" \n ", &[]);
        check("User:\nAssistant: hi", &[(Assistant, "", "hi")]);
        check("User:", &[(User, "", "User:")]);
    }

    #[test]
    fn no_text_is_lost_on_hostile_input() {
        for text in [
            "word".repeat(256 * 1024),
            "User: 🎉\n".repeat(5_000),
            "\u{202e}שלום: עולם\n".repeat(1_000),
            "User: a\u{0}b\nAI:".repeat(1_000),
            "```\nUser: x\n".repeat(999),
        ] {
            let found = transcript_turns(&text);
            assert_eq!(found, transcript_turns(&text));
            let bytes: usize = found.iter().map(|turn| turn.content.len()).sum();
            let labels = text.matches(':').count() * 14;
            assert!(!found.is_empty() && bytes + labels + text.matches('\n').count() >= text.len());
        }
    }
}

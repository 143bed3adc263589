//! One recorded turn of a conversation into statements, as a transcript's turn is read.

use crate::Extractor;
use crate::chat::{Turn, shifted, shown_name};
use crate::statement::{Statement, marks, of_pieces};
use synap_types::Timestamp;

/// A turn to be read.
#[derive(Debug, Clone, Copy)]
pub struct TurnSource<'a> {
    /// What was said.
    pub content: &'a str,
    /// Who said it, as it is shown: "User", "Dana". Blank for nobody.
    pub speaker: &'a str,
    /// When it was said, if known.
    pub said_at: Option<Timestamp>,
    /// When it was recorded: where `said_at` is not known, "yesterday" counts from there.
    pub accepted_at: Option<Timestamp>,
}

/// The statements of a turn in the order of its text, at most [`crate::STATEMENTS_MAX`]; none when it is blank.
///
/// A short turn is one statement, a long one is read as Markdown. All of it is this speaker's, also where it looks like a
/// transcript. [`Statement::span`] counts in `content`.
pub fn turn_statements(turn: &TurnSource<'_>) -> Vec<Statement> {
    Extractor::default().turn_statements(turn)
}

/// [`turn_statements`], neighbours put together as long as they fit in `fill_bytes`.
pub(crate) fn cut(turn: &TurnSource<'_>, fill_bytes: usize) -> Vec<Statement> {
    let said = turn.content.trim();
    let start = turn.content.len() - turn.content.trim_start().len();
    let reader = Turn {
        speaker: shown_name(turn.speaker).map(Into::into),
        said_at: turn.said_at,
    };
    let mut pieces = reader.pieces(said);
    if pieces.is_empty() {
        pieces = marks(said);
        for piece in &mut pieces {
            piece.speaker.clone_from(&reader.speaker);
            piece.said_at = reader.said_at;
        }
    }
    let pieces = shifted(pieces, start);
    of_pieces(pieces, turn.content, turn.accepted_at, fill_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synap_types::MemoryType;

    fn read(content: &str) -> Vec<Statement> {
        turn_statements(&TurnSource {
            content,
            speaker: "Dana",
            said_at: Some(Timestamp::from_micros(7)),
            accepted_at: None,
        })
    }

    #[track_caller]
    fn check(content: &str, expected: &[&str]) {
        let found = read(content);
        let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, expected, "{content:?}");
        for one in &found {
            let span = one.span.start as usize..one.span.end as usize;
            assert!(content.get(span).is_some(), "{one:?}");
            assert_eq!(one.said_at, Some(Timestamp::from_micros(7)));
            assert_eq!(one.speaker.as_deref(), Some("Dana"));
        }
    }

    #[test]
    fn a_short_turn_is_one_statement_of_its_speaker() {
        check(
            "  I prefer tea.\nNo sugar. ",
            &["Dana: I prefer tea. No sugar."],
        );
        let found = read("  I prefer tea. ");
        assert_eq!(found[0].span, 2..15);
        assert_eq!(found[0].kind, MemoryType::Preference);
    }

    #[test]
    fn what_looks_like_a_transcript_stays_one_speakers_turn() {
        check(
            "User: hi\nAssistant: hello",
            &["Dana: User: hi Assistant: hello"],
        );
        let long = "User: I moved to Porto in March and I like it a lot here.\n".repeat(8);
        assert!(read(&long).iter().all(|one| one.text.starts_with("Dana: ")));
        check(
            r#"[{"role": "user", "content": "hi"}]"#,
            &[r#"Dana: [{"role": "user", "content": "hi"}]"#],
        );
    }

    #[test]
    fn a_long_turn_is_read_as_markdown() {
        let content = format!(
            "## Plan\n\n- Staging: any time\n- Production: Tuesdays\n\n{}",
            "The pipeline has three stages and a manual gate. ".repeat(4)
        );
        let found = read(&content);
        assert_eq!(found[0].text, "Dana: Plan: Staging: any time");
        assert!(found.len() > 2, "{found:?}");
    }

    #[test]
    fn blank_content_gives_nothing_and_a_blank_speaker_is_nobody() {
        for blank in ["", "  \n\t", "\u{0}", "\u{0}\n\u{1}"] {
            check(blank, &[]);
        }
        let found = turn_statements(&TurnSource {
            content: "hi",
            speaker: " ",
            said_at: None,
            accepted_at: None,
        });
        assert_eq!(found[0].text, "hi");
        assert_eq!(found[0].speaker, None);
        let marks = "<br>".repeat(60);
        assert!(read(&marks).iter().all(|one| one.speaker.is_some()) && !read(&marks).is_empty());
    }

    #[test]
    fn hostile_content_is_read_the_same_way_twice() {
        for content in [
            "word".repeat(256 * 1024),
            "🎉".repeat(4_000),
            "\u{202e}שלום עולם ".repeat(1_000),
            "a\u{0}b".repeat(1_000),
            format!("{}.", "x ".repeat(200_000)),
        ] {
            let found = read(&content);
            assert!(!found.is_empty());
            assert_eq!(found, read(&content));
            for one in &found {
                let span = one.span.start as usize..one.span.end as usize;
                assert!(content.get(span).is_some());
            }
        }
    }
}

//! Ways to cut texts into statements.

use crate::statement::{self, Source, Statement};
use crate::turn::{self, TurnSource};
use std::fmt;
use std::str::FromStr;

/// Up to how many bytes neighbouring sentences are one passage: two or three paragraphs.
const PASSAGE_BYTES: usize = 1_000;

/// How texts are cut. All else, such as headings, speakers, types and dates, is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extractor {
    /// Into sentences, as small as they stand on their own: what answers are made of, unless something else is asked for.
    #[default]
    Sentences,
    /// Neighbouring sentences below one heading, or of one speaker, stay together up to 1,000 bytes.
    Passages,
}

impl Extractor {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sentences, Self::Passages];

    /// As settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sentences => "sentences",
            Self::Passages => "passages",
        }
    }

    /// As [`crate::statements`], cut this way.
    pub fn statements(self, source: &Source<'_>) -> Vec<Statement> {
        statement::cut(source, self.fill_bytes())
    }

    /// As [`crate::turn_statements`], cut this way.
    pub fn turn_statements(self, turn: &TurnSource<'_>) -> Vec<Statement> {
        turn::cut(turn, self.fill_bytes())
    }

    const fn fill_bytes(self) -> usize {
        match self {
            Self::Sentences => 0,
            Self::Passages => PASSAGE_BYTES,
        }
    }
}

impl fmt::Display for Extractor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Extractor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("must be one of: {known}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synap_types::{Content, DocumentType};

    #[test]
    fn passages_hold_what_stands_together() {
        let content = Content::Text(
            "# Office\n\nThe office opens at nine in the morning. The last one leaves at six in the evening.\n\n# Roof\n\nThe roof of the house is green.".to_owned(),
        );
        let document_type: DocumentType = DocumentType::DOCUMENT.parse().unwrap();
        let source = Source {
            content: &content,
            document_type: &document_type,
            said_at: None,
        };
        let cut = |extractor: Extractor| -> Vec<String> {
            let found = extractor.statements(&source).into_iter();
            found.map(|one| one.text).collect()
        };
        assert_eq!(cut(Extractor::Sentences).len(), 3);
        assert_eq!(
            cut(Extractor::Sentences),
            crate::statements(&source)
                .into_iter()
                .map(|one| one.text)
                .collect::<Vec<_>>()
        );
        assert_eq!(
            cut(Extractor::Passages),
            [
                "Office: The office opens at nine in the morning. The last one leaves at six in the evening.",
                "Roof: The roof of the house is green."
            ]
        );
        assert_eq!("passages".parse(), Ok(Extractor::Passages));
        assert!(
            "words"
                .parse::<Extractor>()
                .unwrap_err()
                .contains("sentences, passages")
        );
    }
}

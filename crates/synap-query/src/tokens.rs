//! How the tokens of a text are counted: by the caller's vocabulary, or estimated where there is none.

use std::fmt::Debug;
use synap_readmodel::MemoryRow;
use synap_text::estimate_tokens;

/// A language model's vocabulary.
pub trait Tokenizer: Debug + Send + Sync {
    /// Tokens that the text takes, without any that mark its beginning or end.
    fn tokens(&self, text: &str) -> usize;
}

/// Counts by a vocabulary, or by [`estimate_tokens`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Tokens<'a>(Option<&'a dyn Tokenizer>);

impl<'a> Tokens<'a> {
    /// By a vocabulary, if there is one.
    pub fn by(tokenizer: Option<&'a dyn Tokenizer>) -> Self {
        Self(tokenizer)
    }

    /// Tokens of a text.
    pub(crate) fn of(self, text: &str) -> usize {
        self.0
            .map_or_else(|| estimate_tokens(text), |tokenizer| tokenizer.tokens(text))
    }

    /// Tokens of a memory's text. The estimate stands in its row.
    pub(crate) fn of_row(self, row: &MemoryRow) -> usize {
        self.0
            .map_or(row.tokens as usize, |tokenizer| tokenizer.tokens(&row.text))
    }
}

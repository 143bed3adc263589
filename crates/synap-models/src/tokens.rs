//! Tokens as the vocabulary of a language model has them.

use crate::ModelError;
use std::fmt;
use std::path::Path;
use tokenizers::Tokenizer;

/// Counts tokens by the vocabulary of a `tokenizer.json`, as models are published with.
pub struct TokenCounter(Tokenizer);

impl TokenCounter {
    /// Reads the file.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let failed = |source| ModelError::Unusable {
            path: path.to_owned(),
            source,
        };
        let mut tokenizer = Tokenizer::from_file(path).map_err(failed)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(failed)?;
        Ok(Self(tokenizer))
    }

    /// Tokens of a text, without any that mark its beginning or end. Its bytes where the vocabulary cannot read it: no text
    /// has more tokens than bytes.
    pub fn count(&self, text: &str) -> usize {
        let tokens = self.0.encode_fast(text, false);
        tokens.map_or(text.len(), |tokens| tokens.get_ids().len())
    }
}

impl fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCounter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// One token a word of its four.
    const VOCABULARY: &str = r#"{"version": "1.0", "truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0,
        "direction": "Right"}, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "the": 1, "lift": 2, "is": 3, "broken": 4}, "unk_token": "[UNK]"}}"#;

    #[test]
    fn tokens_are_those_of_the_file_and_all_of_a_text_count() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokenizer.json");
        fs::write(&file, VOCABULARY).unwrap();
        let counter = TokenCounter::open(&file).unwrap();
        assert_eq!(counter.count("the lift is broken again"), 5);
        assert_eq!(counter.count(""), 0);
    }

    #[test]
    fn a_file_that_is_none_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokenizer.json");
        let missing = TokenCounter::open(&file).unwrap_err().to_string();
        assert!(missing.contains("tokenizer.json"), "{missing}");
        fs::write(&file, "{}").unwrap();
        assert!(TokenCounter::open(&file).is_err());
    }
}

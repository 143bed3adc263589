//! The text of a PDF, in the order of its pages.

use std::fmt::Write as _;

/// `None` if it is no PDF, damaged, or locked with a password.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let raw = pdf_extract::extract_text_from_mem(bytes).ok()?;
    let mut text = String::new();
    let mut blank = true;
    // Indentation is layout here, and would be code in Markdown.
    for line in raw.lines().map(str::trim) {
        if !(blank && line.is_empty()) {
            writeln!(text, "{line}").ok()?;
        }
        blank = line.is_empty();
    }
    Some(text.trim_end().to_owned())
}

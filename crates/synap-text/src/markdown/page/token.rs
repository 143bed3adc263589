//! HTML into tags and text, in one pass. Nothing is refused: what is no tag is text.

use crate::piece::part;
use std::ops::Range;

/// No element has a longer name.
const NAME_BYTES_MAX: usize = 16;
/// Elements whose content is no markup.
const RAW: [&str; 2] = ["script", "style"];

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Text, with its character references.
    Text(Range<usize>),
    /// `<name …>`, the name in small letters.
    Open(String, Range<usize>),
    /// `</name>`.
    Close(String, Range<usize>),
}

impl Token {
    /// Where it stands.
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Self::Text(range) | Self::Open(_, range) | Self::Close(_, range) => range.clone(),
        }
    }

    /// The name of a tag that opens.
    pub(super) fn opens(&self) -> Option<&str> {
        match self {
            Self::Open(name, _) => Some(name),
            Self::Text(_) | Self::Close(..) => None,
        }
    }

    /// The name of a tag that closes.
    pub(super) fn closes(&self) -> Option<&str> {
        match self {
            Self::Close(name, _) => Some(name),
            Self::Text(_) | Self::Open(..) => None,
        }
    }
}

/// The tags and texts of a page in order. Comments, declarations, scripts and styles are left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader {
        text,
        tokens: Vec::new(),
        // Text that holds the last of each mark: behind it, nobody looks again.
        last_end: text.rfind('>').unwrap_or(0),
        last_comment_end: text.rfind("-->").unwrap_or(0),
        last_raw_ends: RAW.map(|name| last_close(text, name)),
    };
    let (mut at, mut from) = (0, 0);
    while let Some(found) = part(text, at..text.len()).find('<') {
        let start = at + found;
        match reader.tag(start) {
            Some((token, end)) => {
                reader.push_text(from..start);
                reader.tokens.extend(token);
                (at, from) = (end, end);
            }
            None => at = start + 1,
        }
    }
    reader.push_text(from..text.len());
    reader.tokens
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    last_end: usize,
    last_comment_end: usize,
    last_raw_ends: [usize; 2],
}

impl Reader<'_> {
    fn push_text(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.tokens.push(Token::Text(range));
        }
    }

    /// What the `<` at `start` opens, and where it ends. No token: a comment and its like.
    fn tag(&self, start: usize) -> Option<(Option<Token>, usize)> {
        let rest = part(self.text, start..self.text.len());
        if rest.starts_with("<!--") {
            if start > self.last_comment_end {
                return None;
            }
            let end = rest.find("-->")? + "-->".len();
            return Some((None, start + end));
        }
        if start > self.last_end {
            return None;
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return Some((None, start + rest.find('>')? + 1));
        }
        let (closes, from) = if rest.starts_with("</") {
            (true, 2)
        } else {
            (false, 1)
        };
        let name: String = part(rest, from..rest.len())
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-'))
            .take(NAME_BYTES_MAX)
            .collect::<String>()
            .to_ascii_lowercase();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let end = start + end_of_tag(rest).or_else(|| rest.find('>'))? + 1;
        if closes {
            return Some((Some(Token::Close(name, start..end)), end));
        }
        let raw = RAW.iter().position(|raw| *raw == name);
        let last = raw.and_then(|raw| self.last_raw_ends.get(raw));
        if last.is_some_and(|last| *last >= end)
            && let Some(after) = raw_end(part(self.text, end..self.text.len()), &name)
        {
            return Some((None, end + after));
        }
        Some((Some(Token::Open(name, start..end)), end))
    }
}

/// Where a tag ends: the first `>` outside of quotes.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if ends_with_equals(tag, at) => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Quotes are those of a value only behind an equals sign.
fn ends_with_equals(tag: &str, at: usize) -> bool {
    let before = tag.as_bytes().get(at.saturating_sub(1));
    before == Some(&b'=')
}

/// Where the last tag that closes such an element starts; 0 when there is none.
fn last_close(text: &str, name: &str) -> usize {
    text.rmatch_indices("</")
        .map(|(at, _)| at)
        .find(|at| {
            let tag = text.as_bytes().get(at + 2..at + 2 + name.len());
            tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
        })
        .unwrap_or(0)
}

/// The end of the tag that closes a script or a style. Nobody else's `</` is in one.
fn raw_end(rest: &str, name: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = part(rest, from..rest.len()).find("</") {
        let at = from + found + 2;
        let tag = rest.as_bytes().get(at..at + name.len())?;
        if tag.eq_ignore_ascii_case(name.as_bytes()) {
            let end = part(rest, at..rest.len()).find('>')?;
            return Some(at + end + 1);
        }
        from = at;
    }
    None
}

/// The value of an attribute of a tag, as it stands.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(found) = part(tag, from..tag.len()).find('=') {
        let at = from + found;
        let key = part(tag, 0..at).trim_end();
        let value = part(tag, at + 1..tag.len()).trim_start();
        let quoted = value
            .strip_prefix(['"', '\''])
            .and_then(|inner| inner.split_once(value.chars().next()?));
        let (value, after) = quoted.unwrap_or_else(|| {
            value.split_at(
                value
                    .find(|c: char| c.is_whitespace() || c == '>')
                    .unwrap_or(value.len()),
            )
        });
        let word = key.get(key.len().saturating_sub(name.len())..);
        let before = key
            .get(..key.len().saturating_sub(name.len()))
            .unwrap_or_default();
        if word.is_some_and(|word| word.eq_ignore_ascii_case(name))
            && before.ends_with(char::is_whitespace)
        {
            return Some(value);
        }
        from = tag.len() - after.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        tokens(text)
            .iter()
            .map(|token| match token {
                Token::Text(range) => part(text, range.clone()).to_owned(),
                Token::Open(name, _) => format!("<{name}>"),
                Token::Close(name, _) => format!("</{name}>"),
            })
            .collect()
    }

    #[test]
    fn tags_and_text_are_told_apart() {
        assert_eq!(
            shown("<!doctype html><P class=a>1 < 2<br/> <!-- <b> --><a title='x > y'>z</A>"),
            ["<p>", "1 < 2", "<br>", " ", "<a>", "z", "</a>"]
        );
        assert_eq!(
            shown("<script>if (a</b) x</SCRIPT >y<style>never closed"),
            ["y", "<style>", "never closed"]
        );
        assert_eq!(shown("a <div b"), ["a <div b"]);
        assert_eq!(shown("a <!-- b"), ["a <!-- b"]);
        assert_eq!(shown("<i=\">\" x>"), ["<i>"]);
    }

    #[test]
    fn attributes_are_found() {
        let tag = "<img data-alt=no alt = \"a chart\" src=c.png>";
        assert_eq!(attribute(tag, "alt"), Some("a chart"));
        assert_eq!(attribute(tag, "src"), Some("c.png"));
        assert_eq!(attribute(tag, "title"), None);
        assert_eq!(attribute("<a =\"", "a"), None);
    }
}

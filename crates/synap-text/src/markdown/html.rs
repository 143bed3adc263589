//! HTML in Markdown: tags and comments go, the text between them stays. Anything in angle brackets that is no element of
//! HTML is text: `List<String>` keeps its words.

use super::entity;
use crate::piece::{Flow, part};

/// Elements of HTML that start no new line, in alphabetical order.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del",
    "dfn", "em", "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "mark",
    "meta", "meter", "o:p", "picture", "q", "s", "samp", "select", "small", "source", "span",
    "strike", "strong", "sub", "sup", "svg", "time", "tt", "u", "var", "video", "wbr",
];
/// Elements of HTML that do, in alphabetical order.
const BLOCK: &[&str] = &[
    "address",
    "article",
    "aside",
    "audio",
    "base",
    "blockquote",
    "body",
    "br",
    "canvas",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "pre",
    "script",
    "section",
    "style",
    "summary",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];
/// What a text in angle brackets is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// A tag that starts a new line.
    Break,
    /// Any other tag, or a comment.
    Other,
    /// Text.
    None,
}

/// Tells tags from text.
pub(super) fn tag(text: &str) -> Markup {
    if text.starts_with("<!--") {
        return Markup::Other;
    }
    // Only these: a run of brackets would be gone through again from each of them.
    let inner = text.strip_prefix('<').unwrap_or(text);
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let name: String = inner
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == ':')
        .take(12)
        .collect::<String>()
        .to_ascii_lowercase();
    if BLOCK.binary_search(&name.as_str()).is_ok() {
        Markup::Break
    } else if INLINE.binary_search(&name.as_str()).is_ok() {
        Markup::Other
    } else {
        Markup::None
    }
}

/// A block of HTML without its markup. What is not closed is text.
pub(super) fn strip(flow: &Flow) -> Flow {
    let text = flow.text.as_str();
    let mut out = Flow::default();
    let mut missing = Missing::new();
    let mut at = 0;
    while at < text.len() {
        let rest = part(text, at..text.len());
        let plain = rest.find(['<', '&']).unwrap_or(rest.len());
        if plain > 0 {
            out.push(part(rest, 0..plain), flow.source(&(at..at + plain)));
            at += plain;
            continue;
        }
        if let Some((c, taken)) = entity::reference(rest) {
            out.push(&c.to_string(), flow.source(&(at..at + taken)));
            at += taken;
            continue;
        }
        let (with, taken) = markup(rest, &mut missing);
        out.push(with, flow.source(&(at..at + taken)));
        at += taken.max(1);
    }
    out
}

/// Closing marks that are known to be missing from here on, so that each is searched for once.
type Missing = Vec<&'static str>;

/// What stands for the markup at the start of `rest`, and its length.
fn markup<'a>(rest: &'a str, missing: &mut Missing) -> (&'a str, usize) {
    let found = if rest.starts_with("<!--") {
        end(rest, "-->", missing)
    } else if rest.starts_with("<script") {
        end(rest, "</script>", missing)
    } else if rest.starts_with("<style") {
        end(rest, "</style>", missing)
    } else {
        None
    };
    if let Some(end) = found {
        return (" ", end);
    }
    let with = match tag(rest) {
        Markup::Break => "\n",
        Markup::Other => " ",
        Markup::None => return (part(rest, 0..1), 1),
    };
    end(rest, ">", missing).map_or_else(|| (part(rest, 0..1), 1), |end| (with, end))
}

fn end(rest: &str, mark: &'static str, missing: &mut Missing) -> Option<usize> {
    if missing.contains(&mark) {
        return None;
    }
    let found = rest.find(mark).map(|at| at + mark.len());
    if found.is_none() {
        missing.push(mark);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece::collapse;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        let mut flow = Flow::default();
        flow.push(html, 0..html.len());
        assert_eq!(collapse(&strip(&flow).text), expected, "{html:?}");
    }

    #[test]
    fn lists_are_in_order() {
        assert!(INLINE.is_sorted() && BLOCK.is_sorted());
    }

    #[test]
    fn markup_goes_and_text_stays() {
        check(
            "<p>Hello <b class=\"x\">Dana</b> &amp; all</p>",
            "Hello Dana & all",
        );
        check("<style>p { color: red }</style><!-- no -->Yes", "Yes");
        check("<style>p { never closed", "p { never closed");
        check("List<String> if a < b", "List<String> if a < b");
        check("<div", "<div");
    }
}

//! HTML documents: their elements drive the same walker as Markdown's events do, so that headings, lists, tables and code
//! of both become the same pieces.

mod block;
mod token;

use super::{Front, Walker, entity};
use crate::piece::{Piece, clip, collapse, floor, part};
use crate::when::{Order, moment};
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};
use std::collections::BTreeMap;
use std::ops::Range;
use token::{Token, attribute, tokens};

/// Elements within elements; deeper ones are read as if they were not there.
const DEPTH_MAX: usize = 64;
/// The title of a page is told up to here.
const TITLE_BYTES_MAX: usize = 120;
/// A page starts within so much.
const HEAD_BYTES_MAX: usize = 400;
/// Elements that nobody reads.
const SILENT: &[&str] = &["head", "iframe", "noscript", "object", "svg", "template"];
/// Elements that start a block, beside those that are a structure.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "body",
    "caption",
    "center",
    "details",
    "dialog",
    "div",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "html",
    "legend",
    "main",
    "nav",
    "optgroup",
    "option",
    "p",
    "section",
    "summary",
    "tbody",
    "tfoot",
    "thead",
];
/// What a table of data does not have in its cells: with one of these in it, it is a layout.
const OF_LAYOUTS: &[&str] = &[
    "blockquote",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ol",
    "pre",
    "table",
    "ul",
];

/// Whether a text is an HTML document, or a piece of one from its first to its last character.
pub(super) fn is_page(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !text.starts_with('<') {
        return false;
    }
    let head = part(text, 0..floor(text, HEAD_BYTES_MAX)).to_ascii_lowercase();
    if ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|tag| head.contains(tag))
    {
        return true;
    }
    let markdown = text
        .lines()
        .any(|line| line.starts_with(['#', '-', '*', '>', '|', '`']));
    let name: String = head
        .chars()
        .skip(1)
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let block =
        BLOCKS.contains(&name.as_str()) || OF_LAYOUTS.contains(&name.as_str()) || name == "table";
    block && text.ends_with('>') && text.contains("</") && !markdown
}

/// Whether HTML has more than blocks of text: a list, a table, headings or code.
pub(super) fn has_structure(html: &str) -> bool {
    tokens(html)
        .iter()
        .filter_map(Token::opens)
        .any(|name| OF_LAYOUTS.contains(&name))
}

/// The pieces of a page, in the order of its text.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut page = Page::new(text);
    page.read();
    page.close_all();
    let mut walker = page.walker;
    walker.front = page.front;
    walker.finish()
}

/// An element that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    List(bool),
    Item,
    Quote,
    Table,
    Head,
    Row,
    Terms,
    Definition,
}

/// What the open text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Paragraph,
    Heading(HeadingLevel),
    Term,
    Cell,
    Code,
}

struct Page<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    walker: Walker<'a>,
    open: Vec<Open>,
    leaf: Option<Leaf>,
    link: bool,
    front: Front,
    /// From where the open row starts to where its last cell ends.
    row: Range<usize>,
    /// Tables that lay out, by the place of their tags.
    layouts: Vec<bool>,
    at: usize,
}

impl<'a> Page<'a> {
    fn new(text: &'a str) -> Self {
        let tokens = tokens(text);
        let mut walker = Walker::new(text);
        walker.defines_links = false;
        Self {
            text,
            layouts: layouts(&tokens),
            tokens,
            walker,
            open: Vec::new(),
            leaf: None,
            link: false,
            front: Front::default(),
            row: 0..0,
            at: 0,
        }
    }

    fn read(&mut self) {
        let mut last_close = BTreeMap::new();
        for (at, token) in self.tokens.iter().enumerate() {
            if let Some(name) = token.closes().filter(|name| SILENT.contains(name)) {
                last_close.insert(name.to_owned(), at);
            }
        }
        while let Some(token) = self.tokens.get(self.at).cloned() {
            match &token {
                Token::Text(range) => self.words(range),
                Token::Open(name, range) => {
                    let closes = last_close.get(name).copied().filter(|at| *at > self.at);
                    if let Some(last) = closes {
                        self.skip(name, last);
                    } else {
                        self.opens(name, range);
                    }
                }
                Token::Close(name, range) => self.closes(name, range),
            }
            self.at += 1;
        }
    }

    /// Goes to the tag that closes a silent element. Of a head, title and date are kept.
    fn skip(&mut self, name: &str, last: usize) {
        let mut next = self.at + 1;
        while let Some(token) = self.tokens.get(next).filter(|_| next < last) {
            if token.closes() == Some(name) {
                break;
            }
            let tag = part(self.text, token.range());
            match token.opens() {
                Some("title") if self.front.title.is_none() => {
                    let text = self.tokens.get(next + 1).map(Token::range);
                    let title = collapse(&decoded(part(self.text, text.unwrap_or(0..0))));
                    self.front.title =
                        (!title.is_empty()).then(|| clip(&title, TITLE_BYTES_MAX).into());
                }
                Some("meta") if self.front.said_at.is_none() => {
                    let key = attribute(tag, "property").or_else(|| attribute(tag, "name"));
                    let dated = key.is_some_and(|key| {
                        let key = key.to_ascii_lowercase();
                        matches!(key.as_str(), "article:published_time" | "date" | "dc.date")
                    });
                    self.front.said_at = attribute(tag, "content")
                        .filter(|_| dated)
                        .and_then(|date| moment(date, Order::MonthFirst));
                }
                _ => {}
            }
            next += 1;
        }
        self.at = next;
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        self.walker.event(event, range);
    }

    fn opens(&mut self, name: &str, range: &Range<usize>) {
        if self.leaf == Some(Leaf::Cell) && !matches!(name, "table" | "tr" | "td" | "th") {
            self.opens_inline(name, range);
            return;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading(name, range),
            "ul" | "ol" | "menu" => self.container(Open::List(name == "ol"), range),
            "li" => self.item(range),
            "blockquote" => self.container(Open::Quote, range),
            "dl" => self.container(Open::Terms, range),
            "dt" | "dd" => self.definition(name, range),
            "pre" => self.code(range),
            "table" => self.close_leaf(range.start),
            "tr" => self.starts_row(range),
            "td" | "th" => self.cell(range),
            "hr" => {
                self.close_leaf(range.start);
                self.event(Event::Rule, range.clone());
            }
            name if BLOCKS.contains(&name) => self.close_leaf(range.start),
            name => self.opens_inline(name, range),
        }
    }

    fn opens_inline(&mut self, name: &str, range: &Range<usize>) {
        let tag = part(self.text, range.clone());
        match name {
            "br" if self.leaf == Some(Leaf::Code) => {
                self.event(Event::Text("\n".into()), range.clone());
            }
            "br" if self.leaf.is_some() => self.event(Event::HardBreak, range.clone()),
            "img" => {
                let alt = attribute(tag, "alt").map(|alt| collapse(&decoded(alt)));
                if let Some(alt) = alt.filter(|alt| !alt.is_empty()) {
                    self.starts_text(range.start);
                    self.event(Event::Text(alt.into()), range.clone());
                }
            }
            "a" if !self.link => {
                let target = attribute(tag, "href")
                    .filter(|target| target.starts_with("http") || target.starts_with("mailto:"));
                if let Some(target) = target.map(decoded) {
                    self.starts_text(range.start);
                    self.link = true;
                    let link = Tag::Link {
                        link_type: LinkType::Inline,
                        dest_url: target.into(),
                        title: CowStr::Borrowed(""),
                        id: CowStr::Borrowed(""),
                    };
                    self.event(Event::Start(link), range.clone());
                }
            }
            // Blocks in a cell.
            name if self.leaf == Some(Leaf::Cell)
                && (BLOCKS.contains(&name) || matches!(name, "br" | "li" | "dt" | "dd")) =>
            {
                self.event(Event::Text(" ".into()), range.clone());
            }
            _ => {}
        }
    }

    fn closes(&mut self, name: &str, range: &Range<usize>) {
        match name {
            "a" => self.end_link(range),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" | "dt" => self.close_leaf(range.start),
            "ul" | "menu" => self.close(&[Open::List(false)], range.end),
            "ol" => self.close(&[Open::List(true)], range.end),
            "li" => self.close(&[Open::Item], range.end),
            "blockquote" => self.close(&[Open::Quote], range.end),
            "dl" => self.close(&[Open::Terms], range.end),
            "dd" => self.close(&[Open::Definition], range.end),
            "td" | "th" => self.close_leaf(range.end),
            "tr" => self.close(&[Open::Row, Open::Head], range.end),
            "table" => self.close(&[Open::Table], range.end),
            name if BLOCKS.contains(&name) && self.leaf == Some(Leaf::Paragraph) => {
                self.close_leaf(range.start);
            }
            _ => {}
        }
    }

    /// Text is of a paragraph, if of nothing else.
    fn starts_text(&mut self, at: usize) {
        if self.leaf.is_none() {
            self.event(Event::Start(Tag::Paragraph), at..at);
            self.leaf = Some(Leaf::Paragraph);
        }
    }

    fn words(&mut self, range: &Range<usize>) {
        let text = part(self.text, range.clone());
        if self.leaf.is_none() {
            if text.trim().is_empty() {
                return;
            }
            self.starts_text(range.start);
        }
        let code = self.leaf == Some(Leaf::Code);
        let mut at = 0;
        while at < text.len() {
            let rest = part(text, at..text.len());
            let plain = rest
                .find(|c: char| c == '&' || !code && c.is_whitespace())
                .unwrap_or(rest.len());
            let from = range.start + at;
            if plain > 0 {
                let words = part(rest, 0..plain).to_owned();
                self.event(Event::Text(words.into()), from..from + plain);
                at += plain;
                continue;
            }
            let (with, taken) = match entity::reference(rest) {
                Some((c, length)) => (c.to_string(), length),
                None if rest.starts_with('&') => ("&".to_owned(), 1),
                None => (" ".to_owned(), rest.len() - rest.trim_start().len()),
            };
            self.event(Event::Text(with.into()), from..from + taken);
            at += taken.max(1);
        }
    }

    fn end_link(&mut self, range: &Range<usize>) {
        if self.link {
            self.link = false;
            self.event(Event::End(TagEnd::Link), range.clone());
        }
    }
}

/// For each token whether the innermost table around it only lays out: it has others, or blocks, in its cells.
fn layouts(tokens: &[Token]) -> Vec<bool> {
    let mut open: Vec<usize> = Vec::new();
    let mut lays_out = vec![false; tokens.len()];
    let mut owner: Vec<Option<usize>> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let blocks = token.opens().is_some_and(|name| OF_LAYOUTS.contains(&name));
        if blocks
            && let Some(table) = open.last()
            && let Some(layout) = lays_out.get_mut(*table)
        {
            *layout = true;
        }
        if token.opens() == Some("table") {
            open.push(at);
        }
        owner.push(open.last().copied());
        if token.closes() == Some("table") {
            open.pop();
        }
    }
    owner
        .iter()
        .map(|table| table.is_none_or(|table| lays_out.get(table).copied().unwrap_or(true)))
        .collect()
}

/// A text with its character references read.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(part(rest, 0..at));
        rest = part(rest, at..rest.len());
        let (c, length) = entity::reference(rest).unwrap_or(('&', 1));
        out.push(c);
        rest = part(rest, length..rest.len());
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;

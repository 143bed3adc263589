//! The elements of a page that are a structure: they open and close as Markdown's do, also where a page forgets to.

use super::token::{Token, attribute};
use super::{DEPTH_MAX, Leaf, Open, Page};
use crate::piece::part;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Tag, TagEnd};
use std::ops::Range;

impl Page<'_> {
    pub(super) fn heading(&mut self, name: &str, range: &Range<usize>) {
        let level = match name {
            "h1" => HeadingLevel::H1,
            "h2" => HeadingLevel::H2,
            "h3" => HeadingLevel::H3,
            "h4" => HeadingLevel::H4,
            "h5" => HeadingLevel::H5,
            _ => HeadingLevel::H6,
        };
        self.close_leaf(range.start);
        let tag = Tag::Heading {
            level,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        };
        self.event(Event::Start(tag), range.clone());
        self.leaf = Some(Leaf::Heading(level));
    }

    pub(super) fn container(&mut self, open: Open, range: &Range<usize>) {
        self.close_leaf(range.start);
        if self.open.len() >= DEPTH_MAX {
            return;
        }
        let tag = match open {
            Open::List(ordered) => Tag::List(ordered.then_some(1)),
            Open::Item => Tag::Item,
            Open::Quote => Tag::BlockQuote(None),
            Open::Table => Tag::Table(Vec::new()),
            Open::Head => Tag::TableHead,
            Open::Row => Tag::TableRow,
            Open::Terms => Tag::DefinitionList,
            Open::Definition => Tag::DefinitionListDefinition,
        };
        self.event(Event::Start(tag), range.clone());
        self.open.push(open);
    }

    pub(super) fn item(&mut self, range: &Range<usize>) {
        let list = self
            .open
            .iter()
            .rposition(|open| matches!(open, Open::List(_)));
        let item = self.open.iter().rposition(|open| *open == Open::Item);
        if item > list {
            self.close(&[Open::Item], range.start);
        } else if list.is_none() {
            self.container(Open::List(false), range);
        }
        self.container(Open::Item, range);
    }

    pub(super) fn definition(&mut self, name: &str, range: &Range<usize>) {
        if !self.open.contains(&Open::Terms) {
            self.close_leaf(range.start);
            return;
        }
        self.close(&[Open::Definition], range.start);
        self.close_leaf(range.start);
        if name == "dt" {
            self.event(Event::Start(Tag::DefinitionListTitle), range.clone());
            self.leaf = Some(Leaf::Term);
        } else {
            self.container(Open::Definition, range);
        }
    }

    pub(super) fn code(&mut self, range: &Range<usize>) {
        self.close_leaf(range.start);
        let next = self.tokens.get(self.at + 1);
        let inner = next.filter(|token| token.opens() == Some("code"));
        let tags = [Some(range.clone()), inner.map(Token::range)];
        let language = tags.into_iter().flatten().find_map(|range| {
            let class = attribute(part(self.text, range), "class")?;
            class.split_whitespace().find_map(|class| {
                let known = class.strip_prefix("language-");
                known.or_else(|| class.strip_prefix("lang-"))
            })
        });
        let kind = CodeBlockKind::Fenced(language.unwrap_or_default().to_owned().into());
        self.event(Event::Start(Tag::CodeBlock(kind)), range.clone());
        self.leaf = Some(Leaf::Code);
    }

    pub(super) fn starts_row(&mut self, range: &Range<usize>) {
        if self.layouts.get(self.at).copied().unwrap_or(true) {
            self.close_leaf(range.start);
            return;
        }
        self.close(&[Open::Row, Open::Head], range.start);
        if !self.open.contains(&Open::Table) {
            self.container(Open::Table, range);
        }
        let cells = self.tokens.iter().skip(self.at + 1);
        let mut cells = cells
            .take_while(|token| token.closes() != Some("tr") && token.opens() != Some("tr"))
            .filter_map(Token::opens)
            .filter(|name| matches!(*name, "td" | "th"))
            .peekable();
        let head = cells.peek().is_some() && cells.all(|name| name == "th");
        self.row = range.clone();
        self.container(if head { Open::Head } else { Open::Row }, range);
    }

    pub(super) fn cell(&mut self, range: &Range<usize>) {
        self.close_leaf(range.start);
        if matches!(self.open.last(), Some(Open::Row | Open::Head)) {
            self.event(Event::Start(Tag::TableCell), range.clone());
            self.leaf = Some(Leaf::Cell);
        }
    }

    pub(super) fn close_leaf(&mut self, at: usize) {
        let Some(leaf) = self.leaf.take() else {
            return;
        };
        self.end_link(&(at..at));
        if leaf == Leaf::Cell {
            self.row.end = at;
        }
        let end = match leaf {
            Leaf::Paragraph => TagEnd::Paragraph,
            Leaf::Heading(level) => TagEnd::Heading(level),
            Leaf::Term => TagEnd::DefinitionListTitle,
            Leaf::Cell => TagEnd::TableCell,
            Leaf::Code => TagEnd::CodeBlock,
        };
        self.event(Event::End(end), at..at);
    }

    /// Closes the innermost of these elements and all in it, if one is open.
    pub(super) fn close(&mut self, elements: &[Open], at: usize) {
        let Some(found) = self.open.iter().rposition(|open| elements.contains(open)) else {
            return;
        };
        // A table's cells do not close what is around the table.
        let table = self.open.iter().rposition(|open| *open == Open::Table);
        if table.is_some_and(|table| table > found) {
            return;
        }
        self.close_leaf(at);
        while self.open.len() > found {
            self.close_last(at);
        }
    }

    fn close_last(&mut self, at: usize) {
        let range = match self.open.last() {
            Some(Open::Row | Open::Head) => self.row.clone(),
            _ => at..at,
        };
        let end = match self.open.pop() {
            Some(Open::List(ordered)) => TagEnd::List(ordered),
            Some(Open::Item) => TagEnd::Item,
            Some(Open::Quote) => TagEnd::BlockQuote(None),
            Some(Open::Table) => TagEnd::Table,
            Some(Open::Head) => TagEnd::TableHead,
            Some(Open::Row) => TagEnd::TableRow,
            Some(Open::Terms) => TagEnd::DefinitionList,
            Some(Open::Definition) => TagEnd::DefinitionListDefinition,
            None => return,
        };
        self.event(Event::End(end), range);
    }

    pub(super) fn close_all(&mut self) {
        let end = self.text.len();
        self.close_leaf(end);
        while !self.open.is_empty() {
            self.close_last(end);
        }
    }
}

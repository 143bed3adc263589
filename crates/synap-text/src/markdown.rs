//! Markdown, HTML and prose into pieces that stand on their own: sentences, list items, table rows and code, each with the
//! headings and lead-ins above it. Left out is what is not text: HTML tags and comments, scripts, styles, and the targets of
//! links, unless the link is all that a block says.

mod block;
mod draft;
mod entity;
mod front;
mod html;
mod inline;
mod label;
mod page;
mod plain;
mod prose;
mod table;

use crate::outline::{NodeId, Outline};
use crate::piece::{Flow, Form, Piece, part};
use draft::Draft;
use front::Front;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::mem::take;
use std::ops::Range;
use table::Table;

/// The target of a link is given up to here.
const TARGET_BYTES_MAX: usize = 300;
/// A list item is one piece up to here.
const ITEM_BYTES_MAX: usize = 300;

/// The pieces of a text, in its order, with ranges in it.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    if page::is_page(text) {
        return page::pieces(text);
    }
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_DEFINITION_LIST;
    let mut walker = Walker::new(text);
    let start = walker.front_matter();
    let rest = part(text, start..text.len());
    for (event, range) in Parser::new_ext(rest, options).into_offset_iter() {
        walker.event(event, range.start + start..range.end + start);
    }
    walker.finish()
}

/// What the open inline text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Paragraph,
    Heading(u8),
    Code,
    Html,
    Cell,
}

/// How far a list item has been read.
#[derive(Debug)]
enum Item {
    /// No text yet.
    Fresh,
    /// Its text leads in to what follows, or is a piece if nothing does.
    Label(Flow),
    /// Its text is a piece already.
    Stated(Flow),
    /// What follows stands under its text. Also any container that is no item.
    Done,
}

/// A container that is open.
#[derive(Debug)]
struct Frame {
    /// What its blocks stand under.
    at: Option<NodeId>,
    item: Item,
    ordered: bool,
    /// Its text is the term that definitions follow.
    term: bool,
}

/// A link, and where its text is.
#[derive(Debug)]
struct Link {
    target: String,
    text: Range<usize>,
    source: Range<usize>,
}

/// Reads the events of a text.
#[derive(Debug)]
struct Walker<'a> {
    source: &'a str,
    outline: Outline,
    drafts: Vec<Draft>,
    frames: Vec<Frame>,
    leaf: Leaf,
    flow: Flow,
    /// A paragraph that might lead in to the next block.
    pending: Option<Flow>,
    /// Links that are open.
    links: Vec<Link>,
    /// The last link that was closed in the open text.
    link: Option<Link>,
    front: Front,
    /// The paragraph before, if it is a question that an answer may follow.
    question: Option<NodeId>,
    /// The only item so far of a numbered list: the title of a section, if it stays the only one.
    numbered: Option<(Option<NodeId>, Flow)>,
    /// Items of the list that no other is around.
    items: usize,
    /// The language of the open code.
    language: Option<String>,
    /// The paragraph that ended last, if nothing else did since.
    said: Option<Flow>,
    table: Table,
    /// How much of the source the events have covered.
    covered: usize,
    /// There was a heading with marks, so that lines without are none.
    marked: bool,
    /// What no event covers may define links.
    defines_links: bool,
}

impl<'a> Walker<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            outline: Outline::default(),
            drafts: Vec::new(),
            frames: Vec::new(),
            leaf: Leaf::Paragraph,
            flow: Flow::default(),
            pending: None,
            links: Vec::new(),
            link: None,
            front: Front::default(),
            question: None,
            numbered: None,
            items: 0,
            language: None,
            said: None,
            table: Table::default(),
            covered: 0,
            marked: false,
            defines_links: true,
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text)
            | Event::Code(text)
            | Event::Html(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => {
                self.push(&text, range);
            }
            Event::InlineHtml(tag) => match html::tag(&tag) {
                html::Markup::Break => self.push("\n", range),
                html::Markup::Other => self.cover(&range),
                html::Markup::None => self.push(&tag, range),
            },
            Event::FootnoteReference(label) => self.push(&format!("[^{label}]"), range),
            Event::SoftBreak => {
                let gap = if label::breaks(self.source, &range) {
                    "\n"
                } else {
                    " "
                };
                self.push(gap, range);
            }
            Event::HardBreak => self.push("\n", range),
            Event::TaskListMarker(done) => self.push(if done { "[x] " } else { "[ ] " }, range),
            Event::Rule => self.rule(&range),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::DefinitionListDefinition => self.open(Leaf::Paragraph),
            Tag::Heading { level, .. } => {
                self.open(Leaf::Heading(number(level)));
                self.settle();
            }
            Tag::CodeBlock(kind) => self.start_code(&kind, &range),
            Tag::HtmlBlock => {
                self.open(Leaf::Html);
                self.settle();
            }
            Tag::BlockQuote(_) | Tag::DefinitionList => self.container(false, false),
            Tag::List(first) => {
                self.container(true, first.is_some());
                if self.frames.len() == 1 {
                    self.items = 0;
                }
            }
            Tag::Item => self.item(&range),
            Tag::FootnoteDefinition(label) => self.start_footnote(&label, &range),
            Tag::Table(_) => {
                self.container(true, false);
                self.table = Table::default();
            }
            Tag::TableHead | Tag::TableRow => self.open(Leaf::Cell),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.start_link(&dest_url, range);
            }
            Tag::DefinitionListTitle => self.start_term(),
            Tag::TableCell
            | Tag::MetadataBlock(_)
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::HtmlBlock => {
                self.cover_end(&range);
                self.flush();
            }
            TagEnd::CodeBlock => {
                self.cover_end(&range);
                self.flush();
                self.frames.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.settle();
                self.end_item();
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::FootnoteDefinition => {
                self.flush();
                self.settle();
                self.frames.pop();
                self.numbered_title();
            }
            TagEnd::TableCell => {
                self.show_target();
                let cell = take(&mut self.flow);
                self.table.cell(&cell, &range);
            }
            TagEnd::TableHead => self.table.head(range),
            TagEnd::TableRow => self.row(&range),
            TagEnd::Table => {
                let at = self.context();
                if let Some((body, span)) = self.table.unstated() {
                    self.drafts.push(Draft {
                        at,
                        body,
                        span,
                        form: Form::Item,
                    });
                }
                self.cover_end(&range);
                self.leaf = Leaf::Paragraph;
                self.frames.pop();
            }
            TagEnd::Link | TagEnd::Image => self.end_link(&range),
            TagEnd::DefinitionListTitle => self.end_term(),
            TagEnd::DefinitionListDefinition => {
                self.flush();
                self.settle();
            }
            TagEnd::DefinitionList => {
                self.flush();
                self.settle();
                self.end_terms();
                self.frames.pop();
            }
            TagEnd::MetadataBlock(_)
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript => {}
        }
    }

    fn push(&mut self, text: &str, range: Range<usize>) {
        self.cover(&range);
        self.flow.push(text, range);
    }

    /// Notes that the events reach the end of `range`. What they left out before it may hold a link's definition.
    fn cover(&mut self, range: &Range<usize>) {
        if self.flow.text.is_empty() && self.links.is_empty() {
            self.gap(range.start);
        }
        self.cover_end(range);
    }

    fn cover_end(&mut self, range: &Range<usize>) {
        self.covered = self.covered.max(range.end);
    }

    /// Definitions such as `[runbook]: https://…` are no events; they become pieces of their own.
    fn gap(&mut self, end: usize) {
        if !self.defines_links {
            return;
        }
        let gap = part(self.source, self.covered..end.max(self.covered));
        if let Some(at) = gap.find('[').filter(|_| gap.contains("]:")) {
            let span = self.covered + at..end;
            let mut flow = Flow::default();
            flow.push(part(self.source, span.clone()), span);
            self.draft(None, &flow, Form::Item);
        }
    }

    fn open(&mut self, leaf: Leaf) {
        self.flush();
        self.leaf = leaf;
    }

    fn frame(&mut self, at: Option<NodeId>, ordered: bool) {
        self.frames.push(Frame {
            at,
            item: Item::Done,
            ordered,
            term: false,
        });
    }

    /// `takes_labels`: a paragraph without a colon leads in, too, when it is short.
    fn container(&mut self, takes_labels: bool, ordered: bool) {
        self.flush();
        let at = self.take_lead(takes_labels);
        self.frame(at, ordered);
    }

    fn item(&mut self, range: &Range<usize>) {
        self.open(Leaf::Paragraph);
        self.settle();
        self.not_a_title();
        if self.frames.len() == 1 {
            self.items += 1;
        }
        let (at, ordered) = self
            .frames
            .last()
            .map_or((None, false), |frame| (frame.at, frame.ordered));
        self.frames.push(Frame {
            at,
            item: Item::Fresh,
            ordered: false,
            term: false,
        });
        if ordered {
            let rest = part(self.source, range.clone());
            let digits: String = rest
                .chars()
                .take_while(char::is_ascii_digit)
                .take(9)
                .collect();
            if !digits.is_empty() {
                self.push(
                    &format!("{digits}. "),
                    range.start..range.start + digits.len() + 1,
                );
            }
        }
    }

    fn row(&mut self, range: &Range<usize>) {
        let at = self.context();
        for body in self.table.row(self.source, range) {
            self.drafts.push(Draft {
                at,
                body,
                span: range.clone(),
                form: Form::Item,
            });
        }
    }
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests;

//! A web page as Markdown: headings, lists, tables, links; no scripts, no styles, no pictures but what they are said to show.

use htmd::element_handler::{HandlerResult, Handlers};
use htmd::{Element, HtmlToMarkdown};

/// What is not for readers.
const SKIPPED: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "iframe", "object", "head",
];

/// `None` if it cannot be read.
pub(super) fn markdown(page: &str) -> Option<String> {
    let converter = HtmlToMarkdown::builder()
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["img"], picture)
        .build();
    converter.convert(page).ok()
}

/// What the picture shows, in words. Its address may be the whole picture.
#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the converter's type of handler"
)]
fn picture(_: &dyn Handlers, element: Element<'_>) -> Option<HandlerResult> {
    let mut attributes = element.attrs.iter();
    let alt = attributes.find(|attribute| &*attribute.name.local == "alt");
    let alt = alt.map(|alt| alt.value.split_whitespace().collect::<Vec<_>>().join(" "));
    Some(alt.unwrap_or_default().into())
}

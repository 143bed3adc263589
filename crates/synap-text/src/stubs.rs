//! Temporary.
use crate::{Source, Statement, statements};
use synap_types::*;
pub struct TurnSource<'a> {
    pub content: &'a str,
    pub speaker: &'a str,
    pub said_at: Option<Timestamp>,
}
pub fn turn_statements(turn: &TurnSource<'_>) -> Vec<Statement> {
    let t = "document".parse().unwrap();
    let c = Content::Text(format!("{}: {}", turn.speaker, turn.content));
    statements(&Source {
        content: &c,
        document_type: &t,
    })
}
pub struct TurnOf {
    pub role: TurnRole,
    pub speaker: Option<String>,
    pub content: String,
    pub said_at: Option<Timestamp>,
}
pub fn transcript_turns(text: &str) -> Vec<TurnOf> {
    vec![TurnOf {
        role: TurnRole::User,
        speaker: None,
        content: text.to_owned(),
        said_at: None,
    }]
}
#[derive(Debug, Clone)]
pub struct SummaryTurn<'a> {
    pub number: u32,
    pub role: TurnRole,
    pub speaker: &'a str,
    pub content: &'a str,
    pub said_at: Option<Timestamp>,
}
#[derive(Debug, Clone, Copy)]
pub enum SummarySection {
    Other,
}
impl SummarySection {
    pub fn name(self) -> &'static str {
        "other"
    }
}
pub struct SummarySentence {
    pub turn: u32,
    pub speaker: String,
    pub text: String,
    pub section: SummarySection,
}
pub struct Summary {
    pub sentences: Vec<SummarySentence>,
    pub tokens: usize,
    pub source_tokens: usize,
}
pub fn summarise(_: &[SummaryTurn<'_>], _: usize) -> Summary {
    Summary {
        sentences: vec![],
        tokens: 0,
        source_tokens: 0,
    }
}
pub struct Attribute {
    pub name: String,
    pub value: String,
    pub confidence: f32,
}
pub fn attribute(_: &Statement, _: bool) -> Option<Attribute> {
    None
}
pub fn smart_merge(_: &str, new: &str) -> String {
    new.to_owned()
}

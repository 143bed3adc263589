//! What an event says, read out of its bytes without any row: so it is done ahead of the rows, on another thread.

use serde_json::Map;
use std::panic::{AssertUnwindSafe, catch_unwind};
use synap_log::Recorded;
use synap_readmodel::{
    ExtractorRow, PassageFlags, ReadStore, Snapshot, SnapshotExt as _, StoreError, WriteSet, key,
};
use synap_text::{
    Extractor, Source, Statement, TurnSource, estimate_tokens, has_time, manner, normal_form,
    term_hash, terms, transcript_turns,
};
use synap_types::{
    Event, EventBody, EventParseError, Timestamp, Transcript, TranscriptTurn, TurnRole,
};

/// An event as it stands in the log, with what it says.
#[derive(Debug)]
pub(crate) struct Extracted {
    pub(crate) recorded: Recorded,
    pub(crate) event: Result<Event, EventParseError>,
    /// None if extracting it panicked.
    pub(crate) texts: Option<Texts>,
}

impl Extracted {
    pub(crate) fn of(recorded: Recorded, extractor: Extractor) -> Self {
        let event = Event::from_json(&recorded.payload);
        // A defect in pure code must not stop the partition.
        let texts = catch_unwind(AssertUnwindSafe(|| {
            let texts = |event| Texts::of(event, extractor);
            event.as_ref().map_or(Texts::None, texts)
        }));
        Self {
            recorded,
            event,
            texts: texts.ok(),
        }
    }
}

/// Notes how the texts of an empty store are to be cut.
pub fn cut_by(store: &impl ReadStore, extractor: Extractor) -> Result<(), StoreError> {
    let name = extractor.name().to_owned();
    let mut writes = WriteSet::default();
    writes.put(key::extractor(), &ExtractorRow { name });
    store.commit(&writes)
}

/// How texts become the rows of a store. A name that this build does not know is an error: its rows would be mixed.
pub fn extractor_of(rows: &impl Snapshot) -> Result<Extractor, StoreError> {
    let Some(row) = rows.row(&key::extractor())? else {
        return Ok(Extractor::default());
    };
    let known = row.name.parse::<Extractor>();
    known.map_err(|problem| StoreError::Io(format!("the rows' extractor {problem}").into()))
}

/// The statements of an event.
#[derive(Debug)]
pub(crate) enum Texts {
    /// It brings no text, or one that depends on rows.
    None,
    /// Of a document.
    Document(Vec<Worded>),
    /// Of each turn, one after the other.
    Turns(Vec<(TranscriptTurn, Vec<Worded>)>),
}

impl Texts {
    pub(crate) fn of(event: &Event, extractor: Extractor) -> Self {
        let accepted_at = event.time;
        if let EventBody::MemoryIngested(data) = &event.body {
            let source = Source {
                content: &data.content,
                document_type: &data.document_type,
                said_at: data.document_created_at,
            };
            Self::Document(worded(extractor.statements(&source)))
        } else if let EventBody::MessageRecorded(data) = &event.body {
            let turn = TranscriptTurn {
                role: data.role,
                speaker: None,
                content: data.content.clone(),
                said_at: data.said_at,
                metadata: Map::new(),
            };
            let said = said(&turn, turn.said_at, accepted_at, extractor);
            Self::Turns(vec![(turn, said)])
        } else if let EventBody::TranscriptIngested(data) = &event.body {
            let turns = turns(&data.transcript).into_iter();
            let turn = |turn: TranscriptTurn| {
                let said_at = turn.said_at.or(data.started_at);
                let said = said(&turn, said_at, accepted_at, extractor);
                (turn, said)
            };
            Self::Turns(turns.map(turn).collect())
        } else {
            Self::None
        }
    }

    pub(crate) fn into_document(self) -> Vec<Worded> {
        match self {
            Self::Document(statements) => statements,
            Self::None | Self::Turns(_) => Vec::new(),
        }
    }

    pub(crate) fn into_turns(self) -> Vec<(TranscriptTurn, Vec<Worded>)> {
        match self {
            Self::Turns(turns) => turns,
            Self::None | Self::Document(_) => Vec::new(),
        }
    }
}

/// A statement, and what indexing it needs.
#[derive(Debug)]
pub(crate) struct Worded {
    pub(crate) statement: Statement,
    /// Its [`normal_form`].
    pub(crate) normal: String,
    pub(crate) words: Words,
}

/// What a memory's text says to the index.
#[derive(Debug)]
pub(crate) struct Words {
    /// Its terms, in order.
    pub(crate) terms: Vec<String>,
    /// The hash of each.
    pub(crate) sequence: Vec<u16>,
    /// What it costs in a prompt.
    pub(crate) tokens: u32,
    pub(crate) flags: PassageFlags,
}

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let terms = terms(text);
        let manner = manner(text);
        Self {
            sequence: terms.iter().map(|term| term_hash(term)).collect(),
            terms,
            tokens: u32::try_from(estimate_tokens(text)).unwrap_or(u32::MAX),
            flags: PassageFlags::ASKS.when(manner.asks)
                | PassageFlags::ENDS_ASKING.when(manner.ends_asking)
                | PassageFlags::OF_SELF.when(manner.of_self)
                | PassageFlags::TIMED.when(has_time(text)),
        }
    }
}

fn worded(statements: Vec<Statement>) -> Vec<Worded> {
    let words = |statement: Statement| Worded {
        normal: normal_form(&statement.text),
        words: Words::of(&statement.text),
        statement,
    };
    statements.into_iter().map(words).collect()
}

fn said(
    turn: &TranscriptTurn,
    said_at: Option<Timestamp>,
    accepted_at: Timestamp,
    extractor: Extractor,
) -> Vec<Worded> {
    worded(extractor.turn_statements(&TurnSource {
        content: &turn.content,
        speaker: turn.speaker.as_deref().unwrap_or_else(|| shown(turn.role)),
        said_at,
        accepted_at: Some(accepted_at),
    }))
}

/// A role as it is shown before what it said.
pub(crate) const fn shown(role: TurnRole) -> &'static str {
    match role {
        TurnRole::User => "User",
        TurnRole::Assistant => "Assistant",
    }
}

fn turns(transcript: &Transcript) -> Vec<TranscriptTurn> {
    let turn = |turn: synap_text::TranscriptTurn| TranscriptTurn {
        role: turn.role,
        speaker: turn.speaker,
        content: turn.content,
        said_at: turn.said_at,
        metadata: Map::new(),
    };
    match transcript {
        Transcript::Turns(turns) => turns.clone(),
        Transcript::Text(text) => transcript_turns(text).into_iter().map(turn).collect(),
    }
}

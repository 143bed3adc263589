//! Pure language code: documents into statements, types and terms. No clock, randomness, I/O or environment; the same
//! input gives the same output in every build. Nothing here fails or panics, and time and memory grow with the input.
//!
//! ```text
//! Content ─► chat (turns) ─┐
//!         ─► json (leaves) ├─► pieces ─► statement: bounded, typed by kind ─► Statement
//!         ─► mail (authors) ─┤
//!         ─► markdown, HTML ─┘
//!              └─ outline (headings, lead-ins), sentence (cutting)
//!
//! turn       ─► turn (one speaker's Markdown) ─► Statement
//! transcript ─► transcript (speakers' lines) ─► TranscriptTurn
//! turns      ─► summary (telling sentences) ─► Summary
//! Statement  ─► profile (patterns, likes) ─► Attribute
//!            ─► dates (time expressions) ─► EventTime, entities (names)
//! query      ─► dates ─► Period
//! text       ─► subject (one preference or attribute) ─► Subject, which contradicts others
//!
//! old, new ─► merge (sentence by sentence)
//! text    ─► terms (index, query), normal (duplicates), tokens (budget)
//! ```
#![warn(missing_docs)]

mod asked;
mod chat;
mod dates;
mod entities;
mod extractor;
mod json;
mod kind;
mod mail;
mod manner;
mod markdown;
mod merge;
mod normal;
mod outline;
mod piece;
mod profile;
mod sentence;
mod statement;
mod subject;
mod summary;
mod terms;
mod tokens;
mod transcript;
mod turn;
mod when;

pub use asked::type_asked;
pub use dates::{Period, asks_when, event_time, has_time, query_time};
pub use entities::{ENTITIES_MAX, entities};
pub use extractor::Extractor;
pub use manner::{Manner, manner, name_hashes, named, term_hash};
pub use merge::smart_merge;
pub use normal::{normal_form, similarity};
pub use profile::{Attribute, attributes};
pub use statement::{STATEMENTS_MAX, Source, Statement, TEXT_VERSION, statements};
pub use subject::{Subject, preference_subject};
pub use summary::{Summary, SummarySection, SummarySentence, SummaryTurn, summarise};
pub use terms::{TERM_BYTES_MAX, query_terms, terms, whole_terms};
pub use tokens::estimate_tokens;
pub use transcript::{TranscriptTurn, transcript_turns};
pub use turn::{TurnSource, turn_statements};
pub use when::moment_asked;

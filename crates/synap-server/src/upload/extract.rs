//! `synap extract-text`: the process that reads one file and ends. It limits itself before it reads a byte: address space,
//! processor time, no core, no files. Whatever a parser does then (panic, overflow its stack, run for ever, fill memory),
//! only this process ends by it.

mod email;
mod html;
mod pdf;

use crate::cmd::say;
use crate::upload::{is_blank, too_long};
use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use nix::sys::resource::{Resource, setrlimit};
use serde::{Deserialize, Serialize};
use std::io::{Read as _, stdin};
use std::thread;
use synap_types::limits::{
    BODY_BYTES_MAX, DOCUMENT_BYTES_MAX, READER_CPU_SECONDS, READER_MEMORY_BYTES_MAX,
};
use synap_types::{ApiError, Timestamp};

/// Parsers that descend recursively get room for pages that are nested deeply, not for those that are nested absurdly.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// A format that takes a parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Portable Document Format.
    Pdf,
    /// A web page, in UTF-8.
    Html,
    /// A message as mail servers exchange it.
    Email,
}

impl Format {
    /// As the command line has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Html => "html",
            Self::Email => "email",
        }
    }

    /// As people know it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Html => "HTML",
            Self::Email => "e-mail",
        }
    }
}

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extracted {
    /// Markdown.
    pub(crate) text: String,
    /// When the file says that it was written.
    pub(crate) written_at: Option<Timestamp>,
}

/// What the process answers, as one JSON line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It was read.
    Text(Extracted),
    /// It has over [`DOCUMENT_BYTES_MAX`] bytes of text: so many.
    TooLong(usize),
    /// It was read, and holds no text.
    Blank,
    /// It is not of this format, or damaged.
    Unreadable,
}

impl Outcome {
    /// The text, or how to tell the caller that there is none.
    pub(super) fn into_result(self, format: Format) -> Result<Extracted, ApiError> {
        match self {
            Self::Text(extracted) => Ok(extracted),
            Self::TooLong(bytes) => Err(too_long("file", bytes)),
            Self::Blank => Err(ApiError::invalid(
                "file",
                match format {
                    Format::Pdf => {
                        "has no text in it; scanned pages must go through text recognition first"
                    }
                    Format::Html | Format::Email => "has no text in it",
                },
            )),
            Self::Unreadable => Err(unreadable(format)),
        }
    }
}

/// The file cannot be read; by what exactly it is broken is not known.
pub(super) fn unreadable(format: Format) -> ApiError {
    ApiError::invalid("file", format!("could not be read as {}", format.title()))
}

/// The whole process: limits, standard input, text, standard output.
pub(crate) fn extract(format: Format) -> anyhow::Result<()> {
    for (resource, limit) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_CPU, READER_CPU_SECONDS),
        (Resource::RLIMIT_AS, READER_MEMORY_BYTES_MAX),
    ] {
        setrlimit(resource, limit, limit).with_context(|| format!("{resource:?}"))?;
    }
    let mut bytes = Vec::new();
    // The characters of a page may take more bytes than the page itself did.
    let most = 4 * BODY_BYTES_MAX as u64;
    stdin().lock().take(most).read_to_end(&mut bytes)?;
    let reading = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || read(format, &bytes))?;
    let outcome = reading.join().map_err(|_| anyhow!("the parser gave up"))?;
    say(&serde_json::to_string(&outcome)?);
    Ok(())
}

/// Reads a file in this process.
pub(super) fn read(format: Format, bytes: &[u8]) -> Outcome {
    let read = match format {
        Format::Pdf => pdf::text(bytes).map(|text| (text, None)),
        Format::Html => html::markdown(&String::from_utf8_lossy(bytes)).map(|text| (text, None)),
        Format::Email => email::markdown(bytes),
    };
    match read {
        None => Outcome::Unreadable,
        Some((text, _)) if text.len() > DOCUMENT_BYTES_MAX => Outcome::TooLong(text.len()),
        Some((text, _)) if is_blank(&text) => Outcome::Blank,
        Some((text, written_at)) => Outcome::Text(Extracted { text, written_at }),
    }
}

#[cfg(test)]
mod tests;

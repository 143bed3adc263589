//! Reads a file of an export line by line, compressed or not, and checks it as it goes: every line by itself, and all of
//! them at the end. What comes out is whole; a problem names its line.

use super::{Checked, End, Header, LINE_BYTES_MAX, Said, read};
use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _};
use synap_types::{Partition, Seq};

/// The first bytes of a file that zstd has compressed.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// An export that is being read.
pub(crate) struct Reader<'a> {
    input: Box<dyn BufRead + 'a>,
    pub(crate) header: Header,
    /// Lines read.
    line: u64,
    hasher: blake3::Hasher,
    events: u64,
    left_out: u64,
    /// The last place of each partition.
    at: BTreeMap<Partition, Seq>,
}

/// As much of a line as says what type its event has.
#[derive(Deserialize)]
struct Typed {
    event: Option<EventType>,
    left_out: Option<String>,
}

#[derive(Deserialize)]
struct EventType {
    r#type: String,
}

/// An event, its line, and that line's number.
pub(crate) type Found = (u64, Bytes, Checked);

impl<'a> Reader<'a> {
    /// Reads the header.
    pub(crate) fn open(mut input: impl BufRead + 'a) -> anyhow::Result<Self> {
        let is_compressed = input.fill_buf().context("line 1")?.starts_with(&ZSTD);
        let mut input: Box<dyn BufRead + 'a> = if is_compressed {
            let decoder = zstd::Decoder::with_buffer(input).context("line 1")?;
            Box::new(BufReader::with_capacity(256 * 1024, decoder))
        } else {
            Box::new(input)
        };
        let first = line(&mut input, 1)?.context("line 1: the file is empty")?;
        let header = Header::read(&first).map_err(|problem| anyhow!("line 1: {problem}"))?;
        let mut reader = Self {
            input,
            header,
            line: 1,
            hasher: blake3::Hasher::new(),
            events: 0,
            left_out: 0,
            at: BTreeMap::new(),
        };
        reader.hash(&first);
        Ok(reader)
    }

    fn hash(&mut self, line: &[u8]) {
        self.hasher.update(line);
        self.hasher.update(b"\n");
    }

    /// The next event; `None` at the end of a file that is whole.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Found>> {
        loop {
            let number = self.line + 1;
            let Some(line) = line(&mut self.input, number)? else {
                bail!("line {number} is missing: the file was cut short");
            };
            self.line = number;
            let said = read(&line, &self.header.client);
            match said.map_err(|problem| anyhow!("line {number}: {problem}"))? {
                Said::End(end) => return self.end(&end).map(|()| None),
                Said::LeftOut { partition, seq } => {
                    self.follows(partition, seq)?;
                    self.left_out += 1;
                    self.hash(&line);
                }
                Said::Event(event) => {
                    self.follows(event.partition, event.seq)?;
                    self.events += 1;
                    self.hash(&line);
                    return Ok(Some((number, line, *event)));
                }
            }
        }
    }

    /// The type of the next event, whether it is known or not; `None` at the end, or at a line that is no event.
    pub(crate) fn next_type(&mut self) -> Option<String> {
        loop {
            let line = line(&mut self.input, self.line + 1).ok()??;
            self.line += 1;
            let typed: Typed = serde_json::from_slice(&line).ok()?;
            match typed.event {
                Some(event) => return Some(event.r#type),
                None => typed.left_out?,
            };
        }
    }

    /// Events that the log had and the file has not, so far.
    pub(crate) const fn left_out(&self) -> u64 {
        self.left_out
    }

    fn follows(&mut self, partition: Partition, seq: Seq) -> anyhow::Result<()> {
        match self.at.insert(partition, seq) {
            Some(before) if before >= seq => bail!(
                "line {}: event {seq} of partition {partition} stands after event {before}",
                self.line
            ),
            Some(_) | None => Ok(()),
        }
    }

    fn end(&mut self, end: &End) -> anyhow::Result<()> {
        let number = self.line;
        for (what, found, told) in [
            ("events", self.events, end.events),
            ("left-out events", self.left_out, end.left_out),
        ] {
            if found != told {
                bail!("line {number}: it tells of {told} {what}, the file has {found}");
            }
        }
        if self.hasher.finalize().to_string() != end.blake3 {
            bail!("line {number}: the hash of all lines is another: the file was changed");
        }
        if line(&mut self.input, number + 1)?.is_some() {
            bail!("line {}: the file goes on after its end", number + 1);
        }
        Ok(())
    }
}

/// The next line without its line feed; `None` at the end.
fn line(input: &mut impl BufRead, number: u64) -> anyhow::Result<Option<Bytes>> {
    let mut line = Vec::new();
    let most = LINE_BYTES_MAX as u64 + 1;
    let read = input.by_ref().take(most).read_until(b'\n', &mut line);
    read.with_context(|| {
        format!("line {number} cannot be read: the file is damaged or cut short")
    })?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line.into())),
        Some(_) if line.len() >= LINE_BYTES_MAX => {
            bail!("line {number} is longer than {LINE_BYTES_MAX} bytes")
        }
        Some(_) => bail!("line {number} is cut short"),
    }
}

//! Finishes the erasures in which nats-server was killed.
//!
//! The server first notes a deletion in the block's file and then overwrites the message (seen with 2.15.1). Killed in
//! between, it takes the message for gone at its next start, refuses to delete it again, and leaves its bytes. So while
//! events are erased there is a file that says so, and before a server starts beside one, what is noted as deleted is
//! overwritten as the server would have: with noise, under a header and a checksum that it reads as "erased".
//!
//! ```text
//! block file: records, one after the other
//! record: length u32 (high bit: has headers) │ seq u64 (bit 63 erased, 62 a note of a deletion) │ time i64
//!         │ length of subject u16 │ subject │ [length of headers u32 │ headers] │ message │ HighwayHash-64
//! ```
//!
//! Numbers are little-endian. A record whose checksum is not as expected is left alone, and so is the rest of its file.

use highway::{HighwayHash as _, HighwayHasher, Key};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 22;
const CHECKSUM_BYTES: usize = 8;
const HAS_HEADERS: u32 = 1 << 31;
const ERASED: u64 = 1 << 63;
const DELETION: u64 = 1 << 62;
const MARK: &str = "erasing-";

/// Says that events of a stream are being erased. It stays until it is cleared, or [`finish`] did its work.
#[derive(Debug)]
pub(crate) struct Mark(PathBuf);

impl Mark {
    /// In the folder of an embedded server.
    pub(crate) fn set(folder: &Path, stream: &str) -> io::Result<Self> {
        let path = folder.join(format!("{MARK}{stream}"));
        File::create(&path)?.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self(path))
    }

    /// Everything is erased.
    pub(crate) fn clear(self) -> io::Result<()> {
        fs::remove_file(&self.0)
    }
}

/// Overwrites what was deleted in the streams that are marked. No server may run in `folder`. Answers how many it were.
pub(crate) fn finish(folder: &Path) -> io::Result<usize> {
    let mut done = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(stream) = name.to_str().and_then(|name| name.strip_prefix(MARK)) {
            let streams = folder.join("jetstream").join("$G").join("streams");
            done += scrub(&streams.join(stream).join("msgs"), stream)?;
            fs::remove_file(entry.path())?;
        }
    }
    Ok(done)
}

fn scrub(folder: &Path, stream: &str) -> io::Result<usize> {
    let mut blocks = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let index = path.file_name().and_then(|name| name.to_str());
        let index = index.and_then(|name| name.strip_suffix(".blk")?.parse::<u32>().ok());
        if let Some(index) = index {
            blocks.push((index, path));
        }
    }
    let mut deleted = BTreeSet::new();
    for (_, path) in &blocks {
        let block = fs::read(path)?;
        let notes = records(&block).filter(|record| record.is(DELETION));
        deleted.extend(notes.map(|record| record.number()));
    }
    let mut done = 0;
    for (index, path) in blocks {
        let block = fs::read(&path)?;
        let file = File::options().write(true).open(&path)?;
        let key = key(stream, index);
        for record in records(&block) {
            let is_left = !record.is(DELETION) && !record.is(ERASED);
            if !is_left || !deleted.contains(&record.number()) {
                continue;
            }
            if !record.is_whole(key) {
                let seq = record.number();
                tracing::error!(block = %path.display(), seq,
                    "an erased event is still in a file of nats-server, of a version that is not known");
                break;
            }
            file.write_all_at(&record.erased(key)?, record.at as u64)?;
            done += 1;
        }
        file.sync_all()?;
    }
    Ok(done)
}

/// The key of a block's checksums.
fn key(stream: &str, index: u32) -> Key {
    let hash = Sha256::digest(format!("{stream}-{index}"));
    let (words, _) = hash.as_chunks::<8>();
    let mut key = [0; 4];
    for (word, bytes) in key.iter_mut().zip(words) {
        *word = u64::from_le_bytes(*bytes);
    }
    Key(key)
}

fn checksum(key: Key, parts: &[&[u8]]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = HighwayHasher::new(key);
    for part in parts {
        hasher.append(part);
    }
    hasher.finalize64().to_le_bytes()
}

/// One record, checksum and all.
#[derive(Debug, Clone, Copy)]
struct Record<'a> {
    at: usize,
    length: u32,
    seq: u64,
    bytes: &'a [u8],
}

impl<'a> Record<'a> {
    fn read(block: &'a [u8], at: usize) -> Option<Self> {
        let rest = block.get(at..)?;
        let length = u32::from_le_bytes(*rest.first_chunk()?);
        let seq = u64::from_le_bytes(*rest.get(4..)?.first_chunk()?);
        let bytes = rest.get(..(length & !HAS_HEADERS) as usize)?;
        (bytes.len() >= HEADER_BYTES + CHECKSUM_BYTES).then_some(Self {
            at,
            length,
            seq,
            bytes,
        })
    }

    const fn is(&self, flag: u64) -> bool {
        self.seq & flag != 0
    }

    const fn number(&self) -> u64 {
        self.seq & !(ERASED | DELETION)
    }

    /// Whether its checksum is that of its seq, time, subject, headers and message: not of the headers' length.
    fn is_whole(&self, key: Key) -> bool {
        let parts = || {
            let (body, expected) = self.bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
            let (head, body) = body.split_first_chunk::<HEADER_BYTES>()?;
            let subject = usize::from(u16::from_le_bytes(*head.last_chunk()?));
            let (subject, body) = body.split_at_checked(subject)?;
            let has_headers = self.length & HAS_HEADERS != 0;
            let body = body.get(if has_headers { 4 } else { 0 }..)?;
            Some((head.get(4..20)?, subject, body, expected))
        };
        parts().is_some_and(|(head, subject, body, expected)| {
            checksum(key, &[head, subject, body]) == *expected
        })
    }

    /// What the server writes over it.
    fn erased(&self, key: Key) -> io::Result<Vec<u8>> {
        let mut noise = vec![0; self.bytes.len() - HEADER_BYTES - CHECKSUM_BYTES];
        getrandom::fill(&mut noise).map_err(|error| io::Error::other(error.to_string()))?;
        let length = self.length & !HAS_HEADERS;
        let numbered = [&(self.seq | ERASED).to_le_bytes()[..], &[0; 8]].concat();
        let checksum = checksum(key, &[&numbered, &noise]);
        let (length, no_subject) = (length.to_le_bytes(), [0; 2]);
        Ok([&length[..], &numbered, &no_subject, &noise, &checksum].concat())
    }
}

/// The records of a block, as far as it is one.
fn records(block: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let record = Record::read(block, at)?;
        at += record.bytes.len();
        Some(record)
    })
}

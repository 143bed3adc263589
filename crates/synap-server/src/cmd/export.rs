//! `synap export`: writes what the server reads out of its log to a file, and checks on the way that it is whole.

use crate::archive::Header;
use crate::archive::reader::Reader;
use crate::cli::ExportArgs;
use crate::cmd::complain;
use crate::remote::Remote;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How hard zstd tries: its own default.
const LEVEL: i32 = 3;

/// Exports; a file appears under its name when it is whole.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let ids = [("customer_id", &args.customer), ("user_id", &args.user)];
    let ids = ids.into_iter().filter_map(|(name, id)| {
        let id = utf8_percent_encode(id.as_ref()?, NON_ALPHANUMERIC);
        Some(format!("{name}={id}"))
    });
    let path = format!("/v1/admin/export?{}", ids.collect::<Vec<_>>().join("&"));
    let lines = Remote::new(&args.server).stream(&path)?;
    if args.out == Path::new("-") {
        let out = BufWriter::new(io::stdout().lock());
        copy(lines, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let partial = partial(&args.out);
    let written = write(lines, &args.out, &partial);
    if written.is_err() {
        drop(fs::remove_file(&partial));
    }
    written?;
    Ok(ExitCode::SUCCESS)
}

/// The name of a file that is not whole yet.
fn partial(out: &Path) -> PathBuf {
    let mut name = OsString::from(out);
    name.push(".partial");
    name.into()
}

fn write(lines: impl Read, out: &Path, partial: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", out.display());
    let file = File::create(partial).with_context(cannot)?;
    let file = if out.extension().is_some_and(|extension| extension == "zst") {
        let mut encoder = zstd::Encoder::new(file, LEVEL).with_context(cannot)?;
        encoder.include_checksum(true).with_context(cannot)?;
        copy(lines, &mut encoder)?;
        encoder.finish().with_context(cannot)?
    } else {
        let mut buffered = BufWriter::new(file);
        copy(lines, &mut buffered)?;
        buffered.into_inner().with_context(cannot)?
    };
    file.sync_all().with_context(cannot)?;
    fs::rename(partial, out).with_context(cannot)
}

/// A reader that writes all it reads.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

/// Copies the lines, and fails unless they are a whole export.
fn copy(lines: impl Read, mut out: impl Write) -> anyhow::Result<()> {
    let tee = Tee {
        from: lines,
        to: &mut out,
    };
    let mut reader = Reader::open(BufReader::with_capacity(256 * 1024, tee))
        .context("the server's export is not whole")?;
    let bar = bar(&reader.header)?;
    let mut count = 0_u64;
    while let Some((_, _, event)) = reader.next().context("the server's export is not whole")? {
        count += 1;
        let of_others = before(&reader.header, &event.partition.token());
        bar.set_position(of_others + event.seq.get());
        if count.is_multiple_of(1_000) {
            bar.set_message(format!("{} events", indicatif::HumanCount(count)));
        }
    }
    let left_out = reader.left_out();
    drop(reader);
    out.flush().context("cannot write the export")?;
    bar.finish_and_clear();
    complain(&format!("synap: {count} events exported"));
    if left_out > 0 {
        complain(&format!(
            "synap: {left_out} events of the log are not in it: they are no events that synap can read"
        ));
    }
    Ok(())
}

/// Places of the partitions that come before this one.
fn before(header: &Header, partition: &str) -> u64 {
    let before = header.last_seq.iter();
    let before = before.take_while(|(name, _)| name.as_str() < partition);
    before.map(|(_, last)| last).sum()
}

fn bar(header: &Header) -> anyhow::Result<ProgressBar> {
    let style = "export [{bar:40}] {msg}  {eta} left";
    Ok(ProgressBar::new(header.last_seq.values().sum())
        .with_style(ProgressStyle::with_template(style)?))
}

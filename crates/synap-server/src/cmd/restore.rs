//! `synap restore`: puts a backup's rows in as the live generation of every partition, while no server runs. The log is
//! left as it is: the server that starts next applies what came after the backup.

use crate::archive::manifest::{Entry, Manifest, Part, remove, sync};
use crate::cli::RestoreArgs;
use crate::cmd::{bytes, complain, say};
use crate::config::Config;
use crate::serve;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use synap_log::{EventLog as _, LogState};
use synap_projection::PROJECTION_VERSION;
use synap_readmodel::{ReadStore as _, SnapshotExt as _, key};
use synap_rocksdb::{Generations, OpenError, RocksStore, SharedMemory, StoreOptions};
use synap_types::Partition;

/// What a partition's log holds.
type Logs = BTreeMap<String, LogState>;

/// One partition on its way back.
struct Restored {
    part: Part,
    generations: Generations,
    number: u32,
    /// What was live before. Held open until the end, so that no server starts meanwhile.
    _before: Option<RocksStore>,
}

/// Restores; either every partition's generation is switched to, or none is.
pub(crate) fn run(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.serve)?;
    let manifest = Manifest::read(&args.dir)?;
    check(&manifest, &config)?;
    fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make the data folder {}", config.data_dir.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Its nats-server holds the folder: no synap starts on it meanwhile.
        let nats = if config.nats.url.is_some() || config.data_dir.join("nats").is_dir() {
            let nats = serve::start_nats(&config).await;
            Some(nats.context("is a server running on this folder? stop it first")?)
        } else {
            None
        };
        let mut logs = None;
        if let Some(nats) = &nats {
            let mut found = Logs::new();
            for partition in nats.log.partitions().all() {
                found.insert(partition.token(), nats.log.state(partition).await?);
            }
            logs = Some(found);
        }
        let done =
            tokio::task::block_in_place(|| restore(&args.dir, &manifest, &config, logs.as_ref()));
        if let Some(nats) = nats {
            nats.close().await;
        }
        done
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a backup that this server could not serve.
fn check(manifest: &Manifest, config: &Config) -> anyhow::Result<()> {
    let ours: Vec<_> = config
        .instances
        .iter()
        .map(|one| one.client.to_string())
        .collect();
    if !ours.contains(&manifest.client.to_string()) {
        bail!(
            "the backup is of client {}, and this server's configuration is of {}",
            manifest.client,
            ours.join(", ")
        );
    }
    if manifest.projection != PROJECTION_VERSION {
        let which = if manifest.projection > PROJECTION_VERSION {
            "a newer version of synap made it"
        } else {
            "an older version of synap made it; the server fills a new generation from the log when it starts"
        };
        bail!(
            "the backup's rows are of projection {}, this version of synap has {PROJECTION_VERSION}: {which}",
            manifest.projection
        );
    }
    Ok(())
}

/// Refuses rows that are of another log, or that know more than it.
fn check_log(part: &Part, logs: &Logs) -> anyhow::Result<()> {
    let name = &part.partition;
    let Some(log) = logs.get(name) else {
        bail!(
            "the backup has a partition {name}, the log has none: it has another number of partitions"
        );
    };
    if part.seq == 0 {
        return Ok(());
    }
    if part.incarnation != log.incarnation.0 {
        bail!(
            "the backup of partition {name} is of another log than the one that is there: export and import moves events between logs"
        );
    }
    if part.seq > log.last.get() {
        bail!(
            "the backup of partition {name} ends at seq {}, and its log at {}: the log has lost events",
            part.seq,
            log.last
        );
    }
    Ok(())
}

fn restore(
    dir: &Path,
    manifest: &Manifest,
    config: &Config,
    logs: Option<&Logs>,
) -> anyhow::Result<()> {
    if let Some(logs) = logs {
        for part in &manifest.partitions {
            check_log(part, logs)?;
        }
        let missing = logs.keys().find(|name| {
            let mut parts = manifest.partitions.iter();
            !parts.any(|part| part.partition == **name)
        });
        if let Some(name) = missing {
            bail!(
                "the log has a partition {name}, the backup has none: it is of a log with another number of partitions"
            );
        }
    } else {
        complain(
            "synap: there is no log in the data folder; the rows are of use only with the log that they were made from",
        );
    }
    let style = "restore [{bar:40}] {bytes}/{total_bytes}  {eta} left";
    let bar = ProgressBar::new(manifest.partitions.iter().map(Part::bytes).sum())
        .with_style(ProgressStyle::with_template(style)?);
    let options = StoreOptions::sharing(SharedMemory::default());
    let mut made = Vec::new();
    for part in &manifest.partitions {
        match put_in(dir, part, config, &options, &bar) {
            Ok(restored) => made.push(restored),
            Err(e) => {
                for restored in made {
                    drop(restored.generations.remove(restored.number));
                }
                return Err(e.context("nothing was restored"));
            }
        }
    }
    bar.finish_and_clear();
    for Restored {
        part,
        generations,
        number,
        ..
    } in &made
    {
        generations.switch_to(*number)?;
        let size = bytes(part.bytes());
        let name = &part.partition;
        say(&format!(
            "partition {name}: generation {number} is live, up to seq {}, {size}",
            part.seq
        ));
    }
    Ok(())
}

/// Copies a partition's files, and makes them a generation if they are what the manifest says.
fn put_in(
    dir: &Path,
    part: &Part,
    config: &Config,
    options: &StoreOptions,
    bar: &ProgressBar,
) -> anyhow::Result<Restored> {
    let partition: Partition = part.partition.parse().map_err(anyhow::Error::msg)?;
    let generations = Generations::open(&config.data_dir, partition)?;
    let before = match generations.current()? {
        None => None,
        Some(number) => match RocksStore::open(&generations.path(number), options) {
            Ok(store) => Some(store),
            Err(e @ OpenError::InUse { .. }) => {
                return Err(anyhow::Error::from(e).context("stop the server first"));
            }
            // What cannot be read is why there is a backup.
            Err(_) => None,
        },
    };
    let to = config.data_dir.join(format!("restore-{partition}"));
    let copied = copy(&dir.join(Part::folder(&part.partition)), part, &to, bar)
        .and_then(|()| check_rows(&to, part, options));
    if copied.is_err() {
        drop(remove(&to));
    }
    copied?;
    let number = generations.adopt(&to)?;
    Ok(Restored {
        part: part.clone(),
        generations,
        number,
        _before: before,
    })
}

fn copy(from: &Path, part: &Part, to: &PathBuf, bar: &ProgressBar) -> anyhow::Result<()> {
    remove(to)?;
    fs::create_dir(to).with_context(|| format!("cannot make {}", to.display()))?;
    for expected in &part.files {
        let at = || format!("{}", from.join(&expected.name).display());
        let mut file = File::create_new(to.join(&expected.name))?;
        let found = Entry::copy(from, &expected.name, &mut file)
            .with_context(|| format!("cannot copy {}", at()))?;
        if found != *expected {
            bail!(
                "{} is not as it was when the backup was made: its hash is another",
                at()
            );
        }
        file.sync_all()?;
        bar.inc(expected.bytes);
    }
    Ok(sync(to)?)
}

/// The rows open, and are where the manifest says.
fn check_rows(dir: &Path, part: &Part, options: &StoreOptions) -> anyhow::Result<()> {
    let store = RocksStore::open(dir, options)?;
    let checkpoint = store.snapshot().row(&key::checkpoint())?;
    let found = checkpoint.map_or((0, 0), |row| (row.incarnation, row.seq));
    if found != (part.incarnation, part.seq) {
        bail!(
            "the rows of partition {} are at seq {}, the manifest says {}",
            part.partition,
            found.1,
            part.seq
        );
    }
    Ok(store.flush()?)
}

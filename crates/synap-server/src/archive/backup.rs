//! Writes the live rows of every partition into a folder, with a manifest. Half a backup is never taken for one: it has
//! another name until it is whole.

use super::manifest::{Entry, FORMAT, Manifest, Part, remove, sync};
use crate::app::App;
use crate::identity::Identity;
use crate::node::Live;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synap_log::EventLog;
use synap_projection::PROJECTION_VERSION;
use synap_readmodel::{ReadStore as _, SnapshotExt as _, key};
use synap_rocksdb::{RocksStore, SharedMemory, StoreOptions};
use synap_types::{ApiError, ErrorCode, Partition};
use tokio::sync::Mutex;
use tracing::{error, info};

/// One backup at a time: what an earlier one left unfinished is then nobody's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Writes a backup into `dir`, which is empty or not there yet.
pub(crate) async fn back_up<L: EventLog>(
    app: &Arc<App<L>>,
    identity: &Identity,
    dir: PathBuf,
) -> Result<Value, ApiError> {
    let _one_at_a_time = ONE_AT_A_TIME.lock().await;
    let partial = free(&dir)?;
    let nodes = app.operations.engine.nodes.values();
    let lives = nodes.map(|node| (node.partition, node.live())).collect();
    let manifest = Manifest {
        synap_backup: FORMAT,
        client: identity.client.clone(),
        made_at: app.operations.ingest.clock.now(),
        projection: PROJECTION_VERSION,
        partitions: Vec::new(),
    };
    // A caller that goes away does not leave half of it: this is awaited at shutdown as well.
    let work = app.tasks.spawn_blocking(move || {
        let written = write(manifest, lives, &dir, &partial);
        if written.is_err() {
            drop(remove(&partial));
        }
        written
    });
    let failed = |problem: String| ApiError::new(ErrorCode::Internal, problem);
    match work.await {
        Ok(Ok(manifest)) => Ok(shown(&manifest)),
        Ok(Err(cause)) => {
            let cause = format!("{cause:#}");
            error!(cause, "no backup was made");
            Err(failed(format!("no backup was made: {cause}")))
        }
        Err(_) => Err(failed(
            "no backup was made: see the server's log".to_owned(),
        )),
    }
}

/// Where the backup is written until it is whole; refuses a `dir` that is no place for one.
fn free(dir: &Path) -> Result<PathBuf, ApiError> {
    let refused = |problem: &str| Err(ApiError::invalid("dir", problem));
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
        return refused("must name a folder");
    };
    if !dir.is_absolute() {
        return refused("must be an absolute path, on the server's machine");
    }
    if !parent.is_dir() {
        return refused("must be in a folder that exists on the server's machine");
    }
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(ApiError::new(ErrorCode::Conflict, "dir is not empty")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(_) => return refused("must be an empty folder, or none"),
    }
    let mut partial = name.to_owned();
    partial.push(".synap-partial");
    Ok(parent.join(partial))
}

fn write(
    mut manifest: Manifest,
    lives: Vec<(Partition, Arc<Live>)>,
    dir: &Path,
    partial: &Path,
) -> anyhow::Result<Manifest> {
    remove(partial)?;
    fs::create_dir(partial)?;
    let options = StoreOptions::sharing(SharedMemory::default());
    for (partition, live) in lives {
        let folder = partial.join(Part::folder(&partition.token()));
        live.store.checkpoint(&folder)?;
        let generation = live.number;
        drop(live);
        let checkpoint = {
            let copy = RocksStore::open_read_only(&folder, &options)?;
            copy.snapshot().row(&key::checkpoint())?
        };
        manifest.partitions.push(Part {
            partition: partition.token(),
            incarnation: checkpoint.as_ref().map_or(0, |row| row.incarnation),
            seq: checkpoint.as_ref().map_or(0, |row| row.seq),
            generation,
            files: files(&folder)?,
        });
        sync(&folder)?;
    }
    manifest.write(partial)?;
    // Onto an empty folder or none: a backup that is there is never replaced.
    fs::rename(partial, dir)?;
    if let Some(parent) = dir.parent() {
        sync(parent)?;
    }
    info!(partitions = manifest.partitions.len(), "a backup was made");
    Ok(manifest)
}

/// Every file of `folder`, by name.
fn files(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.into_string();
        names.push(name.map_err(|_| io::Error::other("a file's name is no text"))?);
    }
    names.sort();
    names.iter().map(|name| Entry::of(folder, name)).collect()
}

fn shown(manifest: &Manifest) -> Value {
    let part = |part: &Part| {
        json!({"partition": part.partition, "seq": part.seq, "generation": part.generation,
            "files": part.files.len(), "bytes": part.bytes()})
    };
    let partitions: Vec<Value> = manifest.partitions.iter().map(part).collect();
    json!({"projection": manifest.projection, "partitions": partitions})
}

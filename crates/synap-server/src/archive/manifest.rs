//! What a backup says of itself, and the hashes by which its files are known.
//!
//! ```text
//! <backup>/manifest.json          written last
//! <backup>/partition-00/          a RocksDB checkpoint: the files that the manifest names
//! <backup>/partition-shared/
//! ```

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::Path;
use synap_types::{ClientId, Partition, Timestamp};

/// Version of the format.
pub(crate) const FORMAT: u32 = 1;
const FILE: &str = "manifest.json";
/// Bytes of a manifest that are read: some hundred thousand files.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Version of the format.
    pub(crate) synap_backup: u32,
    /// The application whose key asked for it.
    pub(crate) client: ClientId,
    pub(crate) made_at: Timestamp,
    /// Version of the projection that made the rows.
    pub(crate) projection: u32,
    pub(crate) partitions: Vec<Part>,
}

/// One partition of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    pub(crate) partition: String,
    /// Which life of the log the rows are of; 0 where nothing was applied. As text: it has more digits than JSON numbers are safe with.
    #[serde(with = "as_text")]
    pub(crate) incarnation: u64,
    /// The last event that was applied.
    pub(crate) seq: u64,
    /// The generation that was live.
    pub(crate) generation: u32,
    pub(crate) files: Vec<Entry>,
}

/// One file of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) blake3: String,
}

impl Manifest {
    /// Writes it, synced to disk: from then on the folder is a backup.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut file = File::create_new(dir.join(FILE))?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        sync(dir)
    }

    /// Reads the manifest of the backup in `dir`.
    pub(crate) fn read(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let mut text = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(BYTES_MAX).read_to_end(&mut text))
            .with_context(|| format!("{} is no backup: {FILE} cannot be read", dir.display()))?;
        let value: serde_json::Value = serde_json::from_slice(&text)
            .with_context(|| format!("{} is malformed", path.display()))?;
        let format = value
            .get("synap_backup")
            .and_then(serde_json::Value::as_u64);
        match format {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(other) => {
                bail!("the backup has format {other}, this version of synap reads format {FORMAT}")
            }
            None => bail!("{} is not the manifest of a synap backup", path.display()),
        }
        let manifest: Self = serde_json::from_value(value)
            .with_context(|| format!("{} is malformed", path.display()))?;
        manifest.check_names()?;
        Ok(manifest)
    }

    /// Refuses names that lead out of the backup's own folders.
    fn check_names(&self) -> anyhow::Result<()> {
        for part in &self.partitions {
            let parsed = part.partition.parse::<Partition>();
            if parsed.map(Partition::token).as_ref() != Ok(&part.partition) {
                bail!("the manifest names a partition {:?}", part.partition);
            }
            for file in &part.files {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if !file.name.chars().all(plain)
                    || file.name.starts_with('.')
                    || file.name.is_empty()
                {
                    bail!("the manifest names a file {:?}", file.name);
                }
            }
        }
        Ok(())
    }
}

impl Part {
    /// Its folder in a backup.
    pub(crate) fn folder(partition: &str) -> String {
        format!("partition-{partition}")
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl Entry {
    /// The file `name` in `dir` as it is.
    pub(crate) fn of(dir: &Path, name: &str) -> io::Result<Self> {
        Self::copy(dir, name, &mut io::sink())
    }

    /// Copies the file `name` of `dir` to `to`, and answers what was copied.
    pub(crate) fn copy(dir: &Path, name: &str, to: &mut impl Write) -> io::Result<Self> {
        let mut file = File::open(dir.join(name))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 256 * 1024];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            hasher.update(chunk);
            to.write_all(chunk)?;
            bytes += chunk.len() as u64;
        }
        Ok(Self {
            name: name.to_owned(),
            bytes,
            blake3: hasher.finalize().to_string(),
        })
    }
}

/// Lets names in `dir` outlive a power cut.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands out references"
    )]
    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(|_| D::Error::custom("must be a number as text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(partition: &str, file: &str) -> Manifest {
        let entry = Entry {
            name: file.to_owned(),
            bytes: 3,
            blake3: String::new(),
        };
        Manifest {
            synap_backup: FORMAT,
            client: "app".parse().unwrap(),
            made_at: Timestamp::from_micros(0),
            projection: 1,
            partitions: vec![Part {
                partition: partition.to_owned(),
                incarnation: u64::MAX,
                seq: 7,
                generation: 1,
                files: vec![entry],
            }],
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let written = manifest("00", "000007.sst");
        written.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), written);
        assert!(written.write(dir.path()).is_err(), "never over another");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for (partition, file) in [
            ("00", "../CURRENT"),
            ("00", ".."),
            ("00", "/etc/passwd"),
            ("00", ""),
            ("0", "000007.sst"),
            ("../x", "000007.sst"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            manifest(partition, file).write(dir.path()).unwrap();
            let problem = Manifest::read(dir.path()).unwrap_err().to_string();
            assert!(problem.starts_with("the manifest names a "), "{problem}");
        }
    }

    #[test]
    fn other_formats_are_named() {
        let dir = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("{\"synap_backup\": 9}", "the backup has format 9"),
            ("{\"a\": 1}", "is not the manifest of a synap backup"),
            ("{", "is malformed"),
        ] {
            fs::write(dir.path().join(FILE), text).unwrap();
            let problem = Manifest::read(dir.path()).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}

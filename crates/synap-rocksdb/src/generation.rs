//! Generations of a partition's read model: their folders, and the file that names the live one.
//!
//! ```text
//! <data>/partition-00/CURRENT            "gen-0002\n", replaced as a whole
//! <data>/partition-00/gen-0002/          the live one
//! <data>/partition-00/gen-0003/          being built, or left over by a kill
//! <data>/partition-00/trash-0001/        being removed; swept at the next open
//! ```
//!
//! It must not look into a generation's folder: that is the store's.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use synap_types::Partition;

const CURRENT: &str = "CURRENT";
const CURRENT_NEW: &str = "CURRENT.new";
const GENERATION: &str = "gen-";
const TRASH: &str = "trash-";

/// Bytes of `CURRENT` that are read: more than a name can have.
const CURRENT_BYTES_MAX: u64 = 64;

/// Why generations could not be listed, made, switched or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// The file system did not let us.
    #[error("{} cannot be {wanted}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Done to it.
        wanted: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// `CURRENT` holds no name of a generation.
    #[error("{} says {found:?} instead of a generation's name, such as \"gen-0001\"", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it holds, or the beginning of it.
        found: String,
    },
    /// The generation that `CURRENT` or the caller names has no folder.
    #[error("generation {number} is missing: there is no folder {}", path.display())]
    Missing {
        /// Which.
        number: u32,
        /// Where it should be.
        path: PathBuf,
    },
    /// The generation answers queries.
    #[error("generation {number} is live")]
    Live {
        /// Which.
        number: u32,
    },
    /// There is no higher number.
    #[error("generation {number} is the last that has a number")]
    Exhausted {
        /// Which.
        number: u32,
    },
}

/// The generations of one partition. Holds no state: the folder is the truth.
#[derive(Debug, Clone)]
pub struct Generations {
    dir: PathBuf,
}

impl Generations {
    /// Makes the partition's folder if it is new, ends removals that a kill cut short, and checks `CURRENT`.
    pub fn open(data_dir: &Path, partition: Partition) -> Result<Self, GenerationError> {
        let dir = data_dir.join(format!("partition-{partition}"));
        fs::create_dir_all(&dir).map_err(io("made", &dir))?;
        sync_dir(data_dir)?;
        let generations = Self { dir };
        for trash in generations.folders(TRASH)? {
            let path = generations.folder(TRASH, trash);
            tracing::info!(path = %path.display(), "ending a removal that was cut short");
            fs::remove_dir_all(&path).map_err(io("removed", &path))?;
        }
        generations.current()?;
        Ok(generations)
    }

    /// The live one: none before the first switch.
    pub fn current(&self) -> Result<Option<u32>, GenerationError> {
        let path = self.dir.join(CURRENT);
        let mut text = Vec::new();
        let read = File::open(&path).and_then(|file| {
            io::Read::read_to_end(&mut io::Read::take(file, CURRENT_BYTES_MAX), &mut text)
        });
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("read", &path)(error)),
        }
        let text = String::from_utf8_lossy(&text);
        let Some(number) = text
            .strip_suffix('\n')
            .and_then(|name| number(name, GENERATION))
        else {
            let found = text.into_owned();
            return Err(GenerationError::Unreadable { path, found });
        };
        self.existing(number)?;
        Ok(Some(number))
    }

    /// Those with a folder, oldest first. What is neither [current](Self::current) nor older was left by a kill, or is
    /// being built.
    pub fn list(&self) -> Result<Vec<u32>, GenerationError> {
        self.folders(GENERATION)
    }

    /// The folder of a generation.
    pub fn path(&self, number: u32) -> PathBuf {
        self.folder(GENERATION, number)
    }

    /// Makes an empty folder with the highest number so far + 1.
    pub fn create_next(&self) -> Result<(u32, PathBuf), GenerationError> {
        let highest = self.list()?.last().copied().unwrap_or(0);
        let number = highest
            .checked_add(1)
            .ok_or(GenerationError::Exhausted { number: highest })?;
        let path = self.path(number);
        fs::create_dir(&path).map_err(io("made", &path))?;
        sync_dir(&self.dir)?;
        Ok((number, path))
    }

    /// Makes `folder`, a whole store on the same file system, the generation with the highest number so far + 1.
    pub fn adopt(&self, folder: &Path) -> Result<u32, GenerationError> {
        let (number, path) = self.create_next()?;
        // Over an empty folder: either all of it is there, or nothing.
        fs::rename(folder, &path).map_err(io("moved", folder))?;
        sync_dir(&self.dir)?;
        Ok(number)
    }

    /// Makes `number` the live one. Either it is when this returns, or the one before still is.
    pub fn switch_to(&self, number: u32) -> Result<(), GenerationError> {
        self.existing(number)?;
        let (new, path) = (self.dir.join(CURRENT_NEW), self.dir.join(CURRENT));
        let text = format!("{}\n", folder_name(GENERATION, number));
        File::create(&new)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .map_err(io("written", &new))?;
        fs::rename(&new, &path).map_err(io("replaced", &path))?;
        sync_dir(&self.dir)
    }

    /// Removes a generation that is not live. It must not be open. A kill leaves all of it, or none.
    pub fn remove(&self, number: u32) -> Result<(), GenerationError> {
        let path = self.existing(number)?;
        if self.current()? == Some(number) {
            return Err(GenerationError::Live { number });
        }
        // Half a database must not look like a generation to go back to.
        let trash = self.folder(TRASH, number);
        fs::rename(&path, &trash).map_err(io("removed", &path))?;
        sync_dir(&self.dir)?;
        fs::remove_dir_all(&trash).map_err(io("removed", &trash))
    }

    fn existing(&self, number: u32) -> Result<PathBuf, GenerationError> {
        let path = self.path(number);
        if path.is_dir() {
            Ok(path)
        } else {
            Err(GenerationError::Missing { number, path })
        }
    }

    fn folder(&self, prefix: &str, number: u32) -> PathBuf {
        self.dir.join(folder_name(prefix, number))
    }

    fn folders(&self, prefix: &str) -> Result<Vec<u32>, GenerationError> {
        let mut numbers = Vec::new();
        let failed = || io("listed", &self.dir);
        for entry in fs::read_dir(&self.dir).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            if let Some(number) = name.to_str().and_then(|name| number(name, prefix))
                && entry.file_type().map_err(failed())?.is_dir()
            {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn folder_name(prefix: &str, number: u32) -> String {
    format!("{prefix}{number:04}")
}

/// The number of a folder's name, if the name is exactly what [`folder_name`] makes of it.
fn number(name: &str, prefix: &str) -> Option<u32> {
    let number = name.strip_prefix(prefix)?.parse().ok()?;
    (number > 0 && folder_name(prefix, number) == name).then_some(number)
}

/// Makes what was created, renamed or removed in `dir` outlive a power cut.
fn sync_dir(dir: &Path) -> Result<(), GenerationError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(io("synced", dir))
}

fn io(wanted: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GenerationError {
    move |source| GenerationError::Io {
        path: path.to_owned(),
        wanted,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const PARTITION: Partition = Partition::Numbered(0);

    fn fresh() -> (TempDir, Generations) {
        let data = tempfile::tempdir().unwrap();
        let generations = Generations::open(data.path(), PARTITION).unwrap();
        (data, generations)
    }

    #[test]
    fn generations_are_numbered_switched_and_removed() {
        let (data, generations) = fresh();
        assert_eq!(generations.current().unwrap(), None);
        assert!(generations.list().unwrap().is_empty());
        let (first, path) = generations.create_next().unwrap();
        assert_eq!(first, 1);
        assert_eq!(path, data.path().join("partition-00/gen-0001"));
        assert_eq!(generations.current().unwrap(), None, "made is not live");
        generations.switch_to(1).unwrap();
        generations.create_next().unwrap();
        assert_eq!(
            generations.current().unwrap(),
            Some(1),
            "nor does a later one take over"
        );
        generations.switch_to(2).unwrap();

        let again = Generations::open(data.path(), PARTITION).unwrap();
        assert_eq!(again.current().unwrap(), Some(2), "known after a restart");
        again.switch_to(1).unwrap();
        assert_eq!(again.current().unwrap(), Some(1), "and back");
        again.remove(2).unwrap();
        assert_eq!(again.list().unwrap(), [1_u32]);
    }

    #[test]
    fn a_store_made_elsewhere_becomes_the_next_generation() {
        let (data, generations) = fresh();
        generations.create_next().unwrap();
        generations.switch_to(1).unwrap();
        let folder = data.path().join("made");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("000007.sst"), "whole").unwrap();
        assert_eq!(generations.adopt(&folder).unwrap(), 2);
        assert!(!folder.exists());
        assert!(generations.path(2).join("000007.sst").is_file());
        assert_eq!(generations.current().unwrap(), Some(1), "not live yet");
    }

    #[test]
    fn partitions_have_folders_of_their_own() {
        let (data, generations) = fresh();
        generations.create_next().unwrap();
        let shared = Generations::open(data.path(), Partition::Shared).unwrap();
        assert!(shared.list().unwrap().is_empty());
        assert!(data.path().join("partition-shared").is_dir());
    }

    #[test]
    fn the_live_generation_and_missing_ones_are_refused() {
        let (_data, generations) = fresh();
        generations.create_next().unwrap();
        generations.switch_to(1).unwrap();
        let error = generations.remove(1).unwrap_err();
        assert!(matches!(error, GenerationError::Live { number: 1 }));
        for error in [generations.switch_to(7), generations.remove(7)] {
            assert!(matches!(
                error.unwrap_err(),
                GenerationError::Missing { number: 7, .. }
            ));
        }
        assert_eq!(
            generations.current().unwrap(),
            Some(1),
            "and nothing changed"
        );
    }

    #[test]
    fn what_a_kill_leaves_is_listed_or_swept() {
        let (data, generations) = fresh();
        generations.create_next().unwrap();
        generations.switch_to(1).unwrap();
        let (left, path) = generations.create_next().unwrap();
        fs::write(path.join("000007.sst"), "half").unwrap();
        fs::write(generations.dir.join(CURRENT_NEW), "gen-").unwrap();
        fs::create_dir(generations.dir.join("trash-0009")).unwrap();
        fs::write(generations.dir.join("trash-0009/000001.sst"), "half").unwrap();

        let again = Generations::open(data.path(), PARTITION).unwrap();
        assert_eq!(
            (again.current().unwrap(), again.list().unwrap()),
            (Some(1), vec![1, left])
        );
        assert!(!again.dir.join("trash-0009").exists(), "a removal is ended");
        again.remove(left).unwrap();
        assert_eq!(again.list().unwrap(), [1_u32]);
        again.switch_to(1).unwrap();
    }

    #[test]
    fn other_folders_and_files_are_no_generations() {
        let (_data, generations) = fresh();
        for name in [
            "gen-",
            "gen-1",
            "gen-00002",
            "gen-0000",
            "gen-+003",
            "gen-9999999999",
            "lost+found",
        ] {
            fs::create_dir(generations.dir.join(name)).unwrap();
        }
        fs::write(generations.dir.join("gen-0005"), "a file").unwrap();
        assert!(generations.list().unwrap().is_empty());
        fs::create_dir(generations.dir.join("gen-12345")).unwrap();
        assert_eq!(generations.list().unwrap(), [12345_u32]);
        assert_eq!(generations.create_next().unwrap().0, 12346);
    }

    #[track_caller]
    fn check_current(bytes: &[u8], expected: &str) {
        let (data, generations) = fresh();
        generations.create_next().unwrap();
        fs::write(generations.dir.join(CURRENT), bytes).unwrap();
        let error = Generations::open(data.path(), PARTITION)
            .unwrap_err()
            .to_string();
        let dir = generations.dir.display().to_string();
        assert_eq!(error.replace(&dir, "DIR"), expected);
    }

    #[test]
    fn a_current_file_that_makes_no_sense_is_named() {
        let says = |what: &str| {
            format!("DIR/CURRENT says {what} instead of a generation's name, such as \"gen-0001\"")
        };
        check_current(b"", &says(r#""""#));
        check_current(b"gen-0001", &says(r#""gen-0001""#));
        check_current(b"gen-0001\n\0", &says(r#""gen-0001\n\0""#));
        check_current(b"../gen-0001\n", &says(r#""../gen-0001\n""#));
        check_current(&[0xff; 500], &says(&format!("{:?}", "\u{fffd}".repeat(64))));
        check_current(
            b"gen-0002\n",
            "generation 2 is missing: there is no folder DIR/gen-0002",
        );
    }

    #[test]
    fn a_current_file_that_cannot_be_read_is_no_fresh_start() {
        let (data, generations) = fresh();
        fs::create_dir(generations.dir.join(CURRENT)).unwrap();
        let error = Generations::open(data.path(), PARTITION).unwrap_err();
        assert!(
            matches!(error, GenerationError::Io { wanted: "read", .. }),
            "{error:?}"
        );
    }
}

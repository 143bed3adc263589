//! Generations of a partition's read model: their folders, and the file that names the live one.
//!
//! ```text
//! <data>/partition-00/CURRENT            "gen-0002\n", replaced as a whole
//! <data>/partition-00/gen-0002/          the live one
//! <data>/partition-00/gen-0001/          the one before, kept for a rollback
//! <data>/partition-00/gen-0003/          being filled
//! <data>/partition-00/gen-0003.filling   says so, and by which version of the projection: "projection 393221\n"
//! <data>/partition-00/named/NAME/        a generation beside them, by name
//! <data>/partition-00/named/NAME.json    its settings; a folder without them is a removal that was cut short
//! <data>/partition-00/trash-0001/        being removed; swept at the next open
//! ```
//!
//! It must not look into a generation's folder: that is the store's. What settings say is the caller's.

mod named;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use synap_types::Partition;

const CURRENT: &str = "CURRENT";
const NEW: &str = "CURRENT.new";
const GENERATION: &str = "gen-";
const TRASH: &str = "trash-";
const FILLING: &str = ".filling";

/// What a marker begins with.
const PROJECTION: &str = "projection ";
/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 64;
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
    /// No name of a generation.
    #[error(
        "{name:?} is no name of a generation: it is made of a to z, 0 to 9, - and _, up to {NAME_BYTES_MAX} bytes"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// There is no higher number.
    #[error("generation {number} is the last that has a number")]
    Exhausted {
        /// Which.
        number: u32,
    },
}

/// A generation that is being filled from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filling {
    /// Which.
    pub number: u32,
    /// Version of the projection that fills it; none if the file that should say so does not.
    pub projection: Option<u32>,
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
        let current = generations.current()?;
        for number in generations.marked()? {
            // The switch was made and its last step cut short, or the folder was never made.
            if current == Some(number) || !generations.path(number).is_dir() {
                generations.unmark(number)?;
            }
        }
        generations.sweep_named()?;
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
        let number = self.next_number()?;
        let path = self.path(number);
        fs::create_dir(&path).map_err(io("made", &path))?;
        sync_dir(&self.dir)?;
        Ok((number, path))
    }

    fn next_number(&self) -> Result<u32, GenerationError> {
        let highest = self.list()?.last().copied().unwrap_or(0);
        highest
            .checked_add(1)
            .ok_or(GenerationError::Exhausted { number: highest })
    }

    /// Makes an empty folder as [`Self::create_next`] does, and notes that it is being filled until it is
    /// [switched to](Self::switch_to).
    pub fn create_filling(&self, projection: u32) -> Result<(u32, PathBuf), GenerationError> {
        let number = self.next_number()?;
        self.replace(&self.marker(number), &format!("{PROJECTION}{projection}\n"))?;
        let path = self.path(number);
        fs::create_dir(&path).map_err(io("made", &path))?;
        sync_dir(&self.dir)?;
        Ok((number, path))
    }

    /// Those that are being filled, oldest first.
    pub fn filling(&self) -> Result<Vec<Filling>, GenerationError> {
        let mut found = Vec::new();
        for number in self.marked()? {
            let path = self.marker(number);
            let text = fs::read_to_string(&path).map_err(io("read", &path))?;
            let projection = text.trim_end().strip_prefix(PROJECTION);
            let projection = projection.and_then(|version| version.parse().ok());
            found.push(Filling { number, projection });
        }
        Ok(found)
    }

    /// The one to go back to: the newest that is neither live nor being filled.
    pub fn previous(&self) -> Result<Option<u32>, GenerationError> {
        let (current, filling) = (self.current()?, self.marked()?);
        let mut numbers = self.list()?.into_iter().rev();
        Ok(numbers.find(|number| Some(*number) != current && !filling.contains(number)))
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
        let text = format!("{}\n", folder_name(GENERATION, number));
        self.replace(&self.dir.join(CURRENT), &text)?;
        self.unmark(number)
    }

    /// Replaces a small file as a whole: it is the old one or the new one, whatever happens.
    fn replace(&self, path: &Path, text: &str) -> Result<(), GenerationError> {
        let new = self.dir.join(NEW);
        File::create(&new)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .map_err(io("written", &new))?;
        fs::rename(&new, path).map_err(io("replaced", path))?;
        sync_dir(path.parent().unwrap_or(&self.dir))
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
        fs::remove_dir_all(&trash).map_err(io("removed", &trash))?;
        self.unmark(number)
    }

    fn marker(&self, number: u32) -> PathBuf {
        let name = folder_name(GENERATION, number);
        self.dir.join(format!("{name}{FILLING}"))
    }

    fn unmark(&self, number: u32) -> Result<(), GenerationError> {
        remove_file(&self.marker(number))
    }

    /// Numbers of the generations that have a marker.
    fn marked(&self) -> Result<Vec<u32>, GenerationError> {
        let mut numbers = Vec::new();
        let failed = || io("listed", &self.dir);
        for entry in fs::read_dir(&self.dir).map_err(failed())? {
            let name = entry.map_err(failed())?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(FILLING));
            numbers.extend(name.and_then(|name| number(name, GENERATION)));
        }
        numbers.sort_unstable();
        Ok(numbers)
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

fn remove_file(path: &Path) -> Result<(), GenerationError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("removed", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
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
mod tests;

//! Generations that have a name: each a folder, and a file of settings beside it that makes it one.

use super::{GenerationError, Generations, NAME_BYTES_MAX, io, remove_file, sync_dir};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const NAMED: &str = "named";
const SETTINGS: &str = ".json";

impl Generations {
    /// The names, in order.
    pub fn named(&self) -> Result<Vec<String>, GenerationError> {
        let names = entries(&self.named_dir())?;
        let without_suffix = |name: &String| Some(name.strip_suffix(SETTINGS)?.to_owned());
        let mut found: Vec<String> = names.iter().filter_map(without_suffix).collect();
        found.retain(|name| is_name(name));
        found.sort_unstable();
        Ok(found)
    }

    /// The folder of a name.
    pub fn named_path(&self, name: &str) -> Result<PathBuf, GenerationError> {
        self.place(name, "")
    }

    /// The settings of a name; none if there is no such generation.
    pub fn named_settings(&self, name: &str) -> Result<Option<String>, GenerationError> {
        let path = self.place(name, SETTINGS)?;
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            done => done.map(Some).map_err(io("read", &path)),
        }
    }

    /// Makes a generation of this name if there is none, and keeps its settings.
    pub fn write_named(&self, name: &str, settings: &str) -> Result<(), GenerationError> {
        let (dir, path) = (self.named_dir(), self.place(name, SETTINGS)?);
        fs::create_dir_all(&dir).map_err(io("made", &dir))?;
        sync_dir(&self.dir)?;
        self.replace(&path, settings)
    }

    /// Removes the rows of a name, and keeps its settings. It must not be open.
    pub fn empty_named(&self, name: &str) -> Result<(), GenerationError> {
        remove_dir(&self.named_path(name)?)
    }

    /// Removes a name. It must not be open. After a kill in the midst it is gone, or as it was.
    pub fn remove_named(&self, name: &str) -> Result<(), GenerationError> {
        remove_file(&self.place(name, SETTINGS)?)?;
        sync_dir(&self.named_dir())?;
        remove_dir(&self.named_path(name)?)
    }

    /// Ends removals that a kill cut short.
    pub(super) fn sweep_named(&self) -> Result<(), GenerationError> {
        let names = entries(&self.named_dir())?;
        for name in names.iter().filter(|name| is_name(name)) {
            if !names.contains(&format!("{name}{SETTINGS}")) {
                remove_dir(&self.named_path(name)?)?;
            }
        }
        Ok(())
    }

    fn named_dir(&self) -> PathBuf {
        self.dir.join(NAMED)
    }

    fn place(&self, name: &str, suffix: &str) -> Result<PathBuf, GenerationError> {
        if is_name(name) {
            Ok(self.named_dir().join(format!("{name}{suffix}")))
        } else {
            let name = name.to_owned();
            Err(GenerationError::Name { name })
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_fine =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_fine)
}

/// Names in a folder; none if there is no such folder.
fn entries(dir: &Path) -> Result<Vec<String>, GenerationError> {
    let read = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(io("listed", dir))?,
    };
    let mut names = Vec::new();
    for entry in read {
        let name = entry.map_err(io("listed", dir))?.file_name();
        names.extend(name.into_string().ok());
    }
    Ok(names)
}

fn remove_dir(path: &Path) -> Result<(), GenerationError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io("removed", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

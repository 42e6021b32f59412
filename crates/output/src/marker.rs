//! `_distil.json`: which files of a directory distil wrote. Its underscore hides it from readers.

use std::path::Path;

use distil_plan::{Error, FORMAT_VERSION, Result};
use distil_storage::Storage;
use serde::{Deserialize, Serialize};

use crate::read_whole::read_whole;

/// The name of the marker in an output directory.
pub const MARKER: &str = "_distil.json";
/// More than any marker that distil writes for the files it can write.
const LARGEST: u64 = 256 << 20;

/// The files of an output directory.
#[derive(Debug, Serialize, Deserialize)]
pub struct Marker {
    version: u32,
    /// Their names, ordered.
    files: Vec<String>,
}

impl Marker {
    /// A marker of these files.
    pub fn new(mut files: Vec<String>) -> Self {
        files.sort_unstable();
        Self { version: FORMAT_VERSION, files }
    }

    /// Writes and syncs the marker; the caller syncs the directory.
    pub fn write(&self, storage: &dyn Storage, directory: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::bug(format!("a list of files has no JSON form: {e}")))?;
        text.push(b'\n');
        let mut file = storage.create_new(&directory.join(MARKER))?;
        file.write_all(&text)?;
        file.sync()
    }

    /// Reads the marker of a directory; nothing if there is none, or none that distil wrote.
    pub fn read(storage: &dyn Storage, directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(MARKER);
        if storage.metadata(&path)?.is_none() {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&read_whole(storage, &path, LARGEST)?).ok())
    }

    /// Whether distil wrote the file of this name.
    pub fn covers(&self, name: &Path) -> bool {
        name == Path::new(MARKER)
            || name.to_str().is_some_and(|name| {
                self.files.binary_search_by(|file| file.as_str().cmp(name)).is_ok()
            })
    }
}

//! A directory for what lies between two plans.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Error, Fault, Result};
use distil_storage::Storage;

/// A directory that is removed with all that is in it.
pub(crate) struct Scratch {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    /// The process that made it. A fork of it has a copy of this, and must not remove what is not its own.
    process: u32,
}

impl Scratch {
    /// A new one in `directory`; the empty path is the working directory.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn new(storage: &Arc<dyn Storage>, directory: &Path) -> Result<Self> {
        let disk = storage.disk(directory)?;
        let process = std::process::id();
        for attempt in 0..10_000 {
            let path = directory.join(format!(".distil-frame-{process}-{attempt}"));
            match disk.create_private_dir(&path) {
                Ok(()) => return Ok(Self { storage: Arc::clone(storage), path, process }),
                // Of another frame, or of a dead process that had this number.
                Err(error) if error.fault == Fault::Exists => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::environment("there are too many directories of killed processes")
            .at(directory.to_string_lossy(), None)
            .help("remove those that are called .distil-frame-*"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The storage that it lies in.
    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            return;
        }
        // What can't be removed is hidden, and has nowhere to be told.
        let _ = self.storage.disk(&self.path).and_then(|disk| disk.remove_dir_all(&self.path));
    }
}

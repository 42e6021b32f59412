//! Temporary files of a run whose output lies in a store: on the disk of this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Fault, Hint, Result};
use distil_storage::{Kind, Lock, Storage};
use xxhash_rust::xxh3::xxh3_64;

use crate::publish::obstacles::remove_own;

/// A private directory, held by a lock that ends with the process. It belongs to the output: the next run on this
/// machine removes what a dead one left, and two that are alive don't meet.
pub(super) struct Scratch {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    lock_path: PathBuf,
    lock: Option<Box<dyn Lock>>,
}

impl Scratch {
    /// # Errors
    /// [`Fault::Exists`] if another run on this machine writes the output; an environment error.
    pub(super) fn claim(
        storage: &Arc<dyn Storage>,
        output: &Path,
        temp_dir: Option<&Path>,
    ) -> Result<Self> {
        let temp_dir = temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
        if storage.metadata(&temp_dir)?.is_none_or(|found| found.kind != Kind::Directory) {
            return Err(Error::usage("the temporary directory is not a directory")
                .at(temp_dir.to_string_lossy(), None)
                .help(Hint::choose("name a directory for temporary files", "temp_dir")));
        }
        let hash = xxh3_64(output.as_os_str().as_encoded_bytes());
        let path = temp_dir.join(format!(".distil-{hash:016x}"));
        let lock_path = temp_dir.join(format!(".distil-{hash:016x}.lock"));
        let Some(lock) = storage.disk(&lock_path)?.lock(&lock_path)? else {
            return Err(Error::new(
                Fault::Exists,
                "another run on this machine is writing the output",
            )
            .coded(Code::Locked)
            .at(output.to_string_lossy(), None)
            .output("it was not touched, and nothing was read")
            .help("wait for the other run to end, or choose another path"));
        };
        let scratch = Self { storage: Arc::clone(storage), path, lock_path, lock: Some(lock) };
        remove_own(&**storage, &scratch.path)?;
        storage.disk(&scratch.path)?.create_private_dir(&scratch.path)?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory and lets the output go.
    ///
    /// # Errors
    /// An environment error: something is left.
    pub(super) fn release(&mut self) -> Result<()> {
        let Some(lock) = self.lock.take() else { return Ok(()) };
        let removed = remove_own(&*self.storage, &self.path);
        // Removed while it is held: whoever waits for it finds that the name is gone.
        let unlocked = self.storage.remove_file(&self.lock_path);
        drop(lock);
        removed.and(unlocked)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A failure here has nowhere to go; the next run removes what is left.
        let _ = self.release();
    }
}

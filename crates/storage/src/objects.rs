//! What a store of objects can do besides: no directories, no renames, but conditions on what is there.

use std::path::{Path, PathBuf};

use distil_plan::Result;

use crate::{OutputFile, Stamp, Storage};

/// What must be at a name for an object to take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Absent,
    /// The object that was seen.
    Unchanged(Stamp),
}

/// An upload of any run that was begun, and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unfinished {
    /// The object that it would become.
    pub path: PathBuf,
    /// Its name among the uploads of the store.
    pub id: String,
}

/// Ends a file that was written apart from any run: in a store of objects it becomes one, if the name is free. On a
/// disk it is there already.
///
/// # Errors
/// As [`Objects::complete`].
pub fn put_in_place(storage: &dyn Storage, path: &Path, file: &mut dyn OutputFile) -> Result<()> {
    let Some(objects) = storage.objects(path) else { return Ok(()) };
    file.sync()?;
    objects.complete(path, Condition::Absent)
}

/// A store of objects: whole, unchangeable values under names.
///
/// A file that [`Storage::create_new`] gives is an upload. [`crate::OutputFile::sync`] makes its bytes durable, and
/// [`Objects::complete`] makes it an object, in one step and on a condition; one that is dropped before `sync` is
/// aborted. Uploads that are synced wait in this storage, under their paths.
pub trait Objects: Storage {
    /// Makes the synced upload of a path an object, if what is there is what the condition says.
    ///
    /// # Errors
    /// [`distil_plan::Fault::Exists`] if something else is there: nothing was changed. An environment error: whether
    /// the object is there is not known.
    fn complete(&self, path: &Path, condition: Condition) -> Result<()>;

    /// Bytes of the synced upload of a path; nothing if there is none.
    fn synced(&self, path: &Path) -> Option<u64>;

    /// The synced uploads below a directory, by path.
    fn synced_below(&self, directory: &Path) -> Vec<PathBuf>;

    /// Aborts all uploads of this storage that are not completed, at these paths and below them, also if the run was
    /// asked to stop.
    ///
    /// # Errors
    /// An environment error: some uploads may be left.
    fn abort(&self, paths: &[&Path]) -> Result<()>;

    /// Gives the synced upload of a path away: what this returns, another process [`Objects::take_over`]s. All of its
    /// bytes are in the store then, and this storage knows it no more: it does not abort it either.
    ///
    /// # Errors
    /// An environment error with the path, among others if there is no such upload.
    fn hand_over(&self, path: &Path) -> Result<Vec<u8>>;

    /// Takes an upload to a path that [`Objects::hand_over`] gave away, as if it had been synced here.
    ///
    /// # Errors
    /// [`distil_plan::Fault::Exists`] if another upload waits for the path; an environment error if these bytes are
    /// no upload.
    fn take_over(&self, path: &Path, upload: &[u8]) -> Result<()>;

    /// The uploads of any run at a path and below it, where the store tells.
    ///
    /// # Errors
    /// An environment error with the path.
    fn unfinished(&self, path: &Path) -> Result<Vec<Unfinished>>;

    /// Aborts an upload of another run. None there is no error.
    ///
    /// # Errors
    /// An environment error with the path.
    fn abort_unfinished(&self, unfinished: &Unfinished) -> Result<()>;
}

//! Files: listing, reading, creating, locking, syncing and publishing them.
//!
//! Everything that distil does to a file system goes through [`Storage`], so that every error names
//! its path, and so that the in-memory twin sees, and can fail at, every call. [`Local`] is the
//! disk, [`Memory`] its twin for tests, [`Objects`] what a store of objects can do besides, [`MemoryObjects`] the twin
//! of such a store, and [`InputStream`] reads any input decompressed. This crate knows nothing of JSON, keys or Parquet.

mod fault;
mod input;
mod local;
mod memory;
mod memory_objects;
mod objects;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Cancel, Error, Result};

pub use input::{InputStream, WindowLimit, changed, check_unchanged};
pub use local::Local;
pub use memory::{Failure, Memory, Survive};
pub use memory_objects::MemoryObjects;
pub use objects::{Condition, Objects, Unfinished, put_in_place};
pub use writer::StorageWriter;

/// The current directory has no name in paths like `out.parquet`, whose parent is empty.
fn directory_path(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// What identifies a file's content without reading it: if any part differs, the file has changed.
/// A change of the same size within one tick of the file system's clock (some milliseconds) can't be
/// seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Device.
    pub device: u64,
    /// Inode on the device.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified: i128,
    /// The content, where a store tells one from another (a hash of the ETag of an object); 0 where none does.
    pub version: u64,
}

/// What is known of a file that was looked at before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its size.
    pub bytes: Option<u64>,
    /// [`Stamp::version`]; 0 if unknown.
    pub version: u64,
}

/// What the calls of one run may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Asks waiting calls to stop.
    pub cancel: Cancel,
    /// Bytes that may be in memory on their way to or from a store, over all files.
    pub memory: u64,
    /// Where temporary files go; by default to the directory of the system.
    pub temp_dir: Option<PathBuf>,
}

/// What a path names, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A FIFO or a character device: readable, once, as a stream.
    Stream,
    /// Anything else: a socket, a block device.
    Other,
}

/// Kind and stamp of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: Kind,
    /// Its identity.
    pub stamp: Stamp,
    /// Whether the path itself is a symbolic link.
    pub is_link: bool,
    /// Whether it belongs to the user of this process.
    pub is_own: bool,
    /// Whether others may change it: by its permissions, for the group or for all.
    pub is_shared: bool,
}

/// A file opened for reading.
pub trait InputFile: Send + Sync {
    /// The stamp when it was opened.
    fn stamp(&self) -> Stamp;

    /// The stamp now.
    ///
    /// # Errors
    /// An environment error with the path.
    fn stamp_now(&self) -> Result<Stamp>;

    /// Whether it can only be read once, from the beginning (`offset` must then follow on).
    fn is_stream(&self) -> bool;

    /// Whether every byte read belongs to the content of [`InputFile::stamp`], or the reading fails: then nothing
    /// is left to be compared in the end.
    fn is_pinned(&self) -> bool {
        false
    }

    /// Says that this range will be read soon: it may be fetched.
    fn will_read(&self, _offset: u64, _length: usize) {}

    /// Reads at most `buffer.len()` bytes at `offset`; 0 only at the end, or into an empty buffer.
    ///
    /// # Errors
    /// An environment error with the path.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;
}

/// A file created for writing. Dropping it does not make its content durable.
pub trait OutputFile: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// An environment error with the path, for a full disk among others. Some of the bytes may have
    /// been written.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// An environment error with the path. After a failed sync nothing may be assumed of the file,
    /// and writing or syncing again fails too.
    fn sync(&mut self) -> Result<()>;
}

/// A lock that is held until it is dropped, or the process ends.
pub trait Lock: Send + Sync {}

/// Where files are, real or not.
///
/// Paths are used as given; where a directory is asked for, the empty path is the current one, so
/// that [`Path::parent`] of `out.parquet` can be used. Advice on what to do comes with the errors that
/// have a usual remedy (a full disk, no permission, too many open files ...).
pub trait Storage: Send + Sync {
    /// What the path names, or nothing; a link that leads nowhere is nothing.
    ///
    /// # Errors
    /// An environment error with the path: no permission, a loop of links ...
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>>;

    /// The bare names in a directory, without `.` and `..`, ordered by bytes.
    ///
    /// # Errors
    /// An environment error with the path.
    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>>;

    /// As [`Storage::list`], with what is there where a store tells that with the names: asking for each of many
    /// objects would take as many requests.
    ///
    /// # Errors
    /// As [`Storage::list`].
    fn entries(&self, directory: &Path) -> Result<Vec<(PathBuf, Option<Metadata>)>> {
        Ok(self.list(directory)?.into_iter().map(|name| (name, None)).collect())
    }

    /// Opens a file, a FIFO (which waits for a writer) or a character device for reading.
    ///
    /// # Errors
    /// An environment error with the path, also for a directory or a socket.
    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>>;

    /// As [`Storage::open`] of a file that was seen before: a store need not look at it again, and gives no byte
    /// of another content.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn open_known(&self, path: &Path, _known: Known) -> Result<Box<dyn InputFile>> {
        self.open(path)
    }

    /// Says that a file will be opened soon, and at least this much of its beginning read: it may be fetched.
    fn expect(&self, _path: &Path, _known: Known, _length: u64) {}

    /// The same storage for one run, where its calls wait for somebody else: they end when the run is asked to, and
    /// keep within its memory. Nothing where no call waits.
    fn within(&self, _limits: &Limits) -> Option<Arc<dyn Storage>> {
        None
    }

    /// Creates a file that must not exist. In a store of objects it is not there before [`Objects::complete`].
    ///
    /// # Errors
    /// An environment error with the path; [`distil_plan::Fault::Exists`] if it exists.
    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>>;

    /// Removes a file or a link; it is no error if there is none.
    ///
    /// # Errors
    /// An environment error with the path, also for a directory.
    fn remove_file(&self, path: &Path) -> Result<()>;

    /// Has what a file holds by now written to the disk, while others go on writing it, so that less is
    /// left to do for [`OutputFile::sync`]: that remains what makes it durable, and what tells of errors.
    fn write_back(&self, _path: &Path) {}

    /// The path with all links resolved, to compare places.
    ///
    /// # Errors
    /// An environment error with the path.
    fn canonical(&self, path: &Path) -> Result<PathBuf>;

    /// What can be done besides at a path of a file system. Other stores know files alone.
    ///
    /// # Errors
    /// A usage error with the path, if it lies in another store.
    fn disk(&self, path: &Path) -> Result<&dyn Disk> {
        Err(no_disk(path))
    }

    /// What can be done besides in a store of objects; nothing if the path lies in no such store.
    fn objects(&self, _path: &Path) -> Option<&dyn Objects> {
        None
    }
}

/// What is said of a path that lies in no file system, where only one will do.
pub fn no_disk(path: &Path) -> Error {
    Error::usage("only a file system will do here").at(path.to_string_lossy(), None)
}

/// The storage for one run: see [`Storage::within`].
pub fn within(storage: &Arc<dyn Storage>, limits: &Limits) -> Arc<dyn Storage> {
    storage.within(limits).unwrap_or_else(|| Arc::clone(storage))
}

/// What only a file system can do: directories, locks, and names that change in one step.
///
/// A state-changing call is durable only after the file ([`OutputFile::sync`]) or the directory
/// ([`Disk::sync_dir`]) that it changed is synced; a rename between two directories changes both.
pub trait Disk: Storage {
    /// Creates a directory that must not exist, in one that must.
    ///
    /// # Errors
    /// As [`Storage::create_new`].
    fn create_dir(&self, path: &Path) -> Result<()>;

    /// As [`Disk::create_dir`], for this user alone: nobody else may look into it.
    ///
    /// # Errors
    /// As [`Storage::create_new`].
    fn create_private_dir(&self, path: &Path) -> Result<()>;

    /// Gives what is at `to` the owner, the group and the permissions of what is at `from`, or fewer: a
    /// group that can't be given gets no permission. Of directories, also the files in them: they get the
    /// permissions that all files of `from` have.
    ///
    /// # Errors
    /// An environment error with the path.
    fn copy_access(&self, from: &Path, to: &Path) -> Result<()>;

    /// Creates a symbolic link that leads to `target`; the name must be free.
    ///
    /// # Errors
    /// As [`Storage::create_new`]; an environment error where there are no links.
    fn link(&self, target: &Path, link: &Path) -> Result<()>;

    /// Renames atomically, replacing a file at `to`.
    ///
    /// # Errors
    /// An environment error with both paths, also if `to` is a directory; only a disk lets a
    /// directory replace an empty one, and nobody may rely on it.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Renames to a name that must be free, atomically. On file systems that can't (NFS, some of
    /// FUSE), a file has both names for a moment, and a directory may replace an empty one that
    /// another process creates at that moment.
    ///
    /// # Errors
    /// An environment error with both paths; [`distil_plan::Fault::Exists`] if `to` exists.
    fn rename_new(&self, from: &Path, to: &Path) -> Result<()>;

    /// Exchanges two names, of files or directories, atomically.
    ///
    /// # Errors
    /// An environment error with both paths.
    fn exchange(&self, a: &Path, b: &Path) -> Result<()>;

    /// Whether [`Disk::exchange`] works in this directory, found out by trying it on two hidden
    /// names (`.distil-probe-*`).
    ///
    /// # Errors
    /// An environment error with the path: no permission to write there, for one.
    fn can_exchange(&self, directory: &Path) -> Result<bool>;

    /// Removes a directory with everything in it, following no links (a link at the path itself is
    /// removed); it is no error if there is none. Not atomic.
    ///
    /// # Errors
    /// An environment error with the path, also for a file.
    fn remove_dir_all(&self, path: &Path) -> Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// An environment error with the path.
    fn sync_dir(&self, directory: &Path) -> Result<()>;

    /// Takes the exclusive lock of a file, creating it if needed; `None` if another holds it, in
    /// this process or any. The file stays; its holder may remove it, which ends the lock for those
    /// who come later.
    ///
    /// # Errors
    /// An environment error with the path, also for a link, a directory, or a file system without
    /// locks.
    fn lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>>;
}

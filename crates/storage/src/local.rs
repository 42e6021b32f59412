//! The file system of this machine.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the file that the bans point to; every error names its path here"
)]

use std::ffi::OsString;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use distil_plan::{Error, Result};
use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Gid, Mode, OFlags, RenameFlags, Stat, Uid, chmod,
    chown, fdatasync, flock, fstat, fsync, linkat, lstat, mkdir, renameat, renameat_with, stat,
    symlink, unlink,
};
use rustix::io::{Errno, pread, read, retry_on_intr, write};
use rustix::process::geteuid;

use crate::fault::{failed, refused, rename_failed, sync_failed};
use crate::{Disk, InputFile, Kind, Lock, Metadata, OutputFile, Stamp, Storage, directory_path};

/// What a new file allows before the user's mask is taken off.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);

/// What a new directory allows before the user's mask is taken off.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);

/// The file system of this machine, through system calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Storage for Local {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        let path = directory_path(path);
        let Some(own) = present(retry_on_intr(|| lstat(path)), "look at", path)? else {
            return Ok(None);
        };
        let is_link = FileType::from_raw_mode(own.st_mode) == FileType::Symlink;
        let target = if is_link {
            present(retry_on_intr(|| stat(path)), "look at", path)?
        } else {
            Some(own)
        };
        Ok(target.map(|target| Metadata {
            kind: kind(&target),
            stamp: stamp(&target),
            is_link,
            is_own: own.st_uid == geteuid().as_raw(),
            is_shared: target.st_mode & (Mode::WGRP | Mode::WOTH).bits() != 0,
        }))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let directory = directory_path(directory);
        let cause = |e: std::io::Error| failed("list", directory, errno(&e));
        let mut names: Vec<OsString> = fs::read_dir(directory)
            .map_err(cause)?
            .map(|entry| entry.map(|entry| entry.file_name()).map_err(cause))
            .collect::<Result<_>>()?;
        names.sort_unstable();
        Ok(names.into_iter().map(PathBuf::from).collect())
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        let cause = |e| failed("open", path, e);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
        let unfit = || refused("cannot open: it is not a file, a pipe or a character device", path);
        let fd = match retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
            // What the kernel says of sockets: "No such device or address".
            Err(Errno::NXIO) => return Err(unfit()),
            opened => opened.map_err(cause)?,
        };
        let opened = fstat(&fd).map_err(cause)?;
        let stream = match kind(&opened) {
            Kind::File => None,
            Kind::Stream => Some(Mutex::new(0)),
            Kind::Directory => return Err(cause(Errno::ISDIR)),
            Kind::Other => return Err(unfit()),
        };
        Ok(Box::new(LocalInput { fd, path: path.to_owned(), stamp: stamp(&opened), stream }))
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = retry_on_intr(|| rustix::fs::open(path, flags, FILE_MODE))
            .map_err(|e| failed("create", path, e))?;
        Ok(Box::new(LocalOutput { fd, path: path.to_owned(), sync_failed: false }))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        present(retry_on_intr(|| unlink(path)), "remove", path).map(|_| ())
    }

    fn write_back(&self, path: &Path) {
        // What fails here is told to the one who writes, too: Linux tells of a page that could not be
        // written once for every time that the file was opened.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let _ = rustix::fs::open(path, flags, Mode::empty()).and_then(|fd| fdatasync(&fd));
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        let path = directory_path(path);
        fs::canonicalize(path).map_err(|e| failed("resolve", path, errno(&e)))
    }

    fn disk(&self, _: &Path) -> Result<&dyn Disk> {
        Ok(self)
    }
}

impl Disk for Local {
    fn create_dir(&self, path: &Path) -> Result<()> {
        retry_on_intr(|| mkdir(path, DIRECTORY_MODE))
            .map_err(|e| failed("create the directory", path, e))
    }

    fn create_private_dir(&self, path: &Path) -> Result<()> {
        retry_on_intr(|| mkdir(path, Mode::RWXU))
            .map_err(|e| failed("create the directory", path, e))
    }

    fn copy_access(&self, from: &Path, to: &Path) -> Result<()> {
        let of = |path: &Path| lstat(path).map_err(|e| failed("look at", path, e));
        let access = of(from)?;
        if FileType::from_raw_mode(access.st_mode) == FileType::Directory {
            // Without a file, what the directory allows counts, but for searching it.
            let mut files = access;
            files.st_mode &= 0o666;
            for (at, name) in self.list(from)?.iter().enumerate() {
                let allowed = if at == 0 { 0o777 } else { files.st_mode };
                files = of(&from.join(name))?;
                files.st_mode &= allowed;
            }
            for name in self.list(to)? {
                set_access(&to.join(name), &files)?;
            }
        }
        set_access(to, &access)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        retry_on_intr(|| renameat(CWD, from, CWD, to)).map_err(|e| rename_failed(from, to, e))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        match retry_on_intr(|| renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)) {
            Err(e) if unsupported(e) => {
                rename_new_without_flag(from, to).map_err(|e| rename_failed(from, to, e))
            }
            result => result.map_err(|e| rename_failed(from, to, e)),
        }
    }

    fn exchange(&self, a: &Path, b: &Path) -> Result<()> {
        retry_on_intr(|| renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE))
            .map_err(|e| failed(format_args!("exchange with {}", b.display()), a, e))
    }

    fn can_exchange(&self, directory: &Path) -> Result<bool> {
        let directory = directory_path(directory);
        Probe::remove_dead(directory);
        let a = Probe::new(directory)?;
        let b = Probe::new(directory)?;
        let inode = |probe: &Probe| {
            lstat(&probe.path).map(|s| s.st_ino).map_err(|e| failed("look at", &probe.path, e))
        };
        let before = (inode(&a)?, inode(&b)?);
        let exchange =
            retry_on_intr(|| renameat_with(CWD, &a.path, CWD, &b.path, RenameFlags::EXCHANGE));
        match exchange {
            // Some network file systems ignore the flag instead of refusing it.
            Ok(()) => Ok((inode(&b)?, inode(&a)?) == before),
            Err(e) if unsupported(e) => Ok(false),
            Err(e) => Err(failed("try to exchange two names", directory, e)),
        }
    }

    fn link(&self, target: &Path, link: &Path) -> Result<()> {
        retry_on_intr(|| symlink(target, link)).map_err(|e| failed("create the link", link, e))
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        match fs::remove_dir_all(path).map_err(|e| errno(&e)) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            // A file, or a name below a file: only the latter is nothing.
            Err(Errno::NOTDIR) if self.metadata(path)?.is_none() => Ok(()),
            Err(e) => Err(failed("remove the directory", path, e)),
        }
    }

    fn sync_dir(&self, directory: &Path) -> Result<()> {
        let directory = directory_path(directory);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        retry_on_intr(|| rustix::fs::open(directory, flags, Mode::empty()))
            .and_then(|fd| retry_on_intr(|| fsync(&fd)))
            .map_err(|e| failed("sync the directory", directory, e))
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>> {
        let lock = locked(path).map_err(|e| failed("lock", path, e))?;
        Ok(lock.map(|lock| Box::new(lock) as Box<dyn Lock>))
    }
}

struct LocalInput {
    fd: OwnedFd,
    path: PathBuf,
    stamp: Stamp,
    /// The bytes read so far, of a stream.
    stream: Option<Mutex<u64>>,
}

impl InputFile for LocalInput {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn stamp_now(&self) -> Result<Stamp> {
        fstat(&self.fd).map(|now| stamp(&now)).map_err(|e| failed("look at", &self.path, e))
    }

    fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let cause = |e| failed("read", &self.path, e);
        let Some(position) = &self.stream else {
            return retry_on_intr(|| pread(&self.fd, &mut *buffer, offset)).map_err(cause);
        };
        let mut position = position.lock().unwrap_or_else(PoisonError::into_inner);
        if offset != *position {
            return Err(Error::bug("a stream was read out of order")
                .at(self.path.display().to_string(), Some(offset)));
        }
        let count = retry_on_intr(|| read(&self.fd, &mut *buffer)).map_err(cause)?;
        *position += count as u64;
        Ok(count)
    }
}

struct LocalOutput {
    fd: OwnedFd,
    path: PathBuf,
    sync_failed: bool,
}

impl LocalOutput {
    /// The kernel drops pages that it could not write, so a second sync would succeed and lie.
    fn check(&self) -> Result<()> {
        match self.sync_failed {
            true => Err(sync_failed(&self.path)),
            false => Ok(()),
        }
    }
}

impl OutputFile for LocalOutput {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = retry_on_intr(|| write(&self.fd, rest))
                .and_then(|count| if count == 0 { Err(Errno::IO) } else { Ok(count) })
                .map_err(|e| failed("write", &self.path, e))?;
            rest = &rest[count..];
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        self.check()?;
        retry_on_intr(|| fsync(&self.fd)).map_err(|e| {
            self.sync_failed = true;
            failed("sync", &self.path, e)
        })
    }
}

/// Locks a file, which is made if there is none; `None` if another process holds it.
fn locked(path: &Path) -> rustix::io::Result<Option<LocalLock>> {
    // No link is followed: in a directory that others may write to, it could lead anywhere.
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    loop {
        let fd = retry_on_intr(|| rustix::fs::open(path, flags, FILE_MODE))?;
        match retry_on_intr(|| flock(&fd, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(e) => return Err(e),
        }
        // Whoever held it may have removed the file between our open and our lock; then another
        // process locks a new file of this name, and ours guards nothing.
        let locked = fstat(&fd)?;
        match retry_on_intr(|| lstat(path)) {
            Ok(named) if (named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino) => {
                return Ok(Some(LocalLock { _fd: fd }));
            }
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(e) => return Err(e),
        }
    }
}

/// The kernel releases the lock with the descriptor, however the process ends.
struct LocalLock {
    _fd: OwnedFd,
}

impl Lock for LocalLock {}

/// How the names of probes begin.
const PROBE: &str = ".distil-probe-";

/// A file under a hidden name, removed when dropped. It is locked as long as its process lives, so that
/// others can tell what a killed one left.
struct Probe {
    path: PathBuf,
    _lock: LocalLock,
}

impl Probe {
    fn new(directory: &Path) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!("{PROBE}{}-{number}", std::process::id()));
            match locked(&path) {
                Ok(Some(lock)) => return Ok(Self { path, _lock: lock }),
                // A process of another container has our number.
                Ok(None) => {}
                Err(e) => return Err(failed("write to the directory", directory, e)),
            }
        }
    }

    /// Removes what killed processes left. What can't be removed is in nobody's way.
    fn remove_dead(directory: &Path) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        for entry in entries.flatten() {
            let is_own =
                |path: &Path| lstat(path).is_ok_and(|found| found.st_uid == geteuid().as_raw());
            if entry.file_name().as_encoded_bytes().starts_with(PROBE.as_bytes())
                && is_own(&entry.path())
                && let Ok(Some(_lock)) = locked(&entry.path())
            {
                let _ = unlink(entry.path());
            }
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and an empty hidden file harms nobody.
        let _ = unlink(&self.path);
    }
}

/// [`Disk::rename_new`] where the file system has no flag for it (NFS, some of FUSE).
///
/// A second hard link can't replace anything. A directory can't be linked, but renaming one can at
/// most replace an empty directory that appeared after we looked.
fn rename_new_without_flag(from: &Path, to: &Path) -> rustix::io::Result<()> {
    if FileType::from_raw_mode(lstat(from)?.st_mode) == FileType::Directory {
        return match lstat(to) {
            Err(Errno::NOENT) => renameat(CWD, from, CWD, to),
            Err(e) => Err(e),
            Ok(_) => Err(Errno::EXIST),
        };
    }
    linkat(CWD, from, CWD, to, AtFlags::empty())?;
    unlink(from).inspect_err(|_| {
        // Back to one name; if this fails too, the file has both, and the first error says why.
        let _ = unlink(to);
    })
}

/// Whether the file system can't do what a flag asks for.
fn unsupported(cause: Errno) -> bool {
    matches!(cause, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

/// Gives a path an owner, a group and permissions, or fewer.
fn set_access(path: &Path, access: &Stat) -> Result<()> {
    let cause = |e| failed("set the permissions of", path, e);
    let now = lstat(path).map_err(cause)?;
    if (now.st_uid, now.st_gid) != (access.st_uid, access.st_gid) {
        // Only the superuser gives files away, and others only to groups that they are in.
        let (owner, group) = (Uid::from_raw(access.st_uid), Gid::from_raw(access.st_gid));
        let _ = chown(path, Some(owner), Some(group)).or_else(|_| chown(path, None, Some(group)));
    }
    let now = lstat(path).map_err(cause)?;
    let mut mode = Mode::from_raw_mode(access.st_mode & 0o777);
    if now.st_gid != access.st_gid {
        mode -= Mode::RWXG;
    }
    retry_on_intr(|| chmod(path, mode)).map_err(cause)
}

/// `None` if no such name exists.
fn present<T>(result: rustix::io::Result<T>, doing: &str, path: &Path) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(e) => Err(failed(doing, path, e)),
    }
}

fn errno(cause: &std::io::Error) -> Errno {
    Errno::from_io_error(cause).unwrap_or(Errno::IO)
}

fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Fifo | FileType::CharacterDevice => Kind::Stream,
        _ => Kind::Other,
    }
}

fn stamp(stat: &Stat) -> Stamp {
    Stamp {
        device: stat.st_dev,
        inode: stat.st_ino,
        version: 0,
        size: stat.st_size.max(0).cast_unsigned(),
        modified: i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_flag_a_rename_still_replaces_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["file", "other"] {
            fs::write(at(name), name).unwrap();
        }
        for name in ["directory", "empty"] {
            fs::create_dir(at(name)).unwrap();
        }
        for from in ["file", "directory"] {
            for to in ["other", "empty"] {
                assert_eq!(rename_new_without_flag(&at(from), &at(to)), Err(Errno::EXIST));
            }
            assert_eq!(rename_new_without_flag(&at("gone"), &at("new")), Err(Errno::NOENT));
        }
        rename_new_without_flag(&at("file"), &at("new_file")).unwrap();
        rename_new_without_flag(&at("directory"), &at("new_directory")).unwrap();
        let names = Local.list(directory.path()).unwrap();
        assert_eq!(names, ["empty", "new_directory", "new_file", "other"].map(PathBuf::from));
        assert_eq!(fs::read(at("new_file")).unwrap(), b"file");
        assert_eq!(fs::read(at("other")).unwrap(), b"other");
    }

    #[test]
    fn what_a_full_disk_did_not_take_is_an_error() {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let path = PathBuf::from("/dev/full");
        let fd = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        let mut output = LocalOutput { fd, path, sync_failed: false };
        let error = output.write_all(b"x").unwrap_err();
        assert_eq!(error.to_string(), "/dev/full: cannot write: No space left on device");
    }

    #[test]
    fn after_a_failed_sync_a_file_takes_nothing_more() {
        // A pipe takes bytes, but can't be synced.
        let (_reader, fd) = rustix::pipe::pipe().unwrap();
        let mut output = LocalOutput { fd, path: PathBuf::from("p"), sync_failed: false };
        output.write_all(b"x").unwrap();
        assert_eq!(output.sync().unwrap_err().to_string(), "p: cannot sync: Invalid argument");
        let told = "p: cannot go on after a failed sync: its content may be lost";
        assert_eq!(output.write_all(b"y").unwrap_err().to_string(), told);
        assert_eq!(output.sync().unwrap_err().to_string(), told);
    }
}

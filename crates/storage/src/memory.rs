//! A file system in memory that is stricter than a disk and can crash at any call.

mod file;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use distil_plan::{Error, Result};
use rustix::io::Errno;

use self::file::{MemoryInput, MemoryLock, MemoryOutput};
pub use self::tree::Survive;
use self::tree::{Directory, File, Inode, Node, Tree};
use crate::fault::{failed, refused, rename_failed};
use crate::{Disk, InputFile, Lock, Metadata, OutputFile, Storage};

/// A failure to inject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk is full; of a write, half of the bytes arrive.
    NoSpace,
    /// The device reports an error; of a write, half of the bytes arrive.
    Io,
}

/// The in-memory twin of [`crate::Local`], for tests. Clones share one file system.
///
/// It knows for every file which bytes are synced, and for every directory which names are:
/// [`Memory::after_power_loss`] and [`Memory::after_kill`] give what the next process finds.
/// State-changing calls (creating, writing, syncing, renaming, removing one name) are counted from
/// 1, and any of them can fail or be the last. Time is a counter, inodes are never used again.
/// There are no links and no streams; relative paths begin at the root, and `..` is taken by name.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Clone)]
struct State {
    tree: Tree,
    calls: u64,
    crash_at: Option<u64>,
    crashed: bool,
    fail_at: Option<(u64, Failure)>,
    locks: BTreeSet<Inode>,
    can_exchange: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty file system.
    pub fn new() -> Self {
        Self::with_tree(Tree::new(), true)
    }

    fn with_tree(tree: Tree, can_exchange: bool) -> Self {
        let state = State {
            tree,
            calls: 0,
            crash_at: None,
            crashed: false,
            fail_at: None,
            locks: BTreeSet::new(),
            can_exchange,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the `n`-th state-changing call (the first is 1, counted from the beginning) and
    /// everything after it fail, as if the process had ended there. A write that crashes leaves half
    /// of its bytes, any other call has no effect.
    pub fn crash_after(&self, n: u64) {
        self.state().crash_at = Some(n);
    }

    /// Lets only the `n`-th state-changing call fail.
    pub fn fail_at(&self, n: u64, failure: Failure) {
        self.state().fail_at = Some((n, failure));
    }

    /// Takes away the exchange of names, as on a file system without it.
    pub fn forbid_exchange(&self) {
        self.state().can_exchange = false;
    }

    /// The state-changing calls so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// What a new process finds after a loss of power, with no call counted and no lock held.
    #[must_use]
    pub fn after_power_loss(&self, survive: Survive) -> Self {
        let state = self.state();
        Self::with_tree(state.tree.clone().without_power(survive), state.can_exchange)
    }

    /// What a new process finds after this one was killed: all that was written, synced or not,
    /// with no call counted and no lock held.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let state = self.state();
        Self::with_tree(state.tree.clone(), state.can_exchange)
    }

    /// Creates or overwrites a file, and the directories above it, all durable and not counted.
    /// An overwritten file keeps its inode and gets a new modification time.
    ///
    /// # Panics
    /// If a directory has this name, or a file the name of a directory above it.
    pub fn put(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let put = self.state().tree.put(path.as_ref(), Some(content.as_ref()));
        assert!(put.is_ok(), "no file can stand at {}", path.as_ref().display());
    }

    /// Creates a directory and those above it, all durable and not counted.
    ///
    /// # Panics
    /// If a file has this name or that of a directory above it.
    pub fn put_dir(&self, path: impl AsRef<Path>) {
        let put = self.state().tree.put(path.as_ref(), None);
        assert!(put.is_ok(), "no directory can stand at {}", path.as_ref().display());
    }

    /// The content of a file, as a reader sees it.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.state();
        let inode = state.tree.find(path.as_ref()).ok()?;
        state.tree.file(inode).ok().map(|file| file.content.clone())
    }

    /// The names in a directory, ordered by bytes; none if there is no such directory.
    pub fn names(&self, directory: impl AsRef<Path>) -> Vec<String> {
        let state = self.state();
        let inode = state.tree.find(directory.as_ref());
        let found = inode.and_then(|inode| state.tree.directory(inode));
        found.map_or_else(
            |_| Vec::new(),
            |d| d.names.keys().map(|name| name.to_string_lossy().into_owned()).collect(),
        )
    }

    /// All files with their contents.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let walk = state.tree.walk().into_iter();
        walk.filter_map(|(path, inode)| {
            state.tree.file(inode).ok().map(|file| (path, file.content.clone()))
        })
        .collect()
    }
}

impl State {
    /// Every call begins with it: a dead process does nothing.
    fn alive(&self, doing: &str, path: &Path) -> Result<()> {
        match self.crashed {
            true => Err(refused(format!("cannot {doing}: crashed"), path)),
            false => Ok(()),
        }
    }

    /// Counts a state-changing call that would succeed, and fails it if that was asked for.
    fn change(&mut self, doing: &str, path: &Path) -> Result<()> {
        self.alive(doing, path)?;
        self.calls += 1;
        if self.crash_at.is_some_and(|n| self.calls >= n) {
            self.crashed = true;
        }
        self.alive(doing, path)?;
        match self.fail_at {
            Some((n, Failure::NoSpace)) if n == self.calls => {
                Err(failed(doing, path, Errno::NOSPC))
            }
            Some((n, Failure::Io)) if n == self.calls => Err(failed(doing, path, Errno::IO)),
            _ => Ok(()),
        }
    }

    /// Creates a node under a name that must be free.
    fn create(&mut self, doing: &str, path: &Path, node: Node) -> Result<Inode> {
        self.alive(doing, path)?;
        let cause = |e| failed(doing, path, e);
        let place = self.tree.place(path).map_err(cause)?;
        if place.inode.is_some() {
            return Err(cause(Errno::EXIST));
        }
        self.change(doing, path)?;
        let inode = self.tree.add(node);
        self.tree.set_name(&place, Some(inode)).map_err(cause)?;
        Ok(inode)
    }

    fn rename(&mut self, from: &Path, to: &Path, replace: bool) -> Result<()> {
        self.alive("rename", from)?;
        let cause = |e| rename_failed(from, to, e);
        let source = self.tree.place(from).map_err(cause)?;
        let inode = source.inode.ok_or(Errno::NOENT).map_err(cause)?;
        let target = self.tree.place(to).map_err(cause)?;
        let is_directory = self.tree.directory(inode).is_ok();
        match target.inode {
            Some(_) if !replace => return Err(cause(Errno::EXIST)),
            Some(found) if found == inode => return Ok(()),
            // A disk lets a directory replace an empty one; nothing here should rely on it.
            Some(found) if self.tree.directory(found).is_ok() => return Err(cause(Errno::ISDIR)),
            Some(_) if is_directory => return Err(cause(Errno::NOTDIR)),
            _ => {}
        }
        if self.tree.is_within(target.directory, inode) {
            return Err(cause(Errno::INVAL));
        }
        self.change("rename", from)?;
        self.tree.set_name(&source, None).map_err(cause)?;
        self.tree.set_name(&target, Some(inode)).map_err(cause)
    }
}

impl Storage for Memory {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        let state = self.state();
        state.alive("look at", path)?;
        let inode = match state.tree.find(path) {
            Ok(inode) => inode,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(e) => return Err(failed("look at", path, e)),
        };
        let found = state.tree.kind_and_stamp(inode);
        let (kind, stamp) = found.map_err(|e| failed("look at", path, e))?;
        Ok(Some(Metadata { kind, stamp, is_link: false, is_own: true, is_shared: false }))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let state = self.state();
        state.alive("list", directory)?;
        let found = state.tree.find(directory).and_then(|inode| state.tree.directory(inode));
        let found = found.map_err(|e| failed("list", directory, e))?;
        Ok(found.names.keys().map(PathBuf::from).collect())
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        let state = self.state();
        state.alive("open", path)?;
        let cause = |e| failed("open", path, e);
        let inode = state.tree.find(path).map_err(cause)?;
        state.tree.file(inode).map_err(cause)?;
        let (_, stamp) = state.tree.kind_and_stamp(inode).map_err(cause)?;
        Ok(Box::new(MemoryInput { memory: self.clone(), path: path.to_owned(), inode, stamp }))
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        let inode = self.state().create("create", path, Node::File(File::default()))?;
        Ok(Box::new(MemoryOutput { memory: self.clone(), path: path.to_owned(), inode }))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        let mut state = self.state();
        state.alive("remove", path)?;
        let place = match state.tree.place(path) {
            Ok(place) => place,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(e) => return Err(failed("remove", path, e)),
        };
        let Some(inode) = place.inode else {
            return Ok(());
        };
        state.tree.file(inode).map_err(|e| failed("remove", path, e))?;
        state.change("remove", path)?;
        state.tree.set_name(&place, None).map_err(|e| failed("remove", path, e))
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        let state = self.state();
        state.alive("resolve", path)?;
        state.tree.find(path).map_err(|e| failed("resolve", path, e))?;
        Ok(Tree::canonical(path))
    }

    fn disk(&self, _: &Path) -> Result<&dyn Disk> {
        Ok(self)
    }
}

impl Disk for Memory {
    fn create_dir(&self, path: &Path) -> Result<()> {
        let node = Node::Directory(Directory::default());
        self.state().create("create the directory", path, node).map(|_| ())
    }

    fn create_private_dir(&self, path: &Path) -> Result<()> {
        self.create_dir(path)
    }

    fn copy_access(&self, from: &Path, to: &Path) -> Result<()> {
        let mut state = self.state();
        let doing = "set the permissions of";
        state.alive(doing, to)?;
        for path in [from, to] {
            state.tree.find(path).map_err(|e| failed(doing, path, e))?;
        }
        state.change(doing, to)
    }

    fn link(&self, _: &Path, link: &Path) -> Result<()> {
        Err(Error::environment("cannot create the link: there are none in memory")
            .at(link.to_string_lossy(), None))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.state().rename(from, to, true)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        self.state().rename(from, to, false)
    }

    fn exchange(&self, a: &Path, b: &Path) -> Result<()> {
        let mut state = self.state();
        state.alive("exchange", a)?;
        let cause = |e| failed(format_args!("exchange with {}", b.display()), a, e);
        let (at_a, at_b) =
            (state.tree.place(a).map_err(cause)?, state.tree.place(b).map_err(cause)?);
        let (Some(inode_a), Some(inode_b)) = (at_a.inode, at_b.inode) else {
            return Err(cause(Errno::NOENT));
        };
        let nested = state.tree.is_within(at_b.directory, inode_a)
            || state.tree.is_within(at_a.directory, inode_b);
        if !state.can_exchange || nested {
            return Err(cause(Errno::INVAL));
        }
        state.change("exchange", a)?;
        state.tree.set_name(&at_a, Some(inode_b)).map_err(cause)?;
        state.tree.set_name(&at_b, Some(inode_a)).map_err(cause)
    }

    fn can_exchange(&self, directory: &Path) -> Result<bool> {
        let state = self.state();
        state.alive("try to exchange two names", directory)?;
        let found = state.tree.find(directory).and_then(|inode| state.tree.directory(inode));
        found.map_err(|e| failed("write to the directory", directory, e))?;
        Ok(state.can_exchange)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        let mut state = self.state();
        let doing = "remove the directory";
        state.alive(doing, path)?;
        let place = match state.tree.place(path) {
            Ok(place) => place,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(e) => return Err(failed(doing, path, e)),
        };
        let Some(inode) = place.inode else {
            return Ok(());
        };
        state.tree.directory(inode).map_err(|e| failed(doing, path, e))?;
        let mut places = state.tree.below(inode).map_err(|e| failed(doing, path, e))?;
        places.push(place);
        // One call for each name: a process can end between any two of them.
        for place in places {
            state.change(doing, path)?;
            state.tree.set_name(&place, None).map_err(|e| failed(doing, path, e))?;
        }
        Ok(())
    }

    fn sync_dir(&self, directory: &Path) -> Result<()> {
        let mut state = self.state();
        let doing = "sync the directory";
        state.alive(doing, directory)?;
        let cause = |e| failed(doing, directory, e);
        let inode = state.tree.find(directory).map_err(cause)?;
        state.tree.directory(inode).map_err(cause)?;
        state.change(doing, directory)?;
        state.tree.sync_directory(inode).map_err(cause)
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>> {
        let mut state = self.state();
        state.alive("lock", path)?;
        let cause = |e| failed("lock", path, e);
        let inode = match state.tree.place(path).map_err(cause)?.inode {
            Some(inode) => inode,
            None => state.create("lock", path, Node::File(File::default()))?,
        };
        state.tree.file(inode).map_err(cause)?;
        if !state.locks.insert(inode) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryLock { memory: self.clone(), inode })))
    }
}

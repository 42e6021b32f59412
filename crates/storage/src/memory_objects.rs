//! A store of objects in memory that is stricter than a real one and can crash at any call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use distil_plan::{Code, Error, Fault, Result};

use crate::fault::refused;
use crate::{
    Condition, InputFile, Kind, Metadata, Objects, OutputFile, Stamp, Storage, Unfinished, changed,
};

/// The in-memory twin of a store of objects, for tests. Clones share it, and are one process.
///
/// State-changing calls (beginning, writing, syncing, completing and aborting an upload, removing an object) are
/// counted from 1, and any of them can fail or be the last. Uploads outlive the process that began them, with what was
/// sent; that they are synced is known to their process alone. Nothing can be renamed or locked, and an object never
/// changes: another one takes its name.
#[derive(Clone)]
pub struct MemoryObjects {
    store: Arc<Mutex<Store>>,
    process: Arc<Mutex<Process>>,
}

#[derive(Default)]
struct Store {
    objects: BTreeMap<PathBuf, Object>,
    uploads: BTreeMap<u64, (PathBuf, Vec<u8>)>,
    next: u64,
}

#[derive(Clone)]
struct Object {
    content: Arc<Vec<u8>>,
    version: u64,
}

#[derive(Default)]
struct Process {
    /// Uploads by path, and whether they are synced.
    own: BTreeMap<PathBuf, (u64, bool)>,
    calls: u64,
    crash_at: Option<u64>,
    crashed: bool,
    fail_at: Option<u64>,
}

impl Default for MemoryObjects {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryObjects {
    /// An empty store.
    pub fn new() -> Self {
        Self { store: Arc::default(), process: Arc::default() }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process on the same store, with no call counted.
    #[must_use]
    pub fn other_process(&self) -> Self {
        Self { store: Arc::clone(&self.store), process: Arc::default() }
    }

    /// Lets the `n`-th state-changing call of this process and everything after it fail, as if it had ended there.
    pub fn crash_after(&self, n: u64) {
        self.process().crash_at = Some(n);
    }

    /// Lets only the `n`-th state-changing call of this process fail, without an effect.
    pub fn fail_at(&self, n: u64) {
        self.process().fail_at = Some(n);
    }

    /// The state-changing calls of this process so far.
    pub fn calls(&self) -> u64 {
        self.process().calls
    }

    /// Puts an object, not counted.
    pub fn put(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let mut store = self.store();
        let version = store.number();
        let content = Arc::new(content.as_ref().to_vec());
        store.objects.insert(path.as_ref().to_owned(), Object { content, version });
    }

    /// All objects with their contents.
    pub fn objects(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let objects = self.store().objects.clone();
        objects.into_iter().map(|(path, object)| (path, object.content.to_vec())).collect()
    }

    /// The uploads that were begun and not completed, of all processes.
    pub fn uploads(&self) -> Vec<PathBuf> {
        self.store().uploads.values().map(|(path, _)| path.clone()).collect()
    }

    /// Every call begins with it: a dead process does nothing.
    fn alive(&self, doing: &str, path: &Path) -> Result<()> {
        match self.process().crashed {
            true => Err(refused(format!("cannot {doing}: crashed"), path)),
            false => Ok(()),
        }
    }

    /// Counts a state-changing call, and fails it if that was asked for.
    fn change(&self, doing: &str, path: &Path) -> Result<()> {
        self.alive(doing, path)?;
        {
            let mut process = self.process();
            process.calls += 1;
            process.crashed |= process.crash_at.is_some_and(|n| process.calls >= n);
        }
        self.alive(doing, path)?;
        let process = self.process();
        match process.fail_at == Some(process.calls) {
            true => Err(refused(format!("cannot {doing}: the store fails"), path)),
            false => Ok(()),
        }
    }
}

impl Store {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn stamp(path: &Path, object: &Object) -> Stamp {
        Stamp {
            device: 2,
            inode: xxhash_rust::xxh3::xxh3_64(path.as_os_str().as_encoded_bytes()),
            size: object.content.len() as u64,
            modified: 0,
            version: object.version,
        }
    }
}

fn metadata(kind: Kind, stamp: Stamp) -> Metadata {
    Metadata { kind, stamp, is_link: false, is_own: true, is_shared: false }
}

impl Storage for MemoryObjects {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        self.alive("look at", path)?;
        let store = self.store();
        if let Some(object) = store.objects.get(path) {
            return Ok(Some(metadata(Kind::File, Store::stamp(path, object))));
        }
        let is_bucket = path.components().count() <= 2;
        let is_directory = is_bucket || store.objects.keys().any(|key| key.starts_with(path));
        Ok(is_directory.then(|| {
            let inode = xxhash_rust::xxh3::xxh3_64(path.as_os_str().as_encoded_bytes());
            let stamp = Stamp { device: 3, inode, size: 0, modified: 0, version: 0 };
            metadata(Kind::Directory, stamp)
        }))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        self.alive("list", directory)?;
        let store = self.store();
        let below = store.objects.keys().filter_map(|path| path.strip_prefix(directory).ok());
        let first = below.filter_map(|path| path.components().next());
        let mut names: Vec<PathBuf> = first.map(|name| name.as_os_str().into()).collect();
        names.dedup();
        Ok(names)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        self.alive("open", path)?;
        let object = self.store().objects.get(path).cloned().ok_or_else(|| {
            Error::input("there is no such object")
                .coded(Code::NotFound)
                .at(path.to_string_lossy(), None)
        })?;
        Ok(Box::new(Reading { store: self.clone(), path: path.to_owned(), object }))
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        if self.process().own.contains_key(path) {
            return Err(Error::new(Fault::Exists, "this process is writing it already")
                .at(path.to_string_lossy(), None));
        }
        self.change("begin an upload to", path)?;
        let mut store = self.store();
        let id = store.number();
        store.uploads.insert(id, (path.to_owned(), Vec::new()));
        self.process().own.insert(path.to_owned(), (id, false));
        Ok(Box::new(Writing { store: self.clone(), path: path.to_owned(), id }))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.change("remove", path)?;
        self.store().objects.remove(path);
        Ok(())
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        self.alive("resolve", path)?;
        if path.components().count() < 2 {
            return Err(refused("this is no bucket", path));
        }
        Ok(path.components().collect::<PathBuf>().to_string_lossy().replacen(":/", "://", 1).into())
    }

    fn objects(&self, _: &Path) -> Option<&dyn Objects> {
        Some(self)
    }
}

impl Objects for MemoryObjects {
    fn complete(&self, path: &Path, condition: Condition) -> Result<()> {
        self.change("complete the upload to", path)?;
        let Some((id, true)) = self.process().own.get(path).copied() else {
            return Err(
                Error::bug("there is no upload to complete").at(path.to_string_lossy(), None)
            );
        };
        let mut store = self.store();
        let there = store.objects.get(path).map(|object| Store::stamp(path, object));
        let holds = match condition {
            Condition::Absent => there.is_none(),
            Condition::Unchanged(stamp) => there == Some(stamp),
        };
        if !holds {
            return Err(Error::new(Fault::Exists, "something else took the name meanwhile")
                .at(path.to_string_lossy(), None));
        }
        let Some((_, content)) = store.uploads.remove(&id) else {
            return Err(refused("the upload is gone: somebody aborted it", path));
        };
        let version = store.number();
        store.objects.insert(path.to_owned(), Object { content: Arc::new(content), version });
        self.process().own.remove(path);
        Ok(())
    }

    fn synced(&self, path: &Path) -> Option<u64> {
        let (id, true) = self.process().own.get(path).copied()? else { return None };
        self.store().uploads.get(&id).map(|(_, content)| content.len() as u64)
    }

    fn synced_below(&self, directory: &Path) -> Vec<PathBuf> {
        let process = self.process();
        let own = process
            .own
            .iter()
            .filter(|(path, (_, is_synced))| *is_synced && path.starts_with(directory));
        own.map(|(path, _)| path.clone()).collect()
    }

    fn abort(&self, paths: &[&Path]) -> Result<()> {
        let is_meant = |path: &Path| paths.iter().any(|base| path.starts_with(base));
        let own: Vec<PathBuf> = self.process().own.keys().cloned().collect();
        for path in own.iter().filter(|path| is_meant(path)) {
            self.change("abort the upload to", path)?;
            if let Some((id, _)) = self.process().own.remove(path) {
                self.store().uploads.remove(&id);
            }
        }
        Ok(())
    }

    fn hand_over(&self, path: &Path) -> Result<Vec<u8>> {
        self.change("hand over the upload to", path)?;
        match self.process().own.remove(path) {
            Some((id, true)) => Ok(id.to_le_bytes().to_vec()),
            _ => Err(refused("there is no upload to hand over", path)),
        }
    }

    fn take_over(&self, path: &Path, upload: &[u8]) -> Result<()> {
        self.alive("take over an upload to", path)?;
        let id = upload.try_into().map(u64::from_le_bytes);
        let id = id.map_err(|_| refused("this is no upload", path))?;
        let mut process = self.process();
        if process.own.contains_key(path) {
            return Err(Error::new(Fault::Exists, "another upload waits for the name")
                .at(path.to_string_lossy(), None));
        }
        process.own.insert(path.to_owned(), (id, true));
        Ok(())
    }

    fn unfinished(&self, path: &Path) -> Result<Vec<Unfinished>> {
        self.alive("list the uploads to", path)?;
        let store = self.store();
        let found = store.uploads.iter().filter(|(_, (at, _))| at.starts_with(path));
        Ok(found
            .map(|(id, (path, _))| Unfinished { path: path.clone(), id: id.to_string() })
            .collect())
    }

    fn abort_unfinished(&self, unfinished: &Unfinished) -> Result<()> {
        self.change("abort the upload to", &unfinished.path)?;
        if let Ok(id) = unfinished.id.parse() {
            self.store().uploads.remove(&id);
        }
        Ok(())
    }
}

struct Writing {
    store: MemoryObjects,
    path: PathBuf,
    id: u64,
}

impl OutputFile for Writing {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.store.change("write to", &self.path)?;
        match self.store.store().uploads.get_mut(&self.id) {
            Some((_, content)) => {
                content.extend_from_slice(bytes);
                Ok(())
            }
            None => Err(refused("the upload is gone: somebody aborted it", &self.path)),
        }
    }

    fn sync(&mut self) -> Result<()> {
        self.store.change("sync", &self.path)?;
        self.store.process().own.insert(self.path.clone(), (self.id, true));
        Ok(())
    }
}

struct Reading {
    store: MemoryObjects,
    path: PathBuf,
    object: Object,
}

impl InputFile for Reading {
    fn stamp(&self) -> Stamp {
        Store::stamp(&self.path, &self.object)
    }

    fn stamp_now(&self) -> Result<Stamp> {
        Ok(self.stamp())
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn is_pinned(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.store.alive("read", &self.path)?;
        let now = self.store.store().objects.get(&self.path).map(|object| object.version);
        if now != Some(self.object.version) {
            return Err(changed(&self.path, "was replaced"));
        }
        let content = self.object.content.get(offset as usize..).unwrap_or_default();
        let count = content.len().min(buffer.len());
        buffer[..count].copy_from_slice(&content[..count]);
        Ok(count)
    }
}

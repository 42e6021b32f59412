//! The names and files of the twin, each as it is and as a loss of power would leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use crate::{Kind, Stamp};

type Result<T> = std::result::Result<T, Errno>;

/// The number of a file or directory, never used again.
pub(super) type Inode = u64;

const ROOT: Inode = 1;

/// What survives a loss of power besides what was synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survive {
    /// Nothing: names roll back to the last sync of their directory, contents to that of their file.
    Synced,
    /// All names, even those of files whose content is lost: these end where they were last synced,
    /// or are empty.
    Names,
}

#[derive(Clone)]
pub(super) enum Node {
    File(File),
    Directory(Directory),
}

#[derive(Clone, Default)]
pub(super) struct File {
    /// The bytes that a reader sees.
    pub(super) content: Vec<u8>,
    /// How many of them, from the beginning, are durable; files only grow.
    pub(super) synced: usize,
    pub(super) sync_failed: bool,
    modified: u64,
}

#[derive(Clone, Default)]
pub(super) struct Directory {
    /// The names that a process sees.
    pub(super) names: BTreeMap<OsString, Inode>,
    /// The names at the last sync.
    durable: BTreeMap<OsString, Inode>,
    modified: u64,
}

/// A name in a directory, which may be free.
pub(super) struct Place {
    pub(super) directory: Inode,
    pub(super) name: OsString,
    pub(super) inode: Option<Inode>,
}

/// All files and directories, reachable or not: an open file lives on without a name.
#[derive(Clone)]
pub(super) struct Tree {
    nodes: BTreeMap<Inode, Node>,
    next: Inode,
    clock: u64,
}

impl Tree {
    pub(super) fn new() -> Self {
        let nodes = BTreeMap::from([(ROOT, Node::Directory(Directory::default()))]);
        Self { nodes, next: ROOT + 1, clock: 0 }
    }

    pub(super) fn node(&self, inode: Inode) -> Result<&Node> {
        self.nodes.get(&inode).ok_or(Errno::STALE)
    }

    pub(super) fn file(&self, inode: Inode) -> Result<&File> {
        match self.node(inode)? {
            Node::File(file) => Ok(file),
            Node::Directory(_) => Err(Errno::ISDIR),
        }
    }

    pub(super) fn directory(&self, inode: Inode) -> Result<&Directory> {
        match self.node(inode)? {
            Node::Directory(directory) => Ok(directory),
            Node::File(_) => Err(Errno::NOTDIR),
        }
    }

    /// The file, for a change, which takes a tick of the clock.
    pub(super) fn change_file(&mut self, inode: Inode) -> Result<&mut File> {
        self.clock += 1;
        match self.nodes.get_mut(&inode) {
            Some(Node::File(file)) => {
                file.modified = self.clock;
                Ok(file)
            }
            Some(Node::Directory(_)) => Err(Errno::ISDIR),
            None => Err(Errno::STALE),
        }
    }

    fn change_directory(&mut self, inode: Inode) -> Result<&mut Directory> {
        self.clock += 1;
        match self.nodes.get_mut(&inode) {
            Some(Node::Directory(directory)) => {
                directory.modified = self.clock;
                Ok(directory)
            }
            Some(Node::File(_)) => Err(Errno::NOTDIR),
            None => Err(Errno::STALE),
        }
    }

    /// What a path names.
    pub(super) fn find(&self, path: &Path) -> Result<Inode> {
        let mut inode = ROOT;
        for name in components(path) {
            inode = *self.directory(inode)?.names.get(&name).ok_or(Errno::NOENT)?;
        }
        Ok(inode)
    }

    /// The path from the root, without `.` and `..`.
    pub(super) fn canonical(path: &Path) -> PathBuf {
        std::iter::once(OsString::from("/")).chain(components(path)).collect()
    }

    /// The name that a path ends with, in a directory that must exist.
    pub(super) fn place(&self, path: &Path) -> Result<Place> {
        let mut names = components(path);
        let name = names.pop().ok_or(Errno::BUSY)?;
        let directory = self.find(&names.iter().collect::<PathBuf>())?;
        let inode = self.directory(directory)?.names.get(&name).copied();
        Ok(Place { directory, name, inode })
    }

    /// Creates a node, without a name so far.
    pub(super) fn add(&mut self, node: Node) -> Inode {
        let inode = self.next;
        self.next += 1;
        self.clock += 1;
        let clock = self.clock;
        let mut node = node;
        match &mut node {
            Node::File(file) => file.modified = clock,
            Node::Directory(directory) => directory.modified = clock,
        }
        self.nodes.insert(inode, node);
        inode
    }

    /// Gives a name to a node, or takes it away.
    pub(super) fn set_name(&mut self, place: &Place, inode: Option<Inode>) -> Result<()> {
        let directory = self.change_directory(place.directory)?;
        match inode {
            Some(inode) => directory.names.insert(place.name.clone(), inode),
            None => directory.names.remove(&place.name),
        };
        Ok(())
    }

    /// Makes the bytes of a file durable, or doubtful for ever. It is no modification.
    pub(super) fn sync_file(&mut self, inode: Inode, succeeds: bool) -> Result<()> {
        match self.nodes.get_mut(&inode) {
            Some(Node::File(file)) if succeeds => file.synced = file.content.len(),
            Some(Node::File(file)) => file.sync_failed = true,
            Some(Node::Directory(_)) => return Err(Errno::ISDIR),
            None => return Err(Errno::STALE),
        }
        Ok(())
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_directory(&mut self, inode: Inode) -> Result<()> {
        match self.nodes.get_mut(&inode) {
            Some(Node::Directory(directory)) => {
                directory.durable.clone_from(&directory.names);
                Ok(())
            }
            Some(Node::File(_)) => Err(Errno::NOTDIR),
            None => Err(Errno::STALE),
        }
    }

    /// Whether `inode` is `ancestor` or lies below it.
    pub(super) fn is_within(&self, inode: Inode, ancestor: Inode) -> bool {
        inode == ancestor
            || self.directory(ancestor).is_ok_and(|directory| {
                directory.names.values().any(|&child| self.is_within(inode, child))
            })
    }

    /// The names below a directory, each before the directory that holds it.
    pub(super) fn below(&self, inode: Inode) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        if let Node::Directory(directory) = self.node(inode)? {
            for (name, &child) in &directory.names {
                places.extend(self.below(child)?);
                let name = name.clone();
                places.push(Place { directory: inode, name, inode: Some(child) });
            }
        }
        Ok(places)
    }

    pub(super) fn kind_and_stamp(&self, inode: Inode) -> Result<(Kind, Stamp)> {
        let (kind, size, modified) = match self.node(inode)? {
            Node::File(file) => (Kind::File, file.content.len() as u64, file.modified),
            Node::Directory(directory) => (Kind::Directory, 0, directory.modified),
        };
        Ok((kind, Stamp { device: 1, inode, size, modified: i128::from(modified), version: 0 }))
    }

    /// Creates or overwrites a file, with the directories above it, all durable.
    pub(super) fn put(&mut self, path: &Path, content: Option<&[u8]>) -> Result<()> {
        let mut directory = ROOT;
        let mut names = components(path);
        let last = if content.is_some() { names.pop() } else { None };
        for name in names {
            directory = match self.directory(directory)?.names.get(&name) {
                Some(&inode) => inode,
                None => {
                    let inode = self.add(Node::Directory(Directory::default()));
                    self.put_name(directory, name, inode)?;
                    inode
                }
            };
            self.directory(directory)?;
        }
        if let (Some(name), Some(content)) = (last, content) {
            let inode = match self.directory(directory)?.names.get(&name) {
                Some(&inode) => inode,
                None => self.add(Node::File(File::default())),
            };
            let file = self.change_file(inode)?;
            file.content = content.to_vec();
            file.synced = content.len();
            self.put_name(directory, name, inode)?;
        }
        Ok(())
    }

    fn put_name(&mut self, directory: Inode, name: OsString, inode: Inode) -> Result<()> {
        let directory = self.change_directory(directory)?;
        directory.durable.insert(name.clone(), inode);
        directory.names.insert(name, inode);
        Ok(())
    }

    /// Everything that has a name, with its path.
    pub(super) fn walk(&self) -> Vec<(PathBuf, Inode)> {
        let mut found = Vec::new();
        let mut open = vec![(PathBuf::from("/"), ROOT)];
        // After a loss of power a directory may be found in two places, even within itself.
        let mut entered = BTreeSet::new();
        while let Some((path, inode)) = open.pop() {
            if let Ok(directory) = self.directory(inode)
                && entered.insert(inode)
            {
                open.extend(directory.names.iter().map(|(name, &child)| (path.join(name), child)));
            }
            found.push((path, inode));
        }
        found
    }

    /// What a loss of power leaves.
    pub(super) fn without_power(mut self, survive: Survive) -> Self {
        for node in self.nodes.values_mut() {
            match (node, survive) {
                (Node::File(file), _) => {
                    file.content.truncate(file.synced);
                    file.sync_failed = false;
                }
                (Node::Directory(directory), Survive::Synced) => {
                    directory.names.clone_from(&directory.durable);
                }
                (Node::Directory(directory), Survive::Names) => {
                    directory.durable.clone_from(&directory.names);
                }
            }
        }
        let named: BTreeSet<Inode> = self.walk().into_iter().map(|(_, inode)| inode).collect();
        self.nodes.retain(|inode, _| named.contains(inode));
        self
    }
}

/// The names from the root to a path; relative paths begin at the root.
fn components(path: &Path) -> Vec<OsString> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_owned()),
            Component::ParentDir => {
                names.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    names
}

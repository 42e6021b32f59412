//! Sources to inputs: which files a plan reads, in which order.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use distil_plan::{Code, Error, Location, Result, scheme};
use distil_storage::{Kind, Metadata, Stamp, Storage};
use globset::GlobMatcher;

use crate::glob::{Glob, Place};
use crate::passed_over::{self, Content, is_json_name};

/// The source that names standard input.
pub const STDIN: &str = "-";

/// Bytes of the longest name and of the longest path that file systems take.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 4_095;

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path as spelled, or `-` for standard input.
    pub path: PathBuf,
    /// Its size; `None` for standard input, pipes and devices.
    pub bytes: Option<u64>,
    /// What it was when it was found; `None` for standard input.
    pub stamp: Option<Stamp>,
    /// Whether the path is a link to it.
    pub is_link: bool,
}

/// What the sources of a plan name.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The inputs, ordered by the bytes of their paths; none is there twice.
    pub inputs: Vec<Found>,
    /// Things that a user may not have meant.
    pub warnings: Vec<String>,
    /// The directories and globs among the sources: no output may lie inside one.
    pub(crate) regions: Vec<Region>,
    /// Files of directories that are not known to hold JSON, and the source of each, until they are looked at.
    undecided: Vec<(String, Found)>,
}

/// A part of the file tree that a source covers.
#[derive(Debug)]
pub(crate) struct Region {
    /// The source as it was given.
    pub(crate) source: String,
    /// The directory that is searched.
    pub(crate) base: PathBuf,
    /// What is taken there; everything without it.
    pub(crate) glob: Option<GlobMatcher>,
}

/// Finds the inputs of a plan (`docs/semantics.md` 1.1).
///
/// A source that exists is taken literally, even if it looks like a glob. A directory that a glob
/// matches is searched like one that is named. Of directories only files that look like JSON are taken, by
/// their names or else by how they begin, unless `all_files` is set.
///
/// # Errors
/// An input error for a source that names nothing, or nothing that can be read; a usage error for a
/// malformed glob; an environment error for a directory that can't be listed. Without `all_files`, an input
/// error for a file that does not look like JSON but may hold records.
pub fn discover(storage: &dyn Storage, sources: &[String], all_files: bool) -> Result<Discovery> {
    let mut discovery = Discovery::default();
    for source in sources {
        one_source(storage, source, all_files, &mut discovery)?;
    }
    decide(storage, &mut discovery)?;
    let inputs = &mut discovery.inputs;
    inputs.sort_by(|a, b| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes()));
    inputs.dedup_by(|a, b| a.path == b.path);
    let mut seen = HashSet::new();
    inputs.retain(|found| found.stamp.is_none_or(|stamp| seen.insert((stamp.device, stamp.inode))));
    Ok(discovery)
}

/// Looks at the files that are not known to hold JSON, but for those that are inputs by another source.
fn decide(storage: &dyn Storage, discovery: &mut Discovery) -> Result<()> {
    let identity = |found: &Found| found.stamp.map(|stamp| (stamp.device, stamp.inode));
    let mut known: HashSet<_> = discovery.inputs.iter().filter_map(identity).collect();
    let mut undecided = std::mem::take(&mut discovery.undecided).into_iter().peekable();
    while let Some((source, _)) = undecided.peek().cloned() {
        let mut passed_over = Vec::new();
        while let Some((_, found)) = undecided.next_if(|(other, _)| *other == source) {
            if !identity(&found).is_none_or(|identity| known.insert(identity)) {
                continue;
            }
            match passed_over::look(storage, &found.path)? {
                Content::Json => discovery.inputs.push(found),
                Content::Empty => {}
                Content::Other(begin) => {
                    passed_over.push((found.path.display().to_string(), begin));
                }
            }
        }
        discovery.warnings.extend(passed_over::warning(&source, &passed_over));
    }
    Ok(())
}

fn one_source(
    storage: &dyn Storage,
    source: &str,
    all_files: bool,
    discovery: &mut Discovery,
) -> Result<()> {
    if source == STDIN {
        discovery.inputs.push(Found {
            path: STDIN.into(),
            bytes: None,
            stamp: None,
            is_link: false,
        });
        return Ok(());
    }
    let location = Location::from(source);
    let path = &*location;
    if source.is_empty() {
        return Err(Error::usage("a source is empty").help("name a file, a directory, a glob or -"));
    }
    let metadata = if is_glob_alone(source) { None } else { storage.metadata(path)? };
    match metadata {
        Some(metadata) if metadata.kind == Kind::Directory => {
            let mut walk = Walk::new(storage, None, all_files);
            walk.directory(path, None, &metadata)?;
            if walk.found.is_empty() && walk.undecided.is_empty() && !walk.skipped.is_empty() {
                discovery.warnings.push(format!(
                    "the source {source} has no file that is read: {} skipped, for example {} \
                     (names that begin with . or _ and special files are not read from directories)",
                    match walk.skipped.len() {
                        1 => "1 name was".to_owned(),
                        n => format!("{n} names were"),
                    },
                    walk.skipped[0].display()
                ));
            }
            walk.hand_over(source, path, discovery);
        }
        Some(metadata) => discovery.inputs.push(named(path, &metadata)?),
        None if source.contains(is_glob_mark) => {
            expand(storage, &location.to_string(), all_files, discovery)?;
        }
        None => {
            return Err(Error::input("there is no such file or directory")
                .coded(Code::NotFound)
                .at(source, None)
                .help("name a file, a directory, a glob in quotes, or - for standard input"));
        }
    }
    Ok(())
}

/// A file that a source names outright.
fn named(path: &Path, metadata: &Metadata) -> Result<Found> {
    let bytes = (metadata.kind == Kind::File).then_some(metadata.stamp.size);
    let found =
        Found { path: path.into(), bytes, stamp: Some(metadata.stamp), is_link: metadata.is_link };
    match metadata.kind {
        Kind::File | Kind::Stream => Ok(found),
        _ => Err(Error::input("a socket or a block device can't be read as JSON")
            .at(path.to_string_lossy(), None)),
    }
}

fn is_glob_mark(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | '{' | '\\')
}

/// Whether a source is too long for a path, but may be a glob. URLs may be longer.
fn is_glob_alone(source: &str) -> bool {
    if scheme(Path::new(source)).is_some() {
        return false;
    }
    let is_long = source.len() > LONGEST_PATH || source.split('/').any(|n| n.len() > LONGEST_NAME);
    is_long && source.contains(is_glob_mark)
}

fn expand(
    storage: &dyn Storage,
    source: &str,
    all_files: bool,
    discovery: &mut Discovery,
) -> Result<()> {
    let (base, pattern) = split_glob(source);
    let mut glob = Glob::new(source, pattern)?;
    let start = glob.start()?;
    let mut walk = Walk::new(storage, Some(glob), all_files);
    match storage.metadata(base)? {
        Some(metadata) if metadata.kind == Kind::Directory => {
            walk.directory(base, Some(start), &metadata)?;
        }
        _ => {
            return Err(Error::input(format!(
                "nothing matches the glob: there is no directory {}",
                base.display()
            ))
            .at(source, None));
        }
    }
    if walk.found.is_empty() && walk.undecided.is_empty() && !walk.empty_match {
        return Err(Error::input(format!(
            "nothing matches the glob: {} names in {} were looked at{}",
            walk.looked_at,
            if base.as_os_str().is_empty() { Path::new(".") } else { base }.display(),
            match walk.skipped.len() {
                0 => String::new(),
                n => format!(", {n} more that begin with . or _ or are special files were skipped"),
            }
        ))
        .at(source, None)
        .help("* and ? stay within one directory, ** goes through all below"));
    }
    walk.hand_over(source, base, discovery);
    Ok(())
}

/// Splits a glob into the directory before its first mark, as spelled, and the rest.
fn split_glob(source: &str) -> (&Path, &str) {
    let mark = source.find(is_glob_mark).unwrap_or(source.len());
    let cut = source[..mark].rfind('/').map_or(0, |slash| slash + 1);
    (Path::new(&source[..cut]), source[cut..].trim_end_matches('/'))
}

/// The bytes of a directory's name as they stand in the paths of what lies in it.
fn in_paths(name: &Path) -> impl Iterator<Item = &u8> {
    name.as_os_str().as_bytes().iter().chain(b"/")
}

/// A search below one source.
struct Walk<'a> {
    storage: &'a dyn Storage,
    glob: Option<Glob>,
    /// Device and inode of the directories that were searched, and where the glob stood there; nothing
    /// where everything was taken. They are walked in the order of their paths, so that a second way to
    /// one leads to no smaller path: loops end, and links that cross take no time.
    searched: HashSet<(u64, u64, Option<Place>)>,
    found: Vec<Found>,
    /// Whether every file of a directory is taken.
    all_files: bool,
    /// Files of directories whose names do not say that they hold JSON.
    undecided: Vec<Found>,
    skipped: Vec<PathBuf>,
    dangling: Vec<PathBuf>,
    looked_at: usize,
    /// Whether the glob matched a directory, be it empty.
    empty_match: bool,
}

impl<'a> Walk<'a> {
    fn new(storage: &'a dyn Storage, glob: Option<Glob>, all_files: bool) -> Self {
        Self {
            storage,
            glob,
            searched: HashSet::new(),
            found: Vec::new(),
            all_files,
            undecided: Vec::new(),
            skipped: Vec::new(),
            dangling: Vec::new(),
            looked_at: 0,
            empty_match: false,
        }
    }

    /// Searches a directory: all of it, or what matches the glob from this place on.
    fn directory(
        &mut self,
        directory: &Path,
        place: Option<Place>,
        metadata: &Metadata,
    ) -> Result<()> {
        let Stamp { device, inode, .. } = metadata.stamp;
        if !self.searched.insert((device, inode, place)) {
            return Ok(());
        }
        let mut entries = self.storage.entries(directory)?;
        // What lies in `a` comes after what lies in `a-b`, as `a/` does.
        entries.sort_by(|(a, _), (b, _)| in_paths(a).cmp(in_paths(b)));
        for (name, metadata) in entries {
            let path = directory.join(&name);
            if matches!(name.as_os_str().as_bytes().first(), Some(b'.' | b'_')) {
                self.skipped.push(path);
                continue;
            }
            self.looked_at += 1;
            self.entry(&path, name.as_os_str().as_bytes(), place, metadata)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &Path,
        name: &[u8],
        place: Option<Place>,
        metadata: Option<Metadata>,
    ) -> Result<()> {
        let (matches, below) = match (&mut self.glob, place) {
            (Some(glob), Some(place)) => {
                let place = glob.step(place, name)?;
                (glob.ends(place)?, Some(glob.step(place, b"/")?))
            }
            _ => (true, None),
        };
        // Nothing that begins like this matches.
        let is_dead = below.is_some_and(|place| place.is_dead());
        if !matches && is_dead {
            return Ok(());
        }
        let known = match metadata {
            Some(metadata) => Some(metadata),
            None => self.storage.metadata(path)?,
        };
        let Some(metadata) = known else {
            if matches {
                self.dangling.push(path.into());
            }
            return Ok(());
        };
        match metadata.kind {
            Kind::Directory if matches => {
                self.empty_match = true;
                self.directory(path, None, &metadata)?;
            }
            Kind::Directory => self.directory(path, below, &metadata)?,
            Kind::File if matches => {
                // A file that a glob names is taken as one that is named outright.
                let is_taken = place.is_some() || self.all_files || is_json_name(path);
                let list = if is_taken { &mut self.found } else { &mut self.undecided };
                list.push(named(path, &metadata)?);
            }
            _ if matches => self.skipped.push(path.into()),
            _ => {}
        }
        Ok(())
    }

    fn hand_over(self, source: &str, base: &Path, discovery: &mut Discovery) {
        let undecided = self.undecided.into_iter().map(|found| (source.to_owned(), found));
        discovery.undecided.extend(undecided);
        for link in &self.dangling {
            discovery
                .warnings
                .push(format!("the link {} leads nowhere and is skipped", link.display()));
        }
        discovery.inputs.extend(self.found);
        discovery.regions.push(Region {
            source: source.to_owned(),
            base: base.to_owned(),
            glob: self.glob.map(|glob| glob.matcher),
        });
    }
}

impl Region {
    /// Whether the source takes something at `place`, a path without links, or below it.
    pub(crate) fn covers(&self, base: &Path, place: &Path) -> bool {
        let Ok(below) = place.strip_prefix(base) else { return false };
        let Some(glob) = &self.glob else { return true };
        let mut prefix = PathBuf::new();
        below.components().any(|step: Component<'_>| {
            prefix.push(step);
            glob.is_match(&prefix)
        })
    }
}

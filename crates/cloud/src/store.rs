//! All buckets as one storage.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use distil_plan::{Cancel, Code, Error, Fault, Result};
use distil_storage::{
    Condition, Disk, InputFile, Kind, Known, Limits, Metadata, Objects, OutputFile, Stamp, Storage,
    Unfinished, no_disk,
};
use object_store::list::PaginatedListOptions;
use object_store::{ObjectMeta, ObjectStoreExt};
use ring::digest::{SHA256, digest};
use xxhash_rust::xxh3::xxh3_64;

use crate::address::{Address, BucketName, SCHEMES};
use crate::bucket::Bucket;
use crate::error::{again, explain, is_answered};
use crate::read::{BucketObject, Expected, ObjectFile, Pinned, Reader};
use crate::runtime::Run;
use crate::upload::Upload;
use crate::uploads::{Target, Uploads};
use crate::web::{self, Web};

/// Bytes on their way for whoever sets no limits: a look at an output, a command that lists.
const USUAL_MEMORY: u64 = 64 << 20;

/// Objects of S3, Google Cloud Storage and Azure, and files of web servers, under their URLs.
///
/// A directory is what several keys begin with, up to a slash. Nothing is connected before the first call. Clones share
/// their connections; what [`Storage::within`] gives has its own, and the same uploads: who writes need not be who
/// completes.
#[derive(Clone)]
pub struct Cloud {
    run: Run,
    web: Web,
    buckets: Arc<Mutex<HashMap<BucketName, Arc<Bucket>>>>,
    uploads: Arc<Uploads>,
    /// The beginnings of files that will be opened soon.
    expected: Arc<Mutex<HashMap<PathBuf, Expected>>>,
}

impl Default for Cloud {
    fn default() -> Self {
        let limits = Limits { cancel: Cancel::new(), memory: USUAL_MEMORY, temp_dir: None };
        let run = Run::new(&limits);
        Self {
            web: Web::new(run.clone()),
            run,
            buckets: Arc::default(),
            uploads: Arc::default(),
            expected: Arc::default(),
        }
    }
}

/// What tells one content of an object from another.
pub(crate) fn version(found: &ObjectMeta) -> u64 {
    // Azure puts quotes around it in some answers, and in others not.
    let e_tag = found.e_tag.as_deref().map(|e_tag| e_tag.trim_matches('"'));
    e_tag.map_or(0, |e_tag| xxh3_64(e_tag.as_bytes()).max(1))
}

impl Cloud {
    /// The schemes of the URLs that are known here.
    pub fn schemes() -> impl Iterator<Item = &'static str> {
        SCHEMES.into_iter().map(|(scheme, _)| scheme).chain(["https", "http"])
    }

    fn bucket(&self, name: &BucketName) -> Result<Arc<Bucket>> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let bucket = Arc::new(Bucket::open(name)?);
        buckets.insert(name.clone(), Arc::clone(&bucket));
        Ok(bucket)
    }

    fn target(&self, path: &Path) -> Result<(Address, Target)> {
        if web::is_url(path) {
            return Err(web::read_only(path));
        }
        let address = Address::parse(path)?;
        let bucket = self.bucket(&address.bucket)?;
        let key = address.key.clone();
        Ok((address, Target { bucket, key }))
    }

    /// The object of a key, if there is one.
    fn object(&self, address: &Address, target: &Target) -> Result<Option<ObjectMeta>> {
        if address.is_directory {
            return Ok(None);
        }
        match self.run.wait(target.bucket.objects.head(&target.key))? {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            // The answer has no text that would say why; that of a list does.
            Err(error) => {
                if is_answered(&error) {
                    self.has_below(address, target)?;
                }
                Err(explain(&error, address.bucket.service, &address.url()))
            }
        }
    }

    /// Whether anything lies below a key.
    fn has_below(&self, address: &Address, target: &Target) -> Result<bool> {
        let prefix = match address.key.as_ref() {
            "" => String::new(),
            key => format!("{key}/"),
        };
        let page = self.run.wait(again(|| {
            let options =
                PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
            target.bucket.pages.list_paginated(Some(&prefix), options)
        }))?;
        let found =
            page.map_err(|error| explain(&error, address.bucket.service, &address.url()))?.result;
        Ok(address.key.as_ref().is_empty() || !found.objects.is_empty())
    }

    fn metadata_of(bucket: &BucketName, found: &ObjectMeta) -> Metadata {
        let identity = format!("{}/{}", bucket.url(), found.location);
        Metadata {
            kind: Kind::File,
            stamp: Stamp {
                size: found.size,
                modified: found.last_modified.timestamp_nanos_opt().unwrap_or_default().into(),
                version: version(found),
                ..identity_of(&identity)
            },
            is_link: false,
            is_own: true,
            is_shared: false,
        }
    }

    fn open_object(&self, path: &Path, stamp: Stamp) -> Result<Arc<Pinned>> {
        let (address, Target { bucket, key }) = self.target(path)?;
        let url = address.url();
        let object = BucketObject { bucket, key, url: url.clone() };
        Ok(Arc::new(Pinned::new(Arc::new(object), url, stamp)))
    }
}

/// A name as a place, by a hash that nobody can make two names for: of two inputs at one place one is passed over.
pub(crate) fn identity_of(url: &str) -> Stamp {
    let digest = digest(&SHA256, url.as_bytes());
    let mut halves = digest
        .as_ref()
        .chunks_exact(8)
        .map(|bytes| bytes.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte)));
    let mut half = || halves.next().unwrap_or_default();
    Stamp { device: half(), inode: half(), size: 0, modified: 0, version: 0 }
}

fn directory(url: &str) -> Metadata {
    let stamp = identity_of(&format!("{url}/"));
    Metadata { kind: Kind::Directory, stamp, is_link: false, is_own: true, is_shared: false }
}

impl Storage for Cloud {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        if web::is_url(path) {
            return self.web.metadata(path).map(Some);
        }
        let (address, target) = self.target(path)?;
        if let Some(found) = self.object(&address, &target)? {
            return Ok(Some(Self::metadata_of(&address.bucket, &found)));
        }
        Ok(self.has_below(&address, &target)?.then(|| directory(&address.url())))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        Ok(self.entries(directory)?.into_iter().map(|(name, _)| name).collect())
    }

    fn entries(&self, path: &Path) -> Result<Vec<(PathBuf, Option<Metadata>)>> {
        let (address, target) = self.target(path)?;
        let listed = self
            .run
            .wait(again(|| target.bucket.objects.list_with_delimiter(Some(&target.key))))?;
        let listed =
            listed.map_err(|error| explain(&error, address.bucket.service, &address.url()))?;
        let mut entries = Vec::new();
        for below in &listed.common_prefixes {
            let Some(name) = below.filename() else { continue };
            let url = format!("{}/{below}", address.bucket.url());
            entries.push((PathBuf::from(name), Some(directory(&url))));
        }
        for found in &listed.objects {
            // Some tools mark a directory by an object of its name.
            let Some(name) = found.location.filename().filter(|_| found.location != target.key)
            else {
                continue;
            };
            let metadata = Self::metadata_of(&address.bucket, found);
            entries.push((PathBuf::from(name), Some(metadata)));
        }
        entries.sort_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
        Ok(entries)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        if web::is_url(path) {
            return self.web.open(path);
        }
        let (address, target) = self.target(path)?;
        let Some(found) = self.object(&address, &target)? else {
            return Err(Error::input("there is no such object")
                .coded(Code::NotFound)
                .at(path.to_string_lossy(), None));
        };
        let stamp = Self::metadata_of(&address.bucket, &found).stamp;
        let object = self.open_object(path, stamp)?;
        Ok(Box::new(ObjectFile::new(object, self.run.clone(), None)))
    }

    fn open_known(&self, path: &Path, known: Known) -> Result<Box<dyn InputFile>> {
        if web::is_url(path) {
            return self.web.open_known(path, known);
        }
        let Known { bytes: Some(size), version } = known else { return self.open(path) };
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        if let Some(Expected { object, reader }) = expected {
            return Ok(Box::new(ObjectFile::new(object, self.run.clone(), Some(reader))));
        }
        let address = Address::parse(path)?;
        let stamp = Stamp { size, version, ..identity_of(&address.url()) };
        let object = self.open_object(path, stamp)?;
        Ok(Box::new(ObjectFile::new(object, self.run.clone(), None)))
    }

    fn expect(&self, path: &Path, known: Known, length: u64) {
        let Known { bytes: Some(size), version } = known else { return };
        let Ok(address) = Address::parse(path) else { return };
        let stamp = Stamp { size, version, ..identity_of(&address.url()) };
        let Ok(object) = self.open_object(path, stamp) else { return };
        if let Some(reader) = Reader::expected(&object, &self.run, length) {
            let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
            expected.insert(path.to_owned(), Expected { object, reader });
        }
    }

    fn within(&self, limits: &Limits) -> Option<Arc<dyn Storage>> {
        let run = Run::new(limits);
        Some(Arc::new(Self {
            web: self.web.within(run.clone(), limits.temp_dir.clone()),
            run,
            buckets: Arc::default(),
            expected: Arc::default(),
            uploads: Arc::clone(&self.uploads),
        }))
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        let (address, target) = self.target(path)?;
        if address.is_directory {
            return Err(Error::usage("an object needs a name").at(path.to_string_lossy(), None));
        }
        if self.uploads.has(path) {
            return Err(Error::new(Fault::Exists, "this process is writing it already")
                .at(path.to_string_lossy(), None));
        }
        let uploads = Arc::clone(&self.uploads);
        Ok(Box::new(Upload::new(path.to_owned(), target, uploads, self.run.clone())))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        let (address, target) = self.target(path)?;
        match self.run.finish(target.bucket.objects.delete(&target.key))? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(explain(&error, address.bucket.service, &address.url())),
        }
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        if web::is_url(path) {
            return Ok(path.to_owned());
        }
        Ok(Address::parse(path)?.path())
    }

    fn disk(&self, path: &Path) -> Result<&dyn Disk> {
        Err(if web::is_url(path) { web::read_only(path) } else { no_disk(path) })
    }

    fn objects(&self, path: &Path) -> Option<&dyn Objects> {
        (!web::is_url(path)).then_some(self)
    }
}

impl Objects for Cloud {
    fn complete(&self, path: &Path, condition: Condition) -> Result<()> {
        let (_, target) = self.target(path)?;
        self.uploads.complete(&self.run, &target.bucket, path, condition)
    }

    fn synced(&self, path: &Path) -> Option<u64> {
        self.uploads.bytes(path)
    }

    fn synced_below(&self, directory: &Path) -> Vec<PathBuf> {
        self.uploads.below(directory)
    }

    fn abort(&self, paths: &[&Path]) -> Result<()> {
        self.uploads.abort(&self.run, &|name| self.bucket(name), paths)
    }

    fn hand_over(&self, path: &Path) -> Result<Vec<u8>> {
        let (_, target) = self.target(path)?;
        self.uploads.hand_over(&self.run, &target.bucket, path)
    }

    fn take_over(&self, path: &Path, upload: &[u8]) -> Result<()> {
        let (_, target) = self.target(path)?;
        self.uploads.take_over(path, target, upload)
    }

    fn unfinished(&self, path: &Path) -> Result<Vec<Unfinished>> {
        let (address, target) = self.target(path)?;
        let Some(lister) = &target.bucket.uploads else { return Ok(Vec::new()) };
        let key = address.key.as_ref();
        let begun = self
            .run
            .wait(lister.list(key))?
            .map_err(|error| error.at(path.to_string_lossy(), None))?;
        let below = format!("{key}/");
        let mut found: Vec<Unfinished> = begun
            .into_iter()
            .filter(|(at, _)| at == key || at.starts_with(&below))
            .map(|(at, id)| Unfinished {
                path: format!("{}/{at}", address.bucket.url()).into(),
                id,
            })
            .collect();
        found.sort();
        Ok(found)
    }

    fn abort_unfinished(&self, unfinished: &Unfinished) -> Result<()> {
        let (address, target) = self.target(&unfinished.path)?;
        let aborted = target.bucket.multipart.abort_multipart(&target.key, &unfinished.id);
        match self.run.finish(aborted)? {
            Err(error) if !crate::error::is_conflict(&error) => {
                Err(explain(&error, address.bucket.service, &address.url()))
            }
            _ => Ok(()),
        }
    }
}

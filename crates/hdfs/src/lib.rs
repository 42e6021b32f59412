//! HDFS: a file system of many machines, at URLs `hdfs://HOST:PORT/PATH`, `hdfs://SERVICE/PATH` and
//! `hdfs:///PATH`.
//!
//! It is spoken to by the crate `hdfs-native`, without Java. Where services, the default file system and
//! Kerberos come in, the configuration of Hadoop says more: `core-site.xml` and `hdfs-site.xml` in the directory
//! `HADOOP_CONF_DIR`, or in `etc/hadoop` of `HADOOP_HOME`.
//!
//! What is different from a disk:
//!
//! * Only what was closed can be read. [`distil_storage::OutputFile::sync`] closes the file, which has the data
//!   nodes put it on their disks; writing after that appends. Dropping a file closes it too, so that what need
//!   not be durable can be read.
//! * A change of names is durable as soon as the name node answers.
//! * Files have no number that the client gives, so a [`Stamp`] takes the path for it. A file that replaced
//!   another of the same length within one millisecond looks like it, and so does one that somebody is still
//!   writing, until its first block is full.
//! * There are no links, and two names can't be exchanged.
//! * A lock is a lease (see [`Disk::lock`] of [`Hdfs`]).

mod disk;
mod fault;
mod input;
mod lazy;
mod lock;
mod output;
mod place;
mod service;
mod wait;

pub use lazy::HdfsStore;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use distil_plan::{Cancel, Result};
use distil_storage::{Disk, InputFile, Kind, Metadata, OutputFile, Stamp, Storage};
use hdfs_native::WriteOptions;
use hdfs_native::client::FileStatus;
use tokio::runtime::Runtime;
use xxhash_rust::xxh3::xxh3_64;

use self::fault::{Side, failed, own};
use self::input::HdfsInput;
use self::lock::Held;
use self::output::HdfsOutput;
use self::place::{Place, Settings};
use self::service::Service;
use self::wait::{Urgency, Waiter};

/// The file systems of HDFS, by their URLs. Clones share clients and locks.
///
/// A client is made when its name node is first spoken to. All that one value does, it does as one client of
/// HDFS; so it is made for one run, whose wish to stop it obeys: reading and writing end at once, and what is
/// done after that, to clean up, may take ten seconds in all.
#[derive(Clone)]
pub struct Hdfs(Arc<Shared>);

struct Shared {
    waiter: Waiter,
    settings: OnceLock<Settings>,
    services: Mutex<HashMap<String, Arc<Service>>>,
    /// The locks that this value holds.
    held: Mutex<Vec<Held>>,
    /// Taken while a lock is taken.
    locking: Mutex<()>,
}

impl Hdfs {
    /// Clients work on `runtime`, which must have several threads, I/O and time enabled, and all waits end when
    /// `cancel` says so.
    pub fn new(runtime: Arc<Runtime>, cancel: Cancel) -> Self {
        Self(Arc::new(Shared {
            waiter: Waiter::new(runtime, cancel),
            settings: OnceLock::new(),
            services: Mutex::default(),
            held: Mutex::default(),
            locking: Mutex::default(),
        }))
    }

    /// The configuration, read once.
    fn settings(&self) -> Result<&Settings> {
        if let Some(settings) = self.0.settings.get() {
            return Ok(settings);
        }
        let loaded = Settings::load()?;
        Ok(self.0.settings.get_or_init(|| loaded))
    }

    /// Where a URL leads, and the client for it.
    fn at(&self, url: &Path) -> Result<(Arc<Service>, Place)> {
        let settings = self.settings()?;
        let place = settings.place(url)?;
        let mut services = self.0.services.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = services.get(&place.authority) {
            return Ok((Arc::clone(service), place));
        }
        let service = Arc::new(Service::new(&self.0.waiter, settings, &place.authority, url)?);
        services.insert(place.authority.clone(), Arc::clone(&service));
        Ok((service, place))
    }

    /// What the name node says of a URL; nothing if nothing is there.
    fn status(&self, url: &Path) -> Result<Option<FileStatus>> {
        let (service, place) = self.at(url)?;
        service.status(&self.0.waiter, &place.path).map_err(|e| e.of("look at", url))
    }

    /// What the name node says of a URL where something is.
    fn existing(&self, doing: &str, url: &Path) -> Result<FileStatus> {
        let found = self.status(url)?;
        found.ok_or_else(|| {
            let missing = hdfs_native::HdfsError::FileNotFound(String::new());
            failed(doing, url, Side::Name, &missing)
        })
    }
}

impl Storage for Hdfs {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        let (service, place) = self.at(path)?;
        let status =
            service.status(&self.0.waiter, &place.path).map_err(|e| e.of("look at", path))?;
        Ok(status.map(|status| Metadata {
            kind: if status.isdir { Kind::Directory } else { Kind::File },
            stamp: stamp(&place, &status),
            is_link: false,
            is_own: service.is_user(&status.owner),
            // With an access control list, these are the most that its entries for others allow.
            is_shared: status.permission & 0o022 != 0,
        }))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let (service, place) = self.at(directory)?;
        let listed = {
            let path = place.path.clone();
            service.call(&self.0.waiter, Urgency::Look, move |client| {
                let path = path.clone();
                async move { client.list_status(&path, false).await }
            })
        };
        let found = listed.map_err(|e| e.of("list", directory))?;
        // A file lists as itself.
        if found.iter().any(|status| !status.isdir && status.path == place.path) {
            return Err(own("cannot list: it is not a directory", directory));
        }
        let name = |status: &FileStatus| status.path.rsplit('/').next().map(str::to_owned);
        let mut names: Vec<String> = found.iter().filter_map(name).collect();
        names.sort_unstable();
        Ok(names.into_iter().map(PathBuf::from).collect())
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        Ok(Box::new(HdfsInput::open(self, path)?))
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        let (service, place) = self.at(path)?;
        self.guard(&place, path)?;
        let options = self.new_file()?;
        let created = {
            let path = place.path.clone();
            service.call(&self.0.waiter, Urgency::Change, move |client| {
                let (path, options) = (path.clone(), options.clone());
                async move { client.create(&path, options).await }
            })
        };
        let writer = created.map_err(|e| e.of("create", path))?;
        Ok(Box::new(HdfsOutput::new(self, path, service, place, writer)))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        let Some(found) = self.status(path)? else { return Ok(()) };
        if found.isdir {
            return Err(own("cannot remove: it is a directory", path));
        }
        let (service, place) = self.at(path)?;
        self.guard(&place, path)?;
        service.delete(&self.0.waiter, &place.path, false).map_err(|e| e.of("remove", path))?;
        self.forget(&place);
        Ok(())
    }

    /// The URL with its host, and without `.` and `..`: there are no links.
    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        self.existing("resolve", path)?;
        Ok(self.settings()?.place(path)?.url())
    }

    fn disk(&self, _: &Path) -> Result<&dyn Disk> {
        Ok(self)
    }
}

impl Hdfs {
    /// How files are created.
    fn new_file(&self) -> Result<WriteOptions> {
        // HDFS leaves the mask of the user to its clients.
        let permission = 0o666 & !self.settings()?.umask();
        Ok(WriteOptions::default().overwrite(false).create_parent(false).permission(permission))
    }
}

/// The identity of what the name node speaks of.
fn stamp(place: &Place, status: &FileStatus) -> Stamp {
    Stamp {
        device: xxh3_64(place.authority.as_bytes()),
        inode: xxh3_64(place.path.as_bytes()),
        size: status.length as u64,
        modified: i128::from(status.modification_time) * 1_000_000,
        version: 0,
    }
}

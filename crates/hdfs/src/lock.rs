//! Locks: leases of HDFS.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use distil_plan::{Error, Result};
use distil_storage::Lock;
use hdfs_native::file::FileWriter;

use super::Hdfs;
use super::fault::{is_held_by_us, is_missing, is_taken, own};
use super::place::Place;
use super::service::{Failure, Service};
use super::wait::Urgency;

/// A lock that is held.
#[derive(Clone)]
pub(super) struct Held {
    place: Place,
    service: Arc<Service>,
}

/// A file that is open for writing, and so can't be opened by another.
pub(super) struct HdfsLock {
    hdfs: Hdfs,
    place: Place,
    /// While it lives, the client renews the lease.
    writer: Mutex<Option<Box<FileWriter>>>,
}

impl Lock for HdfsLock {}

impl Drop for HdfsLock {
    fn drop(&mut self) {
        self.hdfs.forget(&self.place);
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut writer) = writer {
            // Without an answer the lease ends a minute after its last renewal; if its holder has removed the
            // file, there is nothing to close.
            let _ = self.hdfs.0.waiter.wait(Urgency::Change, async move { writer.close().await });
        }
    }
}

/// What came of trying to open a file for writing.
enum Opened {
    Writer(Box<FileWriter>),
    Taken,
    Missing,
}

impl Hdfs {
    /// See [`distil_storage::Disk::lock`] of [`Hdfs`].
    pub(super) fn take_lock(&self, url: &Path) -> Result<Option<Box<dyn Lock>>> {
        let _one_at_a_time = self.0.locking.lock().unwrap_or_else(PoisonError::into_inner);
        let (service, place) = self.at(url)?;
        if self.held().iter().any(|held| held.place == place) {
            return Ok(None);
        }
        self.guard(&place, url)?;
        let writer = loop {
            if let Some(writer) = self.create_lock(&service, &place, url)? {
                break writer;
            }
            // The file is there: its lease may be free.
            let Some(found) = self.status(url)? else { continue };
            if found.isdir {
                return Err(own("cannot lock: it is a directory", url));
            }
            if found.length > 0 {
                // Opening it would open its last block, which only writing closes again.
                return Err(own(
                    "cannot lock: the file is not empty, so distil did not make it",
                    url,
                )
                .help("move it away, or choose another output"));
            }
            match self.open_lock(&service, &place).map_err(|e| e.of("lock", url))? {
                Opened::Writer(writer) => break writer,
                Opened::Taken => return Ok(None),
                Opened::Missing => {}
            }
        };
        self.held().push(Held { place: place.clone(), service: Arc::clone(&service) });
        let lock = HdfsLock { hdfs: self.clone(), place, writer: Mutex::new(Some(writer)) };
        self.learn_user(&service, &lock.place, url)?;
        Ok(Some(Box::new(lock)))
    }

    /// Creates the file of a lock; nothing if it exists.
    fn create_lock(
        &self,
        service: &Service,
        place: &Place,
        url: &Path,
    ) -> Result<Option<Box<FileWriter>>> {
        let options = self.new_file()?;
        let created = service.call(&self.0.waiter, Urgency::Change, |client| {
            let (path, options) = (place.path.clone(), options.clone());
            async move { client.create(&path, options).await }
        });
        match created {
            Ok(writer) => Ok(Some(Box::new(writer))),
            // Created, but the answer got lost, and the client asked again: nobody else has our lease.
            Err(Failure::Hdfs(cause)) if is_held_by_us(&cause) => {
                service
                    .delete(&self.0.waiter, &place.path, false)
                    .map_err(|e| e.of("lock", url))?;
                Ok(None)
            }
            Err(Failure::Hdfs(cause)) if is_taken(&cause) => Ok(None),
            Err(failure) => Err(failure.of("lock", url)),
        }
    }

    /// Opens the file of a lock, which only one can at a time.
    fn open_lock(&self, service: &Service, place: &Place) -> std::result::Result<Opened, Failure> {
        let opened = service.call(&self.0.waiter, Urgency::Change, |client| {
            let path = place.path.clone();
            async move { client.append(&path).await }
        });
        match opened {
            Ok(writer) => Ok(Opened::Writer(Box::new(writer))),
            Err(Failure::Hdfs(cause)) if is_taken(&cause) => Ok(Opened::Taken),
            Err(Failure::Hdfs(cause)) if is_missing(&cause) => Ok(Opened::Missing),
            Err(failure) => Err(failure),
        }
    }

    /// Makes sure that the locks beside a place are still ours, before something is changed there.
    ///
    /// A lease ends when the name node does not hear of us for a minute: then another run may have taken the
    /// lock, and be writing there. What happens between this and the change can't be seen.
    pub(super) fn guard(&self, place: &Place, url: &Path) -> Result<()> {
        let guards = |held: &Held| {
            held.place
                .parent()
                .is_some_and(|directory| place.is_in(&held.place.authority, directory))
        };
        let held: Vec<Held> = self.held().iter().filter(|held| guards(held)).cloned().collect();
        for held in held {
            if !self.is_still_held(&held).map_err(|e| e.of("check the lock for", url))? {
                return Err(lost(&held.place.url()));
            }
        }
        Ok(())
    }

    fn is_still_held(&self, held: &Held) -> std::result::Result<bool, Failure> {
        // The only question that the name node answers about a lease: it refuses to give it to who has it.
        let opened = held.service.call(&self.0.waiter, Urgency::Change, |client| {
            let path = held.place.path.clone();
            async move { client.append(&path).await }
        });
        match opened {
            // The name node closed the file, and others may have had it since.
            Ok(mut writer) => {
                let closed =
                    self.0.waiter.wait(Urgency::Change, async move { writer.close().await });
                closed.map(|_| false).map_err(Failure::Wait)
            }
            Err(Failure::Hdfs(cause)) if is_held_by_us(&cause) => Ok(true),
            Err(Failure::Hdfs(cause)) if is_taken(&cause) || is_missing(&cause) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Ends what a lock guards: its holder has removed it, or let it go.
    pub(super) fn forget(&self, place: &Place) {
        self.held().retain(|held| held.place != *place);
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out by whose name the name node calls us, where a ticket decides that: what we create is ours.
    fn learn_user(&self, service: &Service, place: &Place, url: &Path) -> Result<()> {
        let (true, Some(parent)) = (service.is_secure, place.parent()) else { return Ok(()) };
        let path = hidden_name(parent, "probe");
        let waiter = &self.0.waiter;
        let made = service.make_dir(waiter, &path, 0o700);
        let found = made.and_then(|()| service.status(waiter, &path));
        let removed = service.delete(waiter, &path, true);
        if let Some(found) = found.map_err(|e| e.of("write beside", url))? {
            service.learn_user(&found.owner);
        }
        removed.map_err(|e| e.of("write beside", url))
    }
}

fn lost(lock: &Path) -> Error {
    own("the lock on the output was lost, and another run may be writing there", lock)
        .help("look whether another run wrote the output meanwhile, and run again if not")
        .help("a lock is lost when the name node can't be reached for a minute, or the machine sleeps")
}

/// A name in a directory that nothing else has.
pub(super) fn hidden_name(directory: &str, what: &str) -> String {
    use std::hash::{BuildHasher, Hasher};
    // Its keys are random.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{}/.distil-{what}-{random:016x}", directory.trim_end_matches('/'))
}

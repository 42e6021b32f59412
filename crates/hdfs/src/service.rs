//! One file system: its client, and the calls that all others are made of.

use std::env;
use std::fmt::Display;
use std::future::Future;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use distil_plan::{Error, Result};
use hdfs_native::client::{Client, FileStatus};
use hdfs_native::{ClientBuilder, HdfsError};

use super::fault::{Side, failed, is_missing, is_passing, rename_failed};
use super::place::Settings;
use super::wait::{Urgency, Waiter};

/// How long to wait, each time, for a name node to become active: half a minute in all, which is what it
/// takes one to take over. The client itself doesn't wait.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Why a call gave nothing.
pub(super) enum Failure {
    /// HDFS said so.
    Hdfs(HdfsError),
    /// It was not waited for.
    Wait(Error),
}

impl Failure {
    /// The error for what was done to a path.
    pub(super) fn of(self, doing: impl Display, path: &Path) -> Error {
        match self {
            Self::Hdfs(cause) => failed(doing, path, Side::Name, &cause),
            Self::Wait(error) => named(error, path),
        }
    }

    /// The error for a rename.
    pub(super) fn of_rename(self, from: &Path, to: &Path) -> Error {
        match self {
            Self::Hdfs(cause) => rename_failed(from, to, &cause),
            Self::Wait(error) => named(error, from),
        }
    }
}

/// A wait that failed, with the path; a wish to stop has no place.
pub(super) fn named(error: Error, path: &Path) -> Error {
    match error.fault {
        distil_plan::Fault::Environment => error.at(path.display().to_string(), None),
        _ => error,
    }
}

/// One file system.
pub(super) struct Service {
    client: Client,
    /// Whether several name nodes share the work of one.
    is_service: bool,
    /// Whether the user is who a ticket says, and not who we say.
    pub(super) is_secure: bool,
    user: Mutex<Option<String>>,
}

impl Service {
    pub(super) fn new(
        waiter: &Waiter,
        settings: &Settings,
        authority: &str,
        url: &Path,
    ) -> Result<Self> {
        let builder = ClientBuilder::new()
            .with_url(format!("hdfs://{authority}"))
            .with_io_runtime(waiter.handle());
        // On the runtime, because it panics where a user has no name; it speaks to nobody yet.
        let client = waiter
            .wait(Urgency::Change, async move { builder.build() })
            .map_err(|error| named(error, url))?
            .map_err(|cause| failed("reach the file system", url, Side::Name, &cause))?;
        let is_secure = settings.is_secure();
        Ok(Self {
            client,
            is_service: settings.is_service(authority),
            is_secure,
            user: Mutex::new(likely_user(is_secure)),
        })
    }

    /// Calls a name node, again while none is active: nothing was done then.
    pub(super) fn call<T, F>(
        &self,
        waiter: &Waiter,
        urgency: Urgency,
        make: impl Fn(Client) -> F,
    ) -> std::result::Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = hdfs_native::Result<T>> + Send + 'static,
    {
        let mut pauses = PAUSES.iter();
        loop {
            let done = waiter.wait(urgency, make(self.client.clone())).map_err(Failure::Wait)?;
            match (done, pauses.next()) {
                (Err(cause), Some(pause)) if is_passing(&cause, self.is_service) => {
                    waiter.pause(urgency, *pause).map_err(Failure::Wait)?;
                }
                (done, _) => return done.map_err(Failure::Hdfs),
            }
        }
    }

    /// What is at a path; nothing if nothing is there.
    pub(super) fn status(
        &self,
        waiter: &Waiter,
        path: &str,
    ) -> std::result::Result<Option<FileStatus>, Failure> {
        let found = self.call(waiter, Urgency::Look, |client| {
            let path = path.to_owned();
            async move { client.get_file_info(&path).await }
        });
        match found {
            Ok(status) => Ok(Some(status)),
            Err(Failure::Hdfs(cause)) if is_missing(&cause) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Removes a path; it is no error if nothing is there.
    pub(super) fn delete(
        &self,
        waiter: &Waiter,
        path: &str,
        recursive: bool,
    ) -> std::result::Result<(), Failure> {
        let deleted = self.call(waiter, Urgency::Change, |client| {
            let path = path.to_owned();
            async move { client.delete(&path, recursive).await }
        });
        match deleted {
            Ok(_) => Ok(()),
            Err(Failure::Hdfs(cause)) if is_missing(&cause) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Makes a directory in one that exists; it is no error if there is one already.
    pub(super) fn make_dir(
        &self,
        waiter: &Waiter,
        path: &str,
        permission: u32,
    ) -> std::result::Result<(), Failure> {
        self.call(waiter, Urgency::Change, |client| {
            let path = path.to_owned();
            async move { client.mkdirs(&path, permission, false).await }
        })
    }

    /// Renames, replacing a file or an empty directory, or to a free name.
    pub(super) fn rename(
        &self,
        waiter: &Waiter,
        from: &str,
        to: &str,
        replace: bool,
    ) -> std::result::Result<(), Failure> {
        self.call(waiter, Urgency::Commit, |client| {
            let (from, to) = (from.to_owned(), to.to_owned());
            async move { client.rename(&from, &to, replace).await }
        })
    }

    /// Whether a name is that of the user on whose behalf we work.
    pub(super) fn is_user(&self, owner: &str) -> bool {
        let user = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        user.as_deref() == Some(owner)
    }

    /// Says whose what we create is: the name node knows better than we.
    pub(super) fn learn_user(&self, owner: &str) {
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = Some(owner.to_owned());
    }
}

/// The user that the client will say it works for. Where tickets count, this is a guess: the name of the user
/// in the ticket is most often that on this machine.
fn likely_user(is_secure: bool) -> Option<String> {
    let set = |name| env::var(name).ok().filter(|user| !user.is_empty());
    let told = if is_secure { set("HADOOP_PROXY_USER") } else { set("HADOOP_USER_NAME") };
    told.or_else(|| whoami::fallible::username().ok())
}

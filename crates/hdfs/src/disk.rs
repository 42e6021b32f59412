//! What HDFS does besides storing files.

use std::path::Path;

use distil_plan::Result;
use distil_storage::{Disk, Lock, Storage};
use hdfs_native::HdfsError;
use hdfs_native::acl::{AclEntry, AclEntryScope, AclEntryType, FsAction};
use hdfs_native::client::FileStatus;

use super::Hdfs;
use super::fault::{is_unsure, is_without_lists, own};
use super::lock::hidden_name;
use super::service::Failure;
use super::wait::Urgency;

/// The permissions of a group.
const GROUP: u16 = 0o070;

impl Disk for Hdfs {
    fn create_dir(&self, path: &Path) -> Result<()> {
        self.make(path, 0o777 & !self.settings()?.umask())
    }

    fn create_private_dir(&self, path: &Path) -> Result<()> {
        self.make(path, 0o700)
    }

    fn copy_access(&self, from: &Path, to: &Path) -> Result<()> {
        let access = self.access(from)?;
        if access.status.isdir {
            // Without a file, what the directory allows counts, but for searching it.
            let mut files = access.plain();
            files.status.permission &= 0o666;
            for (at, name) in self.list(from)?.iter().enumerate() {
                let allowed = if at == 0 { 0o777 } else { files.status.permission };
                files = self.access(&from.join(name))?.plain();
                files.status.permission &= allowed;
            }
            for name in self.list(to)? {
                self.set_access(&to.join(name), &files)?;
            }
        }
        self.set_access(to, &access)
    }

    fn link(&self, _: &Path, link: &Path) -> Result<()> {
        Err(own("cannot create the link: HDFS has no symbolic links", link))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.change_name(from, to, true)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        self.change_name(from, to, false)
    }

    fn exchange(&self, a: &Path, b: &Path) -> Result<()> {
        let b = b.display();
        Err(own(format!("cannot exchange with {b}: HDFS can't exchange two names in one step"), a)
            .help("write to a new directory, or to one file"))
    }

    fn can_exchange(&self, _: &Path) -> Result<bool> {
        Ok(false)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        let Some(found) = self.status(path)? else { return Ok(()) };
        if !found.isdir {
            return Err(own("cannot remove the directory: it is a file", path));
        }
        let (service, place) = self.at(path)?;
        self.guard(&place, path)?;
        service
            .delete(&self.0.waiter, &place.path, true)
            .map_err(|e| e.of("remove the directory", path))
    }

    fn sync_dir(&self, _: &Path) -> Result<()> {
        // The name node answers a change only after it is in its journal on disk, and in those of most of the
        // journal nodes where there are some. There is nothing left to do, and no call for it.
        Ok(())
    }

    /// Opens the file for writing, which HDFS lets one client do at a time: it has the lease of the file.
    ///
    /// A lock is held from when this returns until it is dropped, by this one client, in whatever process or
    /// machine others are. The client renews its leases every half a minute. When the process dies, nobody else
    /// gets the lock for a minute after the last renewal, by the clock of the name node alone: until then it
    /// looks as if it were held.
    ///
    /// What it can't promise: that it is still held when the name node was out of reach for a minute, or the
    /// process slept as long. Another may have taken it then. So everything that changes something in the
    /// directory of a lock, or below, asks the name node first, and fails if the lock is lost; only what happens
    /// in the moment between the answer and the change is not seen.
    fn lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>> {
        self.take_lock(path)
    }
}

impl Hdfs {
    /// Makes a directory that must not exist. The name node takes it for success if there is one already, so it
    /// is made under a hidden name and renamed, which it refuses then.
    fn make(&self, path: &Path, permission: u32) -> Result<()> {
        let cause = |failure: Failure| failure.of("create the directory", path);
        let (service, place) = self.at(path)?;
        let Some(parent) = place.parent() else {
            let exists = HdfsError::AlreadyExists(place.path);
            return Err(cause(Failure::Hdfs(exists)));
        };
        self.guard(&place, path)?;
        let hidden = hidden_name(parent, "new");
        service.make_dir(&self.0.waiter, &hidden, permission).map_err(cause)?;
        let renamed = service.rename(&self.0.waiter, &hidden, &place.path, false);
        renamed.map_err(|failure| {
            // If that fails too, an empty hidden directory stays, which harms nobody.
            let _ = service.delete(&self.0.waiter, &hidden, true);
            cause(self.or_taken(path, failure))
        })
    }

    fn change_name(&self, from: &Path, to: &Path, replace: bool) -> Result<()> {
        let (service, source) = self.at(from)?;
        let (_, target) = self.at(to)?;
        if source.authority != target.authority {
            return Err(own(
                format!("cannot rename to {}: it is another file system", to.display()),
                from,
            )
            .help("choose names on one file system"));
        }
        self.guard(&target, to)?;
        let before = self.existing("rename", from)?;
        match service.rename(&self.0.waiter, &source.path, &target.path, replace) {
            Err(Failure::Hdfs(cause)) if is_unsure(&cause) => {
                // The name node may have done it, and its answer got lost.
                let is_gone = self.status(from)?.is_none();
                match self.status(to)? {
                    Some(now) if is_gone && is_same(&before, &now) => Ok(()),
                    _ => Err(Failure::Hdfs(cause).of_rename(from, to)),
                }
            }
            Err(Failure::Wait(error)) => Err(error
                .at(to.display().to_string(), None)
                .output("it may be in place all the same: the name node did not say")
                .help("look what is there before you run it again: `hdfs dfs -ls`")),
            Err(failure) if !replace => Err(self.or_taken(to, failure).of_rename(from, to)),
            done => done.map_err(|failure| failure.of_rename(from, to)),
        }
    }

    /// Why a rename to a name that had to be free failed. Where a directory meets a file, the name node only
    /// says that they don't fit.
    fn or_taken(&self, to: &Path, failure: Failure) -> Failure {
        match failure {
            Failure::Hdfs(cause) if self.status(to).is_ok_and(|found| found.is_some()) => {
                Failure::Hdfs(match cause {
                    HdfsError::RPCError(_, text) => HdfsError::AlreadyExists(text),
                    cause => cause,
                })
            }
            failure => failure,
        }
    }

    /// Who may do what to a path.
    fn access(&self, path: &Path) -> Result<Access> {
        let status = self.existing("look at", path)?;
        let (service, place) = self.at(path)?;
        let listed = service.call(&self.0.waiter, Urgency::Look, |client| {
            let path = place.path.clone();
            async move { client.get_acl_status(&path).await }
        });
        match listed {
            Ok(found) => Ok(Access { status, entries: found.entries }),
            Err(Failure::Hdfs(cause)) if is_without_lists(&cause) => {
                Ok(Access { status, entries: Vec::new() })
            }
            Err(failure) => Err(failure.of("look at", path)),
        }
    }

    fn set_access(&self, path: &Path, access: &Access) -> Result<()> {
        let cause = |failure: Failure| failure.of("set the permissions of", path);
        let (service, place) = self.at(path)?;
        self.guard(&place, path)?;
        let wanted = &access.status;
        let set_owner = |owner: Option<String>| {
            service.call(&self.0.waiter, Urgency::Change, |client| {
                let (path, owner) = (place.path.clone(), owner.clone());
                let group = wanted.group.clone();
                async move { client.set_owner(&path, owner.as_deref(), Some(&group)).await }
            })
        };
        let now = self.access(path)?;
        let (is_owned, is_grouped) =
            (now.status.owner == wanted.owner, now.status.group == wanted.group);
        if !is_owned || !is_grouped {
            // Only the superuser gives files away, and others only to groups that they are in.
            let all = if is_owned { None } else { Some(wanted.owner.clone()) };
            let _ = set_owner(all).or_else(|_| set_owner(None));
        }
        let has_group = self.existing("look at", path)?.group == wanted.group;
        let (mode, entries) = match has_group {
            true => (wanted.permission & 0o777, access.list()),
            false => (access.plain().status.permission & 0o777 & !GROUP, None),
        };
        let has_entries = !now.entries.is_empty();
        service
            .call(&self.0.waiter, Urgency::Change, |client| {
                let (path, entries) = (place.path.clone(), entries.clone());
                async move {
                    match entries {
                        Some(entries) => client.set_acl(&path, entries).await,
                        None => {
                            // Those that it got from its directory could allow more.
                            if has_entries {
                                client.remove_acl(&path).await?;
                            }
                            client.set_permission(&path, mode.into()).await
                        }
                    }
                }
            })
            .map_err(cause)
    }
}

/// Whether a file that has another name now is that one: a rename changes neither.
fn is_same(then: &FileStatus, now: &FileStatus) -> bool {
    let parts =
        |s: &FileStatus| (s.isdir, s.length, s.modification_time, s.owner.clone(), s.group.clone());
    parts(then) == parts(now)
}

/// Who may do what.
struct Access {
    status: FileStatus,
    /// Its access control list, without what the permissions say.
    entries: Vec<AclEntry>,
}

impl Access {
    fn is_listed(entry: &AclEntry) -> bool {
        entry.scope == AclEntryScope::Access
    }

    /// The same without a list, or less. With one, the permissions of the group are the most that any entry
    /// allows, and the group has an entry of its own.
    fn plain(&self) -> Self {
        let mut status = self.status.clone();
        for entry in self.entries.iter().filter(|entry| Self::is_listed(entry)) {
            if entry.r#type == AclEntryType::Group && entry.name.is_none() {
                let group = (entry.permissions.clone() as u16) << 3;
                status.permission &= group | !GROUP;
            }
        }
        Self { status, entries: Vec::new() }
    }

    /// The whole list, if there is one.
    fn list(&self) -> Option<Vec<AclEntry>> {
        if self.entries.is_empty() {
            return None;
        }
        let entry = |kind, shift: u16| AclEntry {
            r#type: kind,
            scope: AclEntryScope::Access,
            permissions: action(self.status.permission >> shift),
            name: None,
        };
        // The name node gives the entry of the group only where there are others, and the permissions of the
        // group are the mask then.
        let group = match self.entries.iter().any(Self::is_listed) {
            true => AclEntryType::Mask,
            false => AclEntryType::Group,
        };
        let own = [entry(AclEntryType::User, 6), entry(group, 3), entry(AclEntryType::Other, 0)];
        Some(own.into_iter().chain(self.entries.iter().cloned()).collect())
    }
}

/// Three bits of permissions.
fn action(bits: u16) -> FsAction {
    match bits & 7 {
        0 => FsAction::None,
        1 => FsAction::Execute,
        2 => FsAction::Write,
        3 => FsAction::WriteExecute,
        4 => FsAction::Read,
        5 => FsAction::ReadExecute,
        6 => FsAction::ReadWrite,
        _ => FsAction::PermAll,
    }
}

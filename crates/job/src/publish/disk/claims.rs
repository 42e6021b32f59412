//! What a run holds: its targets, each locked, and the staging directories beside them.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Fault, Result, scheme};
use distil_storage::{Disk, Lock, Storage};
use xxhash_rust::xxh3::xxh3_64;

use super::target::{Target, Targets};
use crate::publish::obstacles::remove_own;

/// A target that this run holds.
pub(super) struct Claim {
    pub(super) target: Target,
    /// Whether something is there that will be replaced.
    pub(super) replaces: bool,
}

impl Claim {
    pub(super) fn staged(&self) -> PathBuf {
        self.target.staged()
    }
}

/// All that a run holds; dropping it removes everything but what was published.
pub(super) struct Claims {
    pub(super) storage: Arc<dyn Storage>,
    /// The files that are published before the output, in order.
    pub(super) sides: Vec<Claim>,
    pub(super) output: Claim,
    scratch: PathBuf,
    /// Paths and locks of the targets that are locked so far.
    locks: Vec<(Target, Box<dyn Lock>)>,
    keeps_staging: bool,
}

impl Claims {
    /// Locks the targets, removes what dead runs left of them, and checks them once more.
    pub(super) fn take(
        storage: &Arc<dyn Storage>,
        targets: &Targets,
        temp_dir: Option<&Path>,
    ) -> Result<Self> {
        let claim = |target: &Target| Claim { target: target.clone(), replaces: false };
        let mut claims = Self {
            storage: Arc::clone(storage),
            sides: targets.dropped.iter().chain(&targets.quarantine).map(claim).collect(),
            output: claim(&targets.output),
            scratch: scratch_path(&**storage, &targets.output, temp_dir)?,
            locks: Vec::new(),
            keeps_staging: false,
        };
        claims.lock(targets)?;
        claims.remove_leftovers()?;
        claims.look_again()?;
        Ok(claims)
    }

    /// All of them in the order of publication, the output last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Claim> {
        self.sides.iter().chain([&self.output])
    }

    /// Where temporary files go.
    pub(super) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// The file systems of the targets.
    pub(super) fn disk(&self) -> Result<&dyn Disk> {
        self.storage.disk(&self.output.target.path)
    }

    fn lock(&mut self, targets: &Targets) -> Result<()> {
        for target in targets.all() {
            let Some(lock) = self.disk()?.lock(&target.lock_path())? else {
                return Err(Error::new(
                    Fault::Exists,
                    format!("another run is writing the {}", target.role),
                )
                .coded(Code::Locked)
                .at(target.path.to_string_lossy(), None)
                .output("it was not touched, and nothing was read")
                .help("wait for the other run to end, or choose another path"));
            };
            self.locks.push((target.clone(), lock));
        }
        Ok(())
    }

    /// Removes what a dead run left; nobody alive has a part in it, because the locks are ours.
    ///
    /// A file beside the output that a run published, which then died before its output, goes too:
    /// it would be taken for the quarantine of an output that does not exist.
    fn remove_leftovers(&self) -> Result<()> {
        let storage = &*self.storage;
        let has_output = storage.metadata(&self.output.target.path)?.is_some();
        for Claim { target, .. } in &self.sides {
            if !has_output && target.is_fresh(storage)? {
                storage.remove_file(&target.path)?;
                self.disk()?.sync_dir(target.parent())?;
            }
        }
        self.remove_staging()
    }

    fn remove_staging(&self) -> Result<()> {
        for claim in self.all() {
            remove_own(&*self.storage, &claim.target.staging_path())?;
        }
        remove_own(&*self.storage, &self.scratch)
    }

    /// The checks once more, now that nobody else may change anything.
    fn look_again(&mut self) -> Result<()> {
        for claim in self.sides.iter_mut().chain([&mut self.output]) {
            claim.replaces = claim.target.check(&*self.storage)?;
        }
        Ok(())
    }

    /// Removes everything that is not published and lets the targets go.
    pub(super) fn release(&mut self) -> Result<()> {
        if self.locks.is_empty() {
            return Ok(());
        }
        let ours = self.is_complete() && !self.keeps_staging;
        let mut result = if ours { self.remove_staging() } else { Ok(()) };
        for (target, lock) in self.locks.drain(..) {
            // Removed while it is held: whoever waits for it finds that the name is gone.
            let path = target.lock_path();
            let is_own = self.storage.metadata(&path).is_ok_and(|it| it.is_none_or(|it| it.is_own));
            let removed = if is_own { self.storage.remove_file(&path) } else { Ok(()) };
            drop(lock);
            result = result.and(removed);
        }
        result
    }

    /// Leaves the staging directories to the next run.
    pub(super) fn keep_staging(&mut self) {
        self.keeps_staging = true;
    }

    /// Whether all targets are locked, so that their staging directories are ours to remove.
    fn is_complete(&self) -> bool {
        self.locks.len() == self.sides.len() + 1
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        // A failure here has nowhere to go; the next run to the target removes what is left.
        let _ = self.release();
    }
}

/// A name that only runs to this output use, and only while they hold its lock.
fn scratch_path(
    storage: &dyn Storage,
    output: &Target,
    temp_dir: Option<&Path>,
) -> Result<PathBuf> {
    let temp_dir = match temp_dir {
        Some(temp_dir) => temp_dir.to_owned(),
        // What a file system of many machines holds can't be read while it is written.
        None if scheme(&output.path).is_some() => std::env::temp_dir(),
        None => return Ok(output.staging_path().join("scratch")),
    };
    let place = storage.canonical(output.parent())?.join(output.name());
    let hash = xxh3_64(place.as_os_str().as_bytes());
    Ok(temp_dir.join(format!(".distil-{hash:016x}")))
}

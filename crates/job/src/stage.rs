//! Staging: names are claimed and locked, and a backend writes where nobody looks.
//!
//! Every target is staged in a hidden directory beside it, so that publishing is one rename on one
//! file system, and locked for the length of the run. Whatever happens before the commit, dropping a
//! [`Stage`] leaves the targets as they were and nothing beside them; what a killed run leaves is
//! removed by the next run to the same target, which can take the lock.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Fault, Plan, Result, Staging};
use distil_storage::{Kind, Lock, Storage};
use xxhash_rust::xxh3::xxh3_64;

use crate::commit::Sealed;
use crate::target::{Target, Targets};

/// The name of a staged file or directory within its staging directory.
const STAGED: &str = "staged";

/// The places of a run, held and empty, for a backend to write to.
pub struct Stage {
    held: Held,
    staging: Staging,
}

/// A target that this run holds.
pub(crate) struct Claim {
    pub(crate) target: Target,
    /// Whether something is there that will be replaced.
    pub(crate) replaces: bool,
}

impl Claim {
    pub(crate) fn staged(&self) -> PathBuf {
        self.target.staging_path().join(STAGED)
    }
}

/// All that a run holds; dropping it removes everything but what was published.
pub(crate) struct Held {
    pub(crate) storage: Arc<dyn Storage>,
    /// The files that are published before the output, in order.
    pub(crate) sides: Vec<Claim>,
    pub(crate) output: Claim,
    scratch: PathBuf,
    /// Paths and locks of the targets that are locked so far.
    locks: Vec<(Target, Box<dyn Lock>)>,
    keeps_staging: bool,
}

impl Stage {
    /// Takes the targets of a plan and makes their staging directories, and one for temporary files:
    /// below `temp_dir`, or beside the output.
    ///
    /// # Errors
    /// [`Fault::Exists`] if an output exists that may not be replaced, or another run holds a target;
    /// a usage error if a target can't be what the plan says; an environment error.
    pub fn claim(storage: &Arc<dyn Storage>, plan: &Plan, temp_dir: Option<&Path>) -> Result<Self> {
        let targets = Targets::of(plan)?;
        targets.check(&**storage)?;
        if let Some(temp_dir) = temp_dir
            && storage.metadata(temp_dir)?.is_none_or(|found| found.kind != Kind::Directory)
        {
            return Err(Error::usage("the temporary directory is not a directory")
                .at(temp_dir.to_string_lossy(), None)
                .help(format!("mkdir -p '{}'", temp_dir.display())));
        }
        let claim = |target: &Target| Claim { target: target.clone(), replaces: false };
        let mut held = Held {
            storage: Arc::clone(storage),
            sides: targets.dropped.iter().chain(&targets.quarantine).map(claim).collect(),
            output: claim(&targets.output),
            scratch: scratch_path(&**storage, &targets.output, temp_dir)?,
            locks: Vec::new(),
            keeps_staging: false,
        };
        held.lock(&targets)?;
        held.remove_leftovers()?;
        held.look_again()?;
        for target in targets.all() {
            storage.create_dir(&target.staging_path())?;
        }
        storage.create_dir(&held.scratch)?;
        if targets.output.is_dir() {
            storage.create_dir(&held.output.staged())?;
        }
        let staged = |target: &Option<Target>| {
            target.as_ref().map(|target| target.staging_path().join(STAGED))
        };
        let staging = Staging {
            output: held.output.staged(),
            quarantine: staged(&targets.quarantine),
            dropped: staged(&targets.dropped),
            scratch: held.scratch.clone(),
        };
        Ok(Self { held, staging })
    }

    /// Where the backend writes.
    pub fn staging(&self) -> &Staging {
        &self.staging
    }

    /// Ends the writing: what the backend left is complete, listed, and durable.
    ///
    /// # Errors
    /// A bug if the backend did not write what the plan says; an environment error.
    pub fn seal(self) -> Result<Sealed> {
        let storage = &*self.held.storage;
        for claim in self.held.sides.iter().chain([&self.held.output]) {
            let found = storage.metadata(&claim.staged())?.map(|metadata| metadata.kind);
            let wanted = if claim.target.is_dir() { Kind::Directory } else { Kind::File };
            if found != Some(wanted) {
                return Err(Error::bug(format!(
                    "the backend did not write the {}",
                    claim.target.role
                )));
            }
        }
        let staged = &self.staging.output;
        let mut bytes = 0;
        let mut files = 1;
        if self.held.output.target.is_dir() {
            let names = storage.list(staged)?;
            files = names.len() as u64;
            for name in names {
                let metadata = storage.metadata(&staged.join(&name))?;
                let Some(metadata) = metadata.filter(|metadata| metadata.kind == Kind::File) else {
                    return Err(Error::bug("the backend left more than files in the output"));
                };
                bytes += metadata.stamp.size;
            }
            storage.sync_dir(staged)?;
        } else if let Some(metadata) = storage.metadata(staged)? {
            bytes = metadata.stamp.size;
        }
        Ok(Sealed { held: self.held, files, bytes })
    }
}

/// A name that only runs to this output use, and only while they hold its lock.
fn scratch_path(
    storage: &dyn Storage,
    output: &Target,
    temp_dir: Option<&Path>,
) -> Result<PathBuf> {
    let Some(temp_dir) = temp_dir else { return Ok(output.staging_path().join("scratch")) };
    let place = storage.canonical(output.parent())?.join(output.name());
    let hash = xxh3_64(place.as_os_str().as_bytes());
    Ok(temp_dir.join(format!(".distil-{hash:016x}")))
}

impl Held {
    fn lock(&mut self, targets: &Targets) -> Result<()> {
        for target in targets.all() {
            let Some(lock) = self.storage.lock(&target.lock_path())? else {
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
            if !has_output && storage.metadata(&target.fresh_mark())?.is_some() {
                storage.remove_file(&target.path)?;
                storage.sync_dir(target.parent())?;
            }
        }
        self.remove_staging()
    }

    fn remove_staging(&self) -> Result<()> {
        for claim in self.sides.iter().chain([&self.output]) {
            self.storage.remove_dir_all(&claim.target.staging_path())?;
        }
        self.storage.remove_dir_all(&self.scratch)
    }

    /// The checks once more, now that nobody else may change anything.
    fn look_again(&mut self) -> Result<()> {
        for claim in self.sides.iter_mut().chain([&mut self.output]) {
            claim.replaces = claim.target.check(&*self.storage)?;
        }
        Ok(())
    }

    /// Removes everything that is not published and lets the targets go.
    pub(crate) fn release(&mut self) -> Result<()> {
        if self.locks.is_empty() {
            return Ok(());
        }
        let ours = self.is_complete() && !self.keeps_staging;
        let mut result = if ours { self.remove_staging() } else { Ok(()) };
        for (target, lock) in self.locks.drain(..) {
            // Removed while it is held: whoever waits for it finds that the name is gone.
            let removed = self.storage.remove_file(&target.lock_path());
            drop(lock);
            result = result.and(removed);
        }
        result
    }

    /// Leaves the staging directories to the next run.
    pub(crate) fn keep_staging(&mut self) {
        self.keeps_staging = true;
    }

    /// Whether all targets are locked, so that their staging directories are ours to remove.
    fn is_complete(&self) -> bool {
        self.locks.len() == self.sides.len() + 1
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A failure here has nowhere to go; the next run to the target removes what is left.
        let _ = self.release();
    }
}

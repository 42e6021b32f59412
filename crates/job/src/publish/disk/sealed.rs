//! The commit: what is staged becomes visible, in one step, after everything that belongs to it.
//!
//! The states are types: only a [`super::claimed::ClaimedOnDisk`] can be sealed, only a [`SealedOnDisk`] one
//! published, and each is gone once it went on.

use distil_plan::{Code, Error, Result};

use super::claims::{Claim, Claims};
use crate::publish::{Published, Sealed};

/// Staged files that are complete and durable.
pub(super) struct SealedOnDisk {
    pub(super) claims: Claims,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Files under their names; the locks and staging directories are still there.
struct PublishedOnDisk {
    claims: Claims,
}

impl Sealed for SealedOnDisk {
    fn files(&self) -> u64 {
        self.files
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn publish(mut self: Box<Self>) -> Result<Box<dyn Published>> {
        for (at, claim) in self.claims.sides.iter().enumerate() {
            if let Err(error) = self.claims.publish_side(claim) {
                return Err(self.claims.take_back(at + 1, error));
            }
        }
        if let Err(error) = self.claims.publish_output() {
            return Err(self.claims.take_back(self.claims.sides.len(), error));
        }
        let output = &self.claims.output.target;
        if let Err(error) = self.claims.disk().and_then(|disk| disk.sync_dir(output.parent())) {
            // A loss of power may bring the old output back, which lies in the staging directory.
            self.claims.keep_staging();
            let output = "the output is in place, but may not survive a loss of power";
            return Err(after_commit(error, output));
        }
        Ok(Box::new(PublishedOnDisk { claims: self.claims }))
    }
}

impl Published for PublishedOnDisk {
    fn finish(mut self: Box<Self>) -> Result<()> {
        self.claims.release().map_err(|error| {
            after_commit(error, "the output is complete; hidden temporary files are left beside it")
        })
    }
}

fn after_commit(error: Error, output: &str) -> Error {
    Error { output: None, ..error.coded(Code::AfterCommit) }.output(output)
}

impl Claims {
    fn publish_side(&self, claim: &Claim) -> Result<()> {
        let disk = self.disk()?;
        let target = &claim.target;
        if claim.replaces {
            disk.copy_access(&target.path, &claim.staged())?;
            disk.rename(&claim.staged(), &target.path)?;
        } else {
            // Without an output the file means nothing: the mark tells the next run, should this one
            // die before the output is there.
            disk.create_new(&target.fresh_mark())?.sync()?;
            disk.sync_dir(&target.staging_path())?;
            disk.sync_dir(target.parent())?;
            disk.rename_new(&claim.staged(), &target.path)?;
        }
        disk.sync_dir(target.parent())
    }

    fn publish_output(&self) -> Result<()> {
        let disk = self.disk()?;
        let target = &self.output.target;
        let staged = self.output.staged();
        if self.output.replaces {
            disk.copy_access(&target.path, &staged)?;
        }
        match (self.output.replaces, target.is_dir()) {
            (false, _) => disk.rename_new(&staged, &target.path),
            (true, false) => disk.rename(&staged, &target.path),
            (true, true) => {
                target.check_replaceable(&*self.storage)?;
                disk.exchange(&staged, &target.path)
            }
        }
    }

    /// Takes back the first `count` files beside the output after `error`.
    fn take_back(&self, count: usize, mut error: Error) -> Error {
        for claim in &self.sides[..count] {
            let target = &claim.target;
            let storage = &*self.storage;
            let gone = storage.metadata(&claim.staged()).is_ok_and(|staged| staged.is_none());
            if !gone {
                continue;
            }
            if claim.replaces {
                let path = target.path.display();
                error = error.detail(format!(
                    "the {} {path} was replaced by the one of this run already",
                    target.role
                ));
            } else if storage
                .remove_file(&target.path)
                .and_then(|()| self.disk()?.sync_dir(target.parent()))
                .is_err()
            {
                let path = target.path.display();
                error = error.help(format!("remove {path}: it belongs to no output"));
            }
        }
        error
    }
}

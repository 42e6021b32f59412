//! The commit: what is staged becomes visible, in one step, after everything that belongs to it.
//!
//! The states are types: only a [`crate::stage::Stage`] can be sealed, only a [`Sealed`] one
//! published, and each is gone once it went on.

use distil_plan::{Code, Error, Result};

use crate::stage::{Claim, Held};

/// A staged output that is complete and durable, but not visible.
pub struct Sealed {
    pub(crate) held: Held,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// An output that is visible and durable, with leftovers still to remove.
pub struct Published {
    held: Held,
}

impl Sealed {
    /// Files of the output.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// Bytes of all files of the output.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the output visible and durable: first what belongs to it (dropped duplicates, the
    /// quarantine), then the output itself, which appears, or replaces an old one, in one step.
    ///
    /// # Errors
    /// An environment error, or [`distil_plan::Fault::Exists`] if something took a name meanwhile: then the output
    /// is as it was, and new files beside it are gone again (one that replaced an older file stays);
    /// [`distil_plan::Fault::AfterCommit`] if the output is visible, but perhaps not durable.
    pub fn publish(mut self) -> Result<Published> {
        for (at, claim) in self.held.sides.iter().enumerate() {
            if let Err(error) = self.held.publish_side(claim) {
                return Err(self.held.take_back(at + 1, error));
            }
        }
        if let Err(error) = self.held.publish_output() {
            return Err(self.held.take_back(self.held.sides.len(), error));
        }
        let output = &self.held.output.target;
        if let Err(error) = self.held.storage.sync_dir(output.parent()) {
            // A loss of power may bring the old output back, which lies in the staging directory.
            self.held.keep_staging();
            let output = "the output is in place, but may not survive a loss of power";
            return Err(after_commit(error, output));
        }
        Ok(Published { held: self.held })
    }
}

impl Published {
    /// Removes what is left of the run, an exchanged old output among it.
    ///
    /// # Errors
    /// [`distil_plan::Fault::AfterCommit`]: the output is complete, but something could not be removed.
    pub fn finish(mut self) -> Result<()> {
        self.held.release().map_err(|error| {
            after_commit(error, "the output is complete; hidden temporary files are left beside it")
        })
    }
}

fn after_commit(error: Error, output: &str) -> Error {
    Error { output: None, ..error.coded(Code::AfterCommit) }.output(output)
}

impl Held {
    fn publish_side(&self, claim: &Claim) -> Result<()> {
        let storage = &*self.storage;
        let target = &claim.target;
        if claim.replaces {
            storage.rename(&claim.staged(), &target.path)?;
        } else {
            // Without an output the file means nothing: the mark tells the next run, should this one
            // die before the output is there.
            storage.create_new(&target.fresh_mark())?.sync()?;
            storage.sync_dir(&target.staging_path())?;
            storage.sync_dir(target.parent())?;
            storage.rename_new(&claim.staged(), &target.path)?;
        }
        storage.sync_dir(target.parent())
    }

    fn publish_output(&self) -> Result<()> {
        let target = &self.output.target;
        let staged = self.output.staged();
        match (self.output.replaces, target.is_dir()) {
            (false, _) => self.storage.rename_new(&staged, &target.path),
            (true, false) => self.storage.rename(&staged, &target.path),
            (true, true) => {
                target.check_replaceable(&*self.storage)?;
                self.storage.exchange(&staged, &target.path)
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
                .and_then(|()| storage.sync_dir(target.parent()))
                .is_err()
            {
                let path = target.path.display();
                error = error.help(format!("remove {path}: it belongs to no output"));
            }
        }
        error
    }
}

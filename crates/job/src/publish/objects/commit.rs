//! The commit: uploads are completed, one after another, what belongs to the output before the output.

use std::path::{Path, PathBuf};

use distil_output::own::is_part;
use distil_plan::{Code, Error, Fault, Result};
use distil_storage::{Condition, Unfinished};

use super::claimed::{Claims, UploadsOfTargets};
use super::store;
use crate::publish::{Published, Sealed};

/// Uploads that are complete and durable, and no objects yet.
pub(super) struct SealedObjects {
    pub(super) claims: Claims,
    pub(super) objects: UploadsOfTargets,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Objects under their names; temporary files are still there.
struct PublishedObjects {
    claims: Claims,
}

impl Sealed for SealedObjects {
    fn files(&self) -> u64 {
        self.files
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn publish(self: Box<Self>) -> Result<Box<dyn Published>> {
        let Self { claims, objects, .. } = *self;
        let mut new = Vec::new();
        for (claim, uploads) in claims.all.iter().zip(&objects) {
            let target = &claim.target;
            let published =
                claims.free_still(target.is_dir.then_some(&*target.path)).and_then(|()| {
                    uploads.iter().try_for_each(|path| {
                        store(&*claims.storage, path)?.complete(path, claim.condition)?;
                        if claim.condition == Condition::Absent {
                            new.push(path.clone());
                        }
                        Ok(())
                    })
                });
            if let Err(error) = published {
                return Err(claims.take_back(&new, error));
            }
        }
        Ok(Box::new(PublishedObjects { claims }))
    }
}

impl Claims {
    /// Checks that a directory is still free: its first part would be refused if another run was faster, but what
    /// others put there would not be noticed.
    fn free_still(&self, directory: Option<&Path>) -> Result<()> {
        let Some(directory) = directory else { return Ok(()) };
        match self.storage.metadata(directory)? {
            None => Ok(()),
            Some(_) => {
                Err(Error::new(Fault::Exists, "somebody else wrote to the directory meanwhile")
                    .at(directory.to_string_lossy(), None)
                    .help("choose another directory"))
            }
        }
    }

    /// Removes the objects that the failed commit has made, the last one first.
    fn take_back(&self, new: &[PathBuf], error: Error) -> Error {
        let left: Vec<&PathBuf> =
            new.iter().rev().filter(|path| self.storage.remove_file(path).is_err()).collect();
        let Some(first) = left.last() else { return error };
        let output = format!(
            "{} objects were published before the failure, and could not be removed, {} among them: the output is \
             not whole",
            left.len(),
            first.display()
        );
        Error { output: None, ..error }
            .output(output)
            .help("remove what lies under the name of the output, then run it again")
    }

    /// Aborts what dead runs to the targets have begun. Runs that are alive have lost: what they would complete has
    /// another object where they saw none, or another one.
    fn abort_others(&self) -> Result<()> {
        for claim in &self.all {
            let target = &claim.target;
            let store = store(&*self.storage, &target.path)?;
            let is_ours = |found: &Unfinished| {
                found.path == target.path
                    || (target.is_dir && found.path.strip_prefix(&target.path).is_ok_and(is_part))
            };
            for found in store.unfinished(&target.path)?.iter().filter(|found| is_ours(found)) {
                store.abort_unfinished(found)?;
            }
        }
        Ok(())
    }
}

impl Published for PublishedObjects {
    fn finish(mut self: Box<Self>) -> Result<()> {
        if let Err(error) = self.claims.abort_others() {
            // Listing uploads is a permission of its own, which whoever may write need not have.
            tracing::warn!(%error, "uploads that others have begun could not be looked for");
        }
        self.claims.scratch.release().map_err(|error| {
            Error { output: None, ..error.coded(Code::AfterCommit) }
                .output("the output is complete; temporary files are left on this machine")
        })
    }
}

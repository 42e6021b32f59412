//! Staging: names are claimed and locked, and a backend writes to hidden places.
//!
//! Every target is staged in a hidden directory beside it, so that publishing is one rename on one
//! file system, and locked for the length of the run. Whatever happens before the commit, dropping a
//! [`ClaimedOnDisk`] leaves the targets as they were and nothing beside them; what a killed run leaves is
//! removed by the next run to the same target, which can take the lock.

use std::path::Path;
use std::sync::Arc;

use distil_plan::{Error, Result, Staging};
use distil_storage::{Kind, Storage};

use super::claims::Claims;
use super::sealed::SealedOnDisk;
use super::target::{Target, Targets, make_directory};
use crate::publish::{Claimed, Sealed};

/// Targets that are locked, and their staging directories.
pub(super) struct ClaimedOnDisk {
    claims: Claims,
    staging: Staging,
}

impl ClaimedOnDisk {
    /// As [`crate::publish::Publisher::claim`].
    pub(super) fn claim(
        storage: &Arc<dyn Storage>,
        targets: &Targets,
        temp_dir: Option<&Path>,
    ) -> Result<Self> {
        targets.check(&**storage)?;
        if let Some(temp_dir) = temp_dir
            && storage.metadata(temp_dir)?.is_none_or(|found| found.kind != Kind::Directory)
        {
            return Err(Error::usage("the temporary directory is not a directory")
                .at(temp_dir.to_string_lossy(), None)
                .help(make_directory(temp_dir)));
        }
        let claims = Claims::take(storage, targets, temp_dir)?;
        let disk = storage.disk(&targets.output.path)?;
        for claim in claims.all() {
            disk.create_private_dir(&claim.target.staging_path())?;
        }
        storage.disk(claims.scratch())?.create_private_dir(claims.scratch())?;
        if targets.output.is_dir() {
            disk.create_dir(&claims.output.staged())?;
        }
        let staged = |role: &Option<Target>| role.as_ref().map(Target::staged);
        let staging = Staging {
            output: claims.output.staged(),
            quarantine: staged(&targets.quarantine),
            dropped: staged(&targets.dropped),
            scratch: claims.scratch().to_owned(),
        };
        Ok(Self { claims, staging })
    }
}

impl Claimed for ClaimedOnDisk {
    fn staging(&self) -> &Staging {
        &self.staging
    }

    fn seal(self: Box<Self>) -> Result<Box<dyn Sealed>> {
        let storage = &*self.claims.storage;
        for claim in self.claims.all() {
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
        if self.claims.output.target.is_dir() {
            let names = storage.list(staged)?;
            files = names.len() as u64;
            for name in names {
                let metadata = storage.metadata(&staged.join(&name))?;
                let Some(metadata) = metadata.filter(|metadata| metadata.kind == Kind::File) else {
                    return Err(Error::bug("the backend left more than files in the output"));
                };
                bytes += metadata.stamp.size;
            }
            self.claims.disk()?.sync_dir(staged)?;
        } else if let Some(metadata) = storage.metadata(staged)? {
            bytes = metadata.stamp.size;
        }
        Ok(Box::new(SealedOnDisk { claims: self.claims, files, bytes }))
    }
}

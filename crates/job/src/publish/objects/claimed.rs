//! Staging: uploads to the names of the targets, which are no objects until they are completed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Error, Result, Staging};
use distil_storage::{Condition, Storage};

use super::commit::SealedObjects;
use super::scratch::Scratch;
use super::{Target, store};
use crate::publish::{Claimed, Sealed};

/// A target, and what has to be there when it is published.
pub(super) struct Claim {
    pub(super) target: Target,
    pub(super) condition: Condition,
}

/// What a run holds: dropping it aborts all uploads that are not completed.
pub(super) struct Claims {
    pub(super) storage: Arc<dyn Storage>,
    /// In the order of publication, the output last.
    pub(super) all: Vec<Claim>,
    pub(super) scratch: Scratch,
}

impl Claims {
    /// Aborts what was not completed.
    pub(super) fn abort(&self) -> Result<()> {
        let paths: Vec<&Path> = self.all.iter().map(|claim| &*claim.target.path).collect();
        match self.all.first() {
            Some(first) => store(&*self.storage, &first.target.path)?.abort(&paths),
            None => Ok(()),
        }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        if let Err(error) = self.abort() {
            tracing::warn!(%error, "an upload is left, and may be paid for: the next run to the output aborts it");
        }
    }
}

/// Targets that uploads go to.
pub(super) struct ClaimedObjects {
    claims: Claims,
    staging: Staging,
}

impl ClaimedObjects {
    /// As [`crate::publish::Publisher::claim`].
    pub(super) fn claim(
        storage: &Arc<dyn Storage>,
        targets: &[Target],
        temp_dir: Option<&Path>,
    ) -> Result<Self> {
        let at = |role: &str| {
            targets.iter().find(|target| target.role == role).map(|target| target.path.clone())
        };
        let output = at("output").ok_or_else(|| Error::bug("a plan without an output"))?;
        let scratch = Scratch::claim(storage, &output, temp_dir)?;
        let staging = Staging {
            output,
            quarantine: at("quarantine file"),
            dropped: at("file of dropped duplicates"),
            scratch: scratch.path().to_owned(),
        };
        let claim = |target: &Target| {
            Ok(Claim { condition: target.check(&**storage)?, target: target.clone() })
        };
        let all = targets.iter().map(claim).collect::<Result<_>>()?;
        let claims = Claims { storage: Arc::clone(storage), all, scratch };
        Ok(Self { claims, staging })
    }
}

impl Claimed for ClaimedObjects {
    fn staging(&self) -> &Staging {
        &self.staging
    }

    fn seal(self: Box<Self>) -> Result<Box<dyn Sealed>> {
        let storage = &*self.claims.storage;
        let (mut objects, mut files, mut bytes) = (Vec::new(), 0, 0);
        for claim in &self.claims.all {
            let Target { role, path, is_dir, .. } = &claim.target;
            let store = store(storage, path)?;
            let mut uploads = match is_dir {
                true => store.synced_below(path),
                false => vec![path.clone()],
            };
            // As they were written: their numbers have no end.
            uploads.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
            let sizes: Option<Vec<u64>> = uploads.iter().map(|path| store.synced(path)).collect();
            let Some(sizes) = sizes.filter(|sizes| !sizes.is_empty()) else {
                return Err(Error::bug(format!("the backend did not write the {role}")));
            };
            (files, bytes) = (uploads.len() as u64, sizes.iter().sum());
            objects.push(uploads);
        }
        Ok(Box::new(SealedObjects { claims: self.claims, objects, files, bytes }))
    }
}

/// The uploads of each target, in order.
pub(super) type UploadsOfTargets = Vec<Vec<PathBuf>>;

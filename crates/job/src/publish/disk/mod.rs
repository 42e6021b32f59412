//! Publishing on a file system: locks, staging directories beside the targets, and renames.

mod claimed;
mod claims;
mod sealed;
mod target;

use std::path::Path;
use std::sync::Arc;

use distil_plan::{Error, Plan, Result, scheme};
use distil_storage::Storage;

use self::claimed::ClaimedOnDisk;
use self::target::Targets;
use super::{Claimed, Publisher};
use crate::places::Place;

/// The targets of a plan, all on file systems.
pub(super) struct DiskPublisher {
    storage: Arc<dyn Storage>,
    targets: Targets,
}

impl DiskPublisher {
    /// # Errors
    /// A usage error for a target without a name, or in another store than the output.
    pub(super) fn new(storage: &Arc<dyn Storage>, plan: &Plan) -> Result<Self> {
        let targets = Targets::of(plan)?;
        for target in targets.all() {
            storage.disk(&target.path)?;
            let of = |path| scheme(path).map(str::to_ascii_lowercase);
            if of(&target.path) != of(&targets.output.path) {
                return Err(Error::usage(format!(
                    "the {} lies in another store than the output",
                    target.role
                ))
                .at(target.path.to_string_lossy(), None)
                .help("write both to the same store: they become visible one after another"));
            }
        }
        Ok(Self { storage: Arc::clone(storage), targets })
    }
}

impl Publisher for DiskPublisher {
    fn check(&self) -> Result<()> {
        self.targets.check(&*self.storage)
    }

    fn places(&self) -> Vec<Place<'_>> {
        self.targets.places().collect()
    }

    fn claim(&self, temp_dir: Option<&Path>) -> Result<Box<dyn Claimed>> {
        Ok(Box::new(ClaimedOnDisk::claim(&self.storage, &self.targets, temp_dir)?))
    }
}

//! Publishing in a store of objects: uploads that are completed on the condition that nobody else was there first.
//!
//! There is nothing to rename, and no lock that would end with its holder. Whoever completes the first object of
//! an output wins; all others find that out at their own commit, and change nothing.

mod claimed;
mod commit;
mod scratch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Hint, Layout, Location, Mode, Plan, Result, parent};
use distil_storage::{Condition, Kind, Objects, Storage};

use self::claimed::ClaimedObjects;
use super::obstacles::{exists, fits};
use super::{Claimed, Publisher};
use crate::places::Place;

/// An object, or a directory of objects, that a run publishes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// What it is, for messages.
    role: &'static str,
    path: PathBuf,
    is_dir: bool,
    mode: Mode,
}

/// The targets of a plan, all in stores of objects.
pub(super) struct ObjectsPublisher {
    storage: Arc<dyn Storage>,
    /// In the order of publication, the output last.
    targets: Vec<Target>,
}

impl ObjectsPublisher {
    /// # Errors
    /// A usage error for a target without a name, or on a file system.
    pub(super) fn new(storage: &Arc<dyn Storage>, plan: &Plan) -> Result<Self> {
        let target = |role, path: &Location, is_dir| {
            Target::new(&**storage, role, path, is_dir, plan.sink.mode)
        };
        let mut targets = Vec::new();
        if let Some(path) = &plan.dropped {
            targets.push(target("file of dropped duplicates", path, false)?);
        }
        if let Some(path) = &plan.quarantine.path {
            targets.push(target("quarantine file", path, false)?);
        }
        targets.push(target("output", &plan.sink.path, plan.sink.layout == Layout::Dir)?);
        Ok(Self { storage: Arc::clone(storage), targets })
    }
}

impl Publisher for ObjectsPublisher {
    fn check(&self) -> Result<()> {
        self.targets.iter().try_for_each(|target| target.check(&*self.storage).map(drop))
    }

    fn places(&self) -> Vec<Place<'_>> {
        self.targets
            .iter()
            .map(|target| Place::target(target.role, &target.path, target.is_dir))
            .collect()
    }

    fn claim(&self, temp_dir: Option<&Path>) -> Result<Box<dyn Claimed>> {
        Ok(Box::new(ClaimedObjects::claim(&self.storage, &self.targets, temp_dir)?))
    }
}

impl Target {
    fn new(
        storage: &dyn Storage,
        role: &'static str,
        path: &Location,
        is_dir: bool,
        mode: Mode,
    ) -> Result<Self> {
        if storage.objects(path).is_none() {
            return Err(Error::usage(format!(
                "the output lies in a store of objects, and the {role} does not"
            ))
            .at(path.to_string(), None)
            .help("write it to the same store: they become visible one after another"));
        }
        let path = storage.canonical(path)?;
        // A bucket is a place for outputs, and none itself.
        if parent(&path).is_none() {
            return Err(Error::usage(format!("the {role} needs a name"))
                .at(path.to_string_lossy(), None)
                .help("write a name behind the bucket"));
        }
        Ok(Self { role, path, is_dir, mode })
    }

    /// Checks that something may be published here, and what has to be there still when it is.
    fn check(&self, storage: &dyn Storage) -> Result<Condition> {
        let Some(found) = storage.metadata(&self.path).map_err(as_target)? else {
            return Ok(Condition::Absent);
        };
        fits(self.role, &self.path, self.is_dir, found.kind)?;
        match (found.kind, self.mode) {
            (Kind::File, Mode::Overwrite) => Ok(Condition::Unchanged(found.stamp)),
            (Kind::File, Mode::Error) => Err(exists(self.role, &self.path).help(Hint::set(
                "replace it as a whole",
                "mode",
                "overwrite",
            ))),
            _ => Err(self.stands_in_the_way(storage)),
        }
    }

    /// The error for a directory that is there.
    fn stands_in_the_way(&self, storage: &dyn Storage) -> Error {
        let unfinished = storage.objects(&self.path).map(|store| store.unfinished(&self.path));
        let mut error = exists(self.role, &self.path);
        if let Some(Ok(unfinished)) = unfinished
            && !unfinished.is_empty()
        {
            error = error.detail(format!(
                "{} uploads to it were begun and not completed: a run is publishing there, or died there",
                unfinished.len()
            ));
        }
        error
            .detail("a directory in a store of objects can't be replaced in one step")
            .help("write to a new directory, or to one file, which can be replaced")
    }
}

/// A bucket that is not there is nothing that the data could mend.
fn as_target(error: Error) -> Error {
    if error.code == Code::NotFound { error.coded(Code::Usage) } else { error }
}

/// The store of a target.
fn store<'s>(storage: &'s dyn Storage, path: &Path) -> Result<&'s dyn Objects> {
    storage
        .objects(path)
        .ok_or_else(|| Error::bug("a target left its store").at(path.to_string_lossy(), None))
}

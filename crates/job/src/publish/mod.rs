//! Publishing: how what a backend wrote becomes the output, in one step, or not at all.
//!
//! A [`Publisher`] is the strategy of one kind of store, chosen by where the output is. A run goes through
//! its states, each a value that the next one consumes: claimed, sealed, published. Dropping one before
//! it is published leaves the outputs as they were. What every strategy promises:
//!
//! 1. nothing is visible before [`Sealed::publish`]; what belongs to the output (dropped records, the
//!    quarantine) is there before it is;
//! 2. the output appears, or replaces the one that was there, in one step: a reader finds one of the two, whole;
//! 3. two runs never publish to one output at a time;
//! 4. a run that dies leaves nothing that the next run to the output would not remove.
//!
//! `disk` keeps all of them. `objects` keeps them for a file; of a directory it makes the parts visible one after
//! another (`docs/stores.md`).

mod disk;
mod objects;
mod obstacles;

use std::path::Path;
use std::sync::Arc;

use distil_plan::{Plan, Result, Staging};
use distil_storage::Storage;

use crate::places::Place;
use disk::DiskPublisher;
use objects::ObjectsPublisher;

/// A strategy for the targets of one plan.
pub trait Publisher {
    /// Checks that all targets may be published, changing nothing.
    ///
    /// # Errors
    /// [`distil_plan::Fault::Exists`] if an output exists that may not be replaced; a usage error if a target
    /// can't be what the plan says; an environment error.
    fn check(&self) -> Result<()>;

    /// The targets as places that must not overlap with sources.
    fn places(&self) -> Vec<Place<'_>>;

    /// Takes the targets, and a place for temporary files: below `temp_dir`, or beside the output.
    ///
    /// # Errors
    /// As [`Publisher::check`]; [`distil_plan::Fault::Exists`] if another run holds a target.
    fn claim(&self, temp_dir: Option<&Path>) -> Result<Box<dyn Claimed>>;
}

/// The places of a run, held and empty, for a backend to write to.
pub trait Claimed {
    /// Where the backend writes.
    fn staging(&self) -> &Staging;

    /// Ends the writing: what the backend left is complete, listed, and durable.
    ///
    /// # Errors
    /// A bug if the backend did not write what the plan says; an environment error.
    fn seal(self: Box<Self>) -> Result<Box<dyn Sealed>>;
}

/// A staged output that is complete and durable, but not visible.
pub trait Sealed {
    /// Files of the output.
    fn files(&self) -> u64;

    /// Bytes of all files of the output.
    fn bytes(&self) -> u64;

    /// Makes the output visible and durable, after what belongs to it.
    ///
    /// # Errors
    /// An environment error, or [`distil_plan::Fault::Exists`] if something took a name meanwhile: then the output
    /// is as it was, and new files beside it are gone again (one that replaced an older file stays);
    /// [`distil_plan::Fault::AfterCommit`] if the output is visible, but perhaps not durable.
    fn publish(self: Box<Self>) -> Result<Box<dyn Published>>;
}

/// An output that is visible and durable, with leftovers still to remove.
pub trait Published {
    /// Removes what is left of the run, a replaced output among it.
    ///
    /// # Errors
    /// [`distil_plan::Fault::AfterCommit`]: the output is complete, but something could not be removed.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The strategy for the outputs of a plan.
///
/// # Errors
/// A usage error for an output without a name, or in a store that can't be written to.
pub fn publisher(storage: &Arc<dyn Storage>, plan: &Plan) -> Result<Box<dyn Publisher>> {
    Ok(match storage.objects(&plan.sink.path) {
        Some(_) => Box::new(ObjectsPublisher::new(storage, plan)?),
        None => Box::new(DiskPublisher::new(storage, plan)?),
    })
}

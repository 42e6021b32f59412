//! Runs whose work is done in tasks, by processes of a cluster that somebody else schedules.
//!
//! Who schedules implements [`Cluster`]: it runs [`decode`] in as many processes as it likes, moves the rows, and has
//! a [`Writing`] where they arrive. [`Session::on_cluster`](crate::Session::on_cluster) does the rest.

use std::path::Path;
use std::sync::Arc;

pub use distil_distributed::{Cluster, Kind, Payload, Tasks};
use distil_job::resources::Meter;
use distil_plan::{Cancel, Error, Result};
use distil_storage::Storage;

use crate::Stores;

/// Runs one of the tasks of a job that decode, on the node of that name, and hands on what it comes to.
///
/// # Errors
/// One that another attempt may not have: of the environment; whatever `hand_on` says; that of the cancelled task.
pub fn decode(
    job: &[u8],
    task: usize,
    host: &str,
    cancel: &Cancel,
    hand_on: &mut dyn FnMut(Payload) -> Result<()>,
) -> Result<()> {
    let meter = Meter::start();
    distil_distributed::decode(&stores(), job, task, cancel, hand_on)?;
    hand_on(used(&meter, host)?)
}

/// A task that writes the rows of some groups.
pub struct Writing {
    writing: distil_distributed::Writing,
    meter: Meter,
}

impl Writing {
    /// A task without rows. `attempt` is a name that no other attempt has; rows that the memory does not hold go to
    /// files without a name in `temp_dir`.
    ///
    /// # Errors
    /// An environment error if the job is of another version.
    pub fn begin(job: &[u8], attempt: &str, temp_dir: &Path, cancel: &Cancel) -> Result<Self> {
        let meter = Meter::start();
        let writing = distil_distributed::Writing::begin(stores(), job, attempt, temp_dir, cancel)?;
        Ok(Self { writing, meter })
    }

    /// Takes what tasks that decode handed on. What is no rows is handed on as it is.
    ///
    /// # Errors
    /// An environment error if these are no rows of distil, or can't be written to a temporary file.
    pub fn push(&mut self, payload: Payload) -> Result<()> {
        self.writing.push(payload)
    }

    /// Writes all rows, on the node of that name, and hands on what became of them.
    ///
    /// # Errors
    /// An environment error when writing fails; that of the cancelled task.
    pub fn finish(self, host: &str) -> Result<Vec<Payload>> {
        let mut handed_on = self.writing.finish()?;
        handed_on.push(used(&self.meter, host)?);
        Ok(handed_on)
    }
}

/// What a task used, for the driver.
fn used(meter: &Meter, host: &str) -> Result<Payload> {
    let bytes = serde_json::to_vec(&meter.node(host))
        .map_err(|error| Error::bug(format!("a line of a node has no JSON form: {error}")))?;
    Ok(Payload { kind: Kind::Used, group: 0, bytes })
}

/// What a task sees.
fn stores() -> Arc<dyn Storage> {
    Arc::new(Stores::default())
}

//! Runs whose work is done in tasks, by processes of a cluster that somebody else schedules.
//!
//! Who schedules implements [`Cluster`]: it runs [`decode`] in as many processes as it likes, moves the rows, and runs
//! [`write`](write()) where they arrive. [`Session::on_cluster`](crate::Session::on_cluster) does the rest.

use std::sync::Arc;

pub use distil_distributed::{Cluster, Kind, Payload, Tasks};
use distil_plan::{Cancel, Result};
use distil_storage::Storage;

use crate::Stores;

/// Runs one of the tasks of a job that decode, and hands on what it comes to.
///
/// # Errors
/// One that another attempt may not have: of the environment; whatever `hand_on` says; that of the cancelled task.
pub fn decode(
    job: &[u8],
    task: usize,
    cancel: &Cancel,
    hand_on: &mut dyn FnMut(Payload) -> Result<()>,
) -> Result<()> {
    distil_distributed::decode(&stores(), job, task, cancel, hand_on)
}

/// Runs a task that writes the rows of some groups; `attempt` is a name that no other attempt has.
///
/// # Errors
/// An environment error when writing fails, or a payload is not one of rows; that of the cancelled task.
pub fn write(
    job: &[u8],
    attempt: &str,
    payloads: Vec<Payload>,
    cancel: &Cancel,
) -> Result<Vec<Payload>> {
    distil_distributed::write(&stores(), job, attempt, payloads, cancel)
}

/// What a task sees.
fn stores() -> Arc<dyn Storage> {
    Arc::new(Stores::default())
}

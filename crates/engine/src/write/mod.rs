//! Partitions to row groups, and these to files, on all threads.

mod ordered;
mod workers;

pub(crate) use workers::{WritePhase, Written};

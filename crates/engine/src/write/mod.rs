//! Partitions to row groups, and these to files, on all threads.

mod ordered;
mod schedule;
mod spool;
mod workers;

pub(crate) use workers::{WritePhase, Written};

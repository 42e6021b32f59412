//! Rows to the partition of their key, in memory or on disk.

mod packed_spill;
mod packed_table;
mod partitions;
mod sample;
mod sample_rows;
mod scatter;
mod spill;

pub(crate) use packed_table::packed_table;
pub(crate) use partitions::{Partition, partitions};
pub(crate) use sample::{Sample, sample};
pub(crate) use scatter::{Exchange, Shard};
pub(crate) use spill::shortened;

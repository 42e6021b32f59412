//! What is computed between bytes and Parquet: split, decode, reduce, encode, without threads, files, clock
//! or environment, so that any scheduler can call it: threads of one machine, tasks of a cluster, a merge.
//!
//! The modules follow the data: [`rows`] are the two forms of a record, [`splitters`] say which partition a
//! key belongs to, [`partitioned_rows`] and [`packed_partitions`] hold rows by partition, [`reduce`] keeps one row of each key,
//! [`row_groups`] cuts rows into row groups, and [`encode`] writes them as Parquet column chunks
//! (`column_chunk` those of flat columns). [`arrow`] reads Arrow arrays as values.

pub mod arrow;
mod column_chunk;
pub mod conflicts;
pub mod decode;
pub mod encode;
pub mod frame_window;
pub mod no_records;
pub mod packed_partitions;
pub mod partial;
pub mod partitioned_rows;
pub mod reduce;
pub mod reduce_partition;
pub mod row_groups;
pub mod rows;
pub mod slice;
pub mod splitters;
pub mod wire;

pub use column_chunk::{FlatChunk, parquet_error};

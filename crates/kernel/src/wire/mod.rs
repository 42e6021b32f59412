//! The wire form of a partial, for other processes: rows and bad records as Arrow batches, all else as one message.
//!
//! Batches travel however the scheduler moves data (a shuffle, files, a socket); the message is read by this
//! crate alone, and refused by any other version of it. Nothing of this is an archive: it lives as long as
//! its job.

mod bad_records;
mod message;
mod packed;
mod rows;

pub use bad_records::{bad_record_batch, read_bad_records};
pub use message::{read_message, write_message};
pub use packed::{PackedBatch, PartitionRows, read_packed};
pub use rows::{Role, RowBatches, read_rows, row_batches, row_schema};

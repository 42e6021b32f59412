//! All inputs to rows and facts, on all threads.

mod parquet;
mod slices;
mod source;
mod workers;

pub(crate) use workers::{Decoded, EXPECTED, Inputs, Opened, RowSink, decode, known};

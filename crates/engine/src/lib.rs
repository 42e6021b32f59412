//! The native backend: decode, exchange, dedup, encode.
//!
//! `pipeline` wires the stages and nothing else does. Rows travel as encoded bytes (see
//! `distil_json`): decoding scatters them into partitions by their keys, each partition is sorted and
//! reduced to one row a key, and the partitions in order are the output. No result depends on which thread came
//! first.

mod budget;
mod decode;
mod exchange;
mod infer;
mod pipeline;
mod report;
mod stores;
mod threads;
mod work_queue;
mod write;

use std::sync::Arc;

use distil_plan::{Backend, Need, Report, Request, Result, Support};
use distil_storage::Storage;

use budget::Shares;
pub use infer::{Inferred, Surveyed, infer, sample_inputs, survey};

/// What the engine may use. None of it changes a result.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Threads; at least one, and no more than the memory is enough for.
    pub threads: usize,
    /// Bytes of memory for the whole process.
    pub memory: u64,
    /// Bytes read at once. The default is best; tests make it small.
    pub read_chunk: usize,
    /// Bytes of rows that a thread holds before it reduces them, and spills what is left. Follows from
    /// the memory; tests make it small.
    pub row_bytes: u64,
}

impl EngineOptions {
    /// The least memory that a run is allowed.
    pub const MIN_MEMORY: u64 = budget::LEAST;

    /// Options that follow from threads and memory.
    pub fn new(threads: usize, memory: u64) -> Self {
        let threads = budget::threads(memory, threads);
        let row_bytes = budget::rows_of_thread(memory, threads);
        Self { threads, memory, read_chunk: 256 << 10, row_bytes }
    }

    fn shares(&self) -> Shares {
        Shares::of(self.row_bytes)
    }
}

/// The native backend.
pub struct Native {
    storage: Arc<dyn Storage>,
    options: EngineOptions,
}

impl Native {
    /// A backend that works on a file system.
    pub fn new(storage: Arc<dyn Storage>, options: EngineOptions) -> Self {
        Self { storage, options }
    }
}

impl Backend for Native {
    fn name(&self) -> &str {
        "native"
    }

    fn supports(&self, _: &Need) -> Result<Support> {
        Ok(Support::Yes)
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        pipeline::run(&self.storage, &self.options, request)
    }
}

//! distil keeps one record for every key of a set of JSON files and writes Parquet.
//!
//! This is the crate for programs: describe what is wanted as a [`Plan`], and [`run`] it. The same
//! records and plan give the same rows, whatever the [`Options`] are.
//!

mod files;
mod resources;

pub use distil_plan::*;
pub use distil_storage::Local;
pub use files::{parse_schema_argument, read_plan, write_report};
pub use resources::{MINIMUM_MEMORY, Options, available_memory};

/// The engines that this build has.
pub const BACKENDS: [&str; 1] = ["native"];

//! distil keeps one record for every key of a set of JSON files and writes Parquet.
//!
//! This is the crate for programs: describe what is wanted as a [`Plan`], and [`run`] it. The same
//! records and plan give the same rows, whatever the [`Options`] are.
//!
//! ```no_run
//! use distil::{Cancel, ColumnPath, Dedup, NoEvents, Options, OrderBy, Plan, Sink};
//!
//! let mut plan = Plan::new(vec!["incoming/".into()], Sink::new("events.parquet"));
//! plan.dedup = Some(Dedup {
//!     order_by: OrderBy::parse_list("id, data")?,
//!     ..Dedup::on_columns(ColumnPath::parse_list("ts")?)
//! });
//! let (report, result) = distil::run(plan, &Options::default(), &NoEvents, &Cancel::new());
//! result?;
//! println!("{} rows", report.records.written);
//! # Ok::<(), distil::Error>(())
//! ```

mod files;
mod report;
mod resources;
mod session;

pub use distil_engine::Inferred;
pub use distil_job::head::Head;
pub use distil_job::verify::Verified;
pub use distil_plan::*;
pub use distil_storage::Local;
pub use files::{parse_schema_argument, read_plan};
pub use report::write_report;
pub use resources::{MINIMUM_MEMORY, Options, available_memory};
pub use session::{digest, dry_run, head, infer, run, verify};

/// The engines that this build has.
pub const BACKENDS: [&str; 1] = ["native"];

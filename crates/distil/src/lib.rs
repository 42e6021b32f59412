//! distil keeps one record for every key of a set of JSON files and writes Parquet.
//!
//! This is the crate for programs: describe what is wanted as a [`Plan`], and run it in a [`Session`],
//! on the backend that the configuration names. The same records and plan give the same rows, whatever
//! the backend and the [`Options`] are.
//!
//! ```no_run
//! use distil::{ColumnPath, Dedup, OrderBy, Plan, Session, Sink};
//!
//! let mut plan = Plan::new(vec!["incoming/".into()], Sink::new("events.parquet"));
//! plan.dedup = Some(Dedup {
//!     order_by: OrderBy::parse_list("id, data")?,
//!     ..Dedup::on_columns(ColumnPath::parse_list("ts")?)
//! });
//! let (report, result) = Session::from_env()?.run(plan);
//! result?;
//! println!("{} rows", report.records.written);
//! # Ok::<(), distil::Error>(())
//! ```

mod backends;
pub mod configuration;
mod files;
mod frame;
mod outputs;
mod report;
mod resources;
mod session;

pub use backends::{Entry, promises};
pub use configuration::Configuration;
pub use distil_engine::Inferred;
pub use distil_job::head::Head;
pub use distil_job::verify::Verified;
pub use distil_plan::*;
pub use distil_storage::Local;
pub use files::{parse_schema_argument, read_plan};
pub use frame::{DataFrame, Dedup, Paths};
pub use outputs::{digest, head, verify};
pub use report::write_report;
pub use resources::{MINIMUM_MEMORY, Options, available_memory};
pub use session::{Choice, Session};

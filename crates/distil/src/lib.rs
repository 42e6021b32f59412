//! distil keeps one record for every key of a set of JSON files and writes Parquet.
//!
//! This is the crate for programs. A [`Session`] is what the configuration describes; a [`DataFrame`]
//! says what is wanted, and the backend of the session does it. The same records and steps give the
//! same rows, whatever the backend and the [`RunOptions`] are.
//!
//! ```no_run
//! use distil::{Dedup, Keep, Session};
//!
//! let report = Session::from_env()?
//!     .read_json("incoming/") // lazy: nothing is read yet
//!     .drop_duplicates(Dedup::on(["ts"]).order_by(["id", "data"]).keep(Keep::First))
//!     .write_parquet("events.parquet")?;
//! println!("{} rows", report.records.written);
//! # Ok::<(), distil::Error>(())
//! ```
//!
//! What the steps of a frame can't say, a [`Plan`] can, and is a frame too ([`Session::frame`]); it is
//! plain data, as `distil plan` prints it, and what `distil run` runs. The words of plans are those of
//! [`plan`]; only [`Dedup`] is more than its namesake there.
//!
//! ```
//! use distil::{ColumnPath, Plan, Session, Sink, plan};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
//! # std::fs::write(path("in.json"), "{\"id\":1}\n{\"id\":1}\n[]").unwrap();
//! let mut plan = Plan::new(vec![path("in.json")], Sink::new(path("events.parquet")));
//! plan.dedup = Some(plan::Dedup::on_columns(ColumnPath::parse_list("id")?));
//! plan.quarantine.path = Some(path("bad.ndjson").into());
//! let sink = plan.sink.clone();
//! let (report, result) = Session::from_env()?.frame(plan).run(sink);
//! result?;
//! assert_eq!((report.records.written, report.records.quarantined.records), (1, 1));
//! # Ok::<(), distil::Error>(())
//! ```

mod backends;
pub mod configuration;
mod earlier;
mod files;
mod frame;
mod replay;
mod report;
mod report_html;
mod resources;
mod session;
mod stores;

pub use backends::{Entry, promises};
pub use configuration::{Configuration, TrustedFiles};
pub use distil_engine::{Inferred, Surveyed};
pub use distil_json::Fix;
pub use distil_output::head::Head;
pub use distil_output::verify::{Aspect, Check, Verified};
pub use distil_plan as plan;
pub use distil_plan::*;
pub use files::{bad_records_beside, parse_schema_argument, read_plan};
pub use frame::{DataFrame, Dedup, Paths};
pub use report::write_report;
pub use report_html::{report_html, report_page};
pub use resources::{MINIMUM_MEMORY, RunOptions, available_memory};
pub use session::{Choice, Session};
pub use stores::Stores;

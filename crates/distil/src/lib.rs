//! distil turns JSON records into clean Parquet, one record for every key.
//!
//! This is the crate for programs. It is not on crates.io yet; in `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! distil = { git = "https://github.com/distil-data/distil" }
//! ```
//!
//! # Quick start
//!
//! A [`Session`] holds the backend that the configuration names, and what this process may use. A
//! [`DataFrame`] says what is wanted; it is lazy, and every question runs the whole plan on the
//! backend. The same records and steps give the same rows, whatever the backend and the
//! [`RunOptions`] are.
//!
//! ```
//! use distil::{Dedup, Keep, Session};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let incoming = directory.path().join("incoming.ndjson");
//! # let output = directory.path().join("events.parquet");
//! # std::fs::write(&incoming, "{\"ts\":1,\"id\":2}\n{\"ts\":1,\"id\":1}\n{\"ts\":0,\"id\":3}\n").unwrap();
//! # let incoming = incoming.as_path();
//! let session = Session::from_env()?;
//! let report = session
//!     .read_json(incoming) // lazy: nothing is read yet
//!     .drop_duplicates(Dedup::on(["ts"]).order_by(["id"]).keep(Keep::First))
//!     .write_parquet(&output)?;
//! assert_eq!((report.records.read, report.records.written), (3, 2));
//!
//! let rows = session.head(&output, 10)?.rows;
//! assert_eq!(rows[1].0, r#"{"ts":1,"id":1}"#);
//! # Ok::<(), distil::Error>(())
//! ```
//!
//! Rows come from JSON ([`Session::read_json`]), Parquet ([`Session::read_parquet`]) and Arrow
//! ([`Session::from_arrow`]), and go to Parquet ([`DataFrame::write_parquet`], or [`DataFrame::write`]
//! with a [`Sink`] for all options of an output) and to Arrow ([`DataFrame::stream`]).
//!
//! # Reading options
//!
//! [`ReadOptions`] has one method for each reading option of `distil.toml`. What is wrong with an
//! option is told when the frame is used, so that a chain of calls has one `?`.
//!
//! ```
//! use distil::{ReadOptions, Session};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let page = directory.path().join("page.json");
//! # let bad = directory.path().join("bad.ndjson");
//! # let output = directory.path().join("items.parquet");
//! # std::fs::write(&page, r#"{"data":[{"id":1,"price":"1.5"},{"id":2,"price":"?"}]}"#).unwrap();
//! # let page = page.as_path();
//! let options = ReadOptions::new()
//!     .records("/data")
//!     .types([("price", "decimal(10,2)")])
//!     .quarantine(&bad); // sets bad records aside instead of failing
//! let report = Session::native().read_json_with(page, options).write_parquet(&output)?;
//! assert_eq!((report.records.written, report.records.quarantined.records), (1, 1));
//! # Ok::<(), distil::Error>(())
//! ```
//!
//! # Errors
//!
//! All that can fail returns an [`Error`]: who must act ([`Fault`]), a stable [`Code`], the place, what
//! became of the output, and advice as data ([`Hint`]). `{}` shows the first line, `{:#}` everything.
//!
//! ```
//! use distil::{Fault, Session};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let input = directory.path().join("in.ndjson");
//! # std::fs::write(&input, "{\"id\":1}\n{\"id\":}\n").unwrap();
//! # let input = input.as_path();
//! let error = Session::native().read_json(input).count().unwrap_err();
//! assert_eq!(error.fault, Fault::Input);
//! assert_eq!(format!("{error}"), "1 bad record");
//! assert!(format!("{error:#}").contains("help: set bad records aside and go on: quarantine"));
//! ```
//!
//! An output is the one before or the new one, whole. [`DataFrame::run`] gives the [`Report`] of a run
//! that failed, too.
//!
//! # Caching and streaming
//!
//! Each question about a frame reads its source again. [`DataFrame::cache`] runs it once and keeps the
//! rows in a private temporary file; [`DataFrame::stream`] gives rows one batch after another, in
//! bounded memory, also as Arrow's `RecordBatchReader` ([`Rows::into_reader`]). The files are
//! removed with the last frame or stream that reads them.
//!
//! ```
//! use distil::{Dedup, Session};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let input = directory.path().join("in.ndjson");
//! # std::fs::write(&input, "{\"id\":1}\n{\"id\":2}\n{\"id\":1}\n").unwrap();
//! # let input = input.as_path();
//! let rows = Session::native().read_json(input).drop_duplicates(Dedup::on(["id"])).cache()?;
//! assert_eq!(rows.count()?, 2); // from here on nothing is read again
//! let mut read = 0;
//! for batch in rows.stream()? {
//!     read += batch?.num_rows();
//! }
//! assert_eq!(read, 2);
//! # Ok::<(), distil::Error>(())
//! ```
//!
//! # Progress
//!
//! [`Session::watched`] takes an [`Events`], which is called while plans run, and a [`Cancel`], which
//! stops them and leaves nothing behind.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use distil::{Cancel, Events, Fault, Phase, Session};
//!
//! #[derive(Default)]
//! struct Records(AtomicU64);
//!
//! impl Events for Records {
//!     fn begin(&self, _: Phase, _: Option<u64>) {}
//!     fn advance(&self, _units: u64, records: u64) {
//!         self.0.fetch_add(records, Ordering::Relaxed);
//!     }
//! }
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let input = directory.path().join("in.ndjson");
//! # std::fs::write(&input, "{\"id\":1}\n{\"id\":2}\n").unwrap();
//! # let input = input.as_path();
//! let (records, cancel) = (Arc::new(Records::default()), Cancel::new());
//! let session = Session::native().watched(records.clone(), cancel.clone());
//! session.read_json(input).count()?;
//! assert!(records.0.load(Ordering::Relaxed) >= 2);
//!
//! cancel.interrupt(); // from any thread
//! assert_eq!(session.read_json(input).count().unwrap_err().fault, Fault::Interrupted);
//! # Ok::<(), distil::Error>(())
//! ```
//!
//! # Configuration
//!
//! [`Session::from_env`] reads `distil.toml` and the environment as the command does;
//! [`Session::native`] is the engine of this process, whatever they say; [`Session::open`] takes a
//! [`Configuration`] and a [`Choice`] of the program:
//!
//! ```
//! use distil::configuration::{BackendOptions, Size};
//! use distil::{Choice, Configuration, Session};
//!
//! let mut options = BackendOptions::default();
//! options.threads = Some(2);
//! options.memory = Some(Size(512 << 20));
//! let choice = Choice { options, ..Choice::default() };
//! let session = Session::open(&Configuration::default(), &choice)?;
//! assert_eq!(session.options().memory, 512 << 20);
//! # Ok::<(), distil::Error>(())
//! ```
//!
//! # Plans
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

pub mod audit;
mod audit_html;
mod backends;
pub mod cluster;
pub mod configuration;
mod earlier;
mod files;
mod frame;
mod replay;
mod report;
mod report_html;
mod resources;
mod session;
pub mod spark;
mod stores;

pub use backends::{Entry, promises};
pub use configuration::{Configuration, ReadOptions, TrustedFiles};
pub use distil_emr as emr;
pub use distil_engine::{Inferred, Surveyed};
pub use distil_json::Fix;
pub use distil_output::head::Head;
pub use distil_output::verify::{Aspect, Check, Verified};
pub use distil_plan as plan;
pub use distil_plan::*;
pub use files::{bad_records_beside, parse_schema_argument, read_plan};
pub use frame::{DataFrame, Dedup, Output, Paths, Rows, RowsReader, Table};
pub use report::write_report;
pub use report_html::{report_html, report_page};
pub use resources::{MINIMUM_MEMORY, RunOptions, available_memory};
pub use session::{Choice, Session};
pub use stores::Stores;

//! The backend `spark`: a resolved plan as Spark SQL, run by a Spark Connect server (Apache Spark or Sail) or by any
//! other [`Session`].
//!
//! Spark reads, deduplicates and sorts; distil takes the result in order, gives it the types, layout
//! and footers of the contract, and reads it back before anything is committed. Inputs, and the
//! directory for temporary files, must lie where the server sees them under the same path.
//!
//! Nothing but text, JSON and whole numbers is left to the engine: no time zone, calendar, inferred
//! type or Parquet option of it touches a value (see `types`), and its order is the contract's
//! (see `order`). What a server can't do it is asked, not known by name; a plan that needs it is
//! refused.

#[cfg(feature = "client")]
mod connect;
mod gather;
mod lower;
mod merge;
mod order;
mod refuse;
mod relation;
mod restore;
mod session;
mod text;
mod types;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_cast::cast;
use arrow_schema::DataType;
use distil_output::expected::ExpectedOutput;
use distil_output::reader::open_output;
use distil_plan::{
    Backend, EngineReport, Error, Hint, InputReport, Need, Phase, Report, Request, ResolvedPlan,
    Result, StageReport, Support, Watch,
};
use distil_storage::Storage;

#[cfg(feature = "client")]
pub use crate::connect::ConnectServer;
use crate::lower::{Losers, Lowered};
pub use crate::lower::{SETTINGS, WRITER_OPTIONS};
pub use crate::relation::{Relation, relation};
pub use crate::session::{Engine, Host, Limits, Query, Session, TextView, translate};

/// Spark as a backend. A session is opened by the first plan and kept for more.
pub struct Spark {
    name: String,
    storage: Arc<dyn Storage>,
    host: Box<dyn Host>,
    session: Mutex<Option<Box<dyn Session>>>,
}

impl Spark {
    /// A backend of the given name; nothing is connected yet. Spark reads the inputs itself, so `storage` must be the
    /// file system that it sees.
    pub fn new(name: impl Into<String>, storage: Arc<dyn Storage>, host: Box<dyn Host>) -> Self {
        Self { name: name.into(), storage, host, session: Mutex::new(None) }
    }

    /// Connects, unless it is, and asks the server for its version.
    ///
    /// # Errors
    /// An environment error: no server answers, the token is wrong, TLS does not fit.
    pub fn version(&self) -> Result<String> {
        let mut place = locked(&self.session);
        Ok(self.opened(&mut place)?.engine().version.clone())
    }

    fn opened<'a>(&self, place: &'a mut Option<Box<dyn Session>>) -> Result<&'a dyn Session> {
        match place {
            Some(session) => Ok(&**session),
            None => Ok(&**place.insert(self.host.open()?)),
        }
    }
}

/// The SQL of a plan, for people: options of every reader, then the query. `is_exact` is whether the
/// server reads the numbers of JSON exactly.
///
/// # Errors
/// A bug for a plan that was not resolved.
pub fn explain(plan: &ResolvedPlan, is_exact: bool) -> Result<String> {
    let lowered = lowered(plan, is_exact)?;
    let mut text = String::new();
    for view in &lowered.views {
        let options: Vec<String> =
            view.options.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let files = view.inputs.len();
        text.push_str(&format!(
            "-- {}: format text, {}, {files} files as *{}\n",
            view.name,
            options.join(", "),
            view.suffix
        ));
    }
    text.push_str(&lowered.query());
    text.push_str("\n-- written: format parquet");
    for (name, value) in WRITER_OPTIONS {
        text.push_str(&format!(", {name}={value:?}"));
    }
    text.push('\n');
    Ok(text)
}

impl Backend for Spark {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<String> {
        Ok(self.host.describe(&self.version()?))
    }

    fn supports(&self, need: &Need) -> Result<Support> {
        if let Some(support) = refuse::settled(need) {
            return Ok(support);
        }
        let mut place = locked(&self.session);
        Ok(refuse::limited(need, self.opened(&mut place)?.engine().limits))
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let mut place = locked(&self.session);
        let session = self.opened(&mut place)?;
        let mut result = Run { storage: &*self.storage, session, request }.run(&self.name);
        if let Ok(report) = &mut result {
            report.warnings.extend(self.host.warning());
        }
        if result.is_err() {
            // A session that failed or was interrupted is not trusted with the next plan.
            *place = None;
        }
        result
    }
}

/// One plan on one session.
struct Run<'a> {
    storage: &'a dyn Storage,
    session: &'a dyn Session,
    request: &'a Request<'a>,
}

impl Run<'_> {
    fn run(&self, name: &str) -> Result<Report> {
        let Request { plan, staging, .. } = self.request;
        let Some(schema) = &plan.schema else {
            return Err(Error::bug("a plan without a schema came to the backend spark"));
        };
        let expected = ExpectedOutput::of(plan, schema);
        let engine = self.session.engine();
        let lowered = lowered(plan, engine.limits.is_exact)?;
        let scratch = std::path::absolute(&staging.scratch)
            .map_err(|cause| Error::io("find", staging.scratch.display(), &cause))?;
        refuse::refuse_place(&scratch)?;
        let mut report = Report::new(name);
        report.engine = Some(EngineReport {
            version: engine.version.clone(),
            application: engine.application.clone(),
        });
        let began = Instant::now();
        // A server may go on writing for a run that was interrupted before this one, at the same place:
        // what another session writes is not looked at. A session has one run at a time.
        let results = scratch.join(format!("results-{}", self.session.id()));
        self.storage.disk(&results)?.create_dir(&results)?;
        if !plan.inputs.is_empty() {
            self.link(&lowered, &scratch)?;
            report.stages = self.execute(&lowered, &scratch, &results.join("parquet"))?;
        }
        report.stages.push(StageReport {
            name: "spark".to_owned(),
            seconds: began.elapsed().as_secs_f64(),
            ..StageReport::default()
        });
        let began = Instant::now();
        let parquet =
            if plan.inputs.is_empty() { results.clone() } else { results.join("parquet") };
        let parquet = match self.storage.metadata(&parquet)? {
            Some(_) => parquet,
            None => self.nothing_written(&lowered, &scratch, results.clone())?,
        };
        gather::gather(
            self.storage,
            &parquet,
            lowered.order_columns,
            self.request,
            &expected,
            &mut report,
        )?;
        if plan.plan.assume_valid {
            report.inputs = self.inputs(&lowered, &scratch, &results.join("counts"))?;
        }
        report.stages.push(StageReport {
            name: "gather".to_owned(),
            seconds: began.elapsed().as_secs_f64(),
            rows: report.records.written,
            ..StageReport::default()
        });
        Ok(report)
    }

    /// Gives every input a name that Spark neither skips nor takes for a pattern, and that ends as
    /// its compression demands: Spark goes by names.
    fn link(&self, lowered: &Lowered, scratch: &Path) -> Result<()> {
        for view in &lowered.views {
            let directory = scratch.join(&view.name);
            self.storage.disk(&directory)?.create_dir(&directory)?;
            for at in &view.inputs {
                let input = self.storage.canonical(&self.request.plan.inputs[*at].path)?;
                let link = directory.join(format!("{at:08}{}", view.suffix));
                self.storage.disk(&link)?.link(&input, &link)?;
            }
        }
        Ok(())
    }

    /// Runs the query, and returns the stages that Spark reports; Sail reports none.
    fn execute(&self, lowered: &Lowered, scratch: &Path, to: &Path) -> Result<Vec<StageReport>> {
        let Request { plan, watch: Watch { events, cancel }, .. } = *self.request;
        let total: u64 = plan.inputs.iter().filter_map(|input| input.bytes).sum();
        events.begin(Phase::Decode, Some(total));
        let mut told = 0;
        let mut progress = |bytes: u64| {
            // Links and file systems count in their own ways: never more than there is.
            let now = bytes.min(total);
            events.advance(now.saturating_sub(told), 0);
            told = now.max(told);
        };
        let query = over(lowered, scratch, lowered.query())?;
        self.session.write(&query, &url(to)?, cancel, &mut progress)
    }

    /// An empty directory for a result of no rows, of which Sail writes no file; if it saw the input.
    fn nothing_written(
        &self,
        lowered: &Lowered,
        scratch: &Path,
        empty: PathBuf,
    ) -> Result<PathBuf> {
        let lines: Vec<String> =
            lowered.views.iter().map(|view| format!("SELECT value FROM {}", view.name)).collect();
        let first = format!("SELECT length(value) FROM ({}) LIMIT 1", lines.join(" UNION ALL "));
        let first = over(lowered, scratch, first)?;
        let has_lines = self.session.has_rows(&first, self.request.watch.cancel)?;
        let bytes = self.request.plan.inputs.iter().any(|input| input.bytes != Some(0));
        if !has_lines && bytes {
            return Err(Error::environment(
                "the server does not see the files of this machine: it found no input and wrote its \
                 result elsewhere",
            )
            .at(empty.to_string_lossy(), None)
            .help(Hint::choose(session::SHARE, "temp_dir")));
        }
        Ok(empty)
    }

    /// The records of every input, counted by Spark: without a scan, nobody else did.
    fn inputs(&self, lowered: &Lowered, scratch: &Path, to: &Path) -> Result<Vec<InputReport>> {
        let query = over(lowered, scratch, lowered.count.clone())?;
        self.session.write(&query, &url(to)?, self.request.watch.cancel, &mut |_| {})?;
        let mut records: BTreeMap<String, u64> = BTreeMap::new();
        for part in open_output(self.storage, to)? {
            for batch in part.batches(None)? {
                let batch = batch?;
                let names = cast(batch.column(0), &DataType::Utf8).map_err(restore::foreign)?;
                let counts = cast(batch.column(1), &DataType::UInt64).map_err(restore::foreign)?;
                let counts = counts.as_primitive::<UInt64Type>();
                for (name, count) in names.as_string::<i32>().iter().zip(counts) {
                    let name = name.and_then(|name| name.rsplit('/').next()).unwrap_or_default();
                    records.insert(name.to_owned(), count.unwrap_or(0));
                }
            }
        }
        let suffix = |at: usize| {
            let view = lowered.views.iter().find(|view| view.inputs.contains(&at));
            view.map_or("", |view| view.suffix)
        };
        let inputs = self.request.plan.inputs.iter().enumerate();
        Ok(inputs
            .map(|(at, input)| InputReport {
                path: input.display(),
                bytes: input.bytes.unwrap_or(0),
                shape: input.shape.as_ref().map_or_else(String::new, ToString::to_string),
                compression: input.compression.unwrap_or_default().to_string(),
                records: records.get(&format!("{at:08}{}", suffix(at))).copied().unwrap_or(0),
                ..InputReport::default()
            })
            .collect())
    }
}

/// The plan of a run.
fn lowered(plan: &ResolvedPlan, is_exact: bool) -> Result<Lowered> {
    let losers = if plan.plan.dropped.is_some() { Losers::All } else { Losers::First };
    lower::lower(plan, "distil_input", losers, !is_exact)
}

/// A query over the links of the inputs.
fn over(lowered: &Lowered, scratch: &Path, sql: String) -> Result<Query> {
    let views = lowered.views.iter().map(|view| {
        let urls = vec![url(&scratch.join(&view.name))?];
        Ok(TextView { name: view.name.clone(), urls, options: view.options.clone() })
    });
    Ok(Query { views: views.collect::<Result<_>>()?, sql })
}

/// What a lock holds, whatever became of another holder.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path on the machine, whatever file system Spark takes for the usual one.
fn url(path: &Path) -> Result<String> {
    Ok(format!("file://{}", refuse::refuse_place(path)?))
}

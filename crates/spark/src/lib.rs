//! The backend `spark`: a resolved plan as Spark SQL, run over Spark Connect on Apache Spark or Sail.
//!
//! Spark reads, deduplicates and sorts; distil takes the result in order, gives it the types, layout
//! and footers of the contract, and reads it back before anything is committed. Inputs, and the
//! directory for temporary files, must lie where the server sees them under the same path.
//!
//! Nothing but text, JSON and whole numbers is left to the engine: no time zone, calendar, inferred
//! type or Parquet option of it touches a value (see `types`), and its order is the contract's
//! (see `order`). What a server can't do it is asked, not known by name; a plan that needs it is
//! refused.

#![allow(
    clippy::result_large_err,
    reason = "the client's errors are large; they are passed on once a request, not once a row"
)]
#![cfg(feature = "client")]

mod execute;
mod gather;
mod lower;
mod merge;
mod order;
mod refuse;
mod restore;
mod server;
mod stages;
mod text;
mod types;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_cast::cast;
use arrow_schema::DataType;
use distil_output::expected::ExpectedOutput;
use distil_output::reader::open_output;
use distil_plan::{
    Backend, EngineReport, Error, InputReport, Need, Phase, Report, Request, ResolvedPlan, Result,
    StageReport, Support, Watch,
};
use distil_storage::Storage;

use crate::lower::{Lowered, WRITER_OPTIONS, lower};
use crate::server::{Address, Server};
use crate::stages::Stages;

/// The patience with a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Spark Connect server as a backend. A session is opened by the first plan and kept for more.
pub struct Spark {
    name: String,
    storage: Arc<dyn Storage>,
    address: Address,
    patience: Duration,
    server: Mutex<Option<Server>>,
}

impl Spark {
    /// A backend of the given name on the server at `sc://host:port/;token=...;use_ssl=true`; nothing
    /// is connected yet. Spark reads the inputs itself, so `storage` must be the file system that it
    /// sees.
    ///
    /// # Errors
    /// A usage error for a URL that is none.
    pub fn new(name: impl Into<String>, storage: Arc<dyn Storage>, url: &str) -> Result<Self> {
        Ok(Self {
            name: name.into(),
            storage,
            address: Address::parse(url)?,
            patience: PATIENCE,
            server: Mutex::new(None),
        })
    }

    /// The same, with a token that is not in the URL.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.address.add_token(token);
        self
    }

    /// The same, with another patience with a server that does not answer (30 seconds).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects, unless it is, and asks the server for its version.
    ///
    /// # Errors
    /// An environment error: no server answers, the token is wrong, TLS does not fit.
    pub fn version(&self) -> Result<String> {
        let mut place = locked(&self.server);
        Ok(self.connected(&mut place)?.version.clone())
    }

    fn connected<'a>(&self, place: &'a mut Option<Server>) -> Result<&'a Server> {
        match place {
            Some(server) => Ok(server),
            None => Ok(place.insert(Server::connect(&self.address, self.patience)?)),
        }
    }
}

/// The SQL of a plan, for people: options of every reader, then the query. `is_exact` is whether the
/// server reads the numbers of JSON exactly.
///
/// # Errors
/// A bug for a plan that was not resolved.
pub fn explain(plan: &ResolvedPlan, is_exact: bool) -> Result<String> {
    let lowered = lower(plan, !is_exact)?;
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
    text.push_str(&lowered.query);
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
        Ok(format!("Spark Connect {} at {}", self.version()?, self.address.shown()))
    }

    fn supports(&self, need: &Need) -> Result<Support> {
        if let Some(support) = refuse::settled(need) {
            return Ok(support);
        }
        let mut place = locked(&self.server);
        Ok(refuse::limited(need, &self.connected(&mut place)?.limits))
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let mut place = locked(&self.server);
        let server = self.connected(&mut place)?;
        let result = Run { storage: &*self.storage, server, request }.run(&self.name);
        if result.is_err() {
            // A session that failed or was interrupted is not trusted with the next plan.
            *place = None;
        }
        result
    }
}

/// One plan on one server.
struct Run<'a> {
    storage: &'a dyn Storage,
    server: &'a Server,
    request: &'a Request<'a>,
}

impl Run<'_> {
    fn run(&self, name: &str) -> Result<Report> {
        let Request { plan, staging, .. } = self.request;
        let Some(schema) = &plan.schema else {
            return Err(Error::bug("a plan without a schema came to the backend spark"));
        };
        let expected = ExpectedOutput::of(plan, schema);
        let lowered = lower(plan, !self.server.limits.is_exact)?;
        let scratch = std::path::absolute(&staging.scratch)
            .map_err(|cause| Error::io("find", staging.scratch.display(), &cause))?;
        refuse::refuse_place(&scratch)?;
        let mut report = Report::new(name);
        report.engine = Some(EngineReport {
            version: self.server.version.clone(),
            application: self.server.application.clone(),
        });
        let began = Instant::now();
        // A server may go on writing for a run that was interrupted before this one, at the same place:
        // what another session writes is not looked at. A session has one run at a time.
        let results = scratch.join(format!("results-{}", self.server.operations().session));
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
            None => self.nothing_written(&lowered, results.clone())?,
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
            report.inputs = self.inputs(&lowered, &results.join("counts"))?;
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
        let stages = Arc::new(Mutex::new(Stages::default()));
        let watched = Arc::clone(&stages);
        let mut told = 0;
        let meanwhile = || {
            // Links and file systems count in their own ways: never more than there is.
            let now = locked(&watched).bytes().min(total);
            events.advance(now.saturating_sub(told), 0);
            told = now.max(told);
        };
        let views = views(lowered, scratch)?;
        let operations = self.server.operations();
        let (query, to) = (lowered.query.clone(), url(to)?);
        let told_of = Arc::clone(&stages);
        self.server.run(
            cancel,
            move |_| {
                for (name, path, options) in views {
                    operations.create_view(name, path, &options)?;
                }
                operations.write(query, to, |progress| locked(&told_of).see(progress))
            },
            meanwhile,
        )?;
        Ok(locked(&stages).reports())
    }

    /// An empty directory for a result of no rows, of which Sail writes no file; if it saw the input.
    fn nothing_written(&self, lowered: &Lowered, empty: PathBuf) -> Result<PathBuf> {
        let lines: Vec<String> =
            lowered.views.iter().map(|view| format!("SELECT value FROM {}", view.name)).collect();
        let first = format!("SELECT length(value) FROM ({}) LIMIT 1", lines.join(" UNION ALL "));
        let lines = self.server.run(
            self.request.watch.cancel,
            move |session| server::expect_rows(session, &first),
            || {},
        )?;
        let bytes = self.request.plan.inputs.iter().any(|input| input.bytes != Some(0));
        if lines.is_empty() && bytes {
            return Err(Error::environment(
                "the server does not see the files of this machine: it found no input and wrote its \
                 result elsewhere",
            )
            .at(empty.to_string_lossy(), None)
            .help(server::SHARE));
        }
        Ok(empty)
    }

    /// The records of every input, counted by Spark: without a scan, nobody else did.
    fn inputs(&self, lowered: &Lowered, to: &Path) -> Result<Vec<InputReport>> {
        let (operations, query, path) = (self.server.operations(), lowered.count.clone(), url(to)?);
        self.server.run(
            self.request.watch.cancel,
            move |_| operations.write(query, path, |_| ()),
            || {},
        )?;
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

type ViewToRead = (String, String, Vec<(&'static str, &'static str)>);

fn views(lowered: &Lowered, scratch: &Path) -> Result<Vec<ViewToRead>> {
    let views = lowered
        .views
        .iter()
        .map(|view| Ok((view.name.clone(), url(&scratch.join(&view.name))?, view.options.clone())));
    views.collect()
}

/// What a lock holds, whatever became of another holder.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path on the machine, whatever file system Spark takes for the usual one.
fn url(path: &Path) -> Result<String> {
    Ok(format!("file://{}", refuse::refuse_place(path)?))
}

//! Running plans on the backend that the configuration names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_distributed::{Cluster, Distributed};
use distil_engine::{Inferred, Native, Surveyed};
use distil_job::admit::{Scan, Scanned, sniff};
use distil_job::locate::{locate, within_one_record};
use distil_job::run::Job;
use distil_job::settle::settle;
use distil_json::digest::Digest;
use distil_output::head::Head;
use distil_output::verify::Verified;
use distil_plan::{
    Backend, Cancel, Code, ColumnPath, Error, Events, Location, NoEvents, Plan, RecordsPath,
    Report, ReportError, ResolvedPlan, Result, Status, Watch, scheme,
};
use distil_spark::{Host, Spark};
use distil_storage::{Limits, Storage, within};

use crate::RunOptions;
use crate::backends::Entry;
use crate::configuration::{BackendOptions, Configuration};
use crate::report::{check_report_place, write_report};
use crate::stores::Stores;

/// Bytes on their way to and from stores for what is done around a run, and for looking at outputs.
const LOOKING: u64 = 32 << 20;

/// A backend, what this process may use, and who watches: everything that a plan needs to be run.
/// Clones share the backend.
#[derive(Clone)]
pub struct Session {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) backend: Arc<dyn Backend>,
    options: RunOptions,
    events: Arc<dyn Events>,
    pub(crate) cancel: Cancel,
}

/// What is asked for beside the configuration, and stronger than it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice<'a> {
    /// The name or URL of the backend.
    pub backend: Option<&'a str>,
    /// The backend of the job, which the environment is stronger than.
    pub job_backend: Option<&'a str>,
    /// Options of the backend.
    pub options: BackendOptions,
}

impl Session {
    /// The session that the configuration of this process describes.
    ///
    /// # Errors
    /// As [`Configuration::read`] and [`Session::open`].
    pub fn from_env() -> Result<Self> {
        Self::open(&Configuration::read(&Stores::default(), None)?, &Choice::default())
    }

    /// A session on the native engine, with what this machine has, whatever a configuration says: enough
    /// to look at outputs.
    pub fn native() -> Self {
        let storage: Arc<dyn Storage> = Arc::new(Stores::default());
        let options = RunOptions::default();
        let backend = Native::new(Arc::clone(&storage), options.engine());
        let (events, cancel) = (Arc::new(NoEvents), Cancel::new());
        Self { storage, backend: Arc::new(backend), options, events, cancel }
    }

    /// A session on the backend that is chosen, with the file system of this machine.
    ///
    /// # Errors
    /// As [`Session::open_on`].
    pub fn open(configuration: &Configuration, choice: &Choice<'_>) -> Result<Self> {
        Self::open_on(Stores::default(), configuration, choice)
    }

    /// A session on the backend that is chosen, with these stores.
    ///
    /// # Errors
    /// A usage error for a backend that does not exist, for options that don't go together, and for
    /// less memory than a run needs. Whether the backend answers is found out when a plan is run, or
    /// by [`Session::check`].
    pub fn open_on(
        stores: Stores,
        configuration: &Configuration,
        choice: &Choice<'_>,
    ) -> Result<Self> {
        let name = configuration.chosen(choice.backend, choice.job_backend);
        let mut entry = Entry::find(configuration, name)?;
        entry.is_untrusted |=
            !entry.is_native() && configuration.is_untrusted_choice(choice.backend, name);
        entry.options = choice.options.clone().or(entry.options);
        let options = RunOptions::of(&entry.options);
        options.check()?;
        let storage: Arc<dyn Storage> = Arc::new(stores);
        let backend = Arc::from(entry.open(Arc::clone(&storage), &options)?);
        Ok(Self { storage, backend, options, events: Arc::new(NoEvents), cancel: Cancel::new() })
    }

    /// A session whose tasks run on a cluster, with these stores, which all of its nodes see. Bytes of input for each
    /// task follow from the input, unless they are given.
    ///
    /// # Errors
    /// As [`Session::open_on`], but for the backend.
    pub fn on_cluster(
        stores: Stores,
        cluster: Box<dyn Cluster>,
        options: &BackendOptions,
        task_bytes: Option<u64>,
    ) -> Result<Self> {
        let options = RunOptions::of(options);
        options.check()?;
        let storage: Arc<dyn Storage> = Arc::new(stores);
        let (engine, seen) = (options.engine(), Arc::clone(&storage));
        let sample_inputs = move |plan: &ResolvedPlan, watch: Watch<'_>| {
            distil_engine::sample_inputs(&seen, &engine, plan, watch)
        };
        let mut backend = Distributed::new(
            Arc::clone(&storage),
            cluster,
            Box::new(sniff),
            Box::new(sample_inputs),
        );
        if let Some(bytes) = task_bytes {
            backend = backend.with_task_bytes(bytes);
        }
        let (events, cancel) = (Arc::new(NoEvents), Cancel::new());
        Ok(Self { storage, backend: Arc::new(backend), options, events, cancel })
    }

    /// Does what the order of another process asks for, which runs the frame around it, and leaves the answer beside
    /// the order. Returns the exit status that this process should end with.
    ///
    /// # Errors
    /// As [`distil_submit::fulfil`]; the error of the run is the answer.
    pub fn fulfil(&self, order: &Path, scratch: Option<&Path>) -> Result<u8> {
        distil_submit::fulfil(&*self.stores(), &*self.backend, self.watch(), order, scratch)
    }

    /// A session whose plans are run as SQL by a session of Spark, with these stores, which Spark sees.
    ///
    /// # Errors
    /// As [`Session::open_on`], but for the backend.
    pub fn on_spark(stores: Stores, host: Box<dyn Host>, options: &BackendOptions) -> Result<Self> {
        let options = RunOptions::of(options);
        options.check()?;
        let storage: Arc<dyn Storage> = Arc::new(stores);
        let backend = Arc::new(Spark::new("spark", Arc::clone(&storage), host));
        Ok(Self { storage, backend, options, events: Arc::new(NoEvents), cancel: Cancel::new() })
    }

    /// Tells these events of every run, and stops runs when asked to.
    #[must_use]
    pub fn watched(mut self, events: Arc<dyn Events>, cancel: Cancel) -> Self {
        self.events = events;
        self.cancel = cancel;
        self
    }

    /// Writes the report of every run here: as a page for people if the name ends in `.html` or `.htm`, as JSON
    /// if not.
    #[must_use]
    pub fn reporting(mut self, path: Option<PathBuf>) -> Self {
        self.options.report = path;
        self
    }

    /// What runs may use.
    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// Whether the backend could run a plan now: its version, or what is missing.
    ///
    /// # Errors
    /// As [`Backend::check`].
    pub fn check(&self) -> Result<String> {
        self.backend.check()
    }

    /// Runs a plan and writes the report, for a failed run too.
    ///
    /// # Errors
    /// As [`DataFrame::run`](crate::DataFrame::run).
    pub(crate) fn run(&self, plan: Plan) -> (Report, Result<()>) {
        self.reported(plan, |plan| self.with_job(plan, distil_job::run::run))
    }

    /// Resolves a plan and checks what can be checked without running it; writes nothing but the
    /// report.
    ///
    /// # Errors
    /// As [`DataFrame::run`](crate::DataFrame::run), as far as it can be foreseen.
    pub fn dry_run(&self, plan: Plan) -> (Report, Result<ResolvedPlan>) {
        self.reported(plan, |plan| self.with_job(plan, distil_job::run::dry_run))
    }

    /// The schema of sources, from all their data, and why each column has its type. Of the plan, the
    /// sources, the shape, declared types and the key count.
    ///
    /// # Errors
    /// As [`DataFrame::run`](crate::DataFrame::run): bad records, sources that are not there ...
    pub fn infer(&self, plan: Plan) -> Result<Inferred> {
        let storage = self.stores();
        let mut resolved = distil_job::resolve::resolve(&*storage, plan.check()?)?;
        let options = self.options.engine();
        let scan = NativeScan { storage: &self.storage, options };
        settle(&mut resolved.plan, Some(&scan), self.watch())?;
        let mut inferred =
            distil_engine::infer(&self.storage, &options, &resolved.plan, self.watch())
                .map_err(|error| locate(&*storage, &resolved.plan, error))?;
        inferred.warnings.splice(0..0, resolved.discovery.warnings);
        Ok(inferred)
    }

    /// What the values of inferred columns are by their number, from all the data. Of the plan, the same counts
    /// as for [`Session::infer`].
    ///
    /// # Errors
    /// As [`Session::infer`], but for what the schema would not allow.
    pub fn survey(&self, plan: Plan) -> Result<Surveyed> {
        let storage = self.stores();
        let resolved = distil_job::resolve::resolve(&*storage, plan.check()?)?;
        let options = self.options.engine();
        distil_engine::survey(&self.storage, &options, &resolved.plan, self.watch())
    }

    /// Where several objects lie in sources that are read as one record, and how many: they may be the records that
    /// are meant.
    ///
    /// # Errors
    /// As [`Session::infer`], for sources that are not there.
    pub fn within_one_record(&self, plan: Plan) -> Result<Option<(RecordsPath, u64)>> {
        let storage = self.stores();
        let resolved = distil_job::resolve::resolve(&*storage, plan.check()?)?;
        Ok(within_one_record(&*storage, &resolved.plan))
    }

    /// The first rows of an output.
    ///
    /// # Errors
    /// An environment error if it can't be read, an input error if it is not an output.
    pub fn head(&self, output: &Path, rows: usize) -> Result<Head> {
        distil_output::head::head(&*self.stores(), &Location::from(output), rows)
    }

    /// The digest of an output's rows, and how many there are.
    ///
    /// # Errors
    /// As [`Session::head`].
    pub fn digest(&self, output: &Path) -> Result<(Digest, u64)> {
        distil_output::digest::digest_output(&*self.stores(), &Location::from(output))
    }

    /// Checks an output against its own footers and, if given, a reference: another output, the report
    /// of a run, or the answer of generated data (`DIR.answer.json`).
    ///
    /// # Errors
    /// An input error that names the first thing that differs, with both values.
    pub fn verify(&self, output: &Path, reference: Option<&Path>) -> Result<Verified> {
        let reference = reference.map(Location::from);
        let output = Location::from(output);
        distil_output::verify::verify(&*self.stores(), &output, reference.as_deref())
    }

    /// Does something with a plan and writes the report of it, where one is wanted.
    pub(crate) fn reported<T>(
        &self,
        plan: Plan,
        go: impl FnOnce(Plan) -> (Report, Result<T>),
    ) -> (Report, Result<T>) {
        let Some(path) = &self.options.report else { return go(plan) };
        // The report of a run that was asked to stop is written all the same.
        let limits = self.limits(&Cancel::new());
        let storage = within(&self.storage, &limits);
        if let Err(error) = check_report_place(&*storage, &plan, path) {
            return self.refused(&plan.sink.path, error);
        }
        let (mut report, result) = go(plan);
        match (write_report(&*storage, path, &report), result) {
            (Ok(()), result) | (Err(_), result @ Err(_)) => (report, result),
            (Err(error), Ok(_)) => {
                let error = match report.status {
                    Status::Done => error.coded(Code::AfterCommit)
                        .output("the output is committed, but there is no report of it")
                        .help(
                            "do not run it again: `distil digest` and `distil head` show what the output \
                             holds",
                        ),
                    _ => error,
                };
                report.error = Some(ReportError {
                    exit_status: error.fault.exit_status(),
                    error: error.clone(),
                });
                (report, Err(error))
            }
        }
    }

    /// What a run that never began has to say.
    pub(crate) fn refused<T>(&self, output: &Location, error: Error) -> (Report, Result<T>) {
        let error = error.output("nothing was written; the output is as it was before");
        let mut report = Report::new(self.backend.name());
        report.output.path = output.to_string();
        report.error =
            Some(ReportError { exit_status: error.fault.exit_status(), error: error.clone() });
        (report, Err(error))
    }

    /// The storage, whose calls end when the session is asked to stop.
    pub(crate) fn stores(&self) -> Arc<dyn Storage> {
        let limits = self.limits(&self.cancel);
        within(&self.storage, &limits)
    }

    fn limits(&self, cancel: &Cancel) -> Limits {
        let temp_dir = self.options.temp_dir.clone();
        Limits { cancel: cancel.clone(), memory: LOOKING, temp_dir }
    }

    /// Where temporary files of a run go: beside its output, if that lies on a disk.
    pub(crate) fn scratch_directory(&self, output: &Path) -> PathBuf {
        let beside = || match scheme(output) {
            Some(_) => std::env::temp_dir(),
            None => output.parent().unwrap_or(Path::new("")).to_owned(),
        };
        self.options.temp_dir.clone().unwrap_or_else(beside)
    }

    fn watch(&self) -> Watch<'_> {
        Watch { events: &*self.events, cancel: &self.cancel }
    }

    pub(crate) fn with_job<T>(
        &self,
        plan: Plan,
        go: impl FnOnce(&Job<'_>) -> (Report, Result<T>),
    ) -> (Report, Result<T>) {
        let scan = NativeScan { storage: &self.storage, options: self.options.engine() };
        go(&Job {
            scan: Some(&scan),
            watch: self.watch(),
            temp_dir: self.options.temp_dir.clone(),
            report_path: self.options.report.clone(),
            ..Job::new(self.stores(), plan, &*self.backend)
        })
    }
}

/// The native engine as the judge of what other engines read.
struct NativeScan<'a> {
    storage: &'a Arc<dyn Storage>,
    options: distil_engine::EngineOptions,
}

impl Scan for NativeScan<'_> {
    fn scan(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Scanned> {
        let found = distil_engine::infer(self.storage, &self.options, plan, watch)?;
        Ok(Scanned {
            schema: found.schema,
            type_notes: found.type_notes,
            inputs: found.inputs,
            tally: found.tally,
            readings: found.readings,
        })
    }

    fn null_text_columns(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Vec<ColumnPath>> {
        distil_engine::survey(self.storage, &self.options, plan, watch)
            .map(|found| found.null_text_columns)
    }
}

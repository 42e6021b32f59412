//! One run: everything around the backend.

use std::path::PathBuf;
use std::sync::Arc;

use distil_output::expected::ExpectedOutput;
use distil_output::quarantine::replay::heading;
use distil_plan::{
    Backend, Code, Error, Hint, InputReport, Key, Need, Phase, Plan, QuarantineFile, Report,
    ReportError, Request, ResolvedPlan, Result, Status, Watch,
};
use distil_storage::Storage;

use crate::admit::{Scan, Scanned, admit, confirm};
use crate::conclude::{conclude, conclude_types};
use crate::discover::Discovery;
use crate::locate::{locate, within_one_record};
use crate::places::{Place, check_places};
use crate::publish::{Publisher, publisher};
use crate::refuse::refuse;
use crate::resolve::{Resolved, resolve};
use crate::resources::Meter;
use crate::settle::settle;

/// A plan and everything that does not decide its result.
pub struct Job<'a> {
    /// Where the files are.
    pub storage: Arc<dyn Storage>,
    /// What to do.
    pub plan: Plan,
    /// Who does it.
    pub backend: &'a dyn Backend,
    /// What vouches for the input of a backend that does not conclude it by itself.
    pub scan: Option<&'a dyn Scan>,
    /// Progress, and whether to stop.
    pub watch: Watch<'a>,
    /// Where temporary files go; beside the output without it.
    pub temp_dir: Option<PathBuf>,
    /// Where the caller will write the report, so that it may not lie inside a source.
    pub report_path: Option<PathBuf>,
}

impl<'a> Job<'a> {
    /// A job that nothing watches, without a scan, with temporary files beside the output.
    pub fn new(storage: Arc<dyn Storage>, plan: Plan, backend: &'a dyn Backend) -> Self {
        let watch = Watch::unwatched();
        Self { storage, plan, backend, scan: None, watch, temp_dir: None, report_path: None }
    }
}

/// Runs a job: the output is committed, or nothing is there. Without a record and a declared schema, a plan that
/// allows that is done, and nothing is there as well ([`Status::Empty`]).
///
/// The report says the same as the result, for a failed run too. With
/// [`distil_plan::Fault::AfterCommit`] the output is committed all the same.
pub fn run(job: &Job<'_>) -> (Report, Result<()>) {
    let meter = Meter::start();
    let mut report = new_report(job);
    match attempt(job, &mut report) {
        Err(error) if error.code == Code::NoRecords && job.plan.allow_empty => {
            let what = format!("{}; nothing was written, as no schema is declared", error.what);
            report.warnings.push(what);
            close(&mut report, &meter, Ok(()), Status::Empty)
        }
        result => close(&mut report, &meter, result, Status::Done),
    }
}

/// Resolves a job and checks everything that can be checked before the run, and changes nothing.
/// Nothing is read, but for a backend whose input must be scanned, and for null texts without a column.
pub fn dry_run(job: &Job<'_>) -> (Report, Result<ResolvedPlan>) {
    let meter = Meter::start();
    let mut report = new_report(job);
    let result = prepare(job, &mut report).map(|prepared| prepared.plan);
    close(&mut report, &meter, result, Status::DryRun)
}

fn new_report(job: &Job<'_>) -> Report {
    let mut report = Report::new(job.backend.name());
    report.output.path = job.plan.sink.path.to_string();
    report
}

fn close<T>(
    report: &mut Report,
    meter: &Meter,
    result: Result<T>,
    status: Status,
) -> (Report, Result<T>) {
    let result =
        result.map_err(|error| error.output("nothing was written; the output is as it was before"));
    match &result {
        Ok(_) => report.status = status,
        Err(error) => {
            report.status = Status::Failed;
            report.error =
                Some(ReportError { exit_status: error.fault.exit_status(), error: error.clone() });
        }
    }
    meter.fill(&mut report.resources);
    (report.clone(), result)
}

/// A plan that passed every check.
struct Prepared {
    plan: ResolvedPlan,
    discovery: Discovery,
    scanned: Option<Scanned>,
    publisher: Box<dyn Publisher>,
}

/// Everything before the first change: what can be refused is refused here.
fn prepare(job: &Job<'_>, report: &mut Report) -> Result<Prepared> {
    let storage = &*job.storage;
    let plan = job.plan.clone().check()?;
    let publisher = publisher(&job.storage, &plan)?;
    publisher.check()?;
    let mut resolved = resolve(storage, plan)?;
    let discovery = &resolved.discovery;
    report.inputs = resolved
        .plan
        .inputs
        .iter()
        .map(|input| InputReport { path: input.display(), ..InputReport::default() })
        .collect();
    report.warnings.extend(discovery.warnings.iter().cloned());
    let mut places: Vec<Place<'_>> = publisher.places();
    places.extend(job.report_path.iter().map(|path| Place::target("report", path, false)));
    places.extend(job.temp_dir.iter().map(|path| Place {
        is_target: false,
        ..Place::target("temporary directory", path, true)
    }));
    check_places(storage, discovery, &places)?;
    if !resolved.plan.plan.is_settled() {
        // What no scan can change is refused before one.
        refuse(&resolved.plan, None, job.backend)?;
        settle(&mut resolved.plan, job.scan, job.watch)
            .map_err(|error| locate(storage, &resolved.plan, error))?;
    }
    let scanned = admit(storage, &mut resolved, job.backend, job.scan, job.watch)
        .map_err(|error| locate(storage, &resolved.plan, error))?;
    let Resolved { plan, discovery } = resolved;
    refuse(&plan, scanned.as_ref(), job.backend)?;
    job.watch.cancel.check()?;
    drop(places);
    Ok(Prepared { plan, discovery, scanned, publisher })
}

fn attempt(job: &Job<'_>, report: &mut Report) -> Result<()> {
    let Prepared { plan, discovery, scanned, publisher } = prepare(job, report)?;
    let bytes: u64 = plan.inputs.iter().filter_map(|input| input.bytes).sum();
    tracing::info!(
        inputs = plan.inputs.len(),
        bytes,
        backend = job.backend.name(),
        "the plan is admitted"
    );
    for input in &plan.inputs {
        tracing::debug!(path = ?input.display(), bytes = input.bytes, "input");
    }
    let claimed = publisher.claim(job.temp_dir.as_deref())?;
    let request = Request { plan: &plan, staging: claimed.staging(), watch: job.watch };
    let ran = job.backend.run(&request);
    let mut done = ran.map_err(|error| locate(&*job.storage, &plan, error))?;
    if !job.backend.supports(&Need::SameBytes)?.is_yes() {
        check_files(&*job.storage, &request, job.backend, &mut done)?;
    }
    done.warnings.splice(0..0, report.warnings.drain(..));
    done.output.path.clone_from(&report.output.path);
    done.backend.clone_from(&report.backend);
    *report = done;
    if plan.admitted {
        confirm(&*job.storage, &discovery, scanned, report)?;
    }
    report.check_accounts()?;
    conclude(&plan.plan, report)?;
    warn_of_one_record(&*job.storage, &plan, report);
    conclude_types(&*job.storage, &plan, report);
    job.watch.cancel.check()?;
    job.watch.events.begin(Phase::Commit, None);
    let sealed = claimed.seal()?;
    report.output.files = sealed.files();
    report.output.bytes = sealed.bytes();
    name_files_beside(&plan.plan, report);
    job.watch.cancel.check()?;
    sealed.publish()?.finish()?;
    tracing::info!(
        files = report.output.files,
        bytes = report.output.bytes,
        "the output is committed"
    );
    Ok(())
}

/// Names the files that lie beside the output once it is published.
fn name_files_beside(plan: &Plan, report: &mut Report) {
    report.output.quarantine = plan
        .quarantine
        .path
        .as_ref()
        .map(|path| QuarantineFile { path: path.to_string(), replays: !plan.origin });
    report.output.dropped = plan.dropped.as_ref().map(ToString::to_string);
}

/// A document of many records that has no key to miss is written as one row: that may not be meant.
fn warn_of_one_record(storage: &dyn Storage, plan: &ResolvedPlan, report: &mut Report) {
    let is_whole = plan.plan.dedup.as_ref().is_none_or(|dedup| dedup.key == Key::Record);
    if report.records.read == 1
        && is_whole
        && let Some((path, count)) = within_one_record(storage, plan)
    {
        report.warnings.push(format!(
            "the input is one record, in which {count} objects lie at the path {path}: they are read as records \
             if the plan says so"
        ));
    }
}

/// Reads back what a backend of other bytes left, and completes its report. Only valid input comes to such a
/// backend, so the quarantine is empty; but it is there, as an older one would be taken for it.
///
/// # Errors
/// An environment error if the files do not fit the plan, or what the backend reports.
fn check_files(
    storage: &dyn Storage,
    request: &Request<'_>,
    backend: &dyn Backend,
    report: &mut Report,
) -> Result<()> {
    let name = backend.name();
    let schema =
        request.plan.schema.as_ref().ok_or_else(|| {
            Error::bug(format!("a plan without a schema came to the backend {name}"))
        })?;
    if let Some(path) = &request.staging.quarantine {
        let mut file = storage.create_new(path)?;
        file.write_all(&heading(&request.plan.plan)?)?;
        file.sync()?;
    }
    let expected = ExpectedOutput::of(request.plan, schema);
    expected.check(storage, request, report).map_err(|found| {
        let what = format!("the backend {name} is wrong: {}", found.what);
        let mut error = Error::environment(what).help(Hint::native(
            "run it on the native engine, and report this to whoever made the backend",
        ));
        error.details = found.details;
        error
    })?;
    report.set_schema(expected.written());
    Ok(())
}

//! Running plans and reading outputs on this machine's file system.

use std::path::Path;
use std::sync::Arc;

use distil_engine::{Inferred, Native};
use distil_job::head::Head;
use distil_job::run::Job;
use distil_job::verify::Verified;
use distil_json::digest::Digest;
use distil_plan::{
    Cancel, Error, Events, Fault, Plan, Report, ReportError, ResolvedPlan, Result, Status,
};
use distil_storage::{Local, Storage};

use crate::report::{check_report_place, write_report};
use crate::{BACKENDS, Options};

/// Runs a plan and writes the report, for a failed run too.
///
/// # Errors
/// See [`Fault`]; with [`Fault::AfterCommit`] the output is there, but the report or a final sync
/// failed.
pub fn run(
    plan: Plan,
    options: &Options,
    events: &dyn Events,
    cancel: &Cancel,
) -> (Report, Result<()>) {
    reported(plan, options, |plan| with_job(plan, options, events, cancel, distil_job::run::run))
}

/// Does something with a plan and writes the report of it, where one is wanted.
fn reported<T>(
    plan: Plan,
    options: &Options,
    go: impl FnOnce(Plan) -> (Report, Result<T>),
) -> (Report, Result<T>) {
    let Some(path) = &options.report else { return go(plan) };
    if let Err(error) = check_report_place(&Local, &plan, path) {
        return refused(&plan, error);
    }
    let (mut report, result) = go(plan);
    match (write_report(&Local, path, &report), result) {
        (Ok(()), result) | (Err(_), result @ Err(_)) => (report, result),
        (Err(error), Ok(_)) => {
            let error = match report.status {
                Status::Done => Error { fault: Fault::AfterCommit, ..error }
                    .output("the output is committed, but there is no report of it"),
                _ => error,
            };
            report.error =
                Some(ReportError { exit_status: error.fault.exit_status(), error: error.clone() });
            (report, Err(error))
        }
    }
}

/// Resolves a plan and checks what can be checked without reading the inputs; writes nothing but the
/// report.
///
/// # Errors
/// As [`run`], as far as it can be foreseen.
pub fn dry_run(
    plan: Plan,
    options: &Options,
    events: &dyn Events,
    cancel: &Cancel,
) -> (Report, Result<ResolvedPlan>) {
    reported(plan, options, |plan| {
        with_job(plan, options, events, cancel, distil_job::run::dry_run)
    })
}

/// What a run that never began has to say.
fn refused<T>(plan: &Plan, error: Error) -> (Report, Result<T>) {
    let error = error.output("nothing was written; the output is as it was before");
    let mut report = Report::new(BACKENDS[0]);
    report.output.path.clone_from(&plan.sink.path);
    report.error =
        Some(ReportError { exit_status: error.fault.exit_status(), error: error.clone() });
    (report, Err(error))
}

fn with_job<T>(
    plan: Plan,
    options: &Options,
    events: &dyn Events,
    cancel: &Cancel,
    go: impl FnOnce(&Job<'_>) -> (Report, Result<T>),
) -> (Report, Result<T>) {
    if let Err(error) = options.check() {
        return refused(&plan, error);
    }
    let storage: Arc<dyn Storage> = Arc::new(Local);
    let backend = Native::new(Arc::clone(&storage), engine_options(options));
    let job = Job {
        storage,
        plan,
        backend: &backend,
        scan: None,
        events,
        cancel,
        temp_dir: options.temp_dir.clone(),
        report_path: options.report.clone(),
    };
    go(&job)
}

fn engine_options(options: &Options) -> distil_engine::Options {
    distil_engine::Options::new(options.threads, options.memory)
}

/// The schema of sources, from all their data, and why each column has its type. Of the plan, the
/// sources, the shape, declared types and the key count.
///
/// # Errors
/// As [`run`]: bad records, sources that are not there ...
pub fn infer(
    plan: Plan,
    options: &Options,
    events: &dyn Events,
    cancel: &Cancel,
) -> Result<Inferred> {
    options.check()?;
    let storage: Arc<dyn Storage> = Arc::new(Local);
    let resolved = distil_job::resolve::resolve(storage.as_ref(), plan.check()?)?;
    distil_engine::infer(&storage, &engine_options(options), &resolved.plan, events, cancel)
}

/// The first rows of an output.
///
/// # Errors
/// An environment error if it can't be read, an input error if it is no output.
pub fn head(path: &Path, rows: usize) -> Result<Head> {
    distil_job::head::head(&Local, path, rows)
}

/// The digest of an output's rows, and how many there are.
///
/// # Errors
/// As [`head`].
pub fn digest(path: &Path) -> Result<(Digest, u64)> {
    distil_job::digest::digest_output(&Local, path)
}

/// Checks an output against its own footers and, if given, a reference: another output, the report
/// of a run, or the `ANSWER.json` of generated data.
///
/// # Errors
/// An input error that names the first thing that differs, with both values.
pub fn verify(path: &Path, reference: Option<&Path>) -> Result<Verified> {
    distil_job::verify::verify(&Local, path, reference)
}

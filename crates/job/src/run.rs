//! One run: everything around the backend.

use std::path::PathBuf;
use std::sync::Arc;

use distil_plan::{
    Backend, Cancel, Events, InputReport, Plan, Report, ReportError, Request, ResolvedPlan, Result,
    Stage as Progress, Status,
};
use distil_storage::Storage;

use crate::admit::{Scan, Scanned, Watch, admit, confirm};
use crate::discover::Discovery;
use crate::places::{Place, check_places};
use crate::publish::{Publisher, publisher};
use crate::refuse::refuse;
use crate::resolve::{Resolved, resolve};
use crate::resources::Meter;
use crate::warnings::judge;

/// A plan and everything that does not decide its result.
pub struct Job<'a> {
    /// Where the files are.
    pub storage: Arc<dyn Storage>,
    /// What to do.
    pub plan: Plan,
    /// Who does it.
    pub backend: &'a dyn Backend,
    /// What vouches for the input of a backend that does not judge it by itself.
    pub scan: Option<&'a dyn Scan>,
    /// Receives progress events.
    pub events: &'a dyn Events,
    /// Asks the run to stop.
    pub cancel: &'a Cancel,
    /// Where temporary files go; beside the output without it.
    pub temp_dir: Option<PathBuf>,
    /// Where the caller will write the report, so that it may not lie inside a source.
    pub report_path: Option<PathBuf>,
}

/// Runs a job: the output is committed, or nothing is there.
///
/// The report tells the same as the result, for a failed run too. With
/// [`distil_plan::Fault::AfterCommit`] the output is committed all the same.
pub fn run(job: &Job<'_>) -> (Report, Result<()>) {
    let meter = Meter::start();
    let mut report = new_report(job);
    let result = attempt(job, &mut report);
    close(&mut report, &meter, result, Status::Done)
}

/// Resolves a job and checks everything that can be checked before the run, and changes nothing.
/// Nothing is read, but for a backend whose input must be scanned.
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
    places.extend(job.report_path.iter().map(|path| Place {
        role: "report",
        path,
        is_dir: false,
        is_target: true,
    }));
    places.extend(job.temp_dir.iter().map(|path| Place {
        role: "temporary directory",
        path,
        is_dir: true,
        is_target: false,
    }));
    check_places(storage, discovery, &places)?;
    let watch = Watch { events: job.events, cancel: job.cancel };
    let scanned = admit(storage, &mut resolved, job.backend, job.scan, &watch)?;
    let Resolved { plan, discovery } = resolved;
    refuse(&plan, job.backend)?;
    job.cancel.check()?;
    drop(places);
    Ok(Prepared { plan, discovery, scanned, publisher })
}

fn attempt(job: &Job<'_>, report: &mut Report) -> Result<()> {
    let Prepared { plan, discovery, scanned, publisher } = prepare(job, report)?;
    let claimed = publisher.claim(job.temp_dir.as_deref())?;
    let request =
        Request { plan: &plan, staging: claimed.staging(), events: job.events, cancel: job.cancel };
    let mut done = job.backend.run(&request)?;
    done.warnings.splice(0..0, report.warnings.drain(..));
    done.output.path.clone_from(&report.output.path);
    done.backend.clone_from(&report.backend);
    *report = done;
    if plan.admitted {
        confirm(&*job.storage, &discovery, scanned, report)?;
    }
    report.check_accounts()?;
    judge(&plan.plan, report)?;
    job.cancel.check()?;
    job.events.begin(Progress::Commit, None);
    let sealed = claimed.seal()?;
    report.output.files = sealed.files();
    report.output.bytes = sealed.bytes();
    job.cancel.check()?;
    sealed.publish()?.finish()
}

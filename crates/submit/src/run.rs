//! One application: it is started, watched, and its answer is read.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use distil_external::{Heard, Process};
use distil_plan::{DISTIL_VERSION, Error, Location, Report, Request, ResolvedPlan, Result, scheme};
use distil_storage::Storage;
use serde::Deserialize;

use crate::NAME;
use crate::check::Checked;
use crate::failure::{Ending, explain};
use crate::options::{DeployMode, SubmitOptions};
use crate::order::{Answer, Order, answer_path, order_path, progress_path, read, write};
use crate::progress::{Progress, Stage};
use crate::uploads::take_over;
use crate::yarn;

/// How often a waiting run looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(50);
/// Between two looks at what an application on a node leaves.
const LOOK: Duration = Duration::from_secs(1);
/// The time that Spark has to end by itself: it takes its executors back.
const GRACE: Duration = Duration::from_secs(15);
/// Lines of Spark's log that are kept: the error is followed by all that is stopped because of it.
const LOG: usize = 400;
/// Lines that the application prints and that are kept.
const PRINTED: usize = 40;

/// What the application says on standard output, in the words of docs/backends.md; it may print other lines.
#[derive(Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
enum Event {
    Begin {
        stage: Stage,
        total: Option<u64>,
    },
    Advance {
        units: u64,
        records: u64,
    },
    /// The answer is there.
    Done,
}

/// Has an application run the request.
///
/// # Errors
/// The error of the application; an environment error if it, or Spark, ends without an answer; that of the
/// cancelled run.
pub(crate) fn run(
    storage: &dyn Storage,
    options: &SubmitOptions,
    checked: &Checked,
    request: &Request<'_>,
) -> Result<Report> {
    let order = order_path(request.staging, options.deploy_mode);
    if options.deploy_mode == DeployMode::Cluster {
        require_common(storage, request)?;
    }
    let (plan, staging) = (request.plan.clone(), request.staging.clone());
    write(storage, &order, &Order { distil: DISTIL_VERSION.to_owned(), plan, staging })?;
    let answered = submit(storage, options, checked, request, &order);
    let answer = answer_path(&order);
    let answered = answered.and_then(|ending| match read(storage, &answer)? {
        Some(Answer::Done { report, uploads }) => Ok((*report, uploads)),
        Some(Answer::Error(error)) => Err(*error),
        None => Err(lost(options, &ending)),
    });
    // After an error the whole directory is removed.
    let (report, uploads) = answered?;
    take_over(storage, request.staging, uploads)?;
    for path in [order.clone(), answer, progress_path(&order)] {
        storage.remove_file(&path)?;
    }
    Ok(report)
}

/// Checks that a node could see what the run reads and writes.
fn require_common(storage: &dyn Storage, request: &Request<'_>) -> Result<()> {
    let mode = format!("in the deploy mode `cluster` the backend {NAME}");
    if storage.objects(&request.staging.output).is_some() {
        return Err(Error::usage(format!(
            "{mode} can't write to a store of objects: its answer needs a file system"
        ))
        .at(request.staging.output.to_string_lossy(), None)
        .help("write to HDFS, or leave the driver here: deploy_mode = \"client\""));
    }
    let ResolvedPlan { plan, inputs, .. } = request.plan;
    let outputs = [Some(&plan.sink.path), plan.quarantine.path.as_ref(), plan.dropped.as_ref()];
    let all = inputs.iter().map(|input| &input.path).chain(outputs.into_iter().flatten());
    match all.into_iter().find(|path| is_relative(path)) {
        Some(path) => Err(Error::usage(format!(
            "{mode} needs names that are the same on all nodes, and this one begins at the current directory"
        ))
        .at(path.to_string_lossy(), None)
        .help("name a place on HDFS, or the whole path on a file system that all nodes have")),
        None => Ok(()),
    }
}

fn is_relative(path: &Location) -> bool {
    scheme(path).is_none() && path.is_relative()
}

/// The error of an application that left no answer; on a node it may still run.
fn lost(options: &SubmitOptions, ending: &Ending) -> Error {
    let error = explain(options, ending);
    let Some(application) = yarn::application(&ending.log) else { return error };
    let error = match options.deploy_mode == DeployMode::Cluster && !yarn::has_ended(&ending.log) {
        true => yarn::kill(options, &application, error),
        false => error,
    };
    error.help(format!("read its log: yarn logs -applicationId {application}"))
}

/// Runs `spark-submit` to its end.
fn submit(
    storage: &dyn Storage,
    options: &SubmitOptions,
    checked: &Checked,
    request: &Request<'_>,
    order: &Path,
) -> Result<Ending> {
    let mut command = options.command(&checked.application, order);
    command.kept = LOG;
    tracing::info!(
        master = options.master,
        application = checked.application,
        "an application is submitted"
    );
    let mut process = Process::start(&command)?;
    let mut printed = VecDeque::new();
    let is_apart = options.deploy_mode == DeployMode::Cluster;
    let (mut progress, mut looked) = (Progress::default(), Instant::now());
    let mut is_submitted = false;
    loop {
        if let Err(cancelled) = request.watch.cancel.check() {
            return Err(if is_apart {
                kill(options, &mut process, cancelled)
            } else {
                process.terminate();
                process.end(GRACE);
                cancelled
            });
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            if is_apart && let Some(now) = Progress::read(storage, order) {
                progress.go_on(now, request.watch.events);
            }
            let says = process.says();
            is_submitted |= yarn::application(&says).is_some();
            // Later it may well come back, and the application with it.
            if !is_submitted && options.master == "yarn" && yarn::is_unreachable(&says) {
                process.terminate();
            }
        }
        let line = match process.hear(TICK) {
            Heard::Line(line) => line,
            Heard::Silence if process.is_alive() => continue,
            Heard::Silence | Heard::Closed => break,
        };
        match serde_json::from_slice(&line) {
            Ok(Event::Begin { stage, total }) => request.watch.events.begin(stage.phase(), total),
            Ok(Event::Advance { units, records }) => request.watch.events.advance(units, records),
            Ok(Event::Done) => break,
            Err(_) => {
                if printed.len() == PRINTED {
                    printed.pop_front();
                }
                printed.push_back(String::from_utf8_lossy(&line).into_owned());
            }
        }
    }
    let how = process.end(GRACE);
    Ok(Ending { how, log: process.said(), printed: printed.into() })
}

/// Ends an application whose driver runs on a node: nothing but YARN does. `spark-submit` sees it, and removes what it had put
/// on the file system for the containers.
fn kill(options: &SubmitOptions, process: &mut Process, cancelled: Error) -> Error {
    let known = yarn::application(&process.says());
    let error = match &known {
        Some(application) => yarn::kill(options, application, cancelled),
        None => {
            process.terminate();
            cancelled
        }
    };
    process.end(GRACE);
    match yarn::application(&process.said()) {
        // It was submitted just before.
        Some(application) if known.is_none() => yarn::kill(options, &application, error),
        _ => error,
    }
}

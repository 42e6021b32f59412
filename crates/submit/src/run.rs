//! One application: it is started, watched, and its answer is read.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use distil_external::{Heard, Process};
use distil_plan::{DISTIL_VERSION, Phase, Report, Request, Result};
use distil_storage::Storage;
use serde::Deserialize;

use crate::check::Checked;
use crate::failure::{Ending, explain};
use crate::options::SubmitOptions;
use crate::order::{Answer, Order, answer_path, order_path, read, write};

/// How often a waiting run looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(50);
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

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Decode,
    Encode,
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
    let order = order_path(request.staging);
    let (plan, staging) = (request.plan.clone(), request.staging.clone());
    write(storage, &order, &Order { distil: DISTIL_VERSION.to_owned(), plan, staging })?;
    let answered = submit(options, checked, request, &order);
    let answer = answer_path(&order);
    let answered = answered.and_then(|ending| match read(storage, &answer)? {
        Some(Answer::Report(report)) => Ok(*report),
        Some(Answer::Error(error)) => Err(*error),
        None => Err(explain(options, &ending)),
    });
    // After an error the whole directory is removed.
    let report = answered?;
    storage.remove_file(&order)?;
    storage.remove_file(&answer)?;
    Ok(report)
}

/// Runs `spark-submit` to its end.
fn submit(
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
    loop {
        if let Err(cancelled) = request.watch.cancel.check() {
            process.terminate();
            process.end(GRACE);
            return Err(cancelled);
        }
        let line = match process.hear(TICK) {
            Heard::Line(line) => line,
            Heard::Silence if process.is_alive() => continue,
            Heard::Silence | Heard::Closed => break,
        };
        match serde_json::from_slice(&line) {
            Ok(Event::Begin { stage: Stage::Decode, total }) => {
                request.watch.events.begin(Phase::Decode, total);
            }
            Ok(Event::Begin { stage: Stage::Encode, total }) => {
                request.watch.events.begin(Phase::Encode, total);
            }
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

//! `distil audit`

use std::time::{Duration, Instant};

use distil::audit::{Application, Audit, Cluster, Source, Thresholds, audit, json, write_audit};
use distil::{Cancel, Error, Fault, Result, Stores};

use crate::arguments::AuditArguments;
use crate::audit_table::{status_line, table};
use crate::console;
use crate::signals::cancel_on_signals;

/// How often a waiting watch looks whether it was asked to stop.
const TICK: Duration = Duration::from_millis(50);

/// Judges an application, now or once it is over.
///
/// # Errors
/// An input error with the reason if a node did not work.
pub(crate) fn run(arguments: &AuditArguments, quiet: bool) -> Result<()> {
    let stores = Stores::default();
    let cluster = arguments.cluster.as_deref();
    let source = Source::parse(&stores, &arguments.source, arguments.from.as_deref(), cluster)?;
    let audit = match arguments.watch {
        false => look(arguments, &source)?,
        true => watch(arguments, &source, quiet)?,
    };
    if let Some(path) = &arguments.report {
        write_audit(&stores, path, &audit)?;
    }
    if arguments.json {
        console::write_out(&console::json_for_stdout(&json(&audit)?))?;
    } else if !quiet {
        console::write_out(&table(&audit))?;
    }
    match audit.verdict.passed {
        true => Ok(()),
        false => {
            let error = Error::input(audit.verdict.reason);
            Err(audit.verdict.change.into_iter().fold(error, |error, change| error.help(change)))
        }
    }
}

/// Reads what there is by now. What a store fetched of a server is not asked for again, so each look has its own.
fn look(arguments: &AuditArguments, source: &Source) -> Result<Audit> {
    let stores = Stores::default();
    let application: Application = source.read(&stores)?;
    let cluster = match &arguments.cluster {
        Some(url) => Some(Cluster::read(&stores, url, &application.id)?),
        None => None,
    };
    let thresholds = Thresholds {
        nodes: arguments.nodes.clone(),
        min_busy: f64::from(arguments.min_busy) / 100.0,
        max_spread: f64::from(arguments.max_spread) / 100.0,
        max_skew: arguments.max_skew,
    };
    Ok(audit(&application, cluster.as_ref(), &thresholds))
}

/// Looks until the application is over. A driver that goes takes its answers with it: then the last audit counts.
fn watch(arguments: &AuditArguments, source: &Source, quiet: bool) -> Result<Audit> {
    let cancel = cancel_on_signals()?;
    let mut last: Option<Audit> = None;
    loop {
        let audit = match (look(arguments, source), last.take()) {
            (Ok(audit), _) => audit,
            (Err(error), Some(last)) if error.fault == Fault::Environment => {
                let gone = format!("the application is over, or can't be asked any more: {error}");
                console::print(&console::warnings(&[gone]));
                return Ok(last);
            }
            (Err(error), _) => return Err(error),
        };
        if !quiet {
            console::print(&status_line(&audit));
        }
        if audit.application.ended {
            return Ok(audit);
        }
        last = Some(audit);
        wait(&cancel, Duration::from_secs(arguments.every))?;
    }
}

/// Waits so long, or until the command is asked to stop.
fn wait(cancel: &Cancel, time: Duration) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < time {
        cancel.check()?;
        std::thread::sleep(TICK);
    }
    Ok(())
}

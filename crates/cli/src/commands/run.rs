//! `distil run`

use std::path::PathBuf;
use std::sync::Arc;

use distil::{
    Choice, Code, ColumnPath, Error, Events, Key, Plan, Report, ResolvedPlan, Result, Session,
    Status, Stores, bad_records_beside, format_bytes, printable, read_plan,
};
use indicatif::HumanCount;

use crate::arguments::RunArguments;
use crate::console::{self, Delivered};
use crate::progress::Progress;
use crate::signals::cancel_on_signals;
use crate::summary::{Beside, log_line, notes, table, warnings};
use crate::text::counted;

/// Runs a plan.
pub(crate) fn run(arguments: &RunArguments, quiet: bool, verbose: bool) -> Result<()> {
    let configuration = arguments.plan_arguments.configuration.read()?;
    let options = arguments.plan_arguments.options(&configuration)?;
    let plan = match &arguments.plan {
        Some(path) => read_plan(&Stores::default(), path)?,
        None => options.plan(&Stores::default())?,
    };
    let asked = arguments.running.options()?;
    let report = asked.report.or(options.report).map(|path| path.0);
    let report_to_stdout = report.as_deref() == Some("-");
    let cancel = cancel_on_signals()?;
    let progress = Arc::new(Progress::new(arguments.resources.progress, quiet));
    let choice = Choice {
        backend: asked.backend.as_deref(),
        job_backend: options.backend.as_deref(),
        options: arguments.resources.options()?,
    };
    let session = Session::open(&configuration, &choice)?
        .watched(Arc::clone(&progress) as Arc<dyn Events>, cancel)
        .reporting(report.filter(|_| !report_to_stdout).map(PathBuf::from));
    let output = plan.sink.path.clone();
    let beside = Beside::of(&plan);
    let (report, result) = if arguments.dry_run {
        let (report, resolved) = session.dry_run(plan);
        (
            report,
            resolved.map(|resolved| {
                if !quiet {
                    console::print(&describe(&resolved))
                }
            }),
        )
    } else {
        let sink = plan.sink.clone();
        session.frame(plan).run(sink)
    };
    progress.finish();
    if report_to_stdout {
        deliver_report(&report, result.is_ok())?;
    }
    result.map_err(|error| name_quarantine(error, &output.to_string()))?;
    if arguments.dry_run {
        return Ok(());
    }
    // A run without a record wrote nothing that a table could tell of.
    if !quiet && report.status == Status::Done {
        console::print(&match &arguments.plan_arguments.job {
            Some(job) if !verbose => log_line(job, &report, &beside),
            _ => table(&report, &beside),
        });
    }
    console::print(&warnings(&report, &output.to_string()));
    if !quiet {
        console::print(&notes(&report, verbose));
    }
    Ok(())
}

/// Prints the report on standard output. After a run that failed, its error is the one to tell.
///
/// # Errors
/// An environment error if a run that went well has a report that is not read to its end.
pub(crate) fn deliver_report(report: &Report, went_well: bool) -> Result<()> {
    print_report(report).or_else(|error| if went_well { Err(error) } else { Ok(()) })
}

/// Prints the report on standard output.
fn print_report(report: &Report) -> Result<()> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|e| Error::bug(format!("the report has no JSON form: {e}")))?;
    let delivered = console::deliver(&console::json_for_stdout(&(text + "\n")));
    let error = match delivered {
        Ok(Delivered::Whole) => return Ok(()),
        Ok(Delivered::Cut) => {
            Error::environment("standard output: the report was not read to its end")
        }
        Err(error) => error,
    };
    Err(match report.status {
        Status::Done => error
            .coded(Code::AfterCommit)
            .output("the output is committed, but there is no report of it")
            .help(
                "do not run it again: `distil digest` and `distil head` show what the output holds",
            ),
        _ => error,
    })
}

/// What would be done.
fn describe(resolved: &ResolvedPlan) -> String {
    let bytes: u64 = resolved.inputs.iter().filter_map(|input| input.bytes).sum();
    let mut text =
        format!("{}, {}\n", counted(resolved.inputs.len() as u64, "input"), format_bytes(bytes));
    for input in resolved.inputs.iter().take(10) {
        text.push_str(&format!("  {}\n", printable(&input.display())));
    }
    if resolved.inputs.len() > 10 {
        text.push_str(&format!("  and {} more\n", HumanCount(resolved.inputs.len() as u64 - 10)));
    }
    text.push_str(&format!("output: {}\n", printable(&resolved.plan.sink.path.to_string())));
    text.push_str("the output was not written: this is a dry run\n");
    text.push_str(&unchecked(resolved));
    text
}

/// What a dry run leaves to the run: a backend that judges its input itself has read nothing yet.
fn unchecked(resolved: &ResolvedPlan) -> String {
    let plan = &resolved.plan;
    if resolved.admitted && !plan.assume_valid {
        return "all records were read, and are valid\n".to_owned();
    }
    let mut columns: Vec<String> = Vec::new();
    for column in named_columns(plan).map(ToString::to_string) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let columns = match columns.as_slice() {
        [] => String::new(),
        [one] => format!(", and that there is a column {}", printable(one)),
        all => format!(", and that there are columns {}", printable(&all.join(", "))),
    };
    format!("not checked, since no data was read: the records{columns}\n")
}

/// The columns that a plan names, and the data must have.
fn named_columns(plan: &Plan) -> impl Iterator<Item = &ColumnPath> {
    let dedup = plan.dedup.iter();
    let key = dedup.clone().flat_map(|dedup| match &dedup.key {
        Key::Columns(columns) => columns.as_slice(),
        Key::Record => &[],
    });
    let order = dedup.flat_map(|dedup| &dedup.order_by).map(|by| &by.column);
    key.chain(order).chain(plan.columns.iter().flatten()).chain(&plan.sink.bloom)
}

/// Names the file of advice to set bad records aside after the output.
fn name_quarantine(mut error: Error, output: &str) -> Error {
    for hint in error.hints.iter_mut().filter(|hint| hint.is_about("quarantine")) {
        hint.value = Some(bad_records_beside(output));
    }
    error
}

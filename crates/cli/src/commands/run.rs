//! `distil run`

use std::path::PathBuf;

use distil::{
    BACKENDS, Cancel, Error, Fault, Local, Plan, Report, ResolvedPlan, Result, format_bytes,
    printable, read_plan,
};

use crate::arguments::RunArguments;
use crate::console::{self, Style, styled};
use crate::progress::{Progress, grouped};
use crate::signals::cancel_on_signals;

/// Runs a plan.
pub(crate) fn run(arguments: &RunArguments, quiet: bool, verbose: bool) -> Result<()> {
    if !BACKENDS.contains(&arguments.backend.as_str()) {
        return Err(Error::usage(format!("there is no backend `{}`", arguments.backend))
            .help(format!("this build has: {}", BACKENDS.join(", "))));
    }
    let plan = plan(arguments)?;
    let mut options = arguments.resources.options()?;
    let report_to_stdout = arguments.report.as_deref() == Some("-");
    options.report = arguments.report.as_ref().filter(|_| !report_to_stdout).map(PathBuf::from);
    let cancel = cancel_on_signals()?;
    let progress = Progress::new(arguments.resources.progress, quiet);
    let (report, result) = if arguments.dry_run {
        dry_run(plan, &options, &progress, &cancel, report_to_stdout)
    } else {
        distil::run(plan, &options, &progress, &cancel)
    };
    progress.finish();
    if report_to_stdout {
        let text = serde_json::to_string_pretty(&report)
            .map_err(|e| Error::bug(format!("the report has no JSON form: {e}")))?;
        let written = console::write_out(&(text + "\n"));
        if result.is_ok() && !arguments.dry_run {
            written.map_err(|error| {
                Error { fault: Fault::AfterCommit, ..error }.output("the output is committed")
            })?;
        }
    }
    result.map_err(|error| go_on(error, arguments))?;
    if !quiet && !arguments.dry_run {
        console::print(&table(&report));
        console::print(&notes(&report, verbose));
    }
    Ok(())
}

/// The plan of the flags, or of a file that stands for them.
fn plan(arguments: &RunArguments) -> Result<Plan> {
    let Some(path) = &arguments.plan else { return arguments.plan_arguments.plan() };
    let flags = &arguments.plan_arguments;
    if !flags.source.sources.is_empty() || flags.output.is_some() || flags.key.is_some() {
        return Err(Error::usage("a plan from a file has its own sources, output and key")
            .help("leave out --plan, or everything that the plan says"));
    }
    read_plan(&Local, path)
}

fn dry_run(
    plan: Plan,
    options: &distil::Options,
    progress: &Progress,
    cancel: &Cancel,
    quiet: bool,
) -> (Report, Result<()>) {
    let (report, resolved) = distil::dry_run(plan, options, progress, cancel);
    let result = resolved.and_then(|resolved| if quiet { Ok(()) } else { describe(&resolved) });
    (report, result)
}

/// What would be done.
fn describe(resolved: &ResolvedPlan) -> Result<()> {
    let bytes: u64 = resolved.inputs.iter().filter_map(|input| input.bytes).sum();
    let mut text =
        format!("{} inputs, {}\n", grouped(resolved.inputs.len() as u64), format_bytes(bytes));
    for input in resolved.inputs.iter().take(10) {
        text.push_str(&format!("  {}\n", printable(&input.display())));
    }
    if resolved.inputs.len() > 10 {
        text.push_str(&format!("  and {} more\n", grouped(resolved.inputs.len() as u64 - 10)));
    }
    text.push_str(&format!("output: {}\n", printable(&resolved.plan.sink.path)));
    text.push_str("nothing was written: this is a dry run\n");
    console::write_out(&text)
}

/// Where bad records stop a run, shows the command line that goes on.
fn go_on(error: Error, arguments: &RunArguments) -> Error {
    let stopped = error.fault == Fault::Input && !error.details.is_empty();
    let asks = error.hints.iter().any(|hint| hint.contains("--quarantine"));
    if !stopped || !asks || arguments.plan_arguments.quarantine.is_some() {
        return error;
    }
    let mut command: Vec<String> = std::env::args().map(|argument| quoted(&argument)).collect();
    if let Some(program) = command.first_mut() {
        *program = "distil".to_owned();
    }
    let output = arguments.plan_arguments.output.clone().unwrap_or_default();
    let stem = output.trim_end_matches('/').trim_end_matches(".parquet");
    command.extend(["--quarantine".to_owned(), quoted(&format!("{stem}.bad.ndjson"))]);
    let mut error = error;
    error.hints.retain(|hint| !hint.contains("--quarantine"));
    error.help(format!("to set them aside and go on: {}", command.join(" ")))
}

/// An argument as a shell reads it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

fn table(report: &Report) -> String {
    let records = &report.records;
    let bytes_in: u64 = report.inputs.iter().map(|input| input.bytes).sum();
    let seconds = report.resources.seconds;
    let rate = bytes_in as f64 / 1e6 / seconds.max(1e-9);
    let bad = records.quarantined;
    let mut lines = vec![
        ("records", grouped(records.read), String::new()),
        ("rows", grouped(records.written), String::new()),
        (
            "duplicates",
            grouped(records.duplicates.identical + records.duplicates.conflicting),
            format!(
                "{} identical, {} conflicting",
                grouped(records.duplicates.identical),
                grouped(records.duplicates.conflicting)
            ),
        ),
        (
            "quarantined",
            grouped(bad.records + bad.ranges),
            if bad.ranges > 0 {
                format!("{} of them ranges", grouped(bad.ranges))
            } else {
                String::new()
            },
        ),
        ("read", format_bytes(bytes_in), format!("{} files", grouped(report.inputs.len() as u64))),
        (
            "written",
            format_bytes(report.output.bytes),
            format!(
                "{} files, {} row groups",
                grouped(report.output.files),
                grouped(report.output.row_groups)
            ),
        ),
        ("time", format!("{seconds:.2} s"), format!("{rate:.0} MB/s")),
        ("peak memory", format_bytes(report.resources.peak_memory_bytes), String::new()),
    ];
    if report.resources.spilled_bytes > 0 {
        lines.push(("spilled", format_bytes(report.resources.spilled_bytes), String::new()));
    }
    let width = lines.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value, note) in lines {
        let line = format!("{name:12} {value:>width$}  {note}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn notes(report: &Report, verbose: bool) -> String {
    let mut text = String::new();
    for warning in &report.warnings {
        text.push_str(&format!("{} {}\n", styled(Style::Warning, "warning:"), printable(warning)));
    }
    if let Some(digest) = &report.output.digest {
        text.push_str(&format!("digest       {digest}\n"));
    }
    if verbose && !report.conflicts.is_empty() {
        text.push_str("the first conflicts, the row that is kept and one that is not:\n");
        for conflict in &report.conflicts {
            text.push_str(&format!(
                "  {}\n  {}\n",
                printable(&conflict.kept.0),
                printable(&conflict.dropped.0)
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        for (argument, expected) in [
            ("a-b/c.json", "a-b/c.json"),
            ("id, data", "'id, data'"),
            ("", "''"),
            ("*", "'*'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(quoted(argument), expected);
        }
    }
}

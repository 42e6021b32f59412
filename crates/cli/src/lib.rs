//! The `distil` command: arguments in, plans run, results and errors printed.
//!
//! It is a library so that the Python package has the same command without a second program in it.

mod advice;
mod arguments;
mod audit_table;
mod commands;
mod console;
mod flags;
mod help;
mod progress;
mod signals;
mod summary;
mod text;

use std::ffi::OsString;
use std::panic::UnwindSafe;

use clap::{CommandFactory, FromArgMatches};
use distil::{Error, Fault, Report, Result, argument_without_secrets};

use crate::advice::Advice;
use crate::arguments::{Cli, Command};

/// Runs the command with these arguments, the name of the program first, and returns the exit status of
/// the process. It prints, and listens for signals from then on: a process calls it once.
pub fn main(arguments: Vec<OsString>) -> u8 {
    guarded(|| command(arguments))
}

/// The table that closes a run, as the command prints it.
pub fn closing_table(report: &Report) -> String {
    summary::table(report, &summary::Beside::default())
}

/// The licences of everything that is linked in, made by `licenses.py`.
const LICENSES: &str = include_str!("../licenses.txt");

/// An argument without the secrets of a signed link.
fn shown(argument: OsString) -> OsString {
    argument.to_str().and_then(argument_without_secrets).map_or(argument, OsString::from)
}

/// Runs the command that was typed; returns the exit status.
fn command(arguments: Vec<OsString>) -> u8 {
    // From here on no message can show the secrets of a link.
    let arguments: Vec<OsString> = arguments.into_iter().map(shown).collect();
    let typed: Vec<OsString> = arguments.iter().skip(1).cloned().collect();
    // Beside it no command is asked for, which the parser would miss.
    if typed == ["--licenses"] {
        return console::finish(console::write_out(LICENSES));
    }
    let mut command = Cli::command();
    let parsed = command.clone().try_get_matches_from(arguments).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        Ok((matches, cli))
    });
    match parsed {
        Ok((matches, cli)) => {
            start_log(cli.verbose);
            let advice = Advice::of(&command, &matches, typed);
            console::finish(dispatch(&cli).map_err(|error| match &advice {
                Some(advice) => advice.spell(error),
                None => error,
            }))
        }
        Err(error) => console::print_clap(&error),
    }
}

/// The exit status of a command. A panic in it is a bug, and told as one; unwinding cleans up.
fn guarded(command: impl FnOnce() -> u8 + UnwindSafe) -> u8 {
    report_panics();
    std::panic::catch_unwind(command).unwrap_or(Fault::Bug.exit_status())
}

fn dispatch(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Run(arguments) => commands::run::run(arguments, cli.quiet, cli.verbose > 0),
        Command::Replay(arguments) => commands::replay::run(arguments, cli.quiet, cli.verbose > 0),
        Command::Plan(arguments) => commands::plan::run(arguments),
        Command::Generate(arguments) => commands::generate::run(arguments, cli.quiet),
        Command::Schema(arguments) => commands::schema::run(arguments, cli.quiet),
        Command::Head(arguments) => commands::inspect::head(arguments),
        Command::Digest(arguments) => commands::inspect::digest(arguments),
        Command::Verify(arguments) => commands::inspect::verify(arguments, cli.quiet),
        Command::Audit(arguments) => commands::audit::run(arguments, cli.quiet),
        Command::Backends(arguments) => commands::backends::run(arguments),
        Command::Emr(arguments) => commands::emr::run(arguments, cli.quiet),
        Command::Trust(arguments) => commands::trust::run(arguments, cli.quiet),
        Command::Completions { shell } => commands::completions::run(*shell),
    }
}

/// Shows a panic as what it is to a user: a bug, with the place to report.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |location| format!(" at {location}"));
        let what = panic.payload_as_str().unwrap_or("no message");
        let error = Error::bug(format!("an internal check failed{place}: {what}"));
        console::print_error(
            &error.output("it is either the previous output or the complete new one"),
        );
    }));
}

/// Logs go to standard error: none by default, `DISTIL_LOG` chooses, `-v` is a shorthand.
fn start_log(verbose: u8) {
    let default = match verbose {
        0 => "off",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("DISTIL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| console::LogLine)
        .log_internal_errors(false)
        .with_ansi(false)
        .without_time()
        .init();
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test of what a panic looks like, in a process that it ends"
)]
mod tests {
    use super::*;

    const ROLE: &str = "DISTIL_TEST_PANICS";

    /// No command is known to panic. So this test is one that does, in a process of its own.
    #[test]
    fn a_panic_is_told_as_a_bug_and_ends_with_status_70() {
        if std::env::var_os(ROLE).is_some() {
            std::process::exit(i32::from(guarded(|| panic!("no \u{1b}[2Jrow"))));
        }
        let name = "tests::a_panic_is_told_as_a_bug_and_ends_with_status_70";
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", name, "--nocapture"]).env(ROLE, "1").env("RUST_BACKTRACE", "1");
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(70), "{told}");
        assert!(told.contains("error: an internal check failed at "), "{told}");
        assert!(told.contains("\n  output: ") && told.contains("\n  help: "), "{told}");
        for word in ["panicked", "stack backtrace", "\u{1b}"] {
            assert!(!told.contains(word), "{told}");
        }
    }
}

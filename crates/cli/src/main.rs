//! The `distil` command: arguments in, plans run, results and errors printed.

mod arguments;
mod commands;
mod console;
mod progress;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use distil::{Error, Fault, Result};

use crate::arguments::{Cli, Command};

/// The system's allocator is slow for many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    report_panics();
    let status = match Cli::try_parse() {
        Ok(cli) => {
            start_log(cli.verbose);
            // A panic is a bug, which the hook has told; unwinding cleans up.
            std::panic::catch_unwind(|| console::finish(dispatch(&cli)))
                .unwrap_or(Fault::Bug.exit_status())
        }
        Err(error) => console::print_clap(&error),
    };
    ExitCode::from(status)
}

fn dispatch(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Run(arguments) => commands::run::run(arguments, cli.quiet, cli.verbose > 0),
        Command::Plan(arguments) => commands::plan::run(arguments),
        Command::Generate(arguments) => commands::generate::run(arguments, cli.quiet),
        Command::Schema(arguments) => commands::schema::run(arguments, cli.quiet),
        Command::Head(arguments) => commands::inspect::head(arguments),
        Command::Digest(arguments) => commands::inspect::digest(arguments),
        Command::Verify(arguments) => commands::inspect::verify(arguments, cli.quiet),
        Command::Backends(arguments) => commands::backends::run(arguments),
        Command::Completions { shell } => commands::completions::run(*shell),
    }
}

/// Shows a panic as what it is to a user: a bug, with the place to report.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |location| format!(" at {location}"));
        let what = panic.payload_as_str().unwrap_or("no message");
        console::print_error(&Error::bug(format!("an internal check failed{place}: {what}")));
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

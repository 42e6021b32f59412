//! `distil replay`

use std::path::Path;
use std::sync::Arc;

use distil::{Choice, Events, Result, Session};

use crate::arguments::ReplayArguments;
use crate::commands::run::deliver_report;
use crate::console;
use crate::progress::Progress;
use crate::signals::cancel_on_signals;
use crate::summary::{Beside, notes, table, warnings};

/// Reads what a run set aside with the plan of that run.
pub(crate) fn run(arguments: &ReplayArguments, quiet: bool, verbose: bool) -> Result<()> {
    let configuration = arguments.configuration.read()?;
    let report_to_stdout = arguments.report.as_deref() == Some(Path::new("-"));
    let cancel = cancel_on_signals()?;
    let progress = Arc::new(Progress::new(arguments.resources.progress, quiet));
    let choice = Choice { options: arguments.resources.options()?, ..Choice::default() };
    let session = Session::open(&configuration, &choice)?
        .watched(Arc::clone(&progress) as Arc<dyn Events>, cancel)
        .reporting(arguments.report.clone().filter(|_| !report_to_stdout));
    let (report, result) = session.replay(&arguments.file, arguments.output.as_str());
    progress.finish();
    if report_to_stdout {
        deliver_report(&report, result.is_ok())?;
    }
    result?;
    if !quiet {
        console::print(&table(&report, &Beside::default()));
    }
    console::print(&warnings(&report, arguments.output.as_str()));
    if !quiet {
        console::print(&notes(&report, verbose));
    }
    Ok(())
}

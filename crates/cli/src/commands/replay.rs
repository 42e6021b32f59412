//! `distil replay`

use std::sync::Arc;

use distil::{Choice, Events, Result, Session};

use super::run::{notes, table};
use crate::arguments::ReplayArguments;
use crate::console;
use crate::progress::Progress;
use crate::signals::cancel_on_signals;

/// Reads what a run set aside with the plan of that run.
pub(crate) fn run(arguments: &ReplayArguments, quiet: bool, verbose: bool) -> Result<()> {
    let configuration = arguments.configuration.read()?;
    let cancel = cancel_on_signals()?;
    let progress = Arc::new(Progress::new(arguments.resources.progress, quiet));
    let choice = Choice { options: arguments.resources.options()?, ..Choice::default() };
    let session = Session::open(&configuration, &choice)?
        .watched(Arc::clone(&progress) as Arc<dyn Events>, cancel);
    let (report, result) = session.replay(&arguments.file, arguments.output.as_str());
    progress.finish();
    result?;
    if !quiet {
        console::print(&table(&report));
        console::print(&notes(&report, verbose));
    }
    Ok(())
}

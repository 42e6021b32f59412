//! `distil completions`

use clap::CommandFactory;
use distil::Result;

use crate::arguments::Cli;
use crate::console;

/// Prints the script for a shell.
pub(crate) fn run(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "distil", &mut script);
    console::write_out(&String::from_utf8_lossy(&script))
}

//! `distil trust`

use distil::{Entry, Result, Stores, TrustedFiles, printable};

use crate::arguments::TrustArguments;
use crate::console;

/// Trusts a configuration file as it is now, and says what that allows; or trusts it no longer.
pub(crate) fn run(arguments: &TrustArguments, quiet: bool) -> Result<()> {
    let (storage, trusted) = (Stores::default(), TrustedFiles::from_env());
    let shown = printable(&arguments.file.to_string_lossy());
    if arguments.forget {
        trusted.forget(&storage, &arguments.file)?;
        return say(quiet, &format!("{shown} is not trusted any more\n"));
    }
    let configuration = distil::Configuration::read(&storage, Some(&arguments.file))?;
    let mut text = format!("{shown} is trusted as long as it stays as it is\n");
    for name in configuration.backends.keys() {
        let entry = Entry::find(&configuration, name)?;
        let line = format!("  {}: {}, {}\n", entry.name, entry.engine, entry.place());
        text.push_str(&line);
    }
    for name in configuration.emr.keys() {
        text.push_str(&printable(&format!("  emr.{name}: clusters of Amazon EMR")));
        text.push('\n');
    }
    trusted.trust(&storage, &arguments.file)?;
    say(quiet, &text)
}

fn say(quiet: bool, text: &str) -> Result<()> {
    if quiet { Ok(()) } else { console::write_out(text) }
}

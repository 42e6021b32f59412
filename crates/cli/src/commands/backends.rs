//! `distil backends`

use std::sync::Arc;

use distil::{
    Backend, Configuration, Entry, Error, Fault, Result, RunOptions, Stores, printable, promises,
};

use crate::arguments::{BackendsArguments, BackendsCommand};
use crate::console;
use crate::text::counted;

/// Lists the backends, or checks them.
pub(crate) fn run(arguments: &BackendsArguments) -> Result<()> {
    let configuration = arguments.configuration.read()?;
    match &arguments.command {
        None => list(&configuration),
        Some(BackendsCommand::Check { name: Some(name) }) => {
            let entry = Entry::find(&configuration, name)?;
            let version = open(&entry)?.check()?;
            console::write_out(&answer(&entry, &version, entry.name.chars().count()))
        }
        Some(BackendsCommand::Check { name: None }) => check_all(&configuration),
    }
}

fn open(entry: &Entry) -> Result<Box<dyn Backend>> {
    entry.open(Arc::new(Stores::default()), &RunOptions::default())
}

fn list(configuration: &Configuration) -> Result<()> {
    let mut rows = vec![["name", "engine", "where", "promises"].map(str::to_owned)];
    for entry in Entry::all(configuration)? {
        let promises = match open(&entry) {
            Ok(backend) => promises(&*backend),
            Err(error) => error.to_string(),
        };
        rows.push([entry.name.clone(), entry.engine.to_owned(), entry.place(), promises]);
    }
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [name, engine, place, promises] in &rows {
        let [a, b, c] = widths;
        text.push_str(&printable(&format!("{name:a$}  {engine:b$}  {place:c$}  {promises}")));
        text.push('\n');
    }
    console::write_out(&text)
}

/// Checks all backends; one that does not answer does not keep the others from being asked. It is an
/// error only if the configuration names it.
fn check_all(configuration: &Configuration) -> Result<()> {
    let entries = Entry::all(configuration)?;
    let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let mut failed = Vec::new();
    for entry in &entries {
        match open(entry).and_then(|backend| backend.check()) {
            Ok(version) => console::write_out(&answer(entry, &version, width))?,
            Err(error) => {
                console::print_error(&error);
                if configuration.backends.contains_key(&entry.name) {
                    failed.push(entry.name.as_str());
                }
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let count = counted(failed.len() as u64, "backend");
    Err(Error::new(Fault::Environment, format!("{count} can't be used: {}", failed.join(", "))))
}

fn answer(entry: &Entry, version: &str, width: usize) -> String {
    printable(&format!("{:width$}  {version}", entry.name)) + "\n"
}

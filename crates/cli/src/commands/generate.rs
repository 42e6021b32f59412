//! `distil generate`

use std::time::Instant;

use distil::{Local, Options, Result};
use distil_datagen::{Parameters, generate};

use crate::arguments::GenerateArguments;
use crate::console;
use crate::progress::grouped;

/// Writes a data set and its answer.
pub(crate) fn run(arguments: &GenerateArguments, quiet: bool) -> Result<()> {
    let default = Parameters::default();
    let parameters = Parameters {
        files: arguments.files,
        records: arguments.records,
        duplicates: arguments.duplicates,
        spread: arguments.spread,
        date: arguments.date.unwrap_or(default.date),
        days: arguments.days.unwrap_or(default.days),
        seed: arguments.seed,
        shape: arguments.shape,
        gzip: arguments.gzip,
    };
    let begun = Instant::now();
    let threads = Options::default().threads;
    let answer = generate(&Local, &arguments.directory, &parameters, threads, &|_| {})?;
    if !quiet {
        let seconds = begun.elapsed().as_secs_f64();
        let mut text = format!(
            "{} records in {} files, {seconds:.1} s\n",
            grouped(answer.records),
            grouped(parameters.files),
        );
        for (key, answer) in &answer.keys {
            text.push_str(&format!("  --key {key}: {} rows\n", grouped(answer.rows)));
        }
        console::print(&text);
    }
    Ok(())
}

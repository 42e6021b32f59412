//! `distil generate`

use std::time::Instant;

use distil::{Result, RunOptions, Stores};
use distil_datagen::{Parameters, generate};

use crate::arguments::GenerateArguments;
use crate::console;
use crate::text::counted;

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
    let threads = RunOptions::default().threads;
    let answer = generate(&Stores::default(), &arguments.directory, &parameters, threads, &|_| {})?;
    if !quiet {
        let seconds = begun.elapsed().as_secs_f64();
        let mut text = format!(
            "{} in {}, {seconds:.1} s\n",
            counted(answer.records, "record"),
            counted(parameters.files, "file"),
        );
        for (key, answer) in &answer.keys {
            text.push_str(&format!("  --key {key}: {}\n", counted(answer.rows, "row")));
        }
        console::print(&text);
    }
    Ok(())
}

//! The tables of docs/configuration.md are what the declarations say.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use distil::configuration::{BackendOptions, Declared, EmrOptions, JobOptions};
use distil_testkit::documentation::check;

fn table(options: &[Declared]) -> String {
    let mut text = "| option | meaning | written | default |\n|---|---|---|---|".to_owned();
    for Declared { name, meaning, written, default, .. } in options {
        // A bar would end the cell.
        let cell = |text: &str| text.replace('|', "\\|");
        let default = cell(default.unwrap_or_default());
        let (meaning, written) = (cell(meaning), cell(written));
        text.push_str(&format!("\n| `{name}` | {meaning} | {written} | {default} |"));
    }
    text
}

fn is_current(name: &str, options: &[Declared]) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if let Err(problem) = check(&document, name, &table(options)) {
        panic!("{problem}");
    }
}

#[test]
fn the_tables_of_options_are_those_of_the_declarations() {
    is_current("backends", BackendOptions::OPTIONS);
    is_current("jobs", JobOptions::OPTIONS);
    is_current("emr", EmrOptions::OPTIONS);
}

//! Tables of the documentation are what the declarations say.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use distil_plan::Code;
use distil_testkit::documentation::check;
use distil_testkit::suite::{cases, support_table};

#[test]
fn the_support_table_is_that_of_the_marks() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/backends.md");
    if let Err(problem) = check(&document, "support", &support_table(&cases())) {
        panic!("{problem}");
    }
}

#[test]
fn the_table_of_errors_is_that_of_the_codes() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if let Err(problem) = check(&document, "codes", &Code::table()) {
        panic!("{problem}");
    }
}

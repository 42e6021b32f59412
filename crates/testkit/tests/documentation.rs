//! The support table of docs/backends.md is what the marks say.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use distil_testkit::documentation::check;
use distil_testkit::suite::{cases, support_table};

#[test]
fn the_support_table_is_that_of_the_marks() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/backends.md");
    if let Err(problem) = check(&document, "support", &support_table(&cases())) {
        panic!("{problem}");
    }
}

//! What the tests of this crate share: the pandas backend, and programs as backends.
#![allow(dead_code, unused_imports, reason = "every test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use distil_external::{External, ProcessOptions};

pub use distil_testkit::disk::{Folder, dedup, native, run_on, run_until, storage};

pub fn pandas() -> External {
    External::pandas(&distil_testkit::python())
}

/// After this a program counts as one that hangs. No test that passes comes near it.
pub const STANDSTILL: Duration = Duration::from_secs(600);

/// A backend that is a program written in a test.
pub fn child(program: &str, arguments: &[&str]) -> External {
    impatient(program, arguments, STANDSTILL)
}

/// The same, stopped after so long a silence.
pub fn impatient(program: &str, arguments: &[&str], silence: Duration) -> External {
    let options = ProcessOptions {
        arguments: arguments.iter().map(Into::into).collect(),
        silence,
        start: STANDSTILL,
        grace: Duration::from_millis(300),
        ..ProcessOptions::new(program)
    };
    External::new("child", options)
}

//! What the tests of this crate share: the pandas backend, and programs as backends.
#![allow(dead_code, unused_imports, reason = "every test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use distil_external::{External, Options};

pub use distil_testkit::disk::{Folder, dedup, native, run_on, run_until, storage};

/// The Python that the tests run. On a developer's machine without one they say so and fail: a
/// backend that nobody ran is not known to work.
pub fn python() -> PathBuf {
    let named = std::env::var_os("DISTIL_TEST_PYTHON").map(PathBuf::from);
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    named.or_else(|| venv.exists().then_some(venv)).expect(
        "these tests need a Python with pandas and pyarrow: name it in DISTIL_TEST_PYTHON, or \
         python3 -m venv .venv && .venv/bin/python -m pip install pandas pyarrow",
    )
}

pub fn pandas() -> External {
    External::pandas(storage(), &python())
}

/// A backend that is a program written in a test.
pub fn child(program: &str, arguments: &[&str]) -> External {
    impatient(program, arguments, Duration::from_secs(20))
}

/// The same, stopped after so long a silence.
pub fn impatient(program: &str, arguments: &[&str], silence: Duration) -> External {
    let options = Options {
        arguments: arguments.iter().map(Into::into).collect(),
        silence,
        start: Duration::from_secs(20),
        grace: Duration::from_millis(300),
        ..Options::new(program)
    };
    External::new("child", storage(), options)
}

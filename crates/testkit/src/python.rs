//! The Python that tests run backends on.

use std::path::{Path, PathBuf};

/// The Python with pandas and pyarrow: `DISTIL_TEST_PYTHON`, or that of the checkout's virtual
/// environment. Where there is none, tests say so and fail: a backend that nobody ran is not known to
/// work.
#[allow(clippy::disallowed_methods, reason = "a program is no data")]
pub fn python() -> PathBuf {
    let named = std::env::var_os("DISTIL_TEST_PYTHON").map(PathBuf::from);
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    named.or_else(|| venv.exists().then_some(venv)).expect(
        "these tests need a Python with pandas and pyarrow: name it in DISTIL_TEST_PYTHON, or \
         python3 -m venv .venv && .venv/bin/python -m pip install pandas pyarrow",
    )
}

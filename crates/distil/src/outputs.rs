//! Reading outputs on this machine's file system.

use std::path::Path;

use distil_json::digest::Digest;
use distil_output::head::Head;
use distil_output::verify::Verified;
use distil_plan::Result;
use distil_storage::Local;

/// The first rows of an output.
///
/// # Errors
/// An environment error if it can't be read, an input error if it is no output.
pub fn head(path: &Path, rows: usize) -> Result<Head> {
    distil_output::head::head(&Local, path, rows)
}

/// The digest of an output's rows, and how many there are.
///
/// # Errors
/// As [`head`].
pub fn digest(path: &Path) -> Result<(Digest, u64)> {
    distil_output::digest::digest_output(&Local, path)
}

/// Checks an output against its own footers and, if given, a reference: another output, the report
/// of a run, or the answer of generated data (`DIR.answer.json`).
///
/// # Errors
/// An input error that names the first thing that differs, with both values.
pub fn verify(path: &Path, reference: Option<&Path>) -> Result<Verified> {
    distil_output::verify::verify(&Local, path, reference)
}

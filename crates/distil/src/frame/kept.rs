//! Rows that were read once, in a file for as long as they are wanted.

use std::fmt;
use std::path::{Path, PathBuf};

use distil_output::reader::PartFile;
use distil_plan::{Report, Result};

use super::scratch::Scratch;
use super::steps::PlanStep;

/// The rows of a frame in a private file, which is removed with the last of those that share it.
pub(crate) struct Kept {
    /// The directory that holds the file.
    scratch: Scratch,
    path: PathBuf,
    /// What was read for them, for people.
    pub(crate) origin: String,
    /// The plan step that wrote them, and so their order.
    pub(crate) written_by: PlanStep,
    /// The report of the run that wrote them.
    pub(crate) report: Report,
    rows: u64,
}

impl Kept {
    /// Takes over a file in `scratch`.
    ///
    /// # Errors
    /// As [`PartFile::open`].
    pub(crate) fn new(
        scratch: Scratch,
        path: PathBuf,
        origin: String,
        written_by: PlanStep,
        report: Report,
    ) -> Result<Self> {
        let rows = PartFile::open(scratch.storage(), &path)?.rows();
        Ok(Self { scratch, path, origin, written_by, report, rows })
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Opens its file.
    ///
    /// # Errors
    /// As [`PartFile::open`].
    pub(crate) fn open(&self) -> Result<PartFile> {
        PartFile::open(self.scratch.storage(), &self.path)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("path", &self.path).finish_non_exhaustive()
    }
}

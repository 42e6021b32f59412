//! What is judged, and how it is stretched.

use distil_plan::{Error, Need, Plan, Report, Support};

use super::arrow::Table;
use super::mark::Mark;

/// Names and contents of the input files.
pub type Files = Vec<(String, Vec<u8>)>;

/// A backend under the suite.
pub trait Subject {
    /// Its name.
    fn name(&self) -> &str;

    /// What it is known not to support, and must refuse.
    fn marks(&self) -> &[Mark] {
        &[]
    }

    /// Whether it says itself that it supports this.
    ///
    /// # Errors
    /// As the backend's own answer.
    fn supports(&self, _: &Need) -> Result<Support, Box<Error>> {
        Ok(Support::Yes)
    }

    /// How a case of so many bytes in so many files is stretched.
    fn stretches(&self, bytes: usize, files: usize) -> Vec<Stretch> {
        Stretch::all(bytes, files)
    }

    /// Runs the plan over files that lie in the directory `in`; the plan's source is that directory.
    ///
    /// # Errors
    /// The error of the run.
    fn run(&self, files: &Files, plan: &Plan, stretch: &Stretch) -> Result<Output, Box<Error>>;
}

/// What a run left behind, read back independently of the backend.
#[derive(Debug)]
pub struct Output {
    /// Its report.
    pub report: Report,
    /// The output's parts, one after another.
    pub table: Table,
    /// The dropped duplicates, if there is such a file.
    pub dropped: Option<Table>,
    /// The lines of the quarantine; none if there is no such file.
    pub quarantine: Vec<QuarantineLine>,
    /// Names and contents of all files of the output.
    pub files: Files,
    /// Names and contents of the files beside it: quarantine, dropped duplicates.
    pub beside: Files,
}

/// A line of the quarantine.
#[derive(Clone, Debug, PartialEq)]
pub struct QuarantineLine {
    /// Path of the input.
    pub file: String,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Why.
    pub reason: String,
    /// The record.
    pub raw: Option<Vec<u8>>,
    /// Whether it is told in base64.
    pub in_base64: bool,
}

/// What must not change a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Bytes read at once.
    pub read_chunk: usize,
    /// Threads.
    pub threads: usize,
    /// Bytes of memory; `None` is plenty, a little makes the run spill.
    pub memory: Option<u64>,
    /// How the names of the files are turned round before the run; 0 leaves them.
    pub rotate_names: usize,
}

impl Stretch {
    /// Plenty of everything.
    pub fn plain() -> Self {
        Self { read_chunk: 65_536, threads: 1, memory: None, rotate_names: 0 }
    }

    /// The stretches of a case: `bytes` of input are too many to read one by one from some size on.
    pub fn all(bytes: usize, files: usize) -> Vec<Self> {
        let small = |n: usize| if bytes > 50_000 { 4_093 * n } else { n };
        let plain = Self::plain();
        let mut all = vec![
            plain.clone(),
            Self { read_chunk: small(1), threads: 2, ..plain.clone() },
            Self { read_chunk: small(3), memory: Some(0), ..plain.clone() },
            Self { threads: 4, memory: Some(0), ..plain.clone() },
        ];
        all.extend((1..files.min(3)).map(|n| Self {
            rotate_names: n,
            threads: 3,
            ..plain.clone()
        }));
        all
    }
}

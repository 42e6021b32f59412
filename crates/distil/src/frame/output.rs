//! Where rows are written, and what is asked of the run besides them.

use std::path::Path;

use distil_plan::{Plan, Sink};

/// Where rows are written, and what is asked of the run besides them. A [`Sink`] alone, or a path, is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The place and the form of the rows.
    pub sink: Sink,
    /// Computes the digest of the rows, for the footer and the report.
    pub digest: bool,
    /// Lets input without a record be no error: the output has no rows.
    pub allow_empty: bool,
}

impl Output {
    /// The plan with this output. `is_first` says whether the plan reads the records, `is_last` whether it
    /// writes the rows that are asked for.
    pub(crate) fn of(&self, plan: Plan, is_first: bool, is_last: bool) -> Plan {
        Plan {
            digest: plan.digest || self.digest && is_last,
            allow_empty: plan.allow_empty || self.allow_empty && is_first,
            ..plan
        }
    }
}

impl From<Sink> for Output {
    fn from(sink: Sink) -> Self {
        Self { sink, digest: false, allow_empty: false }
    }
}

impl From<&Path> for Output {
    fn from(path: &Path) -> Self {
        Sink::new(path).into()
    }
}

impl From<&str> for Output {
    fn from(path: &str) -> Self {
        Sink::new(path).into()
    }
}

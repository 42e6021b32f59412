//! The messages of `docs/backends.md`: one JSON object on each line.

use distil_plan::{
    Conflict, Duplicates, Error, Hint, InputReport, Report, Request, ResolvedPlan, Result,
    RowImage, Staging,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Version of the protocol.
pub(crate) const PROTOCOL: u32 = 1;

/// From distil to the process.
#[derive(Serialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub(crate) enum Order<'a> {
    Hello { protocol: u32, distil: &'static str },
    Run(&'a Run<'a>),
    Cancel,
}

/// One plan to run.
#[derive(Serialize)]
pub(crate) struct Run<'a> {
    #[serde(flatten)]
    resolved: &'a ResolvedPlan,
    staging: Places<'a>,
    /// Key-value pairs for the footers of the output and of the dropped file.
    footer: &'a [(String, String)],
    dropped_footer: &'a [(String, String)],
}

#[derive(Serialize)]
struct Places<'a> {
    output: &'a std::path::Path,
    dropped: Option<&'a std::path::Path>,
    scratch: &'a std::path::Path,
}

/// The pairs of both kinds of files.
pub(crate) struct Footers {
    pub(crate) output: Vec<(String, String)>,
    pub(crate) dropped: Vec<(String, String)>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(request: &Request<'a>, footers: &'a Footers) -> Self {
        let Staging { output, dropped, scratch, .. } = request.staging;
        Self {
            resolved: request.plan,
            staging: Places { output, dropped: dropped.as_deref(), scratch },
            footer: &footers.output,
            dropped_footer: &footers.dropped,
        }
    }
}

/// From the process to distil.
#[derive(Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub(crate) enum Answer {
    Hello {
        protocol: u32,
        version: String,
        supports: Vec<String>,
    },
    /// Nothing but a sign of life.
    Alive,
    Begin {
        stage: StageName,
        #[serde(default)]
        total: Option<u64>,
    },
    Advance {
        units: u64,
        records: u64,
    },
    Done(Done),
    Error {
        fault: FaultName,
        what: String,
        #[serde(default)]
        help: Vec<Hint>,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StageName {
    Decode,
    Encode,
}

/// Who must act; the other faults are distil's to tell.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultName {
    Input,
    Usage,
    Environment,
}

/// The end of a run that went well.
#[derive(Deserialize)]
pub(crate) struct Done {
    /// Records of every input, in order.
    inputs: Vec<u64>,
    written: u64,
    identical: u64,
    conflicting: u64,
    #[serde(default)]
    ignored_members: u64,
    #[serde(default)]
    rounded: u64,
    /// Pairs of JSON texts: survivor and dropped.
    #[serde(default)]
    conflicts: Vec<(String, String)>,
}

impl Done {
    /// The report of a run, as the process sends it.
    ///
    /// # Errors
    /// A bug of the process: its counts do not fit each other or the plan.
    pub(crate) fn report(self, name: &str, plan: &ResolvedPlan) -> Result<Report> {
        let mut report = Report::new(name);
        if self.inputs.len() != plan.inputs.len() {
            let (said, there) = (self.inputs.len(), plan.inputs.len());
            return Err(Error::bug(format!("it reports {said} inputs of {there}")));
        }
        let counts = [self.written, self.identical, self.conflicting];
        let sum = |counts: &[u64]| counts.iter().try_fold(0u64, |sum, n| sum.checked_add(*n));
        let (Some(read), Some(kept)) = (sum(&self.inputs), sum(&counts)) else {
            return Err(Error::bug("its counts are beyond all numbers"));
        };
        if read != kept {
            return Err(Error::bug(format!(
                "it read {read} records, but reports {} written, {} identical and {} conflicting",
                self.written, self.identical, self.conflicting
            )));
        }
        if plan.plan.dedup.is_none() && self.written != read {
            return Err(Error::bug("it dropped records, although the plan keeps all"));
        }
        let most = self.conflicting.min(10) as usize;
        if self.conflicts.len() > most || (most > 0 && self.conflicts.is_empty()) {
            return Err(Error::bug(format!(
                "it shows {} conflicts of {} conflicting records",
                self.conflicts.len(),
                self.conflicting
            )));
        }
        report.records.read = read;
        report.records.accepted = read;
        report.records.written = self.written;
        report.records.duplicates =
            Duplicates { identical: self.identical, conflicting: self.conflicting };
        report.records.ignored_members = self.ignored_members;
        report.records.rounded = self.rounded;
        for (kept, dropped) in self.conflicts {
            report.conflicts.push(Conflict { kept: image(kept)?, dropped: image(dropped)? });
        }
        report.inputs = plan
            .inputs
            .iter()
            .zip(self.inputs)
            .map(|(input, records)| InputReport {
                path: input.display(),
                bytes: input.bytes.unwrap_or(0),
                shape: input.shape.as_ref().map_or_else(String::new, ToString::to_string),
                compression: input.compression.unwrap_or_default().to_string(),
                records,
                ..InputReport::default()
            })
            .collect();
        Ok(report)
    }
}

fn image(text: String) -> Result<RowImage> {
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(raw) if raw.get().starts_with('{') => Ok(RowImage(text)),
        _ => Err(Error::bug("it shows a conflict that is not a JSON object")),
    }
}

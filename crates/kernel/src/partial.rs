//! What some slices came to before anyone has decided the output, and how such parts become one.
//!
//! For every cut of the inputs into slices, every grouping of slices into partials and every order of
//! [`Partial::combine`], [`Partial::finish`] gives the same: combining is a union, a sum and a minimum. A
//! slice that comes twice (of a task that was retried) is refused, and so is a set with a slice missing.

use std::collections::BTreeMap;

use distil_json::{MessageWriter, PassedOver, Seen};
use distil_plan::{BadPart, Error, InputReport, Reason, ResolvedPlan, Result, Schema};
use xxhash_rust::xxh3::xxh3_128;

use crate::decode::Run;
use crate::no_records::require_records;
use crate::slice::Slice;
use crate::splitters::Splitters;

/// Which job a partial belongs to: a hash of its resolved plan and its splitters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(pub(crate) u128);

impl JobId {
    /// The job of a plan whose rows go to the partitions of `splitters`.
    ///
    /// # Errors
    /// A bug if the plan has no JSON form.
    pub fn of(plan: &ResolvedPlan, splitters: &Splitters) -> Result<Self> {
        let text = serde_json::to_vec(plan)
            .map_err(|error| Error::bug(format!("the plan has no JSON form: {error}")))?;
        let mut message = MessageWriter::default();
        message.bytes(&text);
        splitters.write(&mut message);
        Ok(Self(xxh3_128(&message.finish())))
    }
}

/// What one slice held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Bytes after decompression.
    pub bytes: u64,
    /// Records found, bad ones included.
    pub records: u64,
    /// Bad records.
    pub bad_records: u64,
    /// Ranges in which no records can be told apart.
    pub bad_ranges: u64,
    /// Bytes of bad records and ranges.
    pub bad_bytes: u64,
    /// The shape that it was read as.
    pub shape: String,
    /// The compression of its input.
    pub compression: String,
    /// Members beside the records of its first value.
    pub ignored_members: Vec<String>,
    /// What it held beside records.
    pub passed_over: PassedOver,
}

impl Account {
    pub(crate) fn count_bad(&mut self, parts: &[BadPart]) {
        for part in parts {
            match part.reason {
                Reason::BrokenRange => self.bad_ranges += 1,
                _ => self.bad_records += 1,
            }
            self.bad_bytes += part.length;
        }
    }
}

/// What some slices of a job came to.
#[derive(Debug)]
pub struct Partial {
    /// The job.
    pub job: JobId,
    /// What each slice held.
    pub accounts: BTreeMap<Slice, Account>,
    /// Facts of all columns.
    pub seen: Seen,
    /// Rows by partition, of which a partition may have many runs.
    pub runs: Vec<Run>,
    /// Bad records, in order of input and offset.
    pub bad: Vec<BadPart>,
}

/// What all slices of a job came to.
#[derive(Debug)]
pub struct Finished {
    /// The schema of all records.
    pub schema: Schema,
    /// Facts of all columns.
    pub seen: Seen,
    /// What each input held.
    pub inputs: Vec<InputReport>,
    /// For each partition, in order, its buffers of rows, to be reduced.
    pub partitions: Vec<Vec<Vec<u8>>>,
    /// Bad records, in order of input and offset.
    pub bad: Vec<BadPart>,
    /// Records found, bad ones included.
    pub read: u64,
    /// Records that are not bad.
    pub accepted: u64,
}

impl Partial {
    /// Two partials as one.
    ///
    /// # Errors
    /// A bug if they are of different jobs, or both hold a slice.
    pub fn combine(mut self, other: Self) -> Result<Self> {
        if self.job != other.job {
            return Err(Error::bug("two partials are of different jobs"));
        }
        if let Some(slice) = other.accounts.keys().find(|slice| self.accounts.contains_key(slice)) {
            return Err(Error::bug(format!("{slice:?} is in two partials")));
        }
        self.accounts.extend(other.accounts);
        self.seen.join(&other.seen);
        self.runs.extend(other.runs);
        self.bad.extend(other.bad);
        self.bad.sort_by_key(|part| (part.input, part.offset));
        Ok(self)
    }

    /// All slices of a job, decided: `slices` are those that were cut of its inputs.
    ///
    /// # Errors
    /// A bug if a slice is missing, or is none of the job; an input error if the records do not allow a
    /// schema, or have no column that the plan names.
    pub fn finish(self, plan: &ResolvedPlan, slices: &[Slice]) -> Result<Finished> {
        if let Some(slice) = slices.iter().find(|slice| !self.accounts.contains_key(slice)) {
            return Err(Error::bug(format!("{slice:?} is missing")));
        }
        if self.accounts.len() != slices.len() {
            return Err(Error::bug("a slice is counted that was not cut"));
        }
        let mut inputs: Vec<InputReport> = plan
            .inputs
            .iter()
            .map(|input| InputReport {
                path: input.display(),
                bytes: input.bytes.unwrap_or_default(),
                ..InputReport::default()
            })
            .collect();
        for (slice, account) in &self.accounts {
            let Some(report) = inputs.get_mut(slice.input as usize) else {
                return Err(Error::bug(format!("{slice:?} is of an unknown input")));
            };
            if slice.begin == 0 {
                report.shape.clone_from(&account.shape);
                report.compression.clone_from(&account.compression);
                report.ignored_members.clone_from(&account.ignored_members);
            }
            report.records += account.records;
            report.without_records += account.passed_over.without;
            report.holes += account.passed_over.holes;
            report.quarantined += account.bad_records + account.bad_ranges;
        }
        let read = self.accounts.values().map(|account| account.records).sum();
        let bad: u64 = self.accounts.values().map(|account| account.bad_records).sum();
        let count = self.runs.iter().map(|run| run.partition as usize + 1).max().unwrap_or(0);
        let mut partitions = vec![Vec::new(); count];
        for run in self.runs {
            partitions[run.partition as usize].extend(run.rows);
        }
        plan.check_inputs(&inputs)?;
        let ranges = self.accounts.values().map(|account| account.bad_ranges).sum();
        require_records(plan, read, ranges)?;
        let schema = self.seen.schema()?;
        self.seen.require_chosen(&plan.plan, &schema)?;
        Ok(Finished {
            schema,
            seen: self.seen,
            inputs,
            partitions,
            bad: self.bad,
            read,
            accepted: read - bad,
        })
    }
}

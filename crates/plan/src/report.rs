//! The report of a run: one plain document, the same from every backend.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ColumnPath, DISTIL_VERSION, Error, FORMAT_VERSION, Hint, Reason, Repair, Schema, Type,
};

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The output is committed.
    Done,
    /// Nothing was committed, unless the error says otherwise.
    #[default]
    Failed,
    /// The plan was resolved, but not run.
    DryRun,
    /// There was no record and no declared schema, and the plan allows that: nothing was written, and an
    /// earlier output is as it was.
    Empty,
}

/// What became of the records. `read = accepted + quarantined.records`, and
/// `accepted = written + duplicates`, on every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCounts {
    /// Records found in the inputs, bad ones included.
    pub read: u64,
    /// Records that took part in the run.
    pub accepted: u64,
    /// Rows of the output.
    pub written: u64,
    /// Records that lost to a survivor.
    pub duplicates: Duplicates,
    /// Records and ranges that were set aside.
    pub quarantined: QuarantinedCounts,
    /// Members outside a declared schema that were left out.
    #[serde(default)]
    pub ignored_members: u64,
    /// Values that were rounded to a declared `float32` or `float64`.
    #[serde(default)]
    pub rounded: u64,
    /// Values in another spelling than their declared type has, for exactly the same value.
    #[serde(default)]
    pub converted: u64,
    /// Strings that the plan made null.
    #[serde(default)]
    pub nulled: u64,
}

/// Values of a column that were read otherwise than they stand, and where the first one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respelled {
    /// Values, in accepted records.
    pub count: u64,
    /// The file of the first record that has one.
    pub file: String,
    /// Where that record begins in it.
    pub offset: u64,
}

/// What was read of a column otherwise than it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReading {
    /// The column; the elements of a list are counted with it.
    pub column: ColumnPath,
    /// Whether it is a column of the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
    /// Values in another spelling than its declared type has, for exactly the same value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted: Option<Respelled>,
    /// Strings that the plan made null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulled: Option<Respelled>,
}

/// Records that lost to a survivor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// Equal to their survivor in every column.
    pub identical: u64,
    /// Of the same key, but different.
    pub conflicting: u64,
}

/// What was set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedCounts {
    /// Bad records.
    pub records: u64,
    /// Bad ranges: bytes in which no records could be told apart.
    pub ranges: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// How much was set aside for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The reason.
    pub reason: Reason,
    /// Records, or ranges.
    pub count: u64,
}

/// A record or a range that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsidePart {
    /// The file that it lies in.
    pub path: String,
    /// Its first byte, in the decompressed content; of Parquet the row.
    pub offset: u64,
    /// Why.
    pub reason: Reason,
    /// What exactly, for people; may quote data.
    pub detail: String,
}

/// How often something was mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairCount {
    /// What.
    pub repair: Repair,
    /// Values, escapes or members, in accepted records.
    pub count: u64,
    /// The file of the first, in the order of the inputs.
    pub path: String,
    /// Its byte in the decompressed content.
    pub offset: u64,
}

/// A row as canonical JSON text; numbers keep all their digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowImage(pub String);

impl Serialize for RowImage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.clone())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RowImage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().to_owned()))
    }
}

/// Two different records of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The row that survived.
    pub kept: RowImage,
    /// The first, in the order of the plan, of those that did not.
    pub dropped: RowImage,
}

/// What one file held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputReport {
    /// Its path, `-` for standard input.
    pub path: String,
    /// Bytes read, before decompression.
    pub bytes: u64,
    /// The shape that it was read as.
    pub shape: String,
    /// Its compression.
    pub compression: String,
    /// Records found, bad ones included.
    pub records: u64,
    /// Bad records and ranges.
    pub quarantined: u64,
    /// Members beside the records of its first value.
    pub ignored_members: Vec<String>,
    /// Values that have no records at the path of the plan.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub without_records: u64,
    /// Nulls among the records.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub holes: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A column of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// Whether no value ever said what the type is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
}

/// A column whose type is not that of most of its values, because of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeNote {
    /// One sentence, which the frame of the run ends with where the first of them is.
    pub text: String,
    /// Ordinal of the input that holds the first of them.
    pub input: u32,
    /// Offset of its record.
    pub offset: u64,
    /// Which value of the record it is, counted as the decoder does.
    pub ordinal: u32,
    /// What to do about it. A hint whose text begins with `and` belongs to the one before it.
    pub hints: Vec<Hint>,
}

/// The file of what was set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineFile {
    /// The path of the plan.
    pub path: String,
    /// Whether its records can be read again: those that say where they lie can't be.
    pub replays: bool,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputReport {
    /// The path of the plan.
    pub path: String,
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Row groups of all files.
    pub row_groups: u64,
    /// Digest of the rows, when the plan asks for it.
    pub digest: Option<String>,
    /// The file of bad records beside it, when the plan has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<QuarantineFile>,
    /// The path of the dropped records beside it, when the plan has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

/// Time and work of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// `decode`, `exchange`, `dedup`, `encode` ...
    pub name: String,
    /// Wall clock.
    pub seconds: f64,
    /// Processor time of all threads.
    pub cpu_seconds: f64,
    /// Bytes that went through.
    pub bytes: u64,
    /// Records or rows that went through.
    pub rows: u64,
}

/// The engine behind a backend that another process is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    /// Its version, as it says.
    pub version: String,
    /// What it calls the application that did the work, to find it in its own logs; `None` where it
    /// has no such name.
    pub application: Option<String>,
}

/// What the run used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceReport {
    /// Wall clock.
    pub seconds: f64,
    /// Processor time, user and system, of the process, and of all tasks on the nodes of a cluster.
    pub cpu_seconds: f64,
    /// Threads that the backend was given.
    pub threads: u64,
    /// The largest resident size of the process.
    pub peak_memory_bytes: u64,
    /// Bytes written to the temporary directory.
    pub spilled_bytes: u64,
    /// What tasks used on each node of a cluster, by host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeReport>,
}

/// What tasks used on a node of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// The name of the node, as whoever schedules there knows it.
    pub host: String,
    /// Tasks that ended, each attempt that counts.
    pub tasks: u64,
    /// Time that tasks took, one after another.
    pub seconds: f64,
    /// Processor time, user and system, of the processes in which tasks ran, while they ran.
    pub cpu_seconds: f64,
    /// The largest resident size of such a process.
    pub peak_memory_bytes: u64,
}

/// The error of a failed run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportError {
    /// The exit status that goes with it.
    pub exit_status: u8,
    /// The error itself.
    #[serde(flatten)]
    pub error: Error,
}

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this format.
    pub version: u32,
    /// Version of distil.
    pub distil: String,
    /// Name of the backend.
    pub backend: String,
    /// The engine behind the backend, where that is a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineReport>,
    /// How the run ended.
    pub status: Status,
    /// What became of the records.
    pub records: RecordCounts,
    /// What was set aside by reason, in the order of the contract.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ReasonCount>,
    /// The first ten records and ranges that were set aside, by input and offset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAsidePart>,
    /// What was mended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repaired: Vec<RepairCount>,
    /// What was read otherwise than it stands, by column: those of the key first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<ColumnReading>,
    /// The first ten conflicts, in key order.
    pub conflicts: Vec<Conflict>,
    /// The inputs, in order.
    pub inputs: Vec<InputReport>,
    /// The columns of the output.
    pub schema: Vec<SchemaColumn>,
    /// The first ten columns whose type a few values decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub type_notes: Vec<TypeNote>,
    /// What was written.
    pub output: OutputReport,
    /// Time and work by stage.
    pub stages: Vec<StageReport>,
    /// What the run used.
    pub resources: ResourceReport,
    /// Things to know, one sentence each.
    pub warnings: Vec<String>,
    /// Why the run failed.
    pub error: Option<ReportError>,
}

impl Report {
    /// An empty report of a run that has not ended.
    pub fn new(backend: impl Into<String>) -> Self {
        Self {
            version: FORMAT_VERSION,
            distil: DISTIL_VERSION.to_owned(),
            backend: backend.into(),
            engine: None,
            status: Status::Failed,
            records: RecordCounts::default(),
            reasons: Vec::new(),
            set_aside: Vec::new(),
            repaired: Vec::new(),
            readings: Vec::new(),
            conflicts: Vec::new(),
            inputs: Vec::new(),
            schema: Vec::new(),
            type_notes: Vec::new(),
            output: OutputReport::default(),
            stages: Vec::new(),
            resources: ResourceReport::default(),
            warnings: Vec::new(),
            error: None,
        }
    }

    /// Fills in the columns.
    pub fn set_schema(&mut self, schema: &Schema) {
        self.schema = schema
            .fields
            .iter()
            .map(|f| SchemaColumn {
                name: f.name.clone(),
                data_type: f.data_type.clone(),
                unknown: f.unknown,
            })
            .collect();
    }

    /// Checks that nothing was lost, in total and for every input.
    ///
    /// # Errors
    /// A bug, with the numbers: a run that breaks an identity must not commit.
    pub fn check_accounts(&self) -> Result<(), Error> {
        let r = &self.records;
        if r.read != r.accepted + r.quarantined.records {
            return Err(Error::bug(format!(
                "{} records were read, but {} accepted and {} quarantined",
                r.read, r.accepted, r.quarantined.records
            )));
        }
        let duplicates = r.duplicates.identical + r.duplicates.conflicting;
        if r.accepted != r.written + duplicates {
            return Err(Error::bug(format!(
                "{} records were accepted, but {} written and {duplicates} dropped as duplicates",
                r.accepted, r.written
            )));
        }
        let read: u64 = self.inputs.iter().map(|input| input.records).sum();
        let quarantined: u64 = self.inputs.iter().map(|input| input.quarantined).sum();
        if read != r.read || quarantined != r.quarantined.records + r.quarantined.ranges {
            return Err(Error::bug(format!(
                "the inputs have {read} records and {quarantined} bad parts, the run {} and {}",
                r.read,
                r.quarantined.records + r.quarantined.ranges
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_that_does_not_hold_is_a_bug() {
        let mut report = Report::new("native");
        report.records.read = 3;
        report.records.accepted = 3;
        report.records.written = 2;
        report.records.duplicates.identical = 1;
        report.inputs = vec![InputReport { records: 3, ..InputReport::default() }];
        report.check_accounts().unwrap();
        report.records.duplicates.identical = 0;
        assert_eq!(report.check_accounts().unwrap_err().fault, crate::Fault::Bug);
        report.records.written = 3;
        report.check_accounts().unwrap();
        report.inputs[0].records = 2;
        assert!(report.check_accounts().is_err());
    }

    #[test]
    fn a_report_keeps_all_digits_of_a_row() {
        let mut report = Report::new("native");
        let row = RowImage("{\"n\":123456789012345678901234567890.5}".into());
        report.conflicts = vec![Conflict { kept: row.clone(), dropped: row }];
        let text = serde_json::to_string(&report).unwrap();
        assert!(text.contains("123456789012345678901234567890.5"));
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }
}

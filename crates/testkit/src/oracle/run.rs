//! A whole run (4, 5): files and a plan in, everything that must come of them out.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use distil_plan::{
    BadPart, ColumnPath, ColumnReading, Direction, Fault, Field, InputCompression, Keep, Key,
    MaxQuarantined, OnConflict, OrderBy, Plan, Reason, RecordCounts, Repair, Shape, Type,
};

use super::admission::{Admission, Admitted};
use super::compare::compare;
use super::digest::digest;
use super::frames::{Framed, records};
use super::hive;
use super::infer;
use super::json::Value;
use super::place::{
    self, PLACE, compare_placed, digest_without_places, is_same, with_place, without_place,
};
use super::respelled::{Readings, count_respelled, in_order, settled};
use super::taken::taken;
use super::text::row_image;
use super::types::{EXTRA, Want, written};

/// Counts of a whole run.
pub type Counts = RecordCounts;

/// Everything that a run must give.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The columns that are written.
    pub schema: Vec<Field>,
    /// The rows, in order, every value as it is written.
    pub rows: Vec<Vec<Value>>,
    /// What became of the records.
    pub counts: Counts,
    /// What was read otherwise than it stands, by column: those of the key first.
    pub readings: Vec<ColumnReading>,
    /// The first ten conflicts: survivor and first loser, as canonical text.
    pub conflicts: Vec<(String, String)>,
    /// The conflicting losers, in order, every value as it is written.
    pub dropped: Vec<Vec<Value>>,
    /// Bad records and ranges, in order.
    pub bad: Vec<Bad>,
    /// What was mended: how often, and the file and byte of the first.
    pub repaired: Vec<(Repair, u64, String, u64)>,
    /// What every file held, in order.
    pub inputs: Vec<InputCounts>,
    /// The digest of the rows.
    pub digest: String,
    /// Things that must be told.
    pub warnings: Vec<Warning>,
}

/// A bad record or range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bad {
    /// Path of the file.
    pub file: String,
    /// First byte in the decompressed content.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Why.
    pub reason: Reason,
    /// The bytes of a record that is small enough.
    pub raw: Option<Vec<u8>>,
}

/// What a file held.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCounts {
    /// Its path.
    pub path: String,
    /// Its size, compressed; nothing when its compression breaks, as reading then ends anywhere.
    pub bytes: Option<u64>,
    /// The shape that it was read as.
    pub shape: String,
    /// Its compression.
    pub compression: InputCompression,
    /// Records, bad ones included.
    pub records: u64,
    /// Bad records and ranges.
    pub quarantined: u64,
    /// Members beside the array; nothing when the file breaks, as the walk then ends anywhere.
    pub ignored_members: Option<Vec<String>>,
    /// Values without records at the path, and nulls among the records.
    pub passed_over: (u64, u64),
}

/// Something that a run must tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// No value said what the type of this top-level column is.
    Unknown(String),
    /// Two top-level columns differ only in case.
    Case(String, String),
    /// There are conflicts, and the plan asked for a warning.
    Conflicts,
}

/// Why a run must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The plan contradicts itself.
    Plan,
    /// An error of a file.
    File,
    /// Bad records or ranges, and no quarantine.
    Bad,
    /// More in quarantine than the plan allows.
    TooManyBad,
    /// Records were read, but no row is left.
    NoRow,
    /// No value has records at the path.
    NoRecords,
    /// There is no record at all.
    NoRecord,
    /// There is no column at all.
    NoColumn,
    /// A column that the plan names is not there.
    MissingColumn,
    /// A key or order column is a list, a struct or `json`.
    NoScalar,
    /// More than 10,000 leaf columns.
    TooManyColumns,
    /// The text of a key or order column does not order like what it spells.
    MisleadingText,
    /// Conflicts, and the plan makes them an error.
    Conflicts,
}

/// A failure that a run must end with.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Which.
    pub kind: FailureKind,
    /// What exactly, for people.
    pub what: String,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// Whether an error of this fault tells it. What depends on both the plan and the data may be
    /// told as a fault of either.
    pub fn allows(&self, fault: Fault) -> bool {
        match self.kind {
            FailureKind::Plan => fault == Fault::Usage,
            FailureKind::MissingColumn | FailureKind::NoScalar => {
                matches!(fault, Fault::Input | Fault::Usage)
            }
            _ => fault == Fault::Input,
        }
    }
}

/// A value with the order of keys.
#[derive(PartialEq)]
struct KeyValue(Vec<Value>);

impl Eq for KeyValue {}

impl PartialOrd for KeyValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyValue {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs
            .map(|(a, b)| compare(a, b, Direction::Asc))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Runs a plan over files, given as path and content in any order.
///
/// # Errors
/// The failure that the run must end with.
pub fn run(plan: &Plan, files: &[(String, Vec<u8>)]) -> Result<Outcome, Failure> {
    let plan = plan.clone().check().map_err(|e| Failure::new(FailureKind::Plan, e.what))?;
    let admission = Admission::of(&plan);
    check_extra(&admission.want, admission.extra_column())?;
    check_declared(&plan, &admission.want)?;
    let files = taken(&plan, files)?;
    let plan = settled(plan.clone(), &files)?;
    let admission = Admission::of(&plan);
    let Admission { want, key, .. } = &admission;
    let extra_column = admission.extra_column();

    let mut counts = Counts::default();
    let mut bytes_read = 0;
    let mut mended = Vec::new();
    let mut readings: Readings = BTreeMap::new();
    let (mut accepted, mut bad, mut inputs) = (Vec::new(), Vec::new(), Vec::new());
    let mut without = 0;
    // Members that records with a null key have are there, too (2.5).
    let mut with_null_keys = Vec::new();
    for (path, bytes) in &files {
        let framed = framed(path, bytes, &plan)?;
        let before = bad.len();
        without += framed.without;
        bytes_read += framed.content.len() as u64;
        for (at, &(offset, length)) in framed.frames.iter().enumerate() {
            counts.read += 1;
            let raw = &framed.content[offset..offset + length];
            let place = place::members(&plan, path, offset);
            let admitted = admission.admit(raw, framed.added(at), &place);
            let Admitted { record, reason, notes, mends } = admitted;
            match (record, reason) {
                (Some(record), None) => {
                    counts.ignored_members += notes.ignored;
                    counts.rounded += notes.rounded;
                    mended.extend(
                        mends
                            .into_iter()
                            .map(|mend| (mend.repair, path.clone(), (offset + mend.at) as u64)),
                    );
                    counts.converted += notes.converted.len() as u64;
                    counts.nulled += notes.nulled.len() as u64;
                    count_respelled(&mut readings, &notes, (path.as_str(), offset as u64));
                    accepted.push(with_place(record, place));
                }
                (record, Some(reason)) => {
                    with_null_keys.extend(record);
                    let small = length as u64 <= BadPart::MAX_RAW && reason != Reason::TooLarge;
                    let raw = small.then(|| raw.to_vec());
                    let (offset, length) = (offset as u64, length as u64);
                    bad.push(Bad { file: path.clone(), offset, length, reason, raw });
                    counts.quarantined.records += 1;
                    counts.quarantined.bytes += length;
                }
                (None, None) => unreachable!(),
            }
        }
        let last = framed.broken_at.map(|at| (at, framed.content.len()));
        for (at, end) in framed.broken.iter().copied().chain(last) {
            let (offset, length) = (at as u64, (end - at) as u64);
            let reason = Reason::BrokenRange;
            bad.push(Bad { file: path.clone(), offset, length, reason, raw: None });
            counts.quarantined.ranges += 1;
            counts.quarantined.bytes += length;
        }
        // Of a page what is bad is told by its place, whatever kind it is.
        bad[before..].sort_by_key(|bad: &Bad| bad.offset);
        inputs.push(input_counts(path, bytes, &framed, bad.len() - before));
    }
    if without > 0 && counts.read == 0 {
        return Err(Failure::new(FailureKind::NoRecords, "no value has records at the path"));
    }
    let is_one_of = |shapes: &[&str]| {
        let is = |input: &&InputCounts| shapes.iter().any(|s| input.shape.starts_with(s));
        inputs.iter().filter(|input| input.records > 0 || input.shape.contains('/')).any(|i| is(&i))
    };
    let is_auto = plan.shape == Shape::Auto && plan.records.is_none();
    if is_auto && is_one_of(&["document"]) && is_one_of(&["lines", "concatenated"]) {
        return Err(Failure::new(FailureKind::File, "some inputs are documents, others are not"));
    }
    let is_allowed = plan.allow_empty && plan.schema.declared.is_some();
    if counts.read + counts.quarantined.ranges == 0 && !is_allowed {
        return Err(Failure::new(FailureKind::NoRecord, "no records"));
    }
    counts.accepted = accepted.len() as u64;
    let accepted: Vec<&Value> = accepted.iter().collect();

    let mut schema = infer::schema(&accepted, want);
    if plan.origin {
        schema.retain(|field| !PLACE.contains(&field.name.as_str()));
        schema.push(Field::new(PLACE[0], Type::String));
        schema.push(Field::new(PLACE[1], Type::Int64));
    }
    if extra_column {
        schema.retain(|field| field.name != EXTRA);
        schema.push(Field::new(EXTRA, Type::Json));
    }
    check_named(&plan, &schema, &with_null_keys)?;
    check_bad(&plan, &counts, &bad, bytes_read)?;
    check_schema(&plan, &schema, want, &accepted)?;

    let groups = groups(&plan, key, &accepted);
    let readings = in_order(readings, key, &schema);
    let mut outcome = Outcome {
        readings,
        schema: match &plan.columns {
            Some(columns) => infer::project(&schema, columns),
            None => schema.clone(),
        },
        rows: vec![],
        counts,
        conflicts: vec![],
        dropped: vec![],
        bad,
        repaired: count_mends(&mended),
        inputs,
        digest: String::new(),
        warnings: vec![],
    };
    for group in groups.values() {
        outcome.take(&plan, &schema, group);
    }
    if counts.read > 0 && outcome.rows.is_empty() {
        return Err(Failure::new(FailureKind::NoRow, "no record is left"));
    }
    outcome.warn(&plan)?;
    let names: Vec<String> = outcome.schema.iter().map(|f| f.name.clone()).collect();
    outcome.digest = match plan.origin {
        true => digest_without_places(&outcome.schema, &outcome.rows),
        false => digest(&names, &outcome.rows),
    };
    Ok(outcome)
}

/// How often each kind was mended, and where first, given in the order of files and records.
fn count_mends(mended: &[(Repair, String, u64)]) -> Vec<(Repair, u64, String, u64)> {
    let of = |repair: Repair| {
        let all = || mended.iter().filter(move |(other, ..)| *other == repair);
        let (_, file, _) = all().next()?;
        let at = all().filter(|(_, other, _)| other == file).map(|(.., at)| *at).min()?;
        Some((repair, all().count() as u64, file.clone(), at))
    };
    Repair::ALL.into_iter().filter_map(of).collect()
}

/// The frames of a file.
pub(super) fn framed(path: &str, bytes: &[u8], plan: &Plan) -> Result<Framed, Failure> {
    let failed = |what: String| Failure::new(FailureKind::File, format!("{path}: {what}"));
    let mut framed = records(bytes, plan).map_err(failed)?;
    if plan.hive {
        let members = hive::members(path).map_err(failed)?;
        framed.added.resize(framed.frames.len(), Vec::new());
        for added in &mut framed.added {
            added.splice(0..0, members.clone());
        }
    }
    Ok(framed)
}

fn input_counts(path: &str, bytes: &[u8], framed: &Framed, quarantined: usize) -> InputCounts {
    InputCounts {
        path: path.to_owned(),
        bytes: (!framed.cut).then_some(bytes.len() as u64),
        shape: framed.shape.to_string(),
        compression: framed.compression,
        records: framed.frames.len() as u64,
        quarantined: quarantined as u64,
        ignored_members: framed.broken_at.is_none().then(|| framed.ignored_members.clone()),
        passed_over: (framed.without, framed.holes),
    }
}

/// A schema can't declare the column of extra members.
fn check_extra(want: &Want, extra_column: bool) -> Result<(), Failure> {
    let declared = match want {
        Want::Exact(Type::Struct(fields)) => fields.iter().any(|f| f.name == EXTRA),
        Want::Open(hints) => hints.iter().any(|(name, _)| name == EXTRA),
        _ => false,
    };
    if declared && extra_column {
        return Err(Failure::new(FailureKind::Plan, "_extra is declared"));
    }
    Ok(())
}

/// What the plan says of its key and order is known before anything is read.
fn check_declared(plan: &Plan, want: &Want) -> Result<(), Failure> {
    for (path, _) in &plan.null_text.columns {
        if infer::declared(want, path) == Some(None) {
            return Err(Failure::new(FailureKind::MissingColumn, path.to_string()));
        }
    }
    for path in ordering_columns(plan).into_iter().filter(|path| !place::is_place(plan, path)) {
        match infer::declared(want, path) {
            Some(None) => return Err(Failure::new(FailureKind::MissingColumn, path.to_string())),
            Some(Some(data_type)) if !data_type.is_scalar() => {
                return Err(Failure::new(FailureKind::NoScalar, path.to_string()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the order says of a column that is not one of the key.
fn order_of<'a>(plan: &'a Plan, path: &ColumnPath) -> Option<&'a OrderBy> {
    plan.dedup.iter().flat_map(|dedup| &dedup.order_by).find(|order| order.column == *path)
}

/// The columns that a plan names for keys and orders.
pub(super) fn ordering_columns(plan: &Plan) -> Vec<&ColumnPath> {
    let Some(dedup) = &plan.dedup else { return vec![] };
    let key = match &dedup.key {
        Key::Columns(columns) => columns.as_slice(),
        Key::Record => &[],
    };
    key.iter().chain(dedup.order_by.iter().map(|order| &order.column)).collect()
}

/// Columns that a plan names must be in the schema, or in one of some other records.
fn check_named(plan: &Plan, schema: &[Field], others: &[Value]) -> Result<(), Failure> {
    let nulled = plan.null_text.columns.iter().map(|(path, _)| path);
    let written = plan.columns.iter().flatten().chain(&plan.sink.bloom).chain(nulled);
    for path in ordering_columns(plan).into_iter().chain(written) {
        let in_others = others.iter().any(|record| infer::has_member(record, path));
        if !in_others && !infer::has(schema, path) {
            return Err(Failure::new(FailureKind::MissingColumn, path.to_string()));
        }
    }
    Ok(())
}

/// What bad records mean for the run (4).
fn check_bad(plan: &Plan, counts: &Counts, bad: &[Bad], bytes: u64) -> Result<(), Failure> {
    if bad.is_empty() {
        return Ok(());
    }
    if plan.quarantine.path.is_none() {
        return Err(Failure::new(FailureKind::Bad, format!("{:?}", bad[0])));
    }
    let parts = bad.len() as u64;
    let too_many = match plan.quarantine.max {
        None => false,
        Some(MaxQuarantined::Count(most)) => parts > most,
        Some(MaxQuarantined::Percent(most)) => {
            parts as f64 * 100.0 > most * counts.read as f64
                || counts.quarantined.bytes as f64 * 100.0 > most * bytes as f64
        }
    };
    if too_many {
        return Err(Failure::new(FailureKind::TooManyBad, format!("{parts}")));
    }
    if counts.read > 0 && counts.accepted == 0 {
        return Err(Failure::new(FailureKind::NoRow, "no record is left"));
    }
    Ok(())
}

fn check_schema(
    plan: &Plan,
    schema: &[Field],
    want: &Want,
    records: &[&Value],
) -> Result<(), Failure> {
    if schema.is_empty() {
        return Err(Failure::new(FailureKind::NoColumn, "no column"));
    }
    check_named(plan, schema, &[])?;
    if Type::Struct(schema.to_vec()).leaf_count() > 10_000 {
        return Err(Failure::new(FailureKind::TooManyColumns, "too many columns"));
    }
    let found = distil_plan::Schema { fields: schema.to_vec() };
    for path in ordering_columns(plan) {
        let data_type = found.find(path).unwrap();
        if !data_type.is_scalar() {
            return Err(Failure::new(FailureKind::NoScalar, format!("{path} {data_type}")));
        }
        let inferred = *data_type == Type::String
            && infer::declared(want, path).is_none()
            && !place::is_place(plan, path);
        let misleads = match order_of(plan, path) {
            None => infer::mixes_instants(records, path),
            Some(order) => {
                let last = plan.dedup.as_ref().is_some_and(|d| d.keep == Keep::Last);
                let ascends = (order.direction == Direction::Asc) != last;
                !order.as_text && infer::misleads(records, path, ascends)
            }
        };
        if inferred && misleads {
            return Err(Failure::new(FailureKind::MisleadingText, path.to_string()));
        }
    }
    Ok(())
}

/// The records of every key, in order (3.2); without dedup every record is its own.
fn groups<'a>(
    plan: &Plan,
    key: &[ColumnPath],
    records: &[&'a Value],
) -> BTreeMap<(KeyValue, usize), Vec<&'a Value>> {
    let mut groups: BTreeMap<_, Vec<&Value>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let values = match plan.dedup.as_ref().map(|d| &d.key) {
            Some(Key::Columns(_)) => key.iter().map(|p| infer::at(record, p).clone()).collect(),
            Some(Key::Record) | None if plan.origin => vec![without_place(record)],
            Some(Key::Record) | None => vec![(*record).clone()],
        };
        let apart = if plan.dedup.is_some() { 0 } else { at };
        groups.entry((KeyValue(values), apart)).or_default().push(*record);
    }
    let Some(dedup) = &plan.dedup else { return groups };
    let turn = |direction: Direction| match dedup.keep {
        Keep::First => direction,
        Keep::Last => direction.reversed(),
    };
    for group in groups.values_mut() {
        group.sort_by(|a, b| {
            dedup
                .order_by
                .iter()
                .map(|order| {
                    let (a, b) = (infer::at(a, &order.column), infer::at(b, &order.column));
                    compare(a, b, turn(order.direction))
                })
                .find(|order| order.is_ne())
                .unwrap_or_else(|| compare_placed(plan, a, b, turn(Direction::Asc)))
        });
    }
    groups
}

impl Outcome {
    /// Adds the records of one key, in order.
    fn take(&mut self, plan: &Plan, schema: &[Field], group: &[&Value]) {
        let row = |record: &Value| -> Vec<Value> {
            self.schema.iter().map(|f| written(&f.data_type, record.member(&f.name))).collect()
        };
        let survivor = group[0];
        let (same, losers): (Vec<&Value>, Vec<&Value>) =
            group[1..].iter().partition(|record| is_same(plan, survivor, record));
        let rows: Vec<_> = losers.iter().map(|r| row(r)).collect();
        self.rows.push(row(survivor));
        self.counts.written += 1;
        self.counts.duplicates.identical += same.len() as u64;
        self.counts.duplicates.conflicting += losers.len() as u64;
        if plan.dropped.is_some() {
            self.dropped.extend(rows);
        }
        if let Some(first) = losers.first().filter(|_| self.conflicts.len() < 10) {
            self.conflicts.push((row_image(schema, survivor), row_image(schema, first)));
        }
    }

    fn warn(&mut self, plan: &Plan) -> Result<(), Failure> {
        let mode = plan.dedup.as_ref().map(|d| d.on_conflict);
        if self.counts.duplicates.conflicting > 0 {
            match mode {
                Some(OnConflict::Error) => {
                    return Err(Failure::new(FailureKind::Conflicts, self.conflicts[0].0.clone()));
                }
                Some(OnConflict::Warn) => self.warnings.push(Warning::Conflicts),
                _ => {}
            }
        }
        for (at, field) in self.schema.iter().enumerate() {
            if field.unknown {
                self.warnings.push(Warning::Unknown(field.name.clone()));
            }
            let same = |f: &&Field| f.name.to_lowercase() == field.name.to_lowercase();
            if let Some(twin) = self.schema[..at].iter().find(same) {
                self.warnings.push(Warning::Case(twin.name.clone(), field.name.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

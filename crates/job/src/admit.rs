//! Input for a backend that does not judge it: sniffed, typed, and vouched for by a native scan.
//!
//! Other parsers drop bytes after a value, replace bad UTF-8, take the last of two members or turn
//! numbers into strings, all in silence. So a backend that reads JSON with another parser only gets
//! input in which the native engine found every record valid and typed, unless the plan says
//! `assume_valid`.

use distil_json::{Framer, RecordTally, Step};
use distil_plan::{
    Backend, Code, ColumnPath, ColumnReading, Error, ExtraMembers, Field, Hint, Input,
    InputCompression, InputFormat, InputReport, Need, Plan, Report, ResolvedPlan, Result, Schema,
    Shape, Type, TypeNote, Watch,
};
use distil_storage::{InputStream, Storage};

use crate::discover::Discovery;
use crate::resolve::Resolved;

/// What a scan of all inputs found.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// The schema, as a run would write it.
    pub schema: Schema,
    /// Columns whose type a few values decided.
    pub type_notes: Vec<TypeNote>,
    /// The inputs of the plan, in order; none with a bad record or range.
    pub inputs: Vec<InputReport>,
    /// Counts of the accepted records.
    pub tally: RecordTally,
    /// What was read otherwise than it stands, by column.
    pub readings: Vec<ColumnReading>,
}

impl Scanned {
    /// Whether values are read otherwise than they stand.
    pub(crate) fn is_respelled(&self) -> bool {
        self.tally.converted > 0 || self.tally.nulled > 0
    }
}

/// Reads all inputs of a plan and keeps none of their records. The native engine is one.
pub trait Scan: Sync {
    /// Judges every record by the contract and settles the schema.
    ///
    /// # Errors
    /// As a native run without a quarantine file: bad records, a key that is not there, no schema.
    fn scan(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Scanned>;

    /// Finds the inferred columns in which the texts that the plan gives without a column stand for null.
    ///
    /// # Errors
    /// As [`Scan::scan`].
    fn null_text_columns(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Vec<ColumnPath>>;
}

/// Settles a resolved plan for a backend that does not do it by itself: afterwards every input has
/// its compression and shape, the schema is there, and the plan is `admitted`. Any other plan stays
/// as it is.
///
/// The types of the schema are those that values are read as: an `epoch(s)` that was declared is an
/// `epoch(s)`, and not the timestamp that is written.
///
/// Returns what the scan found, if there was one.
///
/// # Errors
/// An input error for records that only a backend with [`Need::BadRecords`] could set aside; a usage
/// error if the backend can't read the inputs a second time, or the plan assumes valid input without declaring
/// a schema; as [`Scan::scan`].
pub fn admit(
    storage: &dyn Storage,
    resolved: &mut Resolved,
    backend: &dyn Backend,
    scan: Option<&dyn Scan>,
    watch: Watch<'_>,
) -> Result<Option<Scanned>> {
    // Rows are not settled for a parser of JSON: a backend that does not read them is refused.
    if resolved.plan.plan.format == InputFormat::Parquet
        || backend.supports(&Need::BadRecords)?.is_yes()
    {
        return Ok(None);
    }
    let name = backend.name();
    let Resolved { plan: resolved, .. } = resolved;
    if let Some(stream) = resolved.inputs.iter().find(|input| input.bytes.is_none()) {
        return Err(Error::usage(format!(
            "the backend {name} reads its input after distil has checked it, and {} can be read \
             only once",
            stream.display()
        ))
        .help("save it to a file first")
        .help(Hint::native("or run it on the native engine")));
    }
    let scanned = if resolved.plan.assume_valid {
        resolved.schema = Some(assumed(&resolved.plan, name)?);
        for input in &mut resolved.inputs {
            watch.cancel.check()?;
            sniff(storage, &resolved.plan, input)?;
        }
        None
    } else {
        let scan = scan.ok_or_else(|| {
            Error::usage(format!(
                "the backend {name} needs a native scan of its input, and there is none here"
            ))
            .help(Hint::native("run it on the native engine"))
        })?;
        let scanned = scan.scan(resolved, watch).map_err(|error| only_valid(error, name))?;
        for (input, found) in resolved.inputs.iter_mut().zip(&scanned.inputs) {
            if found.quarantined > 0 {
                let what = Error::input(format!("{} bad records", found.quarantined));
                let what = what.coded(Code::BadRecords).at(input.display(), None);
                return Err(only_valid(what, name));
            }
            input.shape = Some(found.shape.parse()?);
            input.compression = Some(compression(&found.compression)?);
        }
        resolved.schema = Some(resolved.plan.schema.as_read(scanned.schema.clone()));
        Some(scanned)
    };
    resolved.admitted = true;
    Ok(scanned)
}

/// Checks the report of a backend against what is known without it, after the run: the files are
/// still those that were scanned, and the backend read the same records.
///
/// # Errors
/// An input error for a file that changed; an environment error for a backend that read something
/// else.
pub(crate) fn confirm(
    storage: &dyn Storage,
    discovery: &Discovery,
    scanned: Option<Scanned>,
    report: &mut Report,
) -> Result<()> {
    for found in &discovery.inputs {
        let now = storage.metadata(&found.path)?.map(|metadata| metadata.stamp);
        if found.stamp.is_some() && now != found.stamp {
            return Err(Error::input("the file was changed while it was read")
                .at(found.path.to_string_lossy(), None)
                .help("wait until nothing writes to it any more, and run again"));
        }
    }
    let Some(scanned) = scanned else {
        report.warnings.insert(
            0,
            "the plan says assume_valid: no native scan vouches for the records".to_owned(),
        );
        return Ok(());
    };
    if report.inputs.is_empty() {
        // A backend that only knows how many records it read in total.
        let found: u64 = scanned.inputs.iter().map(|input| input.records).sum();
        if report.records.read != found {
            return Err(read_otherwise(report, report.records.read, found));
        }
        report.inputs.clone_from(&scanned.inputs);
    }
    if report.inputs.len() != scanned.inputs.len() {
        return Err(Error::environment(format!(
            "the backend {} reports {} inputs, but there are {}",
            report.backend,
            report.inputs.len(),
            scanned.inputs.len()
        )));
    }
    for (said, found) in report.inputs.iter().zip(&scanned.inputs) {
        if said.records != found.records {
            return Err(
                read_otherwise(report, said.records, found.records).at(found.path.clone(), None)
            );
        }
    }
    report.inputs = scanned.inputs;
    report.type_notes = scanned.type_notes;
    report.records.ignored_members = scanned.tally.ignored_members;
    report.records.rounded = scanned.tally.rounded;
    report.records.converted = scanned.tally.converted;
    report.records.nulled = scanned.tally.nulled;
    report.readings = scanned.readings;
    Ok(())
}

fn read_otherwise(report: &Report, read: u64, found: u64) -> Error {
    Error::environment(format!(
        "the backend {} read {read} records, where distil found {found}",
        report.backend
    ))
    .help(Hint::native("run it on the native engine, and report this with the file"))
}

/// Bad records, told to someone whose backend has no quarantine.
fn only_valid(error: Error, name: &str) -> Error {
    if error.code != Code::BadRecords {
        return error;
    }
    let mut refusal = error.clone();
    refusal.what = format!(
        "the backend {name} can't set bad records aside, so it only takes input in which every \
         record is valid; there is: {}",
        error.what
    );
    refusal = refusal.refuse(name, &[Need::BadRecords]);
    // What would lose records is not advised by the native engine either.
    if !error.hints.iter().any(|hint| hint.is_about("quarantine")) {
        return refusal;
    }
    refusal.hints.retain(|hint| !hint.is_about("quarantine"));
    refusal.help(Hint::native("let the native engine set them aside")).help(Hint::set(
        "and say where",
        "quarantine",
        "FILE.ndjson",
    ))
}

/// The schema of a plan whose input is not scanned.
fn assumed(plan: &Plan, name: &str) -> Result<Schema> {
    let Some(mut schema) = plan.schema.declared.clone() else {
        return Err(Error::usage(format!(
            "the plan says assume_valid, so nothing is scanned, but the backend {name} needs a \
             schema"
        ))
        .help(Hint::choose("declare the columns, or leave out assume_valid", "schema")));
    };
    if plan.extra_members == ExtraMembers::Keep {
        schema.fields.push(Field::new("_extra", Type::Json));
    }
    let dedup = plan.dedup.iter();
    let keys = dedup.clone().flat_map(|dedup| match &dedup.key {
        distil_plan::Key::Columns(columns) => columns.as_slice(),
        distil_plan::Key::Record => &[],
    });
    let order: Vec<&ColumnPath> = keys
        .chain(dedup.flat_map(|dedup| dedup.order_by.iter().map(|order| &order.column)))
        .collect();
    let others = plan.columns.iter().flatten().chain(&plan.sink.bloom);
    let columns = schema.index();
    for path in order.iter().copied().chain(others) {
        if columns.find(path).is_none() {
            return Err(Error::usage(format!("the declared schema has no column {path}")));
        }
    }
    match order.iter().find(|path| columns.find(path).is_some_and(|found| !found.is_scalar())) {
        Some(path) => Err(Error::usage(format!(
            "the column {path} is a list, a struct or json, which has no place in a key or an order"
        ))),
        None => Ok(schema),
    }
}

fn compression(text: &str) -> Result<InputCompression> {
    InputCompression::ALL
        .into_iter()
        .find(|one| one.to_string() == text)
        .ok_or_else(|| Error::bug(format!("a scan reports the compression `{text}`")))
}

/// Recognises compression and shape from the beginning of an input.
///
/// # Errors
/// An environment error when it can't be read, an input error if it is not what the plan says.
pub fn sniff(storage: &dyn Storage, plan: &Plan, input: &mut Input) -> Result<()> {
    let mut stream = InputStream::open(storage, &input.path)?;
    input.compression = Some(stream.compression());
    let mut framer = Framer::of(plan, &plan.shape);
    let mut window: Vec<u8> = Vec::new();
    let mut begin = 0;
    let mut eof = false;
    // Of records under a path only the end of the file says whether it is one document.
    while *framer.shape() == Shape::Auto || plan.records.is_some() {
        match framer.step(&window[begin..], eof) {
            Step::Slice { used, .. } | Step::Bad { used, .. } | Step::Skip { used } => {
                begin += used
            }
            Step::More => {
                window.drain(..begin);
                begin = 0;
                let filled = window.len();
                window.resize((filled * 2).max(1 << 16), 0);
                let count = stream.read(&mut window[filled..])?;
                window.truncate(filled + count);
                eof = count == 0;
            }
            Step::Done => break,
            Step::Fail(error) => {
                let error = Error { place: None, ..error }.with_file(&input.display());
                return Err(error.at(input.display(), None));
            }
        }
    }
    input.shape = Some(match framer.shape() {
        Shape::Auto => Shape::Lines,
        known => known.clone(),
    });
    Ok(())
}

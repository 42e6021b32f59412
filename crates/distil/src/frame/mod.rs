//! The DataFrame: rows that are described first and read when something is asked of them.

mod ask;
mod kept;
mod output;
mod read;
mod rows;
mod scratch;
mod scratch_file;
mod source;
mod steps;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{
    Cancel, Code, ColumnPath, Compression, Error, Events, Fault, Key, Layout, Plan, Report, Result,
    RowImage, Schema, Sink, Status, scheme,
};

use serde_json::value::RawValue;

pub use output::Output;
pub use read::Paths;
pub use rows::{Rows, RowsReader};
pub(crate) use source::Source;
pub use steps::Dedup;
pub(crate) use steps::PlanStep;
pub use table::Table;

pub(crate) use self::scratch::Scratch;
use self::source::{Prepared, rename};
use self::steps::{Step, paths, plan_steps};
use crate::Session;

/// Rows, by what is to be done to get them: nothing is read before something is asked of them, and
/// whatever it is, the backend of the session gets whole plans to run.
///
/// Steps mean what their position says: a selection after [`DataFrame::drop_duplicates`] does not
/// change which rows stay, one before does. Rows come sorted by the key of the last
/// `drop_duplicates`, and where there is none, or it is not selected, by the whole row as it was read.
///
/// ```
/// use distil::{Dedup, Keep, Session};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let incoming = directory.path().join("incoming");
/// # let output = directory.path().join("events.parquet");
/// # std::fs::create_dir(&incoming).unwrap();
/// # std::fs::write(incoming.join("a.json"), r#"{"id":2,"ts":1,"data":"B"}
/// # {"id":1,"ts":1,"data":"C"}
/// # {"id":1,"ts":0,"data":"A"}"#).unwrap();
/// # let (incoming, output) = (incoming.as_path(), output.to_str().unwrap());
/// let session = Session::from_env()?;
/// let report = session
///     .read_json(incoming)
///     .drop_duplicates(Dedup::on(["ts"]).order_by(["id", "data"]).keep(Keep::First))
///     .write_parquet(output)?;
/// assert_eq!(report.records.written, 2);
///
/// let rows = session.read_parquet(output).select(["ts", "data"]).head(10)?.rows;
/// assert_eq!(rows[0].0, r#"{"ts":0,"data":"A"}"#);
/// assert_eq!(rows[1].0, r#"{"ts":1,"data":"C"}"#);
/// # Ok::<(), distil::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is read before something is asked of the rows"]
pub struct DataFrame {
    session: Session,
    source: Source,
    steps: Vec<Step>,
}

impl DataFrame {
    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// These rows, with other events and another wish to stop for what is run for them.
    pub fn watched(mut self, events: Arc<dyn Events>, cancel: Cancel) -> Self {
        self.session = self.session.watched(events, cancel);
        self
    }

    /// These rows; the report of each run for them is written here, too.
    pub fn reporting(mut self, path: Option<PathBuf>) -> Self {
        self.session = self.session.reporting(path);
        self
    }

    /// These columns, in this order. A dot leads into a struct: `a.b`.
    pub fn select<S: AsRef<str>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        self.then(Step::Select(paths(columns)))
    }

    /// Other names for columns, as pairs of old and new. A name is taken as it is: a dot leads
    /// nowhere.
    pub fn rename<A: Into<String>, B: Into<String>>(
        self,
        names: impl IntoIterator<Item = (A, B)>,
    ) -> Self {
        let names = names.into_iter().map(|(old, new)| (old.into(), new.into()));
        self.then(Step::Rename(names.collect()))
    }

    /// One row of every key.
    pub fn drop_duplicates(self, dedup: Dedup) -> Self {
        self.then(Step::DropDuplicates(dedup))
    }

    /// Writes the rows: to a file if the name ends in `.parquet`, else to a directory. An output that
    /// exists is an error; [`DataFrame::write`] knows more.
    ///
    /// # Errors
    /// As [`DataFrame::run`].
    pub fn write_parquet(&self, path: impl AsRef<Path>) -> Result<Report> {
        self.write(Sink::new(path.as_ref()))
    }

    /// Writes the rows to an output, of which a [`Sink`] alone is one. The report covers all that was read, whatever number of
    /// plans it took.
    ///
    /// # Errors
    /// As [`DataFrame::run`].
    pub fn write(&self, output: impl Into<Output>) -> Result<Report> {
        let (report, result) = self.run(output);
        result.map(|()| report)
    }

    /// Writes the rows to an output, and reports of a run that failed, too.
    ///
    /// # Errors
    /// See [`Fault`](distil_plan::Fault); with `AfterCommit` the output is there, but the report or a
    /// final sync failed. For the steps, a usage error for what can't be meant.
    pub fn run(&self, output: impl Into<Output>) -> (Report, Result<()>) {
        let output = output.into();
        let path = output.sink.path.clone();
        let beside = path.parent().unwrap_or(Path::new(""));
        let plan_steps = match self.plan_steps() {
            Ok(plan_steps) => plan_steps,
            Err(error) => return self.session.refused(&path, error),
        };
        if let (Source::Json(plan), [plan_step]) = (&self.source, plan_steps.as_slice()) {
            // Nothing lies between the source and the sink, so no place for it is needed.
            let plan = output.of((**plan).clone(), true, true);
            return self.session.run(plan_step.of(Plan { sink: output.sink, ..plan }));
        }
        match self.scratch(Some(beside)) {
            Ok(scratch) => {
                // One report tells of all plans.
                let session = self.session.clone().reporting(None);
                let frame = Self { session, ..self.clone() };
                let whole = Plan::new(self.source.paths(), output.sink.clone());
                self.session
                    .reported(whole, |_| frame.run_plans(&plan_steps, &output, scratch.path()))
            }
            Err(error) => self.session.refused(&path, error),
        }
    }

    /// The columns and their types. JSON is read for it whole: types come from all the data. Parquet, and
    /// so a cached frame, tells them by its footers.
    ///
    /// # Errors
    /// As [`Session::infer`], and for the steps, a usage error for what can't be meant.
    pub fn schema(&self) -> Result<Schema> {
        let plan_steps = self.plan_steps()?;
        if let Source::Json(plan) = &self.source
            && plan.quarantine.path.is_some()
        {
            // Inference refuses bad records; what a run leaves out says nothing of the types.
            return self.cached_privately()?.schema();
        }
        let [first, rest @ ..] = plan_steps.as_slice() else { return Ok(Schema::default()) };
        let mut schema = match self.source.schema(&*self.session.stores(), first)? {
            Some(schema) => schema,
            None => match &self.source {
                Source::Json(plan) => {
                    let plan = Plan { sink: Sink::new("schema.parquet"), ..(**plan).clone() };
                    self.session.infer(Plan { dedup: first.dedup.clone(), ..plan })?.schema
                }
                _ => Schema::default(),
            },
        };
        schema = selected(schema, first)?;
        for plan_step in rest {
            schema = selected(rename(schema, plan_step)?, plan_step)?;
        }
        for field in &mut schema.fields {
            field.data_type = field.data_type.stored();
        }
        Ok(schema)
    }

    /// What would be done, for people: the steps of every plan, and the backend.
    ///
    /// # Errors
    /// A usage error for a step that can't be meant.
    pub fn explain(&self) -> Result<String> {
        let plan_steps = self.plan_steps()?;
        let count = plan_steps.len();
        let mut text = format!("backend {}\n", self.session.backend.name());
        for (at, plan_step) in plan_steps.iter().enumerate() {
            text.push_str(&format!("plan {} of {count}\n", at + 1));
            match at {
                0 => text.push_str(&format!("  {}\n", self.source.describe())),
                _ => text.push_str(&format!("  read the rows of plan {at}\n")),
            }
            text.push_str(&describe(plan_step));
        }
        Ok(text)
    }

    fn plan_steps(&self) -> Result<Vec<PlanStep>> {
        if let Source::Wrong(error) = &self.source {
            return Err(error.clone());
        }
        let before = match &self.source {
            Source::Kept(kept) => Some(&kept.written_by),
            _ => None,
        };
        plan_steps(&self.steps, self.source.can_rename(), before)
    }

    /// A directory that is removed with all that is in it.
    fn scratch(&self, beside: Option<&Path>) -> Result<Scratch> {
        let system = std::env::temp_dir();
        let session = &self.session;
        // Stores have no directories, or none in which a file is read while it is written.
        let beside = beside.filter(|beside| scheme(beside).is_none());
        let directory = session.options().temp_dir.as_deref().or(beside).unwrap_or(&system);
        Scratch::new(&session.storage, directory)
    }

    /// Runs one plan after another, the last into the sink.
    fn run_plans(
        &self,
        plan_steps: &[PlanStep],
        output: &Output,
        scratch: &Path,
    ) -> (Report, Result<()>) {
        let sink = &output.sink;
        let mut source = self.source.clone();
        let mut done: Option<Report> = None;
        let storage = &*self.session.stores();
        for (at, plan_step) in plan_steps.iter().enumerate() {
            let is_last = at + 1 == plan_steps.len();
            let next = temporary(scratch, &format!("plan-{at}"));
            let sink_now = if is_last { sink.clone() } else { next.clone() };
            let prepared = source.plan(&self.session, plan_step, scratch, sink_now);
            let Prepared { plan, private, is_for_once } = match prepared {
                Ok(prepared) => prepared,
                Err(error) => return self.session.refused(&sink.path, error),
            };
            let plan = output.of(plan, at == 0, is_last);
            let (mut report, mut result) = self.session.run(plan_step.of(plan));
            report.output.path = sink.path.to_string();
            if let Some(private) = &private {
                // The file in between is of no interest.
                tell_of(&source, private, &mut report, &mut result);
            }
            let report = match done.take() {
                None => report,
                Some(earlier) => joined(under_new_names(earlier, plan_step), report),
            };
            match result {
                // What lies between is not the output: of that nothing was written.
                Err(error) if error.fault == Fault::AfterCommit && !is_last => {
                    let error = Error { output: None, ..error.coded(Code::Environment) };
                    return self.session.refused(&sink.path, error);
                }
                Err(error) => return (report, Err(error)),
                // Nothing was written that the next plan could read.
                Ok(()) if report.status == Status::Empty => return (report, Ok(())),
                Ok(()) => {}
            }
            if let (false, true, Some(private)) = (is_last, is_for_once, private)
                && let Err(error) = storage.remove_file(&private)
            {
                return self.session.refused(&sink.path, error);
            }
            done = Some(report);
            source = Source::Parquet(vec![next.path.to_path_buf()]);
        }
        match done {
            Some(report) => (report, Ok(())),
            None => {
                let error = Error::bug("a data frame without a plan was run");
                self.session.refused(&sink.path, error)
            }
        }
    }
}

/// Tells of a source instead of the file to which its rows were written.
fn tell_of(source: &Source, private: &Path, report: &mut Report, result: &mut Result<()>) {
    let (source, private) = (source.describe(), private.to_string_lossy());
    for input in &mut report.inputs {
        input.path.clone_from(&source);
    }
    for part in &mut report.set_aside {
        part.path.clone_from(&source);
    }
    let told = report.error.as_mut().map(|told| &mut told.error);
    for error in told.into_iter().chain(result.as_mut().err()) {
        for detail in &mut error.details {
            *detail = detail.replace(&*private, &source);
        }
        if let Some(place) = error.place.as_mut().filter(|place| place.path == *private) {
            place.path.clone_from(&source);
        }
    }
}

/// A Parquet file in between: nothing about it is to be small.
fn temporary(scratch: &Path, name: &str) -> Sink {
    let path = scratch.join(format!("{name}.parquet"));
    Sink { layout: Layout::File, compression: Compression::None, ..Sink::new(path) }
}

/// A report whose conflicts have the names that a later step of the plans gives.
fn under_new_names(mut report: Report, plan_step: &PlanStep) -> Report {
    if !plan_step.renames.is_empty() {
        for conflict in &mut report.conflicts {
            for image in [&mut conflict.kept, &mut conflict.dropped] {
                *image = renamed_image(image, plan_step).unwrap_or_else(|| image.clone());
            }
        }
    }
    report
}

/// The same row under new names; its values are not looked at.
fn renamed_image(image: &RowImage, plan_step: &PlanStep) -> Option<RowImage> {
    let row: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&image.0).ok()?;
    let renamed: BTreeMap<String, _> =
        row.into_iter().map(|(name, value)| (plan_step.renamed(&name), value)).collect();
    serde_json::to_string(&renamed).ok().map(RowImage)
}

/// One report of two runs, of which the second read what the first wrote.
fn joined(first: Report, second: Report) -> Report {
    let mut report = Report {
        inputs: first.inputs,
        reasons: first.reasons,
        set_aside: first.set_aside,
        repaired: first.repaired,
        ..second
    };
    let (earlier, records) = (&first.records, &mut report.records);
    records.read = earlier.read;
    records.accepted = earlier.accepted;
    records.quarantined = earlier.quarantined;
    records.duplicates.identical += earlier.duplicates.identical;
    records.duplicates.conflicting += earlier.duplicates.conflicting;
    records.ignored_members += earlier.ignored_members;
    records.rounded += earlier.rounded;
    records.converted += earlier.converted;
    records.nulled += earlier.nulled;
    // What lies between the plans is spelled as its types are.
    report.readings = first.readings;
    if report.type_notes.is_empty() {
        report.type_notes = first.type_notes;
    }
    report.conflicts = first.conflicts.into_iter().chain(report.conflicts).take(10).collect();
    // What is unknown of a column is so for both.
    let new = report.warnings.into_iter().filter(|warning| !first.warnings.contains(warning));
    report.warnings = first.warnings.iter().cloned().chain(new).collect();
    report.stages = first.stages.into_iter().chain(report.stages).collect();
    let (earlier, resources) = (&first.resources, &mut report.resources);
    resources.seconds += earlier.seconds;
    resources.cpu_seconds += earlier.cpu_seconds;
    resources.spilled_bytes += earlier.spilled_bytes;
    resources.peak_memory_bytes = resources.peak_memory_bytes.max(earlier.peak_memory_bytes);
    report
}

/// The columns that a step of the plans writes.
fn selected(schema: Schema, plan_step: &PlanStep) -> Result<Schema> {
    let key: &[ColumnPath] = match plan_step.dedup.as_ref().map(|dedup| &dedup.key) {
        Some(Key::Columns(columns)) => columns,
        _ => &[],
    };
    let chosen = plan_step.columns.as_deref().unwrap_or_default();
    let columns = schema.index();
    if let Some(path) = key.iter().chain(chosen).find(|path| columns.find(path).is_none()) {
        let names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
        return Err(Error::usage(format!("there is no column {path}"))
            .help(format!("the columns are: {}", names.join(", "))));
    }
    Ok(match &plan_step.columns {
        Some(columns) => schema.project(columns),
        None => schema,
    })
}

fn describe(plan_step: &PlanStep) -> String {
    let list = |columns: &[ColumnPath]| {
        columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    for step in &plan_step.renames {
        let names: Vec<String> = step.iter().map(|(old, new)| format!("{old} to {new}")).collect();
        text.push_str(&format!("  rename {}\n", names.join(", ")));
    }
    if let Some(dedup) = &plan_step.dedup {
        let key = match &dedup.key {
            Key::Record => "the whole row".to_owned(),
            Key::Columns(columns) => list(columns),
        };
        text.push_str(&format!("  one row for every {key}"));
        for (at, order) in dedup.order_by.iter().enumerate() {
            let before = if at == 0 { ", in the order of" } else { "," };
            let direction = match order.direction {
                distil_plan::Direction::Asc => "",
                distil_plan::Direction::Desc => " desc",
            };
            text.push_str(&format!("{before} {}{direction}", order.column));
        }
        text.push_str(&format!(", the {}\n", format!("{:?}", dedup.keep).to_lowercase()));
    }
    if let Some(columns) = &plan_step.columns {
        text.push_str(&format!("  select {}\n", list(columns)));
    }
    text
}

//! Where rows come from, as a source of a plan.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use distil_kernel::arrow::{record_schema, write_records};
use distil_output::reader::{PartFile, open_output};
use distil_plan::{Error, Plan, Result, Schema, Sink};
use distil_storage::Storage;

use super::steps::PlanStep;

/// The largest record that a plan allows: rows that are there already are not judged by their size.
const LARGEST_RECORD: u64 = 1 << 30;
/// Bytes that are written at once.
const PIECE: usize = 1 << 20;

/// Where rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A plan that reads.
    Json(Box<Plan>),
    /// Files or directories.
    Parquet(Vec<PathBuf>),
    Arrow(Vec<RecordBatch>),
}

impl Source {
    /// Whether it is read by way of records that distil writes, under any names.
    pub(crate) fn is_rewritten(&self) -> bool {
        !matches!(self, Self::Json(_))
    }

    /// What it is, for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Json(plan) => format!("read_json {}", plan.sources.join(", ")),
            Self::Parquet(paths) => {
                let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
                format!("read_parquet {}", paths.join(", "))
            }
            Self::Arrow(batches) => {
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                format!("from_arrow {rows} rows")
            }
        }
    }

    /// The schema under the new names of a step of the plans; nothing for JSON, which must be read to know.
    ///
    /// # Errors
    /// An input error for rows that can't be carried exactly, a usage error for names that are not
    /// there or twice.
    pub(crate) fn schema(
        &self,
        storage: &dyn Storage,
        plan_step: &PlanStep,
    ) -> Result<Option<Schema>> {
        let found = match self {
            Self::Json(_) => return Ok(None),
            Self::Parquet(paths) => {
                let mut found: Option<Schema> = None;
                for part in parts(storage, paths)? {
                    let schema = part_schema(&part)?;
                    match &found {
                        Some(first) if first.fields != schema.fields => {
                            return Err(Error::input("the files have different columns")
                                .at(part.path().to_string_lossy(), None)
                                .help("select and rename them to the same columns first"));
                        }
                        _ => found = Some(schema),
                    }
                }
                found.ok_or_else(|| Error::usage("no Parquet file is given"))?
            }
            Self::Arrow(batches) => {
                let mut found: Option<Schema> = None;
                for batch in batches {
                    let schema = record_schema(&batch.schema(), None)?;
                    if found.as_ref().is_some_and(|first| *first != schema) {
                        return Err(Error::usage("the batches have different columns"));
                    }
                    found = Some(schema);
                }
                found.ok_or_else(|| Error::usage("no batch is given, so no column is known"))?
            }
        };
        rename(found, plan_step).map(Some)
    }

    /// A plan that reads the source under the new names of a step of the plans, and writes to `sink`. Rows that
    /// are no JSON are written as records into `scratch` first, exactly.
    ///
    /// # Errors
    /// As [`Source::schema`]; an environment error if the records can't be written.
    pub(crate) fn plan(
        &self,
        storage: &dyn Storage,
        plan_step: &PlanStep,
        scratch: &Path,
        sink: Sink,
    ) -> Result<Plan> {
        let schema = self.schema(storage, plan_step)?;
        let name = |name: &str| plan_step.renamed(name);
        let mut records = Records { path: scratch.to_owned(), text: Vec::new(), file: None };
        match self {
            Self::Json(plan) => return Ok(Plan { sink, ..(**plan).clone() }),
            Self::Parquet(paths) => {
                records.create(storage)?;
                for part in parts(storage, paths)? {
                    let known = part.footer()?.map(|footer| footer.schema);
                    for batch in part.batches(None)? {
                        write_records(&batch?, known.as_ref(), &name, &mut records.text)
                            .map_err(|error| error.at(part.path().to_string_lossy(), None))?;
                        records.flush(PIECE)?;
                    }
                }
            }
            Self::Arrow(batches) => {
                records.create(storage)?;
                for batch in batches {
                    write_records(batch, None, &name, &mut records.text)?;
                    records.flush(PIECE)?;
                }
            }
        }
        records.flush(0)?;
        let mut plan = Plan::new(vec![scratch.to_string_lossy().into_owned()], sink);
        plan.shape = distil_plan::Shape::Lines;
        plan.schema.declared = schema;
        plan.max_record = LARGEST_RECORD;
        Ok(plan)
    }
}

fn parts(storage: &dyn Storage, paths: &[PathBuf]) -> Result<Vec<PartFile>> {
    let opened: Vec<Vec<PartFile>> =
        paths.iter().map(|path| open_output(storage, path)).collect::<Result<_>>()?;
    Ok(opened.into_iter().flatten().collect())
}

fn part_schema(part: &PartFile) -> Result<Schema> {
    let known = part.footer()?.map(|footer| footer.schema);
    record_schema(part.schema(), known.as_ref())
        .map_err(|error| error.at(part.path().to_string_lossy(), None))
}

/// A schema under the new names of a step of the plans.
///
/// # Errors
/// A usage error for a name that is not there, or twice.
pub(crate) fn rename(mut schema: Schema, plan_step: &PlanStep) -> Result<Schema> {
    for step in &plan_step.renames {
        for (old, _) in step {
            if !schema.fields.iter().any(|field| field.name == *old) {
                let names: Vec<&str> = schema.fields.iter().map(|f| f.name.as_str()).collect();
                return Err(Error::usage(format!("there is no column {old} to rename"))
                    .help(format!("the columns are: {}", names.join(", "))));
            }
        }
        for field in &mut schema.fields {
            if let Some((_, new)) = step.iter().find(|(old, _)| *old == field.name) {
                field.name.clone_from(new);
            }
        }
    }
    Schema::new(schema.fields)
}

/// A file of records on its way.
struct Records {
    path: PathBuf,
    text: Vec<u8>,
    file: Option<Box<dyn distil_storage::OutputFile>>,
}

impl Records {
    fn create(&mut self, storage: &dyn Storage) -> Result<()> {
        self.file = Some(storage.create_new(&self.path)?);
        Ok(())
    }

    /// Writes what is there, once it is more than so many bytes.
    fn flush(&mut self, more_than: usize) -> Result<()> {
        if let Some(file) = &mut self.file
            && self.text.len() > more_than
        {
            file.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }
}

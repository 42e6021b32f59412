//! Where rows come from, as a source of a plan.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use distil_job::discover::STDIN;
use distil_kernel::arrow::record_schema;
use distil_output::reader::{PartFile, open_output};
use distil_plan::{
    Error, Field, InputFormat, Need, Plan, Result, Schema, Shape, Sink, Support, Type,
};
use distil_storage::Storage;

use super::kept::Kept;
use super::scratch_file::ScratchFile;
use super::steps::PlanStep;
use crate::Session;

/// The largest record that a plan allows: rows that are there already are not judged by their size.
const LARGEST_RECORD: u64 = 1 << 30;

/// Where rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A plan that reads.
    Json(Box<Plan>),
    /// Files or directories.
    Parquet(Vec<PathBuf>),
    /// The rows of a frame that was cached.
    Kept(Arc<Kept>),
    Arrow(Vec<RecordBatch>),
    /// Options that can't be meant.
    Wrong(Error),
}

/// A plan that reads a source.
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    /// The file that it reads, if that is one of distil's own, of which nobody else knows.
    pub(crate) private: Option<PathBuf>,
    /// Whether that file was written for this plan alone.
    pub(crate) is_for_once: bool,
}

impl Source {
    /// Whether its rows can be read under any names.
    pub(crate) fn can_rename(&self) -> bool {
        !matches!(self, Self::Json(_))
    }

    /// The files, directories and globs that it reads.
    pub(crate) fn paths(&self) -> Vec<String> {
        match self {
            Self::Json(plan) => plan.sources.clone(),
            Self::Parquet(paths) => {
                paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
            }
            Self::Wrong(_) | Self::Kept(_) | Self::Arrow(_) => Vec::new(),
        }
    }

    /// What it is, for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Json(_) => format!("read_json {}", self.paths().join(", ")),
            Self::Parquet(_) => format!("read_parquet {}", self.paths().join(", ")),
            Self::Wrong(error) => error.to_string(),
            Self::Kept(kept) => format!("cached rows of {}", kept.origin),
            Self::Arrow(batches) => {
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                format!("from_arrow {rows} rows")
            }
        }
    }

    /// The Parquet files or directories that hold its rows; `None` for rows of other forms.
    fn files(&self) -> Option<Vec<PathBuf>> {
        match self {
            Self::Parquet(paths) => Some(paths.clone()),
            Self::Kept(kept) => Some(vec![kept.path().to_owned()]),
            Self::Json(_) | Self::Arrow(_) | Self::Wrong(_) => None,
        }
    }

    /// The schema under the new names of a step of the plans; `None` for JSON, which must be read to know.
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
            Self::Wrong(error) => return Err(error.clone()),
            Self::Parquet(_) | Self::Kept(_) => {
                let mut found: Option<Schema> = None;
                for part in parts(storage, &self.files().unwrap_or_default())? {
                    let schema = part_schema(&part)?;
                    let first = found.get_or_insert_with(|| schema.clone());
                    if !join(&mut first.fields, &schema.fields) {
                        return Err(Error::input("the files have different columns")
                            .at(part.path().to_string_lossy(), None)
                            .help("select and rename them to the same columns first"));
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

    /// A plan that reads the source under the new names of a step of the plans, and writes to `sink`. Parquet is
    /// read where it lies if the backend can, and its columns keep their names. All other rows are written to
    /// a file in the directory `scratch` first, exactly, in the form that the backend reads.
    ///
    /// # Errors
    /// As [`Source::schema`]; an environment error if the file can't be written.
    pub(crate) fn plan(
        &self,
        session: &Session,
        plan_step: &PlanStep,
        scratch: &Path,
        sink: Sink,
    ) -> Result<Prepared> {
        let storage = &*session.stores();
        let Some(schema) = self.schema(storage, plan_step)? else {
            let plan = match self {
                Self::Json(plan) => (**plan).clone(),
                _ => return Err(Error::bug("rows have no schema")),
            };
            return Ok(Prepared { plan: Plan { sink, ..plan }, private: None, is_for_once: false });
        };
        let format = match session.backend.supports(&Need::Parquet)? {
            Support::Yes => InputFormat::Parquet,
            _ => InputFormat::Json,
        };
        let files = self.files();
        let in_place = match &files {
            Some(paths) if format == InputFormat::Parquet && plan_step.renames.is_empty() => {
                sources(&parts(storage, paths)?)
            }
            _ => None,
        };
        if let Some(sources) = in_place {
            let plan = declared(Plan { format, ..Plan::new(sources, sink) }, schema);
            let private = match self {
                Self::Kept(kept) => Some(kept.path().to_owned()),
                _ => None,
            };
            return Ok(Prepared { plan, private, is_for_once: false });
        }
        let mut file = ScratchFile::create(storage, scratch, format, &schema)?;
        match self {
            Self::Json(_) | Self::Wrong(_) => {}
            Self::Parquet(_) | Self::Kept(_) => {
                for part in parts(storage, &files.unwrap_or_default())? {
                    let known = part.footer()?.map(|footer| footer.schema);
                    for batch in part.batches(None)? {
                        file.push(&batch?, known.as_ref(), plan_step)
                            .map_err(|error| error.at(part.path().to_string_lossy(), None))?;
                    }
                }
            }
            Self::Arrow(batches) => {
                batches.iter().try_for_each(|batch| file.push(batch, None, plan_step))?;
            }
        }
        let path = file.finish()?;
        let plan = Plan::new(vec![path.to_string_lossy().into_owned()], sink);
        let plan = match format {
            InputFormat::Parquet => Plan { format, ..plan },
            InputFormat::Json => {
                Plan { shape: Shape::Lines, max_record: LARGEST_RECORD, allow_empty: true, ..plan }
            }
        };
        Ok(Prepared { plan: declared(plan, schema), private: Some(path), is_for_once: true })
    }
}

/// Adds the rows of other columns, which may only differ in whether their types are known; returns whether
/// they do no more than that.
fn join(fields: &mut [Field], others: &[Field]) -> bool {
    fields.len() == others.len()
        && fields.iter_mut().zip(others).all(|(field, other)| {
            field.unknown &= other.unknown;
            field.name == other.name && join_types(&mut field.data_type, &other.data_type)
        })
}

fn join_types(found: &mut Type, other: &Type) -> bool {
    match (found, other) {
        (Type::Struct(fields), Type::Struct(others)) => join(fields, others),
        (Type::List(element), Type::List(other)) => join_types(element, other),
        (found, other) => found == other,
    }
}

fn declared(mut plan: Plan, schema: Schema) -> Plan {
    plan.schema.declared = Some(schema);
    plan
}

/// The files as sources of a plan; `None` if a path can't be one.
fn sources(parts: &[PartFile]) -> Option<Vec<String>> {
    parts
        .iter()
        .map(|part| part.path().to_str().filter(|path| *path != STDIN).map(str::to_owned))
        .collect()
}

/// The files at some paths, each once.
fn parts(storage: &dyn Storage, paths: &[PathBuf]) -> Result<Vec<PartFile>> {
    let opened: Vec<Vec<PartFile>> =
        paths.iter().map(|path| open_output(storage, path)).collect::<Result<_>>()?;
    let mut seen = HashSet::new();
    let is_new = |part: &PartFile| seen.insert((part.stamp().device, part.stamp().inode));
    Ok(opened.into_iter().flatten().filter(is_new).collect())
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

//! What a frame is asked for besides an output: its rows, their number, a copy to go on with.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use distil_output::head::Head;
use distil_plan::{Code, Error, Hint, Location, Need, Plan, Report, Result, Sink, Status};
use distil_spark::{Relation, relation};

use super::kept::Kept;
use super::rows::Rows;
use super::source::Source;
use super::steps::Step;
use super::{DataFrame, temporary};

impl DataFrame {
    /// How many rows there are. A cached frame without further steps knows it; all others run.
    ///
    /// # Errors
    /// As [`DataFrame::write_parquet`].
    pub fn count(&self) -> Result<u64> {
        if let Some(kept) = self.kept() {
            return Ok(kept.rows());
        }
        let scratch = self.scratch(None)?;
        let question = self.leaving_nothing(scratch.path());
        Ok(question.write(temporary(scratch.path(), "rows"))?.records.written)
    }

    /// The first rows, for people.
    ///
    /// # Errors
    /// As [`DataFrame::write_parquet`].
    pub fn head(&self, rows: usize) -> Result<Head> {
        let kept = self.keep(Sides::Private)?;
        distil_output::head::head(&*self.session.storage, kept.path(), rows)
    }

    /// Runs the frame once and keeps its rows in a private temporary file: whatever is asked of the frame
    /// that is returned, and of frames made of it, reads that file instead of the source. The file lies in
    /// the `temp_dir` of the session, or else in the temporary directory of the system, and is removed
    /// with the last of these frames and their [`Rows`]. The rows stay in their order.
    ///
    /// The reports of later runs tell of the cached rows as their input; the run that read the source is
    /// in [`DataFrame::cache_report`].
    ///
    /// # Errors
    /// As [`DataFrame::write_parquet`]; an input error ([`Code::NoRecords`]) if there is no record and no
    /// column is declared.
    pub fn cache(&self) -> Result<Self> {
        Ok(self.session.rows(Source::Kept(self.keep(Sides::Public)?)))
    }

    /// Whether the rows are read from the file of [`DataFrame::cache`], whatever steps follow.
    pub fn is_cached(&self) -> bool {
        matches!(self.source, Source::Kept(_))
    }

    /// The report of the run that cached the rows: what was read, dropped and set aside.
    pub fn cache_report(&self) -> Option<&Report> {
        match &self.source {
            Source::Kept(kept) => Some(&kept.report),
            _ => None,
        }
    }

    /// The rows as Arrow, one batch after another, from a private temporary file that lies where that of
    /// [`DataFrame::cache`] does. The whole plan runs before this returns; a cached frame without
    /// further steps runs nothing.
    ///
    /// # Errors
    /// As [`DataFrame::cache`].
    pub fn stream(&self) -> Result<Rows> {
        Rows::of(self.keep(Sides::Private)?)
    }

    /// The rows in a file, as a question about the frame leaves them.
    pub(super) fn cached_privately(&self) -> Result<Self> {
        Ok(self.session.rows(Source::Kept(self.keep(Sides::Private)?)))
    }

    /// The rows as a query for Spark, over views with names that begin with `prefix`. The types come from a native scan of
    /// the input, and Spark reads it when the query is run.
    ///
    /// # Errors
    /// As [`DataFrame::write_parquet`], as far as it can be foreseen on the backend of the session; a usage error for what
    /// no query does: rows that are not those of JSON files with at most one step of
    /// [`drop_duplicates`](DataFrame::drop_duplicates) and then of [`select`](DataFrame::select), types that Spark does not have, files with
    /// names that it would skip.
    pub fn relation(&self, prefix: &str) -> Result<Relation> {
        let plan_steps = self.plan_steps()?;
        let (Source::Json(plan), [plan_step]) = (&self.source, plan_steps.as_slice()) else {
            return Err(Error::usage(format!(
                "only JSON with one step of drop_duplicates is a query, and this is {} with {} plans",
                self.source.describe(),
                plan_steps.len()
            ))
            .help("write the rows with distil and read the output with Spark, or take the later steps there"));
        };
        let scratch = self.scratch(None)?;
        let sink = temporary(scratch.path(), "rows");
        let plan = plan_step.of(Plan { sink, ..(**plan).clone() });
        let resolved = self.session.dry_run(plan).1?;
        let is_exact = self.session.backend.supports(&Need::Exponents)?.is_yes();
        relation(&resolved, prefix, is_exact)
    }

    /// The file that holds just these rows, if they are cached and nothing was done to them since.
    fn kept(&self) -> Option<&Arc<Kept>> {
        match &self.source {
            Source::Kept(kept) if self.steps.is_empty() => Some(kept),
            _ => None,
        }
    }

    /// The rows in a file, which a run writes unless there is one already.
    fn keep(&self, sides: Sides) -> Result<Arc<Kept>> {
        if let Some(kept) = self.kept() {
            return Ok(Arc::clone(kept));
        }
        let scratch = self.scratch(None)?;
        let sink = temporary(scratch.path(), "rows");
        let path = sink.path.to_path_buf();
        let report = match sides {
            Sides::Public => self.write_rows(sink).map_err(without_sink)?,
            Sides::Private => self.leaving_nothing(scratch.path()).write_rows(sink)?,
        };
        let written_by = self.plan_steps()?.pop().unwrap_or_default();
        let origin = self.source.describe();
        Kept::new(scratch, path, origin, written_by, report).map(Arc::new)
    }

    /// The same rows, with what a run leaves beside them in `scratch`: a question leaves no files, so that it
    /// can be asked again.
    fn leaving_nothing(&self, scratch: &Path) -> Self {
        let mut question = self.clone();
        if let Source::Json(plan) = &mut question.source {
            let sides =
                [(&mut plan.quarantine.path, "bad.ndjson"), (&mut plan.dropped, "dropped.parquet")];
            for (path, name) in sides {
                *path = path.take().map(|_| Location::from(scratch.join(name)));
            }
        }
        question.steps.iter_mut().for_each(Step::leave_nothing);
        question
    }

    /// Writes rows to be read back: their columns must be known.
    fn write_rows(&self, sink: Sink) -> Result<Report> {
        let report = self.write(sink)?;
        match report.status {
            Status::Empty => Err(Error::input("there is no record, so no column is known")
                .coded(Code::NoRecords)
                .help(Hint::choose("declare the columns", "schema"))),
            _ => Ok(report),
        }
    }

    /// The rows as Arrow: at least one batch, all of the same columns.
    ///
    /// # Errors
    /// As [`DataFrame::write_parquet`].
    pub fn collect(&self) -> Result<Vec<RecordBatch>> {
        let mut rows = self.stream()?;
        let mut batches = rows.by_ref().collect::<Result<Vec<_>>>()?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(Arc::clone(rows.schema())));
        }
        Ok(batches)
    }
}

/// Where a run leaves what it sets aside.
#[derive(Clone, Copy)]
enum Sides {
    /// Where the plan says.
    Public,
    /// In the scratch directory.
    Private,
}

/// Gives advice for a file that exists beside rows that go to no sink, which has no mode to be set.
fn without_sink(mut error: Error) -> Error {
    let about_mode = |hint: &Hint| hint.is_about("mode");
    if error.hints.iter().any(about_mode) {
        error.hints.retain(|hint| !about_mode(hint));
        return error.help("move the file away, or name another");
    }
    error
}

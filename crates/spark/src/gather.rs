//! Spark's result to the staged output: in order, with the types and footers of the contract, and
//! counted.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Schema as ArrowSchema};
use distil_json::arrow_schema;
use distil_kernel::arrow::row_images;
use distil_output::expected::ExpectedOutput;
use distil_output::reader::open_output;
use distil_plan::{
    Conflict, Error, Hint, Key, Layout, NullKeys, Phase, Report, Request, Result, RowImage, Schema,
};
use distil_storage::Storage;

use crate::lower::{COPIES, NTH, TOTAL};
use crate::merge::{Merge, take};
use crate::restore::{foreign, project, restore};
use crate::write::Output;

/// The most conflicts that a report shows.
const SHOWN: usize = 10;

/// Writes the rows of `results` to the staged output, and what they say of the records to the report.
///
/// # Errors
/// An environment error for files that can't be read or written; a bug for a result that is not what
/// was asked for.
pub(crate) fn gather(
    storage: &dyn Storage,
    results: &Path,
    order_columns: usize,
    request: &Request<'_>,
    expected: &ExpectedOutput,
    report: &mut Report,
) -> Result<()> {
    let Some(schema) = &request.plan.schema else {
        return Err(Error::bug("a plan without a schema came to the backend spark"));
    };
    let plan = &request.plan.plan;
    let sink = &plan.sink;
    let mut gather = Gather {
        request,
        schema,
        all: arrow_schema(schema),
        written: arrow_schema(expected.written()),
        output: Output::new(
            storage,
            &request.staging.output,
            sink,
            sink.layout,
            expected.output(),
        )?,
        dropped: match &request.staging.dropped {
            Some(path) => Some(Output::new(storage, path, sink, Layout::File, expected.dropped())?),
            None => None,
        },
        survivor: None,
        report,
    };
    if !storage.list(results)?.is_empty() {
        let parts = open_output(storage, results)?;
        let rows = parts.iter().map(|part| part.rows()).sum();
        request.watch.events.begin(Phase::Encode, Some(rows));
        let mut merge = Merge::new(&parts, order_columns)?;
        while let Some(batch) = merge.next()? {
            request.watch.cancel.check()?;
            gather.add(&batch)?;
            let rows = batch.num_rows() as u64;
            request.watch.events.advance(rows, rows);
        }
    }
    gather.output.finish()?;
    if let Some(dropped) = gather.dropped {
        dropped.finish()?;
    }
    let records = &mut report.records;
    records.read = records.written + records.duplicates.identical + records.duplicates.conflicting;
    records.accepted = records.read;
    Ok(())
}

struct Gather<'a> {
    request: &'a Request<'a>,
    schema: &'a Schema,
    all: Arc<ArrowSchema>,
    written: Arc<ArrowSchema>,
    output: Output<'a>,
    dropped: Option<Output<'a>>,
    /// The last survivor of a batch before, for its losers in the next.
    survivor: Option<RecordBatch>,
    report: &'a mut Report,
}

impl Gather<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let [nth, copies, total] = [NTH, COPIES, TOTAL].map(|name| numbers(batch, name));
        let (nth, copies, total) = (nth?, copies?, total?);
        let rows = restore(batch, self.schema, &self.all)?;
        let (mut survivors, mut losers, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        let is_grouped = self.request.plan.plan.dedup.is_some();
        for row in 0..batch.num_rows() {
            let at = row as u64;
            let [nth, copies, total] =
                [&nth, &copies, &total].map(|c| u64::try_from(c.value(row)).unwrap_or(0));
            if nth == 1 {
                survivors.push(at);
                let duplicates = &mut self.report.records.duplicates;
                let rest = total.checked_sub(copies).zip(copies.checked_sub(1));
                let (conflicting, identical) =
                    rest.ok_or_else(|| Error::bug("Spark's counts do not fit each other"))?;
                if is_grouped {
                    duplicates.identical += identical;
                    duplicates.conflicting += conflicting;
                }
            } else {
                losers.push(at);
                if nth == copies + 1 && self.report.conflicts.len() + shown.len() < SHOWN {
                    shown.push((survivors.last().copied(), at));
                }
            }
        }
        self.report.records.written += survivors.len() as u64;
        for (kept, dropped) in shown {
            let kept = match (kept, &self.survivor) {
                (Some(row), _) => self.image(&rows, row)?,
                (None, Some(survivor)) => self.image(survivor, 0)?,
                (None, None) => return Err(Error::bug("Spark left a loser without its survivor")),
            };
            self.report.conflicts.push(Conflict { kept, dropped: self.image(&rows, dropped)? });
        }
        if let Some(last) = survivors.last() {
            self.survivor = Some(take(&rows, vec![*last])?);
        }
        let kept = take(&rows, survivors)?;
        self.check_keys(&kept)?;
        self.output.write(&project(&kept, &self.written)?)?;
        if let Some(dropped) = &mut self.dropped {
            dropped.write(&project(&take(&rows, losers)?, &self.written)?)?;
        }
        Ok(())
    }

    fn image(&self, rows: &RecordBatch, row: u64) -> Result<RowImage> {
        let images = row_images(&take(rows, vec![row])?, self.schema)?;
        images.into_iter().next().ok_or_else(|| Error::bug("a row that is not there"))
    }

    /// Without a scan, nothing else finds a null key.
    fn check_keys(&self, rows: &RecordBatch) -> Result<()> {
        let Some(dedup) = &self.request.plan.plan.dedup else { return Ok(()) };
        let (Key::Columns(columns), NullKeys::Error) = (&dedup.key, dedup.null_keys) else {
            return Ok(());
        };
        for path in columns {
            let mut found = rows.column_by_name(path.top());
            for step in &path.steps()[1..] {
                found = found.and_then(|array| array.as_struct_opt()?.column_by_name(step));
            }
            // Structs around it that are null make it null, too.
            if found.is_some_and(|array| array.null_count() > 0) {
                return Err(Error::input(format!("a record has no value in its key, {path}"))
                    .help("leave out assume_valid to see which")
                    .help(Hint::set("or make nulls values", "null_keys", "value")));
            }
        }
        Ok(())
    }
}

/// A column of counts.
fn numbers(batch: &RecordBatch, name: &str) -> Result<PrimitiveArray<Int64Type>> {
    let column =
        batch.schema().index_of(name).map(|at| Arc::clone(batch.column(at))).map_err(foreign)?;
    let column = arrow_cast::cast(&column, &DataType::Int64).map_err(foreign)?;
    Ok(column.as_primitive::<Int64Type>().clone())
}

//! Files that are each in order, as one stream of rows in order.
//!
//! Spark writes ranges one after another, but nothing promises it: Sail deals sorted batches out to
//! several files. Merging holds for both; where files do not overlap it costs one comparison a row.

use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::SortOptions;
use arrow_select::interleave::interleave_record_batch;
use distil_output::reader::{Batches, PartFile};
use distil_plan::{Error, Result};

use crate::restore::foreign;

/// Rows of a merged batch.
const BATCH_ROWS: usize = 8192;

/// The rows of all parts in the order of their last `order_columns` columns.
pub(crate) struct Merge {
    converter: Option<RowConverter>,
    order_columns: usize,
    /// The parts that have rows left, the one with the smallest row last.
    sources: Vec<Source>,
}

struct Source {
    batches: Batches,
    batch: RecordBatch,
    rows: Rows,
    at: usize,
}

impl Merge {
    /// # Errors
    /// As [`Part::batches`]; a bug for parts that can't be ordered.
    pub(crate) fn new(parts: &[PartFile], order_columns: usize) -> Result<Self> {
        let mut merge = Self { converter: None, order_columns, sources: Vec::new() };
        for part in parts {
            let batches = part.batches(None)?;
            if let Some(source) = merge.next_batch(batches)? {
                merge.insert(source);
            }
        }
        Ok(merge)
    }

    fn next_batch(&mut self, mut batches: Batches) -> Result<Option<Source>> {
        loop {
            let Some(batch) = batches.next() else { return Ok(None) };
            let batch = batch?;
            if batch.num_rows() > 0 {
                let rows = self.rows(&batch)?;
                return Ok(Some(Source { batches, batch, rows, at: 0 }));
            }
        }
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Rows> {
        let first = batch.num_columns().checked_sub(self.order_columns);
        let first = first.ok_or_else(|| Error::bug("Spark's result lacks columns"))?;
        let columns: &[ArrayRef] = &batch.columns()[first..];
        if self.converter.is_none() {
            let options = SortOptions { descending: false, nulls_first: false };
            let fields = columns
                .iter()
                .map(|column| SortField::new_with_options(column.data_type().clone(), options));
            self.converter = Some(RowConverter::new(fields.collect()).map_err(foreign)?);
        }
        match &mut self.converter {
            Some(converter) => converter.convert_columns(columns).map_err(foreign),
            None => Err(Error::bug("rows can't be ordered")),
        }
    }

    fn insert(&mut self, source: Source) -> usize {
        let at = self
            .sources
            .partition_point(|other| other.rows.row(other.at) > source.rows.row(source.at));
        self.sources.insert(at, source);
        at
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// As [`Part::batches`].
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        // Batches that rows were taken from, and of each row its batch and its place there.
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut taken: Vec<(usize, usize)> = Vec::with_capacity(BATCH_ROWS);
        // Where the batch of each source stands among them.
        let mut places: Vec<Option<usize>> = vec![None; self.sources.len()];
        while taken.len() < BATCH_ROWS
            && let (Some(mut source), Some(place)) = (self.sources.pop(), places.pop())
        {
            let place = place.unwrap_or_else(|| {
                batches.push(source.batch.clone());
                batches.len() - 1
            });
            let other = self.sources.last();
            loop {
                taken.push((place, source.at));
                source.at += 1;
                let is_first = source.at < source.rows.num_rows()
                    && other.is_none_or(|o| source.rows.row(source.at) <= o.rows.row(o.at));
                if !is_first || taken.len() == BATCH_ROWS {
                    break;
                }
            }
            let (source, place) = if source.at < source.rows.num_rows() {
                (Some(source), Some(place))
            } else {
                (self.next_batch(source.batches)?, None)
            };
            if let Some(source) = source {
                let at = self.insert(source);
                places.insert(at, place);
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        interleave_record_batch(&batches, &taken).map(Some).map_err(foreign)
    }
}

/// The rows of a batch with these numbers.
///
/// # Errors
/// A bug for numbers that are not there.
pub(crate) fn take(batch: &RecordBatch, rows: Vec<u64>) -> Result<RecordBatch> {
    arrow_select::take::take_record_batch(batch, &UInt64Array::from(rows)).map_err(foreign)
}

//! The rows of a frame, one batch after another.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use distil_kernel::arrow::record_schema;
use distil_output::reader::{Batches, PartFile};
use distil_plan::{Error, Result, Schema};

use super::kept::Kept;

/// The rows of a frame in their order, read from a private file: in memory is no more than one batch of
/// some megabytes. The file is removed when neither these rows nor a cached frame need it.
///
/// The iterator ends after the first error.
#[must_use = "rows are read when the iterator is asked for them"]
pub struct Rows {
    part: PartFile,
    /// The row group that comes next.
    next_group: usize,
    batches: Option<Batches>,
    /// Last, so that the file is closed before it is removed.
    kept: Arc<Kept>,
}

impl Rows {
    /// The rows of a file, from its beginning.
    ///
    /// # Errors
    /// As [`Kept::open`].
    pub(super) fn of(kept: Arc<Kept>) -> Result<Self> {
        Ok(Self { part: kept.open()?, next_group: 0, batches: None, kept })
    }

    /// The columns of every batch.
    pub fn schema(&self) -> &SchemaRef {
        self.part.schema()
    }

    /// The columns with the types that distil knows them by.
    ///
    /// # Errors
    /// An input error for a type that distil does not read, and for a broken footer.
    pub fn columns(&self) -> Result<Schema> {
        let known = self.part.footer()?.map(|footer| footer.schema);
        record_schema(self.part.schema(), known.as_ref())
    }

    /// How many rows there are in all, those that were read already among them.
    pub fn num_rows(&self) -> u64 {
        self.kept.rows()
    }

    /// The same rows for code that takes a [`RecordBatchReader`]. The errors are
    /// [`ArrowError::ExternalError`]s that hold an [`Error`].
    pub fn into_reader(self) -> RowsReader {
        RowsReader(self)
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.batches.as_mut().and_then(Iterator::next) {
                return batch.map(Some);
            }
            if self.next_group == self.part.row_groups() {
                self.batches = None;
                return Ok(None);
            }
            self.batches = Some(self.part.group_batches(self.next_group)?);
            self.next_group += 1;
        }
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.read();
        if batch.is_err() {
            self.batches = None;
            self.next_group = self.part.row_groups();
        }
        batch.transpose()
    }
}

/// [`Rows`] for code that takes a [`RecordBatchReader`], made by [`Rows::into_reader`].
#[must_use = "rows are read when the reader is asked for them"]
pub struct RowsReader(Rows);

impl RowsReader {
    /// How many rows there are in all, those that were read already among them.
    pub fn num_rows(&self) -> u64 {
        self.0.num_rows()
    }
}

impl Iterator for RowsReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|batch| {
            batch.map_err(|error: Error| ArrowError::from_external_error(error.into()))
        })
    }
}

impl RecordBatchReader for RowsReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.0.schema())
    }
}

//! Rows in memory.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use distil_kernel::arrow::{record_schema, row_images};
use distil_output::reader::open_output;
use distil_plan::{Error, Result, RowImage, Schema};
use distil_storage::Storage;

use super::DataFrame;
use crate::Session;

/// The first rows of an output, or all of them, in memory: as Arrow batches, with the types that distil
/// knows their columns by.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns, in the order of the batches.
    pub schema: Schema,
    /// The columns as Arrow has them.
    pub arrow: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// All rows of the output that these are of.
    pub total: u64,
}

impl Table {
    /// Reads the first rows of an output.
    ///
    /// # Errors
    /// An input error if it is not an output, or has a type that distil does not read; an environment
    /// error.
    fn read(storage: &dyn Storage, path: &Path, most: usize) -> Result<Self> {
        let parts = open_output(storage, path)?;
        let first = parts.first().ok_or_else(|| Error::bug("an output has no file"))?;
        let known = first.footer()?.map(|footer| footer.schema);
        let arrow = first.schema().clone();
        let schema = record_schema(&arrow, known.as_ref())?;
        let mut batches = Vec::new();
        let mut left = most;
        for part in &parts {
            if left == 0 {
                break;
            }
            for batch in part.batches(None)? {
                let batch = batch?;
                let rows = batch.num_rows().min(left);
                left -= rows;
                batches.push(batch.slice(0, rows));
                if left == 0 {
                    break;
                }
            }
        }
        let total = parts.iter().map(|part| part.rows()).sum();
        Ok(Self { schema, arrow, batches, total })
    }

    /// How many rows are here.
    pub fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Rows as canonical JSON objects, from the row `from` on. Null columns are left out, numbers keep all
    /// digits, instants are RFC 3339, binary is base64, values that JSON does not have are strings.
    ///
    /// # Errors
    /// An input error for a type that distil does not read.
    pub fn images(&self, from: usize, most: usize) -> Result<Vec<RowImage>> {
        let mut images = Vec::new();
        let (mut skip, mut left) = (from, most);
        for batch in &self.batches {
            let start = skip.min(batch.num_rows());
            skip -= start;
            let rows = left.min(batch.num_rows() - start);
            left -= rows;
            if rows > 0 {
                images.extend(row_images(&batch.slice(start, rows), &self.schema)?);
            }
        }
        Ok(images)
    }
}

impl DataFrame {
    /// The first rows, at most this many, in memory.
    ///
    /// # Errors
    /// As [`DataFrame::write_parquet`], and an input error where no column is known.
    pub fn table(&self, most: usize) -> Result<Table> {
        let scratch = self.scratch(None)?;
        let sink = super::temporary(scratch.path(), "rows");
        let path = sink.path.clone();
        self.write_rows(sink)?;
        Table::read(&*self.session.storage, &path, most)
    }
}

impl Session {
    /// The first rows of an output, at most this many, in memory.
    ///
    /// # Errors
    /// An input error if it is not an output, or has a type that distil does not read; an environment
    /// error.
    pub fn table(&self, output: &Path, most: usize) -> Result<Table> {
        Table::read(&*self.storage, output, most)
    }
}

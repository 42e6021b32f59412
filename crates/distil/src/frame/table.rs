//! Rows in memory.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use distil_kernel::arrow::row_images;
use distil_plan::{Result, RowImage, Schema};

use super::{DataFrame, Rows};

/// The first rows of a frame, or all of them, in memory: as Arrow batches, with the types that distil
/// knows their columns by.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns, in the order of the batches.
    pub schema: Schema,
    /// The columns as Arrow has them.
    pub arrow: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// All rows of the frame.
    pub total: u64,
}

impl Table {
    /// Takes the first rows.
    fn of(rows: Rows, most: usize) -> Result<Self> {
        let (schema, arrow, total) = (rows.columns()?, rows.schema().clone(), rows.num_rows());
        let mut batches = Vec::new();
        let mut left = most;
        for batch in rows {
            if left == 0 {
                break;
            }
            let batch = batch?;
            let count = batch.num_rows().min(left);
            left -= count;
            batches.push(batch.slice(0, count));
        }
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
        Table::of(self.stream()?, most)
    }
}

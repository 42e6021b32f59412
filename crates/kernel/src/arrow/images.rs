//! Rows as JSON text for people.

use arrow_array::RecordBatch;
use distil_plan::{Error, Result, RowImage, Schema};

use super::json_text::write_object;
use super::values::{Member, columns_of};

/// The rows of a batch of columns of these types, each as a JSON object without its nulls.
///
/// # Errors
/// An input error for a type that distil does not read.
pub fn row_images(batch: &RecordBatch, schema: &Schema) -> Result<Vec<RowImage>> {
    let members = columns_of(batch, Some(schema))?;
    let in_order: Vec<&Member> = members.iter().collect();
    (0..batch.num_rows()).map(|row| row_image(&in_order, row)).collect()
}

/// One row as a JSON object, in the given order of columns.
///
/// # Errors
/// A bug if the text is not UTF-8.
pub fn row_image(columns: &[&Member], row: usize) -> Result<RowImage> {
    let mut out = Vec::new();
    write_object(columns.iter().copied(), row, &mut out);
    String::from_utf8(out)
        .map(RowImage)
        .map_err(|_| Error::bug("a row was printed as something else than text"))
}

//! Batches of any types that distil reads, as batches of its own.

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::{CastOptions, cast_with_options};
use distil_json::arrow_schema;
use distil_plan::{Error, Result, Schema};

/// The columns of a batch as those of `schema`: the [`record_schema`](super::record_schema) of the batch, in
/// its order, under any names. No value changes.
///
/// # Errors
/// An input error that names the column with a value that its type can't hold.
pub fn conform(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let target = arrow_schema(schema);
    let columns = target.fields().iter().zip(batch.columns());
    let columns: Vec<ArrayRef> = columns
        .map(|(field, array)| {
            cast_with_options(array, field.data_type(), &options).map_err(|_| {
                let (name, data_type) = (field.name(), array.data_type());
                Error::input(format!("the column {name} holds a {data_type} that is too large"))
            })
        })
        .collect::<Result<_>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(target, columns, &rows)
        .map_err(|cause| Error::bug(format!("columns do not make a batch: {cause}")))
}

//! Batches of any types as batches of distil's own.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use distil_plan::{Error, Result, Schema};

use super::records::refuse_not_finite;
use super::values::{cast, columns_of};

/// The rows of a batch as the columns of `schema`, which are those of the batch in the same order, under any
/// names, in the types that [`record_schema`](super::record_schema) finds for them. `known` is as there.
///
/// # Errors
/// An input error for a value that its type can't hold, and for NaN and infinities.
pub fn conform(
    batch: &RecordBatch,
    known: Option<&Schema>,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    refuse_not_finite(&columns_of(batch, known)?)?;
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect::<Result<_>>()?;
    RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| Error::bug(format!("a batch has other columns than its schema: {error}")))
}

//! Bad records as Arrow batches.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, BinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use distil_plan::{BadPart, Error, Reason, Result};

/// The columns of a batch of bad records and ranges; `at` and `raw` are null where they are not known or kept.
fn schema() -> SchemaRef {
    let column = |name, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        column("input", DataType::UInt32),
        column("offset", DataType::UInt64),
        column("length", DataType::UInt64),
        column("reason", DataType::Utf8),
        column("detail", DataType::Utf8),
        Field::new("at", DataType::UInt64, true),
        Field::new("raw", DataType::Binary, true),
        column("added", DataType::Binary),
    ]))
}

/// Bad records as a batch.
///
/// # Errors
/// A bug if they do not make one (more than 2 GiB of raw bytes, for one).
pub fn bad_record_batch(parts: &[BadPart]) -> Result<RecordBatch> {
    let all = || parts.iter();
    let raw: BinaryArray = all().map(|part| part.raw.as_deref()).collect();
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(UInt32Array::from_iter_values(all().map(|part| part.input as u32))),
            Arc::new(UInt64Array::from_iter_values(all().map(|part| part.offset))),
            Arc::new(UInt64Array::from_iter_values(all().map(|part| part.length))),
            Arc::new(StringArray::from_iter_values(all().map(|part| part.reason.name()))),
            Arc::new(StringArray::from_iter_values(all().map(|part| part.detail.as_str()))),
            Arc::new(all().map(|part| part.at).collect::<UInt64Array>()),
            Arc::new(raw),
            Arc::new(BinaryArray::from_iter_values(all().map(|part| &part.added))),
        ],
    )
    .map_err(|error| Error::bug(format!("bad records do not make a batch: {error}")))
}

/// Reads a batch of bad records.
///
/// # Errors
/// An environment error if it is none.
pub fn read_bad_records(batch: &RecordBatch) -> Result<Vec<BadPart>> {
    if batch.schema_ref().fields() != schema().fields() {
        return Err(broken());
    }
    let column = |at: usize| batch.column(at);
    let input = column(0).as_primitive::<UInt32Type>();
    let offset = column(1).as_primitive::<UInt64Type>();
    let length = column(2).as_primitive::<UInt64Type>();
    let (reason, detail) = (column(3).as_string::<i32>(), column(4).as_string::<i32>());
    let at_byte = column(5).as_primitive::<UInt64Type>();
    let raw = column(6).as_binary::<i32>();
    let added = column(7).as_binary::<i32>();
    (0..batch.num_rows())
        .map(|at| {
            Ok(BadPart {
                input: input.value(at) as usize,
                offset: offset.value(at),
                length: length.value(at),
                reason: Reason::from_name(reason.value(at)).ok_or_else(broken)?,
                detail: detail.value(at).to_owned(),
                at: at_byte.is_valid(at).then(|| at_byte.value(at)),
                raw: raw.is_valid(at).then(|| raw.value(at).to_vec()),
                added: added.value(at).to_vec(),
            })
        })
        .collect()
}

fn broken() -> Error {
    Error::environment("a batch between parts of the job does not hold bad records of distil")
        .help("install the same version of distil on all nodes")
}

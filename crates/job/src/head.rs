//! The first rows of an output.

use std::path::Path;

use arrow_array::RecordBatch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_json::decimal::{Decimal, Scratch};
use distil_json::{format_date, format_instant, write_string};
use distil_plan::{Error, Result, RowImage, Schema, TimeUnit};
use distil_storage::Storage;

use crate::columns::{Member, Value, columns_of};
use crate::parquet_reader::open_output;

/// The beginning of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The names of the columns, in their order, and their types: distil's, or those that a file of
    /// others has.
    pub columns: Vec<(String, String)>,
    /// The first rows, each as a JSON object with the columns in their order; null columns are left
    /// out. Numbers keep all digits, instants are RFC 3339, binary is base64.
    pub rows: Vec<RowImage>,
    /// All rows of the output.
    pub total: u64,
}

/// Reads the first `count` rows of an output.
///
/// # Errors
/// As [`open_output`]; an input error for a type that distil does not read.
pub fn head(storage: &dyn Storage, path: &Path, count: usize) -> Result<Head> {
    let parts = open_output(storage, path)?;
    let mut rows = Vec::new();
    let mut columns = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let schema = part.footer()?.map(|footer| footer.schema);
        if at == 0 {
            columns = describe(schema.as_ref(), part.schema());
        }
        if rows.len() >= count {
            continue;
        }
        for batch in part.batches(None)? {
            let batch = batch?;
            let members = columns_of(&batch, schema.as_ref())
                .map_err(|error| error.at(part.path().to_string_lossy(), None))?;
            let in_order = file_order(&members, &columns);
            for row in 0..batch.num_rows().min(count - rows.len()) {
                rows.push(image(&in_order, row)?);
            }
            if rows.len() >= count {
                break;
            }
        }
    }
    let total = parts.iter().map(|part| part.rows()).sum();
    Ok(Head { columns, rows, total })
}

/// The rows of a batch of columns of these types, as in [`Head::rows`].
///
/// # Errors
/// An input error for a type that distil does not read.
pub fn row_images(batch: &RecordBatch, schema: &Schema) -> Result<Vec<RowImage>> {
    let members = columns_of(batch, Some(schema))?;
    let in_order: Vec<&Member> = members.iter().collect();
    (0..batch.num_rows()).map(|row| image(&in_order, row)).collect()
}

fn describe(schema: Option<&Schema>, found: &arrow_schema::Schema) -> Vec<(String, String)> {
    match schema {
        Some(schema) => {
            schema.fields.iter().map(|f| (f.name.clone(), f.data_type.to_string())).collect()
        }
        None => {
            found.fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect()
        }
    }
}

fn file_order<'a>(members: &'a [Member], columns: &[(String, String)]) -> Vec<&'a Member> {
    columns.iter().filter_map(|(name, _)| members.iter().find(|m| m.name == *name)).collect()
}

fn image(columns: &[&Member], row: usize) -> Result<RowImage> {
    let mut out = Vec::new();
    object(columns.iter().copied(), row, &mut out);
    String::from_utf8(out)
        .map(RowImage)
        .map_err(|_| Error::bug("a row was printed as something else than text"))
}

fn object<'a>(members: impl Iterator<Item = &'a Member>, row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for Member { name, column } in members {
        let value = column.value(row);
        if matches!(value, Value::Null) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(name.as_bytes(), out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn write(value: Value<'_>, out: &mut Vec<u8>) {
    let scratch = &mut Scratch::new();
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Int(value) => Decimal::from_i64(value, scratch).write_canonical(out),
        Value::UInt(value) => Decimal::from_u64(value, scratch).write_canonical(out),
        Value::Decimal(value, scale) => {
            Decimal::from_i128(value, scale, scratch).write_canonical(out);
        }
        Value::Float32(value) => match Decimal::from_f32(value, scratch) {
            Some(number) => number.write_canonical(out),
            None => write_string(value.to_string().as_bytes(), out),
        },
        Value::Float64(value) => match Decimal::from_f64(value, scratch) {
            Some(number) => number.write_canonical(out),
            None => write_string(value.to_string().as_bytes(), out),
        },
        Value::String(text) => write_string(text.as_bytes(), out),
        Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Binary(bytes) => write_string(STANDARD.encode(bytes).as_bytes(), out),
        Value::Date(days) => {
            out.push(b'"');
            format_date(days, out);
            out.push(b'"');
        }
        Value::Timestamp(count, nanoseconds) => {
            let (count, unit) = match nanoseconds {
                1 => (count, TimeUnit::Nanos),
                1_000 => (count, TimeUnit::Micros),
                1_000_000 => (count, TimeUnit::Millis),
                _ => (count.saturating_mul(1000), TimeUnit::Millis),
            };
            out.push(b'"');
            format_instant(count, unit, unit.digits(), out);
            out.push(b'"');
        }
        Value::List(elements, range) => {
            out.push(b'[');
            for (nth, at) in range.enumerate() {
                if nth > 0 {
                    out.push(b',');
                }
                write(elements.value(at), out);
            }
            out.push(b']');
        }
        Value::Object(members, row) => object(members.iter(), row, out),
    }
}

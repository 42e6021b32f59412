//! The digest of rows in Arrow arrays (`docs/semantics.md` 6).

use arrow_array::RecordBatch;
use distil_json::decimal::{Decimal, Scratch};
use distil_json::digest::{Digest, RowDigest};
use distil_plan::{Error, Result};

use super::values::{Column, Member, Value, columns_of};

/// The digest of the rows of batches, of any Arrow types that can stand for JSON values: equal
/// values have equal digests, whatever types hold them.
///
/// # Errors
/// An input error for a type without a digest (durations, unions ...), and for NaN and infinities.
pub fn digest_batches<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Result<Digest> {
    let mut digest = RowDigest::new();
    for batch in batches {
        add_rows(&mut digest, &columns_of(batch, None)?, batch.num_rows())?;
    }
    Ok(digest.finish())
}

/// Adds the rows of columns, which are in order of their names, to a digest.
///
/// # Errors
/// As [`digest_batches`].
pub fn add_rows(digest: &mut RowDigest, columns: &[Member], rows: usize) -> Result<()> {
    for row in 0..rows {
        digest.begin_row(present(columns, row));
        members(digest, columns, row)?;
        digest.end_row();
    }
    Ok(())
}

/// How many members are not null.
fn present(members: &[Member], row: usize) -> usize {
    members.iter().filter(|member| !matches!(member.column.value(row), Value::Null)).count()
}

fn members(digest: &mut RowDigest, members: &[Member], row: usize) -> Result<()> {
    for Member { name, column } in members {
        let value = column.value(row);
        if !matches!(value, Value::Null) {
            digest.name(name);
            put(digest, value)?;
        }
    }
    Ok(())
}

fn put(digest: &mut RowDigest, value: Value<'_>) -> Result<()> {
    let scratch = &mut Scratch::new();
    let finite = |number: Option<Decimal<'_>>, digest: &mut RowDigest| match number {
        Some(number) => {
            digest.decimal(&number);
            Ok(())
        }
        None => Err(Error::input("NaN and infinities have no digest: they are no JSON values")),
    };
    match value {
        Value::Null => digest.null(),
        Value::Boolean(value) => digest.bool(value),
        Value::Int(value) => digest.int(value),
        Value::UInt(value) => digest.decimal(&Decimal::from_u64(value, scratch)),
        Value::Decimal(value, scale) => {
            digest.decimal(&Decimal::from_i128(value, scale, scratch));
        }
        Value::Float32(value) => finite(Decimal::from_f32(value, scratch), digest)?,
        Value::Float64(value) => finite(Decimal::from_f64(value, scratch), digest)?,
        Value::String(text) | Value::Json(text) => digest.string(text),
        Value::Binary(bytes) => digest.binary(bytes),
        Value::Date(days) => digest.date(days),
        Value::Timestamp(count, unit) => {
            digest.timestamp_nanos(i128::from(count) * i128::from(unit));
        }
        Value::List(elements, range) => {
            digest.list_begin(range.len());
            list(digest, elements, range)?;
        }
        Value::Object(of, row) => {
            digest.object_begin(present(of, row));
            members(digest, of, row)?;
        }
    }
    Ok(())
}

fn list(digest: &mut RowDigest, elements: &Column, range: std::ops::Range<usize>) -> Result<()> {
    for at in range {
        put(digest, elements.value(at))?;
    }
    Ok(())
}

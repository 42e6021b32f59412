//! Arrow arrays of a row group, batch by batch, to the chunks of its flat columns.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder};
use arrow_schema::{DataType, TimeUnit};
use distil_plan::{Error, Result};
use parquet::basic::Type as Physical;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{
    self, ChunkOptions, DictionaryBuilder, FlatChunk, PlainWriter, Values, parquet_error,
};

/// The values of a flat column of a row group under way.
struct FlatColumnBuilder {
    values: Collected,
    validity: NullBufferBuilder,
}

enum Collected {
    Boolean(BooleanBufferBuilder),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>),
    Strings(DictionaryBuilder),
}

/// Whether [`flat_chunk`] takes columns of the type.
pub(crate) fn is_flat(data_type: &DataType) -> bool {
    !data_type.is_nested()
}

/// The chunk of a column of `rows` rows, whose batches are `arrays`. They may be read twice: strings are only
/// kept while a dictionary may pay, and else read again and written page by page.
///
/// # Errors
/// Those of the arrays; a bug if one is not of the column's type.
pub(crate) fn flat_chunk(
    column: &ColumnDescPtr,
    rows: usize,
    options: &ChunkOptions,
    arrays: impl Iterator<Item = Result<ArrayRef>> + Clone,
) -> Result<FlatChunk> {
    let mut builder = FlatColumnBuilder::new(column, rows)?;
    for array in arrays.clone() {
        builder.append(array?.as_ref())?;
    }
    let FlatColumnBuilder { values, mut validity } = builder;
    let validity = validity.finish();
    let validity = validity.as_ref();
    let encode = |values: Values<'_>| {
        column_chunk::encode(column, values, validity, rows, options).map_err(parquet_error)
    };
    match values {
        Collected::Boolean(mut values) => encode(Values::Boolean(&values.finish())),
        Collected::Int32(values) => encode(Values::Int32(&values)),
        Collected::Int64(values) => encode(Values::Int64(&values)),
        Collected::Float32(values) => encode(Values::Float32(&values)),
        Collected::Float64(values) => encode(Values::Float64(&values)),
        Collected::Decimal(values) => encode(Values::Decimal(&values)),
        Collected::Strings(builder) => match builder.finish() {
            Some((codes, dictionary)) => {
                encode(Values::Codes { codes: &codes, dictionary: &dictionary })
            }
            None => {
                let plain = PlainWriter::new(column, validity, rows, options);
                let mut plain = plain.map_err(parquet_error)?;
                for array in arrays {
                    strings(array?.as_ref(), |value| plain.push(value).map_err(parquet_error))?;
                }
                plain.finish().map_err(parquet_error)
            }
        },
    }
}

impl FlatColumnBuilder {
    /// For at most `rows` rows.
    fn new(column: &ColumnDescPtr, rows: usize) -> Result<Self> {
        let values = match column.physical_type() {
            Physical::BOOLEAN => Collected::Boolean(BooleanBufferBuilder::new(rows)),
            Physical::INT32 => Collected::Int32(Vec::with_capacity(rows)),
            Physical::INT64 => Collected::Int64(Vec::with_capacity(rows)),
            Physical::FLOAT => Collected::Float32(Vec::with_capacity(rows)),
            Physical::DOUBLE => Collected::Float64(Vec::with_capacity(rows)),
            Physical::FIXED_LEN_BYTE_ARRAY => Collected::Decimal(Vec::with_capacity(rows)),
            Physical::BYTE_ARRAY => Collected::Strings(DictionaryBuilder::new(rows)),
            Physical::INT96 => return Err(mismatch()),
        };
        Ok(Self { values, validity: NullBufferBuilder::new(rows) })
    }

    /// Appends an array of the column's type.
    fn append(&mut self, array: &dyn Array) -> Result<()> {
        match array.nulls() {
            Some(nulls) => self.validity.append_buffer(nulls),
            None => self.validity.append_n_non_nulls(array.len()),
        }
        match (&mut self.values, array.data_type()) {
            (Collected::Boolean(values), DataType::Boolean) => booleans(array.as_boolean(), values),
            (Collected::Int32(values), DataType::Int8) => {
                extend::<Int8Type, _>(array, values, i32::from);
            }
            (Collected::Int32(values), DataType::Int16) => {
                extend::<Int16Type, _>(array, values, i32::from);
            }
            (Collected::Int32(values), DataType::Int32) => copy::<Int32Type>(array, values),
            (Collected::Int32(values), DataType::Date32) => copy::<Date32Type>(array, values),
            (Collected::Int32(values), DataType::Decimal128(..)) => {
                extend::<Decimal128Type, _>(array, values, |value| value as i32);
            }
            (Collected::Int64(values), DataType::Int64) => copy::<Int64Type>(array, values),
            (Collected::Int64(values), DataType::Timestamp(unit, _)) => match unit {
                TimeUnit::Millisecond => copy::<TimestampMillisecondType>(array, values),
                TimeUnit::Microsecond => copy::<TimestampMicrosecondType>(array, values),
                TimeUnit::Nanosecond => copy::<TimestampNanosecondType>(array, values),
                TimeUnit::Second => return Err(mismatch()),
            },
            (Collected::Int64(values), DataType::Decimal128(..)) => {
                extend::<Decimal128Type, _>(array, values, |value| value as i64);
            }
            (Collected::Float32(values), DataType::Float32) => copy::<Float32Type>(array, values),
            (Collected::Float64(values), DataType::Float64) => copy::<Float64Type>(array, values),
            (Collected::Decimal(values), DataType::Decimal128(..)) => {
                copy::<Decimal128Type>(array, values);
            }
            (Collected::Strings(values), _) => strings(array, |value| {
                values.push(value);
                Ok(())
            })?,
            _ => return Err(mismatch()),
        }
        Ok(())
    }
}

fn mismatch() -> Error {
    Error::bug("an array is not of its column's type")
}

/// The values of an array of strings or binary values that are not null.
fn strings(array: &dyn Array, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    match array.data_type() {
        DataType::Utf8 => {
            array.as_string::<i32>().iter().flatten().try_for_each(|value| each(value.as_bytes()))
        }
        DataType::Binary => array.as_binary::<i32>().iter().flatten().try_for_each(each),
        _ => Err(mismatch()),
    }
}

fn booleans(array: &BooleanArray, values: &mut BooleanBufferBuilder) {
    if array.null_count() == 0 {
        values.append_buffer(array.values());
    } else {
        array.iter().flatten().for_each(|value| values.append(value));
    }
}

fn copy<T: ArrowPrimitiveType>(array: &dyn Array, values: &mut Vec<T::Native>) {
    let array = array.as_primitive::<T>();
    if array.null_count() == 0 {
        values.extend_from_slice(array.values());
    } else {
        values.extend(array.iter().flatten());
    }
}

fn extend<T: ArrowPrimitiveType, V>(
    array: &dyn Array,
    values: &mut Vec<V>,
    convert: impl Fn(T::Native) -> V,
) {
    values.extend(array.as_primitive::<T>().iter().flatten().map(convert));
}

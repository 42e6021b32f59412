//! Arrow arrays of a row group, slice by slice, to the values of its flat columns.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder};
use arrow_schema::{DataType, TimeUnit};
use distil_plan::{Error, Result};
use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{self, ChunkOptions, DictionaryBuilder, FlatChunk, Values};

/// A flat column of a row group under way.
pub(crate) struct FlatColumnBuilder {
    column: ColumnDescPtr,
    options: ChunkOptions,
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

/// Whether a column of the type has a [`FlatColumnBuilder`].
pub(crate) fn is_flat(data_type: &DataType) -> bool {
    !data_type.is_nested()
}

impl FlatColumnBuilder {
    /// For at most `rows` rows.
    pub(crate) fn new(column: &ColumnDescPtr, rows: usize, options: ChunkOptions) -> Result<Self> {
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
        let validity = NullBufferBuilder::new(rows);
        Ok(Self { column: column.clone(), options, values, validity })
    }

    /// Appends an array of the column's type.
    pub(crate) fn append(&mut self, array: &dyn Array) -> Result<()> {
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
            (Collected::Strings(values), DataType::Utf8) => {
                for value in array.as_string::<i32>().iter().flatten() {
                    values.push(value.as_bytes());
                }
            }
            (Collected::Strings(values), DataType::Binary) => {
                for value in array.as_binary::<i32>().iter().flatten() {
                    values.push(value);
                }
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    /// The column's chunk.
    pub(crate) fn finish(mut self) -> Result<FlatChunk, ParquetError> {
        let rows = self.validity.len();
        let validity = self.validity.finish();
        let boolean;
        let values = match self.values {
            Collected::Boolean(mut values) => {
                boolean = values.finish();
                Values::Boolean(&boolean)
            }
            Collected::Int32(ref values) => Values::Int32(values),
            Collected::Int64(ref values) => Values::Int64(values),
            Collected::Float32(ref values) => Values::Float32(values),
            Collected::Float64(ref values) => Values::Float64(values),
            Collected::Decimal(ref values) => Values::Decimal(values),
            Collected::Strings(values) => Values::Interned(values),
        };
        column_chunk::encode(&self.column, values, validity.as_ref(), rows, &self.options)
    }
}

fn mismatch() -> Error {
    Error::bug("an array is not of its column's type")
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

//! Arrow arrays as columns of values: one reading for the digest, the order and the display.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, LargeListArray, ListArray, PrimitiveArray,
    RecordBatch, StringArray,
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, TimeUnit as ArrowUnit};
use distil_plan::{Error, Result, Schema, TimeUnit, Type, is_place};

/// A column, or the members or elements of one.
pub enum Column {
    /// Nulls alone.
    Null,
    /// Booleans.
    Boolean(BooleanArray),
    /// Signed integers of up to 64 bits.
    Int(PrimitiveArray<Int64Type>),
    /// Unsigned integers of up to 64 bits.
    UInt(PrimitiveArray<UInt64Type>),
    /// Decimals of up to 38 digits, and their scale.
    Decimal(PrimitiveArray<Decimal128Type>, i8),
    /// Single-precision numbers.
    Float32(PrimitiveArray<Float32Type>),
    /// Double-precision numbers.
    Float64(PrimitiveArray<Float64Type>),
    /// Strings.
    String(StringArray),
    /// JSON values as their canonical text.
    Json(StringArray),
    /// Bytes.
    Binary(BinaryArray),
    /// Days since 1970-01-01.
    Date(PrimitiveArray<Date32Type>),
    /// Counts of a unit, and its length in nanoseconds.
    Timestamp(PrimitiveArray<Int64Type>, i64),
    /// Lists.
    List(ListArray, Box<Column>),
    /// Lists with wide offsets.
    LargeList(LargeListArray, Box<Column>),
    /// Objects, and the columns of their members.
    Struct(ArrayRef, Vec<Member>),
}

/// A named column.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its values.
    pub column: Column,
}

/// A value of a column.
#[derive(Clone)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A number and its scale.
    Decimal(i128, i8),
    /// A single-precision number.
    Float32(f32),
    /// A double-precision number.
    Float64(f64),
    /// A string.
    String(&'a str),
    /// The canonical text of any value.
    Json(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// Days since 1970.
    Date(i32),
    /// A count of units since 1970, and the nanoseconds of a unit.
    Timestamp(i64, i64),
    /// The elements of a list, as a range of a column.
    List(&'a Column, Range<usize>),
    /// The members, in order of their names, and the row.
    Object(&'a [Member], usize),
}

/// The columns of a batch in order of their names (UTF-8 bytes), at every level.
///
/// With a schema, its `json` columns are read as such; without one they are strings.
pub fn columns_of(batch: &RecordBatch, schema: Option<&Schema>) -> Result<Vec<Member>> {
    let schema_ref = batch.schema();
    members(schema_ref.fields(), batch.columns(), schema.map(|schema| schema.fields.as_slice()))
}

/// The columns but those that say where records lie: these are no part of what records say.
pub fn without_places(mut columns: Vec<Member>) -> Vec<Member> {
    columns.retain(|column| !is_place(&column.name));
    columns
}

fn members<'a>(
    fields: impl IntoIterator<Item = &'a std::sync::Arc<Field>>,
    arrays: &[ArrayRef],
    declared: Option<&[distil_plan::Field]>,
) -> Result<Vec<Member>> {
    let declared: HashMap<&str, &Type> = (declared.into_iter().flatten())
        .map(|field| (field.name.as_str(), &field.data_type))
        .collect();
    let mut members = Vec::with_capacity(arrays.len());
    for (field, array) in fields.into_iter().zip(arrays) {
        let column = Column::of(array, declared.get(field.name().as_str()).copied())
            .map_err(|error| error.detail(format!("in the column {}", field.name())))?;
        members.push(Member { name: field.name().clone(), column });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = members.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::input(format!("two columns are named {}", pair[0].name)));
    }
    Ok(members)
}

impl Column {
    fn of(array: &ArrayRef, declared: Option<&Type>) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Int(cast_primitive(array, &DataType::Int64)?),
            DataType::UInt64 => Self::UInt(array.as_primitive().clone()),
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => decimal(array, *scale)?,
            DataType::Float16 | DataType::Float32 => {
                Self::Float32(cast_primitive(array, &DataType::Float32)?)
            }
            DataType::Float64 => Self::Float64(array.as_primitive().clone()),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let text = cast(array, &DataType::Utf8)?.as_string::<i32>().clone();
                if declared == Some(&Type::Json) { Self::Json(text) } else { Self::String(text) }
            }
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Self::Binary(cast(array, &DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Date32 | DataType::Date64 => {
                Self::Date(cast_primitive(array, &DataType::Date32)?)
            }
            DataType::Timestamp(unit, _) => {
                let nanoseconds = match unit {
                    ArrowUnit::Second => 1_000_000_000,
                    ArrowUnit::Millisecond => 1_000_000,
                    ArrowUnit::Microsecond => 1_000,
                    ArrowUnit::Nanosecond => 1,
                };
                Self::Timestamp(cast_primitive(array, &DataType::Int64)?, nanoseconds)
            }
            DataType::Dictionary(_, values) => Self::of(&cast(array, values)?, declared)?,
            DataType::List(_) => {
                let list = array.as_list::<i32>().clone();
                let elements = Self::of(list.values(), element_type(declared))?;
                Self::List(list, Box::new(elements))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>().clone();
                let elements = Self::of(list.values(), element_type(declared))?;
                Self::LargeList(list, Box::new(elements))
            }
            DataType::Struct(fields) => {
                let declared = match declared {
                    Some(Type::Struct(inner)) => Some(inner.as_slice()),
                    _ => None,
                };
                let members = members(fields, array.as_struct().columns(), declared)?;
                Self::Struct(array.clone(), members)
            }
            other => {
                return Err(Error::input(format!("values of the type {other} are not supported"))
                    .help(
                        "distil reads booleans, numbers, strings, binary, dates, timestamps, \
                           lists and structs",
                    ));
            }
        })
    }

    /// The value in a row.
    pub fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(array) if array.is_valid(row) => Value::Boolean(array.value(row)),
            Self::Int(array) => primitive(array, row, Value::Int),
            Self::UInt(array) => primitive(array, row, Value::UInt),
            Self::Decimal(array, scale) => primitive(array, row, |v| Value::Decimal(v, *scale)),
            Self::Float32(array) => primitive(array, row, Value::Float32),
            Self::Float64(array) => primitive(array, row, Value::Float64),
            Self::Date(array) => primitive(array, row, Value::Date),
            Self::Timestamp(array, unit) => primitive(array, row, |v| Value::Timestamp(v, *unit)),
            Self::String(array) if array.is_valid(row) => Value::String(array.value(row)),
            Self::Json(array) if array.is_valid(row) => Value::Json(array.value(row)),
            Self::Binary(array) if array.is_valid(row) => Value::Binary(array.value(row)),
            Self::List(array, elements) if array.is_valid(row) => {
                let offsets = &array.value_offsets()[row..row + 2];
                Value::List(elements, index(offsets[0].into())..index(offsets[1].into()))
            }
            Self::LargeList(array, elements) if array.is_valid(row) => {
                let offsets = &array.value_offsets()[row..row + 2];
                Value::List(elements, index(offsets[0])..index(offsets[1]))
            }
            Self::Struct(array, members) if array.is_valid(row) => Value::Object(members, row),
            _ => Value::Null,
        }
    }
}

/// A count of Arrow's time units, of `nanoseconds` each, in a unit that distil has: seconds become
/// milliseconds. A count that overflows is clamped, and lies far outside the years that are allowed.
pub(crate) fn instant(count: i64, nanoseconds: i64) -> (i64, TimeUnit) {
    match nanoseconds {
        1 => (count, TimeUnit::Nanos),
        1_000 => (count, TimeUnit::Micros),
        1_000_000 => (count, TimeUnit::Millis),
        _ => (count.saturating_mul(1000), TimeUnit::Millis),
    }
}

/// Decimals, checked against the precision of their type: a broken file may hold more digits.
fn decimal(array: &ArrayRef, scale: i8) -> Result<Column> {
    let precision = match array.data_type() {
        DataType::Decimal32(precision, _)
        | DataType::Decimal64(precision, _)
        | DataType::Decimal128(precision, _)
        | DataType::Decimal256(precision, _) => (*precision).min(38),
        _ => 38,
    };
    let numbers: PrimitiveArray<Decimal128Type> =
        cast_primitive(array, &DataType::Decimal128(38, scale))?;
    numbers.validate_decimal_precision(precision).map_err(|_| {
        Error::input(format!("a value has more digits than its type, {}", array.data_type()))
    })?;
    Ok(Column::Decimal(numbers, scale))
}

fn primitive<'a, T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    row: usize,
    value: impl FnOnce(T::Native) -> Value<'a>,
) -> Value<'a> {
    if array.is_valid(row) { value(array.value(row)) } else { Value::Null }
}

fn index(offset: i64) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

fn element_type(declared: Option<&Type>) -> Option<&Type> {
    match declared {
        Some(Type::List(element)) => Some(element),
        _ => None,
    }
}

/// Casts that lose nothing; a value that the target can't hold is an error.
pub(super) fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &options).map_err(|_| {
        Error::input(format!("a value of the type {} is too large to be read", array.data_type()))
    })
}

fn cast_primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &DataType,
) -> Result<PrimitiveArray<T>> {
    Ok(cast(array, to)?.as_primitive::<T>().clone())
}

//! Rows of Arrow arrays as records: JSON lines and a schema that reads them back, value by value.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field as ArrowField, TimeUnit as ArrowUnit};
use distil_plan::{Code, Error, Field, Result, Schema, TimeUnit, Type};

use super::json_text::write_object;
use super::values::{Column, Member, columns_of};

/// The schema that reads the records of such columns back. `known` says which columns of text hold
/// `json`, and which types nothing is known of.
///
/// # Errors
/// An input error that names the first column whose values JSON records can't carry exactly, or that
/// is there twice.
pub fn record_schema(columns: &arrow_schema::Schema, known: Option<&Schema>) -> Result<Schema> {
    let known = known.map(|schema| schema.fields.as_slice());
    // Two columns of one name are the fault of whoever wrote them.
    Schema::new(fields(columns.fields(), known)?).map_err(|error| error.coded(Code::Input))
}

fn fields(columns: &arrow_schema::Fields, known: Option<&[Field]>) -> Result<Vec<Field>> {
    let known: HashMap<&str, &Field> =
        known.into_iter().flatten().map(|field| (field.name.as_str(), field)).collect();
    columns
        .iter()
        .map(|column| {
            let found = known.get(column.name().as_str());
            let data_type = type_of(column, found.map(|field| &field.data_type))
                .map_err(|error| error.detail(format!("in the column {}", column.name())))?;
            let unknown = found.is_some_and(|found| found.unknown);
            Ok(Field { unknown, ..Field::new(column.name(), data_type) })
        })
        .collect()
}

fn type_of(column: &Arc<ArrowField>, known: Option<&Type>) -> Result<Type> {
    let refused = |why: &str| {
        Error::input(format!("values of the type {} can't be read: {why}", column.data_type()))
    };
    let decimal = |precision: u8, scale: i8| match u8::try_from(scale) {
        Ok(scale) if precision <= 38 && scale <= precision => {
            Ok(Type::Decimal { precision, scale })
        }
        _ => Err(refused("distil has decimals of up to 38 digits, and none with a negative scale")),
    };
    let element = |element: &Arc<ArrowField>| {
        let known = match known {
            Some(Type::List(known)) => Some(&**known),
            _ => None,
        };
        type_of(element, known).map(|found| Type::List(Box::new(found)))
    };
    Ok(match column.data_type() {
        DataType::Boolean => Type::Boolean,
        DataType::Int8 => Type::Int8,
        DataType::Int16 | DataType::UInt8 => Type::Int16,
        DataType::Int32 | DataType::UInt16 => Type::Int32,
        DataType::Int64 | DataType::UInt32 => Type::Int64,
        DataType::UInt64 => Type::Decimal { precision: 20, scale: 0 },
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale)?,
        DataType::Float16 | DataType::Float32 => Type::Float32,
        DataType::Float64 => Type::Float64,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if known == Some(&Type::Json) => {
            Type::Json
        }
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Type::String,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Type::Binary,
        DataType::Date32 | DataType::Date64 => Type::Date,
        DataType::Timestamp(_, None) => {
            return Err(refused("they are not instants, as they have no time zone")
                .help("write the column with the time zone that is meant, such as UTC"));
        }
        DataType::Timestamp(unit, Some(_)) => Type::Timestamp(match unit {
            ArrowUnit::Second | ArrowUnit::Millisecond => TimeUnit::Millis,
            ArrowUnit::Microsecond => TimeUnit::Micros,
            ArrowUnit::Nanosecond => TimeUnit::Nanos,
        }),
        DataType::Dictionary(_, values) => {
            type_of(&Arc::new(ArrowField::new(column.name(), (**values).clone(), true)), known)?
        }
        DataType::List(inner) | DataType::LargeList(inner) => element(inner)?,
        DataType::Struct(inner) if !inner.is_empty() => {
            let known = match known {
                Some(Type::Struct(known)) => Some(known.as_slice()),
                _ => None,
            };
            let members = Schema::new(fields(inner, known)?);
            Type::Struct(members.map_err(|error| error.coded(Code::Input))?.fields)
        }
        _ => return Err(refused("no type of distil holds them exactly")),
    })
}

/// Appends the rows of a batch, each as one JSON line that [`record_schema`] reads back exactly. A
/// top-level column is called what `name` makes of its name.
///
/// # Errors
/// An input error for a column that can't be read, and for NaN and infinities.
pub fn write_records(
    batch: &RecordBatch,
    known: Option<&Schema>,
    name: &dyn Fn(&str) -> String,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut columns = columns_of(batch, known)?;
    refuse_not_finite(&columns)?;
    for Member { name: column, .. } in &mut columns {
        *column = name(column);
    }
    for row in 0..batch.num_rows() {
        write_object(columns.iter(), row, out);
        out.push(b'\n');
    }
    Ok(())
}

/// Refuses numbers that JSON does not have.
pub(crate) fn refuse_not_finite(columns: &[Member]) -> Result<()> {
    match columns.iter().find(|member| !is_finite(&member.column)) {
        None => Ok(()),
        Some(Member { name, .. }) => Err(Error::input(format!(
            "the column {name} holds NaN or an infinity, which are no JSON values"
        ))
        .help("make them null, or leave the column out")),
    }
}

fn is_finite(column: &Column) -> bool {
    match column {
        Column::Float32(values) => values.iter().flatten().all(f32::is_finite),
        Column::Float64(values) => values.iter().flatten().all(f64::is_finite),
        Column::List(_, elements) | Column::LargeList(_, elements) => is_finite(elements),
        Column::Struct(_, members) => members.iter().all(|member| is_finite(&member.column)),
        _ => true,
    }
}

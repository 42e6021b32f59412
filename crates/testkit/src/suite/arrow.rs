//! Parquet back to values, with the plain Arrow reader.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, RecordBatchReader, types::Date32Type};
use arrow_schema::{DataType, Fields, TimeUnit as ArrowUnit};
use bytes::Bytes;
use distil_plan::{TimeUnit, Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::oracle::json::{Decimal, Value};

/// What Parquet files hold.
#[derive(Debug, Default)]
pub struct Table {
    /// Names and types of the columns.
    pub columns: Vec<(String, DataType)>,
    /// All rows.
    pub rows: Vec<Vec<Value>>,
    /// Rows of every row group.
    pub row_groups: Vec<u64>,
}

/// Reads Parquet files of one schema, one after another.
pub fn read_parquet<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Table {
    let mut table = Table::default();
    for (at, file) in files.into_iter().enumerate() {
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(file)).unwrap();
        let groups = builder.metadata().row_groups().iter().map(|g| g.num_rows() as u64);
        table.row_groups.extend(groups);
        let reader = builder.build().unwrap();
        let fields = reader.schema().fields().clone();
        let columns: Vec<(String, DataType)> =
            fields.iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
        assert!(at == 0 || columns == table.columns, "the files differ in their columns");
        table.columns = columns;
        for batch in reader {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                table.rows.push(batch.columns().iter().map(|c| value(c, row)).collect());
            }
        }
    }
    table
}

fn value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let number = |text: String| Value::Number(Decimal::parse(&text).unwrap());
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int8 => number(array.as_primitive::<Int8Type>().value(row).to_string()),
        DataType::Int16 => number(array.as_primitive::<Int16Type>().value(row).to_string()),
        DataType::Int32 => number(array.as_primitive::<Int32Type>().value(row).to_string()),
        DataType::Int64 => number(array.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Decimal128(_, scale) => {
            let unscaled = array.as_primitive::<Decimal128Type>().value(row);
            number(format!("{unscaled}e{}", -i32::from(*scale)))
        }
        DataType::Float32 => {
            let float = array.as_primitive::<Float32Type>().value(row);
            assert!(float != 0.0 || float.is_sign_positive(), "negative zero is zero");
            Value::Number(Decimal::of_f32(float).unwrap())
        }
        DataType::Float64 => {
            let float = array.as_primitive::<Float64Type>().value(row);
            assert!(float != 0.0 || float.is_sign_positive(), "negative zero is zero");
            Value::Number(Decimal::of_f64(float).unwrap())
        }
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Value::String(array.as_string::<i64>().value(row).to_owned()),
        DataType::Binary => Value::Binary(array.as_binary::<i32>().value(row).to_vec()),
        DataType::LargeBinary => Value::Binary(array.as_binary::<i64>().value(row).to_vec()),
        DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(unit, _) => Value::Instant(match unit {
            ArrowUnit::Millisecond => {
                i128::from(array.as_primitive::<TimestampMillisecondType>().value(row)) * 1_000_000
            }
            ArrowUnit::Microsecond => {
                i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1_000
            }
            ArrowUnit::Nanosecond => {
                i128::from(array.as_primitive::<TimestampNanosecondType>().value(row))
            }
            ArrowUnit::Second => panic!("Parquet has no seconds"),
        }),
        DataType::List(_) => {
            let elements = array.as_list::<i32>().value(row);
            Value::List((0..elements.len()).map(|at| value(&elements, at)).collect())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct();
            let member = |(at, f): (usize, &arrow_schema::FieldRef)| {
                (f.name().clone(), value(columns.column(at), row))
            };
            let members = fields.iter().enumerate().map(member);
            Value::Object(members.filter(|(_, v)| v != &Value::Null).collect())
        }
        other => panic!("no column of distil has the type {other}"),
    }
}

/// Whether an Arrow type is the one of a column of this type.
pub(crate) fn is_type(found: &DataType, expected: &Type) -> bool {
    match (expected, found) {
        (Type::Boolean, DataType::Boolean)
        | (Type::Int8, DataType::Int8)
        | (Type::Int16, DataType::Int16)
        | (Type::Int32, DataType::Int32)
        | (Type::Int64, DataType::Int64)
        | (Type::Float32, DataType::Float32)
        | (Type::Float64, DataType::Float64)
        | (Type::Date, DataType::Date32)
        | (Type::Binary, DataType::Binary | DataType::LargeBinary)
        | (Type::String | Type::Json, DataType::Utf8 | DataType::LargeUtf8) => true,
        (Type::Decimal { precision, scale }, DataType::Decimal128(p, s)) => {
            precision == p && i8::try_from(*scale) == Ok(*s)
        }
        (Type::Timestamp(unit), DataType::Timestamp(found, zone)) => {
            let expected = match unit {
                TimeUnit::Millis => ArrowUnit::Millisecond,
                TimeUnit::Micros => ArrowUnit::Microsecond,
                TimeUnit::Nanos => ArrowUnit::Nanosecond,
            };
            expected == *found && zone.as_deref() == Some("UTC")
        }
        (Type::List(element), DataType::List(found)) => is_type(found.data_type(), element),
        (Type::Struct(expected), DataType::Struct(found)) => are_fields(found, expected),
        _ => false,
    }
}

fn are_fields(found: &Fields, expected: &[distil_plan::Field]) -> bool {
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(f, e)| *f.name() == e.name && is_type(f.data_type(), &e.data_type))
}

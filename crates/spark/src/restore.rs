//! Values as they travelled (see [`crate::types`]) back to the types of the schema.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, ListArray, RecordBatch, StructArray};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{
    ArrowError, DataType, Field as ArrowField, Fields, Schema as ArrowSchema, TimeUnit as ArrowUnit,
};
use distil_plan::{Error, Field, Result, Schema, TimeUnit, Type};

/// The Arrow schema of columns of these types.
pub(crate) fn arrow_schema(schema: &Schema) -> ArrowSchema {
    ArrowSchema::new(arrow_fields(&schema.fields))
}

fn arrow_fields(fields: &[Field]) -> Fields {
    fields.iter().map(|f| ArrowField::new(&f.name, arrow_type(&f.data_type), true)).collect()
}

fn arrow_type(data_type: &Type) -> DataType {
    match data_type {
        Type::Boolean => DataType::Boolean,
        Type::Int8 => DataType::Int8,
        Type::Int16 => DataType::Int16,
        Type::Int32 => DataType::Int32,
        Type::Int64 => DataType::Int64,
        // A precision is at most 38.
        Type::Decimal { precision, scale } => DataType::Decimal128(*precision, scale.cast_signed()),
        Type::Float32 => DataType::Float32,
        Type::Float64 => DataType::Float64,
        Type::Timestamp(unit) => timestamp(*unit),
        Type::Epoch(unit) => timestamp(unit.column_unit()),
        Type::Date => DataType::Date32,
        Type::Binary => DataType::Binary,
        Type::String | Type::Json => DataType::Utf8,
        Type::List(element) => DataType::List(Arc::new(element_field(element))),
        Type::Struct(fields) => DataType::Struct(arrow_fields(fields)),
    }
}

fn element_field(element: &Type) -> ArrowField {
    ArrowField::new("element", arrow_type(element), true)
}

fn timestamp(unit: TimeUnit) -> DataType {
    let unit = match unit {
        TimeUnit::Millis => ArrowUnit::Millisecond,
        TimeUnit::Micros => ArrowUnit::Microsecond,
        TimeUnit::Nanos => ArrowUnit::Nanosecond,
    };
    DataType::Timestamp(unit, Some("UTC".into()))
}

/// The columns of a batch, in the order of the schema, with their types.
///
/// # Errors
/// A bug if Spark returned something else than it was asked for.
pub(crate) fn restore(
    batch: &RecordBatch,
    schema: &Schema,
    arrow: &Arc<ArrowSchema>,
) -> Result<RecordBatch> {
    let pairs = batch.columns().iter().zip(&schema.fields);
    let columns: Vec<ArrayRef> = pairs
        .map(|(array, field)| typed(array, &field.data_type))
        .collect::<Result<_, _>>()
        .map_err(foreign)?;
    RecordBatch::try_new(Arc::clone(arrow), columns).map_err(foreign)
}

/// An error of arrays whose making was asked of Spark.
pub(crate) fn foreign(error: ArrowError) -> Error {
    Error::bug(format!("Spark's result is not what was asked for: {error}"))
}

/// Members and elements are taken by their places: their names are those of the query.
fn typed(array: &ArrayRef, data_type: &Type) -> Result<ArrayRef, ArrowError> {
    match data_type {
        Type::List(element) => {
            let list = array.as_list_opt::<i32>().ok_or_else(|| unlike(array, data_type))?;
            Ok(Arc::new(ListArray::try_new(
                Arc::new(element_field(element)),
                list.offsets().clone(),
                typed(list.values(), element)?,
                list.nulls().cloned(),
            )?))
        }
        Type::Struct(fields) => {
            let members = array.as_struct_opt().ok_or_else(|| unlike(array, data_type))?;
            let pairs = members.columns().iter().zip(fields);
            let columns: Vec<ArrayRef> = pairs
                .map(|(member, field)| typed(member, &field.data_type))
                .collect::<Result<_, _>>()?;
            Ok(Arc::new(StructArray::try_new(
                arrow_fields(fields),
                columns,
                members.nulls().cloned(),
            )?))
        }
        Type::Binary => {
            let digits = cast(array, &DataType::Utf8)?;
            let bytes = digits.as_string::<i32>().iter().map(|text| text.map(bytes).transpose());
            Ok(Arc::new(bytes.collect::<Result<BinaryArray, _>>()?))
        }
        scalar => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, &arrow_type(scalar), &options)
        }
    }
}

/// The bytes of hexadecimal digits.
fn bytes(digits: &str) -> Result<Vec<u8>, ArrowError> {
    let wrong = || ArrowError::CastError(format!("{digits:.20} for bytes"));
    let pairs = (0..digits.len()).step_by(2).map(|at| {
        digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong)
    });
    pairs.collect()
}

fn unlike(array: &ArrayRef, data_type: &Type) -> ArrowError {
    ArrowError::CastError(format!("{} for {data_type}", array.data_type()))
}

/// The chosen columns of a batch, as [`Schema::project`] chooses them.
///
/// # Errors
/// A bug if the schema is not one of the batch.
pub(crate) fn project(batch: &RecordBatch, to: &Arc<ArrowSchema>) -> Result<RecordBatch> {
    let columns = to.fields().iter().map(|field| {
        let array = batch.column_by_name(field.name());
        let array = array.ok_or_else(|| Error::bug("a chosen column is not there"))?;
        chosen(array, field.data_type())
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(Arc::clone(to), columns).map_err(foreign)
}

fn chosen(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let (DataType::Struct(fields), Some(members)) = (to, array.as_struct_opt()) else {
        return Ok(Arc::clone(array));
    };
    let columns = fields.iter().map(|field| {
        let member = members.column_by_name(field.name());
        let member = member.ok_or_else(|| Error::bug("a chosen member is not there"))?;
        chosen(member, field.data_type())
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let members = StructArray::try_new(fields.clone(), columns, members.nulls().cloned());
    members.map(|members| Arc::new(members) as ArrayRef).map_err(foreign)
}

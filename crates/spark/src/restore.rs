//! Values as they travelled (see [`crate::types`]) back to the types of the schema.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, ListArray, RecordBatch, StructArray};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{ArrowError, DataType, Schema as ArrowSchema};
use distil_json::{arrow_fields, arrow_type, element_field};
use distil_plan::{Error, Result, Schema, Type};

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

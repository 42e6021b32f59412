//! The chunks of a nested column, one leaf after another.
//!
//! A stock writer holds more than a megabyte while it is open, whatever it writes. So a column of many
//! leaves is not written by as many writers at once: of each batch, the arrays on the way to one leaf are
//! written, then the next leaf's.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use distil_plan::{Error, Result};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;

use crate::column_chunk::parquet_error;

/// The chunks of all leaves of a column, whose batches are `arrays`.
///
/// # Errors
/// A bug if the column has no Parquet form.
pub(crate) fn nested_chunks<'a>(
    field: &FieldRef,
    arrays: impl Iterator<Item = &'a ArrayRef> + Clone,
    properties: &WriterPropertiesPtr,
) -> Result<Vec<ArrowColumnChunk>> {
    let mut leaves = Vec::new();
    leaves_of(field.data_type(), &mut Vec::new(), &mut leaves);
    leaves
        .iter()
        .map(|leaf| {
            let field = only(field, leaf)?;
            let schema = Arc::new(Schema::new(vec![Arc::clone(&field)]));
            let parquet = ArrowSchemaConverter::new().convert(&schema).map_err(parquet_error)?;
            let nowhere = SerializedFileWriter::new(
                Vec::new(),
                parquet.root_schema_ptr(),
                Arc::clone(properties),
            );
            let factory = ArrowRowGroupWriterFactory::new(&nowhere.map_err(parquet_error)?, schema);
            let mut writers = factory.create_column_writers(0).map_err(parquet_error)?;
            let mut writer = match (writers.pop(), writers.is_empty()) {
                (Some(writer), true) => writer,
                _ => return Err(Error::bug("a leaf has not one writer")),
            };
            for array in arrays.clone() {
                let array = only_values(array, leaf)?;
                for levels in compute_leaves(&field, &array).map_err(parquet_error)? {
                    writer.write(&levels).map_err(parquet_error)?;
                }
            }
            writer.close().map_err(parquet_error)
        })
        .collect()
}

/// The ways to all leaves of a type, in order: for each struct on the way the ordinal of a member.
fn leaves_of(data_type: &DataType, way: &mut Vec<usize>, leaves: &mut Vec<Vec<usize>>) {
    match data_type {
        DataType::List(element) => leaves_of(element.data_type(), way, leaves),
        DataType::Struct(members) => {
            for (ordinal, member) in members.iter().enumerate() {
                way.push(ordinal);
                leaves_of(member.data_type(), way, leaves);
                way.pop();
            }
        }
        _ => leaves.push(way.clone()),
    }
}

/// A field with nothing but what lies on the way to a leaf.
fn only(field: &FieldRef, way: &[usize]) -> Result<FieldRef> {
    let data_type = match field.data_type() {
        DataType::List(element) => DataType::List(only(element, way)?),
        DataType::Struct(members) => {
            let (member, way) = step(members, way)?;
            DataType::Struct(vec![only(member, way)?].into())
        }
        _ => return Ok(Arc::clone(field)),
    };
    Ok(Arc::new(Field::new(field.name(), data_type, field.is_nullable())))
}

/// The values of an array with nothing but what lies on the way to a leaf.
fn only_values(array: &ArrayRef, way: &[usize]) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::List(element) => {
            let list = array.as_list::<i32>();
            let values = only_values(list.values(), way)?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::new(only(element, way)?, offsets, values, nulls))
        }
        DataType::Struct(members) => {
            let (member, rest) = step(members, way)?;
            let (found, _) = step(array.as_struct().columns(), way)?;
            let fields = vec![only(member, rest)?].into();
            let values = vec![only_values(found, rest)?];
            let nulls = array.nulls().cloned();
            let only = StructArray::try_new(fields, values, nulls);
            Arc::new(only.map_err(|error| Error::bug(format!("a struct does not fit: {error}")))?)
        }
        _ => Arc::clone(array),
    })
}

fn step<'a, 'w, T>(members: &'a [T], way: &'w [usize]) -> Result<(&'a T, &'w [usize])> {
    way.split_first()
        .and_then(|(ordinal, rest)| Some((members.get(*ordinal)?, rest)))
        .ok_or_else(|| Error::bug("a way leads to no leaf"))
}

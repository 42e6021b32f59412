//! The leaves of columns: what Parquet writes a column chunk of.
//!
//! A nested column becomes leaves as soon as its rows are read, so that each leaf is written, and waits on disk,
//! by itself. A stock writer holds more than a megabyte while it is open, whatever it writes: leaf after leaf,
//! a column of many takes no more than that.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use distil_plan::{Error, Result};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::LogicalType;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use super::annotate::with_json;
use crate::column_chunk::{PageStores, StockPages, parquet_error};

/// A leaf, and the way to it.
pub(crate) struct LeafColumn {
    /// The ordinal of its column.
    pub(crate) column: usize,
    /// For each struct on the way the ordinal of a member.
    way: Vec<usize>,
    /// The column with nothing but what lies on the way.
    field: FieldRef,
}

impl LeafColumn {
    /// The leaves of all columns, in order.
    ///
    /// # Errors
    /// A bug if a type has no such leaf.
    pub(crate) fn all(schema: &Schema) -> Result<Vec<Self>> {
        let mut leaves = Vec::new();
        for (column, field) in schema.fields().iter().enumerate() {
            let mut ways = Vec::new();
            ways_of(field.data_type(), &mut Vec::new(), &mut ways);
            for way in ways {
                let field = only(field, &way)?;
                leaves.push(Self { column, way, field });
            }
        }
        Ok(leaves)
    }

    /// What a column's array has of the leaf. Buffers are shared.
    ///
    /// # Errors
    /// A bug if the array is not of the column's type.
    pub(crate) fn of(&self, array: &ArrayRef) -> Result<ArrayRef> {
        only_values(array, &self.way)
    }

    /// The chunk of a nested leaf, which is `column` in the files, and whose batches are `arrays`.
    ///
    /// # Errors
    /// Those of the arrays; a bug if the column has no Parquet form.
    pub(crate) fn nested_chunk(
        &self,
        column: &ColumnDescPtr,
        arrays: impl Iterator<Item = Result<ArrayRef>>,
        properties: &WriterPropertiesPtr,
        pages: &Arc<dyn PageStores>,
    ) -> Result<ArrowColumnChunk> {
        let schema = Arc::new(Schema::new(vec![Arc::clone(&self.field)]));
        let parquet = ArrowSchemaConverter::new().convert(&schema).map_err(parquet_error)?;
        let is_json = column.logical_type_ref() == Some(&LogicalType::Json);
        let root = with_json(parquet, &[is_json])?.root_schema_ptr();
        let nowhere = SerializedFileWriter::new(Vec::new(), root, Arc::clone(properties));
        let factory = ArrowRowGroupWriterFactory::new(&nowhere.map_err(parquet_error)?, schema)
            .with_page_store_factory(Arc::new(StockPages(Arc::clone(pages))));
        let mut writers = factory.create_column_writers(0).map_err(parquet_error)?;
        let mut writer = match (writers.pop(), writers.is_empty()) {
            (Some(writer), true) => writer,
            _ => return Err(Error::bug("a leaf has not one writer")),
        };
        for array in arrays {
            for levels in compute_leaves(&self.field, &array?).map_err(parquet_error)? {
                writer.write(&levels).map_err(parquet_error)?;
            }
        }
        writer.close().map_err(parquet_error)
    }
}

/// The ways to all leaves of a type, in order.
fn ways_of(data_type: &DataType, way: &mut Vec<usize>, ways: &mut Vec<Vec<usize>>) {
    match data_type {
        DataType::List(element) => ways_of(element.data_type(), way, ways),
        DataType::Struct(members) => {
            for (ordinal, member) in members.iter().enumerate() {
                way.push(ordinal);
                ways_of(member.data_type(), way, ways);
                way.pop();
            }
        }
        _ => ways.push(way.clone()),
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

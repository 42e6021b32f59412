//! The annotation of `json` columns in Parquet. To Arrow they are text like any other, so a schema that is
//! made of Arrow types does not have it.

use std::sync::Arc;

use distil_plan::{Field, Result, Type};
use parquet::basic::{LogicalType, Type as Physical};
use parquet::schema::types::{SchemaDescriptor, Type as Node, TypePtr};

use crate::column_chunk::parquet_error;

/// A Parquet schema of these columns whose `json` leaves say that they are JSON.
///
/// # Errors
/// A bug if the schema is not one of these columns.
pub fn annotated(schema: SchemaDescriptor, columns: &[Field]) -> Result<SchemaDescriptor> {
    let mut is_json = Vec::with_capacity(schema.num_columns());
    columns.iter().for_each(|column| leaves(&column.data_type, &mut is_json));
    with_json(schema, &is_json)
}

/// The schema with JSON for the leaves at which `is_json` says so.
///
/// # Errors
/// A bug if one of them holds no bytes.
pub(super) fn with_json(schema: SchemaDescriptor, is_json: &[bool]) -> Result<SchemaDescriptor> {
    if !is_json.contains(&true) {
        return Ok(schema);
    }
    let root = node(&schema.root_schema_ptr(), &mut is_json.iter().copied())?;
    Ok(SchemaDescriptor::new(root))
}

/// Whether each leaf of a type is `json`, in order.
fn leaves(data_type: &Type, is_json: &mut Vec<bool>) {
    match data_type {
        Type::List(element) => leaves(element, is_json),
        Type::Struct(members) => {
            members.iter().for_each(|member| leaves(&member.data_type, is_json));
        }
        leaf => is_json.push(matches!(leaf, Type::Json | Type::JsonText)),
    }
}

fn node(found: &TypePtr, is_json: &mut impl Iterator<Item = bool>) -> Result<TypePtr> {
    match &**found {
        Node::GroupType { basic_info, fields } => {
            let fields = fields.iter().map(|field| node(field, is_json));
            let fields = fields.collect::<Result<_>>()?;
            Ok(Arc::new(Node::GroupType { basic_info: basic_info.clone(), fields }))
        }
        Node::PrimitiveType { basic_info, .. } => {
            if !is_json.next().unwrap_or_default() {
                return Ok(Arc::clone(found));
            }
            Node::primitive_type_builder(basic_info.name(), Physical::BYTE_ARRAY)
                .with_repetition(basic_info.repetition())
                .with_logical_type(Some(LogicalType::Json))
                .build()
                .map(Arc::new)
                .map_err(parquet_error)
        }
    }
}

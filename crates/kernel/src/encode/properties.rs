//! The properties of the Parquet writer for an output: encodings, compression, bloom filters, sort order.

use std::collections::HashMap;

use distil_plan::{ColumnPath, Dedup, Key, Result, Schema, Sink, Type};
use parquet::basic::Encoding;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::{ColumnPath as ParquetPath, SchemaDescriptor};

use crate::column_chunk::{codec, parquet_error};

/// A dictionary may grow to this before the writer falls back to plain values.
const DICTIONARY_BYTES: usize = 4 << 20;

/// A path as the Parquet crate has it; it joins steps by dots, so names with dots need no quotes.
pub fn parquet_path(path: &ColumnPath) -> ParquetPath {
    ParquetPath::new(path.steps().to_vec())
}

/// The properties of the files of an output.
///
/// # Errors
/// A bug if the compression has no such level.
pub(crate) fn properties(
    schema: &Schema,
    written: &Schema,
    parquet_schema: &SchemaDescriptor,
    dedup: Option<&Dedup>,
    sink: &Sink,
) -> Result<WriterProperties> {
    let mut builder = WriterProperties::builder()
        // Pages of version 2 say themselves whether they are compressed.
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by(format!("distil version {}", distil_plan::DISTIL_VERSION))
        .set_compression(codec(sink.compression).map_err(parquet_error)?)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_sorting_columns(Some(sorting_columns(schema, written, parquet_schema, dedup)));
    for column in parquet_schema.columns() {
        let path = column.path().clone();
        match column.physical_type() {
            // Sorted or clustered more often than not; a dictionary of integers rarely pays.
            parquet::basic::Type::INT32 | parquet::basic::Type::INT64 => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            parquet::basic::Type::BYTE_ARRAY => {
                builder = builder.set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY);
            }
            parquet::basic::Type::FLOAT
            | parquet::basic::Type::DOUBLE
            | parquet::basic::Type::FIXED_LEN_BYTE_ARRAY => {
                builder = builder.set_column_encoding(path, Encoding::PLAIN);
            }
            _ => {}
        }
    }
    for path in &sink.bloom {
        let path = parquet_path(path);
        builder = builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_max_ndv(path, sink.row_group_rows.min(1 << 20));
    }
    Ok(builder.build())
}

/// The leading columns that rows are sorted by and that readers compare as we do: scalars of the
/// key, or under `*` the columns by name.
fn sorting_columns(
    schema: &Schema,
    written: &Schema,
    parquet_schema: &SchemaDescriptor,
    dedup: Option<&Dedup>,
) -> Vec<SortingColumn> {
    let paths: Vec<ColumnPath> = match dedup.map(|dedup| &dedup.key) {
        Some(Key::Columns(columns)) => columns.clone(),
        _ => {
            let mut names: Vec<&String> = schema.fields.iter().map(|field| &field.name).collect();
            names.sort();
            names.into_iter().map(ColumnPath::name).collect()
        }
    };
    let types = written.index();
    let leaves = parquet_schema.columns().iter().enumerate();
    let leaves: HashMap<&ParquetPath, usize> =
        leaves.map(|(at, column)| (column.path(), at)).collect();
    paths
        .iter()
        .map_while(|path| {
            let data_type = types.find(path)?;
            if !data_type.is_scalar() || matches!(data_type, Type::Json | Type::JsonText) {
                return None;
            }
            Some(SortingColumn {
                column_idx: i32::try_from(*leaves.get(&parquet_path(path))?).ok()?,
                descending: false,
                nulls_first: false,
            })
        })
        .collect()
}

//! Row groups to column chunks.
//!
//! The chunks are a function of the group's rows alone: they are fed to the column writers in slices
//! counted from the first row, whatever the ranges and threads were.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use distil_job::digest::digest_batches;
use distil_json::digest::Digest;
use distil_json::{RowReader, SortColumn};
use distil_plan::{ColumnPath, Compression, Dedup, Error, Key, Result, Schema, Sink, Type};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, ColumnPath as ParquetPath, SchemaDescriptor};

use crate::chunk;
use crate::collect::{Collector, is_flat};
use crate::groups::{Batch, Group};
use crate::packed::Packing;
use crate::packed_columns::PackedGroup;
use crate::writers::{ColumnChunk, FieldWriter};

/// Rows that go to the column writers at once.
const SLICE: usize = 8192;
/// A dictionary may grow to this before the writer falls back to plain values.
const DICTIONARY_BYTES: usize = 4 << 20;

/// A row group, encoded.
pub(crate) struct EncodedGroup {
    pub(crate) chunks: Vec<ColumnChunk>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
}

impl EncodedGroup {
    pub(crate) fn new(chunks: Vec<ColumnChunk>, rows: u64, digest: Digest) -> Self {
        let bytes = chunks.iter().map(ColumnChunk::len).sum();
        Self { chunks, rows, bytes, digest }
    }
}

/// Encodes row groups of one schema.
pub(crate) struct Encoder {
    schema: Schema,
    sort_columns: Vec<SortColumn>,
    rest_reversed: bool,
    columns: Option<Vec<ColumnPath>>,
    arrow: SchemaRef,
    nested: ArrowRowGroupWriterFactory,
    compression: Compression,
    pub(crate) parquet_schema: SchemaDescriptor,
    pub(crate) properties: WriterPropertiesPtr,
    digest: bool,
}

impl Encoder {
    /// An encoder for the columns of `columns`, or all.
    ///
    /// # Errors
    /// A bug if the schema has no Parquet form.
    pub(crate) fn new(
        schema: &Schema,
        dedup: Option<&Dedup>,
        columns: Option<&[ColumnPath]>,
        sink: &Sink,
        digest: bool,
    ) -> Result<Self> {
        let (sort_columns, rest_reversed) = SortColumn::of(dedup);
        let reader = RowReader::new(schema, &sort_columns, rest_reversed, columns)?;
        let arrow = Arc::clone(reader.schema());
        let parquet_schema = ArrowSchemaConverter::new().convert(&arrow).map_err(parquet_error)?;
        let written = columns.map_or_else(|| schema.clone(), |columns| schema.project(columns));
        let properties = Arc::new(properties(schema, &written, &parquet_schema, dedup, sink)?);
        let nowhere = SerializedFileWriter::new(
            Vec::new(),
            parquet_schema.root_schema_ptr(),
            Arc::clone(&properties),
        )
        .map_err(parquet_error)?;
        Ok(Self {
            schema: schema.clone(),
            sort_columns,
            rest_reversed,
            columns: columns.map(<[ColumnPath]>::to_vec),
            nested: ArrowRowGroupWriterFactory::new(&nowhere, Arc::clone(&arrow)),
            arrow,
            compression: sink.compression,
            parquet_schema,
            properties,
            digest,
        })
    }

    /// The writer of a column of a row group.
    fn writer(&self, column: usize, rows: usize) -> Result<FieldWriter> {
        let field = &self.arrow.fields()[column];
        let leaves = 0..self.parquet_schema.num_columns();
        let mut own =
            leaves.filter(|leaf| self.parquet_schema.get_column_root_idx(*leaf) == column);
        if !is_flat(field.data_type()) {
            let all = self.nested.create_column_writers(0).map_err(parquet_error)?;
            let own: Vec<usize> = own.collect();
            let writers = all.into_iter().enumerate().filter(|(leaf, _)| own.contains(leaf));
            let writers = writers.map(|(_, writer)| writer).collect();
            return Ok(FieldWriter::Nested(Arc::clone(field), writers));
        }
        let leaf = own.next().ok_or_else(|| Error::bug("a flat column has no leaf"))?;
        let column = self.parquet_schema.column(leaf);
        let collector = Collector::new(&column, rows, self.options(&column))?;
        Ok(FieldWriter::Flat(Box::new(collector)))
    }

    /// How the chunk of a flat column is wanted.
    fn options(&self, column: &ColumnDescPtr) -> chunk::Options {
        let bloom = self.properties.bloom_filter_properties(column.path());
        let bloom_values = bloom.map(|bloom| bloom.ndv());
        chunk::Options { compression: self.compression, bloom_values }
    }

    /// The columns that are written, those with most leaves first: what takes longest is begun first.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let mut leaves = vec![0; self.arrow.fields().len()];
        for leaf in 0..self.parquet_schema.num_columns() {
            leaves[self.parquet_schema.get_column_root_idx(leaf)] += 1;
        }
        let mut columns: Vec<usize> = (0..leaves.len()).collect();
        columns.sort_by_key(|column| Reverse(leaves[*column]));
        columns
    }

    /// Whether [`Encoder::write_packed`] takes the group: all its rows are packed, so its columns are
    /// flat all.
    pub(crate) fn takes_packed(&self, group: &Group, packing: Option<&Packing>) -> bool {
        // A digest is made of columns as they are read from encoded rows.
        !self.digest && packing.is_some_and(|packing| PackedGroup::of(group, packing).is_some())
    }

    /// Writes a column of a packed group.
    ///
    /// # Errors
    /// A bug if the group is not packed.
    pub(crate) fn write_packed(
        &self,
        group: &Group,
        packing: Option<&Packing>,
        column: usize,
    ) -> Result<Vec<ColumnChunk>> {
        let group = packing
            .and_then(|packing| PackedGroup::of(group, packing))
            .ok_or_else(|| Error::bug("a group is not packed"))?;
        let name = self.arrow.field(column).name();
        let column = self.parquet_schema.column(column);
        let chunk = group.encode(name, &column, &self.options(&column))?;
        Ok(vec![ColumnChunk::Flat(chunk)])
    }

    /// How many slices a group is read in.
    pub(crate) fn slices(group: &Group) -> usize {
        group.rows.div_ceil(SLICE as u64) as usize
    }

    /// Reads a slice of a group of one lane; its digest, too, if one is wanted.
    ///
    /// # Errors
    /// A bug if a row does not fit the schema.
    pub(crate) fn read(
        &self,
        which: usize,
        group: &Group,
        packing: Option<&Packing>,
        slice: usize,
    ) -> Result<(RecordBatch, Digest)> {
        let columns = self.columns.as_deref();
        let mut reader =
            RowReader::new(&self.schema, &self.sort_columns, self.rest_reversed, columns)?;
        let (mut skipped, mut wanted) = (slice * SLICE, SLICE);
        let mut unpacked = Vec::new();
        for (batch, begin, end) in &group.stretches {
            let skip = skipped.min(end - begin);
            skipped -= skip;
            let begin = begin + skip;
            for at in begin..*end.min(&(begin + wanted)) {
                match (batch.as_ref(), packing) {
                    (Batch::Encoded { chunks, rows }, _) => {
                        reader.append(rows[which][at].row(chunks)?.bytes)?;
                    }
                    (Batch::Packed(rows), Some(packing)) => {
                        let words = packing.layout.words;
                        let row = &rows[at * words..][..words];
                        reader.append(packing.unpack(row, &mut unpacked).bytes)?;
                    }
                    (Batch::Packed(_), None) => return Err(Error::bug("packed without a layout")),
                }
                wanted -= 1;
            }
        }
        let batch = reader.finish()?;
        let digest = if self.digest { digest_batches([&batch])? } else { Digest(0) };
        Ok((batch, digest))
    }

    /// Writes a column of a group that was read: a chunk for each of its leaves.
    ///
    /// # Errors
    /// A bug if the column has no Parquet form.
    pub(crate) fn write(
        &self,
        slices: &[RecordBatch],
        rows: u64,
        column: usize,
    ) -> Result<Vec<ColumnChunk>> {
        let mut writer = self.writer(column, rows as usize)?;
        for slice in slices {
            writer.append(slice.column(column))?;
        }
        writer.finish().map_err(parquet_error)
    }
}

/// Errors of the encoder are bugs: it writes to memory, from columns of the schema's types.
pub(crate) fn parquet_error(error: ParquetError) -> Error {
    Error::bug(format!("the rows can't be encoded as Parquet: {error}"))
}

/// A path as the Parquet crate has it; it joins steps by dots, so names with dots need no quotes.
fn parquet_path(path: &ColumnPath) -> ParquetPath {
    ParquetPath::new(path.steps().to_vec())
}

fn properties(
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
        .set_compression(chunk::codec(sink.compression).map_err(parquet_error)?)
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
    paths
        .iter()
        .map_while(|path| {
            written
                .find(path)
                .filter(|data_type| data_type.is_scalar() && **data_type != Type::Json)?;
            let leaf = parquet_path(path);
            let index =
                parquet_schema.columns().iter().position(|column| *column.path() == leaf)?;
            Some(SortingColumn {
                column_idx: i32::try_from(index).ok()?,
                descending: false,
                nulls_first: false,
            })
        })
        .collect()
}

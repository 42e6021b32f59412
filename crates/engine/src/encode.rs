//! Row groups: rows in order to column chunks.
//!
//! What a row group holds is a function of the rows alone: it is cut by counting rows and bytes of
//! values from its first row, and fed to the column writers in slices counted likewise, whatever the
//! ranges and threads were.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use distil_job::digest::digest_batches;
use distil_json::digest::Digest;
use distil_json::{Part, RowReader};
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
use crate::packed::Packing;
use crate::packed_columns::PackedGroup;
use crate::rows::RowAt;
use crate::writers::{ColumnChunk, FieldWriter};

/// Bytes of values after which a row group is cut.
const ROW_GROUP_BYTES: u64 = 128 << 20;
/// Rows that go to the column writers at once.
const SLICE: usize = 8192;
/// A dictionary may grow to this before the writer falls back to plain values.
const DICTIONARY_BYTES: usize = 4 << 20;

/// Rows of one key range, reduced and in order.
#[derive(Debug)]
pub(crate) enum Batch {
    /// Encoded rows.
    Encoded {
        chunks: Vec<Vec<u8>>,
        /// Survivors, and losers that are wanted; a row stands here as often as it is written.
        rows: [Vec<RowAt>; 2],
    },
    /// Packed rows with ranks, survivors all.
    Packed(Vec<u64>),
}

/// Rows of one row group: stretches of batches.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) stretches: Vec<(Arc<Batch>, usize, usize)>,
    pub(crate) rows: u64,
    bytes: u64,
}

/// Cuts rows into groups. One lane is the output, another the losers.
#[derive(Debug)]
pub(crate) struct Lane {
    which: usize,
    most_rows: u64,
    open: Group,
    pub(crate) cut: usize,
}

impl Lane {
    pub(crate) fn new(which: usize, most_rows: u64) -> Self {
        Self { which, most_rows, open: Group::default(), cut: 0 }
    }

    /// Takes the next batch; returns the groups that are full.
    pub(crate) fn push(
        &mut self,
        batch: &Arc<Batch>,
        packing: Option<&Packing>,
    ) -> Result<Vec<(usize, Group)>> {
        match (batch.as_ref(), packing) {
            (Batch::Encoded { chunks, rows }, _) => {
                let rows = &rows[self.which];
                let bytes = |at: usize| Ok(rows[at].row(chunks)?.value_bytes);
                self.cut(batch, rows.len(), bytes)
            }
            (Batch::Packed(rows), Some(packing)) if self.which == 0 => {
                let words = packing.layout.words;
                let bytes = |at: usize| Ok(packing.value_bytes(&rows[at * words..][..words]));
                self.cut(batch, rows.len() / words, bytes)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn cut(
        &mut self,
        batch: &Arc<Batch>,
        rows: usize,
        bytes: impl Fn(usize) -> Result<u32>,
    ) -> Result<Vec<(usize, Group)>> {
        let mut groups = Vec::new();
        let mut begin = 0;
        for at in 0..rows {
            self.open.bytes += u64::from(bytes(at)?);
            self.open.rows += 1;
            if self.open.rows >= self.most_rows || self.open.bytes >= ROW_GROUP_BYTES {
                self.open.stretches.push((Arc::clone(batch), begin, at + 1));
                begin = at + 1;
                groups.extend(self.finish());
            }
        }
        if begin < rows {
            self.open.stretches.push((Arc::clone(batch), begin, rows));
        }
        Ok(groups)
    }

    /// The last group, if there are rows in it.
    pub(crate) fn finish(&mut self) -> Option<(usize, Group)> {
        if self.open.rows == 0 {
            return None;
        }
        self.cut += 1;
        Some((self.cut - 1, std::mem::take(&mut self.open)))
    }

    pub(crate) fn which(&self) -> usize {
        self.which
    }
}

/// A row group, encoded.
pub(crate) struct EncodedGroup {
    pub(crate) chunks: Vec<ColumnChunk>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
}

/// Encodes row groups of one schema.
pub(crate) struct Encoder {
    schema: Schema,
    parts: Vec<Part>,
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
        let (parts, rest_reversed) = Part::of(dedup);
        let reader = RowReader::new(schema, &parts, rest_reversed, columns)?;
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
            parts,
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

    /// A reader for rows.
    pub(crate) fn reader(&self) -> Result<RowReader> {
        RowReader::new(&self.schema, &self.parts, self.rest_reversed, self.columns.as_deref())
    }

    /// Writers for the columns of a row group.
    fn writers(&self, rows: usize) -> Result<Vec<FieldWriter>> {
        let all_flat = self.arrow.fields().iter().all(|field| is_flat(field.data_type()));
        let mut stock = match all_flat {
            true => Vec::new(),
            false => self.nested.create_column_writers(0).map_err(parquet_error)?,
        }
        .into_iter();
        let mut writers = Vec::with_capacity(self.arrow.fields().len());
        let mut leaf = 0;
        for (at, field) in self.arrow.fields().iter().enumerate() {
            let leaves = (leaf..self.parquet_schema.num_columns())
                .take_while(|leaf| self.parquet_schema.get_column_root_idx(*leaf) == at)
                .count();
            let own = stock.by_ref().take(leaves);
            if is_flat(field.data_type()) {
                own.for_each(drop);
                let column = self.parquet_schema.column(leaf);
                let options = self.options(&column);
                let collector = Collector::new(&column, rows, options)?;
                writers.push(FieldWriter::Flat(Box::new(collector)));
            } else {
                writers.push(FieldWriter::Nested(Arc::clone(field), own.collect()));
            }
            leaf += leaves;
        }
        Ok(writers)
    }

    /// How the chunk of a flat column is wanted.
    fn options(&self, column: &ColumnDescPtr) -> chunk::Options {
        let bloom = self.properties.bloom_filter_properties(column.path());
        let bloom_values = bloom.map(|bloom| bloom.ndv());
        chunk::Options { compression: self.compression, bloom_values }
    }

    /// Encodes a group of packed rows, whose columns are flat all.
    fn encode_packed(
        &self,
        group: &PackedGroup<'_>,
        rows: u64,
        stop: &dyn Fn() -> Result<()>,
    ) -> Result<EncodedGroup> {
        let mut chunks = Vec::with_capacity(self.parquet_schema.num_columns());
        for (field, column) in self.arrow.fields().iter().zip(self.parquet_schema.columns()) {
            stop()?;
            let chunk = group.encode(field.name(), column, &self.options(column))?;
            chunks.push(ColumnChunk::Flat(chunk));
        }
        let bytes = chunks.iter().map(ColumnChunk::len).sum();
        Ok(EncodedGroup { chunks, rows, bytes, digest: Digest(0) })
    }

    /// Encodes a group of one lane; `stop` is asked now and then.
    pub(crate) fn encode(
        &self,
        which: usize,
        group: &Group,
        packing: Option<&Packing>,
        stop: &dyn Fn() -> Result<()>,
    ) -> Result<EncodedGroup> {
        // A digest is made of columns as they are read from encoded rows.
        let packed = packing.filter(|_| !self.digest).and_then(|p| PackedGroup::of(group, p));
        if let Some(packed) = packed {
            return self.encode_packed(&packed, group.rows, stop);
        }
        let mut reader = self.reader()?;
        let mut writers = self.writers(group.rows as usize)?;
        let mut sum = 0u128;
        let mut pending = 0;
        let mut flush = |reader: &mut RowReader| -> Result<()> {
            stop()?;
            let batch = reader.finish()?;
            if self.digest {
                sum = sum.wrapping_add(digest_batches([&batch])?.0);
            }
            for (writer, array) in writers.iter_mut().zip(batch.columns()) {
                writer.append(array)?;
            }
            Ok(())
        };
        for (batch, begin, end) in &group.stretches {
            let mut unpacked = Vec::new();
            for at in *begin..*end {
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
                pending += 1;
                if pending == SLICE {
                    flush(&mut reader)?;
                    pending = 0;
                }
            }
        }
        if pending > 0 {
            flush(&mut reader)?;
        }
        let mut chunks = Vec::with_capacity(self.parquet_schema.num_columns());
        for writer in writers {
            stop()?;
            writer.finish(&mut chunks).map_err(parquet_error)?;
        }
        let bytes = chunks.iter().map(ColumnChunk::len).sum();
        Ok(EncodedGroup { chunks, rows: group.rows, bytes, digest: Digest(sum) })
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

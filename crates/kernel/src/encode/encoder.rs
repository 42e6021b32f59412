//! Row groups to column chunks.
//!
//! The chunks are a function of the row group's rows alone: they are fed to the column writers in batches
//! counted from the first row, whatever the partitions and threads were.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use distil_json::digest::Digest;
use distil_json::{RowReader, SortColumn};
use distil_plan::{ColumnPath, Compression, Dedup, Error, Result, Schema, Sink};
use parquet::arrow::ArrowSchemaConverter;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::encoded_chunk::ColumnChunk;
use super::flat_column::{FlatColumnBuilder, is_flat};
use super::nested::nested_chunks;
use super::packed_columns::PackedRowGroup;
use super::properties::properties;
use crate::arrow::digest_batches;
use crate::column_chunk::{ChunkOptions, parquet_error};
use crate::row_groups::{RowGroup, Wanted};

/// Rows that go to the column writers at once.
const BATCH_ROWS: usize = 8192;

/// A row group, encoded.
pub struct EncodedRowGroup {
    /// The chunks of all leaves, in the order of the schema.
    pub chunks: Vec<ColumnChunk>,
    /// Rows.
    pub rows: u64,
    /// Bytes of all chunks.
    pub bytes: u64,
    /// The digest of the rows; zero if none was wanted.
    pub digest: Digest,
}

impl EncodedRowGroup {
    /// A row group of encoded chunks.
    pub fn new(chunks: Vec<ColumnChunk>, rows: u64, digest: Digest) -> Self {
        let bytes = chunks.iter().map(ColumnChunk::bytes).sum();
        Self { chunks, rows, bytes, digest }
    }
}

/// Encodes row groups of one schema.
pub struct Encoder {
    schema: Schema,
    sort_columns: Vec<SortColumn>,
    rest_reversed: bool,
    columns: Option<Vec<ColumnPath>>,
    arrow: SchemaRef,
    /// The columns, those with most leaves first.
    order: Vec<usize>,
    /// The first leaf of each column.
    first_leaves: Vec<usize>,
    compression: Compression,
    /// The schema of the files.
    pub parquet_schema: SchemaDescriptor,
    /// The properties of the files.
    pub properties: WriterPropertiesPtr,
    digest: bool,
}

impl Encoder {
    /// An encoder for the columns of `columns`, or all.
    ///
    /// # Errors
    /// A bug if the schema has no Parquet form.
    pub fn new(
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
        let mut leaves = vec![0; arrow.fields().len()];
        let mut first_leaves = vec![0; arrow.fields().len()];
        for leaf in 0..parquet_schema.num_columns() {
            let column = parquet_schema.get_column_root_idx(leaf);
            if leaves[column] == 0 {
                first_leaves[column] = leaf;
            }
            leaves[column] += 1;
        }
        let mut order: Vec<usize> = (0..leaves.len()).collect();
        order.sort_by_key(|column| Reverse(leaves[*column]));
        Ok(Self {
            schema: schema.clone(),
            sort_columns,
            rest_reversed,
            columns: columns.map(<[ColumnPath]>::to_vec),
            order,
            first_leaves,
            arrow,
            compression: sink.compression,
            parquet_schema,
            properties,
            digest,
        })
    }

    /// How the chunk of a flat column is wanted.
    fn options(&self, column: &ColumnDescPtr) -> ChunkOptions {
        let bloom = self.properties.bloom_filter_properties(column.path());
        let bloom_values = bloom.map(|bloom| bloom.ndv());
        ChunkOptions { compression: self.compression, bloom_values }
    }

    /// The columns that are written, those with most leaves first: what takes longest is begun first.
    pub fn columns(&self) -> &[usize] {
        &self.order
    }

    /// Whether [`Encoder::write_packed`] takes the row group: all its rows are packed, so all its columns
    /// are flat.
    pub fn takes_packed(&self, row_group: &RowGroup) -> bool {
        // A digest is made of columns as they are read from encoded rows.
        !self.digest && PackedRowGroup::of(row_group).is_some()
    }

    /// Writes a column of a packed row group.
    ///
    /// # Errors
    /// A bug if the row group is not packed.
    pub fn write_packed(&self, row_group: &RowGroup, column: usize) -> Result<Vec<ColumnChunk>> {
        let row_group =
            PackedRowGroup::of(row_group).ok_or_else(|| Error::bug("a row group is not packed"))?;
        let name = self.arrow.field(column).name();
        let column = self.parquet_schema.column(column);
        let chunk = row_group.encode(name, &column, &self.options(&column))?;
        Ok(vec![ColumnChunk::Flat(chunk)])
    }

    /// How many batches a row group is read in.
    pub fn batches(row_group: &RowGroup) -> usize {
        row_group.rows.div_ceil(BATCH_ROWS as u64) as usize
    }

    /// Reads a batch of a row group of the kept or the dropped rows; its digest, too, if one is wanted.
    ///
    /// # Errors
    /// A bug if a row does not fit the schema.
    pub fn read(
        &self,
        wanted: Wanted,
        row_group: &RowGroup,
        batch: usize,
    ) -> Result<(RecordBatch, Digest)> {
        let columns = self.columns.as_deref();
        let mut reader =
            RowReader::new(&self.schema, &self.sort_columns, self.rest_reversed, columns)?;
        let (mut skipped, mut missing) = (batch * BATCH_ROWS, BATCH_ROWS);
        let mut unpacked = Vec::new();
        for span in &row_group.spans {
            let skip = skipped.min(span.end - span.begin);
            skipped -= skip;
            let begin = span.begin + skip;
            for at in begin..span.end.min(begin + missing) {
                reader.append(span.rows.row(wanted, at, &mut unpacked)?.bytes)?;
                missing -= 1;
            }
        }
        let batch = reader.finish()?;
        let digest = if self.digest { digest_batches([&batch])? } else { Digest(0) };
        Ok((batch, digest))
    }

    /// Writes a column of a row group that was read: a chunk for each of its leaves.
    ///
    /// # Errors
    /// A bug if the column has no Parquet form.
    pub fn write(
        &self,
        batches: &[RecordBatch],
        rows: u64,
        column: usize,
    ) -> Result<Vec<ColumnChunk>> {
        let field = &self.arrow.fields()[column];
        let arrays = batches.iter().map(|batch| batch.column(column));
        if !is_flat(field.data_type()) {
            let chunks = nested_chunks(field, arrays, &self.properties)?;
            return Ok(chunks.into_iter().map(ColumnChunk::Nested).collect());
        }
        let column = self.parquet_schema.column(self.first_leaves[column]);
        let mut builder = FlatColumnBuilder::new(&column, rows as usize, self.options(&column))?;
        for array in arrays {
            builder.append(array)?;
        }
        Ok(vec![ColumnChunk::Flat(builder.finish().map_err(parquet_error)?)])
    }

    /// Encodes a row group: what threads that share its work do in pieces.
    ///
    /// # Errors
    /// As [`Encoder::read`], [`Encoder::write`] and [`Encoder::write_packed`].
    pub fn encode(&self, wanted: Wanted, row_group: &RowGroup) -> Result<EncodedRowGroup> {
        let columns = 0..self.arrow.fields().len();
        let mut digest = Digest(0);
        let chunks: Vec<Vec<ColumnChunk>> = if self.takes_packed(row_group) {
            columns.map(|column| self.write_packed(row_group, column)).collect::<Result<_>>()?
        } else {
            let mut batches = Vec::new();
            for batch in 0..Self::batches(row_group) {
                let (batch, of_batch) = self.read(wanted, row_group, batch)?;
                digest = Digest(digest.0.wrapping_add(of_batch.0));
                batches.push(batch);
            }
            columns
                .map(|column| self.write(&batches, row_group.rows, column))
                .collect::<Result<_>>()?
        };
        let chunks = chunks.into_iter().flatten().collect();
        Ok(EncodedRowGroup::new(chunks, row_group.rows, digest))
    }
}

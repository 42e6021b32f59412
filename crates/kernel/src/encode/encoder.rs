//! Row groups to column chunks.
//!
//! The chunks are a function of the row group's rows alone: they are fed to the column writers in batches
//! counted from the first row, whatever the partitions and threads were.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use distil_json::digest::{Digest, RowDigest};
use distil_json::{RowForm, RowReader};
use distil_plan::{ColumnPath, Compression, Error, Plan, ResolvedPlan, Result, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::annotate::annotated;
use super::encoded_chunk::ColumnChunk;
use super::flat_column::{flat_chunk, is_flat};
use super::leaf_column::LeafColumn;
use super::properties::properties;
use crate::arrow::{add_rows, columns_of, without_places};
use crate::column_chunk::{ChunkOptions, PageStores, PagesInMemory, parquet_error};
use crate::row_groups::{PackedRowGroup, RowBatch, Wanted};

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
    form: RowForm,
    columns: Option<Vec<ColumnPath>>,
    arrow: SchemaRef,
    leaves: Vec<LeafColumn>,
    pages: Arc<dyn PageStores>,
    compression: Compression,
    /// The schema of the files.
    pub parquet_schema: SchemaDescriptor,
    /// The properties of the files.
    pub properties: WriterPropertiesPtr,
    digest: bool,
}

impl Encoder {
    /// An encoder for the columns that a plan chooses of those of its records.
    ///
    /// # Errors
    /// A bug if the schema has no Parquet form.
    pub fn new(plan: &ResolvedPlan, schema: &Schema) -> Result<Self> {
        let form = RowForm::of(plan);
        let Plan { dedup, columns, sink, digest, .. } = &plan.plan;
        let columns = columns.as_deref();
        let reader = RowReader::new(schema, &form, columns, 0)?;
        let arrow = Arc::clone(reader.schema());
        let written = columns.map_or_else(|| schema.clone(), |columns| schema.project(columns));
        let parquet_schema = ArrowSchemaConverter::new().convert(&arrow).map_err(parquet_error)?;
        let parquet_schema = annotated(parquet_schema, &written.fields)?;
        let properties =
            Arc::new(properties(schema, &written, &parquet_schema, dedup.as_ref(), sink)?);
        Ok(Self {
            schema: schema.clone(),
            form,
            columns: columns.map(<[ColumnPath]>::to_vec),
            leaves: LeafColumn::all(&arrow)?,
            pages: Arc::new(PagesInMemory),
            arrow,
            compression: sink.compression,
            parquet_schema,
            properties,
            digest: *digest,
        })
    }

    /// The same encoder, whose pages wait in `pages`.
    #[must_use]
    pub fn with_pages(self, pages: Arc<dyn PageStores>) -> Self {
        Self { pages, ..self }
    }

    /// How the chunk of a flat column is wanted.
    fn options(&self, column: &ColumnDescPtr) -> ChunkOptions {
        let bloom = self.properties.bloom_filter_properties(column.path());
        let bloom_values = bloom.map(|bloom| bloom.ndv());
        ChunkOptions { compression: self.compression, bloom_values, pages: Arc::clone(&self.pages) }
    }

    /// How many leaves the columns have; each becomes a chunk.
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// Whether row groups may be written from packed rows: a digest is made of columns as they are read from
    /// encoded rows.
    pub fn takes_packed(&self) -> bool {
        !self.digest
    }

    /// Writes a leaf of a row group of packed rows, whose columns are all flat.
    ///
    /// # Errors
    /// A bug if the row group is not packed; those of the pages.
    pub fn write_packed(&self, row_group: &PackedRowGroup, leaf: usize) -> Result<ColumnChunk> {
        let name = self.arrow.field(leaf).name();
        let column = self.parquet_schema.column(leaf);
        row_group.encode(name, &column, &self.options(&column)).map(ColumnChunk::Flat)
    }

    /// Reads a batch of the kept or the dropped rows: an array for each leaf. Its digest, too, if one is wanted.
    ///
    /// # Errors
    /// A bug if a row does not fit the schema.
    pub fn read(&self, wanted: Wanted, batch: &RowBatch) -> Result<(Vec<ArrayRef>, Digest)> {
        let columns = self.columns.as_deref();
        let mut reader = RowReader::new(&self.schema, &self.form, columns, batch.rows as usize)?;
        let mut unpacked = Vec::new();
        for span in &batch.spans {
            for at in span.begin..span.end {
                let row = span.rows.row(wanted, at, &mut unpacked)?;
                reader.append(row.bytes, row.origin)?;
            }
        }
        let batch = reader.finish()?;
        let digest = if self.digest { self.digest_of(&batch)? } else { Digest(0) };
        let arrays = self.leaves.iter().map(|leaf| leaf.of(batch.column(leaf.column)));
        Ok((arrays.collect::<Result<_>>()?, digest))
    }

    fn digest_of(&self, batch: &RecordBatch) -> Result<Digest> {
        let columns = columns_of(batch, None)?;
        let columns = if self.form.files.is_some() { without_places(columns) } else { columns };
        let mut digest = RowDigest::new();
        add_rows(&mut digest, &columns, batch.num_rows())?;
        Ok(digest.finish())
    }

    /// Writes a leaf of a row group of `rows` rows, whose batches are `arrays`.
    ///
    /// # Errors
    /// Those of the arrays and of the pages; a bug if the column has no Parquet form.
    pub fn write(
        &self,
        leaf: usize,
        rows: u64,
        arrays: impl Iterator<Item = Result<ArrayRef>> + Clone,
    ) -> Result<ColumnChunk> {
        let column = self.parquet_schema.column(leaf);
        let leaf = self.leaves.get(leaf).ok_or_else(|| Error::bug("a leaf has no column"))?;
        if !is_flat(self.arrow.field(leaf.column).data_type()) {
            let chunk = leaf.nested_chunk(&column, arrays, &self.properties, &self.pages)?;
            return Ok(ColumnChunk::Nested(chunk));
        }
        let options = self.options(&column);
        flat_chunk(&column, rows as usize, &options, arrays).map(ColumnChunk::Flat)
    }
}

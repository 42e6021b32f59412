//! Batches of rows to the files of an output.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use distil_json::arrow_schema;
use distil_kernel::encode::{annotated, codec, parquet_path};
use distil_kernel::parquet_error;
use distil_output::footer::Footer;
use distil_output::parts::{Part, Parts};
use distil_plan::{Layout, Result, Sink};
use distil_storage::{Storage, StorageWriter};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::SchemaDescriptor;

/// The rows of one output on their way to its files.
pub(crate) struct Output<'a> {
    parts: Parts<'a, ArrowWriter<StorageWriter>>,
    most_rows: u64,
    schema: SchemaRef,
    parquet_schema: SchemaDescriptor,
    properties: WriterProperties,
}

impl<'a> Output<'a> {
    /// An output at a staged path: a file, or a directory of parts.
    pub(crate) fn new(
        storage: &'a dyn Storage,
        path: &Path,
        sink: &Sink,
        layout: Layout,
        footer: &Footer,
    ) -> Result<Self> {
        let most_rows = match layout {
            Layout::File => None,
            Layout::Dir => sink.max_file_rows,
        };
        let schema = arrow_schema(&footer.schema);
        let converted = ArrowSchemaConverter::new().convert(&schema).map_err(parquet_error)?;
        Ok(Self {
            parts: Parts::new(storage, path, layout, footer.clone()),
            most_rows: most_rows.unwrap_or(u64::MAX),
            parquet_schema: annotated(converted, &footer.schema.fields)?,
            schema,
            properties: properties(sink)?,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut begin = 0;
        while begin < batch.num_rows() {
            if self.parts.current().is_some_and(|part| part.rows >= self.most_rows) {
                self.parts.close()?;
            }
            let written = self.parts.current().map_or(0, |part| part.rows);
            let room = usize::try_from(self.most_rows - written).unwrap_or(usize::MAX);
            let count = (batch.num_rows() - begin).min(room);
            let part = self.open()?;
            part.file.write(&batch.slice(begin, count)).map_err(parquet_error)?;
            part.rows += count as u64;
            begin += count;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<&mut Part<ArrowWriter<StorageWriter>>> {
        let schema = Arc::clone(&self.schema);
        let options = ArrowWriterOptions::new()
            .with_properties(self.properties.clone())
            .with_parquet_schema(self.parquet_schema.clone());
        self.parts.open(|writer| ArrowWriter::try_new_with_options(writer, schema, options))
    }

    /// Ends the output: every file is complete and synced. An output without rows is one file.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub(crate) fn finish(mut self) -> Result<()> {
        if self.parts.files() == 0 {
            self.open()?;
        }
        self.parts.close()
    }
}

fn properties(sink: &Sink) -> Result<WriterProperties> {
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by(format!("distil version {}", distil_plan::DISTIL_VERSION))
        .set_compression(codec(sink.compression).map_err(parquet_error)?)
        .set_max_row_group_row_count(usize::try_from(sink.row_group_rows).ok());
    for path in &sink.bloom {
        builder = builder.set_column_bloom_filter_enabled(parquet_path(path), true);
    }
    Ok(builder.build())
}

//! Rows on their way to a backend that can't read them where they are.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use distil_json::arrow_schema;
use distil_kernel::arrow::{conform, write_records};
use distil_kernel::parquet_error;
use distil_plan::{InputFormat, Result, Schema};
use distil_storage::{OutputFile, Storage, StorageWriter};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::steps::PlanStep;

/// Bytes of records that are written at once.
const PIECE: usize = 1 << 20;
/// Bytes of a row group, which one thread reads.
const ROW_GROUP: usize = 16 << 20;

/// A file of rows, in the form that a backend reads.
pub(super) struct ScratchFile {
    path: PathBuf,
    form: Form,
}

enum Form {
    /// JSON, one record a line.
    Records { file: Box<dyn OutputFile>, text: Vec<u8> },
    /// Parquet of distil's own types.
    Rows { schema: SchemaRef, writer: Box<ArrowWriter<StorageWriter>> },
}

impl ScratchFile {
    /// A new file in `directory`, of rows that `schema` reads back.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(super) fn create(
        storage: &dyn Storage,
        directory: &Path,
        format: InputFormat,
        schema: &Schema,
    ) -> Result<Self> {
        let path = directory.join(match format {
            InputFormat::Json => "rows.ndjson",
            InputFormat::Parquet => "rows.parquet",
        });
        let file = storage.create_new(&path)?;
        let form = match format {
            InputFormat::Json => Form::Records { file, text: Vec::new() },
            InputFormat::Parquet => {
                let schema = arrow_schema(schema);
                // It is read once, at once: nothing about it is to be small.
                let properties = WriterProperties::builder()
                    .set_dictionary_enabled(false)
                    .set_max_row_group_bytes(Some(ROW_GROUP));
                let writer = ArrowWriter::try_new(
                    StorageWriter::new(file),
                    schema.clone(),
                    Some(properties.build()),
                );
                Form::Rows { schema, writer: Box::new(writer.map_err(parquet_error)?) }
            }
        };
        Ok(Self { path, form })
    }

    /// Adds rows under the new names of a step. `known` says what their file says of the columns.
    ///
    /// # Errors
    /// An input error for values that can't be carried exactly; an environment error with the path.
    pub(super) fn push(
        &mut self,
        batch: &RecordBatch,
        known: Option<&Schema>,
        plan_step: &PlanStep,
    ) -> Result<()> {
        match &mut self.form {
            Form::Records { file, text } => {
                write_records(batch, known, &|name| plan_step.renamed(name), text)?;
                if text.len() >= PIECE {
                    file.write_all(text)?;
                    text.clear();
                }
                Ok(())
            }
            Form::Rows { schema, writer } => {
                writer.write(&conform(batch, known, schema)?).map_err(parquet_error)
            }
        }
    }

    /// Ends the file, and returns its path.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(super) fn finish(self) -> Result<PathBuf> {
        match self.form {
            Form::Records { mut file, text } => file.write_all(&text)?,
            Form::Rows { writer, .. } => {
                writer.into_inner().map_err(parquet_error)?.finish()?;
            }
        }
        Ok(self.path)
    }
}

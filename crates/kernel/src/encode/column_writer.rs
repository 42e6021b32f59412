//! Writers of a column of one row group: our own for flat ones, the stock ones for the rest.

use std::io::Write;

use arrow_array::ArrayRef;
use arrow_schema::FieldRef;
use distil_plan::{Error, Result};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

use super::flat_column::FlatColumnBuilder;
use crate::column_chunk::{FlatChunk, parquet_error};

/// The writer of a column with all that is in it.
pub(crate) enum FieldWriter {
    Flat(Box<FlatColumnBuilder>),
    /// One writer for every leaf.
    Nested(FieldRef, Vec<ArrowColumnWriter>),
}

impl FieldWriter {
    /// Appends rows.
    pub(crate) fn append(&mut self, array: &ArrayRef) -> Result<()> {
        match self {
            Self::Flat(builder) => builder.append(array),
            Self::Nested(field, writers) => {
                let leaves = compute_leaves(field, array).map_err(parquet_error)?;
                if leaves.len() != writers.len() {
                    return Err(Error::bug("a column does not have one writer a leaf"));
                }
                let mut leaves = leaves.iter().zip(writers);
                leaves.try_for_each(|(leaf, writer)| writer.write(leaf).map_err(parquet_error))
            }
        }
    }

    /// Ends the column, which may be its larger half of work.
    pub(crate) fn finish(self) -> Result<Vec<ColumnChunk>, ParquetError> {
        match self {
            Self::Flat(builder) => Ok(vec![ColumnChunk::Flat(builder.finish()?)]),
            Self::Nested(_, writers) => {
                writers.into_iter().map(|writer| Ok(ColumnChunk::Nested(writer.close()?))).collect()
            }
        }
    }
}

/// An encoded column chunk.
pub enum ColumnChunk {
    /// Of a flat column.
    Flat(FlatChunk),
    /// Of a leaf of a nested column.
    Nested(ArrowColumnChunk),
}

impl ColumnChunk {
    /// Bytes of the chunk.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Flat(chunk) => chunk.bytes(),
            Self::Nested(chunk) => chunk.close().bytes_written,
        }
    }

    /// Appends the chunk as the next one of a row group.
    pub fn append_to_row_group<W: Write + Send>(
        self,
        writer: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match self {
            Self::Flat(chunk) => chunk.append_to_row_group(writer),
            Self::Nested(chunk) => chunk.append_to_row_group(writer),
        }
    }
}

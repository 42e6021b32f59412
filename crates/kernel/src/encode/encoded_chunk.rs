//! Encoded column chunks: our own of flat columns, the stock writers' of the rest.

use std::io::Write;

use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

use crate::column_chunk::FlatChunk;

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

//! Rows of one row group to Parquet column chunks.

mod column_writer;
mod encoder;
pub(crate) mod flat_column;
mod packed_columns;
mod properties;

pub use crate::column_chunk::codec;
pub use column_writer::ColumnChunk;
pub use encoder::{EncodedRowGroup, Encoder};
pub use properties::parquet_path;

//! Rows of one row group to Parquet column chunks.

mod encoded_chunk;
mod encoder;
pub(crate) mod flat_column;
mod nested;
mod packed_columns;
mod properties;

pub use crate::column_chunk::codec;
pub use encoded_chunk::ColumnChunk;
pub use encoder::{EncodedRowGroup, Encoder};
pub use properties::parquet_path;

//! Rows of one row group to Parquet column chunks.

mod annotate;
mod encoded_chunk;
mod encoder;
pub(crate) mod flat_column;
mod leaf_column;
mod packed_columns;
mod properties;
mod row_group_encoder;

pub use crate::column_chunk::{PageStores, PagesInMemory, codec};
pub use annotate::annotated;
pub use encoded_chunk::ColumnChunk;
pub use encoder::{EncodedRowGroup, Encoder};
pub use properties::parquet_path;
pub use row_group_encoder::RowGroupEncoder;

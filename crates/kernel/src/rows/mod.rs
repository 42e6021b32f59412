//! Rows of records: the encoded form, whose bytes order as records do, and the packed one, a few words.

mod encoded;
mod packed;
mod packed_reduce;

pub use encoded::{BUFFER_BYTES, Counts, Row, RowAt, RowBuffers, SINGLE, places};
pub use packed::{JoinedColumn, PackedBuffers, PackedRows, PackedTable};
pub use packed_reduce::{PackedReduced, PackedScratch, reduce_repeated_keys};

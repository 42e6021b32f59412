//! Arrow arrays as values: rows, digest, order, text, and records that read them back.

mod batch_decoder;
mod conform;
mod digest;
mod images;
mod json_text;
mod order;
mod records;
mod values;

pub use batch_decoder::BatchDecoder;
pub use conform::conform;
pub use digest::{add_rows, digest_batches};
pub use images::{row_image, row_images};
pub use order::{compare, compare_rows};
pub use records::{record_schema, write_records};
pub use values::{Column, Member, Value, columns_of, without_places};

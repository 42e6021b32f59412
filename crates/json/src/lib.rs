//! JSON bytes to rows and columns: shapes and frames, the strict parser, facts about types and their
//! join, canonical text, and the order-preserving encoding that decides survivors.
//!
//! The folders follow the data: `frame` cuts a stream into slices of whole frames ([`Framer`]), `parse`
//! turns a frame into a tape, `rows` a tape into an encoded row while `types` notes facts, `packed` turns
//! records that look alike into packed rows without parsing them. [`Decoder`] drives all of these,
//! [`Seen`] joins facts into a schema, and [`RowReader`] turns rows into Arrow columns. `values` is what all
//! of them agree on. No input or output, and no threads.

mod candidates;
mod decode;
mod frame;
mod message;
mod packed;
mod parse;
mod rewrite;
mod rows;
mod sample;
mod seen;
mod types;
mod values;

pub use candidates::Candidates;
pub use decode::{Decoder, FrameSlice};
pub use frame::first_bytes::has_json_line;
pub use frame::framer::{Framer, PassedOver, Step};
pub use frame::list::{FrameList, Frames};
pub use message::{MessageReader, MessageWriter};
pub use packed::dictionary::Dictionary;
pub use packed::layout::{Class, PackedColumn, PackedLayout, to_f64, to_i64};
pub use packed::ranks::Ranks;
pub use parse::flaw::repair_for;
pub use rewrite::with_members;
pub use rows::form::RowForm;
pub use rows::json_text::JsonText;
pub use rows::parts::{NullKey, RowParts};
pub use rows::reader::{RowReader, arrow_fields, arrow_schema, arrow_type, element_field};
pub use rows::sink::{EncodedRow, Sink};
pub use rows::tally::{RecordTally, RepairTally};
pub use rows::value::write_string;
pub use rows::value_text::value_text;
pub use sample::Sampler;
pub use seen::Seen;
pub use types::facts::Position;
pub use types::sort_column::SortColumn;
pub use types::survey::Fix;
pub use types::why::Why;
pub use values::time::{format_date, format_instant, in_years};
pub use values::{decimal, digest, encoding};

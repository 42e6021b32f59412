//! JSON bytes to rows and columns: shapes and frames, the strict parser, facts about types and their
//! join, canonical text, and the order-preserving encoding that decides survivors.
//!
//! The way through this crate: [`Framer`] cuts a stream into slices of whole frames, [`Decoder`] turns
//! slices into encoded rows and notes facts, [`Seen`] joins facts into a schema, and [`RowReader`]
//! turns rows into Arrow columns. No input or output, and no threads.

mod blocks;
mod columns;
mod convert;
pub mod decimal;
mod decode;
pub mod digest;
mod encode;
mod envelope;
mod facts;
mod fields;
mod framer;
mod interner;
mod packed;
mod packer;
mod part;
mod program;
mod ranks;
mod record;
mod sample;
mod scan;
mod tape;
mod time;
mod value;

pub use columns::{RowReader, arrow_schema};
pub use decode::{Decoder, Seen, Sink, Slice};
pub use facts::Position;
pub use fields::Why;
pub use framer::{Framer, Separator, Step};
pub use interner::Interner;
pub use packed::{Class, Layout, PackedColumn, to_f64, to_i64};
pub use part::Part;
pub use ranks::Ranks;
pub use record::RecordTally;
pub use sample::Sampler;
pub use time::{format_date, format_instant};
pub use value::write_string;

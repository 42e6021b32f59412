//! Column chunks of flat columns, written by ourselves.
//!
//! The stock writer interns every string anew, three quarters of what it costs to encode a row. Here a
//! string comes as a code where it has one already, and else is interned by a table made for that.
//!
//! The bytes of a chunk are a function of the row group's values and the plan: a dictionary holds the
//! distinct values that the row group uses, in order, and whether there is one follows from them,
//! however the strings came here. [`encode`] takes [`Values::Interned`] and [`Values::Codes`] to equal
//! chunks.

mod bits;
mod codec;
mod delta;
mod dictionary;
mod dictionary_builder;
mod leaf;
mod pages;
mod statistics;
mod strings;
#[cfg(test)]
mod tests;

use std::io::Write;

use arrow_buffer::{BooleanBuffer, NullBuffer};
use bytes::Bytes;
use distil_plan::{Compression, Error};
use parquet::basic::ZstdLevel;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use self::dictionary::Ranked;
pub(crate) use self::dictionary_builder::DictionaryBuilder;
use self::dictionary_builder::Interned;
use self::leaf::{Booleans, Decimals, Floats, Integers, Plain};
pub(crate) use self::strings::Strings;

/// The values of one flat column of a row group, nulls left out.
pub(crate) enum Values<'a> {
    Boolean(&'a BooleanBuffer),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    /// Decimals of more than 18 digits, unscaled.
    Decimal(&'a [i128]),
    /// Strings or binary values as codes into a dictionary of distinct strings in the order of their
    /// bytes; it may hold more than the row group uses.
    Codes {
        codes: &'a [u32],
        dictionary: &'a Strings,
    },
    /// Strings that were interned one by one.
    Interned(DictionaryBuilder),
}

/// How the plan wants a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkOptions {
    pub(crate) compression: Compression,
    /// Distinct values that a bloom filter is made for, if one is wanted.
    pub(crate) bloom_values: Option<u64>,
}

impl ChunkOptions {
    fn codec(&self) -> Result<parquet::basic::Compression> {
        codec(self.compression)
    }
}

/// The name of a compression in Parquet.
///
/// # Errors
/// For a level that zstd does not have.
pub fn codec(compression: Compression) -> Result<parquet::basic::Compression> {
    Ok(match compression {
        Compression::Zstd(level) => {
            parquet::basic::Compression::ZSTD(ZstdLevel::try_new(i32::from(level))?)
        }
        Compression::Snappy => parquet::basic::Compression::SNAPPY,
        Compression::Lz4 => parquet::basic::Compression::LZ4_RAW,
        Compression::None => parquet::basic::Compression::UNCOMPRESSED,
    })
}

/// Errors of the encoder are bugs: it writes to memory, from columns of the schema's types.
pub fn parquet_error(error: ParquetError) -> Error {
    Error::bug(format!("the rows can't be encoded as Parquet: {error}"))
}

/// An encoded column chunk of a flat column.
#[derive(Debug)]
pub struct FlatChunk {
    bytes: Bytes,
    close: ColumnCloseResult,
}

impl FlatChunk {
    /// Bytes of the chunk.
    pub fn bytes(&self) -> u64 {
        self.close.bytes_written
    }

    /// Appends the chunk to a row group whose next column is that of the chunk.
    pub fn append_to_row_group<W: Write + Send>(
        self,
        writer: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        writer.append_column(&self.bytes, self.close)
    }
}

/// Encodes the chunk of a column without lists or structs around it. `validity` says which of the
/// `rows` rows have a value; none if all have.
pub(crate) fn encode(
    column: &ColumnDescPtr,
    values: Values<'_>,
    validity: Option<&NullBuffer>,
    rows: usize,
    options: &ChunkOptions,
) -> Result<FlatChunk> {
    if column.max_rep_level() > 0 || column.max_def_level() > 1 {
        return Err(ParquetError::General("the column is not flat".to_owned()));
    }
    let text = statistics::is_text(column);
    macro_rules! write {
        ($leaf:expr) => {
            pages::write(column, &$leaf, None, validity, rows, options)
        };
    }
    let plain = |strings: &Strings| write!(Plain { strings, text });
    let coded = |codes: &[u32], dictionary: &Strings| match Ranked::new(codes, dictionary, text) {
        Some(ranked) => {
            pages::write(column, &&ranked, Some(ranked.page()), validity, rows, options)
        }
        None => plain(&codes.iter().map(|code| dictionary.get(*code as usize)).collect()),
    };
    match values {
        Values::Boolean(values) => write!(Booleans(values)),
        Values::Int32(values) => write!(Integers(values)),
        Values::Int64(values) => write!(Integers(values)),
        Values::Float32(values) => write!(Floats(values)),
        Values::Float64(values) => write!(Floats(values)),
        Values::Decimal(values) => {
            let bytes = column.type_length() as usize;
            write!(Decimals { values, bytes })
        }
        Values::Codes { codes, dictionary } => coded(codes, dictionary),
        Values::Interned(builder) => match builder.finish() {
            Interned::Codes(codes, dictionary) => coded(&codes, &dictionary),
            Interned::Plain(strings) => plain(&strings),
        },
    }
}

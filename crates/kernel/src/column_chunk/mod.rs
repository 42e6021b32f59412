//! Column chunks of flat columns, written by ourselves.
//!
//! The stock writer interns every string anew, three quarters of what it costs to encode a row. Here a
//! string comes as a code where it has one already, and else is interned by a table made for that.
//!
//! The bytes of a chunk are a function of the row group's values and the plan: a dictionary holds the
//! distinct values that the row group uses, in order, and whether there is one follows from them,
//! however the strings came here.

mod bits;
mod codec;
mod delta;
mod dictionary;
mod dictionary_builder;
mod gathered;
mod leaf;
mod pages;
mod plain;
mod statistics;
mod stored_pages;
mod strings;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

use arrow_buffer::{BooleanBuffer, NullBuffer};
use distil_plan::{Compression, Error};
use parquet::basic::ZstdLevel;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

pub(crate) use self::dictionary::Marks;
pub(crate) use self::dictionary_builder::DictionaryBuilder;
pub(crate) use self::gathered::Gathered;
use self::leaf::{Booleans, Decimals, Floats, Integers};
pub(crate) use self::plain::PlainWriter;
pub(crate) use self::stored_pages::StockPages;
use self::stored_pages::StoredPages;
pub use self::stored_pages::{PageStores, PagesInMemory};
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
}

/// How the plan wants a chunk.
#[derive(Clone, Debug)]
pub(crate) struct ChunkOptions {
    pub(crate) compression: Compression,
    /// Distinct values that a bloom filter is made for, if one is wanted.
    pub(crate) bloom_values: Option<u64>,
    /// Where pages wait.
    pub(crate) pages: Arc<dyn PageStores>,
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

/// The error of a Parquet writer: that of a file or a store inside, or a bug, as columns have the types of
/// the schema.
pub fn parquet_error(error: ParquetError) -> Error {
    if let ParquetError::External(inner) = &error
        && let Some(inner) = inner.downcast_ref::<io::Error>()
        && let Some(cause) = Error::inside(inner)
    {
        return cause.clone();
    }
    Error::bug(format!("the rows can't be encoded as Parquet: {error}"))
}

/// An encoded column chunk of a flat column.
pub struct FlatChunk {
    pages: StoredPages,
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
        writer.append_column(&self.pages.into_reader(), self.close)
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
    macro_rules! write {
        ($leaf:expr) => {
            pages::write(column, &$leaf, validity, rows, options)
        };
    }
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
        Values::Codes { codes, dictionary } => {
            let mut marks = Marks::new(dictionary.len());
            codes.iter().for_each(|code| marks.add(*code));
            let mut at = 0;
            Gathered { column, validity, rows, options }.codes(marks, dictionary, |rows, out| {
                let nulls = validity
                    .map_or(0, |validity| validity.slice(rows.start, rows.len()).null_count());
                let end = at + rows.len() - nulls;
                out.extend_from_slice(&codes[at..end]);
                at = end;
            })
        }
    }
}

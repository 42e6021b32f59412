//! Chunks whose values are gathered page by page, so that a column is never in memory as a whole.

use std::ops::Range;

use arrow_buffer::{BooleanBuffer, NullBuffer};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescPtr;

use super::dictionary::{Marks, Ranked, Ranking};
use super::leaf::{Booleans, Floats, Integers, Leaf};
use super::pages::ChunkWriter;
use super::plain::PlainWriter;
use super::strings::Strings;
use super::{ChunkOptions, FlatChunk, statistics};

/// A flat column of a row group. Its values are asked for page by page, in order: a function gets the rows of a page,
/// and appends their values, nulls left out.
pub(crate) struct Gathered<'a> {
    pub(crate) column: &'a ColumnDescPtr,
    /// Which rows have a value; `None` if all have.
    pub(crate) validity: Option<&'a NullBuffer>,
    pub(crate) rows: usize,
    pub(crate) options: &'a ChunkOptions,
}

macro_rules! gathered {
    ($name:ident, $value:ty, $leaf:ident) => {
        /// The chunk of the values.
        pub(crate) fn $name(
            &self,
            mut gather: impl FnMut(Range<usize>, &mut Vec<$value>),
        ) -> Result<FlatChunk> {
            let mut writer = self.writer::<$leaf<'_, $value>>()?;
            let mut values = Vec::new();
            while !writer.is_complete() {
                values.clear();
                gather(writer.next_rows(), &mut values);
                let leaf = $leaf(values.as_slice());
                writer.page(&leaf, 0..values.len())?;
                writer.fill(&leaf, 0..values.len());
            }
            let none: &[$value] = &[];
            writer.finish(|bounds, nulls| $leaf(none).statistics(bounds, nulls))
        }
    };
}

impl<'a> Gathered<'a> {
    gathered!(integers, i64, Integers);
    gathered!(doubles, f64, Floats);

    fn writer<L: Leaf>(&self) -> Result<ChunkWriter<'a, L::Bound>> {
        ChunkWriter::new::<L>(self.column, self.validity, self.rows, self.options)
    }

    /// The chunk of the values.
    pub(crate) fn booleans(
        &self,
        mut gather: impl FnMut(Range<usize>, &mut Vec<bool>),
    ) -> Result<FlatChunk> {
        let mut writer = self.writer::<Booleans<'_>>()?;
        let mut values = Vec::new();
        while !writer.is_complete() {
            values.clear();
            gather(writer.next_rows(), &mut values);
            let packed = BooleanBuffer::from(values.as_slice());
            let leaf = Booleans(&packed);
            writer.page(&leaf, 0..values.len())?;
            writer.fill(&leaf, 0..values.len());
        }
        let none = BooleanBuffer::new_unset(0);
        writer.finish(|bounds, nulls| Booleans(&none).statistics(bounds, nulls))
    }

    /// The chunk of strings as codes into a dictionary of distinct strings in the order of their bytes; `marks` are
    /// those of all values.
    pub(crate) fn codes(
        &self,
        marks: Marks,
        dictionary: &Strings,
        mut gather: impl FnMut(Range<usize>, &mut Vec<u32>),
    ) -> Result<FlatChunk> {
        let text = statistics::is_text(self.column);
        let mut codes = Vec::new();
        let Some(ranking) = Ranking::new(marks, dictionary, text) else {
            let mut plain = PlainWriter::new(self.column, self.validity, self.rows, self.options)?;
            let mut row = 0;
            while row < self.rows {
                codes.clear();
                let end = self.rows.min(row + GATHERED);
                gather(row..end, &mut codes);
                codes.iter().try_for_each(|code| plain.push(dictionary.get(*code as usize)))?;
                row = end;
            }
            return plain.finish();
        };
        let mut writer = self.writer::<Ranked<'_, '_>>()?;
        let (page, values) = ranking.page();
        writer.dictionary(&page, values)?;
        drop(page);
        while !writer.is_complete() {
            codes.clear();
            gather(writer.next_rows(), &mut codes);
            ranking.rank(&mut codes);
            let leaf = Ranked { ranks: &codes, ranking: &ranking };
            writer.page(&leaf, 0..codes.len())?;
        }
        let leaf = Ranked { ranks: &[], ranking: &ranking };
        writer.fill(&leaf, 0..0);
        writer.finish(|bounds, nulls| leaf.statistics(bounds, nulls))
    }
}

/// Rows that are gathered at once where it is not for a page.
const GATHERED: usize = 8 << 10;

//! Strings that no dictionary pays for, to pages as they come.

use arrow_buffer::NullBuffer;
use parquet::errors::Result;
use parquet::schema::types::ColumnDescPtr;

use super::leaf::{Leaf as _, Plain};
use super::pages::{ChunkWriter, PAGE_BYTES};
use super::strings::Strings;
use super::{ChunkOptions, FlatChunk, statistics};

/// The least rows of a page (see [`ChunkWriter`]).
const LEAST: usize = 8;

/// A chunk of strings under way. Of the strings no more is in memory than a page or two.
pub(crate) struct PlainWriter<'c> {
    writer: ChunkWriter<'c, Vec<u8>>,
    window: Strings,
    /// Values of the next page if it has as many rows as a page may have.
    wanted: usize,
    text: bool,
}

impl<'c> PlainWriter<'c> {
    /// For the values of `rows` rows, of which `validity` says which have one.
    pub(crate) fn new(
        column: &'c ColumnDescPtr,
        validity: Option<&'c NullBuffer>,
        rows: usize,
        options: &'c ChunkOptions,
    ) -> Result<Self> {
        let writer = ChunkWriter::new::<Plain<'_>>(column, validity, rows, options)?;
        let text = statistics::is_text(column);
        let wanted = writer.most_values();
        let mut new = Self { writer, window: Strings::default(), wanted, text };
        new.write_pages()?;
        Ok(new)
    }

    /// Appends a string.
    pub(crate) fn push(&mut self, string: &[u8]) -> Result<()> {
        self.window.push(string);
        self.write_pages()
    }

    /// Writes the pages whose end is known: they are full of rows, or of bytes.
    fn write_pages(&mut self) -> Result<()> {
        while !self.writer.is_complete()
            && (self.window.len() >= self.wanted
                || self.window.len() >= LEAST && self.window.data_bytes() > PAGE_BYTES)
        {
            let leaf = Plain { strings: &self.window, text: self.text };
            let values = self.writer.page(&leaf, 0..self.window.len())?;
            self.writer.fill(&leaf, 0..values);
            self.window.drain(values);
            self.wanted = self.writer.most_values();
        }
        Ok(())
    }

    /// The chunk, once all values have come.
    pub(crate) fn finish(self) -> Result<FlatChunk> {
        let Self { writer, window, text, .. } = self;
        let leaf = Plain { strings: &window, text };
        writer.finish(|bounds, nulls| leaf.statistics(bounds, nulls))
    }
}

//! Packed rows: a few words each, with strings as codes, and the table that says what they mean.
//!
//! What is packed stays so while it can; where rows of a partition travel encoded, or the schema ends with
//! other types, packed rows are unpacked and go the way of all others (see `distil_json::PackedLayout`).

use std::sync::Arc;

use distil_json::{Class, Dictionary, PackedColumn, PackedLayout, Ranks};
use distil_plan::{Error, Result, Schema, TimeUnit, Type};

use super::encoded::{Row, RowBuffers, SINGLE};
use crate::column_chunk::Strings;

/// Words of a buffer that holds many rows.
const BUFFER_WORDS: usize = 2 << 10;

/// A column of text, joined over the dictionaries of several decoders.
#[derive(Debug)]
pub struct JoinedColumn {
    /// The distinct strings, in order.
    strings: Strings,
    /// For each dictionary the ranks of its codes.
    ranks: Vec<Vec<u32>>,
}

impl JoinedColumn {
    /// Joins the dictionaries of one column.
    pub fn of(dictionaries: &[&Dictionary]) -> Self {
        let (sorted, ranks) = Ranks::of(dictionaries);
        Self { strings: sorted.into(), ranks }
    }
}

/// What packed rows mean: their layout, and the strings behind their codes.
///
/// Decoders write codes of dictionaries of their own; loading a row (see [`super::PackedScratch`])
/// replaces each code by the rank of its string among all, so that ranks compare as strings do.
#[derive(Debug)]
pub struct PackedTable {
    /// Where the values of a row are.
    pub layout: Arc<PackedLayout>,
    /// For each column of text its strings in order.
    pub(crate) strings: Vec<Strings>,
    /// For each decoder and column of text the ranks of its codes.
    pub(super) ranks: Vec<Vec<Vec<u32>>>,
    /// Whether rows can be written as they are: the schema ended with the types of the layout.
    pub writable: bool,
    /// Bytes of the values that a row has at most.
    pub(crate) most_value_bytes: u32,
}

impl PackedTable {
    /// A table of the columns of text of `layout`, joined in order of their ordinals over the
    /// dictionaries of the decoders that have any (a decoder without dictionaries packed nothing).
    ///
    /// # Errors
    /// A bug if a column is missing.
    pub fn new(
        layout: Arc<PackedLayout>,
        decoders: &[Vec<Dictionary>],
        joined: Vec<JoinedColumn>,
        schema: &Schema,
    ) -> Result<Self> {
        if joined.len() != layout.texts {
            return Err(Error::bug("a column of text was not joined"));
        }
        let mut ranks = vec![Vec::new(); decoders.len()];
        let mut strings = Vec::new();
        for column in joined {
            strings.push(column.strings);
            let packing = ranks.iter_mut().zip(decoders).filter(|(_, of)| !of.is_empty());
            for ((of_decoder, _), of_column) in packing.zip(column.ranks) {
                of_decoder.push(of_column);
            }
        }
        let writable = layout.columns.iter().all(|column| fits(column, schema));
        let longest: Vec<usize> = strings
            .iter()
            .map(|sorted: &Strings| sorted.iter().map(<[u8]>::len).max().unwrap_or_default())
            .collect();
        let most_value_bytes = layout.most_value_bytes(&longest);
        Ok(Self { layout, strings, ranks, writable, most_value_bytes })
    }

    /// A table joined by the caller's thread.
    ///
    /// # Errors
    /// As [`PackedTable::new`].
    pub fn of(
        layout: Arc<PackedLayout>,
        decoders: &[Vec<Dictionary>],
        schema: &Schema,
    ) -> Result<Self> {
        let joined = (0..layout.texts).map(|column| Self::join(decoders, column)).collect();
        Self::new(layout, decoders, joined, schema)
    }

    /// Joins one column of text over the decoders' dictionaries; columns can be joined in any order, on
    /// any thread.
    pub fn join(decoders: &[Vec<Dictionary>], column: usize) -> JoinedColumn {
        let dictionaries: Vec<&Dictionary> =
            decoders.iter().filter_map(|decoder| decoder.get(column)).collect();
        JoinedColumn::of(&dictionaries)
    }

    pub(crate) fn text(&self, column: usize, rank: u32) -> &[u8] {
        self.strings[column].get(rank as usize)
    }

    /// The encoded form of a row with ranks, in `buffer`.
    pub fn unpack<'a>(&self, row: &[u64], buffer: &'a mut Vec<u8>) -> Row<'a> {
        let text = |column, rank| self.text(column, rank);
        let key_length = self.layout.unpack(row, text, buffer);
        let value_bytes = self.value_bytes(row);
        Row { bytes: buffer, key_length, value_bytes, counts: SINGLE, origin: None }
    }

    /// Bytes of the values of a row with ranks.
    pub fn value_bytes(&self, row: &[u64]) -> u32 {
        self.layout.value_bytes(row, |column, rank| self.text(column, rank))
    }

    /// Rows with ranks, unpacked to buffers of encoded rows.
    pub fn unpack_all(&self, rows: &[u64]) -> Vec<Vec<u8>> {
        let mut buffers = RowBuffers::default();
        let mut buffer = Vec::new();
        for row in rows.chunks_exact(self.layout.words) {
            buffers.push(&self.unpack(row, &mut buffer));
        }
        buffers.full
    }
}

/// Survivors as packed rows with ranks, in order, and the table that says what they mean.
#[derive(Clone, Debug)]
pub struct PackedRows {
    words: Vec<u64>,
    table: Arc<PackedTable>,
}

impl PackedRows {
    /// Rows of whole words of the table's layout.
    pub fn new(words: Vec<u64>, table: Arc<PackedTable>) -> Self {
        Self { words, table }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.words.len() / self.table.layout.words
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.words.capacity() as u64 * 8
    }

    /// The words of some rows.
    pub(crate) fn words(&self, begin: usize, end: usize) -> Option<&[u64]> {
        let words = self.table.layout.words;
        self.words.get(begin * words..end * words)
    }

    /// The words of one row.
    pub(crate) fn row(&self, at: usize) -> &[u64] {
        let words = self.table.layout.words;
        &self.words[at * words..][..words]
    }

    /// What the rows mean.
    pub(crate) fn table(&self) -> &Arc<PackedTable> {
        &self.table
    }
}

/// Whether a column of the schema holds just what is packed for it.
fn fits(column: &PackedColumn, schema: &Schema) -> bool {
    let found = schema.fields.iter().find(|field| field.name == column.name);
    let Some(data_type) = found.map(|field| &field.data_type) else {
        // A column that no record has a value in may be left out.
        return column.class == Class::Nothing;
    };
    match column.class {
        Class::Instant(6) => *data_type == Type::Timestamp(TimeUnit::Micros),
        Class::Instant(_) => *data_type == Type::Timestamp(TimeUnit::Millis),
        Class::Integer => *data_type == Type::Int64,
        Class::Float => *data_type == Type::Float64,
        Class::Boolean => *data_type == Type::Boolean,
        Class::Text => *data_type == Type::String,
        Class::Nothing => false,
    }
}

/// Appends a row; most have so few words that a call that copies memory costs more than the copy.
#[inline]
pub(super) fn append(rows: &mut Vec<u64>, row: &[u64]) {
    match *row {
        [a] => rows.push(a),
        [a, b] => rows.extend_from_slice(&[a, b]),
        [a, b, c] => rows.extend_from_slice(&[a, b, c]),
        [a, b, c, d] => rows.extend_from_slice(&[a, b, c, d]),
        _ => rows.extend_from_slice(row),
    }
}

/// Rows of one range, in no order, in buffers that never grow.
#[derive(Debug, Default)]
pub struct PackedBuffers {
    /// The buffer that is being filled. It is here, not in the list, because rows come to hundreds of
    /// ranges in turn: what a row touches must be near.
    open: Vec<u64>,
    full: Vec<Vec<u64>>,
    /// Empty ones to be filled before memory is asked for.
    spare: Vec<Vec<u64>>,
}

impl PackedBuffers {
    /// No rows, and buffers for them.
    pub fn in_place_of(spare: Vec<Vec<u64>>) -> Self {
        Self { spare, ..Self::default() }
    }

    /// Appends a row; returns how many more bytes of memory are taken.
    #[inline]
    pub fn push(&mut self, row: &[u64]) -> u64 {
        if self.open.capacity() - self.open.len() >= row.len() {
            append(&mut self.open, row);
            return 0;
        }
        self.begin(row)
    }

    #[cold]
    fn begin(&mut self, row: &[u64]) -> u64 {
        let spare = self.spare.pop().filter(|spare| spare.capacity() >= row.len());
        let taken = if spare.is_some() { 0 } else { self.next_capacity().max(row.len()) };
        let mut buffer = spare.unwrap_or_else(|| Vec::with_capacity(taken));
        buffer.extend_from_slice(row);
        let filled = std::mem::replace(&mut self.open, buffer);
        if !filled.is_empty() {
            self.full.push(filled);
        }
        taken as u64 * 8
    }

    /// Small partitions begin small, so that thousands of them do not waste memory.
    fn next_capacity(&self) -> usize {
        match (self.open.is_empty(), self.full.is_empty()) {
            (true, _) => BUFFER_WORDS / 16,
            (_, true) => BUFFER_WORDS / 4,
            _ => BUFFER_WORDS,
        }
    }

    /// The buffers that have rows.
    pub fn iter(&self) -> impl Iterator<Item = &Vec<u64>> {
        self.full.iter().chain(Some(&self.open).filter(|open| !open.is_empty()))
    }

    /// The buffers that have rows.
    pub fn into_buffers(mut self) -> Vec<Vec<u64>> {
        if !self.open.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }

    /// Words of all rows.
    pub fn words(&self) -> usize {
        self.iter().map(Vec::len).sum()
    }

    /// Bytes of memory taken.
    pub fn capacity(&self) -> u64 {
        self.iter().map(|buffer| buffer.capacity() as u64 * 8).sum()
    }
}

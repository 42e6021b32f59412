//! Rows in memory: chunks of encoded rows, each with a small header.
//!
//! A row is `length: u32`, `key length: u32` (its top bit tells that counts follow), `value bytes: u32`,
//! optionally `copies: u64` and `conflicting: u64`, and the encoded bytes; integers in the machine's
//! order, as they never leave it.

use distil_plan::{Error, Result};

const HAS_COUNTS: u32 = 1 << 31;
const HEADER: usize = 12;

/// Capacity of a chunk that holds many rows.
pub(crate) const CHUNK: usize = 64 << 10;

/// How many records a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records equal to the row.
    pub(crate) copies: u64,
    /// Records of the same key that lost to it and differ.
    pub(crate) conflicting: u64,
}

/// One record.
pub(crate) const SINGLE: Counts = Counts { copies: 1, conflicting: 0 };

/// A row in a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Key, order, rest: comparing bytes compares records.
    pub(crate) bytes: &'a [u8],
    pub(crate) key_length: usize,
    pub(crate) value_bytes: u32,
    pub(crate) counts: Counts,
}

impl<'a> Row<'a> {
    pub(crate) fn key(&self) -> &'a [u8] {
        self.bytes.get(..self.key_length).unwrap_or(self.bytes)
    }

    /// Bytes that the row takes up in a chunk.
    pub(crate) fn stored_length(&self) -> usize {
        HEADER + self.bytes.len() + if self.counts == SINGLE { 0 } else { 16 }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let counted = self.counts != SINGLE;
        out.extend_from_slice(&(self.bytes.len() as u32).to_ne_bytes());
        let flag = if counted { HAS_COUNTS } else { 0 };
        out.extend_from_slice(&(self.key_length as u32 | flag).to_ne_bytes());
        out.extend_from_slice(&self.value_bytes.to_ne_bytes());
        if counted {
            out.extend_from_slice(&self.counts.copies.to_ne_bytes());
            out.extend_from_slice(&self.counts.conflicting.to_ne_bytes());
        }
        out.extend_from_slice(self.bytes);
    }

    /// The row at an offset of a chunk; nothing if it is cut off there.
    pub(crate) fn read(chunk: &'a [u8], at: usize) -> Option<Self> {
        let rest = chunk.get(at..)?;
        let word = |index: usize| {
            rest.get(index..)?.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
        };
        let long = |index: usize| {
            rest.get(index..)?.first_chunk::<8>().map(|bytes| u64::from_ne_bytes(*bytes))
        };
        let (length, key, value_bytes) = (word(0)? as usize, word(4)?, word(8)?);
        let (counts, start) = if key & HAS_COUNTS != 0 {
            (Counts { copies: long(12)?, conflicting: long(20)? }, HEADER + 16)
        } else {
            (SINGLE, HEADER)
        };
        let bytes = rest.get(start..start + length)?;
        Some(Self { bytes, key_length: (key & !HAS_COUNTS) as usize, value_bytes, counts })
    }
}

/// Where a row stands in a list of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowAt(u64);

impl RowAt {
    pub(crate) fn new(chunk: usize, offset: usize) -> Self {
        Self((chunk as u64) << 32 | offset as u64)
    }

    /// The row.
    ///
    /// # Errors
    /// A bug if there is none.
    pub(crate) fn row(self, chunks: &[Vec<u8>]) -> Result<Row<'_>> {
        chunks
            .get((self.0 >> 32) as usize)
            .and_then(|chunk| Row::read(chunk, self.0 as u32 as usize))
            .ok_or_else(|| Error::bug("a row is not where it was put"))
    }
}

/// The places of all rows of some chunks.
pub(crate) fn places(chunks: &[Vec<u8>]) -> impl Iterator<Item = (RowAt, Row<'_>)> {
    chunks.iter().enumerate().flat_map(|(index, chunk)| {
        let mut at = 0;
        std::iter::from_fn(move || {
            let row = Row::read(chunk, at)?;
            let place = RowAt::new(index, at);
            at += row.stored_length();
            Some((place, row))
        })
    })
}

/// Appends rows to chunks that never grow: a row that does not fit begins a new one.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    pub(crate) full: Vec<Vec<u8>>,
    /// Empty chunks of the usual capacity, to be taken before new memory is.
    pub(crate) spare: Vec<Vec<u8>>,
}

impl Chunks {
    /// Appends a row; returns how much more memory is taken.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> u64 {
        let needed = row.stored_length();
        let mut taken = 0;
        let fits = self.full.last().is_some_and(|chunk| chunk.capacity() - chunk.len() >= needed);
        if !fits {
            // Small partitions begin small, so that thousands of them do not waste memory.
            let capacity = match self.full.len() {
                0 => CHUNK / 16,
                1 => CHUNK / 4,
                _ => CHUNK,
            };
            let spare = if needed <= CHUNK { self.spare.pop() } else { None };
            let chunk = spare.unwrap_or_else(|| Vec::with_capacity(capacity.max(needed)));
            taken = chunk.capacity() as u64;
            self.full.push(chunk);
        }
        if let Some(chunk) = self.full.last_mut() {
            row.write(chunk);
        }
        taken
    }

    /// Appends a row; returns where it is.
    pub(crate) fn place(&mut self, row: &Row<'_>) -> RowAt {
        self.push(row);
        let end = self.full.last().map_or(0, Vec::len);
        RowAt::new(self.full.len().saturating_sub(1), end - row.stored_length())
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.full.iter().map(|chunk| chunk.capacity() as u64).sum()
    }
}

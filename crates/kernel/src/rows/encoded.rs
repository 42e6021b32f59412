//! Rows in memory: buffers of encoded rows, each with a small header.
//!
//! A row is `length: u32`, `key length: u32` (its top bit says that counts follow, the one below it an origin),
//! `value bytes: u32`, optionally `copies: u64` and `conflicting: u64`, optionally the input as `u32` and the offset
//! as `u64`, and the encoded bytes; integers in the machine's
//! order: this form never leaves the process (see `crate::exchange_form` for the one that does).

use distil_json::EncodedRow;
use distil_plan::{Error, Origin, Result};

const HAS_COUNTS: u32 = 1 << 31;
const HAS_ORIGIN: u32 = 1 << 30;
const COUNTS: usize = 16;
const ORIGIN: usize = 12;
const HEADER: usize = 12;

/// Capacity of a buffer that holds many rows.
pub const BUFFER_BYTES: usize = 64 << 10;

/// How many records a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Records equal to the row.
    pub copies: u64,
    /// Records of the same key that lost to it and differ.
    pub conflicting: u64,
}

/// One record.
pub const SINGLE: Counts = Counts { copies: 1, conflicting: 0 };

/// A row in a buffer.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Key, order, rest: comparing bytes compares records.
    pub bytes: &'a [u8],
    /// How many of the bytes are the key.
    pub key_length: usize,
    /// Bytes of its values, as row groups count them.
    pub value_bytes: u32,
    /// How many records it stands for.
    pub counts: Counts,
    /// Where the first of them lies, if the plan wants to know; it is never compared with that of another record.
    pub origin: Option<Origin>,
}

impl<'a> Row<'a> {
    /// A row of a record that was accepted.
    pub fn of(row: &EncodedRow<'a>) -> Self {
        let EncodedRow { bytes, key_length, value_bytes, origin } = *row;
        Self { bytes, key_length, value_bytes, counts: SINGLE, origin }
    }

    /// Adds the records of an equal row.
    pub(crate) fn join(&mut self, other: &Self) {
        self.counts.copies += other.counts.copies;
        self.counts.conflicting += other.counts.conflicting;
        self.origin = self.origin.into_iter().chain(other.origin).min();
    }

    /// The bytes of the key.
    pub fn key(&self) -> &'a [u8] {
        self.bytes.get(..self.key_length).unwrap_or(self.bytes)
    }

    /// Bytes that the row takes up in a buffer.
    pub fn stored_length(&self) -> usize {
        let counts = if self.counts == SINGLE { 0 } else { COUNTS };
        let origin = if self.origin.is_none() { 0 } else { ORIGIN };
        HEADER + counts + origin + self.bytes.len()
    }

    /// Appends the row in the form of a buffer.
    pub fn write(&self, out: &mut Vec<u8>) {
        let counted = self.counts != SINGLE;
        out.extend_from_slice(&(self.bytes.len() as u32).to_ne_bytes());
        let counts = if counted { HAS_COUNTS } else { 0 };
        let origin = if self.origin.is_some() { HAS_ORIGIN } else { 0 };
        out.extend_from_slice(&(self.key_length as u32 | counts | origin).to_ne_bytes());
        out.extend_from_slice(&self.value_bytes.to_ne_bytes());
        if counted {
            out.extend_from_slice(&self.counts.copies.to_ne_bytes());
            out.extend_from_slice(&self.counts.conflicting.to_ne_bytes());
        }
        if let Some(Origin { input, offset }) = self.origin {
            out.extend_from_slice(&input.to_ne_bytes());
            out.extend_from_slice(&offset.to_ne_bytes());
        }
        out.extend_from_slice(self.bytes);
    }

    /// The row at an offset of a buffer; `None` if it is cut off there.
    #[inline]
    pub fn read(buffer: &'a [u8], at: usize) -> Option<Self> {
        let rest = buffer.get(at..)?;
        let word = |index: usize| {
            rest.get(index..)?.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
        };
        let long = |index: usize| {
            rest.get(index..)?.first_chunk::<8>().map(|bytes| u64::from_ne_bytes(*bytes))
        };
        let (length, key, value_bytes) = (word(0)? as usize, word(4)?, word(8)?);
        let (mut counts, mut origin, mut start) = (SINGLE, None, HEADER);
        if key & HAS_COUNTS != 0 {
            counts = Counts { copies: long(start)?, conflicting: long(start + 8)? };
            start += COUNTS;
        }
        if key & HAS_ORIGIN != 0 {
            origin = Some(Origin { input: word(start)?, offset: long(start + 4)? });
            start += ORIGIN;
        }
        let bytes = rest.get(start..start + length)?;
        let key_length = (key & !(HAS_COUNTS | HAS_ORIGIN)) as usize;
        Some(Self { bytes, key_length, value_bytes, counts, origin })
    }
}

/// Where a row stands in a list of buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowAt(u64);

impl RowAt {
    /// The row at `offset` of the buffer `buffer`.
    pub fn new(buffer: usize, offset: usize) -> Self {
        Self((buffer as u64) << 32 | offset as u64)
    }

    /// The row.
    ///
    /// # Errors
    /// A bug if there is none.
    pub fn row(self, buffers: &[Vec<u8>]) -> Result<Row<'_>> {
        buffers
            .get((self.0 >> 32) as usize)
            .and_then(|buffer| Row::read(buffer, self.0 as u32 as usize))
            .ok_or_else(|| Error::bug("a row is not where it was put"))
    }
}

/// The places of all rows of some buffers.
pub fn places(buffers: &[Vec<u8>]) -> impl Iterator<Item = (RowAt, Row<'_>)> {
    buffers.iter().enumerate().flat_map(|(index, buffer)| {
        let mut at = 0;
        std::iter::from_fn(move || {
            let row = Row::read(buffer, at)?;
            let place = RowAt::new(index, at);
            at += row.stored_length();
            Some((place, row))
        })
    })
}

/// Appends rows to buffers that never grow: a row that does not fit begins a new one.
#[derive(Debug, Default)]
pub struct RowBuffers {
    /// Buffers with rows; the last one may have room.
    pub full: Vec<Vec<u8>>,
    /// Empty buffers of the usual capacity, to be taken before new memory is.
    pub spare: Vec<Vec<u8>>,
}

impl RowBuffers {
    /// Appends a row; returns how much more memory is taken.
    pub fn push(&mut self, row: &Row<'_>) -> u64 {
        let needed = row.stored_length();
        let mut taken = 0;
        let fits =
            self.full.last().is_some_and(|buffer| buffer.capacity() - buffer.len() >= needed);
        if !fits {
            // Small partitions begin small, so that thousands of them do not waste memory.
            let capacity = match self.full.len() {
                0 => BUFFER_BYTES / 16,
                1 => BUFFER_BYTES / 4,
                _ => BUFFER_BYTES,
            };
            let spare = if needed <= BUFFER_BYTES { self.spare.pop() } else { None };
            let buffer = spare.unwrap_or_else(|| Vec::with_capacity(capacity.max(needed)));
            taken = buffer.capacity() as u64;
            self.full.push(buffer);
        }
        if let Some(buffer) = self.full.last_mut() {
            row.write(buffer);
        }
        taken
    }

    /// Appends a row; returns where it is.
    pub fn place(&mut self, row: &Row<'_>) -> RowAt {
        self.push(row);
        let end = self.full.last().map_or(0, Vec::len);
        RowAt::new(self.full.len().saturating_sub(1), end - row.stored_length())
    }

    /// Bytes of memory taken.
    pub fn capacity(&self) -> u64 {
        self.full.iter().map(|buffer| buffer.capacity() as u64).sum()
    }
}

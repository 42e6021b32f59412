//! `DELTA_BINARY_PACKED`: differences of neighbours, bit-packed in blocks.

use super::bits::{pack, varint, width};

/// Differences in a block, and in each of its four parts of their own width.
const BLOCK: usize = 256;
const PARTS: usize = 4;
const PART: usize = BLOCK / PARTS;

/// An integer of a column. Differences wrap around in the width of the column.
pub(super) trait Integer: Copy {
    fn wide(self) -> i64;
    fn less(self, other: Self) -> i64;
    /// How much a difference is above the least one.
    fn above(difference: i64, least: i64) -> u64;
}

impl Integer for i32 {
    fn wide(self) -> i64 {
        i64::from(self)
    }

    fn less(self, other: Self) -> i64 {
        i64::from(self.wrapping_sub(other))
    }

    fn above(difference: i64, least: i64) -> u64 {
        // Both are differences of 32 bits: theirs is below 2^32.
        (difference - least) as u64
    }
}

impl Integer for i64 {
    fn wide(self) -> i64 {
        self
    }

    fn less(self, other: Self) -> i64 {
        self.wrapping_sub(other)
    }

    fn above(difference: i64, least: i64) -> u64 {
        difference.wrapping_sub(least) as u64
    }
}

/// Appends the values.
pub(super) fn encode<T: Integer>(values: &[T], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint(PARTS as u64, out);
    varint(values.len() as u64, out);
    varint(zigzag(values.first().map_or(0, |first| first.wide())), out);
    let mut differences = [0i64; BLOCK];
    let mut at = 1;
    while at < values.len() {
        let count = BLOCK.min(values.len() - at);
        let differences = &mut differences[..count];
        let pairs = values[at - 1..].iter().zip(&values[at..]);
        for (difference, (before, value)) in differences.iter_mut().zip(pairs) {
            *difference = value.less(*before);
        }
        block::<T>(differences, out);
        at += count;
    }
}

fn block<T: Integer>(differences: &[i64], out: &mut Vec<u8>) {
    let least = differences.iter().copied().min().unwrap_or(0);
    varint(zigzag(least), out);
    let widths = out.len();
    out.extend_from_slice(&[0; PARTS]);
    for (at, part) in differences.chunks(PART).enumerate() {
        let any = part.iter().fold(0, |any, difference| any | T::above(*difference, least));
        let width = width(any);
        out[widths + at] = width as u8;
        let end = out.len() + PART * width as usize / 8;
        pack(part.iter().map(|difference| T::above(*difference, least)), width, out);
        out.resize(end, 0);
    }
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

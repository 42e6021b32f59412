//! Lists of byte strings in one buffer.

use std::ops::Range;

use distil_json::Ranks;

/// Byte strings, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strings {
    /// Where each begins, and where the last one ends.
    offsets: Vec<usize>,
    data: Vec<u8>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }
}

impl Strings {
    pub(crate) fn push(&mut self, string: &[u8]) {
        self.data.extend_from_slice(string);
        self.offsets.push(self.data.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn get(&self, at: usize) -> &[u8] {
        &self.data[self.offsets[at]..self.offsets[at + 1]]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Leaves out the first `count` strings.
    pub(super) fn drain(&mut self, count: usize) {
        let bytes = self.offsets[count];
        self.data.drain(..bytes);
        self.offsets.drain(..count);
        self.offsets.iter_mut().for_each(|offset| *offset -= bytes);
    }

    /// The bytes of a range of strings.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.data[self.offsets[range.start]..self.offsets[range.end]]
    }

    /// The offsets of a range of strings, one more than there are strings.
    pub(super) fn offsets(&self, range: Range<usize>) -> &[usize] {
        &self.offsets[range.start..=range.end]
    }

    /// Bytes of all strings.
    pub(super) fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// Bytes as plain values: each with its length before it.
    pub(super) fn plain_bytes(&self) -> usize {
        self.data.len() + 4 * self.len()
    }
}

impl From<Ranks> for Strings {
    fn from(ranks: Ranks) -> Self {
        let (offsets, data) = ranks.into_parts();
        Self { offsets, data }
    }
}

impl<'a> FromIterator<&'a [u8]> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(strings: I) -> Self {
        let mut all = Self::default();
        for string in strings {
            all.push(string);
        }
        all
    }
}

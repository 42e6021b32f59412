//! Dictionaries: the distinct strings of a row group in order, and its values as their ranks.

use std::borrow::Cow;
use std::ops::Range;

use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::file::statistics::Statistics;

use super::bits;
use super::leaf::{Bounds, Leaf, string_statistics};
use super::strings::Strings;

/// Bytes that a dictionary has at most.
const MOST_BYTES: usize = 4 << 20;
/// Values at the beginning that tell at once when most of them are distinct.
pub(super) const HEAD: usize = 64 << 10;

/// Whether a dictionary may pay, for `most` values in all of which `count` were seen. What is false once
/// stays false, and it depends on the values alone: whoever builds the dictionary may stop there.
pub(super) fn may_pay(count: usize, most: usize, distinct: usize, plain_bytes: usize) -> bool {
    distinct <= most / 2
        && plain_bytes <= MOST_BYTES
        && (count != HEAD || distinct <= HEAD / 16 * 15)
}

/// Values as ranks in a dictionary that holds nothing else.
pub(super) struct Ranked<'a> {
    ranks: Cow<'a, [u32]>,
    dictionary: Cow<'a, Strings>,
    /// Bits of a rank.
    width: u32,
    text: bool,
}

impl<'a> Ranked<'a> {
    /// Leaves out of a dictionary in order what no code uses; none if it does not pay.
    pub(super) fn new(codes: &'a [u32], dictionary: &'a Strings, text: bool) -> Option<Self> {
        if codes.is_empty() {
            return None;
        }
        // First marks, then ranks.
        let mut ranks = vec![0u32; dictionary.len()];
        let mut distinct = 0;
        let mut mark = |codes: &[u32]| {
            for code in codes {
                let mark = &mut ranks[*code as usize];
                distinct += 1 - *mark as usize;
                *mark = 1;
            }
            distinct
        };
        if codes.len() >= HEAD && !may_pay(HEAD, codes.len(), mark(&codes[..HEAD]), 0) {
            return None;
        }
        mark(codes);
        let (ranks, dictionary) = if distinct == dictionary.len() {
            (Cow::Borrowed(codes), Cow::Borrowed(dictionary))
        } else if !may_pay(0, codes.len(), distinct, 0) {
            return None;
        } else {
            let used = ranks.iter().zip(dictionary.iter()).filter(|(mark, _)| **mark == 1);
            let dictionary: Strings = used.map(|(_, string)| string).collect();
            let mut rank = 0;
            for mark in &mut ranks {
                rank += std::mem::replace(mark, rank);
            }
            let codes = codes.iter().map(|code| ranks[*code as usize]);
            (Cow::Owned(codes.collect()), Cow::Owned(dictionary))
        };
        if !may_pay(0, ranks.len(), dictionary.len(), dictionary.plain_bytes()) {
            return None;
        }
        // Some readers take no width of 0.
        let width = bits::width((dictionary.len() - 1) as u64).max(1);
        Some(Self { ranks, dictionary, width, text })
    }

    /// The content of the dictionary page, and its number of values.
    pub(super) fn page(&self) -> (Vec<u8>, usize) {
        let mut page = Vec::with_capacity(self.dictionary.plain_bytes());
        for string in self.dictionary.iter() {
            page.extend_from_slice(&(string.len() as u32).to_le_bytes());
            page.extend_from_slice(string);
        }
        (page, self.dictionary.len())
    }
}

impl<'a> Leaf for &'a Ranked<'_> {
    const ENCODING: Encoding = Encoding::RLE_DICTIONARY;
    const SHORTENED: bool = true;
    type Bound = &'a [u8];

    fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
        out.push(self.width as u8);
        bits::hybrid(&self.ranks[values], self.width, out);
    }

    fn bounds(&self, values: Range<usize>) -> Option<Bounds<&'a [u8]>> {
        let ranks = &self.ranks[values];
        let least = ranks.iter().min()?;
        let greatest = ranks.iter().max()?;
        Some((self.dictionary.get(*least as usize), self.dictionary.get(*greatest as usize)))
    }

    fn index_entry(&self, (least, greatest): Bounds<&'a [u8]>) -> [Vec<u8>; 2] {
        [super::statistics::lower(least, self.text), super::statistics::upper(greatest, self.text)]
    }

    fn statistics(&self, bounds: Option<Bounds<&'a [u8]>>, nulls: u64) -> Statistics {
        string_statistics(bounds, nulls, self.text)
    }

    fn string_bytes(&self, values: Range<usize>) -> Option<i64> {
        let lengths =
            self.ranks[values].iter().map(|rank| self.dictionary.get(*rank as usize).len());
        Some(lengths.sum::<usize>() as i64)
    }

    fn fill(&self, filter: &mut Sbbf) {
        self.dictionary.iter().for_each(|string| filter.insert(string));
    }
}

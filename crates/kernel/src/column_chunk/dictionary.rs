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

/// Which strings of a dictionary the values of a row group use.
pub(crate) struct Marks {
    /// 1 for each that is used.
    marks: Vec<u32>,
    distinct: usize,
    count: usize,
    /// How many of the first values were distinct.
    of_head: usize,
}

impl Marks {
    /// No values of a dictionary of `strings`.
    pub(crate) fn new(strings: usize) -> Self {
        Self { marks: vec![0; strings], distinct: 0, count: 0, of_head: 0 }
    }

    /// Takes the code of the next value.
    #[inline]
    pub(crate) fn add(&mut self, code: u32) {
        let mark = &mut self.marks[code as usize];
        self.distinct += 1 - *mark as usize;
        *mark = 1;
        self.count += 1;
        if self.count == HEAD {
            self.of_head = self.distinct;
        }
    }

    fn pays(&self, plain_bytes: usize) -> bool {
        let head =
            if self.count >= HEAD { may_pay(HEAD, self.count, self.of_head, 0) } else { true };
        head && self.count > 0 && may_pay(0, self.count, self.distinct, plain_bytes)
    }
}

/// A dictionary that holds what a row group uses, and nothing else.
pub(super) struct Ranking<'a> {
    dictionary: Cow<'a, Strings>,
    /// The rank of each code; `None` if codes are ranks.
    ranks: Option<Vec<u32>>,
    /// Bits of a rank.
    width: u32,
    text: bool,
}

impl<'a> Ranking<'a> {
    /// Leaves out of a dictionary in order what is not marked; `None` if it does not pay.
    pub(super) fn new(mut marks: Marks, dictionary: &'a Strings, text: bool) -> Option<Self> {
        if !marks.pays(0) {
            return None;
        }
        let (ranks, dictionary) = if marks.distinct == dictionary.len() {
            (None, Cow::Borrowed(dictionary))
        } else {
            let used = marks.marks.iter().zip(dictionary.iter()).filter(|(mark, _)| **mark == 1);
            let dictionary: Strings = used.map(|(_, string)| string).collect();
            let mut rank = 0;
            for mark in &mut marks.marks {
                rank += std::mem::replace(mark, rank);
            }
            (Some(std::mem::take(&mut marks.marks)), Cow::Owned(dictionary))
        };
        if !marks.pays(dictionary.plain_bytes()) {
            return None;
        }
        // Some readers take no width of 0.
        let width = bits::width((dictionary.len() - 1) as u64).max(1);
        Some(Self { dictionary, ranks, width, text })
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

    /// Replaces codes by ranks.
    pub(super) fn rank(&self, codes: &mut [u32]) {
        if let Some(ranks) = &self.ranks {
            codes.iter_mut().for_each(|code| *code = ranks[*code as usize]);
        }
    }
}

/// Values as ranks.
pub(super) struct Ranked<'r, 'a> {
    pub(super) ranks: &'r [u32],
    pub(super) ranking: &'a Ranking<'a>,
}

impl<'a> Leaf for Ranked<'_, 'a> {
    const ENCODING: Encoding = Encoding::RLE_DICTIONARY;
    const SHORTENED: bool = true;
    type Bound = &'a [u8];

    fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
        out.push(self.ranking.width as u8);
        bits::hybrid(&self.ranks[values], self.ranking.width, out);
    }

    fn bounds(&self, values: Range<usize>) -> Option<Bounds<&'a [u8]>> {
        let ranks = &self.ranks[values];
        let least = ranks.iter().min()?;
        let greatest = ranks.iter().max()?;
        let dictionary = &self.ranking.dictionary;
        Some((dictionary.get(*least as usize), dictionary.get(*greatest as usize)))
    }

    fn index_entry(&self, (least, greatest): &Bounds<&'a [u8]>) -> [Vec<u8>; 2] {
        let text = self.ranking.text;
        [super::statistics::lower(least, text), super::statistics::upper(greatest, text)]
    }

    fn statistics(&self, bounds: Option<Bounds<&'a [u8]>>, nulls: u64) -> Statistics {
        string_statistics(bounds, nulls, self.ranking.text)
    }

    fn string_bytes(&self, values: Range<usize>) -> Option<i64> {
        let lengths =
            self.ranks[values].iter().map(|rank| self.ranking.dictionary.get(*rank as usize).len());
        Some(lengths.sum::<usize>() as i64)
    }

    /// The dictionary has all values of all pages.
    fn fill(&self, _: Range<usize>, filter: &mut Sbbf) {
        self.ranking.dictionary.iter().for_each(|string| filter.insert(string));
    }
}

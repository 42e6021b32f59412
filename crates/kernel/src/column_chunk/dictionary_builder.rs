//! Strings of a row group to codes, for as long as a dictionary may pay.

use distil_json::Ranks;

use super::dictionary;
use super::strings::Strings;

/// Strings of a row group, as codes for as long as a dictionary may pay.
#[derive(Debug)]
pub(crate) struct DictionaryBuilder {
    /// Values that may come.
    most: usize,
    /// Codes count strings as they come first; `None` once a dictionary is certain not to pay.
    codes: Option<Vec<u32>>,
    distinct: distil_json::Dictionary,
}

impl DictionaryBuilder {
    /// For `most` values at most.
    pub(crate) fn new(most: usize) -> Self {
        let distinct = distil_json::Dictionary::new(u64::MAX);
        Self { most, codes: Some(Vec::with_capacity(most)), distinct }
    }

    /// Appends a string.
    pub(crate) fn push(&mut self, string: &[u8]) {
        let Some(codes) = &mut self.codes else { return };
        let before = self.distinct.len();
        let Some(code) = self.distinct.intern(string) else {
            // More than any dictionary holds.
            self.give_up();
            return;
        };
        codes.push(code);
        let (count, distinct) = (codes.len(), self.distinct.len());
        let plain_bytes = self.distinct.text_bytes() + 4 * distinct;
        if (distinct > before || count == dictionary::HEAD)
            && !dictionary::may_pay(count, self.most, distinct, plain_bytes)
        {
            self.give_up();
        }
    }

    /// What was interned is of no use.
    fn give_up(&mut self) {
        self.codes = None;
        self.distinct = distil_json::Dictionary::default();
    }

    /// Codes into the distinct strings, in order; `None` if a dictionary does not pay.
    pub(crate) fn finish(self) -> Option<(Vec<u32>, Strings)> {
        let mut codes = self.codes?;
        let (sorted, ranks) = Ranks::of(&[&self.distinct]);
        let ranks = ranks.first().map(Vec::as_slice).unwrap_or_default();
        for code in &mut codes {
            *code = ranks[*code as usize];
        }
        Some((codes, sorted.into()))
    }
}

//! Strings of a row group to codes, for as long as a dictionary may pay.

use distil_json::Ranks;

use super::dictionary;
use super::strings::Strings;

/// Strings of a row group, as codes for as long as a dictionary may pay.
#[derive(Debug)]
pub(crate) struct DictionaryBuilder {
    /// Values that may come.
    most: usize,
    /// Codes count strings as they come first; none once a dictionary is certain not to pay.
    codes: Option<Vec<u32>>,
    distinct: distil_json::Dictionary,
    /// All strings, once there are no codes.
    plain: Strings,
}

/// What was interned.
pub(crate) enum Interned {
    /// Codes into distinct strings in order.
    Codes(Vec<u32>, Strings),
    /// All strings; a dictionary does not pay.
    Plain(Strings),
}

impl DictionaryBuilder {
    /// For `most` values at most.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            codes: Some(Vec::with_capacity(most)),
            distinct: distil_json::Dictionary::new(u64::MAX),
            plain: Strings::default(),
        }
    }

    /// Appends a string.
    pub(crate) fn push(&mut self, string: &[u8]) {
        let Some(codes) = &mut self.codes else {
            self.plain.push(string);
            return;
        };
        let before = self.distinct.len();
        let Some(code) = self.distinct.intern(string) else {
            // More than any dictionary holds.
            self.give_up();
            self.plain.push(string);
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

    fn give_up(&mut self) {
        let Some(codes) = self.codes.take() else { return };
        let distinct = std::mem::take(&mut self.distinct);
        self.plain = codes.into_iter().map(|code| distinct.get(code)).collect();
    }

    pub(crate) fn finish(self) -> Interned {
        let Some(mut codes) = self.codes else { return Interned::Plain(self.plain) };
        let (sorted, ranks) = Ranks::of(&[&self.distinct]);
        let ranks = ranks.first().map(Vec::as_slice).unwrap_or_default();
        for code in &mut codes {
            *code = ranks[*code as usize];
        }
        Interned::Codes(codes, sorted.into())
    }
}

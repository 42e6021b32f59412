//! Strings to small numbers, so that rows that travel are narrow.
//!
//! A table with open addressing whose slots are single words: a number, and a tag that is a string of up
//! to five bytes itself, and of a longer one a hash. What a look-up costs is the memory that it waits
//! for: one cache line for short strings, three for others.

use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bits of a slot that are the number of its string.
const CODE_BITS: u32 = 22;
/// Most strings of a dictionary, one less than the numbers there are: beyond that a column is no good
/// for codes.
const MOST_STRINGS: usize = (1 << CODE_BITS) - 1;
/// Strings after which the share of distinct ones is judged: enough to tell a hundred thousand distinct
/// strings, whose table is still fast, from strings that never come again.
const TRIAL: u64 = 1 << 18;
/// Most bytes of a string that is its own tag.
const SHORT: usize = 5;
/// Marks the tag of a longer string.
const LONG: u64 = 1 << (u64::BITS - CODE_BITS - 1);
/// A slot without a string: no string has this number.
const EMPTY: u64 = u64::MAX;
/// A table that is half full grows by this factor. Tables of up to four fifths took 1.03 times
/// as long to decode with, though they are smaller.
const GROWTH: usize = 2;

/// A string that is being looked up, and the first slot where it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    tag: u64,
    slot: u64,
}

/// The distinct strings of one column, numbered in the order of their first appearance.
#[derive(Debug)]
pub struct Dictionary {
    slots: Vec<u64>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    interned: u64,
    most_bytes: u64,
    seed: u64,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Dictionary {
    /// A dictionary of at most `most_bytes` of strings, table included.
    pub fn new(most_bytes: u64) -> Self {
        Self {
            slots: vec![EMPTY; 1 << 8],
            bytes: Vec::new(),
            ends: Vec::new(),
            interned: 0,
            most_bytes: most_bytes.min(u64::from(u32::MAX)),
            // Numbers become ranks in the end: no seed changes a result, and nobody can aim at it.
            seed: RandomState::new().hash_one(0),
        }
    }

    /// Sets the most bytes of strings, table included, that it may have from here on.
    pub(crate) fn limit(&mut self, most_bytes: u64) {
        self.most_bytes = most_bytes.min(u64::from(u32::MAX));
    }

    /// The number of a string; `None` when a new one would go beyond the bounds.
    #[inline]
    pub fn intern(&mut self, text: &[u8]) -> Option<u32> {
        self.find_or_add(self.tag(text), text)
    }

    /// The first third of [`Dictionary::intern`] for many strings at once; [`Dictionary::prefetch`] is the
    /// second, and [`Dictionary::intern_probed`] the last.
    #[inline]
    pub(crate) fn probe(&self, text: &[u8]) -> Probe {
        Probe { tag: self.tag(text), slot: EMPTY }
    }

    /// Reads the first slot of each. They are far away more often than not: the processor fetches many
    /// such places at once, but only in a loop that does nothing else (decoding took 1.15 times as long
    /// with the tags computed in between, and slots of two words).
    pub(crate) fn prefetch(&self, probes: &mut [Probe]) {
        for probe in probes {
            probe.slot = self.slots[self.first(probe.tag)];
        }
    }

    /// The number of a string. Others may have been interned meanwhile.
    #[inline]
    pub(crate) fn intern_probed(&mut self, probe: Probe, text: &[u8]) -> Option<u32> {
        if self.is_of(probe.slot, probe.tag, text) {
            return Some(code(probe.slot));
        }
        self.find_or_add(probe.tag, text)
    }

    /// A string of up to [`SHORT`] bytes with a mark after its last one, or a part of a hash.
    #[inline]
    fn tag(&self, text: &[u8]) -> u64 {
        let length = text.len();
        if length > SHORT {
            return xxh3_64_with_seed(text, self.seed) >> (CODE_BITS + 1) | LONG;
        }
        // The last bytes may be read twice; they then fall on themselves.
        let word = match (text.first_chunk::<4>(), text.last_chunk::<4>(), text) {
            (Some(first), Some(last), _) => {
                let last = u64::from(u32::from_le_bytes(*last)) << ((length - 4) * 8);
                u64::from(u32::from_le_bytes(*first)) | last
            }
            (.., [first, second, .., last]) => {
                u64::from(*first) | u64::from(*second) << 8 | u64::from(*last) << ((length - 1) * 8)
            }
            (.., [first, last]) => u64::from(*first) | u64::from(*last) << 8,
            (.., [only]) => u64::from(*only),
            (.., []) => 0,
        };
        word | 1 << (length * 8)
    }

    /// The first slot of a tag, spread over all of them; the multiplier is 2^64 divided by the golden
    /// ratio.
    #[inline]
    fn first(&self, tag: u64) -> usize {
        let product = u128::from(tag ^ self.seed) * 0x9E37_79B9_7F4A_7C15;
        ((product >> 64) as u64 ^ product as u64) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn is_of(&self, slot: u64, tag: u64, text: &[u8]) -> bool {
        slot >> CODE_BITS == tag
            && (tag & LONG == 0 || slot != EMPTY && self.get(code(slot)) == text)
    }

    fn find_or_add(&mut self, tag: u64, text: &[u8]) -> Option<u32> {
        let mut at = self.first(tag);
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return self.add(at, tag, text);
            }
            if self.is_of(slot, tag, text) {
                return Some(code(slot));
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[cold]
    fn add(&mut self, at: usize, tag: u64, text: &[u8]) -> Option<u32> {
        let number = self.ends.len();
        let is_full = (number + 1) * 2 > self.slots.len();
        let growth = if is_full { self.slots.len() * (GROWTH - 1) * size_of::<u64>() } else { 0 };
        let memory = self.memory() + (growth + text.len()) as u64;
        if number >= MOST_STRINGS || memory > self.most_bytes {
            return None;
        }
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.slots[at] = tag << CODE_BITS | number as u64;
        if is_full {
            self.grow();
        }
        Some(number as u32)
    }

    fn grow(&mut self) {
        let larger = vec![EMPTY; self.slots.len() * GROWTH];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot != EMPTY {
                let mut at = self.first(slot >> CODE_BITS);
                while self.slots[at] != EMPTY {
                    at = (at + 1) & (self.slots.len() - 1);
                }
                self.slots[at] = slot;
            }
        }
    }

    /// Tells that `count` strings were interned since the last call. False once more than half of many
    /// were distinct: then codes cost more than they save.
    pub(crate) fn pays(&mut self, count: u64) -> bool {
        self.interned += count;
        self.interned < TRIAL || self.ends.len() as u64 * 2 <= self.interned
    }

    /// The string of a number.
    #[inline]
    pub fn get(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[code] as usize]
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all strings together.
    pub fn text_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory taken.
    pub fn memory(&self) -> u64 {
        (self.slots.capacity() * size_of::<u64>()
            + self.bytes.capacity()
            + self.ends.capacity() * size_of::<u32>()) as u64
    }
}

/// The number in a slot.
#[inline]
fn code(slot: u64) -> u32 {
    slot as u32 & MOST_STRINGS as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_have_one_number_and_others_another() {
        let mut dictionary = Dictionary::new(1 << 30);
        let texts: Vec<Vec<u8>> = (0..20_000u32)
            .map(|n| format!("{n:0width$}", width = n as usize % 17).into_bytes())
            .collect();
        let codes: Vec<u32> = texts.iter().map(|text| dictionary.intern(text).unwrap()).collect();
        let again: Vec<u32> = texts.iter().map(|text| dictionary.intern(text).unwrap()).collect();
        assert_eq!(codes, again);
        let mut naive = std::collections::HashMap::new();
        for (text, code) in texts.iter().zip(&codes) {
            let next = naive.len() as u32;
            assert_eq!(*naive.entry(text.clone()).or_insert(next), *code);
            assert_eq!(dictionary.get(*code), text.as_slice());
        }
        assert_eq!(dictionary.len(), naive.len());
        for text in [&b""[..], b"\0", b"\0\0", b"\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\0\0"] {
            assert_eq!(dictionary.intern(text), dictionary.intern(text));
        }
        assert!(dictionary.intern(b"\0") != dictionary.intern(b"\0\0"));
    }

    #[test]
    fn short_strings_are_their_own_tags() {
        let dictionary = Dictionary::new(0);
        let text = b"\x01\x82\x03\x84\xff\x86\x07";
        for length in 0..=7 {
            let mut expected = [0; 8];
            expected[..length].copy_from_slice(&text[..length]);
            expected[length] = 1;
            let is_itself = dictionary.tag(&text[..length]) == u64::from_le_bytes(expected);
            assert_eq!(is_itself, length <= SHORT);
        }
        assert!(dictionary.tag(&[0xff; SHORT]) < LONG && LONG << CODE_BITS == 1 << 63);
    }

    #[test]
    fn mostly_distinct_strings_do_not_pay() {
        let mut dictionary = Dictionary::new(1 << 30);
        for n in 0..TRIAL {
            dictionary.intern(n.to_string().as_bytes());
        }
        assert!(!dictionary.pays(TRIAL));
        let mut dictionary = Dictionary::new(1 << 30);
        for n in 0..TRIAL {
            dictionary.intern((n % 100).to_string().as_bytes());
        }
        assert!(dictionary.pays(TRIAL));
    }
}

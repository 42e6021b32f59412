//! Strings to small numbers, so that rows that travel are narrow.
//!
//! A table with open addressing whose slots hold a string of up to seven bytes themselves, and of longer
//! ones a hash: one cache line a look-up for short strings, two for others.

use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Most strings of a dictionary: beyond that a column is no good for codes.
const MOST_STRINGS: usize = 1 << 22;
/// Strings after which the share of distinct ones is judged: enough to tell a hundred thousand distinct
/// strings, whose table is still fast, from strings that never come again.
const TRIAL: u64 = 1 << 18;
/// Marks the key of a string that is not in the slot itself; short keys have their length there.
const LONG: u64 = 1 << 63;
const EMPTY: u32 = u32::MAX;
/// A table that is four fifths full becomes so many times as large. Look-ups wait for memory, so what
/// counts is that the table is small: 262,144 slots for 100,000 strings took 1.05 times as long to
/// decode with as half of them.
const GROWTH: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    code: u32,
}

/// What [`Interner::look`] found of a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    key: u64,
    slot: Slot,
}

/// The distinct strings of one column, numbered in the order of their first appearance.
#[derive(Debug)]
pub struct Interner {
    slots: Vec<Slot>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    interned: u64,
    most_bytes: u64,
    seed: u64,
}

impl Default for Interner {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Interner {
    /// A dictionary of at most so many bytes of strings, table included.
    pub fn new(most_bytes: u64) -> Self {
        let slots = vec![Slot { key: 0, code: EMPTY }; 1 << 8];
        Self {
            slots,
            bytes: Vec::new(),
            ends: Vec::new(),
            interned: 0,
            most_bytes: most_bytes.min(u64::from(u32::MAX)),
            // Numbers become ranks in the end: no seed changes a result, and nobody can aim at it.
            seed: RandomState::new().hash_one(0),
        }
    }

    /// The number of a string; nothing when a new one would go beyond the bounds.
    #[inline]
    pub fn intern(&mut self, text: &[u8]) -> Option<u32> {
        self.find_or_add(key(text, self.seed), text)
    }

    /// The first half of [`Interner::intern`], which is done for many strings before the second: what
    /// it reads is far away more often than not, and the processor fetches many such places at once,
    /// but only while nothing depends on them.
    #[inline]
    pub(crate) fn look(&self, text: &[u8]) -> Look {
        let key = key(text, self.seed);
        Look { key, slot: self.slots[spread(key, self.seed) as usize & (self.slots.len() - 1)] }
    }

    /// The second half. Other strings may have been interned meanwhile.
    #[inline]
    pub(crate) fn intern_as_seen(&mut self, look: Look, text: &[u8]) -> Option<u32> {
        let Look { key, slot } = look;
        if slot.code != EMPTY && slot.key == key && (key < LONG || self.get(slot.code) == text) {
            return Some(slot.code);
        }
        self.find_or_add(key, text)
    }

    fn find_or_add(&mut self, key: u64, text: &[u8]) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = spread(key, self.seed) as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.code == EMPTY {
                return self.add(at, key, text);
            }
            if slot.key == key && (key < LONG || self.get(slot.code) == text) {
                return Some(slot.code);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn add(&mut self, at: usize, key: u64, text: &[u8]) -> Option<u32> {
        let code = self.ends.len();
        let is_full = (code + 1) * 5 > self.slots.len() * 4;
        let growth = if is_full { self.slots.len() * (GROWTH - 1) * size_of::<Slot>() } else { 0 };
        let memory = self.memory() + (growth + text.len()) as u64;
        if code >= MOST_STRINGS || memory > self.most_bytes {
            return None;
        }
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.slots[at] = Slot { key, code: code as u32 };
        if is_full {
            self.grow();
        }
        Some(code as u32)
    }

    fn grow(&mut self) {
        let larger = vec![Slot { key: 0, code: EMPTY }; self.slots.len() * GROWTH];
        let mask = larger.len() - 1;
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot.code != EMPTY {
                let mut at = spread(slot.key, self.seed) as usize & mask;
                while self.slots[at].code != EMPTY {
                    at = (at + 1) & mask;
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
        (self.slots.capacity() * size_of::<Slot>()
            + self.bytes.capacity()
            + self.ends.capacity() * size_of::<u32>()) as u64
    }
}

/// A string of up to seven bytes as itself, a longer one as a hash.
#[inline]
fn key(text: &[u8], seed: u64) -> u64 {
    let length = text.len();
    if length >= 8 {
        return xxh3_64_with_seed(text, seed) | LONG;
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
    word | (length as u64) << 56
}

/// Spreads keys over all bits; the multiplier is 2^64 divided by the golden ratio.
#[inline]
fn spread(key: u64, seed: u64) -> u64 {
    let product = u128::from(key ^ seed) * 0x9E37_79B9_7F4A_7C15;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_have_one_number_and_others_another() {
        let mut interner = Interner::new(1 << 30);
        let texts: Vec<Vec<u8>> = (0..20_000u32)
            .map(|n| format!("{n:0width$}", width = n as usize % 17).into_bytes())
            .collect();
        let codes: Vec<u32> = texts.iter().map(|text| interner.intern(text).unwrap()).collect();
        let again: Vec<u32> = texts.iter().map(|text| interner.intern(text).unwrap()).collect();
        assert_eq!(codes, again);
        let mut naive = std::collections::HashMap::new();
        for (text, code) in texts.iter().zip(&codes) {
            let next = naive.len() as u32;
            assert_eq!(*naive.entry(text.clone()).or_insert(next), *code);
            assert_eq!(interner.get(*code), text.as_slice());
        }
        assert_eq!(interner.len(), naive.len());
        for text in [&b""[..], b"\0", b"\0\0", b"\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\0\0"] {
            assert_eq!(interner.intern(text), interner.intern(text));
        }
        assert!(interner.intern(b"\0") != interner.intern(b"\0\0"));
    }

    #[test]
    fn short_strings_are_their_own_keys() {
        let text = b"\x01\x82\x03\x84\x05\x86\x07";
        for length in 0..=7 {
            let mut expected = [0; 8];
            expected[..length].copy_from_slice(&text[..length]);
            expected[7] = length as u8;
            assert_eq!(key(&text[..length], 1), u64::from_le_bytes(expected));
        }
    }

    #[test]
    fn mostly_distinct_strings_do_not_pay() {
        let mut interner = Interner::new(1 << 30);
        for n in 0..TRIAL {
            interner.intern(n.to_string().as_bytes());
        }
        assert!(!interner.pays(TRIAL));
        let mut interner = Interner::new(1 << 30);
        for n in 0..TRIAL {
            interner.intern((n % 100).to_string().as_bytes());
        }
        assert!(interner.pays(TRIAL));
    }
}

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
/// A table that is half full becomes so many times as large.
const GROWTH: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    code: u32,
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
        let key = key(text, self.seed);
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
        let is_full = (code + 1) * 2 > self.slots.len();
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
    if text.len() < 8 {
        let mut key = (text.len() as u64) << 56;
        for (at, byte) in text.iter().enumerate() {
            key |= u64::from(*byte) << (at * 8);
        }
        key
    } else {
        xxh3_64_with_seed(text, seed) | LONG
    }
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

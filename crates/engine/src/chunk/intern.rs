//! Strings to codes: a table of the distinct ones.

use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::dictionary;
use super::strings::Strings;

/// Strings up to this length stand in the table themselves.
const SHORT: usize = 11;
/// The part of a slot that holds a short string and its length; the code is above it.
const KEY_BITS: u32 = 96;
const KEY: u128 = (1 << KEY_BITS) - 1;

/// Strings of a row group, as codes for as long as a dictionary may pay.
#[derive(Debug)]
pub(crate) struct Interner {
    /// Values that may come.
    most: usize,
    /// Codes count strings as they come first; none once a dictionary is certain not to pay.
    codes: Option<Vec<u32>>,
    /// The distinct strings by code, or all.
    strings: Strings,
    short: Table<u128>,
    long: Table<u64>,
    seed: u64,
}

/// What was interned.
pub(crate) enum Interned {
    /// Codes into distinct strings in order.
    Codes(Vec<u32>, Strings),
    /// All strings; a dictionary does not pay.
    Plain(Strings),
}

impl Interner {
    /// For `most` values at most.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            codes: Some(Vec::with_capacity(most)),
            strings: Strings::default(),
            short: Table::new(),
            long: Table::new(),
            // Codes are sorted in the end: no seed changes a result, and nobody can aim at it.
            seed: RandomState::new().hash_one(0),
        }
    }

    /// Appends a string; returns whether a dictionary may still pay.
    pub(crate) fn push(&mut self, string: &[u8]) -> bool {
        let Some(codes) = &mut self.codes else {
            self.strings.push(string);
            return false;
        };
        let distinct = self.strings.len() as u32;
        let seed = self.seed;
        let code = if string.len() <= SHORT {
            let key = short_key(string);
            let slot = u128::from(distinct) << KEY_BITS | key;
            let hash_of = |slot: u128| short_hash(slot & KEY, seed);
            let fits = |slot: u128| slot & KEY == key;
            let found = self.short.find_or_insert(hash_of(key), slot, fits, hash_of);
            found.map(|slot| (slot >> KEY_BITS) as u32)
        } else {
            // A slot is a half of the hash and the code; the other half tells the place.
            let hash = xxh3_64_with_seed(string, seed);
            let strings = &self.strings;
            let string_of = |slot: u64| strings.get(slot as u32 as usize - 1);
            let slot = hash & !u64::from(u32::MAX) | u64::from(distinct + 1);
            let fits = |other: u64| other >> 32 == slot >> 32 && string_of(other) == string;
            let hash_of = |slot| xxh3_64_with_seed(string_of(slot), seed);
            self.long.find_or_insert(hash, slot, fits, hash_of).map(|slot| slot as u32 - 1)
        };
        codes.push(code.unwrap_or(distinct));
        if code.is_none() {
            self.strings.push(string);
        }
        let (count, distinct) = (codes.len(), self.strings.len());
        if (code.is_none() || count == dictionary::HEAD)
            && !dictionary::may_pay(count, self.most, distinct, self.strings.plain_bytes())
        {
            self.give_up();
        }
        self.codes.is_some()
    }

    fn give_up(&mut self) {
        let Some(codes) = self.codes.take() else { return };
        let distinct = std::mem::take(&mut self.strings);
        for code in codes {
            self.strings.push(distinct.get(code as usize));
        }
        self.short = Table::new();
        self.long = Table::new();
    }

    pub(crate) fn finish(self) -> Interned {
        let Some(mut codes) = self.codes else { return Interned::Plain(self.strings) };
        // Eight bytes decide most comparisons.
        let head = |string: &[u8]| {
            let mut head = [0; 8];
            let length = string.len().min(8);
            head[..length].copy_from_slice(&string[..length]);
            u64::from_be_bytes(head)
        };
        let mut order: Vec<(u64, u32)> =
            self.strings.iter().zip(0..).map(|(string, code)| (head(string), code)).collect();
        let string = |code: u32| self.strings.get(code as usize);
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| string(a.1).cmp(string(b.1))));
        let mut ranks = vec![0; order.len()];
        for (rank, (_, code)) in (0..).zip(&order) {
            ranks[*code as usize] = rank;
        }
        codes.iter_mut().for_each(|code| *code = ranks[*code as usize]);
        Interned::Codes(codes, order.iter().map(|(_, code)| string(*code)).collect())
    }
}

/// A short string and its length as a number that is not 0.
fn short_key(string: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes[..string.len()].copy_from_slice(string);
    bytes[SHORT] = string.len() as u8 + 1;
    u128::from_le_bytes(bytes)
}

/// The product of both halves, its own halves mixed.
fn short_hash(key: u128, seed: u64) -> u64 {
    let high = (key >> 64) as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(key as u64 ^ seed) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
}

/// An open-addressing table; the default slot is an empty one.
#[derive(Debug)]
struct Table<S> {
    slots: Vec<S>,
    used: usize,
}

impl<S: Copy + Default + PartialEq> Table<S> {
    fn new() -> Self {
        Self { slots: Vec::new(), used: 0 }
    }

    /// The slot that fits; if there is none, `new` is put there.
    fn find_or_insert(
        &mut self,
        hash: u64,
        new: S,
        fits: impl Fn(S) -> bool,
        hash_of: impl Fn(S) -> u64,
    ) -> Option<S> {
        if self.used * 2 >= self.slots.len() {
            let larger = vec![S::default(); (self.slots.len() * 4).max(64)];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if slot != S::default() {
                    let at = self.probe(hash_of(slot), |_| false);
                    self.slots[at] = slot;
                }
            }
        }
        let at = self.probe(hash, fits);
        let found = self.slots[at];
        if found != S::default() {
            return Some(found);
        }
        self.slots[at] = new;
        self.used += 1;
        None
    }

    /// Where the first slot is that fits or is empty.
    fn probe(&self, hash: u64, fits: impl Fn(S) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == S::default() || fits(slot) {
                return at;
            }
            at = (at + 1) & mask;
        }
    }
}

//! Packed rows of one partition, sorted and reduced by their words.

use std::cmp::Ordering;

use distil_json::{Dictionary, PackedLayout};

use super::encoded::{Counts, Row, RowBuffers};
use super::packed::{PackedBuffers, PackedTable, append};

/// Takes the rows whose keys occur more than once out of `packed`, reduces them to one row a key and
/// its witness, and appends these, encoded, to `encoded`. What stays has a key of its own. Where fewer than half of
/// the rows would go, all stay: a partition with an encoded row is written the slow way.
pub fn reduce_repeated_keys(
    layout: &PackedLayout,
    dictionaries: &[Dictionary],
    packed: &mut PackedBuffers,
    encoded: &mut RowBuffers,
) {
    let rows: Vec<u64> = std::mem::take(packed).into_buffers().concat();
    let row = |at: &u32| &rows[*at as usize * layout.words..][..layout.words];
    let codes = |column: usize, a: u32, b: u32| {
        if a == b {
            return Ordering::Equal;
        }
        dictionaries[column].get(a).cmp(dictionaries[column].get(b))
    };
    let mut order: Vec<u32> = (0..(rows.len() / layout.words) as u32).collect();
    order.sort_unstable_by(|a, b| {
        row(a)[0].cmp(&row(b)[0]).then_with(|| layout.compare(row(a), row(b), codes))
    });
    let runs = || order.chunk_by(|a, b| layout.same_key(row(a), row(b)));
    if runs().count() * 2 > order.len() {
        for row in rows.chunks_exact(layout.words) {
            packed.push(row);
        }
        return;
    }
    let mut buffer = Vec::new();
    let mut push = |at: &u32, counts: Counts| {
        let text = |column: usize, code| dictionaries[column].get(code);
        let key_length = layout.unpack(row(at), text, &mut buffer);
        let value_bytes = layout.value_bytes(row(at), text);
        encoded.push(&Row { bytes: &buffer, key_length, value_bytes, counts, origin: None });
    };
    for run in runs() {
        let Some((first, others)) = run.split_first() else { continue };
        if others.is_empty() {
            packed.push(row(first));
            continue;
        }
        let copies = run.iter().take_while(|at| row(at) == row(first)).count();
        let conflicting = run.len() - copies;
        push(first, Counts { copies: copies as u64, conflicting: conflicting as u64 });
        if let Some(witness) = run.get(copies) {
            push(witness, Counts { copies: 0, conflicting: 0 });
        }
    }
}

/// Memory that is used again from partition to partition.
#[derive(Debug, Default)]
pub struct PackedScratch {
    rows: Vec<u64>,
    /// Buffers that were loaded from: survivors go back to them. Memory of the exchange would otherwise
    /// lie idle until the end, as rows of all ranges share its pages, while survivors take new memory.
    emptied: Vec<Vec<u64>>,
    order: Vec<u64>,
    spare: Vec<u64>,
    wide: Vec<(u64, u32)>,
}

/// What packed rows were reduced to.
#[derive(Debug, Default)]
pub struct PackedReduced {
    /// Survivors in order, with ranks.
    pub rows: PackedBuffers,
    /// Records equal to a survivor.
    pub identical: u64,
    /// Records that lost to a survivor and differ from it.
    pub conflicting: u64,
    /// The first conflicts: the survivor and the first that differs.
    pub conflicts: Vec<(Vec<u64>, Vec<u64>)>,
}

impl PackedScratch {
    /// Forgets the rows of the partition before.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.emptied.clear();
    }

    /// Adds all rows of a decoder's buffer.
    pub fn empty(&mut self, table: &PackedTable, decoder: usize, mut buffer: Vec<u64>) {
        self.load(table, decoder, &buffer, |_| true);
        buffer.clear();
        self.emptied.push(buffer);
    }

    /// Adds rows of a decoder, if their first word is within bounds.
    pub fn load(
        &mut self,
        table: &PackedTable,
        decoder: usize,
        words: &[u64],
        within: impl Fn(u64) -> bool,
    ) {
        let start = self.rows.len();
        for row in words.chunks_exact(table.layout.words).filter(|row| within(row[0])) {
            append(&mut self.rows, row);
        }
        table.layout.rank(&mut self.rows[start..], &table.ranks[decoder]);
    }

    /// The rows loaded, in no order.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// Sorts what was loaded and reduces it to one row a key; the first `shown` conflicts are kept.
    pub fn reduce(&mut self, layout: &PackedLayout, shown: usize) -> PackedReduced {
        self.sort(layout.words);
        let Self { rows, order, wide, emptied, .. } = self;
        let count = rows.len() / layout.words;
        let row = |at: usize| &rows[at * layout.words..][..layout.words];
        let place =
            |at: usize| if wide.is_empty() { order[at] as usize } else { wide[at].1 as usize };
        let compare = |a: usize, b: usize| layout.compare(row(a), row(b), |_, a, b| a.cmp(&b));
        let mut outcome = PackedReduced {
            rows: PackedBuffers::in_place_of(std::mem::take(emptied)),
            ..PackedReduced::default()
        };
        let mut equals: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < count {
            let first = place(at);
            let mut end = at + 1;
            while end < count && row(place(end))[0] == row(first)[0] {
                end += 1;
            }
            if end == at + 1 {
                outcome.rows.push(row(first));
                at = end;
                continue;
            }
            equals.clear();
            equals.extend((at..end).map(place));
            equals.sort_unstable_by(|a, b| compare(*a, *b));
            for run in equals.chunk_by(|a, b| layout.same_key(row(*a), row(*b))) {
                let copies = run.iter().take_while(|other| row(**other) == row(run[0])).count();
                outcome.rows.push(row(run[0]));
                outcome.identical += copies as u64 - 1;
                outcome.conflicting += (run.len() - copies) as u64;
                if let Some(witness) = run.get(copies)
                    && outcome.conflicts.len() < shown
                {
                    outcome.conflicts.push((row(run[0]).to_vec(), row(*witness).to_vec()));
                }
            }
            at = end;
        }
        outcome
    }

    /// Puts the rows in the order of their first word: by place in the low bits of `order` where
    /// both fit a word, else in `wide`.
    fn sort(&mut self, words: usize) {
        self.order.clear();
        self.wide.clear();
        let count = self.rows.len() / words;
        let first = self.rows.iter().step_by(words);
        let (low, high) = first
            .clone()
            .fold((u64::MAX, 0), |(low, high), word| (low.min(*word), high.max(*word)));
        let bits = usize::BITS - count.saturating_sub(1).leading_zeros();
        let spread = 64 - high.saturating_sub(low).leading_zeros();
        if spread + bits > 64 {
            self.wide.extend(first.zip(0..).map(|(word, at)| (*word, at)));
            self.wide.sort_unstable();
            return;
        }
        let keys = first.zip(0u64..).map(|(word, at)| (word - low) << bits | at);
        self.order.extend(keys);
        radix_sort(&mut self.order, &mut self.spare, bits, spread + bits);
        let mask = (1u64 << bits) - 1;
        for key in &mut self.order {
            *key &= mask;
        }
    }
}

/// Bits that one pass of the radix sort looks at.
const DIGIT: u32 = 8;

/// Sorts numbers by their bits from `low` to `high`, least significant digit first (LSD radix sort); what
/// is below `low` stays in the order it has.
fn radix_sort(keys: &mut Vec<u64>, spare: &mut Vec<u64>, low: u32, high: u32) {
    if keys.len() < 256 {
        keys.sort_unstable();
        return;
    }
    spare.clear();
    spare.resize(keys.len(), 0);
    let mut shift = low;
    while shift < high {
        let mut ends = [0u32; 1 << DIGIT];
        let digit = |key: u64| (key >> shift) as usize & ((1 << DIGIT) - 1);
        for key in keys.iter() {
            ends[digit(*key)] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        for key in keys.iter() {
            let place = &mut ends[digit(*key)];
            spare[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(keys, spare);
        shift += DIGIT;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn radix_sort_sorts_by_the_bits_it_is_told(
            mut keys in prop::collection::vec(any::<u64>(), 0..1000),
            bits in 1u32..64,
        ) {
            keys.iter_mut().for_each(|key| *key >>= 64 - bits);
            let mut expected = keys.clone();
            expected.sort_unstable();
            radix_sort(&mut keys, &mut Vec::new(), 0, bits);
            prop_assert_eq!(keys, expected);
        }
    }
}

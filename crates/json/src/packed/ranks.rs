//! The strings of dictionaries in order, so that codes can be compared as numbers.

use crate::packed::dictionary::Dictionary;

/// The distinct strings of one column over all workers, in order.
#[derive(Debug)]
pub struct Ranks {
    /// Where each begins, and where the last one ends.
    offsets: Vec<usize>,
    bytes: Vec<u8>,
}

/// A string: its first eight bytes, its dictionary, and its code there.
type Entry = (u64, u32, u32);

impl Ranks {
    /// The ranks of the strings of several dictionaries: the strings in order, and for each
    /// dictionary the rank of each code.
    pub fn of(dictionaries: &[&Dictionary]) -> (Self, Vec<Vec<u32>>) {
        let mut all: Vec<Entry> =
            Vec::with_capacity(dictionaries.iter().map(|dictionary| dictionary.len()).sum());
        for (worker, dictionary) in dictionaries.iter().enumerate() {
            let codes = 0..dictionary.len() as u32;
            all.extend(codes.map(|code| (prefix(dictionary.get(code)), worker as u32, code)));
        }
        let text = |(_, worker, code): &Entry| dictionaries[*worker as usize].get(*code);
        sort_by_prefix(&mut all);
        for run in all.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            run.sort_unstable_by(|a, b| text(a).cmp(text(b)));
        }
        let mut ranks: Vec<Vec<u32>> =
            dictionaries.iter().map(|dictionary| vec![0; dictionary.len()]).collect();
        // Room for all at once: memory that is not used is not taken, and growing copies.
        let most_bytes = dictionaries.iter().map(|dictionary| dictionary.text_bytes()).sum();
        let mut offsets = Vec::with_capacity(all.len() + 1);
        offsets.push(0);
        let mut strings = Self { offsets, bytes: Vec::with_capacity(most_bytes) };
        let mut last: Option<&[u8]> = None;
        for entry in &all {
            let here = text(entry);
            if last != Some(here) {
                strings.bytes.extend_from_slice(here);
                strings.offsets.push(strings.bytes.len());
                last = Some(here);
            }
            ranks[entry.1 as usize][entry.2 as usize] = strings.len() as u32 - 1;
        }
        (strings, ranks)
    }

    /// The string of a rank.
    pub fn get(&self, rank: u32) -> &[u8] {
        let rank = rank as usize;
        &self.bytes[self.offsets[rank]..self.offsets[rank + 1]]
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All strings one after the other: where each begins and the last one ends, and their bytes.
    pub fn into_parts(self) -> (Vec<usize>, Vec<u8>) {
        (self.offsets, self.bytes)
    }
}

fn prefix(text: &[u8]) -> u64 {
    let mut padded = [0; 8];
    let length = text.len().min(8);
    padded[..length].copy_from_slice(&text[..length]);
    u64::from_be_bytes(padded)
}

/// Sorts by prefix, byte by byte from the last (LSD radix sort); bytes that all have in common are
/// passed over.
fn sort_by_prefix(entries: &mut Vec<Entry>) {
    let mut spare = vec![Entry::default(); entries.len()];
    let first = entries.first().map_or(0, |entry| entry.0);
    let differ = entries.iter().fold(0, |bits, entry| bits | entry.0 ^ first);
    for shift in (0..u64::BITS).step_by(8).filter(|shift| differ >> shift & 0xFF != 0) {
        let byte = |entry: &Entry| (entry.0 >> shift) as usize & 0xFF;
        let mut places = [0; 256];
        for entry in entries.iter() {
            places[byte(entry)] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        for entry in entries.iter() {
            let place = &mut places[byte(entry)];
            spare[*place] = *entry;
            *place += 1;
        }
        std::mem::swap(entries, &mut spare);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_are_places_among_all_strings(
            texts in prop::collection::vec(
                prop::collection::vec("[a-c\\x00é]{0,4}|abcdefg[a-c]{0,3}|[0-9]{5}", 0..50),
                0..4,
            ),
        ) {
            let dictionaries: Vec<Dictionary> = texts
                .iter()
                .map(|texts| {
                    let mut dictionary = Dictionary::new(1 << 30);
                    assert!(texts.iter().all(|text| dictionary.intern(text.as_bytes()).is_some()));
                    dictionary
                })
                .collect();
            let (strings, ranks) = Ranks::of(&dictionaries.iter().collect::<Vec<_>>());
            let expected: BTreeSet<&[u8]> = texts.iter().flatten().map(|text| text.as_bytes()).collect();
            let found: Vec<&[u8]> = (0..strings.len() as u32).map(|rank| strings.get(rank)).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
            for (dictionary, ranks) in dictionaries.iter().zip(&ranks) {
                prop_assert_eq!(dictionary.len(), ranks.len());
                for (code, rank) in ranks.iter().enumerate() {
                    prop_assert_eq!(dictionary.get(code as u32), strings.get(*rank));
                }
            }
        }
    }
}

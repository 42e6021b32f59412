//! Which partition a key belongs to.

use distil_json::{MessageReader, MessageWriter, PackedLayout};
use distil_plan::Result;

use crate::reduce::{common_prefix, word};

/// Where one partition ends and the next begins.
#[derive(Clone, Debug, Default)]
pub struct Splitters {
    keys: Vec<Vec<u8>>,
    /// What all splitters begin with, and the eight bytes after that.
    shared: Vec<u8>,
    words: Vec<u64>,
}

impl Splitters {
    /// Splitters that cut sampled keys into at most `partitions` equal shares.
    pub fn new(mut sample: Vec<Vec<u8>>, partitions: usize) -> Self {
        sample.sort_unstable();
        let mut keys: Vec<Vec<u8>> = (1..partitions)
            .filter_map(|at| sample.get(at * sample.len() / partitions).cloned())
            .collect();
        keys.dedup();
        Self::at(keys)
    }

    /// Splitters at these keys, which are in order.
    fn at(keys: Vec<Vec<u8>>) -> Self {
        let shared = match (keys.first(), keys.last()) {
            (Some(first), Some(last)) => first[..common_prefix(first, last)].to_vec(),
            _ => Vec::new(),
        };
        let words = keys.iter().map(|key| word(&key[shared.len()..])).collect();
        Self { keys, shared, words }
    }

    /// Writes the splitters to a message, which [`Splitters::read`] reads in another process.
    pub fn write(&self, message: &mut MessageWriter) {
        message.number(self.keys.len() as u64);
        self.keys.iter().for_each(|key| message.bytes(key));
    }

    /// Reads splitters.
    ///
    /// # Errors
    /// An environment error if the message is broken.
    pub fn read(message: &mut MessageReader<'_>) -> Result<Self> {
        let count = message.count(8)?;
        let keys = (0..count).map(|_| Ok(message.bytes()?.to_vec())).collect::<Result<_>>()?;
        Ok(Self::at(keys))
    }

    /// The first words of the splitters, for packed rows; `None` if a splitter is not the first column
    /// of a key as the layout has it.
    pub fn words_of(&self, layout: &PackedLayout) -> Option<Vec<u64>> {
        let is_first = |key: &&Vec<u8>| PackedLayout::first_part(key).len() == key.len();
        let word = |key| layout.first_word(Some(key).filter(is_first)?);
        self.keys.iter().map(word).collect()
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> usize {
        self.keys.len() + 1
    }

    /// The partition of a key: how many splitters are not greater.
    pub fn partition(&self, key: &[u8]) -> usize {
        let Some(rest) = key.strip_prefix(self.shared.as_slice()) else {
            return if key < self.shared.as_slice() { 0 } else { self.keys.len() };
        };
        let word = word(rest);
        let mut at = self.words.partition_point(|splitter| *splitter < word);
        while self.words.get(at) == Some(&word) && self.keys[at].as_slice() <= key {
            at += 1;
        }
        at
    }
}

/// Which partition a packed row belongs to: how many splitters are not greater than its first word.
#[derive(Clone, Debug, Default)]
pub struct WordSplitters {
    words: Vec<u64>,
    low: u64,
    shift: u32,
    /// How many splitters lie below each of equally wide cells.
    cells: Vec<u16>,
}

impl WordSplitters {
    /// Splitters in order.
    pub fn new(words: Vec<u64>) -> Self {
        let (Some(low), Some(high)) = (words.first().copied(), words.last().copied()) else {
            return Self { cells: vec![0], ..Self::default() };
        };
        // Some four cells a splitter, so that most cells hold one at most.
        let wanted = (words.len() as u64 * 4).next_power_of_two();
        let spread = high - low;
        let shift = (64 - spread.leading_zeros()).saturating_sub(wanted.trailing_zeros());
        let cells = (0..=spread >> shift)
            .map(|cell| words.partition_point(|word| *word < low + (cell << shift)) as u16);
        Self { low, shift, cells: cells.collect(), words }
    }

    #[inline]
    /// The partition of a row with this first word.
    pub fn partition(&self, word: u64) -> usize {
        let cell = (word.saturating_sub(self.low) >> self.shift) as usize;
        let mut at = usize::from(self.cells[cell.min(self.cells.len() - 1)]);
        while self.words.get(at).is_some_and(|splitter| *splitter <= word) {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_goes_where_the_splitters_say() {
        let key = |n: u32| format!("2019-04-{n:05}").into_bytes();
        let sample: Vec<Vec<u8>> = (0..1000).map(key).collect();
        for partitions in [1, 2, 7, 300] {
            let splitters = Splitters::new(sample.clone(), partitions);
            for probe in [&b""[..], b"1", b"2019-04-", b"2019-04-00000x", b"3"]
                .into_iter()
                .map(<[u8]>::to_vec)
                .chain((0..1000).step_by(3).map(key))
            {
                let expected = splitters.keys.iter().filter(|splitter| **splitter <= probe).count();
                assert_eq!(
                    splitters.partition(&probe),
                    expected,
                    "{}",
                    String::from_utf8_lossy(&probe)
                );
            }
        }
        assert_eq!(Splitters::new(vec![b"x".to_vec(); 50], 8).partitions(), 2);
        assert_eq!(Splitters::new(Vec::new(), 8).partitions(), 1);
    }

    proptest! {
        #[test]
        fn a_word_goes_where_the_splitters_say(
            mut words in prop::collection::vec(any::<u64>(), 0..200),
            scale in 0u32..64,
            probes in prop::collection::vec(any::<u64>(), 50),
        ) {
            words.iter_mut().for_each(|word| *word >>= scale);
            words.sort_unstable();
            words.dedup();
            let splitters = WordSplitters::new(words.clone());
            let near = words.iter().flat_map(|word| [word.wrapping_sub(1), *word, word.saturating_add(1)]);
            for probe in near.chain(probes.iter().flat_map(|probe| [*probe, probe >> scale])) {
                let expected = words.iter().filter(|splitter| **splitter <= probe).count();
                prop_assert_eq!(splitters.partition(probe), expected);
            }
        }
    }
}

//! Rows on their way to the range of their key.
//!
//! Every worker scatters into partitions of its own, so nothing is shared while records are decoded.
//! When its share of the memory is full, a worker reduces what it holds, and spills what is left if
//! that was not enough: so a hot key always collapses, and only distinct keys cost disk.

use std::path::Path;
use std::sync::Arc;

use distil_json::{Dictionary, PackedLayout};
use distil_plan::{Error, Result};
use distil_storage::Storage;

use crate::dedup::{Policy, Reduced, common_prefix, reduce, sorted, word};
use crate::packed::{PackedChunks, PackedSegment, WordSplitters, collapse};
use crate::rows::{Chunks, Row};
use crate::spill::{Segment, SpillWriter};

/// Where one key range ends and the next begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Splitters {
    keys: Vec<Vec<u8>>,
    /// What all splitters begin with, and the eight bytes behind that.
    shared: Vec<u8>,
    words: Vec<u64>,
}

impl Splitters {
    /// Splitters that cut sampled keys into at most `partitions` equal shares.
    pub(crate) fn new(mut sample: Vec<Vec<u8>>, partitions: usize) -> Self {
        sample.sort_unstable();
        let mut keys: Vec<Vec<u8>> = (1..partitions)
            .filter_map(|at| sample.get(at * sample.len() / partitions).cloned())
            .collect();
        keys.dedup();
        let shared = match (keys.first(), keys.last()) {
            (Some(first), Some(last)) => first[..common_prefix(first, last)].to_vec(),
            _ => Vec::new(),
        };
        let words = keys.iter().map(|key| word(&key[shared.len()..])).collect();
        Self { keys, shared, words }
    }

    /// The first words of the splitters, for packed rows; nothing if a splitter is not the first column
    /// of a key as the layout has it.
    pub(crate) fn words_of(&self, layout: &PackedLayout) -> Option<Vec<u64>> {
        self.keys.iter().map(|key| layout.first_word(key)).collect()
    }

    /// How many ranges there are.
    pub(crate) fn partitions(&self) -> usize {
        self.keys.len() + 1
    }

    /// The range of a key: how many splitters are not greater.
    pub(crate) fn partition(&self, key: &[u8]) -> usize {
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

/// One worker's rows.
pub(crate) struct Exchange<'a> {
    storage: &'a dyn Storage,
    scratch: &'a Path,
    splitters: &'a Splitters,
    policy: Policy,
    limit: u64,
    worker: usize,
    partitions: Vec<Chunks>,
    packing: Option<Packing>,
    taken: u64,
    segments: Vec<(usize, Segment)>,
    files: usize,
    spilled: u64,
}

/// One worker's packed rows.
struct Packing {
    layout: Arc<PackedLayout>,
    splitters: WordSplitters,
    partitions: Vec<PackedChunks>,
    segments: Vec<(usize, PackedSegment)>,
    /// Memory of the dictionaries when they were last looked at.
    dictionaries: u64,
}

/// What a worker leaves behind for each range.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Rows in memory, in no order.
    pub(crate) chunks: Vec<Vec<u8>>,
    /// Sorted runs on disk.
    pub(crate) segments: Vec<Segment>,
    /// Packed rows in memory, in no order.
    pub(crate) packed: Vec<Vec<u64>>,
    /// Packed rows on disk, in no order.
    pub(crate) packed_segments: Vec<PackedSegment>,
}

impl<'a> Exchange<'a> {
    /// An exchange that keeps at most about `limit` bytes of rows in memory.
    pub(crate) fn new(
        storage: &'a dyn Storage,
        scratch: &'a Path,
        splitters: &'a Splitters,
        layout: Option<&Arc<PackedLayout>>,
        policy: Policy,
        limit: u64,
        worker: usize,
    ) -> Self {
        let mut partitions = Vec::new();
        partitions.resize_with(splitters.partitions(), Chunks::default);
        let packing = layout.map(|layout| {
            let mut partitions = Vec::new();
            partitions.resize_with(splitters.partitions(), PackedChunks::default);
            Packing {
                layout: Arc::clone(layout),
                splitters: WordSplitters::new(splitters.words_of(layout).unwrap_or_default()),
                partitions,
                segments: Vec::new(),
                dictionaries: 0,
            }
        });
        Self {
            storage,
            scratch,
            splitters,
            policy,
            limit,
            worker,
            partitions,
            packing,
            taken: 0,
            segments: Vec::new(),
            files: 0,
            spilled: 0,
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// An environment error when spilling fails.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        let partition = self.splitters.partition(row.key());
        self.taken += self.partitions[partition].push(row);
        if self.taken > self.limit {
            self.relieve()?;
        }
        Ok(())
    }

    /// Takes packed rows, whose codes are of these dictionaries.
    ///
    /// # Errors
    /// As [`Exchange::push`].
    pub(crate) fn push_packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        let Some(packing) = &mut self.packing else {
            return Err(Error::bug("rows are packed without a layout"));
        };
        let memory = dictionaries.iter().map(Dictionary::memory).sum::<u64>();
        self.taken += memory - packing.dictionaries.min(memory);
        packing.dictionaries = memory;
        for row in rows.chunks_exact(packing.layout.words) {
            let partition = packing.splitters.partition(row[0]);
            self.taken += packing.partitions[partition].push(row);
        }
        if self.taken > self.limit {
            self.relieve_packed(dictionaries)?;
            self.relieve()?;
        }
        Ok(())
    }

    /// Reduces packed rows where that pays: the fullest partition tells. A key that is there more
    /// than once goes on as an encoded row, which has counts.
    fn relieve_packed(&mut self, dictionaries: &[Dictionary]) -> Result<()> {
        let Some(packing) = &mut self.packing else { return Ok(()) };
        let fullest = (0..packing.partitions.len())
            .max_by_key(|at| packing.partitions[*at].words())
            .unwrap_or_default();
        let mut collapse_at = |at: usize| {
            let chunks = &mut packing.partitions[at];
            let before = chunks.words();
            collapse(&packing.layout, dictionaries, chunks, &mut self.partitions[at]);
            chunks.words() * 2 < before
        };
        if collapse_at(fullest) {
            for at in (0..self.splitters.partitions()).filter(|at| *at != fullest) {
                collapse_at(at);
            }
        }
        Ok(())
    }

    /// Reduces all partitions in place; spills them all if that freed less than half of the memory.
    fn relieve(&mut self) -> Result<()> {
        for chunks in &mut self.partitions {
            let reduced = compact(chunks, self.policy)?;
            *chunks = reduced;
        }
        let encoded: u64 = self.partitions.iter().map(Chunks::capacity).sum();
        self.taken = encoded + self.packed_memory();
        if self.taken > self.limit / 2 {
            self.spill_packed()?;
            if encoded > self.limit / 8 {
                self.spill()?;
            }
            self.taken =
                self.partitions.iter().map(Chunks::capacity).sum::<u64>() + self.packed_memory();
        }
        Ok(())
    }

    fn packed_memory(&self) -> u64 {
        self.packing.as_ref().map_or(0, |packing| {
            packing.dictionaries
                + packing.partitions.iter().map(PackedChunks::capacity).sum::<u64>()
        })
    }

    /// Writes all packed rows to a new file.
    fn spill_packed(&mut self) -> Result<()> {
        let Some(packing) = &mut self.packing else { return Ok(()) };
        if packing.partitions.iter().all(|chunks| chunks.words() == 0) {
            return Ok(());
        }
        let path = self.scratch.join(format!("packed-{}-{}", self.worker, self.files));
        self.files += 1;
        let (segments, bytes) = crate::packed::spill(self.storage, &path, &mut packing.partitions)?;
        packing.segments.extend(segments);
        self.spilled += bytes;
        Ok(())
    }

    /// Writes all partitions, which are reduced and in order, to a new file.
    fn spill(&mut self) -> Result<()> {
        let path = self.scratch.join(format!("rows-{}-{}", self.worker, self.files));
        self.files += 1;
        let mut file = SpillWriter::create(self.storage, &path)?;
        for (partition, chunks) in self.partitions.iter_mut().enumerate() {
            file.write(partition, &std::mem::take(chunks).full)?;
        }
        let (segments, bytes) = file.finish(self.storage, &path)?;
        self.segments.extend(segments);
        self.spilled += bytes;
        Ok(())
    }

    /// Whether encoded rows went to disk.
    pub(crate) fn has_spilled(&self) -> bool {
        !self.segments.is_empty()
    }

    /// Ends the exchange: what it holds of each range, and the bytes spilled. Once any worker spilled
    /// encoded rows, all give theirs `to_disk`: the memory is then free for what comes next, and sorted
    /// runs can be read by key.
    ///
    /// # Errors
    /// As [`Exchange::push`].
    pub(crate) fn finish(mut self, to_disk: bool) -> Result<(Vec<Held>, u64)> {
        if to_disk {
            for chunks in &mut self.partitions {
                *chunks = compact(chunks, self.policy)?;
            }
            self.spill()?;
        }
        let held = |chunks: Chunks| Held { chunks: chunks.full, ..Held::default() };
        let mut all: Vec<Held> = self.partitions.into_iter().map(held).collect();
        if let Some(packing) = self.packing {
            for (held, chunks) in all.iter_mut().zip(packing.partitions) {
                held.packed = chunks.into_chunks();
            }
            for (partition, segment) in packing.segments {
                if let Some(held) = all.get_mut(partition) {
                    held.packed_segments.push(segment);
                }
            }
        }
        for (partition, segment) in self.segments {
            if let Some(held) = all.get_mut(partition) {
                held.segments.push(segment);
            }
        }
        Ok((all, self.spilled))
    }
}

/// The same records in fewer rows, in order.
fn compact(chunks: &Chunks, policy: Policy) -> Result<Chunks> {
    let order = sorted(&chunks.full)?;
    let mut reduced = Chunks::default();
    reduce(&chunks.full, &order, policy, |row| {
        let mut row = match row {
            Reduced::Survivor(row, _) | Reduced::Loser(row, _) => row,
        };
        if policy == Policy::KeepLosers {
            // The losers stay, and are counted when everything has come together.
            row.counts.conflicting = 0;
        }
        reduced.push(&row);
        Ok(())
    })?;
    Ok(reduced)
}

#[cfg(test)]
mod tests {
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
}

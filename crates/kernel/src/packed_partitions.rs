//! Packed rows in the partitions of their keys: pushed in any order, reduced where that pays.

use std::sync::Arc;

use distil_json::{Dictionary, PackedLayout};
use distil_plan::{Cancel, Result};

use crate::partitioned_rows::PartitionedRows;
use crate::rows::{PackedBuffers, reduce_repeated_keys};
use crate::splitters::{Splitters, WordSplitters};

/// The packed rows of one decoder, by partition. A key that is reduced goes on as an encoded row, which has counts.
pub struct PackedPartitions {
    layout: Arc<PackedLayout>,
    splitters: WordSplitters,
    partitions: Vec<PackedBuffers>,
    /// Words of a partition from which on its repeated keys are reduced.
    worth: Vec<usize>,
    /// Memory of the dictionaries when they were last looked at.
    dictionaries: u64,
    /// Memory of rows and dictionaries.
    bytes: u64,
}

impl PackedPartitions {
    /// Holds no row. A partition with more than `hot` bytes is reduced, as it may have a hot key.
    pub fn new(splitters: &Splitters, layout: &Arc<PackedLayout>, hot: u64) -> Self {
        let mut partitions = Vec::new();
        partitions.resize_with(splitters.partitions(), PackedBuffers::default);
        Self {
            layout: Arc::clone(layout),
            splitters: WordSplitters::new(splitters.words_of(layout).unwrap_or_default()),
            worth: vec![(hot / 8) as usize; partitions.len()],
            partitions,
            dictionaries: 0,
            bytes: 0,
        }
    }

    /// How the rows are packed.
    pub fn layout(&self) -> &Arc<PackedLayout> {
        &self.layout
    }

    /// Bytes of memory that rows and dictionaries take.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.partitions.iter().all(|buffers| buffers.words() == 0)
    }

    /// Takes rows, whose codes are of these dictionaries.
    pub fn push(
        &mut self,
        rows: &[u64],
        dictionaries: &[Dictionary],
        encoded: &mut PartitionedRows<'_>,
    ) {
        let memory = dictionaries.iter().map(Dictionary::memory).sum::<u64>();
        self.bytes += memory - self.dictionaries.min(memory);
        self.dictionaries = memory;
        let mut hot = None;
        for row in rows.chunks_exact(self.layout.words) {
            let partition = self.splitters.partition(row[0]);
            let taken = self.partitions[partition].push(row);
            self.bytes += taken;
            if taken > 0 && self.partitions[partition].words() > self.worth[partition] {
                hot = Some(partition);
            }
        }
        // Reduced now, the rows of a hot key lie in the cache, and never take much memory: one key on 5 million
        // records of two words takes 0.6 s and 110 MiB on two threads, where it took 4.1 s and 479 MiB.
        if let Some(at) = hot {
            self.reduce_one(at, dictionaries, encoded);
            // A partition without such a key is looked at again when it has doubled.
            self.worth[at] = self.worth[at].max(self.partitions[at].words() * 2);
            self.count();
        }
    }

    /// Reduces all rows where that pays, judged by the fullest partition.
    ///
    /// # Errors
    /// That the job is asked to stop.
    pub fn reduce(
        &mut self,
        dictionaries: &[Dictionary],
        encoded: &mut PartitionedRows<'_>,
        cancel: &Cancel,
    ) -> Result<()> {
        let count = self.partitions.len();
        let fullest = (0..count).max_by_key(|at| self.partitions[*at].words()).unwrap_or_default();
        let before = self.partitions[fullest].words();
        if self.reduce_one(fullest, dictionaries, encoded) * 2 < before {
            for at in (0..count).filter(|at| *at != fullest) {
                cancel.check()?;
                self.reduce_one(at, dictionaries, encoded);
            }
        }
        self.count();
        Ok(())
    }

    /// Reduces one partition; returns the words that stay.
    fn reduce_one(
        &mut self,
        at: usize,
        dictionaries: &[Dictionary],
        encoded: &mut PartitionedRows<'_>,
    ) -> usize {
        let buffers = &mut self.partitions[at];
        encoded.extend(at, |encoded| {
            reduce_repeated_keys(&self.layout, dictionaries, buffers, encoded);
        });
        buffers.words()
    }

    /// Has the rows of all partitions taken away: those that are left when `take` ends stay.
    pub fn take_away<R>(&mut self, take: impl FnOnce(&mut [PackedBuffers]) -> R) -> R {
        let result = take(&mut self.partitions);
        self.count();
        result
    }

    /// The buffers of each partition in turn.
    pub fn into_buffers(self) -> impl Iterator<Item = Vec<Vec<u64>>> {
        self.partitions.into_iter().map(PackedBuffers::into_buffers)
    }

    /// Counts the memory anew, after rows were taken away.
    fn count(&mut self) {
        let rows: u64 = self.partitions.iter().map(PackedBuffers::capacity).sum();
        self.bytes = rows + self.dictionaries;
    }
}

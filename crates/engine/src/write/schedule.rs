//! What is to be done next of the second half of a run, and what is there of it already.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use distil_json::digest::Digest;
use distil_kernel::encode::ColumnChunk;
use distil_kernel::reduce_partition::{LastKey, ReducedPartition, SHOWN, ShownRow, Tally};
use distil_kernel::row_groups::{
    Cut, PackedRowGroup, ReducedRows, RowBatch, RowGroupCutter, Wanted,
};
use distil_plan::Result;

use super::spool::KeptArray;
use crate::work_queue::Next;

/// A row group of an output, by its ordinal.
pub(super) type RowGroupKey = (Wanted, usize);

/// Work for one thread.
pub(super) enum Task {
    /// To sort and reduce a partition.
    Reduce(usize),
    /// To read a batch of a row group, with its ordinal.
    Read(RowGroupKey, usize, RowBatch),
    /// To write a leaf of this many rows from its batches.
    Write(RowGroupKey, usize, u64, Vec<KeptArray>),
    /// To write a leaf of packed rows.
    WritePacked(RowGroupKey, usize, Arc<PackedRowGroup>),
}

/// Work that is under way.
pub(super) struct Schedule {
    leaves: usize,
    partitions: usize,
    next_partition: usize,
    /// Partitions that wait for those before them, and the bytes of their rows.
    reduced: BTreeMap<usize, ReducedPartition>,
    reduced_bytes: u64,
    most_reduced_bytes: u64,
    assembled: usize,
    last_key: LastKey,
    cutters: Vec<RowGroupCutter>,
    ready: VecDeque<Task>,
    underway: BTreeMap<RowGroupKey, Underway>,
    flushed: bool,
    pub(super) tally: Tally,
    pub(super) conflicts: Vec<(ShownRow, ShownRow)>,
}

/// What is there of a row group that is being encoded.
#[derive(Default)]
struct Underway {
    /// Batches that were cut, and how many rows there are once all are.
    batches: usize,
    rows: Option<u64>,
    digest: u128,
    /// The leaves of batches that were read, and the chunks of leaves, each with its ordinal.
    read: Vec<(usize, Vec<KeptArray>)>,
    chunks: Vec<(usize, ColumnChunk)>,
}

/// A row group whose chunks are all there.
pub(super) struct Complete {
    pub(super) chunks: Vec<ColumnChunk>,
    pub(super) rows: u64,
    pub(super) digest: Digest,
}

/// Values in the order of their ordinals.
fn in_order<T>(mut values: Vec<(usize, T)>) -> impl Iterator<Item = T> {
    values.sort_by_key(|(ordinal, _)| *ordinal);
    values.into_iter().map(|(_, value)| value)
}

fn bytes(partition: &ReducedPartition) -> u64 {
    partition.rows.iter().map(ReducedRows::bytes).sum()
}

impl Schedule {
    /// Nothing is begun. Reduced partitions of about `most_reduced_bytes` may wait for those before them.
    pub(super) fn new(
        leaves: usize,
        partitions: usize,
        cutters: Vec<RowGroupCutter>,
        most_reduced_bytes: u64,
    ) -> Self {
        Self {
            leaves,
            partitions,
            next_partition: 0,
            reduced: BTreeMap::new(),
            reduced_bytes: 0,
            most_reduced_bytes,
            assembled: 0,
            last_key: LastKey::default(),
            cutters,
            ready: VecDeque::new(),
            underway: BTreeMap::new(),
            flushed: false,
            tally: Tally::default(),
            conflicts: Vec::new(),
        }
    }

    /// Row groups first: they free memory.
    pub(super) fn next(&mut self) -> Next<Task> {
        if let Some(task) = self.ready.pop_front() {
            return Next::Do(task);
        }
        // The partition that the others wait for is in the hands of a thread.
        let is_ahead = self.reduced_bytes > self.most_reduced_bytes;
        if self.next_partition < self.partitions && !is_ahead {
            self.next_partition += 1;
            return Next::Do(Task::Reduce(self.next_partition - 1));
        }
        if self.assembled < self.partitions {
            return Next::Wait;
        }
        if !self.flushed {
            self.flushed = true;
            for at in 0..self.cutters.len() {
                let last = self.cutters[at].finish();
                self.share_out(at, last);
            }
            return Next::Changed;
        }
        if self.underway.is_empty() { Next::Done } else { Next::Wait }
    }

    /// Takes a reduced partition. Partitions become row groups in their order, whoever reduced them.
    pub(super) fn assemble(&mut self, partition: usize, reduced: ReducedPartition) -> Result<()> {
        self.reduced_bytes += bytes(&reduced);
        self.reduced.insert(partition, reduced);
        while let Some(mut outcome) = self.reduced.remove(&self.assembled) {
            self.assembled += 1;
            self.reduced_bytes -= bytes(&outcome);
            outcome.continue_from(&mut self.last_key)?;
            self.tally.add(outcome.counts);
            let room = SHOWN - self.conflicts.len();
            self.conflicts.extend(outcome.conflicts.into_iter().take(room));
            for rows in outcome.rows.into_iter().map(Arc::new) {
                for at in 0..self.cutters.len() {
                    let cuts = self.cutters[at].push(&rows)?;
                    self.share_out(at, cuts);
                }
            }
        }
        Ok(())
    }

    /// Makes tasks of what was cut. All threads work at one row group, then at the next: none waits for another
    /// at the last one, and few row groups are in memory.
    fn share_out(&mut self, cutter: usize, cuts: Vec<Cut>) {
        let wanted = self.cutters[cutter].wanted();
        for cut in cuts {
            match cut {
                Cut::Batch(ordinal, batch) => {
                    let key = (wanted, ordinal);
                    let underway = self.underway.entry(key).or_default();
                    self.ready.push_back(Task::Read(key, underway.batches, batch));
                    underway.batches += 1;
                }
                Cut::End(ordinal, rows) => {
                    let key = (wanted, ordinal);
                    self.underway.entry(key).or_default().rows = Some(rows);
                    self.begin_leaves(key);
                }
                Cut::Packed(ordinal, packed) => {
                    let key = (wanted, ordinal);
                    self.underway.entry(key).or_default().rows = Some(packed.rows);
                    let packed = Arc::new(packed);
                    let task = |leaf| Task::WritePacked(key, leaf, Arc::clone(&packed));
                    self.ready.extend((0..self.leaves).map(task));
                }
            }
        }
    }

    /// Keeps the leaves of a batch; with those of the last one they may be written.
    pub(super) fn keep_batch(
        &mut self,
        key: RowGroupKey,
        ordinal: usize,
        leaves: Vec<KeptArray>,
        digest: Digest,
    ) {
        let underway = self.underway.entry(key).or_default();
        underway.digest = underway.digest.wrapping_add(digest.0);
        underway.read.push((ordinal, leaves));
        self.begin_leaves(key);
    }

    /// Makes tasks of the leaves of a row group whose batches are all read, to be done before any other.
    fn begin_leaves(&mut self, key: RowGroupKey) {
        let Some(underway) = self.underway.get_mut(&key) else { return };
        let Some(rows) = underway.rows.filter(|_| underway.read.len() == underway.batches) else {
            return;
        };
        let mut leaves: Vec<Vec<KeptArray>> = Vec::new();
        leaves.resize_with(self.leaves, Vec::new);
        for batch in in_order(std::mem::take(&mut underway.read)) {
            for (leaf, array) in leaves.iter_mut().zip(batch) {
                leaf.push(array);
            }
        }
        for (leaf, arrays) in leaves.into_iter().enumerate().rev() {
            self.ready.push_front(Task::Write(key, leaf, rows, arrays));
        }
    }

    /// Keeps the chunk of a leaf; with the last one the row group is complete.
    pub(super) fn keep_chunk(
        &mut self,
        key: RowGroupKey,
        leaf: usize,
        chunk: ColumnChunk,
    ) -> Option<Complete> {
        let underway = self.underway.get_mut(&key)?;
        underway.chunks.push((leaf, chunk));
        if underway.chunks.len() < self.leaves {
            return None;
        }
        let Underway { rows, digest, chunks, .. } = self.underway.remove(&key)?;
        let chunks = in_order(chunks).collect();
        Some(Complete { chunks, rows: rows.unwrap_or_default(), digest: Digest(digest) })
    }
}

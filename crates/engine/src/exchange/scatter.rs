//! Rows on their way to the partition of their key.
//!
//! Every worker scatters into partitions of its own, so nothing is shared while records are decoded.
//! When its share of the memory is full, a worker reduces what it holds, and spills what is left if
//! that was not enough: so a hot key always collapses, and only distinct keys cost disk.

use std::path::Path;
use std::sync::Arc;

use distil_json::{Dictionary, PackedLayout};
use distil_kernel::reduce::{Policy, reduced};
use distil_kernel::rows::{PackedBuffers, Row, RowBuffers, reduce_repeated_keys};
use distil_kernel::splitters::{Splitters, WordSplitters};
use distil_plan::{Error, Result};
use distil_storage::Storage;

use super::packed_spill::{PackedSegment, spill};
use super::spill::{Segment, SpillWriter};
use crate::budget::Shares;

/// One worker's rows.
pub(crate) struct Exchange<'a> {
    storage: &'a dyn Storage,
    scratch: &'a Path,
    splitters: &'a Splitters,
    policy: Policy,
    shares: Shares,
    worker: usize,
    partitions: Vec<RowBuffers>,
    packing: Option<PackedShard>,
    bytes_held: u64,
    segments: Vec<(usize, Segment)>,
    files: usize,
    spilled: u64,
}

/// One worker's packed rows.
struct PackedShard {
    layout: Arc<PackedLayout>,
    splitters: WordSplitters,
    partitions: Vec<PackedBuffers>,
    segments: Vec<(usize, PackedSegment)>,
    /// Memory of the dictionaries when they were last looked at.
    dictionaries: u64,
}

/// What a worker leaves behind for each partition.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    /// Rows in memory, in no order.
    pub(crate) buffers: Vec<Vec<u8>>,
    /// Sorted runs on disk.
    pub(crate) segments: Vec<Segment>,
    /// Packed rows in memory, in no order.
    pub(crate) packed: Vec<Vec<u64>>,
    /// Packed rows on disk, in no order.
    pub(crate) packed_segments: Vec<PackedSegment>,
}

impl<'a> Exchange<'a> {
    /// An exchange that keeps about as many bytes of rows in memory as `shares` allow.
    pub(crate) fn new(
        storage: &'a dyn Storage,
        scratch: &'a Path,
        splitters: &'a Splitters,
        layout: Option<&Arc<PackedLayout>>,
        policy: Policy,
        shares: Shares,
        worker: usize,
    ) -> Self {
        let mut partitions = Vec::new();
        partitions.resize_with(splitters.partitions(), RowBuffers::default);
        let packing = layout.map(|layout| {
            let mut partitions = Vec::new();
            partitions.resize_with(splitters.partitions(), PackedBuffers::default);
            PackedShard {
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
            shares,
            worker,
            partitions,
            packing,
            bytes_held: 0,
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
        self.bytes_held += self.partitions[partition].push(row);
        if self.bytes_held > self.shares.rows() {
            self.free_memory()?;
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
        self.bytes_held += memory - packing.dictionaries.min(memory);
        packing.dictionaries = memory;
        for row in rows.chunks_exact(packing.layout.words) {
            let partition = packing.splitters.partition(row[0]);
            self.bytes_held += packing.partitions[partition].push(row);
        }
        if self.bytes_held > self.shares.rows() {
            self.free_packed_memory(dictionaries)?;
            self.free_memory()?;
        }
        Ok(())
    }

    /// Reduces packed rows where that pays: the fullest partition tells. A key that is there more
    /// than once goes on as an encoded row, which has counts.
    fn free_packed_memory(&mut self, dictionaries: &[Dictionary]) -> Result<()> {
        let Some(packing) = &mut self.packing else { return Ok(()) };
        let fullest = (0..packing.partitions.len())
            .max_by_key(|at| packing.partitions[*at].words())
            .unwrap_or_default();
        let mut collapse_at = |at: usize| {
            let buffers = &mut packing.partitions[at];
            let before = buffers.words();
            reduce_repeated_keys(&packing.layout, dictionaries, buffers, &mut self.partitions[at]);
            buffers.words() * 2 < before
        };
        if collapse_at(fullest) {
            for at in (0..self.splitters.partitions()).filter(|at| *at != fullest) {
                collapse_at(at);
            }
        }
        Ok(())
    }

    /// Reduces all partitions in place; spills them all if that freed less than half of the memory.
    fn free_memory(&mut self) -> Result<()> {
        for buffers in &mut self.partitions {
            let reduced = reduced(&buffers.full, self.policy)?;
            *buffers = reduced;
        }
        let encoded: u64 = self.partitions.iter().map(RowBuffers::capacity).sum();
        self.bytes_held = encoded + self.packed_memory();
        if self.bytes_held > self.shares.kept() {
            self.spill_packed()?;
            if encoded > self.shares.worth_a_file() {
                self.spill()?;
            }
            self.bytes_held = self.partitions.iter().map(RowBuffers::capacity).sum::<u64>()
                + self.packed_memory();
        }
        Ok(())
    }

    fn packed_memory(&self) -> u64 {
        self.packing.as_ref().map_or(0, |packing| {
            packing.dictionaries
                + packing.partitions.iter().map(PackedBuffers::capacity).sum::<u64>()
        })
    }

    /// Writes all packed rows to a new file.
    fn spill_packed(&mut self) -> Result<()> {
        let Some(packing) = &mut self.packing else { return Ok(()) };
        if packing.partitions.iter().all(|buffers| buffers.words() == 0) {
            return Ok(());
        }
        let path = self.scratch.join(format!("packed-{}-{}", self.worker, self.files));
        self.files += 1;
        let (segments, bytes) = spill(self.storage, &path, &mut packing.partitions)?;
        packing.segments.extend(segments);
        self.spilled += bytes;
        Ok(())
    }

    /// Writes all partitions, which are reduced and in order, to a new file.
    fn spill(&mut self) -> Result<()> {
        let path = self.scratch.join(format!("rows-{}-{}", self.worker, self.files));
        self.files += 1;
        let mut file = SpillWriter::create(self.storage, &path)?;
        for (partition, buffers) in self.partitions.iter_mut().enumerate() {
            file.write(partition, &std::mem::take(buffers).full)?;
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

    /// Ends the exchange: what it holds of each partition, and the bytes spilled. Once any worker spilled
    /// encoded rows, all give theirs `to_disk`: the memory is then free for what comes next, and sorted
    /// runs can be read by key.
    ///
    /// # Errors
    /// As [`Exchange::push`].
    pub(crate) fn finish(mut self, to_disk: bool) -> Result<(Vec<Shard>, u64)> {
        if to_disk {
            for buffers in &mut self.partitions {
                *buffers = reduced(&buffers.full, self.policy)?;
            }
            self.spill()?;
        }
        let held = |buffers: RowBuffers| Shard { buffers: buffers.full, ..Shard::default() };
        let mut all: Vec<Shard> = self.partitions.into_iter().map(held).collect();
        if let Some(packing) = self.packing {
            for (held, buffers) in all.iter_mut().zip(packing.partitions) {
                held.packed = buffers.into_buffers();
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

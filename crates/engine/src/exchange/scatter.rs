//! Rows on their way to the partition of their key.
//!
//! Every worker scatters into partitions of its own, so nothing is shared while records are decoded.
//! When its share of the memory is full, a worker reduces what it holds, and spills what is left if
//! that was not enough: so a hot key always collapses, and only distinct keys cost disk.

use std::path::Path;
use std::sync::Arc;

use distil_json::{Dictionary, PackedLayout};
use distil_kernel::packed_partitions::PackedPartitions;
use distil_kernel::partitioned_rows::PartitionedRows;
use distil_kernel::reduce::Policy;
use distil_kernel::rows::{Row, RowBuffers};
use distil_kernel::splitters::Splitters;
use distil_plan::{Cancel, Error, Result};
use distil_storage::Storage;

use super::packed_spill::{PackedSegment, PackedSpillFile};
use super::spill::{Segment, SpillFile};
use crate::budget::Shares;

/// One worker's rows.
pub(crate) struct Exchange<'a> {
    storage: &'a dyn Storage,
    scratch: &'a Path,
    shares: Shares,
    worker: usize,
    policy: Policy,
    rows: PartitionedRows<'a>,
    /// Bytes of a partition from which on it is reduced, as it may have a hot key.
    worth: Vec<u64>,
    packing: Option<PackedShard>,
    file: Option<SpillFile>,
    cancel: Cancel,
}

/// One worker's packed rows, and the file that they go to where memory is full.
struct PackedShard {
    rows: PackedPartitions,
    file: Option<PackedSpillFile>,
}

/// The rows of one partition that a worker holds at the end, in memory and on disk.
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
        let packing = layout.map(|layout| PackedShard {
            rows: PackedPartitions::new(splitters, layout, shares.hot()),
            file: None,
        });
        Self {
            storage,
            scratch,
            shares,
            worker,
            policy,
            rows: PartitionedRows::new(splitters, policy),
            worth: vec![shares.hot(); splitters.partitions()],
            packing,
            file: None,
            cancel: Cancel::new(),
        }
    }

    /// The same exchange, which reduces, merges and spills no further once `cancel` is set.
    #[must_use]
    pub(crate) fn stopped_by(self, cancel: &Cancel) -> Self {
        Self { rows: self.rows.stopped_by(cancel), cancel: cancel.clone(), ..self }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// An environment error when spilling fails.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        if let Some((partition, held)) = self.rows.push(row)
            && held > self.worth[partition]
            && self.policy == Policy::Keep
        {
            let left = self.rows.reduce_one(partition, self.shares.run())?;
            // A partition without a hot key is looked at again when it has doubled.
            self.worth[partition] = self.worth[partition].max(left * 2);
        }
        if self.bytes() > self.shares.rows() { self.free_memory() } else { Ok(()) }
    }

    /// Takes packed rows, whose codes are of these dictionaries.
    ///
    /// # Errors
    /// As [`Exchange::push`].
    pub(crate) fn push_packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        let Some(packing) = &mut self.packing else {
            return Err(Error::bug("rows are packed without a layout"));
        };
        packing.rows.push(rows, dictionaries, &mut self.rows);
        if self.rows.bytes() + packing.rows.bytes() > self.shares.rows() {
            packing.rows.reduce(dictionaries, &mut self.rows, &self.cancel)?;
            self.free_memory()?;
        }
        Ok(())
    }

    /// Reduces all partitions; spills them all if that freed less than half of the memory.
    fn free_memory(&mut self) -> Result<()> {
        let runs = self.rows.take_runs(self.shares.run())?;
        let left: u64 = runs.iter().flatten().map(RowBuffers::capacity).sum();
        if left + self.bytes() > self.shares.kept() {
            self.spill_packed()?;
            if left > self.shares.worth_a_file() {
                return self.spill(runs);
            }
        }
        for (partition, runs) in runs.into_iter().enumerate() {
            self.rows.put_back(partition, runs);
        }
        Ok(())
    }

    /// Bytes of memory that all rows take.
    fn bytes(&self) -> u64 {
        self.rows.bytes() + self.packing.as_ref().map_or(0, |packing| packing.rows.bytes())
    }

    /// Writes all packed rows to disk.
    fn spill_packed(&mut self) -> Result<()> {
        let Some(packing) = &mut self.packing else { return Ok(()) };
        if packing.rows.is_empty() {
            return Ok(());
        }
        let file = match &mut packing.file {
            Some(file) => file,
            none => {
                let path = self.scratch.join(format!("packed-{}", self.worker));
                none.insert(PackedSpillFile::create(self.storage, path)?)
            }
        };
        packing.rows.take_away(|partitions| file.write(partitions))
    }

    /// Writes the runs of all partitions to disk.
    fn spill(&mut self, runs: Vec<Vec<RowBuffers>>) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let path = self.scratch.join(format!("rows-{}", self.worker));
                let (block, most) = (self.shares.block(), self.shares.run());
                let file = SpillFile::create(self.storage, &path, block, self.policy, most)?;
                none.insert(file.stopped_by(&self.cancel))
            }
        };
        for (partition, runs) in runs.into_iter().enumerate() {
            for run in runs {
                self.cancel.check()?;
                file.write(partition, &run.full)?;
            }
        }
        file.end_spill()
    }

    /// Whether encoded rows went to disk.
    pub(crate) fn has_spilled(&self) -> bool {
        self.file.is_some()
    }

    /// Ends the exchange: what it holds of each partition, and the bytes spilled. Once any worker spilled
    /// encoded rows, all give theirs `to_disk`: the memory is then free for what comes next, and sorted
    /// runs can be read by key.
    ///
    /// # Errors
    /// As [`Exchange::push`].
    pub(crate) fn finish(mut self, to_disk: bool) -> Result<(Vec<Shard>, u64)> {
        if to_disk {
            let runs = self.rows.take_runs(self.shares.run())?;
            self.spill(runs)?;
        }
        let held = |(_, buffers)| Shard { buffers, ..Shard::default() };
        let mut all: Vec<Shard> = self.rows.take().map(held).collect();
        let mut spilled = 0;
        if let Some(packing) = self.packing {
            for (held, buffers) in all.iter_mut().zip(packing.rows.into_buffers()) {
                held.packed = buffers;
            }
            if let Some(file) = packing.file {
                let (segments, bytes) = file.finish(self.storage)?;
                spilled += bytes;
                for (partition, segment) in segments {
                    if let Some(held) = all.get_mut(partition) {
                        held.packed_segments.push(segment);
                    }
                }
            }
        }
        if let Some(file) = self.file {
            let (segments, bytes) = file.finish();
            spilled += bytes;
            for (partition, segment) in segments {
                if let Some(held) = all.get_mut(partition) {
                    held.segments.push(segment);
                }
            }
        }
        Ok((all, spilled))
    }
}

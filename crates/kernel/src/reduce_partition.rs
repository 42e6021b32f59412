//! All rows of one partition to the rows that are written, with what became of the others.

use std::sync::Arc;

use distil_plan::Result;

use crate::reduce::{Policy, Reduced, reduce, sorted};
use crate::row_groups::ReducedRows;
use crate::rows::{
    BUFFER_BYTES, Counts, PackedRows, PackedScratch, PackedTable, Row, RowBuffers, SINGLE,
};

/// Bytes of a row on average up to which survivors are copied to where they follow each other: they are
/// met again when the rows of all partitions went through the cache, which costs two waits for memory a row (a
/// tenth to a fifth of the time to encode).
const SMALL: usize = 1 << 10;
/// Bytes of a partition up to which that is done: one that came out much larger than it was meant to, as
/// where the sample told nothing of the keys, would take its memory twice.
const COPIED: usize = 16 << 20;
/// Buffers that a thread keeps to copy to.
const SPARE: usize = 64;

/// Conflicts that the report shows.
pub const SHOWN: usize = 10;

/// What a partition was reduced to.
pub struct ReducedPartition {
    /// Its rows in order.
    pub rows: Vec<ReducedRows>,
    /// What became of its records.
    pub counts: Tally,
    /// Rows of the first conflicts: the survivor's, and the first that differs.
    pub conflicts: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that are written.
    pub written: u64,
    /// Records equal to a survivor.
    pub identical: u64,
    /// Records that lost to a survivor and differ from it.
    pub conflicting: u64,
}

impl Tally {
    /// Adds what became of the records of another partition.
    pub fn add(&mut self, other: Self) {
        self.written += other.written;
        self.identical += other.identical;
        self.conflicting += other.conflicting;
    }
}

/// Sorts and reduces the rows of a partition, whatever runs they came in. They are copied in order if
/// they are small, else they move into the result; `spare` are empty buffers that are used and given
/// back.
///
/// # Errors
/// A bug if a row can't be read.
pub fn reduce_partition(
    mut buffers: Vec<Vec<u8>>,
    policy: Policy,
    spare: &mut Vec<Vec<u8>>,
) -> Result<ReducedPartition> {
    let order = sorted(&buffers)?;
    let bytes: usize = buffers.iter().map(Vec::len).sum();
    let small = bytes <= (order.len() * SMALL).min(COPIED);
    let mut copies = RowBuffers { spare: std::mem::take(spare), ..RowBuffers::default() };
    let mut in_order = |row: Row<'_>, place| {
        if small { copies.place(&Row { counts: SINGLE, ..row }) } else { place }
    };
    let (mut kept, mut dropped) = (Vec::with_capacity(order.len()), Vec::new());
    let mut counts = Tally::default();
    let mut conflicts: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut survivor = None;
    reduce(&buffers, &order, policy, |reduced| {
        match reduced {
            Reduced::Survivor(row, place) => {
                let Counts { copies, conflicting } = row.counts;
                let times = if policy == Policy::All { copies } else { 1 };
                counts.written += times;
                counts.identical += copies - times;
                counts.conflicting += conflicting;
                let place = in_order(row, place);
                kept.extend((0..times).map(|_| place));
                survivor = Some(row);
            }
            Reduced::Loser(row, place) => {
                // Only the first loser of a key follows its survivor directly.
                if let Some(survivor) = survivor.take()
                    && conflicts.len() < SHOWN
                {
                    conflicts.push((survivor.bytes.to_vec(), row.bytes.to_vec()));
                }
                if policy == Policy::KeepLosers {
                    let place = in_order(row, place);
                    dropped.extend((0..row.counts.copies).map(|_| place));
                }
            }
        }
        Ok(())
    })?;
    *spare = copies.spare;
    if small {
        let room = SPARE.saturating_sub(spare.len());
        let read = std::mem::replace(&mut buffers, copies.full);
        let read = read.into_iter().filter(|buffer| buffer.capacity() == BUFFER_BYTES);
        spare.extend(read.take(room).map(emptied));
    }
    Ok(ReducedPartition {
        rows: vec![ReducedRows::Encoded { buffers, kept, dropped }],
        counts,
        conflicts,
    })
}

fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer
}

/// Sorts and reduces the packed rows that were loaded. Only the policy [`Policy::Keep`] packs rows.
pub fn reduce_packed_partition(
    table: &Arc<PackedTable>,
    scratch: &mut PackedScratch,
) -> ReducedPartition {
    let reduced = scratch.reduce(&table.layout, SHOWN);
    let unpacked = |row: &[u64]| {
        let mut bytes = Vec::new();
        table.unpack(row, &mut bytes);
        bytes
    };
    let conflicts =
        reduced.conflicts.iter().map(|(kept, dropped)| (unpacked(kept), unpacked(dropped)));
    ReducedPartition {
        counts: Tally {
            written: (reduced.rows.words() / table.layout.words) as u64,
            identical: reduced.identical,
            conflicting: reduced.conflicting,
        },
        conflicts: conflicts.collect(),
        rows: reduced
            .rows
            .into_buffers()
            .into_iter()
            .map(|words| ReducedRows::Packed(PackedRows::new(words, Arc::clone(table))))
            .collect(),
    }
}

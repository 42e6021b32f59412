//! All rows of one partition to the rows that are written, with what became of the others.

use std::sync::Arc;

use distil_plan::{Error, Origin, Result};

use crate::reduce::{Policy, Reduced, reduce, sorted};
use crate::row_groups::ReducedRows;
use crate::rows::{
    BUFFER_BYTES, Counts, PackedRows, PackedScratch, PackedTable, Row, RowAt, RowBuffers, SINGLE,
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

/// A row that the report shows, and where it lies, if the plan wants to know.
pub type ShownRow = (Vec<u8>, Option<Origin>);

fn shown(row: &Row<'_>) -> ShownRow {
    (row.bytes.to_vec(), row.origin)
}

/// What a partition was reduced to.
pub struct ReducedPartition {
    /// Its rows in order.
    pub rows: Vec<ReducedRows>,
    /// What became of its records.
    pub counts: Tally,
    /// Rows of the first conflicts: the survivor's, and the first that differs.
    pub conflicts: Vec<(ShownRow, ShownRow)>,
    /// Its first and its last key, where losers are kept: such partitions may be cut within a key.
    edges: Option<(Group, Group)>,
}

/// The rows of a key that lie in one partition.
#[derive(Clone, Debug)]
struct Group {
    key: Vec<u8>,
    /// The first of them; `None` once a row that differs from it was met.
    alone: Option<ShownRow>,
    /// Copies of the first.
    copies: u64,
    /// Where those copies stand, if each says where it lies.
    placed: Vec<RowAt>,
}

/// The last key of all partitions before one, where they may be cut within a key.
#[derive(Debug, Default)]
pub struct LastKey(Option<Group>);

impl ReducedPartition {
    /// Continues where the partition before ended: if its first key is that one's last, its first row lost to a
    /// row there. Only partitions that keep losers are cut like that, as all rows of a key are needed to
    /// know its survivor.
    ///
    /// # Errors
    /// A bug if the rows are not what the reduction made.
    pub fn continue_from(&mut self, last: &mut LastKey) -> Result<()> {
        let Some((first, mut end)) = self.edges.take() else { return Ok(()) };
        let is_one_key = first.key == end.key;
        if let Some(before) = last.0.take().filter(|before| before.key == first.key) {
            let Some(ReducedRows::Encoded { buffers, kept, dropped }) = self.rows.first_mut()
            else {
                return Err(Error::bug("a key has no rows"));
            };
            if kept.is_empty() {
                return Err(Error::bug("a key has no first row"));
            }
            let demoted = kept.remove(0);
            let row = shown(&demoted.row(buffers)?);
            let copies = match first.placed.is_empty() {
                true => vec![demoted; first.copies as usize],
                false => [vec![demoted], first.placed].concat(),
            };
            dropped.splice(0..0, copies);
            self.counts.written -= 1;
            self.counts.identical -= first.copies - 1;
            self.counts.conflicting += first.copies;
            // The pair of this key is that of its survivor and the first row that differs, which may lie here.
            if first.alone.is_none() && !self.conflicts.is_empty() {
                self.conflicts.remove(0);
            }
            if let Some(survivor) = before.alone {
                self.conflicts.insert(0, (survivor, row));
            }
            if is_one_key {
                end.alone = None;
            }
        }
        last.0 = Some(end);
        Ok(())
    }
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
fn reduce_partition(
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
    let mut conflicts: Vec<(ShownRow, ShownRow)> = Vec::new();
    let mut survivor = None;
    let mut edges: Option<(Group, Group)> = None;
    reduce(&buffers, &order, policy, |reduced| {
        match reduced {
            Reduced::Survivor(row, place) => {
                let Counts { copies, conflicting } = row.counts;
                if policy == Policy::KeepLosers {
                    let alone = (conflicting == 0).then(|| shown(&row));
                    let key = row.key().to_vec();
                    let group = Group { key, alone, copies, placed: Vec::new() };
                    match &mut edges {
                        Some((_, last)) => *last = group,
                        none => *none = Some((group.clone(), group)),
                    }
                }
                let times = if policy == Policy::All { copies } else { 1 };
                counts.written += times;
                counts.identical += copies - times;
                counts.conflicting += conflicting;
                let place = in_order(row, place);
                kept.extend((0..times).map(|_| place));
                survivor = Some(row);
            }
            Reduced::Copy(row, place) => {
                // Needed of the first key alone, which may go on from the partition before.
                if let Some((first, _)) = edges.as_mut().filter(|(first, _)| first.key == row.key())
                {
                    first.placed.push(in_order(row, place));
                }
            }
            Reduced::Loser(row, place) => {
                // Only the first loser of a key follows its survivor directly.
                if let Some(survivor) = survivor.take()
                    && conflicts.len() < SHOWN
                {
                    conflicts.push((shown(&survivor), shown(&row)));
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
        edges,
    })
}

fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer
}

/// Memory of a thread that reduces partitions, used again for each.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The packed rows of the partition, loaded.
    pub packed: PackedScratch,
    /// Empty buffers for encoded rows.
    spare: Vec<Vec<u8>>,
}

/// Sorts and reduces all rows of a partition: those of `buffers`, and the packed ones that were loaded by `table`.
/// Where all are packed and can be written so, they stay it.
///
/// # Errors
/// A bug if a row can't be read.
pub fn reduce_all(
    mut buffers: Vec<Vec<u8>>,
    table: Option<&Arc<PackedTable>>,
    policy: Policy,
    scratch: &mut Scratch,
) -> Result<ReducedPartition> {
    if let Some(table) = table {
        if table.writable && buffers.is_empty() {
            return Ok(reduce_packed_partition(table, &mut scratch.packed));
        }
        buffers.extend(table.unpack_all(scratch.packed.rows()));
    }
    // The rows in memory move into the result; they are copied in order if they are small.
    reduce_partition(buffers, policy, &mut scratch.spare)
}

/// Sorts and reduces the packed rows that were loaded. Only the policy [`Policy::Keep`] packs rows.
fn reduce_packed_partition(
    table: &Arc<PackedTable>,
    scratch: &mut PackedScratch,
) -> ReducedPartition {
    let reduced = scratch.reduce(&table.layout, SHOWN);
    let unpacked = |row: &[u64]| {
        let mut bytes = Vec::new();
        table.unpack(row, &mut bytes);
        (bytes, None)
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
        edges: None,
        rows: reduced
            .rows
            .into_buffers()
            .into_iter()
            .map(|words| ReducedRows::Packed(PackedRows::new(words, Arc::clone(table))))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    /// The rows of some partitions, in order: kept, dropped, what became of them, conflicts.
    type Found = (Vec<Vec<u8>>, Vec<Vec<u8>>, Tally, Vec<(ShownRow, ShownRow)>);

    fn reduced(partitions: &[&[(Vec<u8>, u64)]]) -> Found {
        let mut found = Found::default();
        let mut last = LastKey::default();
        for rows in partitions {
            let mut buffers = RowBuffers::default();
            for (bytes, copies) in *rows {
                let counts = Counts { copies: *copies, conflicting: 0 };
                buffers.push(&Row { bytes, key_length: 1, value_bytes: 0, counts, origin: None });
            }
            let policy = Policy::KeepLosers;
            let mut reduced = reduce_partition(buffers.full, policy, &mut Vec::new()).unwrap();
            reduced.continue_from(&mut last).unwrap();
            found.2.add(reduced.counts);
            found.3.extend(reduced.conflicts);
            for rows in &reduced.rows {
                let ReducedRows::Encoded { buffers, kept, dropped } = rows else { continue };
                let bytes = |at: &RowAt| at.row(buffers).unwrap().bytes.to_vec();
                found.0.extend(kept.iter().map(bytes));
                found.1.extend(dropped.iter().map(bytes));
            }
        }
        found.3.truncate(SHOWN);
        found
    }

    proptest! {
        /// A key may lie in many partitions, as long as equal rows lie in one.
        #[test]
        fn partitions_cut_within_keys_equal_one(
            rows in prop::collection::vec((0u8..3, 0u8..5, 1u64..4), 0..40),
            cuts in prop::collection::vec((0u8..3, 0u8..5), 0..12),
        ) {
            let mut rows: Vec<(Vec<u8>, u64)> =
                rows.into_iter().map(|(key, rest, copies)| (vec![key, rest], copies)).collect();
            rows.sort();
            let mut cuts: Vec<usize> = cuts
                .into_iter()
                .map(|(key, rest)| rows.partition_point(|(row, _)| row.as_slice() < &[key, rest][..]))
                .chain([0, rows.len()])
                .collect();
            cuts.sort_unstable();
            let pieces: Vec<&[(Vec<u8>, u64)]> =
                cuts.windows(2).map(|pair| &rows[pair[0]..pair[1]]).collect();
            prop_assert_eq!(reduced(&pieces), reduced(&[&rows]));
        }
    }
}

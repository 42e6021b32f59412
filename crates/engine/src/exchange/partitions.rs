//! Partitions after the exchange: what is to be sorted and reduced at once.

use std::sync::{Arc, Mutex, PoisonError};

use distil_json::PackedLayout;
use distil_kernel::reduce::Policy;
use distil_kernel::reduce_partition::{ReducedPartition, Scratch, reduce_all};
use distil_kernel::rows::{PackedBuffers, PackedScratch, PackedTable, RowBuffers, places};
use distil_plan::{Cancel, Result};

use super::packed_spill::PackedSegment;
use super::scatter::Shard;
use super::spill::{Segment, bound, cuts};

/// Marks of rows in memory for each piece that a partition is split into.
const MARKS: u64 = 64;

/// A partition, or a piece of one.
#[derive(Default)]
pub(crate) struct Partition {
    /// Rows are taken when it is reduced.
    buffers: Mutex<Vec<Vec<u8>>>,
    /// The runs of the whole partition, which its pieces share.
    segments: Arc<Vec<Segment>>,
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
    /// Packed rows of each worker, taken likewise.
    packed: Mutex<Vec<(usize, Vec<Vec<u64>>)>>,
    packed_segments: Arc<Vec<(usize, PackedSegment)>>,
    low_word: Option<u64>,
    high_word: Option<u64>,
}

/// The partitions in order, from what each worker held of them. One of more than `most` bytes is split
/// by its own rows, which may have to be read for it.
///
/// # Errors
/// That the run is asked to stop.
pub(crate) fn partitions(
    held: Vec<Vec<Shard>>,
    policy: Policy,
    layout: Option<&PackedLayout>,
    most: u64,
    cancel: &Cancel,
) -> Result<Vec<Partition>> {
    let count = held.iter().map(Vec::len).max().unwrap_or_default();
    let mut merged: Vec<Merged> = Vec::new();
    merged.resize_with(count, Merged::default);
    for (worker, held) in held.into_iter().enumerate() {
        for (whole, part) in merged.iter_mut().zip(held) {
            whole.buffers.extend(part.buffers);
            whole.segments.extend(part.segments);
            if !part.packed.is_empty() {
                whole.packed.push((worker, part.packed));
            }
            let segments = part.packed_segments.into_iter().map(|segment| (worker, segment));
            whole.packed_segments.extend(segments);
        }
    }
    let whole = |merged: Merged| Partition {
        buffers: Mutex::new(merged.buffers),
        segments: Arc::new(merged.segments),
        packed: Mutex::new(merged.packed),
        packed_segments: Arc::new(merged.packed_segments),
        ..Partition::default()
    };
    let mut partitions = Vec::new();
    for merged in merged {
        cancel.check()?;
        partitions.extend(whole(merged).split(policy, layout, most, cancel)?);
    }
    Ok(partitions)
}

/// What all workers held of a partition.
#[derive(Default)]
struct Merged {
    buffers: Vec<Vec<u8>>,
    segments: Vec<Segment>,
    packed: Vec<(usize, Vec<Vec<u64>>)>,
    packed_segments: Vec<(usize, PackedSegment)>,
}

fn unlocked<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn taken<T: Default>(mutex: &Mutex<T>) -> T {
    std::mem::take(&mut *mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Partition {
    /// Pieces of the partition: a piece has the rows in memory that are its own, and reads its part of the
    /// segments.
    fn split(
        mut self,
        policy: Policy,
        layout: Option<&PackedLayout>,
        most: u64,
        cancel: &Cancel,
    ) -> Result<Vec<Self>> {
        let most = most.max(1);
        let on_disk: u64 = self.segments.iter().map(Segment::bytes).sum();
        let in_memory: usize = unlocked(&mut self.buffers).iter().map(Vec::len).sum();
        let packed_words = self.packed_words();
        let pieces = (on_disk + in_memory as u64 + packed_words * 8).div_ceil(most) as usize;
        if pieces < 2 {
            return Ok(vec![self]);
        }
        let marks: Vec<Vec<u8>> = match layout {
            // Packed rows are told apart by their first word.
            Some(layout) if packed_words * 8 > on_disk + in_memory as u64 => {
                let words = self.sample_words(layout, cancel)?;
                words.iter().map(|word| layout.first_key(*word)).collect()
            }
            // Marks are evenly spaced, so equal shares of them are equal shares of rows.
            _ => {
                let rows = places(unlocked(&mut self.buffers));
                let mut next = 0;
                let apart = (most / MARKS).max(1);
                let in_memory = rows.filter_map(|(_, row)| {
                    next += row.stored_length() as u64;
                    (next >= apart).then(|| {
                        next = 0;
                        bound(&row, policy)
                    })
                });
                let marks = self.segments.iter().flat_map(Segment::marks).chain(in_memory);
                let first =
                    |mark| if packed_words > 0 { PackedLayout::first_part(mark) } else { mark };
                marks.map(|mark| first(mark).to_vec()).collect()
            }
        };
        let mut bounds = cuts(marks, pieces);
        let mut words = Vec::new();
        if packed_words > 0
            && let Some(layout) = layout
        {
            bounds.retain(|key| layout.first_word(key).is_some());
            words = bounds.iter().filter_map(|key| layout.first_word(key)).collect();
        }
        let mut split: Vec<Self> = (0..=bounds.len())
            .map(|at| Self {
                segments: Arc::clone(&self.segments),
                low: at.checked_sub(1).map(|below| bounds[below].clone()),
                high: bounds.get(at).cloned(),
                packed_segments: Arc::clone(&self.packed_segments),
                low_word: at.checked_sub(1).and_then(|below| words.get(below).copied()),
                high_word: words.get(at).copied(),
                ..Self::default()
            })
            .collect();
        let mut pieces: Vec<RowBuffers> = Vec::new();
        pieces.resize_with(split.len(), RowBuffers::default);
        for buffer in std::mem::take(unlocked(&mut self.buffers)) {
            for (_, row) in places(&[buffer]) {
                let at = bounds.partition_point(|bound| bound.as_slice() <= row.bytes);
                pieces[at].push(&row);
            }
        }
        for (part, piece) in split.iter_mut().zip(pieces) {
            *unlocked(&mut part.buffers) = piece.full;
        }
        if let Some(layout) = layout {
            for (worker, buffers) in std::mem::take(unlocked(&mut self.packed)) {
                let mut pieces: Vec<PackedBuffers> = Vec::new();
                pieces.resize_with(split.len(), PackedBuffers::default);
                for buffer in buffers {
                    for row in buffer.chunks_exact(layout.words) {
                        pieces[words.partition_point(|bound| *bound <= row[0])].push(row);
                    }
                }
                for (part, piece) in split.iter_mut().zip(pieces) {
                    unlocked(&mut part.packed).push((worker, piece.into_buffers()));
                }
            }
        }
        Ok(split)
    }

    fn packed_words(&mut self) -> u64 {
        let in_memory =
            unlocked(&mut self.packed).iter().flat_map(|(_, buffers)| buffers).map(Vec::len);
        let on_disk = self.packed_segments.iter().map(|(_, segment)| segment.words);
        in_memory.chain(on_disk).sum::<usize>() as u64
    }

    /// First words of rows from all over the partition in memory, or from its first segment.
    fn sample_words(&mut self, layout: &PackedLayout, cancel: &Cancel) -> Result<Vec<u64>> {
        let mut words = Vec::new();
        for (_, buffers) in unlocked(&mut self.packed) {
            words
                .extend(buffers.iter().flat_map(|buffer| buffer.iter().step_by(layout.words * 16)));
        }
        for (_, segment) in self.packed_segments.iter() {
            cancel.check()?;
            let mut rows = Vec::new();
            // A segment that can't be read fails the run when its rows are wanted.
            if segment.read(&mut rows).is_ok() {
                words.extend(rows.iter().step_by(layout.words * 16));
            }
        }
        Ok(words)
    }

    /// Sorts and reduces the partition.
    ///
    /// # Errors
    /// An environment error when a spilled run can't be read; that the run is asked to stop.
    pub(crate) fn reduce(
        &self,
        policy: Policy,
        table: Option<&Arc<PackedTable>>,
        scratch: &mut Scratch,
        cancel: &Cancel,
    ) -> Result<ReducedPartition> {
        scratch.packed.clear();
        if let Some(table) = table {
            self.load(table, &mut scratch.packed, cancel)?;
        }
        let mut buffers = taken(&self.buffers);
        for segment in self.segments.iter() {
            cancel.check()?;
            let buffer = segment.read(self.low.as_deref(), self.high.as_deref())?;
            if !buffer.is_empty() {
                buffers.push(buffer);
            }
        }
        reduce_all(buffers, table, policy, scratch)
    }

    /// Reads the packed rows of the partition.
    fn load(
        &self,
        table: &Arc<PackedTable>,
        scratch: &mut PackedScratch,
        cancel: &Cancel,
    ) -> Result<()> {
        let within = |word: u64| {
            self.low_word.is_none_or(|low| word >= low)
                && self.high_word.is_none_or(|high| word < high)
        };
        for (worker, buffers) in taken(&self.packed) {
            for buffer in buffers {
                scratch.empty(table, worker, buffer);
            }
        }
        let mut rows = Vec::new();
        for (worker, segment) in self.packed_segments.iter() {
            cancel.check()?;
            rows.clear();
            segment.read(&mut rows)?;
            scratch.load(table, *worker, &rows, within);
        }
        Ok(())
    }
}

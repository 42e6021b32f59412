//! Key ranges after the exchange: what is to be sorted and reduced at once.

use std::sync::{Mutex, PoisonError};

use distil_json::PackedLayout;
use distil_plan::Result;

use crate::dedup::{Policy, Reduced, reduce, sorted};
use crate::exchange::Held;
use crate::groups::Batch;
use crate::packed::{PackedChunks, PackedScratch, PackedSegment, Packing, unpack_all};
use crate::rows::{CHUNK, Chunks, Counts, Row, SINGLE, places};
use crate::spill::Segment;

/// Bytes of a row on average up to which survivors are copied to where they follow each other: they are
/// met again when the rows of all ranges went through the cache, which costs two waits for memory a row (a
/// tenth to a fifth of the time to encode).
const SMALL: usize = 1 << 10;
/// Bytes of a range up to which that is done: a range that came out much larger than it was meant to, as
/// where the sample told nothing of the keys, would take its memory twice.
const COPIED: usize = 16 << 20;
/// Chunks that a thread keeps to copy to.
const SPARE: usize = 64;

/// Conflicts that the report shows.
pub(crate) const SHOWN: usize = 10;

/// A key range, or a piece of one.
#[derive(Default)]
pub(crate) struct Range {
    /// Chunks are taken when the range is reduced.
    chunks: Mutex<Vec<Vec<u8>>>,
    segments: Vec<Segment>,
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
    /// Packed rows of each worker, taken likewise.
    packed: Mutex<Vec<(usize, Vec<Vec<u64>>)>>,
    packed_segments: Vec<(usize, PackedSegment)>,
    low_word: Option<u64>,
    high_word: Option<u64>,
}

/// Memory of a thread that reduces ranges, used again for each.
#[derive(Default)]
pub(crate) struct Scratch {
    packed: PackedScratch,
    /// Empty chunks for encoded rows.
    spare: Vec<Vec<u8>>,
}

/// What a range was reduced to.
pub(crate) struct Outcome {
    /// Its rows in order.
    pub(crate) batches: Vec<Batch>,
    pub(crate) counts: Tally,
    /// Rows of the first conflicts: the survivor's, and the first that differs.
    pub(crate) conflicts: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) written: u64,
    pub(crate) identical: u64,
    pub(crate) conflicting: u64,
}

/// The ranges in order, from what each worker held of them. A range of more than `most` bytes is split
/// by the keys of its own rows.
pub(crate) fn ranges(held: Vec<Vec<Held>>, layout: Option<&PackedLayout>, most: u64) -> Vec<Range> {
    let count = held.iter().map(Vec::len).max().unwrap_or_default();
    let mut merged: Vec<Range> = Vec::new();
    merged.resize_with(count, Range::default);
    for (worker, held) in held.into_iter().enumerate() {
        for (whole, part) in merged.iter_mut().zip(held) {
            unlocked(&mut whole.chunks).extend(part.chunks);
            whole.segments.extend(part.segments);
            if !part.packed.is_empty() {
                unlocked(&mut whole.packed).push((worker, part.packed));
            }
            whole
                .packed_segments
                .extend(part.packed_segments.into_iter().map(|segment| (worker, segment)));
        }
    }
    merged.into_iter().flat_map(|range| range.split(layout, most)).collect()
}

fn unlocked<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn taken<T: Default>(mutex: &Mutex<T>) -> T {
    std::mem::take(&mut *mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Range {
    /// Pieces of the range: a piece has the rows in memory that are its own, and reads its part of the
    /// segments. Runs of encoded rows in memory are never split, as they are only kept while they
    /// are few.
    fn split(mut self, layout: Option<&PackedLayout>, most: u64) -> Vec<Self> {
        let most = most.max(1);
        let on_disk: u64 = self.segments.iter().map(Segment::bytes).sum();
        let packed_words = self.packed_words();
        let pieces = (on_disk + packed_words * 8).div_ceil(most) as usize;
        if pieces < 2 || !unlocked(&mut self.chunks).is_empty() && packed_words == 0 {
            return vec![self];
        }
        let mut bounds: Vec<Vec<u8>> = match layout {
            // Packed rows are told apart by their first word.
            Some(layout) if packed_words * 8 > on_disk => {
                self.sample_words(layout).iter().map(|word| layout.first_key(*word)).collect()
            }
            // The marks of the runs are evenly spaced, so equal shares of them are equal shares of
            // rows.
            _ => self
                .segments
                .iter()
                .flat_map(Segment::mark_keys)
                .map(|key| {
                    if packed_words > 0 { PackedLayout::first_part(key) } else { key }.to_vec()
                })
                .collect(),
        };
        bounds.sort_unstable();
        bounds =
            (1..pieces).filter_map(|at| bounds.get(at * bounds.len() / pieces)).cloned().collect();
        bounds.dedup();
        let mut words = Vec::new();
        if packed_words > 0
            && let Some(layout) = layout
        {
            bounds.retain(|key| layout.first_word(key).is_some());
            words = bounds.iter().filter_map(|key| layout.first_word(key)).collect();
        }
        let mut split: Vec<Self> = (0..=bounds.len())
            .map(|at| Self {
                segments: self.segments.clone(),
                low: at.checked_sub(1).map(|below| bounds[below].clone()),
                high: bounds.get(at).cloned(),
                packed_segments: self.packed_segments.clone(),
                low_word: at.checked_sub(1).and_then(|below| words.get(below).copied()),
                high_word: words.get(at).copied(),
                ..Self::default()
            })
            .collect();
        for (_, row) in places(unlocked(&mut self.chunks)) {
            let at = bounds.partition_point(|bound| bound.as_slice() <= row.key());
            let chunks = unlocked(&mut split[at].chunks);
            let mut open = Chunks { full: std::mem::take(chunks), ..Chunks::default() };
            open.push(&row);
            *chunks = open.full;
        }
        if let Some(layout) = layout {
            for (worker, chunks) in std::mem::take(unlocked(&mut self.packed)) {
                let mut pieces: Vec<PackedChunks> = Vec::new();
                pieces.resize_with(split.len(), PackedChunks::default);
                for chunk in chunks {
                    for row in chunk.chunks_exact(layout.words) {
                        pieces[words.partition_point(|bound| *bound <= row[0])].push(row);
                    }
                }
                for (range, piece) in split.iter_mut().zip(pieces) {
                    unlocked(&mut range.packed).push((worker, piece.into_chunks()));
                }
            }
        }
        split
    }

    fn packed_words(&mut self) -> u64 {
        let in_memory =
            unlocked(&mut self.packed).iter().flat_map(|(_, chunks)| chunks).map(Vec::len);
        let on_disk = self.packed_segments.iter().map(|(_, segment)| segment.words);
        in_memory.chain(on_disk).sum::<usize>() as u64
    }

    /// First words of rows from all over the range in memory, or from its first segment.
    fn sample_words(&mut self, layout: &PackedLayout) -> Vec<u64> {
        let mut words = Vec::new();
        for (_, chunks) in unlocked(&mut self.packed) {
            words.extend(chunks.iter().flat_map(|chunk| chunk.iter().step_by(layout.words * 16)));
        }
        for (_, segment) in &self.packed_segments {
            let mut rows = Vec::new();
            // A segment that can't be read fails the run when its rows are wanted.
            if segment.read(&mut rows).is_ok() {
                words.extend(rows.iter().step_by(layout.words * 16));
            }
        }
        words
    }

    /// Sorts and reduces the range.
    ///
    /// # Errors
    /// An environment error when a spilled run can't be read.
    pub(crate) fn reduce(
        &self,
        policy: Policy,
        packing: Option<&Packing>,
        scratch: &mut Scratch,
    ) -> Result<Outcome> {
        scratch.packed.clear();
        if let Some(packing) = packing {
            self.load(packing, &mut scratch.packed)?;
        }
        let chunks = taken(&self.chunks);
        match packing {
            Some(packing) if packing.stays && chunks.is_empty() && self.segments.is_empty() => {
                Ok(packed_outcome(packing, &mut scratch.packed))
            }
            _ => self.reduce_encoded(policy, packing, scratch, chunks),
        }
    }

    /// Reads the packed rows of the range.
    fn load(&self, packing: &Packing, scratch: &mut PackedScratch) -> Result<()> {
        let within = |word: u64| {
            self.low_word.is_none_or(|low| word >= low)
                && self.high_word.is_none_or(|high| word < high)
        };
        for (worker, chunks) in taken(&self.packed) {
            for chunk in chunks {
                scratch.empty(packing, worker, chunk);
            }
        }
        let mut rows = Vec::new();
        for (worker, segment) in &self.packed_segments {
            rows.clear();
            segment.read(&mut rows)?;
            scratch.load(packing, *worker, &rows, within);
        }
        Ok(())
    }

    /// The rows in memory move into the result; they are copied in order if they are small.
    fn reduce_encoded(
        &self,
        policy: Policy,
        packing: Option<&Packing>,
        scratch: &mut Scratch,
        mut chunks: Vec<Vec<u8>>,
    ) -> Result<Outcome> {
        for segment in &self.segments {
            let chunk = segment.read(self.low.as_deref(), self.high.as_deref())?;
            if !chunk.is_empty() {
                chunks.push(chunk);
            }
        }
        if let Some(packing) = packing {
            chunks.extend(unpack_all(packing, scratch.packed.rows()));
        }
        let order = sorted(&chunks)?;
        let bytes: usize = chunks.iter().map(Vec::len).sum();
        let small = bytes <= (order.len() * SMALL).min(COPIED);
        let mut copies = Chunks { spare: std::mem::take(&mut scratch.spare), ..Chunks::default() };
        let mut in_order = |row: Row<'_>, place| {
            if small { copies.place(&Row { counts: SINGLE, ..row }) } else { place }
        };
        let mut rows = [Vec::with_capacity(order.len()), Vec::new()];
        let mut counts = Tally::default();
        let mut conflicts: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut survivor = None;
        reduce(&chunks, &order, policy, |reduced| {
            match reduced {
                Reduced::Survivor(row, place) => {
                    let Counts { copies, conflicting } = row.counts;
                    let times = if policy == Policy::All { copies } else { 1 };
                    counts.written += times;
                    counts.identical += copies - times;
                    counts.conflicting += conflicting;
                    let place = in_order(row, place);
                    rows[0].extend((0..times).map(|_| place));
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
                        rows[1].extend((0..row.counts.copies).map(|_| place));
                    }
                }
            }
            Ok(())
        })?;
        scratch.spare = copies.spare;
        if small {
            let room = SPARE.saturating_sub(scratch.spare.len());
            let read = std::mem::replace(&mut chunks, copies.full);
            let read = read.into_iter().filter(|chunk| chunk.capacity() == CHUNK);
            scratch.spare.extend(read.take(room).map(emptied));
        }
        Ok(Outcome { batches: vec![Batch::Encoded { chunks, rows }], counts, conflicts })
    }
}

fn emptied(mut chunk: Vec<u8>) -> Vec<u8> {
    chunk.clear();
    chunk
}

fn packed_outcome(packing: &Packing, scratch: &mut PackedScratch) -> Outcome {
    let reduced = scratch.reduce(&packing.layout, SHOWN);
    let unpacked = |row: &[u64]| {
        let mut bytes = Vec::new();
        packing.unpack(row, &mut bytes);
        bytes
    };
    let conflicts =
        reduced.conflicts.iter().map(|(kept, dropped)| (unpacked(kept), unpacked(dropped)));
    Outcome {
        counts: Tally {
            written: (reduced.rows.words() / packing.layout.words) as u64,
            identical: reduced.identical,
            conflicting: reduced.conflicting,
        },
        conflicts: conflicts.collect(),
        batches: reduced.rows.into_chunks().into_iter().map(Batch::Packed).collect(),
    }
}

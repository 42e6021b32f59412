//! Key ranges after the exchange: what is to be sorted and reduced at once.

use std::sync::{Mutex, PoisonError};

use distil_plan::Result;

use crate::dedup::{Policy, Reduced, reduce, sorted};
use crate::encode::Batch;
use crate::exchange::Held;
use crate::rows::Counts;
use crate::spill::Segment;

/// Conflicts that the report shows.
pub(crate) const SHOWN: usize = 10;

/// A key range, or a piece of one.
pub(crate) struct Range {
    /// Chunks are taken when the range is reduced.
    chunks: Mutex<Vec<Vec<u8>>>,
    segments: Vec<Segment>,
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
}

/// What a range was reduced to.
pub(crate) struct Outcome {
    pub(crate) batch: Batch,
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

/// The ranges in order, from what each worker held of them. A range that is larger on disk than
/// `most` bytes is split by the keys of its own rows.
pub(crate) fn ranges(held: Vec<Vec<Held>>, most: u64) -> Vec<Range> {
    let mut merged: Vec<Held> = Vec::new();
    for worker in held {
        merged.resize_with(worker.len().max(merged.len()), Held::default);
        for (whole, part) in merged.iter_mut().zip(worker) {
            whole.chunks.extend(part.chunks);
            whole.segments.extend(part.segments);
        }
    }
    merged.into_iter().flat_map(|held| split(held, most)).collect()
}

/// Rows in memory are in no order and can't be read by key: a range has either those or segments.
fn split(held: Held, most: u64) -> Vec<Range> {
    let bytes: u64 = held.segments.iter().map(Segment::bytes).sum();
    let pieces = bytes.div_ceil(most.max(1)) as usize;
    let mut bounds: Vec<Vec<u8>> = Vec::new();
    if pieces > 1 {
        // The marks of the runs are evenly spaced, so equal shares of them are equal shares of rows.
        let mut marks: Vec<&[u8]> = held.segments.iter().flat_map(Segment::mark_keys).collect();
        marks.sort_unstable();
        bounds = (1..pieces).map(|at| marks[at * marks.len() / pieces].to_vec()).collect();
        bounds.dedup();
    }
    let mut chunks = held.chunks;
    let mut pieces: Vec<Range> = Vec::new();
    for at in 0..=bounds.len() {
        pieces.push(Range {
            chunks: Mutex::new(std::mem::take(&mut chunks)),
            segments: held.segments.clone(),
            low: at.checked_sub(1).map(|below| bounds[below].clone()),
            high: bounds.get(at).cloned(),
        });
    }
    pieces
}

impl Range {
    /// Sorts and reduces the range. The rows in memory move into the result.
    ///
    /// # Errors
    /// An environment error when a spilled run can't be read.
    pub(crate) fn reduce(&self, policy: Policy) -> Result<Outcome> {
        let mut chunks =
            std::mem::take(&mut *self.chunks.lock().unwrap_or_else(PoisonError::into_inner));
        for segment in &self.segments {
            let chunk = segment.read(self.low.as_deref(), self.high.as_deref())?;
            if !chunk.is_empty() {
                chunks.push(chunk);
            }
        }
        let order = sorted(&chunks)?;
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
                        rows[1].extend((0..row.counts.copies).map(|_| place));
                    }
                }
            }
            Ok(())
        })?;
        Ok(Outcome { batch: Batch { chunks, rows }, counts, conflicts })
    }
}

//! The text that is decoded, and where it stands in the input.

use distil_plan::{BadPart, Reason};

use super::FrameSlice;
use crate::rewrite::Placed;
use crate::rows::record::Bad;

/// Text of records, and where it stands in the input.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) input: usize,
    /// Offset of the slice.
    pub(super) offset: u64,
    /// The slice.
    pub(super) source: &'a [u8],
    pub(super) bytes: &'a [u8],
    /// Where `bytes` come from, if they are not the slice: places in order, and what was added to all of them.
    pub(super) placed: Option<(&'a [Placed], &'a [u8])>,
}

impl<'a> Text<'a> {
    pub(super) fn of(slice: &FrameSlice<'a>) -> Self {
        let FrameSlice { input, offset, bytes, .. } = *slice;
        Self { input, offset, source: bytes, bytes, placed: None }
    }

    /// The frame that holds a byte, if the text is not the slice.
    pub(super) fn placed(&self, at: usize) -> Option<Placed> {
        let (places, _) = self.placed?;
        let next = places.partition_point(|placed| placed.start <= at);
        places.get(next.saturating_sub(1)).copied()
    }

    /// The offset in the input of a byte.
    pub(super) fn offset_of(&self, at: usize) -> u64 {
        self.offset + self.placed(at).map_or(at, |placed| placed.source_of(at)) as u64
    }

    /// What a frame got added.
    pub(super) fn added_to(&self, placed: &Placed) -> &'a [u8] {
        self.placed.map_or(&[], |(_, added)| &added[placed.added.0..placed.added.1])
    }

    /// The range in the slice of a frame.
    pub(super) fn source_of(&self, start: usize, end: usize) -> (usize, usize) {
        self.placed(start).map_or((start, end), |placed| placed.source)
    }

    pub(super) fn bad_part(&self, start: usize, end: usize, bad: Bad) -> BadPart {
        let at = bad.at.map(|at| self.offset_of(at));
        // A record that is too long may not have come this far.
        let placed = self.placed(start).filter(|_| bad.reason != Reason::TooLarge);
        let added = placed.map_or_else(Vec::new, |placed| self.added_to(&placed).to_vec());
        let (start, end) = self.source_of(start, end);
        let length = (end - start) as u64;
        BadPart {
            input: self.input,
            offset: self.offset + start as u64,
            length,
            reason: bad.reason,
            detail: bad.detail,
            at,
            added,
            raw: (length <= BadPart::MAX_RAW && bad.reason != Reason::TooLarge)
                .then(|| self.source[start..end].to_vec()),
        }
    }
}

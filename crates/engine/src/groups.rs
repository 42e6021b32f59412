//! Reduced ranges to row groups.
//!
//! What a row group holds is a function of the rows alone: it is cut by counting rows and bytes of
//! values from its first row, whatever the ranges and threads were.

use std::sync::Arc;

use distil_plan::{Error, Result};

use crate::packed::Packing;
use crate::rows::RowAt;

/// Bytes of values after which a row group is cut.
pub(crate) const ROW_GROUP_BYTES: u64 = 128 << 20;

/// Rows of one key range, or a part of them, reduced and in order.
#[derive(Debug)]
pub(crate) enum Batch {
    /// Encoded rows.
    Encoded {
        chunks: Vec<Vec<u8>>,
        /// Survivors, and losers that are wanted; a row stands here as often as it is written.
        rows: [Vec<RowAt>; 2],
    },
    /// Packed rows with ranks, survivors all.
    Packed(Vec<u64>),
}

impl Batch {
    /// How many rows it has for a lane.
    fn rows(&self, lane: usize, packing: Option<&Packing>) -> Result<usize> {
        match (self, packing) {
            (Self::Encoded { rows, .. }, _) => Ok(rows[lane].len()),
            (Self::Packed(rows), Some(packing)) if lane == 0 => {
                Ok(rows.len() / packing.layout.words)
            }
            (Self::Packed(_), Some(_)) => Ok(0),
            (Self::Packed(_), None) => Err(unknown()),
        }
    }

    fn value_bytes(&self, lane: usize, at: usize, packing: Option<&Packing>) -> Result<u32> {
        match (self, packing) {
            (Self::Encoded { chunks, rows }, _) => Ok(rows[lane][at].row(chunks)?.value_bytes),
            (Self::Packed(rows), Some(packing)) => {
                let words = packing.layout.words;
                Ok(packing.value_bytes(&rows[at * words..][..words]))
            }
            (Self::Packed(_), None) => Err(unknown()),
        }
    }
}

fn unknown() -> Error {
    Error::bug("packed without a layout")
}

/// Rows of one row group: stretches of batches.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) stretches: Vec<(Arc<Batch>, usize, usize)>,
    pub(crate) rows: u64,
    /// Bytes of the values, or more.
    bytes: u64,
    /// Whether all of them were counted.
    counted: bool,
}

/// Cuts rows into groups. One lane is the output, another the losers.
#[derive(Debug)]
pub(crate) struct Lane {
    which: usize,
    most_rows: u64,
    most_bytes: u64,
    open: Group,
    cut: usize,
}

impl Lane {
    /// A lane of groups that are cut by the row that reaches one of the limits.
    pub(crate) fn new(which: usize, most_rows: u64, most_bytes: u64) -> Self {
        Self { which, most_rows, most_bytes, open: Group::default(), cut: 0 }
    }

    /// Takes the next batch; returns the groups that are full.
    ///
    /// # Errors
    /// A bug if rows are not where they were put.
    pub(crate) fn push(
        &mut self,
        batch: &Arc<Batch>,
        packing: Option<&Packing>,
    ) -> Result<Vec<(usize, Group)>> {
        let rows = batch.rows(self.which, packing)?;
        // Other threads wait meanwhile: bytes are counted row by row only where they may decide.
        if let (Batch::Packed(_), Some(packing)) = (batch.as_ref(), packing)
            && !self.open.counted
        {
            let most = packing.most_value_bytes;
            if self.open.bytes + rows as u64 * u64::from(most) < self.most_bytes {
                return self.cut(batch, rows, |_| Ok(most));
            }
        }
        if !self.open.counted {
            self.open.counted = true;
            self.open.bytes = 0;
            for (batch, begin, end) in &self.open.stretches {
                for at in *begin..*end {
                    let bytes = batch.value_bytes(self.which, at, packing)?;
                    self.open.bytes += u64::from(bytes);
                }
            }
        }
        let which = self.which;
        self.cut(batch, rows, |at| batch.value_bytes(which, at, packing))
    }

    fn cut(
        &mut self,
        batch: &Arc<Batch>,
        rows: usize,
        bytes: impl Fn(usize) -> Result<u32>,
    ) -> Result<Vec<(usize, Group)>> {
        let mut groups = Vec::new();
        let mut begin = 0;
        for at in 0..rows {
            self.open.bytes += u64::from(bytes(at)?);
            self.open.rows += 1;
            if self.open.rows >= self.most_rows || self.open.bytes >= self.most_bytes {
                self.open.stretches.push((Arc::clone(batch), begin, at + 1));
                begin = at + 1;
                groups.extend(self.finish());
            }
        }
        if begin < rows {
            self.open.stretches.push((Arc::clone(batch), begin, rows));
        }
        Ok(groups)
    }

    /// The last group, if there are rows in it.
    pub(crate) fn finish(&mut self) -> Option<(usize, Group)> {
        if self.open.rows == 0 {
            return None;
        }
        self.cut += 1;
        Some((self.cut - 1, std::mem::take(&mut self.open)))
    }

    pub(crate) fn which(&self) -> usize {
        self.which
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use distil_json::{Decoder, Dictionary, FrameSlice, Sampler, Separator, Sink};
    use distil_plan::{BadPart, ColumnPath, Dedup, Plan};
    use proptest::prelude::*;

    use super::*;
    use crate::packed::PackedScratch;

    /// Keeps packed rows.
    #[derive(Default)]
    struct Rows {
        packed: Vec<u64>,
    }

    impl Sink for Rows {
        fn row(&mut self, _: &[u8], _: usize, _: u32) -> Result<()> {
            Err(Error::bug("the records fit the layout"))
        }

        fn packed(&mut self, rows: &[u64], _: &[Dictionary]) -> Result<()> {
            self.packed.extend_from_slice(rows);
            Ok(())
        }

        fn bad(&mut self, _: BadPart) -> Result<()> {
            Err(Error::bug("the records are good"))
        }
    }

    /// Packed rows whose strings have these lengths.
    fn packed(lengths: &[usize]) -> (Vec<u64>, Packing) {
        let mut plan = Plan::new(vec!["in".to_owned()], distil_plan::Sink::new("out.parquet"));
        plan.dedup = Some(Dedup::on_columns(vec![ColumnPath::name("k")]));
        let line = |(n, length): (usize, &usize)| {
            format!("{{\"k\":{n},\"t\":\"{}\"}}\n", "x".repeat(*length))
        };
        let text: String = lengths.iter().enumerate().map(line).collect();
        let mut sampler = Sampler::new(&plan).unwrap();
        sampler.sample(text.as_bytes(), usize::MAX).unwrap();
        let layout = Arc::new(sampler.finish(&plan).1.unwrap());
        let mut decoder = Decoder::new(&plan).unwrap().expecting(Some(&layout), 1 << 20);
        let mut rows = Rows::default();
        let bytes = text.as_bytes();
        let slice = FrameSlice { input: 0, offset: 0, bytes, separator: Separator::Line };
        decoder.decode(&slice, &mut rows).unwrap();
        let (seen, dictionaries) = decoder.finish();
        let schema = seen.schema().unwrap();
        let packing = Packing::new(Arc::clone(&layout), &[dictionaries], &schema, 1).unwrap();
        let mut ranked = PackedScratch::default();
        ranked.load(&packing, 0, &rows.packed, |_| true);
        (ranked.rows().to_vec(), packing)
    }

    proptest! {
        #[test]
        fn groups_are_cut_by_the_row_that_reaches_a_limit(
            lengths in prop::collection::vec(prop_oneof![9 => 0usize..10, 1 => 0usize..200], 1..200),
            batches in prop::collection::vec(1usize..40, 1..20),
            most_rows in 1u64..100,
            most_bytes in 1u64..3000,
        ) {
            let mut expected = Vec::new();
            let (mut rows, mut bytes) = (0, 0);
            for length in &lengths {
                rows += 1;
                bytes += 8 + *length as u64;
                if rows >= most_rows || bytes >= most_bytes {
                    expected.push(rows);
                    (rows, bytes) = (0, 0);
                }
            }
            expected.extend((rows > 0).then_some(rows));

            let (words, packing) = packed(&lengths);
            let mut lane = Lane::new(0, most_rows, most_bytes);
            let mut groups = Vec::new();
            let mut rest = words.as_slice();
            for rows in batches.iter().cycle() {
                let count = (rows * packing.layout.words).min(rest.len());
                let (now, later) = rest.split_at(count);
                rest = later;
                groups.extend(lane.push(&Arc::new(Batch::Packed(now.to_vec())), Some(&packing)).unwrap());
                if rest.is_empty() {
                    break;
                }
            }
            groups.extend(lane.finish());
            let found: Vec<u64> = groups.iter().map(|(_, group)| group.rows).collect();
            prop_assert_eq!(found, expected);
            for (at, (ordinal, group)) in groups.iter().enumerate() {
                prop_assert_eq!(*ordinal, at);
                let rows: usize = group.stretches.iter().map(|(_, begin, end)| end - begin).sum();
                prop_assert_eq!(rows as u64, group.rows);
            }
        }
    }
}

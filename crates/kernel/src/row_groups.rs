//! Reduced partitions to row groups.
//!
//! What a row group holds is a function of the rows alone: it is cut by counting rows and bytes of
//! values from its first row, whatever the partitions and threads were.

use std::sync::Arc;

use distil_plan::Result;

use crate::rows::{PackedRows, Row, RowAt};

/// Bytes of values after which a row group is cut.
pub const ROW_GROUP_BYTES: u64 = 128 << 20;

/// Which rows of a partition are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The survivors, or all rows where nothing is reduced.
    Kept,
    /// The records that lost, where the plan wants them.
    Dropped,
}

/// Rows of one partition, or a part of them, reduced and in order.
#[derive(Debug)]
pub enum ReducedRows {
    /// Encoded rows.
    Encoded {
        /// Buffers of rows, in no order.
        buffers: Vec<Vec<u8>>,
        /// Survivors in order; a row stands here as often as it is written.
        kept: Vec<RowAt>,
        /// Losers that are wanted, likewise.
        dropped: Vec<RowAt>,
    },
    /// Packed rows, survivors all.
    Packed(PackedRows),
}

impl ReducedRows {
    fn rows(&self, wanted: Wanted) -> usize {
        match (self, wanted) {
            (Self::Encoded { kept, .. }, Wanted::Kept) => kept.len(),
            (Self::Encoded { dropped, .. }, Wanted::Dropped) => dropped.len(),
            (Self::Packed(rows), Wanted::Kept) => rows.rows(),
            (Self::Packed(_), Wanted::Dropped) => 0,
        }
    }

    fn value_bytes(&self, wanted: Wanted, at: usize) -> Result<u32> {
        match (self, wanted) {
            (Self::Encoded { buffers, kept, .. }, Wanted::Kept) => {
                Ok(kept[at].row(buffers)?.value_bytes)
            }
            (Self::Encoded { buffers, dropped, .. }, Wanted::Dropped) => {
                Ok(dropped[at].row(buffers)?.value_bytes)
            }
            (Self::Packed(rows), _) => Ok(rows.table().value_bytes(rows.row(at))),
        }
    }

    /// The encoded form of a row, in `buffer` if it has to be made.
    pub(crate) fn row<'a>(
        &'a self,
        wanted: Wanted,
        at: usize,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Row<'a>> {
        match (self, wanted) {
            (Self::Encoded { buffers, kept, .. }, Wanted::Kept) => kept[at].row(buffers),
            (Self::Encoded { buffers, dropped, .. }, Wanted::Dropped) => dropped[at].row(buffers),
            (Self::Packed(rows), _) => Ok(rows.table().unpack(rows.row(at), buffer)),
        }
    }
}

/// Some rows of a partition that follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) rows: Arc<ReducedRows>,
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// Rows of one row group.
#[derive(Debug, Default)]
pub struct RowGroup {
    pub(crate) spans: Vec<Span>,
    /// How many rows it has.
    pub rows: u64,
    /// Bytes of the values, or more.
    bytes: u64,
    /// Whether all of them were counted.
    counted: bool,
}

/// Cuts the rows of one output into row groups.
#[derive(Debug)]
pub struct RowGroupCutter {
    wanted: Wanted,
    most_rows: u64,
    most_bytes: u64,
    open: RowGroup,
    cut: usize,
}

impl RowGroupCutter {
    /// Row groups are cut after the row that reaches one of the limits.
    pub fn new(wanted: Wanted, most_rows: u64, most_bytes: u64) -> Self {
        Self { wanted, most_rows, most_bytes, open: RowGroup::default(), cut: 0 }
    }

    /// Takes the next rows; returns the row groups that are full, each with its ordinal.
    ///
    /// # Errors
    /// A bug if rows are not where they were put.
    pub fn push(&mut self, reduced: &Arc<ReducedRows>) -> Result<Vec<(usize, RowGroup)>> {
        let rows = reduced.rows(self.wanted);
        // Other threads wait meanwhile: bytes are counted row by row only where they may decide.
        if let ReducedRows::Packed(packed) = reduced.as_ref()
            && !self.open.counted
        {
            let most = packed.table().most_value_bytes;
            if self.open.bytes + rows as u64 * u64::from(most) < self.most_bytes {
                return self.cut(reduced, rows, |_| Ok(most));
            }
        }
        if !self.open.counted {
            self.open.counted = true;
            self.open.bytes = 0;
            for span in &self.open.spans {
                for at in span.begin..span.end {
                    let bytes = span.rows.value_bytes(self.wanted, at)?;
                    self.open.bytes += u64::from(bytes);
                }
            }
        }
        let wanted = self.wanted;
        self.cut(reduced, rows, |at| reduced.value_bytes(wanted, at))
    }

    fn cut(
        &mut self,
        reduced: &Arc<ReducedRows>,
        rows: usize,
        bytes: impl Fn(usize) -> Result<u32>,
    ) -> Result<Vec<(usize, RowGroup)>> {
        let mut row_groups = Vec::new();
        let mut begin = 0;
        let span = |begin, end| Span { rows: Arc::clone(reduced), begin, end };
        for at in 0..rows {
            self.open.bytes += u64::from(bytes(at)?);
            self.open.rows += 1;
            if self.open.rows >= self.most_rows || self.open.bytes >= self.most_bytes {
                self.open.spans.push(span(begin, at + 1));
                begin = at + 1;
                row_groups.extend(self.finish());
            }
        }
        if begin < rows {
            self.open.spans.push(span(begin, rows));
        }
        Ok(row_groups)
    }

    /// The last row group, if there are rows in it.
    pub fn finish(&mut self) -> Option<(usize, RowGroup)> {
        if self.open.rows == 0 {
            return None;
        }
        self.cut += 1;
        Some((self.cut - 1, std::mem::take(&mut self.open)))
    }

    /// The rows that it cuts.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use distil_json::{Decoder, Dictionary, FrameSlice, Sampler, Separator, Sink};
    use distil_plan::{BadPart, ColumnPath, Dedup, Error, Plan};
    use proptest::prelude::*;

    use super::*;
    use crate::rows::{PackedScratch, PackedTable};

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
    fn packed(lengths: &[usize]) -> (Vec<u64>, Arc<PackedTable>) {
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
        let table = PackedTable::of(Arc::clone(&layout), &[dictionaries], &schema).unwrap();
        let mut ranked = PackedScratch::default();
        ranked.load(&table, 0, &rows.packed, |_| true);
        (ranked.rows().to_vec(), Arc::new(table))
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

            let (words, table) = packed(&lengths);
            let mut cutter = RowGroupCutter::new(Wanted::Kept, most_rows, most_bytes);
            let mut groups = Vec::new();
            let mut rest = words.as_slice();
            for rows in batches.iter().cycle() {
                let count = (rows * table.layout.words).min(rest.len());
                let (now, later) = rest.split_at(count);
                rest = later;
                let rows = PackedRows::new(now.to_vec(), Arc::clone(&table));
                groups.extend(cutter.push(&Arc::new(ReducedRows::Packed(rows))).unwrap());
                if rest.is_empty() {
                    break;
                }
            }
            groups.extend(cutter.finish());
            let found: Vec<u64> = groups.iter().map(|(_, group)| group.rows).collect();
            prop_assert_eq!(found, expected);
            for (at, (ordinal, group)) in groups.iter().enumerate() {
                prop_assert_eq!(*ordinal, at);
                let rows: usize = group.spans.iter().map(|span| span.end - span.begin).sum();
                prop_assert_eq!(rows as u64, group.rows);
            }
        }
    }
}

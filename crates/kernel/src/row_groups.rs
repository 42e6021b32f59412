//! Reduced partitions to row groups.
//!
//! What a row group holds is a function of the rows alone: it is cut by counting rows and bytes of
//! values from its first row, whatever the partitions and threads were. So are the batches that it is read in.

use std::sync::Arc;

use distil_plan::Result;

use crate::rows::{PackedRows, PackedTable, Row, RowAt};

/// Bytes of values after which a row group is cut.
pub const ROW_GROUP_BYTES: u64 = 128 << 20;
/// Rows that are read to arrays at once.
const BATCH_ROWS: u64 = 8192;
/// Bytes of values after which a batch is cut, however few its rows are: a row group may be far larger than the
/// memory. Where there are thousands of leaves, each takes memory of its own.
const BATCH_BYTES: u64 = 1 << 20;
/// Bytes of values that a batch may have for each leaf. Rows and arrays of a batch are in memory together, once for each
/// thread: four times as much was 80 MB of them with 9,900 columns.
const LEAF_BYTES: u64 = 1 << 10;
/// Values that a batch has in all of its leaves, nulls among them: those have no bytes in rows, and as many as any other
/// in arrays.
const BATCH_VALUES: u64 = 1 << 20;
/// Values that a batch may have in each leaf, however many leaves there are.
const LEAF_VALUES: u64 = 256;

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
    /// Bytes of memory.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Encoded { buffers, kept, dropped } => {
                let rows: usize = buffers.iter().map(Vec::capacity).sum();
                (rows + 8 * (kept.capacity() + dropped.capacity())) as u64
            }
            Self::Packed(rows) => rows.bytes(),
        }
    }

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

impl Span {
    /// The words of packed rows.
    pub(crate) fn words(&self) -> Option<&[u64]> {
        match self.rows.as_ref() {
            ReducedRows::Packed(rows) => rows.words(self.begin, self.end),
            ReducedRows::Encoded { .. } => None,
        }
    }
}

/// Rows of a row group that are read to arrays at once. What they were in goes with them.
#[derive(Debug, Default)]
pub struct RowBatch {
    pub(crate) spans: Vec<Span>,
    pub(crate) rows: u64,
    bytes: u64,
}

/// All rows of a row group, each of them packed.
#[derive(Debug)]
pub struct PackedRowGroup {
    pub(crate) table: Arc<PackedTable>,
    pub(crate) spans: Vec<Span>,
    /// How many rows there are up to the end of each span.
    pub(crate) ends: Vec<usize>,
    /// How many rows it has.
    pub rows: u64,
}

/// What comes of the rows of an output, in order. Row groups are counted from 0.
#[derive(Debug)]
pub enum Cut {
    /// The next batch of a row group.
    Batch(usize, RowBatch),
    /// A row group has all its batches, and this many rows.
    End(usize, u64),
    /// A row group that is written as it is.
    Packed(usize, PackedRowGroup),
}

/// Cuts the rows of one output into row groups, and these into batches.
#[derive(Debug)]
pub struct RowGroupCutter {
    wanted: Wanted,
    most_rows: u64,
    most_bytes: u64,
    batch_rows: u64,
    batch_bytes: u64,
    most_packed: u64,
    open: Open,
    cut: usize,
}

/// The row group under way.
#[derive(Debug, Default)]
struct Open {
    /// Its packed rows, as long as there are no others.
    packed: Vec<Span>,
    /// Its next batch, once there are others.
    batch: RowBatch,
    is_read: bool,
    rows: u64,
    /// Bytes of the values, or more.
    bytes: u64,
    /// Whether all of them were counted.
    counted: bool,
}

impl RowGroupCutter {
    /// Row groups of rows with this many leaves are cut after the row that reaches one of the limits.
    pub fn new(wanted: Wanted, leaves: usize, most_rows: u64, most_bytes: u64) -> Self {
        let leaves = leaves as u64;
        Self {
            wanted,
            most_rows,
            most_bytes,
            batch_rows: (BATCH_VALUES / leaves.max(1)).clamp(LEAF_VALUES, BATCH_ROWS),
            batch_bytes: (leaves * LEAF_BYTES).max(BATCH_BYTES),
            most_packed: 0,
            open: Open::default(),
            cut: 0,
        }
    }

    /// The same cutter, which keeps the packed rows of a row group for [`Cut::Packed`] while they take no more than
    /// `bytes` of memory. It decides nothing but the way: batches of the same rows come to the same chunks.
    #[must_use]
    pub fn keeping_packed(self, bytes: u64) -> Self {
        Self { most_packed: bytes, ..self }
    }

    /// The rows that it cuts.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Takes the next rows.
    ///
    /// # Errors
    /// A bug if rows are not where they were put.
    pub fn push(&mut self, reduced: &Arc<ReducedRows>) -> Result<Vec<Cut>> {
        let mut cuts = Vec::new();
        let rows = reduced.rows(self.wanted);
        let mut begin = 0;
        while begin < rows {
            let rest = Span { rows: Arc::clone(reduced), begin, end: rows };
            begin = match reduced.as_ref() {
                ReducedRows::Packed(packed) if self.keeps(packed, rows - begin) => {
                    self.push_packed(packed, rest, &mut cuts)?
                }
                _ => {
                    self.read_packed(&mut cuts)?;
                    self.push_read(&rest, &mut cuts)?
                }
            };
        }
        Ok(cuts)
    }

    /// Whether more packed rows can be kept as they are.
    fn keeps(&self, packed: &PackedRows, rows: usize) -> bool {
        let row_bytes = packed.table().layout.words as u64 * 8;
        let rows = (self.open.rows + rows as u64).min(self.most_rows);
        !self.open.is_read
            && packed.table().writable
            && rows.saturating_mul(row_bytes) <= self.most_packed
    }

    /// Takes packed rows until the row group is full; returns where the next one begins.
    fn push_packed(
        &mut self,
        packed: &PackedRows,
        rest: Span,
        cuts: &mut Vec<Cut>,
    ) -> Result<usize> {
        let most = u64::from(packed.table().most_value_bytes);
        let rows = (rest.end - rest.begin) as u64;
        // Other threads wait meanwhile: bytes are counted row by row only where they may decide.
        let estimated = !self.open.counted && self.open.bytes + rows * most < self.most_bytes;
        if !estimated && !self.open.counted {
            self.open.counted = true;
            self.open.bytes = 0;
            for span in &self.open.packed {
                for at in span.begin..span.end {
                    self.open.bytes += u64::from(span.rows.value_bytes(self.wanted, at)?);
                }
            }
        }
        let mut end = rest.begin;
        while end < rest.end && !self.is_full() {
            self.open.rows += 1;
            self.open.bytes += match estimated {
                true => most,
                false => u64::from(rest.rows.value_bytes(self.wanted, end)?),
            };
            end += 1;
        }
        self.open.packed.push(Span { end, ..rest });
        if self.is_full() {
            cuts.extend(self.finish());
        }
        Ok(end)
    }

    fn is_full(&self) -> bool {
        self.open.rows >= self.most_rows || self.open.bytes >= self.most_bytes
    }

    /// From here on the row group is read in batches; what is there of it already goes first.
    fn read_packed(&mut self, cuts: &mut Vec<Cut>) -> Result<()> {
        if self.open.is_read {
            return Ok(());
        }
        let packed = std::mem::take(&mut self.open).packed;
        self.open.is_read = true;
        packed.iter().try_for_each(|span| self.push_read(span, cuts).map(drop))
    }

    /// Takes rows to be read until the row group is full; returns where the next one begins.
    fn push_read(&mut self, rest: &Span, cuts: &mut Vec<Cut>) -> Result<usize> {
        let mut begin = rest.begin;
        let span = |begin, end| Span { rows: Arc::clone(&rest.rows), begin, end };
        for at in rest.begin..rest.end {
            let bytes = u64::from(rest.rows.value_bytes(self.wanted, at)?);
            let Open { rows, bytes: of_group, batch, .. } = &mut self.open;
            *rows += 1;
            *of_group += bytes;
            batch.rows += 1;
            batch.bytes += bytes;
            let batch_is_full = batch.rows >= self.batch_rows || batch.bytes >= self.batch_bytes;
            let is_full = self.is_full();
            if batch_is_full || is_full {
                let mut batch = std::mem::take(&mut self.open.batch);
                batch.spans.push(span(begin, at + 1));
                begin = at + 1;
                cuts.push(Cut::Batch(self.cut, batch));
            }
            if is_full {
                cuts.extend(self.finish());
                return Ok(begin);
            }
        }
        if begin < rest.end {
            self.open.batch.spans.push(span(begin, rest.end));
        }
        Ok(rest.end)
    }

    /// The end of the last row group, if there are rows in it.
    pub fn finish(&mut self) -> Vec<Cut> {
        let Open { packed, batch, is_read, rows, .. } = std::mem::take(&mut self.open);
        if rows == 0 {
            return Vec::new();
        }
        let row_group = self.cut;
        self.cut += 1;
        let table = packed.first().and_then(|span| match span.rows.as_ref() {
            ReducedRows::Packed(packed) => Some(Arc::clone(packed.table())),
            ReducedRows::Encoded { .. } => None,
        });
        if let Some(table) = table.filter(|_| !is_read) {
            let mut end = 0;
            let up_to = |span: &Span| {
                end += span.end - span.begin;
                end
            };
            let ends = packed.iter().map(up_to).collect();
            let packed = PackedRowGroup { table, spans: packed, ends, rows };
            return vec![Cut::Packed(row_group, packed)];
        }
        let last = (batch.rows > 0).then_some(Cut::Batch(row_group, batch));
        last.into_iter().chain([Cut::End(row_group, rows)]).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use distil_json::{Decoder, Dictionary, EncodedRow, FrameSlice, Frames, Sampler, Sink};
    use distil_plan::{BadPart, ColumnPath, Dedup, Error, Plan};
    use proptest::prelude::*;

    use super::*;
    use crate::rows::{PackedScratch, RowBuffers, SINGLE};

    /// Keeps packed rows.
    #[derive(Default)]
    struct Rows {
        packed: Vec<u64>,
    }

    impl Sink for Rows {
        fn row(&mut self, _: &EncodedRow<'_>) -> Result<()> {
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
        sampler.sample(0, text.as_bytes(), usize::MAX).unwrap();
        let layout = Arc::new(sampler.finish(&plan).1.unwrap());
        let mut decoder = Decoder::new(&plan).unwrap().expecting(Some(&layout), 1 << 20);
        let mut rows = Rows::default();
        let bytes = text.as_bytes();
        let slice = FrameSlice { input: 0, offset: 0, bytes, frames: &Frames::Lines };
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
            packed_bytes in 0u64..1000,
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
            for (most_packed, encoded) in [(u64::MAX, false), (packed_bytes, false), (packed_bytes, true)] {
                let cutter = RowGroupCutter::new(Wanted::Kept, 2, most_rows, most_bytes);
                let mut cutter = cutter.keeping_packed(most_packed);
                let mut cuts = Vec::new();
                let mut rest = words.as_slice();
                for (at, rows) in batches.iter().cycle().enumerate() {
                    let count = (rows * table.layout.words).min(rest.len());
                    let (now, later) = rest.split_at(count);
                    rest = later;
                    // Some of the rows are encoded.
                    let rows = if encoded && at % 3 == 1 {
                        let buffers = table.unpack_all(now);
                        let kept = crate::rows::places(&buffers).map(|(place, _)| place).collect();
                        ReducedRows::Encoded { buffers, kept, dropped: Vec::new() }
                    } else {
                        ReducedRows::Packed(PackedRows::new(now.to_vec(), Arc::clone(&table)))
                    };
                    cuts.extend(cutter.push(&Arc::new(rows)).unwrap());
                    if rest.is_empty() {
                        break;
                    }
                }
                cuts.extend(cutter.finish());
                let (groups, found) = row_groups(&cuts, &table);
                prop_assert_eq!(&groups, &expected);
                prop_assert_eq!(found, table.unpack_all(&words).concat());
            }
        }
    }

    /// The rows of each row group, and all rows in order.
    fn row_groups(cuts: &[Cut], table: &PackedTable) -> (Vec<u64>, Vec<u8>) {
        let (mut groups, mut all, mut batched) = (Vec::new(), Vec::new(), 0);
        let mut add = |spans: &[Span]| {
            let mut rows = 0;
            for span in spans {
                for at in span.begin..span.end {
                    let mut buffer = Vec::new();
                    span.rows.row(Wanted::Kept, at, &mut buffer).unwrap().write(&mut all);
                    rows += 1;
                }
            }
            rows
        };
        for cut in cuts {
            let group = match cut {
                Cut::Batch(group, batch) => {
                    assert_eq!(add(&batch.spans), batch.rows);
                    assert!(batch.rows > 0);
                    batched += batch.rows;
                    assert_eq!(*group, groups.len());
                    continue;
                }
                Cut::End(group, rows) => {
                    assert_eq!(std::mem::take(&mut batched), *rows);
                    groups.push(*rows);
                    group
                }
                Cut::Packed(group, rows) => {
                    assert_eq!(add(&rows.spans), rows.rows);
                    assert_eq!(rows.table.layout.words, table.layout.words);
                    groups.push(rows.rows);
                    group
                }
            };
            assert_eq!(*group + 1, groups.len());
        }
        (groups, all)
    }

    /// The rows of the batches of so many rows, each of values of so many bytes, with so many leaves.
    fn batches(rows: usize, value_bytes: u32, leaves: usize) -> Vec<u64> {
        let bytes = &[b'x'; 100];
        let row = Row { bytes, key_length: 1, value_bytes, counts: SINGLE, origin: None };
        let mut buffers = RowBuffers::default();
        let kept = (0..rows).map(|_| buffers.place(&row)).collect();
        let rows = ReducedRows::Encoded { buffers: buffers.full, kept, dropped: Vec::new() };
        let mut cutter = RowGroupCutter::new(Wanted::Kept, leaves, u64::MAX, ROW_GROUP_BYTES);
        let mut cuts = cutter.push(&Arc::new(rows)).unwrap();
        cuts.extend(cutter.finish());
        cuts.iter()
            .filter_map(|cut| match cut {
                Cut::Batch(0, batch) => Some(batch.rows),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn batches_of_long_rows_are_short() {
        assert_eq!(batches(10, 1 << 18, 2), [4, 4, 2]);
    }

    #[test]
    fn batches_of_many_columns_are_short_though_most_values_are_null() {
        assert_eq!(batches(10_000, 16, 2), [8192, 1808]);
        assert_eq!(batches(2500, 16, 1000), [1048, 1048, 404]);
        assert_eq!(batches(600, 16, 10_000), [256, 256, 88]);
    }
}
